"""Losses: special cases with a closed form, and the ignore label."""

import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')
from torch.nn import functional  # noqa: E402

from mav_perception.training.losses import (  # noqa: E402
    dice_loss,
    focal_loss,
    segmentation_loss,
)


def batch(classes=3):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, classes, 6, 7, generator=generator, requires_grad=True)
    labels = torch.randint(0, classes, (2, 6, 7), generator=generator)
    return logits, labels


def test_focal_loss_with_gamma_zero_is_weighted_cross_entropy():
    logits, labels = batch()
    weights = torch.tensor([1.0, 3.0, 0.5])
    expected = functional.cross_entropy(logits, labels, weights)
    torch.testing.assert_close(focal_loss(logits, labels, weights, gamma=0.0), expected)


def test_focal_loss_counts_easy_pixels_less():
    logits, labels = batch()
    weights = torch.ones(3)
    assert focal_loss(logits, labels, weights) < focal_loss(logits, labels, weights, gamma=0.0)


def test_perfect_masks_cost_nothing():
    _, labels = batch()
    logits = 50.0 * functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    assert segmentation_loss(logits, labels, (1.0, 1.0, 1.0)) < 1e-6
    assert dice_loss(-logits, labels) > 0.9


def test_ignored_pixels_have_no_gradient():
    logits, labels = batch()
    labels[:, :3] = 255
    segmentation_loss(logits, labels, (1.0, 2.0, 3.0)).backward()
    assert (logits.grad[:, :, :3] == 0).all()
    assert (logits.grad[:, :, 3:] != 0).any()


def test_an_empty_batch_of_labels_is_finite():
    logits, labels = batch()
    loss = segmentation_loss(logits, torch.full_like(labels, 255), (1.0, 1.0, 1.0))
    assert torch.isfinite(loss)
