"""Frames that came in: which wait, which the machine can use, and what became of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from mav_perception.localization.timing.sighting_queue import SightingQueue
from mav_perception.ros.localization.frame_fates import FrameFates
from mav_perception.ros.localization.localization_parameters import LocalizationNodeParameters
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.types import Sightings, nanoseconds

BUSY_NS = nanoseconds(0.2)
"""Frames that are ready wait for the next message once they have taken the node so long:
odometry and the heartbeat of the node must come through."""

OVERLOAD = (
    'A frame waited for too long: this machine does not keep up. Fewer sightings (min_score of '
    'the detection), frames or max_hypotheses help.'
)


class FrameIntake:
    """The queue of frames, the limits of what is taken, and the fate of every frame.

    Attributes:
        fates: of the frames of each drone, by name.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        settings: LocalizationNodeParameters,
        diagnostics: NodeDiagnostics,
    ) -> None:
        """Begin with no frame of any drone."""
        self.fates = {name: FrameFates() for name in names}
        self._queue = SightingQueue(settings.odometry_wait, settings.dropout_after)
        self._most, self._diagnostics = settings.max_sightings, diagnostics

    def heard(self, drone: str) -> None:
        """Note that odometry of a drone has just arrived."""
        self._queue.heard(drone, time.monotonic_ns())

    def add(self, sightings: Sightings) -> None:
        """Put in a frame; of a crowded one the surest sightings, since all take too long."""
        if len(sightings) > self._most:
            self._diagnostics.problem(
                f'crowd of {sightings.observer}',
                f'{len(sightings)} sightings in a frame of {sightings.observer}: only the '
                f'{self._most} of the best scores are used. If most are false the network does '
                'not fit these images; else raise max_sightings.',
            )
        self._queue.add(sightings.surest(self._most), time.monotonic_ns())

    def refuse_overdue(self) -> list[Sightings]:
        """Take out the frames that waited for too long."""
        overdue = self._queue.overdue(time.monotonic_ns())
        for sightings in overdue:
            self.fates[sightings.observer].refuse(OVERLOAD)
            self._diagnostics.problem('load', OVERLOAD)
        return overdue

    def ready(self, newest_odometry: Mapping[str, int | None]) -> Iterator[Sightings]:
        """Yield the frames that have their odometry, for `BUSY_NS`."""
        begin_ns = time.monotonic_ns()
        for sightings in self._queue.ready(newest_odometry, begin_ns):
            yield sightings
            if time.monotonic_ns() - begin_ns > BUSY_NS:
                return
