"""The team as a whole: start-up, joint filter, drones that are lost and found again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.initialization.search import InitializedDrone, PoseInitializer
from mav_perception.localization.measurement.observation import check_sightings
from mav_perception.localization.odometry.history import LONGEST_BREAK, ROLL_PITCH
from mav_perception.localization.parameters import FilterParameters, check_retunable
from mav_perception.localization.state import with_drone, without_drone
from mav_perception.localization.update.scan import CameraScan
from mav_perception.localization.update.update import UpdateReport
from mav_perception.types import (
    BoolArray,
    IntArray,
    Notice,
    OdometrySample,
    Sightings,
    nanoseconds,
    seconds,
)

LOST_EVIDENCE = -15.0
"""Log odds of being where the filter has it, below which a drone is lost."""

MOST_EVIDENCE = 4.0
"""What a drone can save up for bad times: it bounds how long a lost one goes unnoticed."""

OBSERVER_SHARE = 0.3
"""Part of the evidence on a candidate that tells of the observer: its camera may be blind."""

LOOK_TIME = 2.0
"""Misses of one observer within so many seconds have one cause and count as one look."""

UNSEEN = 15.0
"""A drone that nobody saw for so many seconds, nor saw anybody, may be elsewhere."""

UNHURRIED = 5.0
"""So much less often it is searched for than one without a place."""

LONGEST_SILENCE = 2.0
"""A drone without odometry for longer, seconds, is not published; back, it has to be seen."""

FOUND_SIGMA = 0.5
"""After its VIO restarted a drone counts as found again once it is known to this, metres."""


@dataclass(frozen=True)
class DroneStatus:
    """What is known of a drone's place.

    Attributes:
        placed: its pose may be published.
        text: what is missing if it is not placed, for a person.
    """

    placed: bool
    text: str


class TeamLocalizer:
    """Localize a team whose start may be unknown, and keep doing so when drones drop out.

    Drones with a known start go into the joint filter with their first odometry; all others, and
    those that got lost, are searched for and join once there is no doubt.
    """

    def __init__(self, joint_filter: CoupledPdaFilter, resumed_ns: int | None = None) -> None:
        """Look after a joint filter; its parameters tell whether lost drones are searched for.

        A filter that was resumed was not there since `resumed_ns`: no VIO fell silent then.
        """
        self.filter, self._resumed_ns = joint_filter, resumed_ns
        self.team, self.parameters = joint_filter.team, joint_filter.parameters
        self._startup = PoseInitializer(self.parameters)
        self._next_search_ns = 0
        self._doubts: dict[int, str] = {}
        self._restarted: set[int] = set()
        self._evidence = np.zeros(len(self.team.names))
        self._last_frame = np.zeros(self.team.camera_count)
        self._last_seen = np.full(len(self.team.names), np.inf)

    def retune(self, parameters: FilterParameters) -> None:
        """Go on with other parameters from the next frame on.

        Raises:
            ConfigurationError: one of them shapes the memory of the filter and cannot change.
        """
        check_retunable(self.parameters, parameters)
        self.parameters = parameters
        self._startup.parameters = parameters
        self.filter.retune(parameters)

    def add_odometry(self, drone: str, sample: OdometrySample) -> Notice | None:
        """Remember a VIO output; see `CoupledPdaFilter.add_odometry`."""
        index = self.team.index(drone)
        silent = self.filter.odometry.silent_for(index, sample.stamp_ns)
        if self.filter.odometry.newest_ns(index) == self._resumed_ns:
            silent = 0.0
        notice = self.filter.add_odometry(drone, sample)
        if notice is not None or LONGEST_SILENCE < silent < np.inf:
            self._restarted.add(index)
        return notice

    def update(
        self, sightings: Sightings, labels: IntArray | None = None
    ) -> tuple[UpdateReport | None, list[Notice]]:
        """Use one camera frame.

        Returns:
            the report of the joint filter, None while the observer's place is unknown, and
            notices of drones found or lost.

        Raises:
            InputError, ConfigurationError: the frame is refused and nothing has changed.
        """
        observer = self.team.index(sightings.observer)
        camera, _ = self.team.camera(sightings.observer, sightings.camera)
        check_sightings(sightings)
        state = self.filter.started()
        self.filter.odometry.check_current(observer, sightings)
        report = None
        heard = state.active[observer] or state.pending[observer]
        if heard and self._company(observer, sightings.stamp_ns):
            report = self.filter.update(sightings, labels)
        if not self.parameters.recover:
            return report, []
        self._remember(observer, sightings)
        notices = self._withdraw_lost(report, observer, camera) if report else []
        return report, notices + self._search(sightings.stamp_ns)

    @property
    def placed(self) -> BoolArray:
        """Return (N,) whose pose is certain enough to be published."""
        if self.filter.state is None:
            return np.zeros(len(self.team.names), bool)
        # With a known start and odometry a drone is in the filter with the next frame.
        begun = np.array([h.first_row is not None for h in self.filter.odometry.histories])
        placed = self.filter.state.active | (self.filter.state.pending & begun)
        placed[list(self._restarted)] = False
        placed &= ~self._silent(self.filter.state.stamp_ns)
        return placed

    def status(self) -> tuple[DroneStatus, ...]:
        """Return what is known of every drone, in team order."""
        result = []
        for drone, placed in enumerate(self.placed):
            text = 'placed' if placed else self._doubts.get(drone, 'waiting for sightings')
            if self.filter.odometry.newest_ns(drone) is None:
                text = 'no odometry yet'
            elif drone in self._restarted:
                text = 'its VIO restarted and nobody has seen it since'
            result.append(DroneStatus(bool(placed), text))
        return tuple(result)

    def _silent(self, stamp_ns: int) -> BoolArray:
        """Return (N,) who has sent no odometry for long."""
        odometry = self.filter.odometry
        count = len(self.team.names)
        return np.array([odometry.silent_for(d, stamp_ns) > LONGEST_SILENCE for d in range(count)])

    def _company(self, observer: int, stamp_ns: int) -> bool:
        """Tell whether anybody else has odometry: cut off from all, names would be guessed."""
        silent = self.filter.odometry.silent_for
        others = (d for d in range(len(self.team.names)) if d != observer)
        return any(silent(d, stamp_ns) <= LONGEST_BREAK for d in others)

    def _remember(self, observer: int, sightings: Sightings) -> None:
        row = self.filter.odometry.histories[observer].at(sightings.stamp_ns)
        camera, mount = self.team.camera(sightings.observer, sightings.camera)
        frame = CameraScan(sightings, observer, row[ROLL_PITCH], mount, camera)
        rate = self.filter.started().rates.clutter_per_frame(camera, self.parameters)
        self._startup.add(frame, max(rate, self.parameters.clutter_per_frame))

    def _withdraw_lost(self, report: UpdateReport, observer: int, camera: int) -> list[Notice]:
        """Weigh hits and misses of every candidate, and take out whom the frames deny."""
        state = self.filter.started()
        now = seconds(report.stamp_ns)
        share = float(np.clip((now - self._last_frame[camera]) / LOOK_TIME, 0.0, 1.0))
        self._last_frame[camera] = now
        drones = report.candidates < state.drones
        seen = report.candidates[drones & (report.marginal[:, -1] < 0.5)]
        if len(seen):
            self._last_seen[[*seen, observer]] = now
        self._last_seen = np.where(np.isinf(self._last_seen), now, self._last_seen)
        evidence = report.evidence[drones]
        evidence = np.where(evidence < 0.0, share, 1.0) * evidence
        self._evidence[report.candidates[drones]] += evidence
        # It may as well be the observer that is not where the filter has it.
        self._evidence[observer] += OBSERVER_SHARE * evidence.sum()
        self._evidence = np.minimum(self._evidence, MOST_EVIDENCE)
        variances = np.diag(state.team.covariance).reshape(-1, 4)[:, :3].max(axis=1)
        self._restarted = {d for d in self._restarted if variances[d] > FOUND_SIGMA**2}
        self._evidence[self._silent(report.stamp_ns)] = 0.0
        lost = np.flatnonzero((self._evidence < LOST_EVIDENCE) & state.active)
        # The first drone is the frame itself: it is where it is, the others are lost from it.
        return [self._lose(int(drone)) for drone in lost if drone != 0]

    def _lose(self, drone: int) -> Notice:
        self.filter.change(without_drone(self.filter.started(), drone))
        self._evidence[drone] = 0.0
        return Notice(
            'drone_lost',
            f'{self.team.names[drone]} is not where the filter has it: those who should see it do '
            'not. Its pose is withdrawn until it is found again.',
        )

    def _search(self, stamp_ns: int) -> list[Notice]:
        """Look for whom nobody can place, and at times for placed ones that nobody sees."""
        state = self.filter.started()
        unseen = state.active & (seconds(stamp_ns) - self._last_seen > UNSEEN)
        unseen[0] = False
        missing = not (state.active | state.pending).all()
        if stamp_ns < self._next_search_ns or not (missing or unseen.any()):
            return []
        pause = self.parameters.start_interval * (1.0 if missing else UNHURRIED)
        self._next_search_ns = stamp_ns + nanoseconds(pause)
        now = self.filter.propagated(stamp_ns)
        reference = replace(now, active=now.active & ~unseen)
        result = self._startup.search(reference, self.filter.odometry)
        self._doubts = {doubt.drone: doubt.text for doubt in result.doubts}
        notices = []
        for found in result.found:
            if unseen[found.drone] and found.agrees(now.team.mean[found.drone]):
                self._last_seen[found.drone] = seconds(stamp_ns)
                continue
            if unseen[found.drone]:
                notices.append(self._lose(found.drone))
            notices.append(self._place(found, stamp_ns))
        return notices

    def _place(self, found: InitializedDrone, stamp_ns: int) -> Notice:
        row = self.filter.odometry.histories[found.drone].at(stamp_ns)
        state = self.filter.propagated(stamp_ns)
        self.filter.change(with_drone(state, found.drone, found.pose, found.covariance, row))
        self._evidence[found.drone] = 0.0
        self._last_seen[found.drone] = seconds(stamp_ns)
        self._restarted.discard(found.drone)
        x, y, z, yaw = (float(v) for v in found.pose)
        return Notice(
            'drone_found',
            f'{self.team.names[found.drone]} is at {x:.2f}, {y:.2f}, {z:.2f} m, yaw '
            f'{np.degrees(yaw):.0f} degrees (log odds {found.margin:.0f}).',
            {'drone': found.drone, 'margin': found.margin},
        )
