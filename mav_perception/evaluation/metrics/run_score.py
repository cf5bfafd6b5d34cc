"""The errors of a run, defined once: terminal, JSON and report show the same figures.

Errors are taken `SAMPLE_RATE` times a second, of every drone from its first pose on, whether it
has a pose at that instant or not: between two poses its odometry carries the last one on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.team_errors import position_rmse, team_shape_rmse
from mav_perception.types import FloatArray

DIGITS = 4
"""Tenths of a millimetre are kept."""


@dataclass(frozen=True)
class RunScore:
    """RMSE in metres over a run, of a filter and of VIO alone from the same start.

    Attributes:
        team_shape, vio_team_shape: of all drones, the team as one body aligned to the truth at
            each instant by one yaw and one translation.
        position, vio_position: of all drones in `map`, not aligned.
        drone_position, drone_vio_position: the same of each drone.
    """

    team_shape: float
    vio_team_shape: float
    position: float
    vio_position: float
    drone_position: tuple[float, ...]
    drone_vio_position: tuple[float, ...]

    def figures(self) -> dict[str, Any]:
        """Return everything rounded, for JSON."""
        return {
            key: [round(v, DIGITS) for v in value]
            if isinstance(value, tuple)
            else round(value, DIGITS)
            for key, value in asdict(self).items()
        }

    def known(self) -> RunScore:
        """Return the same without the drones that never had a pose."""
        pairs = zip(self.drone_position, self.drone_vio_position, strict=True)
        kept = [pair for pair in pairs if np.isfinite(pair[0])]
        return replace(
            self,
            drone_position=tuple(mine for mine, _ in kept),
            drone_vio_position=tuple(vio for _, vio in kept),
        )

    @classmethod
    def of(cls, figures: dict[str, Any]) -> RunScore:
        """Return a score from its figures; null in JSON is NaN here.

        Raises:
            DataError: a figure is missing.
        """

        def number(value: float | None) -> float:
            return float('nan') if value is None else float(value)

        try:
            return cls(
                team_shape=number(figures['team_shape']),
                vio_team_shape=number(figures['vio_team_shape']),
                position=number(figures['position']),
                vio_position=number(figures['vio_position']),
                drone_position=tuple(map(number, figures['drone_position'])),
                drone_vio_position=tuple(map(number, figures['drone_vio_position'])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f'A score has no figure {error}.') from error


def run_score(estimate: FloatArray, vio: FloatArray, truth: FloatArray) -> RunScore:
    """Return the errors of a run.

    Args:
        estimate: (M, N, 4) poses of the filter at M instants, NaN before a drone's first pose;
            there VIO alone does not count either.
        vio: (M, N, 4) poses by odometry alone from the start.
        truth: (M, N, 4).
    """
    vio = np.where(np.isfinite(estimate), vio, np.nan)

    def each(poses: FloatArray) -> tuple[float, ...]:
        drones = range(poses.shape[1])
        return tuple(position_rmse(poses[:, d : d + 1], truth[:, d : d + 1]) for d in drones)

    return RunScore(
        team_shape=team_shape_rmse(estimate, truth),
        vio_team_shape=team_shape_rmse(vio, truth),
        position=position_rmse(estimate, truth),
        vio_position=position_rmse(vio, truth),
        drone_position=each(estimate),
        drone_vio_position=each(vio),
    )
