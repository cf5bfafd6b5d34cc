"""The filter that is shipped, and those that it has to beat, by their names in every table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mav_perception.localization.association.events import (
    Associate,
    joint_association_events,
    labelled_event,
    nearest_neighbour_event,
)
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.team.team import Team

ONE_GAUSSIAN: dict[str, Any] = {'max_hypotheses': 1, 'max_objects': 0, 'recover': False}
"""What makes a rival plain: one hypothesis, uniform clutter, no search for lost drones."""


class UncoupledPdaFilter(CoupledPdaFilter):
    """Joint PDA that drops the cross-covariances of drones: structurally wrong for a team."""

    def _propagated(self, state: JointState, stamp_ns: int) -> JointState:
        moved = super()._propagated(state, stamp_ns)
        blocks = np.kron(np.eye(moved.drones), np.ones((4, 4)))
        hypotheses = tuple(replace(h, covariance=h.covariance * blocks) for h in moved.hypotheses)
        return replace(moved, hypotheses=hypotheses)


@dataclass(frozen=True)
class Baseline:
    """How to build one filter of a comparison."""

    associate: Associate
    plain: bool = True
    kind: Callable[[Team, FilterParameters, Associate], CoupledPdaFilter] = CoupledPdaFilter

    def build(self, team: Team, parameters: FilterParameters) -> CoupledPdaFilter:
        """Return the filter."""
        if self.plain:
            parameters = replace(parameters, **ONE_GAUSSIAN)
        return self.kind(team, parameters, self.associate)


BASELINES = {
    'nearest_neighbour': Baseline(nearest_neighbour_event),
    'jpda': Baseline(joint_association_events, kind=UncoupledPdaFilter),
    'cpdaf_one_gaussian': Baseline(joint_association_events),
    'cpdaf': Baseline(joint_association_events, plain=False),
    'labelled': Baseline(labelled_event),
}
"""'cpdaf' is what is shipped: coupled, K hypotheses, static objects, search for lost drones.
'labelled' knows the identities: it bounds what association can reach without static objects."""

STARTED_BY_SEARCH = ('cpdaf',)
"""Only these can begin when nobody knows where the drones are."""
