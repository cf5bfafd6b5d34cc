"""A live flight that is over: its summary in words and figures, and its page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.evaluation.flight.flight_associations import (
    AssociatedFrame,
    flight_association_log,
)
from mav_perception.evaluation.flight.flight_log import (
    DroneLog,
    FlightScore,
    record_flight,
    score_flight,
)
from mav_perception.io.files import write_text
from mav_perception.types import FloatArray, seconds


@dataclass(frozen=True)
class Flight:
    """What a monitor saw of a flight.

    Attributes:
        names: of the drones.
        logs: of each drone; without truth, as of most real flights, there is no score.
        frames: which drones the sightings of each frame were assigned to.
        latency_ms: (L,) milliseconds from image to pose.
        real_time_factor: of a simulated flight.
        counts: what else is known, such as dropped images.
    """

    names: tuple[str, ...]
    logs: list[DroneLog]
    frames: list[AssociatedFrame]
    latency_ms: FloatArray
    real_time_factor: str
    counts: dict[str, Any]

    @cached_property
    def score(self) -> FlightScore | None:
        """Return the errors, None if some drone has no pose, odometry or truth."""
        return score_flight(self.logs)

    @property
    def beats_vio(self) -> bool | None:
        """Tell whether the shape of the team is nearer to the truth than by VIO alone."""
        return None if self.score is None else self.score.team_shape < self.score.vio_team_shape

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
        speed = {'real_time_factor': self.real_time_factor}
        return errors | latency | self.counts | speed | verdict

    def text(self) -> list[str]:
        """Return the summary for a person, line by line."""
        p50, p95 = self.latency
        late = f'median {p50:.0f} ms, 95 % {p95:.0f} ms' if len(self.latency_ms) else 'unknown'
        counts = (f'{value} {name.replace("_", " ")}' for name, value in self.counts.items())
        speed = f'  image to pose: {late}; {", ".join(counts)}'
        score = self.score
        if score is None:
            lacks = [n for n, log in zip(self.names, self.logs, strict=True) if not log.estimate]
            poses = f'; never localized: {", ".join(lacks)}' if lacks else ''
            return [f'no score: it needs the truth and a pose of every drone{poses}', speed]
        rows = [
            f'  {name:8} filter {mine:.3f} m   VIO alone {vio:.3f} m'
            for name, mine, vio in zip(
                self.names, score.drone_position, score.drone_vio_position, strict=True
            )
        ]
        return [
            'summary: RMSE in map',
            *rows,
            f'  team     filter {score.position:.3f} m   VIO alone {score.vio_position:.3f} m',
            f'  shape    filter {score.team_shape:.3f} m   VIO alone {score.vio_team_shape:.3f} m',
            speed,
            f'  {"the team beats VIO alone" if self.beats_vio else "VIO ALONE WAS BETTER"}',
        ]

    def write(self, folder: Path) -> list[Path]:
        """Write summary.json, tracks.png, report.html and the folder `run`; return the files."""
        # Only here: matplotlib is slow.
        from mav_perception.evaluation.report.plots import plot_flight
        from mav_perception.evaluation.report.report import write_report
        from mav_perception.evaluation.report.run_record import save_run, without_nan

        folder.mkdir(parents=True, exist_ok=True)
        known = without_nan(self.figures())
        files = [folder / 'summary.json']
        write_text(files[0], json.dumps(known, indent=2) + '\n')
        associations = flight_association_log(self.frames, self.logs)
        record = record_flight(
            self.names, self.logs, self._title(), known, self.latency_ms, associations
        )
        if record.drones:
            files += [folder / 'tracks.png', folder / 'report.html']
            plot_flight(record, files[1])
            save_run(record, folder / 'run')
            write_report(record, files[2])
        return files

    def _title(self) -> str:
        stamps = [stamp for log in self.logs for stamp, _ in (*log.estimate, *log.odometry)]
        length = seconds(max(stamps) - min(stamps)) if stamps else 0.0
        return f'{len(self.names)} drones, {length:.0f} s'
