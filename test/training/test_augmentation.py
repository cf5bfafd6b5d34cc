"""Augmentation moves image and labels alike and is seeded."""

import random
from dataclasses import replace

import numpy as np
import pytest

from mav_perception.training.augmentation import LabelledImage, augment, choose
from mav_perception.training.copy_paste import choose_pasting, cut_out_targets, paste
from mav_perception.training.distractors import cover, draw_clutter
from mav_perception.training.exposure import choose_exposure, expose


def scene():
    """Draw a bright square, the target, on a dark ground."""
    image = np.full((64, 80), 40, np.uint8)
    labels = np.zeros((64, 80), np.uint8)
    image[20:40, 30:54], labels[20:40, 30:54] = 220, 1
    return image, labels


def crop_of(picture, settings, cut_outs, seed):
    """Augment an image as a seed says."""
    chosen = choose(picture, settings, len(cut_outs), (seed,))
    return augment(picture, chosen, settings, cut_outs)


def exposed(image, seed, **strength):
    """Expose an image as a seed says."""
    channels = 1 if image.ndim == 2 else 3
    rng = random.Random(seed)
    return expose(image, choose_exposure(image.shape[:2], channels, rng, **strength))


@pytest.fixture
def settings(configuration):
    return replace(configuration, crop=(48, 56), lens_degrees=120.0, zoom=(0.8, 1.4))


def test_labels_follow_the_image(settings):
    picture = LabelledImage.of(*scene())
    compared = 0
    for seed in range(20):
        crop, mask = crop_of(picture, settings, [], seed)
        assert crop.shape == mask.shape == (48, 56)
        if (mask == 1).sum() > 50 and (mask == 0).sum() > 50:
            assert np.median(crop[mask == 1]) > np.median(crop[mask == 0]) + 30
            compared += 1
    assert compared > 10


def test_the_same_seed_gives_the_same_crop(settings):
    picture = LabelledImage.of(*scene())
    settings = replace(settings, pasted=2.0, clutter=2.0)
    others = cut_out_targets(*scene())
    one, other = (crop_of(picture, settings, others, 3) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_beyond_the_image_nothing_is_labelled(settings):
    settings = replace(settings, crop=(120, 120))
    picture = LabelledImage.of(*scene())
    seen = set()
    for seed in range(30):
        seen |= set(np.unique(crop_of(picture, settings, [], seed)[1]))
    assert seen == {0, 1, 255}


def test_crops_go_where_a_network_was_wrong(settings):
    image, labels = np.full((64, 80), 40, np.uint8), np.zeros((64, 80), np.uint8)
    image[50:56, 66:72] = 200  # a lamp
    settings = replace(settings, crop=(24, 24), hard_crops=1.0, target_crops=0.0)
    hard = replace(LabelledImage.of(image, labels), hard=np.array([[69.0, 53.0]]))

    def bright(picture):
        crops = (crop_of(picture, settings, [], i)[0] for i in range(60))
        return sum(np.ptp(crop.astype(int)) > 90 for crop in crops)

    assert bright(hard) > 2 * bright(replace(hard, hard=np.empty((0, 2))))


@pytest.mark.parametrize('shape', [(30, 40), (30, 40, 3)])
def test_exposure_keeps_shape_and_type(shape):
    for seed in range(40):
        grey = np.full(shape, 120, np.uint8)
        image = exposed(grey, seed, saturation=1.0)
        assert image.shape == shape and image.dtype == np.uint8


def test_whole_targets_are_cut_out_and_pasted_with_their_labels():
    image, labels = scene()
    labels[:30, :10] = 1  # cut by the edge
    (target,) = cut_out_targets(image, labels)
    assert target.labels.sum() == 20 * 24
    for seed in range(20):
        ground, mask = np.full((200, 240), 40, np.uint8), np.zeros((200, 240), np.uint8)
        chosen = choose_pasting(1, random.Random(seed))
        paste(ground, mask, target, replace(chosen, decoy=False))
        assert (mask == 1).sum() > 60
        assert np.median(ground[mask == 1]) > 90
        assert (ground[mask == 0] == 40).mean() > 0.95


def test_a_decoy_is_background():
    (target,) = cut_out_targets(*scene())
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (200, 240), dtype=np.uint8)
    before, mask = ground.copy(), np.zeros((200, 240), np.uint8)
    for seed in range(5):
        paste(ground, mask, target, replace(choose_pasting(1, random.Random(seed)), decoy=True))
    assert (ground != before).any()
    assert (mask == 0).all()


@pytest.mark.parametrize('shape', [(100, 120), (100, 120, 3)])
def test_clutter_is_background_also_where_nothing_was_known(shape):
    drawn = 0
    for seed in range(20):
        image, labels = np.full(shape, 128, np.uint8), np.full(shape[:2], 255, np.uint8)
        cover(image, labels, draw_clutter(shape[:2], seed))
        assert set(np.unique(labels)) <= {0, 255}
        drawn += (labels == 0).any()
    assert drawn >= 15


def test_a_rare_class_is_cropped_around_as_often_as_a_common_one(settings):
    labels = np.ones((200, 200), np.uint8)
    labels[:4, :4] = 2
    settings = replace(settings, crop=(32, 32), target_crops=1.0, zoom=(1.0, 1.0))
    picture = LabelledImage.of(np.zeros((200, 200), np.uint8), labels)
    crops = (crop_of(picture, settings, [], i)[1] for i in range(60))
    assert 0.2 < np.mean([(crop == 2).any() for crop in crops]) < 0.8


def test_half_of_the_crops_hang_upside_down_where_wanted(settings):
    labels = np.zeros((64, 80), np.uint8)
    labels[:32] = 1
    picture = LabelledImage.of(np.where(labels == 1, 220, 40).astype(np.uint8), labels)
    settings = replace(settings, crop=(32, 32), turn_degrees=0.0, lens_degrees=0.0)

    def share_upside_down(settings):
        crops = [crop_of(picture, settings, [], i) for i in range(60)]
        crops = [(image, mask) for image, mask in crops if {0, 1} <= set(mask[:, 16])]
        assert all(np.median(image[m == 1]) > np.median(image[m == 0]) for image, m in crops)
        rows = [[np.argwhere(mask == kind)[:, 0].mean() for kind in (0, 1)] for _, mask in crops]
        return np.mean([one > zero for zero, one in rows])

    assert share_upside_down(settings) == 0.0
    assert 0.2 < share_upside_down(replace(settings, upside_down=True)) < 0.8


def test_colours_change_where_wanted():
    brown = np.full((32, 32, 3), (120, 80, 60), np.uint8)

    def spread(**strength):
        images = [exposed(brown, i, **strength) for i in range(200)]
        ratios = [np.log(image[..., 0].mean() / image[..., 1].mean()) for image in images]
        return np.subtract(*np.percentile(ratios, [80, 20]))

    plain = spread()
    assert spread(colour=0.3) > 1.5 * plain
    assert spread(saturation=1.0) > 1.2 * plain
