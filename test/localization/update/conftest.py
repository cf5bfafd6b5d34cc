"""Events and branches of hypotheses given by their arrays, for the tests of the update."""

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.update.branches import Branches
from mav_perception.localization.update.event_updates import evaluate_events, normalised


def _branches(covariances, jacobians, innovations, noise, model, means=None, events=None):
    """Return all branches of K hypotheses with equal weights.

    Args:
        covariances: (K, n, n).
        jacobians: (K, T, 3, n).
        innovations: (K, T, m, 3).
        noise: (m, 3, 3).
        model: P_D (K, T), P_G and clutter density.
        means: (K, n), zero if None.
        events: all if None.
    """
    hypotheses, targets, sightings = innovations.shape[:3]
    size = covariances.shape[-1]
    if events is None:
        pairs = np.zeros((hypotheses, targets, sightings))
        problem = AssociationProblem(
            pairs, pairs[..., 0] if sightings else np.zeros((hypotheses, targets)),
            np.ones(pairs.shape, bool), np.zeros(hypotheses), np.arange(targets),
        )  # fmt: skip
        events = joint_association_events(problem, 10**6)
    stacked = jacobians.reshape(hypotheses, -1, size)
    cross = stacked @ covariances
    pairs = np.broadcast_to(noise, (hypotheses, targets, *noise.shape))
    updates = evaluate_events(
        cross, cross @ stacked.transpose(0, 2, 1), innovations, pairs, np.ones(targets), events,
        model,
    )  # fmt: skip
    count = len(events.parent)
    prior = JointHypotheses(
        weights=np.full(hypotheses, 1.0 / hypotheses),
        means=np.zeros((hypotheses, size)) if means is None else means,
        covariances=covariances,
        existence=np.zeros((hypotheses, 0)),
        detectable=np.full((hypotheses, 1, targets), 0.5),
    )
    return Branches(
        prior=prior, cross_covariance=cross, events=events, updates=updates,
        existence=np.zeros((count, 0)), detectable=np.full((count, targets), 0.5),
        unexplained=np.ones((count, sightings)), compared=np.arange(size), camera=0,
        weight=normalised(updates.log_weight), log_total=0.0,
    )  # fmt: skip


@pytest.fixture
def branches_of():
    """Return the function that makes branches of arrays."""
    return _branches
