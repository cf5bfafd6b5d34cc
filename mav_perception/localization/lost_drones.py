"""Lost drones: who is not where the filter has it, by the hits and misses of the others."""

from __future__ import annotations

import numpy as np

from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import NEVER_NS, BoolArray, IntArray, nanoseconds

LOST_EVIDENCE = -15.0
"""Log odds of being where the filter has it, below which a drone is lost."""

MAX_EVIDENCE = 4.0
"""Upper bound of the log odds that are summed up: it bounds how long a lost one goes unnoticed."""

OBSERVER_SHARE = 0.3
"""Part of the evidence on a candidate that tells of the observer: its camera may be blind."""

UNSEEN_TIMEOUT = 15.0
"""A drone that nobody saw for so many seconds, nor saw anybody, may be elsewhere."""


class LostDroneDetector:
    """Sums up, for every drone, the log odds that it is where the filter has it."""

    def __init__(self, drones: int) -> None:
        """Begin without doubt about any of the drones of a team."""
        self._evidence = np.zeros(drones)
        self._last_seen_ns = np.full(drones, NEVER_NS, np.int64)

    def weigh(self, report: UpdateReport, observer: int) -> None:
        """Weigh hits and misses of every candidate of a scan.

        Args:
            report: of the update with the scan.
            observer: index of the drone with the camera.
        """
        now_ns, drones = report.sightings.stamp_ns, len(self._evidence)
        is_drone = report.candidates < drones
        seen = report.candidates[is_drone & (report.marginal[:, -1] < 0.5)]
        if len(seen):
            self._last_seen_ns[[*seen, observer]] = now_ns
        self._last_seen_ns[self._last_seen_ns == NEVER_NS] = now_ns
        # log p(scan | there) / p(scan | not there).
        missed = np.clip(report.marginal[is_drone, -1], 1e-300, 1.0)
        chance = np.minimum(report.detection_probability[is_drone], 0.9999)
        evidence = np.log1p(-chance) - np.log(missed)
        self._evidence[report.candidates[is_drone]] += evidence
        # It may as well be the observer that is not where the filter has it.
        self._evidence[observer] += OBSERVER_SHARE * evidence.sum()
        self._evidence = np.minimum(self._evidence, MAX_EVIDENCE)

    def excuse(self, silent: BoolArray) -> None:
        """Hold nothing against the drones (N,) that send no odometry."""
        self._evidence[silent] = 0.0

    def lost(self, active: BoolArray) -> IntArray:
        """Return which of the active drones (N,) are not where the filter has them.

        The first drone defines `map` and is never lost: the others are, relative to it.
        """
        lost = np.flatnonzero((self._evidence < LOST_EVIDENCE) & active)
        return lost[lost != 0]

    def unseen(self, active: BoolArray, stamp_ns: int) -> BoolArray:
        """Return (N,) which active drones nobody has seen, nor were they seen, for long."""
        silent = stamp_ns - self._last_seen_ns > nanoseconds(UNSEEN_TIMEOUT)
        unseen = active & silent & (self._last_seen_ns != NEVER_NS)
        unseen[0] = False
        return unseen

    def confirm(self, drone: int, stamp_ns: int) -> None:
        """Note that a drone is where the filter has it, as the search found."""
        self._last_seen_ns[drone] = stamp_ns

    def forget(self, drone: int) -> None:
        """Begin anew with a drone that was taken out or put in."""
        self._evidence[drone] = 0.0
