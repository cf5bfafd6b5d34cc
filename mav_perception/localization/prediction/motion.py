"""Lazy propagation of the joint state with the odometry increments of every drone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation, yaw_rotation_derivative
from mav_perception.localization.odometry.history import GAP, POSITION, RESTART_GAP, TIME, YAW
from mav_perception.localization.odometry.team_odometry import TeamOdometry, process_noise
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.types import FloatArray, IntArray, nanoseconds


def propagate(
    state: JointState, stamp_ns: int, rows: FloatArray, parameters: FilterParameters
) -> JointState:
    """Move the joint state to a stamp with the VIO increments of every drone.

    x' = x + Rz(yaw - yaw_odom) (p_odom' - p_odom), yaw' = yaw + (yaw_odom' - yaw_odom), and
    P' = F P F^T + Q with Q proportional to distance, turn, time and gap. Static objects stay.
    Increments are taken from the anchors, not from the last stamp, so motion during an outage is
    used as soon as the odometry that tells of it arrives.

    Args:
        state: joint state and its anchors.
        stamp_ns: time to move to.
        rows: (N, COLUMNS) odometry of all drones at that time.
        parameters: noise densities.
    """
    delta = rows - state.anchors
    noise = process_noise(delta, parameters).ravel()
    hypotheses = tuple(_moved(h, state.anchors, delta, noise) for h in state.hypotheses)
    return replace(state, stamp_ns=stamp_ns, hypotheses=hypotheses, anchors=rows)


def moved_by_odometry(pose: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
    """Return where odometry leads a pose (4,) between two of its rows, without a filter."""
    delta = after - before
    ahead = yaw_rotation(pose[3] - before[YAW]) @ delta[POSITION]
    return np.array([*(pose[:3] + ahead), float(wrap_angle(pose[3] + delta[YAW]))])


def _moved(
    hypothesis: JointHypothesis, anchors: FloatArray, delta: FloatArray, noise: FloatArray
) -> JointHypothesis:
    count = len(anchors)
    mean = hypothesis.mean.copy()
    poses = mean[: 4 * count].reshape(count, 4)
    relative_yaw = poses[:, 3] - anchors[:, YAW]
    lever = np.einsum('nij,nj->ni', yaw_rotation_derivative(relative_yaw), delta[:, POSITION])
    poses[:, :3] += np.einsum('nij,nj->ni', yaw_rotation(relative_yaw), delta[:, POSITION])
    poses[:, 3] = wrap_angle(poses[:, 3] + delta[:, YAW])

    # F differs from the identity only where position hangs on yaw: add those rows and columns.
    covariance = hypothesis.covariance.copy()
    size = len(covariance)
    rows = covariance[: 4 * count].reshape(count, 4, size)
    rows[:, :3] += lever[:, :, None] * rows[:, 3:]
    columns = covariance[:, : 4 * count].reshape(size, count, 4)
    columns[:, :, :3] += lever * columns[:, :, 3:]
    covariance[:, : 4 * count] = columns.reshape(size, 4 * count)
    covariance[np.arange(4 * count), np.arange(4 * count)] += noise
    return JointHypothesis(hypothesis.weight, mean, covariance, hypothesis.existence)


def mark_corrected(state: JointState, seen: IntArray, odometry: TeamOdometry) -> JointState:
    """Note the drones among `seen` whose odometry does not reach the time of the state."""
    corrected = state.corrected.copy()
    for drone in range(state.drones):
        newest = odometry.newest_ns(drone)
        if newest is not None and newest >= state.stamp_ns:
            corrected[drone] = False
        elif drone in seen:
            corrected[drone] = True
    return replace(state, corrected=corrected)


def anchor_again(state: JointState, odometry: TeamOdometry) -> JointState:
    """Let odometry that resumes count from where the drone was last seen, not from its end.

    A sighting during an outage corrected the drone for motion that the odometry tells of only
    later, in one step; taking the whole step would count that motion twice. The step is taken to
    be even, and the drone to be as uncertain as after a restart.
    """
    anchors = state.anchors.copy()
    corrected = state.corrected.copy()
    for drone in np.flatnonzero(corrected):
        held_ns = nanoseconds(anchors[drone, TIME])
        newest = odometry.newest_ns(int(drone))
        if newest is not None and newest >= held_ns:
            again = odometry.histories[drone].at(held_ns)
            again[GAP] -= RESTART_GAP
            again[YAW] = anchors[drone, YAW]  # nobody saw it turn: all of that is still to come
            anchors[drone] = again
            corrected[drone] = False
    return replace(state, anchors=anchors, corrected=corrected)
