"""Lazy propagation of the joint state with the odometry increments of every drone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation, yaw_rotation_derivative
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.types import FloatArray


def propagate(
    state: JointState, stamp_ns: int, rows: OdometryRows, parameters: FilterParameters
) -> JointState:
    """Move the joint state to a stamp with the VIO increments of every drone.

    x' = x + Rz(yaw - yaw_odom) (p_odom' - p_odom), yaw' = yaw + (yaw_odom' - yaw_odom), and
    P' = F P F^T + Q with Q proportional to distance, turn, time and gap. Static objects stay.
    Increments are taken from the anchors, not from the last stamp, so motion during an outage is
    used as soon as the odometry that tells of it arrives. Drones whose pose is not known, or that
    have not begun yet, neither move nor get less certain.

    Args:
        state: joint state and its anchors.
        stamp_ns: time to move to.
        rows: odometry of all N drones at that time.
        parameters: noise densities.
    """
    increments = (rows - state.anchors).only(state.active)
    noise = process_noise(increments, parameters).ravel()
    hypotheses = tuple(_moved(h, state.anchors, increments, noise) for h in state.hypotheses)
    return replace(state, stamp_ns=stamp_ns, hypotheses=hypotheses, anchors=rows)


def moved_by_odometry(pose: FloatArray, before: OdometryRows, after: OdometryRows) -> FloatArray:
    """Return where odometry leads a pose (4,) between two of its rows, without a filter."""
    step = after - before
    ahead = yaw_rotation(pose[3] - before.yaw) @ step.position
    return np.array([*(pose[:3] + ahead), float(wrap_angle(pose[3] + step.yaw))])


def _moved(
    hypothesis: JointHypothesis, anchors: OdometryRows, increments: OdometryRows, noise: FloatArray
) -> JointHypothesis:
    count = len(anchors)
    mean = hypothesis.mean.copy()
    poses = mean[: 4 * count].reshape(count, 4)
    relative_yaw = poses[:, 3] - anchors.yaw
    lever = np.einsum('nij,nj->ni', yaw_rotation_derivative(relative_yaw), increments.position)
    poses[:, :3] += np.einsum('nij,nj->ni', yaw_rotation(relative_yaw), increments.position)
    poses[:, 3] = wrap_angle(poses[:, 3] + increments.yaw)

    # F differs from the identity only where position hangs on yaw: add those rows and columns.
    covariance = hypothesis.covariance.copy()
    size = len(covariance)
    rows = covariance[: 4 * count].reshape(count, 4, size)
    rows[:, :3] += lever[:, :, None] * rows[:, 3:]
    columns = covariance[:, : 4 * count].reshape(size, count, 4)
    columns[:, :, :3] += lever * columns[:, :, 3:]
    covariance[:, : 4 * count] = columns.reshape(size, 4 * count)
    covariance[np.arange(4 * count), np.arange(4 * count)] += noise
    return replace(hypothesis, mean=mean, covariance=covariance)
