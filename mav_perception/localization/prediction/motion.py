"""Lazy propagation of the joint state with the odometry increments of every drone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation, yaw_rotation_derivative
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.odometry.history import RESTART_GAP
from mav_perception.localization.odometry.process_noise import gap_variance, process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.restarts import contradicted_odometry
from mav_perception.localization.prediction.yaw_mixture import SPLIT_SIGMA, with_yaw_mixture
from mav_perception.localization.state import JointState
from mav_perception.types import NANOSECONDS, FloatArray


def propagate(
    state: JointState, stamp_ns: int, rows: OdometryRows, parameters: FilterParameters
) -> JointState:
    """Move the joint state to a stamp with the VIO increments of every drone.

    x' = x + Rz(yaw - yaw_odom) (p_odom' - p_odom), yaw' = yaw + (yaw_odom' - yaw_odom), and
    P' = F P F^T + Q with Q proportional to distance, turn, time and gap. Static objects stay.
    A drone whose odometry has ceased stays where that ended, until the next tells where it went:
    its motion meanwhile is `untold`. A VIO that restarts will never tell: it goes on where the
    drone is now, its yaw a mixture if that is not known well enough to linearise about. Drones
    whose pose is not known, or that have not begun yet, neither move nor get less certain.

    Args:
        state: joint state and its anchors.
        stamp_ns: time to move to.
        rows: odometry of all N drones at that time, or the last before it.
        parameters: noise densities.
    """
    increments = (rows - state.anchors).only(state.active)
    waited = np.maximum((state.stamp_ns - state.anchors.stamps) / NANOSECONDS, 0.0)
    contradicted = contradicted_odometry(state, increments, waited, parameters)
    increments = increments.restarted(contradicted, RESTART_GAP)
    noise = process_noise(increments, parameters, state.drift.applied(parameters, state.unmet))
    # A sample from before the state was followed so far would tell of the same motion again.
    since = increments.gap - RESTART_GAP >= waited - 0.05
    restarted = (state.silent & (increments.gap > 0.0) & since)[:, None]
    went = np.where(restarted, state.untold.mean, 0.0)
    known_better = state.untold.variance - gap_variance(waited, parameters)
    noise[:, :3] += np.where(restarted, known_better, 0.0)
    hypotheses, noise = _with_vague_yaws(state, increments, noise, parameters.max_hypotheses)
    told = ~state.active | (rows.stamps != state.anchors.stamps)
    begin_ns = np.where(told, rows.stamps, np.maximum(rows.stamps, state.stamp_ns))
    silence = np.maximum((stamp_ns - begin_ns) / NANOSECONDS, 0.0)
    return replace(
        state,
        stamp_ns=stamp_ns,
        hypotheses=move_poses(hypotheses, state.anchors, increments, went, noise),
        anchors=rows,
        drift=state.drift.without_past() if contradicted.any() else state.drift,
        untold=state.untold.after(np.where(state.active, silence, 0.0), told, parameters),
    )


def _with_vague_yaws(
    state: JointState, increments: OdometryRows, noise: FloatArray, most: int
) -> tuple[JointHypotheses, FloatArray]:
    """Return the hypotheses with a mixture for every yaw lost with a VIO, and the noise left."""
    hypotheses, noise = state.hypotheses, noise.copy()
    for drone in np.flatnonzero(increments.gap > 0.0).tolist():
        before = hypotheses.covariances[:, 4 * drone + 3, 4 * drone + 3].max()
        if before + noise[drone, 3] > SPLIT_SIGMA**2:
            hypotheses = with_yaw_mixture(
                hypotheses, drone, state.drones, float(noise[drone, 3]), most
            )
            noise[drone, 3] = 0.0
    return hypotheses, noise


def moved_by_odometry(pose: FloatArray, before: OdometryRows, after: OdometryRows) -> FloatArray:
    """Return where odometry leads a pose (4,) between two of its rows, without a filter."""
    step = after - before
    ahead = yaw_rotation(pose[3] - before.yaw) @ step.position
    return np.array([*(pose[:3] + ahead), float(wrap_angle(pose[3] + step.yaw))])


def move_poses(
    hypotheses: JointHypotheses,
    anchors: OdometryRows,
    increments: OdometryRows,
    went: FloatArray,
    noise: FloatArray,
) -> JointHypotheses:
    """Return hypotheses moved by odometry: x' = f(x), P' = F P F^T + Q.

    Args:
        hypotheses: K of them over N drones.
        anchors: N odometry rows at which they hold.
        increments: of the odometry since.
        went: (N, 3) motion in map besides.
        noise: (N, 4) the diagonal of Q.
    """
    number, count = len(hypotheses), len(anchors)
    means, covariances = hypotheses.means.copy(), hypotheses.covariances.copy()
    poses = means[:, : 4 * count].reshape(number, count, 4)
    relative_yaw = poses[..., 3] - anchors.yaw
    step = increments.position[..., None]
    lever = (yaw_rotation_derivative(relative_yaw) @ step)[..., 0]
    poses[..., :3] += (yaw_rotation(relative_yaw) @ step)[..., 0] + went
    poses[..., 3] = wrap_angle(poses[..., 3] + increments.yaw)
    means[:, : 4 * count] = poses.reshape(number, -1)

    # F differs from the identity only where position hangs on yaw: add those rows and columns.
    size = covariances.shape[-1]
    rows = covariances[:, : 4 * count].reshape(number, count, 4, size)
    rows[:, :, :3] += lever[..., None] * rows[:, :, 3:]
    covariances[:, : 4 * count] = rows.reshape(number, -1, size)
    columns = covariances[..., : 4 * count].reshape(number, size, count, 4)
    columns[..., :3] += lever[:, None] * columns[..., 3:]
    covariances[..., : 4 * count] = columns.reshape(number, size, -1)
    own = np.arange(4 * count)
    covariances[:, own, own] += noise.ravel()
    return replace(hypotheses, means=means, covariances=covariances)
