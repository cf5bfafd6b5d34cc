"""Augmentation moves image and labels alike and is seeded."""

import numpy as np

from mav_perception.training.augmentation import augment


def scene():
    """Draw a bright square, the target, on a dark ground."""
    image = np.full((200, 240), 40, np.uint8)
    labels = np.zeros((200, 240), np.uint8)
    image[80:110, 100:140], labels[80:110, 100:140] = 220, 1
    return image, labels


def test_labels_follow_the_image():
    image, labels = scene()
    for seed in range(20):
        crop, mask = augment(image, labels, (96, 128), np.random.default_rng(seed))
        assert crop.shape == mask.shape == (96, 128)
        if (mask == 1).sum() > 50 and (mask == 0).sum() > 50:
            assert np.median(crop[mask == 1]) > np.median(crop[mask == 0]) + 40


def test_the_same_seed_gives_the_same_crop():
    image, labels = scene()
    one = augment(image, labels, (64, 64), np.random.default_rng(3))
    other = augment(image, labels, (64, 64), np.random.default_rng(3))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_beyond_the_image_nothing_is_labelled():
    image, labels = scene()
    seen = set()
    for seed in range(30):
        seen |= set(np.unique(augment(image, labels, (300, 300), np.random.default_rng(seed))[1]))
    assert seen == {0, 1, 255}
