"""The joint filter: coupled probabilistic data association over the poses of the whole team."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.errors import InputError
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.problem import Associate
from mav_perception.localization.joining import join_started
from mav_perception.localization.measurement.camera_scan import camera_scan, check_sightings
from mav_perception.localization.odometry.history import Insertion
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import propagate
from mav_perception.localization.state import JointState, initial_state
from mav_perception.localization.team.team import Team
from mav_perception.localization.timing.rollback import Rollback, check_order
from mav_perception.localization.update.coupled_update import Update, update_state
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import OdometrySample, Sightings, TeamState


class CoupledPdaFilter:
    """Localize a team from nameless sightings and odometry, the start roughly known.

    Call `add_odometry` for every VIO output, `update` for every camera frame and `predict` when
    poses are wanted; messages may come late and in any order inside `late_window`. The coupled
    update is that of Blom & Bloem 2000; its use on teams of drones that see each other is that of
    Nguyen et al. (arXiv 1909.08200). The folders beside this file hold the equations in the order
    in which a scan passes them: `prediction`, `measurement`, `association`, `update`.
    """

    def __init__(
        self,
        team: Team,
        parameters: FilterParameters,
        associate: Associate = joint_association_events,
        update: Update = update_state,
    ) -> None:
        """Start at the team's known poses; baselines have another association or update."""
        self.team, self.parameters = team, parameters
        self._associate, self._update = associate, update
        self.odometry = TeamOdometry(len(team.names), parameters.start_window)
        self._rollback = Rollback(parameters.late_window)
        self._state: JointState | None = None

    @property
    def state(self) -> JointState | None:
        """Return the joint state by all that came so far, None before the first odometry."""
        if self._state is not None:
            self._state = self._rollback.up_to_date(self._state, self._predict_and_update)
        return self._state

    @property
    def stamp_ns(self) -> int | None:
        """Return the time of the joint state, or None before the first drone has sent odometry."""
        return None if self._state is None else self._state.stamp_ns

    def branch(self) -> CoupledPdaFilter:
        """Return a filter that goes on from here on the same odometry, but with frames of its own.

        Tell it of late odometry by `odometry_changed`.
        """
        other = CoupledPdaFilter(self.team, self.parameters, self._associate, self._update)
        other.odometry, other._state = self.odometry, self.state
        return other

    def add_odometry(self, drone: str, sample: OdometrySample) -> Insertion:
        """Remember a VIO output; the state moves only when a scan needs it.

        Raises:
            InputError, ConfigurationError: the sample is refused and nothing has changed.
        """
        insertion = self.odometry.add(self.team.index(drone), sample, self.parameters)
        if self._state is None:
            self._start(sample.stamp_ns)
        self.odometry_changed(insertion.changed_after_ns)
        return insertion

    def odometry_changed(self, after_ns: int) -> None:
        """Repeat the frames after a stamp, when somebody asks for the state."""
        if self._state is not None and after_ns < self._state.stamp_ns:
            self._rollback.odometry_changed(after_ns)

    def update(self, sightings: Sightings) -> UpdateReport:
        """Use one camera frame, an empty one too: seeing nobody is evidence.

        A late frame goes to its place in time, and the frames after it are repeated.

        Raises:
            InputError, ConfigurationError: the frame is refused and the state is unchanged.
        """
        self.team.camera(sightings.observer, sightings.camera)  # raises for an unknown one
        check_sightings(sightings)
        self._rollback.check(sightings, self.require_state().stamp_ns)
        self._state, report = self._rollback.insert(
            sightings, self.require_state(), self._predict_and_update
        )
        return report

    def predict(self, stamp_ns: int) -> TeamState:
        """Return the joint state at a stamp; the filter itself does not move.

        How far a drone has turned since its last odometry is not known. The next sample tells it,
        so the filter keeps the yaw; the variance that is returned is larger until then.
        """
        team = self.state_at(stamp_ns).team
        doubt = self.odometry.unknown_turns(stamp_ns, self.parameters)
        covariance = team.covariance + np.diag(np.kron(doubt, [0.0, 0.0, 0.0, 1.0]))
        return replace(team, covariance=covariance)

    def state_at(self, stamp_ns: int) -> JointState:
        """Return the whole joint state at a stamp; the filter itself does not move."""
        return self._state_at(self.require_state(), stamp_ns)

    def replace_state(self, state: JointState) -> None:
        """Go on from a state in which a drone was put in or taken out; the past is closed."""
        self._rollback.clear()
        self._state = state

    def require_state(self) -> JointState:
        """Return the joint state, or raise InputError that says who is missing."""
        state = self.state
        if state is None:
            raise InputError(
                f'No joint state yet: waiting for the odometry of {self.team.names[0]}.'
            )
        return state

    def _predict_and_update(
        self, state: JointState, sightings: Sightings
    ) -> tuple[JointState, UpdateReport]:
        """Predict to the time of a frame, x- and P-, then update with it, x+ and P+."""
        prior = self._state_at(state, sightings.stamp_ns)
        observer = self.team.index(sightings.observer)
        if not prior.active[observer]:
            raise InputError(f'The pose of {sightings.observer} is not known at this time.')
        self.odometry.check_current(observer, sightings)
        scan = camera_scan(self.team, sightings, prior.anchors[observer].roll_pitch)
        check_order(sightings, int(prior.last_scan_ns[scan.camera]))
        try:
            posterior, report = self._update(prior, scan, self.parameters, self._associate)
        except np.linalg.LinAlgError as error:
            raise InputError(
                f'A frame of {sightings.observer} is refused, the state stays: {error}. Check the '
                'variances of its sightings.'
            ) from error
        return posterior, report

    def _state_at(self, state: JointState, stamp_ns: int) -> JointState:
        """Let in drones that start meanwhile, then move everybody by odometry."""
        first_rows = [history.first_row for history in self.odometry.histories]
        state = join_started(state, stamp_ns, first_rows, self.team.start_at_origin)
        return propagate(state, stamp_ns, self.odometry.rows(stamp_ns), self.parameters)

    def _start(self, stamp_ns: int) -> None:
        """Begin with the first drone, which fixes `map`; the others join as they come."""
        if self.odometry.newest_ns(0) is not None:
            start = initial_state(
                stamp_ns, self.team.start, self.team.start_sigma, self.team.camera_count
            )
            self._state = self._state_at(start, stamp_ns)
