"""Start prior: where a drone may be now whose start is told, but too vaguely to start from.

In the joint filter a pose that is known to a metre and some tens of degrees would be captured by
the first sighting near it, after which nothing of the doubt is left in the covariance. Such a
start does not enter it: it tells the search where to look, and what to believe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import moved_by_odometry
from mav_perception.localization.state import JointState
from mav_perception.localization.team.team import Team
from mav_perception.types import BoolArray, FloatArray

MAX_SIGMA, MAX_YAW_SIGMA = 0.5, 0.25
"""A pose less certain than this is not yet one to start from, metres and radians."""

WRONG_START_SHARE = 0.01
"""Share of the starts in team files that are wrong."""

ALONG_AXIS = (-1.0, 0.0, 1.0)
ALONG_YAW = (-2.0, -1.2, -0.4, 0.4, 1.2, 2.0)
"""Standard deviations from the told pose at which the search begins to climb."""


@dataclass(frozen=True)
class StartPrior:
    """Where the start and the odometry since have a drone: a Gaussian, and a chance of anywhere.

    Attributes:
        pose: (4,) x, y, z, yaw in map now.
        variance: (4,) of it.
    """

    pose: FloatArray
    variance: FloatArray

    def seeds(self) -> FloatArray:
        """Return (S, 4) poses from which to climb."""
        steps = np.array(list(product(ALONG_AXIS, ALONG_AXIS, (0.0,), ALONG_YAW)))
        return np.asarray(self.pose + steps * np.sqrt(self.variance), float)

    def log_density(self, pose: FloatArray, covariance: FloatArray, anywhere: float) -> float:
        """Return the log of the mean density over a mode.

        Args:
            pose: (4,) of the mode.
            covariance: (4, 4) of it.
            anywhere: log density of a drone that may be anywhere.
        """
        spread = covariance + np.diag(self.variance)
        delta = pose - self.pose
        delta[3] = wrap_angle(delta[3])
        near = -0.5 * float(delta @ np.linalg.solve(spread, delta))
        near -= 0.5 * float(np.linalg.slogdet(2.0 * np.pi * spread)[1])
        return float(
            np.logaddexp(np.log1p(-WRONG_START_SHARE) + near, np.log(WRONG_START_SHARE) + anywhere)
        )


def too_vague(sigma: FloatArray) -> BoolArray:
    """Return (...,) whether poses of standard deviations (..., 4) are too vague to start from."""
    return np.asarray(
        (sigma[..., :3].max(axis=-1) > MAX_SIGMA) | (sigma[..., 3] > MAX_YAW_SIGMA), bool
    )


def start_priors(
    team: Team,
    drones: Iterable[int],
    odometry: TeamOdometry,
    state: JointState,
    parameters: FilterParameters,
) -> dict[int, StartPrior]:
    """Return the prior of every drone whose odometry leads unbroken from its start until now.

    Args:
        team: with the starts.
        drones: whose start is told, but vague.
        odometry: of all drones.
        state: joint state now.
        parameters: noise of the odometry.
    """
    priors = {}
    scale = state.drift.applied(parameters, np.full(state.drones, np.inf))  # over minutes
    for drone in drones:
        history = odometry.histories[drone]
        begin = history.first_row
        if begin is None or history.unbroken_since_ns > begin.stamps:
            continue
        if team.start_at_origin and team.start_at_origin[drone]:
            begin = begin.at_origin()
        now, start, sigma = history.at(state.stamp_ns), team.start[drone], team.start_sigma[drone]
        step = OdometryRows.stacked([now - begin])
        variance = sigma**2 + process_noise(step, parameters, scale[[drone]])[0]
        # A yaw that was told wrong swings the whole way since.
        variance[:2] += 0.5 * float(np.sum(step.position[0, :2] ** 2)) * sigma[3] ** 2
        priors[drone] = StartPrior(moved_by_odometry(start, begin, now), variance)
    return priors
