"""A live flight that is over: its summary in words and figures, and its page."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.flight.flight_associations import (
    AssociatedFrame,
    flight_association_log,
)
from mav_perception.evaluation.flight.flight_log import DroneLog, record_flight, score_flight
from mav_perception.evaluation.flight.frame_balance import FrameBalance, total_figures
from mav_perception.evaluation.metrics.run_score import RunScore
from mav_perception.evaluation.report.playback_record import independent_frames
from mav_perception.evaluation.report.run_record import Picture
from mav_perception.evaluation.report.words import two_digits
from mav_perception.io.files import write_json
from mav_perception.types import FloatArray, seconds

MOSTLY_FALSE = 0.8
"""Share of false sightings above which a model does not fit its images."""


def import_what_draws() -> None:
    """Import what `Flight.write` needs, so that it takes a second or two less."""
    with suppress(ModuleNotFoundError):  # as the page says then
        import bokeh.embed
        import bokeh.plotting  # noqa: F401


@dataclass(frozen=True)
class Flight:
    """What a monitor saw of a flight.

    Attributes:
        names: of the drones.
        logs: of each drone; without truth, as of most real flights, there is no score.
        frames: which drones the sightings of each frame were assigned to.
        latency_ms: (L,) milliseconds from image to pose.
        balances: what became of the frames of each drone.
        real_time_factor: of a simulated flight as a whole, NaN for none.
        about: where it comes from, for the header of the report.
        error_correlation: seconds over which the filter takes measurement errors to last.
        pictures: camera images with what was made of them.
    """

    names: tuple[str, ...]
    logs: list[DroneLog]
    frames: list[AssociatedFrame]
    latency_ms: FloatArray
    balances: tuple[FrameBalance, ...]
    real_time_factor: float = float('nan')
    about: dict[str, str] = field(default_factory=dict)
    error_correlation: float = 0.0
    pictures: tuple[Picture, ...] = ()

    @cached_property
    def score(self) -> RunScore | None:
        """Return the errors, None if some drone has no pose, odometry or truth."""
        return score_flight(self.logs)

    @cached_property
    def associations(self) -> AssociationLog:
        """Return NIS and confusion of the flight."""
        return flight_association_log(self.frames, self.logs)

    @property
    def beats_vio(self) -> bool | None:
        """Tell whether the shape of the team is nearer to the truth than by VIO alone.

        None without a score, or of one drone alone, which has no shape.
        """
        if self.score is None or not np.isfinite(self.score.team_shape):
            return None
        return self.score.team_shape < self.score.vio_team_shape

    @property
    def false_share(self) -> float:
        """Return the share of false ones among the sightings, NaN where nobody knows."""
        table = self.associations.confusion
        known = all(log.truth for log in self.logs) and table.sum() > 0.0
        return float(table[-1].sum() / table.sum()) if known else float('nan')

    def faults(self) -> list[str]:
        """Return what makes the flight a failure, in words; empty for a good one."""
        faults = []
        if self.beats_vio is False:
            faults.append('VIO ALONE WAS BETTER: sightings did more harm than good')
        if self.false_share > MOSTLY_FALSE:
            faults.append(
                f'{100 * self.false_share:.0f} % of all sightings are false: the model does not '
                'fit these images. Train on some of them, or raise min_score.'
            )
        if self.frames and not any(len(frame.positions) for frame in self.frames):
            faults.append(
                f'nobody was seen in {len(self.frames)} frames: the model does not fit these '
                'images, or min_score is too high.'
            )
        return faults

    @property
    def latency(self) -> tuple[float, float]:
        """Return the median and the 95 % quantile of the latency, milliseconds; NaN if none."""
        if not len(self.latency_ms):
            return float('nan'), float('nan')
        p50, p95 = np.percentile(self.latency_ms, [50, 95])
        return float(p50), float(p95)

    def figures(self) -> dict[str, Any]:
        """Return what goes into summary.json."""
        p50, p95 = self.latency
        errors = {} if self.score is None else self.score.figures()
        verdict = {} if self.score is None else {'beats_vio': self.beats_vio}
        latency = {'latency_ms_p50': round(p50, 1), 'latency_ms_p95': round(p95, 1)}
        more = {
            'false_share': round(self.false_share, 4),
            'real_time_factor': self.real_time_factor,
        }
        return errors | latency | total_figures(self.balances) | more | verdict

    def text(self) -> list[str]:
        """Return the summary for a person, line by line."""
        p50, p95 = self.latency
        late = f'median {p50:.0f} ms, 95 % {p95:.0f} ms' if len(self.latency_ms) else 'unknown'
        lines = [f'  image to pose: {late}']
        if np.isfinite(self.real_time_factor):
            lines[0] += f'; real-time factor {self.real_time_factor:.2f} in all'
        lines += [
            f'  {name:8} {balance.text()}'
            for name, balance in zip(self.names, self.balances, strict=True)
        ]
        return [*self._error_lines(), *lines, *self._verdict()]

    def _error_lines(self) -> list[str]:
        score = self.score
        if score is None:
            lacks = [n for n, log in zip(self.names, self.logs, strict=True) if not log.estimate]
            poses = f'; never localized: {", ".join(lacks)}' if lacks else ''
            return [f'no score: it needs the truth and a pose of every drone{poses}']
        pairs = zip(self.names, score.drone_position, score.drone_vio_position, strict=True)
        return [
            'RMSE of the position in map',
            *(_pair(name, mine, vio) for name, mine, vio in pairs),
            _pair('team', score.position, score.vio_position),
            'RMSE of the shape of the team, aligned to the truth as one body',
            _pair('team', score.team_shape, score.vio_team_shape),
        ]

    def _verdict(self) -> list[str]:
        faults = [f'  {fault}' for fault in self.faults()]
        return faults or (['  the team beats VIO alone'] if self.beats_vio else [])

    def write(self, folder: Path) -> list[Path]:
        """Write summary.json, tracks.png, report.html and the folder `run`; return the files."""
        # Only here: matplotlib is slow.
        from mav_perception.evaluation.report.plots import plot_flight
        from mav_perception.evaluation.report.report import write_report
        from mav_perception.evaluation.report.run_record import save_run

        folder.mkdir(parents=True, exist_ok=True)
        known = self.figures()
        files = [folder / 'summary.json']
        write_json(files[0], known)
        record = replace(
            record_flight(
                self.names, self.logs, self._title(), known, self.latency_ms, self.associations
            ),
            score=self.score,
            about=self.about,
            independent=independent_frames(self._stamps_of_cameras(), self.error_correlation),
            pictures=self.pictures,
        )
        if record.drones:
            files += [folder / 'tracks.png', folder / 'report.html']
            plot_flight(record, files[1])
            save_run(record, folder / 'run')
            write_report(record, files[2], folder=folder / 'run')
        return files

    def _stamps_of_cameras(self) -> list[list[int]]:
        stamps: dict[tuple[int, str], list[int]] = {}
        for frame in self.frames:
            stamps.setdefault((frame.observer, frame.mount.name), []).append(frame.stamp_ns)
        return list(stamps.values())

    def _title(self) -> str:
        stamps = [stamp for log in self.logs for stamp, _ in (*log.estimate, *log.odometry)]
        length = seconds(max(stamps) - min(stamps)) if stamps else 0.0
        return f'{len(self.names)} drones, {length:.0f} s'


def _pair(name: str, mine: float, vio: float) -> str:
    return f'  {name:8} filter {two_digits(mine):>6} m   VIO alone {two_digits(vio):>6} m'
