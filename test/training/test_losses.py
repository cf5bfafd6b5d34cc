"""Losses: special cases with a closed form, and the ignore label."""

import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')
from torch.nn import functional  # noqa: E402

from mav_perception.training.losses import (  # noqa: E402
    LOSSES,
    balanced_weights,
    dice_loss,
    focal_loss,
    hard_negative_loss,
    lovasz_loss,
    segmentation_loss,
    tversky_loss,
)

ONES = torch.ones(3)


def batch(classes=3):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, classes, 6, 7, generator=generator, requires_grad=True)
    labels = torch.randint(0, classes, (2, 6, 7), generator=generator)
    return logits, labels


def hard_masks():
    """Return certain logits and labels that overlap in 30 pixels, of 40 guessed and 50 true."""
    truth = torch.zeros(1, 10, 10, dtype=torch.int64)
    truth[:, :5] = 1
    guess = torch.zeros_like(truth)
    guess[:, 2:6] = 1
    logits = 50.0 * functional.one_hot(guess, 2).permute(0, 3, 1, 2).float()
    return logits, truth


def test_focal_loss_with_gamma_zero_is_weighted_cross_entropy():
    logits, labels = batch()
    weights = torch.tensor([1.0, 3.0, 0.5])
    expected = functional.cross_entropy(logits, labels, weights)
    torch.testing.assert_close(focal_loss(logits, labels, weights, gamma=0.0), expected)


def test_focal_loss_counts_easy_pixels_less():
    logits, labels = batch()
    weights = torch.ones(3)
    assert focal_loss(logits, labels, weights) < focal_loss(logits, labels, weights, gamma=0.0)


@pytest.mark.parametrize('name', LOSSES)
def test_perfect_masks_cost_nothing_and_wrong_ones_a_lot(name):
    _, labels = batch()
    logits = 50.0 * functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    assert LOSSES[name](logits, labels, ONES) < 1e-3
    assert LOSSES[name](-logits, labels, ONES) > 0.5


@pytest.mark.parametrize('name', LOSSES)
def test_ignored_pixels_have_no_gradient(name):
    logits, labels = batch()
    labels[:, :3] = 255
    segmentation_loss(logits, labels, torch.tensor([1.0, 2.0, 3.0]), {name: 1.0}).backward()
    assert (logits.grad[:, :, :3] == 0).all()
    assert (logits.grad[:, :, 3:] != 0).any()


@pytest.mark.parametrize('name', LOSSES)
@pytest.mark.parametrize('only', [0, 2, 255])
def test_absent_classes_leave_loss_and_gradient_finite(name, only):
    logits, labels = batch()
    loss = segmentation_loss(logits, torch.full_like(labels, only), ONES, {name: 1.0})
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_dice_is_the_closed_form_on_hard_masks():
    logits, truth = hard_masks()
    # Overlap 30, sizes 50 and 40; the half pixel keeps empty masks finite.
    assert dice_loss(logits, truth, ONES) == pytest.approx(1 - 30.5 / 45.5, abs=1e-5)
    assert tversky_loss(logits, truth, ONES) == pytest.approx(1 - 30.5 / 47.5, abs=1e-5)


def test_lovasz_of_hard_masks_is_one_minus_iou():
    logits, truth = hard_masks()
    expected = 1.0 - 0.5 * (30 / 60 + 40 / 70)
    assert lovasz_loss(logits, truth, ONES) == pytest.approx(expected, abs=1e-4)


def test_a_false_blob_costs_more_than_its_share_of_pixels():
    labels = torch.zeros(1, 50, 50, dtype=torch.int64)
    logits = torch.stack([torch.full((1, 50, 50), 4.0), torch.zeros(1, 50, 50)], dim=1)
    calm = hard_negative_loss(logits, labels, ONES)
    logits[:, 1, 20:22, 20:23] = 8.0
    assert hard_negative_loss(logits, labels, ONES) > 100 * calm
    assert focal_loss(logits, labels, ONES) < 0.05


def test_logits_at_a_quarter_of_the_size_are_scaled():
    logits, labels = batch()
    large = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    assert torch.isfinite(segmentation_loss(logits, large, ONES, {'focal': 1.0}))


def test_rare_classes_weigh_more_but_not_without_bound():
    weights = balanced_weights(torch.tensor([996_000, 4_000, 0]))
    assert weights[0] == 1.0
    assert 20 < weights[1] < weights[2] < 50
