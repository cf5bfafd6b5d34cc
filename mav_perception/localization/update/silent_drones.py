"""Drones whose odometry is silent: sightings tell where they have gone, beside the joint state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.localization.correlation import new_information
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.sighting_positions import sighting_positions
from mav_perception.localization.odometry.untold_motion import UntoldMotion
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import FloatArray


def follow_silent(
    state: JointState, scan: CameraScan, report: UpdateReport, parameters: FilterParameters
) -> JointState:
    """Return the state with the untold motion of drones corrected by a scan that may show them.

    The PDA filter, axis by axis: with D the variance of the motion, y_j where sighting j puts the
    drone against its pose before, s_j the variance of that and beta_j their association,

        K_j = D / (D + s_j / g),  m_j = m + K_j (y_j - m),  D_j = (1 - K_j) D

    and m', D' are the moments of that mixture, a miss (m, D) among it; g is what is new of a
    sighting, see `new_information`. One motion for all hypotheses, by the heaviest.

    Args:
        state: after the update with the scan.
        scan: the camera scan.
        report: of that update.
        parameters: of the filter.
    """
    chance = 1.0 - report.marginal[:, -1]
    drones = report.candidates[(report.candidates < state.drones) & (chance > 0.0)]
    drones = drones[state.silent[drones]]
    if not len(drones) or state.silent[scan.observer]:
        return state
    places, variances = _places(state, scan)
    mean, variance = state.untold.mean.copy(), state.untold.variance.copy()
    elapsed = state.since_last_seen(scan.camera)[drones]
    new = new_information(elapsed, np.full(len(drones), parameters.error_correlation))
    for drone, share in zip(drones.tolist(), new.tolist(), strict=True):
        beta = report.marginal[report.candidates == drone][0][:, None]
        own = slice(4 * drone, 4 * drone + 3)
        before, m, d = state.hypotheses.means[0, own], mean[drone], variance[drone]
        uncertain = variances + np.diag(state.hypotheses.covariances[0])[own]
        gain = d / (d + uncertain / share)
        means = np.vstack([m + gain * (places - before - m), m])
        mean[drone] = (beta * means).sum(axis=0)
        spread = (beta * (means - mean[drone]) ** 2).sum(axis=0)
        variance[drone] = (beta * np.vstack([(1.0 - gain) * d, d])).sum(axis=0) + spread
    return replace(state, untold=UntoldMotion(mean, variance))


def _places(state: JointState, scan: CameraScan) -> tuple[FloatArray, FloatArray]:
    """Return (m, 3) where sightings are in map, by all hypotheses together, and variances."""
    pose, covariance = state.team.mean[scan.observer], state.team.block(scan.observer)
    every = np.arange(len(scan.sightings))
    places, by_observer, by_sighting = sighting_positions(pose, scan, every)
    spread = by_observer @ covariance @ np.swapaxes(by_observer, 1, 2)
    spread += by_sighting @ measurement_noise(scan.sightings) @ np.swapaxes(by_sighting, 1, 2)
    return places, np.diagonal(spread, axis1=1, axis2=2)
