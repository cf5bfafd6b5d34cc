"""The joint filter: coupled probabilistic data association over the poses of the whole team."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.errors import InputError
from mav_perception.localization.association.events import Associate, joint_association_events
from mav_perception.localization.measurement.observation import check_sightings
from mav_perception.localization.odometry.history import ROLL_PITCH
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import anchor_again, mark_corrected, propagate
from mav_perception.localization.state import JointState, initial_state, join_started
from mav_perception.localization.team.team import Team
from mav_perception.localization.timing.rollback import PastFrame, Timeline
from mav_perception.localization.update.scan import CameraScan
from mav_perception.localization.update.update import UpdateReport, update_state
from mav_perception.types import (
    IntArray,
    Notice,
    OdometrySample,
    Sightings,
    TeamState,
)


class CoupledPdaFilter:
    """Localize a team from nameless sightings and odometry, the start roughly known.

    Call `add_odometry` for every VIO output, `update` for every camera frame and `predict` when
    poses are wanted; messages may come late and in any order inside `late_window`. The coupled
    update is that of Blom & Bloem 2000; its use on teams of drones that see each other is that of
    Nguyen et al. (arXiv 1909.08200). The equations are in `motion`, `observation`, `association`,
    `mixture` and `hypotheses`, in the order in which a frame passes them.
    """

    def __init__(
        self,
        team: Team,
        parameters: FilterParameters,
        associate: Associate = joint_association_events,
    ) -> None:
        """Start at the team's known poses; `associate` swaps in a rival association."""
        self.team, self.parameters, self._associate = team, parameters, associate
        self.odometry = TeamOdometry(len(team.names), parameters)
        self._timeline = Timeline(parameters.late_window)
        self.state: JointState | None = None

    @property
    def stamp_ns(self) -> int | None:
        """Return the time of the joint state, or None before the first drone has sent odometry."""
        return None if self.state is None else self.state.stamp_ns

    def add_odometry(self, drone: str, sample: OdometrySample) -> Notice | None:
        """Remember a VIO output; the state moves only when a frame needs it.

        Raises:
            InputError, ConfigurationError: the sample is refused and nothing has changed.
        """
        insertion = self.odometry.add(self.team.index(drone), sample)
        if self.state is None:
            self._start(sample.stamp_ns)
        elif insertion.changed_after_ns < self.state.stamp_ns:
            self._repeat((insertion.changed_after_ns + 1, '', ''))
        return insertion.notice

    def retune(self, parameters: FilterParameters) -> None:
        """Go on with other parameters; what they say of the past stays as it was."""
        self.parameters = parameters
        for history in self.odometry.histories:
            history.parameters = parameters

    def predict(self, stamp_ns: int) -> TeamState:
        """Return the joint state at a stamp; the filter itself does not move.

        Nobody knows how far a drone has turned since its last odometry. The next will tell, so
        the filter keeps its yaw, but whoever asks before that must hear of the doubt.
        """
        team = self.propagated(stamp_ns).team
        doubt = self.odometry.unknown_turns(stamp_ns, self.parameters)
        covariance = team.covariance + np.diag(np.kron(doubt, [0.0, 0.0, 0.0, 1.0]))
        return replace(team, covariance=covariance)

    def update(self, sightings: Sightings, labels: IntArray | None = None) -> UpdateReport:
        """Use one camera frame, an empty one too: seeing nobody is evidence.

        Args:
            sightings: what the observer saw.
            labels: (m,) true identities, only for the labelled rival.

        Raises:
            InputError, ConfigurationError: the frame is refused and the state is unchanged.
        """
        self.team.camera(sightings.observer, sightings.camera)
        check_sightings(sightings)
        self._timeline.check(sightings, self.started().stamp_ns)
        report = self._repeat(sightings.key, sightings, labels)
        assert report is not None
        return report

    def propagated(self, stamp_ns: int) -> JointState:
        """Return the whole joint state at a stamp; the filter itself does not move."""
        return self._propagated(self.started(), stamp_ns)

    def change(self, state: JointState) -> None:
        """Go on from another state: a drone was put in or taken out."""
        self._timeline.clear()
        self.state = state

    def started(self) -> JointState:
        """Return the joint state, or raise InputError that says who is missing."""
        if self.state is None:
            raise InputError(
                f'No joint state yet: waiting for the odometry of {self.team.names[0]}.'
            )
        return self.state

    def _start(self, stamp_ns: int) -> None:
        """Begin with the first drone, which fixes `map`; the others join as they come."""
        if self.odometry.newest_ns(0) is not None:
            start = initial_state(
                stamp_ns, self.team.start, self.team.start_sigma, self.team.camera_count
            )
            self.state = self._propagated(start, stamp_ns)

    def _repeat(
        self,
        key: tuple[int, str, str],
        sightings: Sightings | None = None,
        labels: IntArray | None = None,
    ) -> UpdateReport | None:
        """Go back to a key of the timeline, put a frame in, and do all later frames again."""
        before, later = self._timeline.rewind(key)
        state = before or self.started()
        frames = [(past.sightings, past.labels) for past in later]
        if sightings is not None:
            frames.insert(0, (sightings, labels))
        done, reports = [], []
        for past_sightings, past_labels in frames:
            after, report = self._step(state, past_sightings, past_labels)
            done.append(PastFrame(past_sightings, past_labels, state))
            reports.append(report)
            state = after
        self._timeline.replace_from(key, done)
        self.state = state
        return reports[0] if reports else None

    def _step(
        self, state: JointState, sightings: Sightings, labels: IntArray | None
    ) -> tuple[JointState, UpdateReport]:
        observer = self.team.index(sightings.observer)
        state = self._propagated(state, sightings.stamp_ns)
        if not state.active[observer]:
            raise InputError(f'The place of {sightings.observer} is not known at this time.')
        self.odometry.check_current(observer, sightings)
        camera, mount = self.team.camera(sightings.observer, sightings.camera)
        attitude = state.anchors[observer, ROLL_PITCH]
        frame = CameraScan(sightings, observer, attitude, mount, camera, labels)
        try:
            state, report = update_state(state, frame, self.parameters, self._associate)
        except np.linalg.LinAlgError as error:
            raise InputError(
                f'A frame of {sightings.observer} is refused, the state stays: {error}. Check the '
                'variances of its sightings.'
            ) from error
        return mark_corrected(state, report.seen(observer), self.odometry), report

    def _propagated(self, state: JointState, stamp_ns: int) -> JointState:
        state = join_started(
            replace(state, stamp_ns=stamp_ns),
            [h.first_row for h in self.odometry.histories],
            self.team.start_at_origin,
        )
        if state.corrected.any():
            state = anchor_again(state, self.odometry)
        return propagate(state, stamp_ns, self.odometry.rows(stamp_ns), self.parameters)
