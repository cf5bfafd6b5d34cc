"""Clips out of single images: labels move with the pixels."""

import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from mav_perception.segmentation.labels import UNKNOWN  # noqa: E402
from mav_perception.training.clips import drifting_clip, pan  # noqa: E402


def test_pixels_and_labels_pan_together():
    image = torch.zeros(1, 1, 20, 30)
    image[..., 8:12, 10:14] = 1.0
    labels = image.long()[:, 0]
    moved = pan(image, 3, -2)
    known = pan(labels[:, None], 3, -2, UNKNOWN)[:, 0]
    assert moved[0, 0, 11:15, 8:12].min() == 1.0
    inside = known != UNKNOWN
    assert torch.equal(moved[:, 0][inside] > 0.5, known[inside] == 1)
    assert int((~inside).sum()) == 3 * 30 + 2 * 20 - 3 * 2
    assert pan(image, 0, 0) is image


def test_a_clip_has_its_frames_first_and_its_labels_in_the_same_order():
    torch.manual_seed(0)
    image = torch.zeros(2, 1, 40, 40)
    image[..., 15:25, 15:25] = 10.0
    clip, labels = drifting_clip(image, (image[:, 0] > 5.0).long(), 3)
    assert clip.shape == (3, 2, 1, 40, 40)
    assert labels.shape == (6, 40, 40)
    known = labels != UNKNOWN
    assert torch.equal(clip.flatten(0, 1)[:, 0][known] > 5.0, labels[known] == 1)
