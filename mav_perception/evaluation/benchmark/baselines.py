"""The filter that is shipped and the baselines that it has to beat, by their names in tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.evaluation.benchmark.independent_ekfs import (
    independent_update,
    without_ties,
)
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.problem import (
    MISSED,
    Associate,
    AssociationEvents,
    AssociationProblem,
)
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.coupled_update import Update, update_state
from mav_perception.localization.update.report import UpdateReport
from mav_perception.recordings.recording import LabelledFrame, Recording

ONE_GAUSSIAN: dict[str, Any] = {'max_hypotheses': 1, 'max_objects': 0, 'recover': False}
"""What makes a baseline plain: one hypothesis, uniform clutter, no search for lost drones."""

ONLY = np.zeros(1, np.int64)
"""The parent of the one event of a decision: the one hypothesis."""


def nearest_neighbour_event(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Decide for the one most likely event (global nearest neighbour) of the one hypothesis."""
    ratio = problem.log_likelihood_ratio[0] - problem.log_missed[0, :, None]
    log_odds_gain = np.maximum(np.where(problem.inside[0], ratio, -np.inf), 0.0)
    rows, columns = linear_sum_assignment(-log_odds_gain)
    assignment = np.full((1, len(problem.candidates)), MISSED, np.int64)
    detected = log_odds_gain[rows, columns] > 0.0
    assignment[0, rows[detected]] = columns[detected]
    return AssociationEvents(ONLY, assignment)


class KnownAssociations:
    """Associate by the true identities: the bound that nameless sightings cannot beat."""

    def __init__(self, frames: Iterable[LabelledFrame]) -> None:
        """Know who is seen in every frame of a recording."""
        self._labels = {frame.sightings.key: frame.labels for frame in frames}

    def __call__(self, problem: AssociationProblem, max_events: int) -> AssociationEvents:
        """Return the one event in which every candidate has its own sighting, if it has one."""
        labels = self._labels[problem.scan_key]
        assignment = np.full((1, len(problem.candidates)), MISSED, np.int64)
        for row, candidate in enumerate(problem.candidates):
            mine = np.flatnonzero((labels == candidate) & problem.inside[0, row])
            if len(mine):
                assignment[0, row] = mine[0]
        return AssociationEvents(ONLY, assignment)


def uncoupled_update(
    state: JointState, scan: CameraScan, parameters: FilterParameters, associate: Associate
) -> tuple[JointState, UpdateReport]:
    """Update without the cross-covariances of drones (joint PDA): wrong for a team that moves."""
    return update_state(without_ties(state), scan, parameters, associate)


@dataclass(frozen=True)
class Baseline:
    """How to build one filter of a comparison.

    Attributes:
        associate: its association; None for the true identities of the recording.
        plain: one hypothesis, no static objects, no search.
        update: its update.
    """

    associate: Associate | None = joint_association_events
    plain: bool = True
    update: Update = update_state

    def build(self, recording: Recording, parameters: FilterParameters) -> CoupledPdaFilter:
        """Return the filter for the team of a recording."""
        if self.plain:
            parameters = replace(parameters, **ONE_GAUSSIAN)
        associate = self.associate or KnownAssociations(recording.frames)
        return CoupledPdaFilter(recording.team, parameters, associate, self.update)


BASELINES = {
    'independent_ekfs': Baseline(update=independent_update),
    'nearest_neighbour': Baseline(nearest_neighbour_event),
    'jpda': Baseline(update=uncoupled_update),
    'cpdaf_one_gaussian': Baseline(),
    'cpdaf': Baseline(plain=False),
    'labelled': Baseline(None),
}
"""'cpdaf' is what is shipped: coupled, K hypotheses, static objects, search for lost drones.
'independent_ekfs' is what a user would write first: a filter a drone, nearest neighbours.
'labelled' knows the identities: it bounds what association can reach without static objects."""

STARTED_BY_SEARCH = ('cpdaf',)
"""Only these can begin when nobody knows where the drones are."""
