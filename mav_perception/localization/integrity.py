"""Integrity: whether another explanation fits what the team sees better than the filter's own.

After a wrong association a filter explains the next frames by its own error, and nothing in it
tells. A second filter leaves out the sightings of `RESTING` seconds and moves by odometry alone:
it is free of an error that was made meanwhile. From then on both use the same frames, and their
evidence is compared. GNSS receivers guard their fix so, by solution separation: each of a few
sub-filters leaves out measurements (Blanch et al. 2012, 'Advanced RAIM user algorithm
description').

While one second filter runs, the next one rests, so that one is resting whenever an error is made.
If odometry has led it to the same poses, it is dropped at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError
from mav_perception.geometry import wrap_angle
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import BoolArray, FloatArray, nanoseconds

RESTING = 6.0
"""Seconds of sightings that a second filter leaves out."""

LONGEST = 30.0
"""Seconds after which a second filter that could not be decided against is given up."""

WITHHOLD_ODDS, SWITCH_ODDS = 5.0, 12.0
"""Log odds for the second filter above which poses are withheld, and above which it takes over."""

DISAGREEMENT = 2.0
"""Standard deviations by which two poses of a drone must differ for them to disagree."""


@dataclass
class SecondFilter:
    """A filter that left out the sightings of some time, and what speaks for it since.

    Attributes:
        joint_filter: on the same odometry.
        since_ns: when it began to rest, and then to run.
        log_odds: that its explanation is right now, not the first one's: the sum of the evidence
            since that was lowest (CUSUM, Page 1954), so that what was before a mistake of the
            first filter does not hide it.
        log_odds_against: the same of the first one's.
    """

    joint_filter: CoupledPdaFilter
    since_ns: int
    log_odds: float = 0.0
    log_odds_against: float = 0.0

    def wake(self, stamp_ns: int) -> None:
        """Move on by odometry alone: sightings count from here."""
        self.joint_filter.replace_state(self.joint_filter.state_at(stamp_ns))
        self.since_ns = stamp_ns

    def weigh(self, report: UpdateReport) -> None:
        """Use the frame that the first filter has used; as far as it is new it tells who is right.

        Raises:
            InputError: it cannot use the frame.
        """
        own = self.joint_filter.update(report.sightings)
        gain = report.new_evidence * (own.log_evidence - report.log_evidence)
        self.log_odds = max(self.log_odds + gain, 0.0)
        self.log_odds_against = max(self.log_odds_against - gain, 0.0)


@dataclass(frozen=True)
class Correction:
    """A better explanation than that of the filter.

    Attributes:
        state: what the second filter makes of it.
        moved: (N,) by how many metres it puts each drone elsewhere.
        log_odds: that it is right.
    """

    state: JointState
    moved: FloatArray
    log_odds: float


class IntegrityMonitor:
    """Watches over a joint filter by filters that leave out sightings."""

    def __init__(self, drones: int) -> None:
        """Begin to watch over a team of N drones with its next frame.

        Attributes:
            doubtful: (N,) drones that a likelier explanation puts elsewhere.
        """
        self.doubtful: BoolArray = np.zeros(drones, bool)
        self._resting: SecondFilter | None = None
        self._running: SecondFilter | None = None

    def begin_again(self) -> None:
        """Forget the second filters, when a drone was put into the first one or taken out."""
        self.doubtful = np.zeros(len(self.doubtful), bool)
        self._resting = self._running = None

    def odometry_changed(self, after_ns: int) -> None:
        """Tell the second filters of late odometry, see `CoupledPdaFilter.odometry_changed`."""
        for second in filter(None, (self._resting, self._running)):
            second.joint_filter.odometry_changed(after_ns)

    def retune(self, parameters: FilterParameters) -> None:
        """Go on with other parameters."""
        for second in filter(None, (self._resting, self._running)):
            second.joint_filter.parameters = parameters

    def watch(self, first: CoupledPdaFilter, report: UpdateReport) -> Correction | None:
        """Weigh a frame that the filter has used; return a better explanation if there is one.

        Args:
            first: the filter that is watched.
            report: of its update with the frame.
        """
        now_ns = first.require_state().stamp_ns
        if self._running and self._running.since_ns <= report.sightings.stamp_ns:
            self._weigh(self._running, report)
        correction = self._judge(first, now_ns)
        if correction is not None:
            self._resting = None
        elif self._resting is None:
            self._resting = SecondFilter(first.branch(), now_ns)
        elif now_ns - self._resting.since_ns >= nanoseconds(RESTING) and self._settled(
            first, now_ns
        ):
            self._running, self._resting = self._resting, None
            self._running.wake(now_ns)
            if self._settled(first, now_ns):
                self._running = None  # odometry agrees with what was seen: nothing to decide
        return correction

    def _weigh(self, running: SecondFilter, report: UpdateReport) -> None:
        try:
            running.weigh(report)
        except InputError:
            self._running = None

    def _judge(self, first: CoupledPdaFilter, now_ns: int) -> Correction | None:
        """Decide for one of the two explanations if the evidence is clear; else note the doubt."""
        running = self._running
        self.doubtful = np.zeros(len(self.doubtful), bool)
        if running is None or running.log_odds_against > SWITCH_ODDS:
            self._running = None
        elif running.log_odds > WITHHOLD_ODDS:
            moved, apart = separation(first, running.joint_filter, now_ns)
            if running.log_odds < SWITCH_ODDS:
                self.doubtful = apart
            else:
                self._running = None
                if apart.any():  # else both have the same poses, and the first is overconfident
                    state = running.joint_filter.require_state()
                    return Correction(state, moved, running.log_odds)
        return None

    def _settled(self, first: CoupledPdaFilter, now_ns: int) -> bool:
        """Tell whether nothing is in dispute: both agree, or have disagreed for too long."""
        running = self._running
        if running is None or now_ns - running.since_ns > nanoseconds(LONGEST):
            return True
        return not separation(first, running.joint_filter, now_ns)[1].any()


def separation(
    first: CoupledPdaFilter, second: CoupledPdaFilter, stamp_ns: int
) -> tuple[FloatArray, BoolArray]:
    """Return (N,) metres between the poses of each drone, and whether place or yaw disagree.

    Args:
        first: a filter.
        second: another of the same team.
        stamp_ns: when.
    """
    one, other = first.state_at(stamp_ns), second.state_at(stamp_ns)
    delta = one.team.mean - other.team.mean
    metres, turn = np.linalg.norm(delta[:, :3], axis=1), np.abs(wrap_angle(delta[:, 3]))
    variance = one.team.variances + other.team.variances
    far = metres > DISAGREEMENT * np.sqrt(variance[:, :3].sum(axis=1))
    far |= turn > DISAGREEMENT * np.sqrt(variance[:, 3])
    both = one.active & other.active
    return np.where(both, metres, 0.0), both & far
