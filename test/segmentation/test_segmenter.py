"""The shipped models on rendered images, and broken model files."""

import numpy as np
import pytest
import yaml

from mav_perception.errors import InputError, ModelError
from mav_perception.evaluation.metrics.model_evaluation import measure, rendered_samples
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.segmentation.segmenter import Segmenter, mask_from_logits

MODELS = ('sim', 'drone', 'drone_int8', 'penstock', 'sim_mavnet', 'drone_mavnet')


@pytest.mark.parametrize('name', MODELS)
def test_shipped_models_are_small_and_carry_measured_figures(name):
    path = find_model(name)
    card = load_card(path)
    assert path.stat().st_size < 1_000_000
    assert card.figures['iou'][1] > 0.4
    assert 0 < card.parameters < 100_000


def test_sim_model_finds_rendered_drones():
    pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')
    figures = measure(Segmenter.load('sim'), rendered_samples(20))
    # The card has the figures of 200 images; these are twenty of them.
    assert figures['iou'][1] > 0.55
    assert figures['p_d'] > 0.75


@pytest.mark.parametrize('shape', [(512, 640), (480, 640, 3), (333, 101), (1024, 1280)])
def test_mask_has_the_size_of_the_image(shape):
    image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    mask = Segmenter.load('sim').segment(image)
    assert mask.labels.shape == mask.confidence.shape == shape[:2]
    assert mask.labels.dtype == mask.confidence.dtype == np.uint8
    assert mask.confidence.min() >= 127  # the winner of two classes has at least half


def test_confidence_is_the_softmax_of_the_winner():
    logits = np.random.default_rng(0).normal(0, 2, (3, 5, 7))
    mask = mask_from_logits(logits)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=0)
    np.testing.assert_array_equal(mask.labels, softmax.argmax(axis=0))
    np.testing.assert_allclose(mask.confidence / 255.0, softmax.max(axis=0), atol=0.003)


def test_an_image_of_another_type_is_refused():
    with pytest.raises(InputError, match='uint8'):
        Segmenter.load('sim').segment(np.zeros((10, 10)))


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelError, match=r"'nonsense'.*drone.*sim"):
        Segmenter.load('nonsense')


def test_broken_weights_are_noticed(model_copy):
    model_copy.write_bytes(model_copy.read_bytes()[:-100])
    with pytest.raises(ModelError, match='sha256 differs'):
        Segmenter.load(str(model_copy))


def test_a_missing_card_is_noticed(model_copy):
    model_copy.with_suffix('.yaml').unlink()
    with pytest.raises(ModelError, match='has no card'):
        Segmenter.load(str(model_copy))


@pytest.mark.parametrize(
    ('change', 'word'), [({'height': 256}, 'card says'), ({'labels': 'cats'}, 'label space')]
)
def test_a_card_that_does_not_fit_is_noticed(model_copy, change, word):
    path = model_copy.with_suffix('.yaml')
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(Exception, match=word):
        Segmenter.load(str(model_copy))
