"""In the uncoupled limit the marginals are those of Stone Soup's JPDA."""

import datetime

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.gating import gate_threshold, innovation_likelihood
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.update.event_updates import evaluate_events, marginals, normalised

pytest.importorskip('stonesoup', reason='pip install -r requirements-test.txt')

CLUTTER, PROBABILITY, GATE = 0.02, 0.7, 0.999
START = datetime.datetime(2026, 1, 1)


def scan(seed, targets, sightings):
    """Return priors of targets apart from each other, and sightings near them."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-2.0, 2.0, (targets, 3))
    roots = rng.normal(0.0, 0.4, (targets, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(3)
    points = means[rng.integers(0, targets, sightings)] + rng.normal(0.0, 0.7, (sightings, 3))
    return means, covariances, points, 0.25 * np.eye(3)


def our_marginals(means, covariances, points, noise):
    """Update a joint state without cross-covariances that is measured directly."""
    targets, size = len(means), 3 * len(means)
    joint = np.zeros((size, size))
    jacobians = np.zeros((targets, 3, size))
    for index, covariance in enumerate(covariances):
        own = slice(3 * index, 3 * index + 3)
        joint[own, own] = covariance
        jacobians[index, :, own] = np.eye(3)
    innovations = points[None] - means[:, None]
    noises = np.tile(noise, (len(points), 1, 1))
    distance, _ = innovation_likelihood(innovations, covariances, noises)
    inside = distance < gate_threshold(GATE)
    zeros = np.zeros((1, targets, len(points)))
    problem = AssociationProblem(
        zeros, np.zeros((1, targets)), inside[None], np.zeros(1), np.arange(targets)
    )
    events = joint_association_events(problem, 10**6)
    model = DetectionModel(np.full((1, targets), PROBABILITY), GATE, np.full(len(points), CLUTTER))
    pairs = np.broadcast_to(noises, (1, targets, *noises.shape))
    cross = jacobians.reshape(size, size) @ joint
    updates = evaluate_events(
        cross[None], (cross @ jacobians.reshape(size, size).T)[None], innovations[None], pairs,
        np.ones(targets), events, model,
    )  # fmt: skip
    return marginals(events.assignment, normalised(updates.log_weight), len(points))


def stone_soup_marginals(means, covariances, points, noise, associator='JPDA'):
    """Let an associator of Stone Soup associate the same scan."""
    from stonesoup.dataassociator import probability
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        RandomWalk,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.types.track import Track
    from stonesoup.updater.kalman import KalmanUpdater

    model = LinearGaussian(3, (0, 1, 2), noise)
    still = CombinedLinearGaussianTransitionModel([RandomWalk(0.0)] * 3)
    hypothesiser = PDAHypothesiser(
        KalmanPredictor(still), KalmanUpdater(model), CLUTTER, PROBABILITY, GATE
    )
    tracks = [
        Track([GaussianState(m[:, None], c, START)])
        for m, c in zip(means, covariances, strict=True)
    ]
    detections = [Detection(p[:, None], START, measurement_model=model) for p in points]
    associate = getattr(probability, associator)(hypothesiser).associate
    associated = associate(set(tracks), set(detections), START)
    result = np.zeros((len(means), len(points) + 1))
    for row, track in enumerate(tracks):
        for hypothesis in associated[track]:
            found = [j for j, d in enumerate(detections) if hypothesis.measurement is d]
            result[row, found[0] if found else -1] = float(hypothesis.probability)
    return result


@pytest.mark.parametrize('associator', ['JPDA', 'JPDAwithEHM2'])
@pytest.mark.parametrize(('targets', 'sightings'), [(1, 2), (2, 3), (3, 4), (4, 4)])
def test_marginals_are_equal(targets, sightings, associator):
    for seed in range(3):
        case = scan(seed, targets, sightings)
        theirs = stone_soup_marginals(*case, associator)
        np.testing.assert_allclose(our_marginals(*case), theirs, atol=1e-9)
