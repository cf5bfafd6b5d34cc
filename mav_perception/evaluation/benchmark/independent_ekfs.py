"""What a user would write first: an EKF a drone (filterpy), and Mahalanobis nearest neighbours.

Each drone's filter moves by its own odometry. A sighting is turned into a position in map with the
pose of its observer, whose uncertainty counts as noise, and corrects the nearest drone alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag
from scipy.optimize import linear_sum_assignment

from mav_perception.geometry import wrap_angle
from mav_perception.localization.association.gating import gate_threshold, innovation_likelihood
from mav_perception.localization.association.problem import Associate
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.sighting_positions import sighting_positions
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import FloatArray

POSITION = np.eye(3, 4)
"""H of a position in map."""


def without_ties(state: JointState) -> JointState:
    """Return the state with the cross-covariances of drones set to zero."""
    blocks = np.kron(np.eye(state.drones), np.ones((4, 4)))
    covariances = state.hypotheses.covariances * blocks
    return replace(state, hypotheses=replace(state.hypotheses, covariances=covariances))


def independent_update(
    state: JointState, scan: CameraScan, parameters: FilterParameters, associate: Associate
) -> tuple[JointState, UpdateReport]:
    """Correct each drone that is the nearest neighbour of a sighting, on its own.

    Args:
        state: of one hypothesis, without objects.
        scan: the camera scan.
        parameters: the validation gate.
        associate: not asked, neighbours are.
    """
    from filterpy.kalman import KalmanFilter

    means = state.hypotheses.means[0].reshape(-1, 4)
    covariances = [state.covariances_now[0, k : k + 4, k : k + 4] for k in _starts(state)]
    kept = [state.hypotheses.covariances[0, k : k + 4, k : k + 4] for k in _starts(state)]
    positions, noise = _in_map(means[scan.observer], covariances[scan.observer], scan)
    candidates = np.flatnonzero(state.active & (np.arange(state.drones) != scan.observer))
    marginal = np.zeros((len(candidates), len(positions) + 1))
    marginal[:, -1] = 1.0
    apart = positions[None] - means[candidates, None, :3]
    uncertain = np.array([covariances[d][:3, :3] for d in candidates]).reshape(-1, 3, 3)
    squared, _ = innovation_likelihood(apart, uncertain, noise)
    pairs = _neighbours(squared, gate_threshold(parameters.gate_probability))
    means, silent = means.copy(), state.silent
    for row, sighting in pairs:
        drone = candidates[row]
        if silent[drone] or silent[scan.observer]:
            continue  # its odometry tells of that motion later
        kalman = KalmanFilter(dim_x=4, dim_z=3)
        kalman.x, kalman.P, kalman.H = means[drone][:, None], kept[drone], POSITION
        kalman.update(positions[sighting][:, None], R=noise[sighting])
        means[drone], kept[drone] = kalman.x[:, 0], (kalman.P + kalman.P.T) / 2.0
        means[drone, 3] = wrap_angle(means[drone, 3])
        marginal[row, [sighting, -1]] = 1.0, 0.0
    hypotheses = replace(
        state.hypotheses, means=means.reshape(1, -1), covariances=block_diag(*kept)[None]
    )
    ones = np.ones(len(candidates))
    report = UpdateReport(
        sightings=scan.sightings, candidates=candidates, view_probability=ones,
        detection_probability=ones,
        marginal=marginal,
        outside_gate=len(positions) - len(pairs), events=1, dropped=0.0, log_evidence=0.0,
        new_evidence=0.0, nis=0.0, nis_size=0,
    )  # fmt: skip
    return replace(state, hypotheses=hypotheses), report


def _starts(state: JointState) -> range:
    return range(0, 4 * state.drones, 4)


def _in_map(
    pose: FloatArray, covariance: FloatArray, scan: CameraScan
) -> tuple[FloatArray, FloatArray]:
    """Return positions (m, 3) of sightings in map, and their covariances (m, 3, 3)."""
    every = np.arange(len(scan.sightings))
    positions, by_pose, by_sighting = sighting_positions(pose, scan, every)
    noise = by_sighting @ measurement_noise(scan.sightings) @ by_sighting.transpose(0, 2, 1)
    return positions, noise + by_pose @ covariance @ by_pose.transpose(0, 2, 1)


def _neighbours(squared: FloatArray, gate: float) -> list[tuple[int, int]]:
    """Return pairs of a drone and a sighting inside its gate, of the smallest total distance."""
    rows, columns = linear_sum_assignment(np.minimum(squared, 10.0 * gate))
    return [(r, c) for r, c in zip(rows, columns, strict=True) if squared[r, c] < gate]
