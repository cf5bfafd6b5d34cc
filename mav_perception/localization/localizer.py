"""The team as a whole: initialization, joint filter, drones that are lost and found again."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.initialization.acceptance import beats_filter
from mav_perception.localization.initialization.frame_buffer import buffer_scan
from mav_perception.localization.initialization.pose_initializer import PoseInitializer
from mav_perception.localization.initialization.search import (
    InitializedDrone,
    SearchResult,
    SearchTask,
)
from mav_perception.localization.initialization.start_prior import too_vague
from mav_perception.localization.integrity import IntegrityMonitor
from mav_perception.localization.joining import with_drone, without_drone
from mav_perception.localization.lost_drones import LostDroneDetector
from mav_perception.localization.measurement.camera_scan import CameraScan, check_sightings
from mav_perception.localization.notices import correction_notice, found_notice, lost_notice
from mav_perception.localization.odometry.jumps import MAX_BREAK
from mav_perception.localization.parameters import FilterParameters, check_retunable
from mav_perception.localization.prediction.motion import moved_by_odometry
from mav_perception.localization.prediction.restarts import LONG_SILENCE
from mav_perception.localization.queries import DronePose, DroneStatus, FilterQueries
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import BoolArray, Notice, OdometrySample, Sightings


class TeamLocalizer(FilterQueries):
    """Localize a team whose start may be unknown, and keep doing so when drones drop out.

    Drones with a known start go into the joint filter with their first odometry. All others, those
    with a vague start and those that got lost are searched for and join once the evidence is
    unambiguous.
    """

    def __init__(self, joint_filter: CoupledPdaFilter, resumed_ns: int | None = None) -> None:
        """Look after a joint filter; its parameters tell whether lost drones are searched for.

        A filter that was resumed was not there since `resumed_ns`: no VIO fell silent then.
        """
        super().__init__(joint_filter)
        self._resumed_ns, team = resumed_ns, joint_filter.team
        self._initializer = PoseInitializer(team)
        self._lost = LostDroneDetector(len(team.names))
        self._monitor = IntegrityMonitor(len(team.names))
        self._missing: dict[int, str] = {}
        self._restarted: dict[int, int] = {}

    def search_beside(self, executor: Executor) -> None:
        """Search in an executor from now on, not while a frame waits; a replay does without."""
        self._initializer.executor = executor

    def retune(self, parameters: FilterParameters) -> None:
        """Go on with other parameters from the next frame on; the past stays as it was.

        Raises:
            ConfigurationError: one of them shapes the memory of the filter and cannot change.
        """
        check_retunable(self.parameters, parameters)
        self.filter.parameters = parameters
        self._monitor.retune(parameters)

    def add_odometry(self, drone: str, sample: OdometrySample) -> Notice | None:
        """Remember a VIO output; see `CoupledPdaFilter.add_odometry`."""
        index = self.team.index(drone)
        silent = self.filter.odometry.silent_for(index, sample.stamp_ns)
        if self.filter.odometry.newest_ns(index) == self._resumed_ns:
            silent = 0.0
        begins = self.filter.stamp_ns is None
        insertion = self.filter.add_odometry(drone, sample)
        if begins and self.filter.state is not None and self.parameters.recover:
            started = self._initializer.without_vague_starts(self.filter.state)
            self.filter.replace_state(started)
        self._monitor.odometry_changed(insertion.changed_after_ns)
        notice = insertion.notice
        if notice is not None or LONG_SILENCE < silent < np.inf:
            self._restarted[index] = sample.stamp_ns
        return notice

    def update(self, sightings: Sightings) -> tuple[UpdateReport | None, list[Notice]]:
        """Use one camera frame.

        Returns:
            the report of the joint filter, None while the observer's pose is unknown, and
            notices of drones found or lost.

        Raises:
            InputError, ConfigurationError: the frame is refused and nothing has changed.
        """
        observer = self.team.index(sightings.observer)
        check_sightings(sightings)
        state = self.filter.require_state()
        self.filter.odometry.check_current(observer, sightings)
        scan = self._scan(sightings)
        report = None
        known = state.active[observer] or state.pending[observer]
        if known and self._others_have_odometry(observer, sightings.stamp_ns):
            report = self.filter.update(sightings)
            self._readmit_restarted()
        if not self.parameters.recover:
            return report, []
        self._buffer(scan)
        notices = (self._correct(report) or self._withdraw_lost(report, scan)) if report else []
        return report, notices + self._search(sightings.stamp_ns)

    @property
    def localized(self) -> BoolArray:
        """Return (N,) whose pose is certain enough to be published."""
        if self.filter.state is None:
            return np.zeros(len(self.team.names), bool)
        # With a known start and odometry a drone is in the filter with the next frame.
        begun = np.array([h.first_row is not None for h in self.filter.odometry.histories])
        localized = self.filter.state.active | (self.filter.state.pending & begun)
        localized[list(self._restarted)] = False
        silent = self.filter.odometry.silent(self.filter.state.stamp_ns, LONG_SILENCE)
        return localized & ~silent & ~self._monitor.doubtful

    def status(self) -> tuple[DroneStatus, ...]:
        """Return what is known of every drone, in team order."""
        return tuple(
            DroneStatus(bool(localized), 'localized' if localized else self._reason(drone))
            for drone, localized in enumerate(self.localized)
        )

    def _reason(self, drone: int) -> str:
        """Return why a drone is not localized: the first cause along the chain."""
        odometry, state = self.filter.odometry, self.filter.state
        if odometry.newest_ns(drone) is None:
            return 'no odometry yet'
        if state is not None and odometry.silent_for(drone, state.stamp_ns) > LONG_SILENCE:
            return 'its odometry has stopped: check its VIO and the link to it'
        if self._monitor.doubtful[drone]:
            return 'another pose explains the sightings better: it is withheld until that is clear'
        if drone in self._restarted and state is not None and state.active[drone]:
            return 'its VIO restarted or was silent; it has met nobody since, or is unsure'
        return self._missing.get(drone, 'waiting for sightings')

    def pose(self, drone: int, stamp_ns: int) -> DronePose | None:
        """Return where a drone is at a stamp, None while it is not localized."""
        if not self.localized[drone]:
            return None
        state = self.filter.predict(stamp_ns)
        row = self.filter.odometry.histories[drone].at(stamp_ns)
        return DronePose(stamp_ns, state.mean[drone], state.block(drone), row)

    def _others_have_odometry(self, observer: int, stamp_ns: int) -> bool:
        """Tell whether any other drone has odometry: else identities could only be guessed."""
        return not np.delete(self.filter.odometry.silent(stamp_ns, MAX_BREAK), observer).all()

    def _buffer(self, scan: CameraScan) -> None:
        """Keep a scan for the search, whether its observer is localized or not."""
        state, parameters = self.filter.require_state(), self.parameters
        if state.stamp_ns < scan.sightings.stamp_ns:  # it did not go through the filter
            state = self.filter.state_at(scan.sightings.stamp_ns)
        rate = state.rates.clutter_per_frame(scan.camera, parameters)
        clutter = max(rate, parameters.clutter_per_frame)
        buffered = buffer_scan(scan, clutter, state, parameters)
        self._initializer.add(buffered, parameters.start_window)

    def _readmit_restarted(self) -> None:
        """Publish drones again that were silent, once they met another and are certain."""
        state = self.filter.require_state()
        vague = too_vague(np.sqrt(state.team.variances))
        for drone, since_ns in list(self._restarted.items()):
            if not vague[drone] and state.last_met_ns[drone] >= since_ns:
                del self._restarted[drone]

    def _correct(self, report: UpdateReport) -> list[Notice]:
        """Go over to another explanation if it is clearly better than the filter's own."""
        better = self._monitor.watch(self.filter, report)
        if better is None:
            return []
        self.filter.replace_state(better.state)
        for drone in range(len(self.team.names)):
            self._lost.forget(drone)
        return [correction_notice(self.team.names, better)]

    def _withdraw_lost(self, report: UpdateReport, scan: CameraScan) -> list[Notice]:
        """Weigh what a scan tells of every candidate, and take out whom the scans deny."""
        self._lost.weigh(report, scan.observer)
        self._lost.excuse(self.filter.odometry.silent(scan.sightings.stamp_ns, LONG_SILENCE))
        lost = self._lost.lost(self.filter.require_state().active)
        return [self._lose(int(drone)) for drone in lost]

    def _lose(self, drone: int) -> Notice:
        self.filter.replace_state(without_drone(self.filter.require_state(), drone))
        self._monitor.begin_again()  # its other explanations know this drone
        self._lost.forget(drone)
        return lost_notice(self.team.names[drone])

    def _search(self, stamp_ns: int) -> list[Notice]:
        """Search for drones without a pose, and at times for localized ones that nobody sees."""
        state = self.filter.require_state()
        unseen = self._lost.unseen(state.active, stamp_ns)
        missing = not (state.active | state.pending).all()
        due = self._initializer.is_due
        if (missing or unseen.any()) and due(stamp_ns, missing, self.parameters):
            now = self.filter.state_at(stamp_ns)
            reference = replace(now, active=now.active & ~unseen)
            self._initializer.start(reference, self.filter.odometry, self.parameters)
        done = self._initializer.finished()
        return self._use(*done, stamp_ns) if done else []

    def _use(self, task: SearchTask, result: SearchResult, stamp_ns: int) -> list[Notice]:
        """Put in whom a search found, moved by what odometry told since."""
        self._missing = {drone.drone: drone.text for drone in result.not_initialized}
        notices = []
        for then in result.initialized:
            drone, history = then.drone, self.filter.odometry.histories[then.drone]
            state = self.filter.require_state()
            active, unseen = state.active[drone], self._lost.unseen(state.active, stamp_ns)[drone]
            if history.unbroken_since_ns > task.stamp_ns or (active and not unseen):
                continue  # what was found holds no longer
            row = history.at(stamp_ns)
            # Its ties to the others stay those of then: a search takes a second at most.
            found = replace(then, pose=moved_by_odometry(then.pose, task.rows[drone], row))
            now = self.filter.state_at(stamp_ns).team
            if active and found.agrees(now.mean[drone]):
                self._lost.confirm(drone, stamp_ns)
                continue
            if active:
                if not beats_filter(found, now, self.parameters.start_margin):
                    continue
                notices.append(self._lose(drone))
            notices.append(self._initialize(found, stamp_ns))
        return notices

    def _initialize(self, found: InitializedDrone, stamp_ns: int) -> Notice:
        """Put a drone that was found into the joint filter."""
        row = self.filter.odometry.histories[found.drone].at(stamp_ns)
        state = self.filter.state_at(stamp_ns)
        self.filter.replace_state(
            with_drone(state, found.drone, found.pose, found.covariance, row, found.dependence)
        )
        self._monitor.begin_again()
        self._lost.forget(found.drone)
        self._lost.confirm(found.drone, stamp_ns)
        self._initializer.found(found.drone)
        self._restarted.pop(found.drone, None)
        return found_notice(self.team.names[found.drone], found)
