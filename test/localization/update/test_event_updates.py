"""The coupled update equals the brute-force Gaussian mixture, and a plain EKF in the limit."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from scipy.stats import multivariate_normal

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.gating import gate_clusters
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.update.event_updates import evaluate_events, marginals
from mav_perception.localization.update.mixture_reduction import reduce_mixture
from mav_perception.localization.update.permutation_pruning import prune_permutations


def random_case(rng, targets, sightings):
    """Return a random, well-scaled coupled update problem."""
    size = 4 * (targets + 1)
    root = rng.standard_normal((size, size))
    covariance = root @ root.T / size + 0.1 * np.eye(size)
    jacobians = rng.standard_normal((targets, 3, size))
    innovations = rng.standard_normal((targets, sightings, 3))
    roots = rng.standard_normal((sightings, 3, 3))
    noise = roots @ roots.transpose(0, 2, 1) + 0.5 * np.eye(3)
    model = DetectionModel(
        rng.uniform(0.2, 0.95, targets), 0.99, rng.uniform(0.05, 1.0, sightings)
    )
    return covariance, jacobians, innovations, noise, model


@dataclass(frozen=True)
class Merged:
    shift: np.ndarray
    covariance: np.ndarray
    marginal: np.ndarray


ONE = FilterParameters(max_hypotheses=1)


def of_one(model):
    """Return the detection model with an axis for the one hypothesis."""
    return replace(model, probability=model.probability[None])


def mixture_update(branches_of, covariance, jacobians, innovations, noise, model):
    """Merge all events into one Gaussian: the plain CPDAF."""
    branches = branches_of(
        covariance[None], jacobians[None], innovations[None], noise, of_one(model)
    )
    merged = reduce_mixture(branches, 0, ONE).hypotheses
    marginal = marginals(branches.events.assignment, branches.weight, innovations.shape[1])
    return Merged(merged.means[0], merged.covariances[0], marginal)


def every_event(targets, sightings, inside=None):
    """Return the events in the gates, by the enumeration under test."""
    inside = np.ones((targets, sightings), bool) if inside is None else inside
    return joint_association_events(problem_of(np.zeros((targets, sightings)), inside), 10**6)


def problem_of(log_ratio, inside):
    """Return the problem of one hypothesis in which a miss weighs nothing."""
    targets = len(log_ratio)
    return AssociationProblem(
        log_ratio[None], np.zeros((1, targets)), inside[None], np.zeros(1), np.arange(targets)
    )


def brute_force(covariance, jacobians, innovations, noise, model):
    """Sum the full mixture event by event, each a Kalman update written out in full."""
    targets, sightings = innovations.shape[:2]
    size = len(covariance)
    weights, means, covariances = [], [], []
    for choice in itertools.product(range(-1, sightings), repeat=targets):
        hits = [j for j in choice if j >= 0]
        if len(set(hits)) != len(hits):
            continue
        false = np.delete(np.arange(sightings), hits)
        weight = np.prod(model.clutter_density[false])
        h, nu, r = np.zeros((0, size)), np.zeros(0), np.zeros((0, 0))
        for target, sighting in enumerate(choice):
            if sighting < 0:
                weight *= 1.0 - model.probability[target] * model.gate_probability
                continue
            weight *= model.probability[target]
            h = np.vstack([h, jacobians[target]])
            nu = np.concatenate([nu, innovations[target, sighting]])
            r = np.block(
                [
                    [r, np.zeros((len(r), 3))],
                    [np.zeros((3, len(r))), noise[sighting]],
                ]
            )
        if hits:
            q = h @ covariance @ h.T + r
            gain = covariance @ h.T @ np.linalg.inv(q)
            weight *= multivariate_normal.pdf(nu, np.zeros(len(nu)), q)
            means.append(gain @ nu)
            covariances.append(covariance - gain @ h @ covariance)
        else:
            means.append(np.zeros(size))
            covariances.append(covariance)
        weights.append(weight)
    weights = np.array(weights) / np.sum(weights)
    mean = np.einsum('e,ei->i', weights, means)
    spread = np.array(means) - mean
    total = np.einsum('e,eij->ij', weights, covariances)
    return mean, total + np.einsum('e,ei,ej->ij', weights, spread, spread)


@pytest.mark.parametrize('targets', [1, 2, 3, 4])
@pytest.mark.parametrize('sightings', [0, 1, 2, 3, 4])
def test_moments_equal_brute_force_mixture(branches_of, targets, sightings):
    for seed in range(3):
        rng = np.random.default_rng((seed, targets, sightings))
        covariance, jacobians, innovations, noise, model = random_case(rng, targets, sightings)
        posterior = mixture_update(branches_of, covariance, jacobians, innovations, noise, model)
        mean, expected = brute_force(covariance, jacobians, innovations, noise, model)
        np.testing.assert_allclose(posterior.shift, mean, atol=1e-12)
        np.testing.assert_allclose(posterior.covariance, expected, atol=1e-12)


@pytest.mark.parametrize(('targets', 'sightings', 'count'), [(2, 2, 7), (3, 5, 136), (5, 5, 1546)])
def test_number_of_events_is_that_of_the_literature(targets, sightings, count):
    events = every_event(targets, sightings).assignment
    assert len(events) == count
    assert len(np.unique(events, axis=0)) == count


def test_order_of_candidates_and_sightings_does_not_matter(branches_of):
    rng = np.random.default_rng(5)
    covariance, jacobians, innovations, noise, model = random_case(rng, 3, 4)
    posterior = mixture_update(branches_of, covariance, jacobians, innovations, noise, model)
    who, which = np.array([2, 0, 1]), np.array([3, 1, 0, 2])
    shuffled = DetectionModel(
        model.probability[who], model.gate_probability, model.clutter_density[which]
    )
    other = mixture_update(
        branches_of,
        covariance,
        jacobians[who],
        innovations[who][:, which],
        noise[which],
        shuffled,
    )
    np.testing.assert_allclose(other.shift, posterior.shift, atol=1e-12)
    np.testing.assert_allclose(other.covariance, posterior.covariance, atol=1e-12)
    np.testing.assert_allclose(
        other.marginal[:, :4], posterior.marginal[who][:, which], atol=1e-12
    )


def test_one_certain_target_without_clutter_is_a_kalman_filter(branches_of):
    rng = np.random.default_rng(7)
    covariance, jacobians, innovations, noise, _ = random_case(rng, 1, 1)
    model = DetectionModel(np.ones(1), 1.0 - 1e-16, np.full(1, 1e-300))
    posterior = mixture_update(branches_of, covariance, jacobians, innovations, noise, model)
    kalman = KalmanFilter(dim_x=len(covariance), dim_z=3)
    kalman.P, kalman.H, kalman.R = covariance.copy(), jacobians[0], noise[0]
    kalman.update(innovations[0, 0][:, None])
    np.testing.assert_allclose(posterior.shift, kalman.x[:, 0], atol=1e-12)
    np.testing.assert_allclose(posterior.covariance, kalman.P, atol=1e-12)


def test_clusters_of_the_gate_graph_multiply():
    inside = np.zeros((4, 5), bool)
    inside[:2, :2] = inside[2:, 2:] = True
    assert [len(who) for who, _ in gate_clusters(inside)] == [2, 2]
    events = every_event(4, 5, inside).assignment
    assert len(events) == 7 * 13  # 2 candidates with 2 sightings, and 2 with 3
    assert len(np.unique(events, axis=0)) == len(events)


def test_hypotheses_share_events_but_not_gates(branches_of):
    """Events of many hypotheses at once are those of each on its own."""
    rng = np.random.default_rng(2)
    inside = rng.random((4, 3, 5)) < 0.6
    ratio = rng.normal(0.0, 1.0, inside.shape)
    missed, prior = rng.normal(-1.0, 0.3, (4, 3)), rng.normal(0.0, 1.0, 4)
    together = joint_association_events(
        AssociationProblem(ratio, missed, inside, prior, np.arange(3)), 10**6
    )
    for index in range(4):
        one = slice(index, index + 1)
        alone = joint_association_events(
            AssociationProblem(ratio[one], missed[one], inside[one], prior[one], np.arange(3)),
            10**6,
        )
        mine = together.assignment[together.parent == index]
        assert {tuple(row) for row in mine} == {tuple(row) for row in alone.assignment}
        assert len(mine) == len(alone.assignment)


def test_a_sighting_whose_error_stays_is_as_likely_but_tells_little(branches_of):
    rng = np.random.default_rng(4)
    covariance, jacobians, innovations, noise, model = random_case(rng, 2, 2)
    fresh = branches_of(covariance[None], jacobians[None], innovations[None], noise, of_one(model))
    stacked = jacobians.reshape(1, 6, -1)
    cross = stacked @ covariance
    arrays = cross, cross @ stacked.transpose(0, 2, 1), innovations[None]
    pairs = np.broadcast_to(noise, (1, 2, *noise.shape))
    share = np.full(2, 0.1)
    repeated = evaluate_events(*arrays, pairs, share, fresh.events, of_one(model))
    np.testing.assert_allclose(repeated.log_weight, fresh.updates.log_weight)
    tenfold = evaluate_events(*arrays, 10 * pairs, np.ones(2), fresh.events, of_one(model))
    np.testing.assert_allclose(repeated.shift, tenfold.shift)


def test_permutation_pruning_keeps_the_best_of_every_permutation(branches_of):
    rng = np.random.default_rng(11)
    covariance, jacobians, innovations, noise, model = random_case(rng, 2, 2)
    branches = branches_of(
        covariance[None], jacobians[None], innovations[None], noise, of_one(model)
    )
    events, updates = branches.events, branches.updates
    pruned = np.isinf(prune_permutations(events, updates).log_weight)
    both = (events.assignment >= 0).all(axis=1)
    assert both.sum() == 2
    assert pruned.sum() == 1
    assert np.flatnonzero(pruned)[0] == np.flatnonzero(both)[np.argmin(updates.log_weight[both])]
