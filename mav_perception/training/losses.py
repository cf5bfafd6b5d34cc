"""Losses for masks where the target is a few pixels in a thousand; label 255 never counts."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mav_perception.segmentation.labels import UNKNOWN


def focal_loss(logits: Tensor, labels: Tensor, weights: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the multi-class focal loss FL = -alpha_c (1 - p_c)^gamma log p_c.

    Softmax form of Lin et al. 2017 with class weights, as the penstock U-Net uses it
    (arXiv 1809.06576); gamma = 0 is weighted cross-entropy.

    Args:
        logits: (B, C, H, W).
        labels: (B, H, W) int64 class ids; 255 is left out.
        weights: (C,) the alpha_c.
        gamma: focusing exponent.

    Returns:
        Scalar, normalised by the summed weight of the pixels that count.
    """
    counted = labels != UNKNOWN
    target = labels.masked_fill(~counted, 0)
    log_p = functional.log_softmax(logits, dim=1).gather(1, target[:, None]).squeeze(1)
    alpha = weights[target] * counted
    loss = -alpha * (1.0 - log_p.exp()).pow(gamma) * log_p
    return loss.sum() / alpha.sum().clamp(min=1.0)


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - soft Dice, averaged over the classes other than the background.

    Sums run over the whole batch, so images without a target do not divide by zero.
    """
    counted = (labels != UNKNOWN)[:, None]
    target = functional.one_hot(labels.masked_fill(labels == UNKNOWN, 0), logits.shape[1])
    truth = target.permute(0, 3, 1, 2)[:, 1:] * counted
    guess = logits.softmax(dim=1)[:, 1:] * counted
    axes = (0, 2, 3)
    overlap = (guess * truth).sum(axes)
    total = guess.sum(axes) + truth.sum(axes)
    return (1.0 - (2.0 * overlap + 1.0) / (total + 1.0)).mean()


def segmentation_loss(logits: Tensor, labels: Tensor, class_weights: tuple[float, ...]) -> Tensor:
    """Return focal plus Dice loss, the training objective of every network here."""
    weights = torch.tensor(class_weights, device=logits.device)
    return focal_loss(logits, labels, weights) + dice_loss(logits, labels)
