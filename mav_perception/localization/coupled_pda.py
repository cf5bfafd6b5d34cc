"""The joint filter: coupled probabilistic data association over the poses of the whole team."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError
from mav_perception.geometry import wrap_angle
from mav_perception.localization.association import Associate, joint_association_events
from mav_perception.localization.mixture import Posterior, mixture_update
from mav_perception.localization.motion import ROLL_PITCH, AnchoredState, TeamOdometry, propagate
from mav_perception.localization.observation import check_sightings
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.scan import scan_frame
from mav_perception.localization.team import Team
from mav_perception.types import (
    FloatArray,
    IntArray,
    Notice,
    OdometrySample,
    Sightings,
    TeamState,
    seconds,
)


@dataclass(frozen=True)
class UpdateReport:
    """What one camera frame did to the filter.

    Attributes:
        stamp_ns, observer: which frame.
        candidates: (T,) drone indices.
        probability: (T,) P_D of every candidate.
        marginal: (T, m + 1) marginal association probabilities, the last column is 'missed'.
        outside_gate: sightings that lay in no gate.
        events: number of joint association events.
        dropped: weight of the events that were cut.
        nis, nis_size: normalised innovation squared of the most likely event and its size.
    """

    stamp_ns: int
    observer: str
    candidates: IntArray
    probability: FloatArray
    marginal: FloatArray
    outside_gate: int
    events: int
    dropped: float
    nis: float
    nis_size: int


class CoupledPdaFilter:
    """Localize a team from nameless sightings and odometry, the start roughly known.

    Call `add_odometry` for every VIO output, `update` for every camera frame and `predict` when
    poses are wanted. The coupled update is that of Blom & Bloem 2000; its use on teams of drones
    that see each other is that of Nguyen et al. (arXiv 1909.08200). The equations are in `motion`,
    `observation`, `association` and `mixture`, in the order in which `update` calls them.
    """

    def __init__(
        self,
        team: Team,
        parameters: FilterParameters,
        associate: Associate = joint_association_events,
    ) -> None:
        """Start at the team's known poses; `associate` swaps in a rival association."""
        self.team, self.parameters = team, parameters
        self._associate = associate
        self._odometry = TeamOdometry(len(team.names), parameters)
        self._state: AnchoredState | None = None

    @property
    def stamp_ns(self) -> int | None:
        """Return the time of the joint state, or None before every drone has sent odometry."""
        return None if self._state is None else self._state.team.stamp_ns

    @property
    def odometry(self) -> TeamOdometry:
        """Return the odometry histories, in team order."""
        return self._odometry

    def add_odometry(self, drone: str, sample: OdometrySample) -> Notice | None:
        """Remember a VIO output; the state moves only when a frame needs it.

        Raises:
            InputError, ConfigurationError: the sample is refused and nothing has changed.
        """
        notice = self._odometry.add(self.team.index(drone), sample)
        if self._state is None and self._odometry.complete:
            anchors = self._odometry.first_rows()  # the start poses hold where odometry began
            start = TeamState(sample.stamp_ns, self.team.start, self.team.start_covariance())
            self._state = AnchoredState(start, anchors)
            self._state = self._propagated(sample.stamp_ns)
        return notice

    def predict(self, stamp_ns: int) -> TeamState:
        """Return the joint state at a stamp; the filter itself does not move."""
        return self._propagated(stamp_ns).team

    def update(self, sightings: Sightings, labels: IntArray | None = None) -> UpdateReport:
        """Use one camera frame, an empty one too: seeing nobody is evidence.

        Args:
            sightings: what the observer saw.
            labels: (m,) true identities, only for the labelled rival.

        Raises:
            InputError, ConfigurationError: the frame is refused and the state is unchanged.
        """
        observer = self.team.index(sightings.observer)
        check_sightings(sightings)
        self._check_age(sightings)
        state = self._propagated(sightings.stamp_ns)
        scan = scan_frame(
            state.team,
            sightings,
            observer,
            state.anchors[observer, ROLL_PITCH],
            self.team.mounts[observer],
            self.parameters,
            labels,
        )
        events = self._associate(scan.problem, self.parameters.max_events)
        posterior = mixture_update(
            state.team.covariance, scan.jacobians, scan.innovations, scan.noise, events, scan.model
        )
        self._state = _corrected(state, posterior)
        return UpdateReport(
            sightings.stamp_ns,
            sightings.observer,
            scan.candidates,
            scan.model.probability,
            posterior.marginal,
            scan.outside_gate,
            len(events.assignment),
            events.dropped,
            posterior.nis,
            posterior.nis_size,
        )

    def _propagated(self, stamp_ns: int) -> AnchoredState:
        if self._state is None:
            silent = [self.team.names[i] for i in self._odometry.silent()]
            raise InputError(
                f'No joint state yet: waiting for the odometry of {", ".join(silent)}.'
            )
        return propagate(self._state, stamp_ns, self._odometry.rows(stamp_ns), self.parameters)

    def _check_age(self, sightings: Sightings) -> None:
        age = seconds((self.stamp_ns or sightings.stamp_ns) - sightings.stamp_ns)
        if age > self.parameters.late_window:
            raise InputError(
                f'Sightings of {sightings.observer} are {age:.2f} s older than the filter, more '
                f'than late_window {self.parameters.late_window} s: check the clock of that drone '
                'and the load of its detection node.'
            )


def _corrected(state: AnchoredState, posterior: Posterior) -> AnchoredState:
    """Add the shift to the mean and take the posterior covariance, if both are sound."""
    variance = np.diag(posterior.covariance)
    if not np.isfinite(posterior.shift).all() or not (variance > 0.0).all():
        raise InputError(
            'An update gave a covariance that is not positive: it was refused. Check that the '
            'variances of the sightings are not far too small.'
        )
    mean: FloatArray = state.team.mean + posterior.shift.reshape(-1, 4)
    mean[:, 3] = wrap_angle(mean[:, 3])
    team = TeamState(state.team.stamp_ns, mean, posterior.covariance)
    return AnchoredState(team, state.anchors)
