"""Learn the drift of each VIO: where odometry alone leads for seconds, against a scan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.association.gating import innovation_likelihood
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import (
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.odometry.drift_scale import COMPARED, SCALES, PastTeam
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import move_poses
from mav_perception.localization.state import JointState
from mav_perception.localization.update.predicted_scan import PredictedScan
from mav_perception.types import FloatArray, seconds

SHORTEST = 3.0
"""Seconds over which odometry is compared, at least: less would tell of the sightings."""


def learn_drift(
    state: JointState, scan: CameraScan, predicted: PredictedScan, parameters: FilterParameters
) -> JointState:
    """Return the state with what a scan tells of the drift of its drones, and with a new past.

    Args:
        state: after the update with the scan.
        scan: the camera scan.
        predicted: what was predicted of it.
        parameters: of the filter.
    """
    drift = state.drift
    past = drift.past[scan.camera]
    waited = np.inf if past is None else seconds(state.stamp_ns - past.stamp_ns)
    if not parameters.learn_drift or waited < SHORTEST:
        return state
    if past is not None and waited < COMPARED and len(scan.sightings):
        drift = drift.learned(log_likelihoods(state, past, scan, predicted, parameters))
    team, known = state.team, state.active & ~state.silent
    now = PastTeam(
        stamp_ns=state.stamp_ns,
        mean=team.mean,
        covariance=team.covariance,
        anchors=state.anchors,
        known=known,
    )
    return replace(state, drift=drift.with_past(scan.camera, now))


def log_likelihoods(
    state: JointState,
    past: PastTeam,
    scan: CameraScan,
    predicted: PredictedScan,
    parameters: FilterParameters,
) -> FloatArray:
    """Return (N, S) log likelihoods of a scan by the drift of each drone.

    With e_j and R_j of sighting j against where odometry has led the past, H P H' of the past and
    Q_a, Q_b what the drift of observer and candidate add to it,

        L(s) = 1 - P_D + P_D sum_j N(e_j; 0, H P H' + s^2 Q_a + s_b^2 Q_b + R_j) / lambda_j

    with s_b as it is known so far; and likewise for b. Of the candidates each on its own: the
    others are clutter to it, of a density that is high where they are.

    Args:
        state: after the update with the scan.
        past: the team some time before, tied by what was seen until then.
        scan: the camera scan.
        predicted: what was predicted of it.
        parameters: of the filter.
    """
    increments, observer = state.anchors - past.anchors, scan.observer
    told = (increments.gap == 0.0) & state.active & ~state.silent & past.known
    result = np.zeros((state.drones, len(SCALES)))
    rows = np.flatnonzero(predicted.candidates < state.drones)
    rows = rows[told[predicted.candidates[rows]]]
    if not len(rows) or not told[observer]:
        return result
    drones, noise = predicted.candidates[rows], drift_of(increments, parameters)
    mean, covariance = moved_team(past, increments)
    sighted = predict_sightings(
        mean[None], covariance[None], observer, 4 * drones, scan.roll_pitch, scan.mount
    )
    blocks = sighted.jacobian_blocks[0]
    by_observer = (blocks[..., :4] * noise[observer]) @ np.swapaxes(blocks[..., :4], 1, 2)
    by_drone = (blocks[..., 4:] * noise[drones, None, :3]) @ np.swapaxes(blocks[..., 4:], 1, 2)
    scale = state.drift.scale
    known = sighted.predicted_covariance(covariance[None])[0]
    evidence = _Evidence(
        innovations(sighted, scan.sightings)[0],
        measurement_noise(scan.sightings),
        predicted.detection_probability[0, rows],
        np.log(predicted.gated.model.clutter_density) + explained_by_others(predicted)[rows],
    )
    other = scale[drones, None, None] ** 2 * by_drone
    result[observer] = evidence.of(known + other, by_observer).sum(axis=1)
    result[drones] = evidence.of(known + scale[observer] ** 2 * by_observer, by_drone).T
    return result


def explained_by_others(predicted: PredictedScan) -> FloatArray:
    """Return (C, m) log (1 + sum_c P_D N_c / lambda) of sightings, over all other candidates c.

    Without their scores, which are left out of the candidate's own term too.
    """
    gated = predicted.gated
    ratio = np.zeros((len(predicted.candidates), gated.innovations.shape[2]))
    inside = gated.problem.inside[0]
    log_ratio = gated.problem.log_likelihood_ratio[0] - gated.model.log_score_ratio
    ratio[gated.index] = np.where(inside, np.exp(log_ratio), 0.0)
    return np.asarray(np.log1p(np.maximum(ratio.sum(axis=0) - ratio, 0.0)))


def drift_of(increments: OdometryRows, parameters: FilterParameters) -> FloatArray:
    """Return (N, 4) variances that the drift of N drones adds over an interval."""
    noise = process_noise(increments, parameters, np.ones(len(increments)))
    # Yaw that drifts on the way turns what is left of it: d^2 / 3 across it, half of it each axis.
    way = np.sum(increments.position[:, :2] ** 2, axis=1)
    noise[:, :2] += (noise[:, 3] * way / 6.0)[:, None]
    return noise


def moved_team(past: PastTeam, increments: OdometryRows) -> tuple[FloatArray, FloatArray]:
    """Return mean (4N,) and covariance (4N, 4N) of a team where odometry has led it."""
    only = JointHypotheses(
        weights=np.ones(1),
        means=past.mean.reshape(1, -1),
        covariances=past.covariance[None],
        existence=np.zeros((1, 0)),
        detectable=np.zeros((1, 0, 0)),
    )
    nothing = np.zeros((len(past.mean), 4))
    moved = move_poses(only, past.anchors, increments, nothing[:, :3], nothing)
    return moved.means[0], moved.covariances[0]


@dataclass(frozen=True)
class _Evidence:
    """Innovations (T, m, 3), R (m, 3, 3), P_D (T,) and log lambda (T, m) of a scan."""

    innovations: FloatArray
    noise: FloatArray
    detection_probability: FloatArray
    log_clutter: FloatArray

    def of(self, known: FloatArray, drift: FloatArray) -> FloatArray:
        """Return (S, T) log likelihoods with covariances (T, 3, 3) known + s^2 drift."""
        covariance = known + SCALES[:, None, None, None] ** 2 * drift
        _, log_density = innovation_likelihood(self.innovations, covariance, self.noise)
        seen = np.logaddexp.reduce(log_density - self.log_clutter, axis=-1)
        chance = self.detection_probability
        return np.asarray(np.log(1.0 - chance + chance * np.exp(seen)))
