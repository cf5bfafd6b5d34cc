"""Losses for masks where the target is a few pixels in a thousand; label 255 never counts.

Every loss takes logits (B, C, H, W), labels (B, H, W) int64 with 255 left out, and class weights
(C,), and returns a scalar. A class that is absent from a batch adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.segmentation.networks.layers import TrainingOutput


def focal_loss(logits: Tensor, labels: Tensor, weights: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the multi-class focal loss FL = -alpha_c (1 - p_c)^gamma log p_c.

    Softmax form of Lin et al. 2017 with class weights alpha_c, as the penstock U-Net uses it
    (arXiv 1809.06576), normalised by the summed weight of the pixels that count.
    """
    counted = labels != UNKNOWN
    target = labels.masked_fill(~counted, 0)
    log_p = functional.log_softmax(logits, dim=1).gather(1, target[:, None]).squeeze(1)
    alpha = weights[target] * counted
    loss = -alpha * (1.0 - log_p.exp()).pow(gamma) * log_p
    return loss.sum() / alpha.sum().clamp(min=1.0)


def cross_entropy_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted cross-entropy, which is the focal loss at gamma = 0."""
    return focal_loss(logits, labels, weights, gamma=0.0)


def hard_negative_loss(
    logits: Tensor, labels: Tensor, weights: Tensor, share: float = 0.002
) -> Tensor:
    """Return the mean cross-entropy of the background pixels that the network finds hardest.

    Online hard example mining (Shrivastava et al. 2016) on the background alone: the pixels of
    false blobs are so few that any mean over the image drowns them.
    """
    background = labels == 0
    hardest = max(1, int(share * labels.numel()))
    missing = -functional.log_softmax(logits, dim=1)[:, 0].masked_fill(~background, 0.0)
    return weights[0] * missing.flatten().topk(min(hardest, missing.numel())).values.mean()


def dice_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return 1 - soft Dice; see `tversky_loss`."""
    return tversky_loss(logits, labels, weights, false_positive=0.5, false_negative=0.5)


def tversky_loss(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    false_positive: float = 0.3,
    false_negative: float = 0.7,
) -> Tensor:
    """Return 1 - TP / (TP + a FP + b FN), averaged over the classes other than the background.

    Salehi et al., arXiv 1706.05721; a = b = 1/2 is Dice. Sums run over the whole batch, so images
    without a target do not divide by zero. Class weights do not enter: the ratio balances itself.
    """
    counted = (labels != UNKNOWN)[:, None]
    target = functional.one_hot(labels.masked_fill(labels == UNKNOWN, 0), logits.shape[1])
    truth = target.permute(0, 3, 1, 2)[:, 1:] * counted
    guess = logits.softmax(dim=1)[:, 1:] * counted
    axes = (0, 2, 3)
    hit = (guess * truth).sum(axes)
    wrong = false_positive * (guess.sum(axes) - hit) + false_negative * (truth.sum(axes) - hit)
    return (1.0 - (hit + 0.5) / (hit + wrong + 0.5)).mean()


def lovasz_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return the Lovasz-softmax loss, a convex surrogate of 1 - IoU, over the present classes.

    Berman et al., arXiv 1705.08790, algorithm 1: errors in descending order, weighted by the
    increments of the Jaccard index.
    """
    counted = labels != UNKNOWN
    guess = logits.softmax(dim=1).permute(0, 2, 3, 1)[counted]
    losses = []
    for kind in range(logits.shape[1]):
        truth = (labels[counted] == kind).float()
        if truth.any():
            errors, order = (truth - guess[:, kind]).abs().sort(descending=True)
            losses.append(torch.dot(errors, _jaccard_increments(truth[order])))
    return torch.stack(losses).mean() if losses else 0.0 * logits.sum()


def _jaccard_increments(truth: Tensor) -> Tensor:
    total = truth.sum()
    jaccard = 1.0 - (total - truth.cumsum(0)) / (total + (1.0 - truth).cumsum(0))
    return torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    'focal': focal_loss,
    'cross_entropy': cross_entropy_loss,
    'hard_negative': hard_negative_loss,
    'dice': dice_loss,
    'tversky': tversky_loss,
    'lovasz': lovasz_loss,
}


def segmentation_loss(
    logits: Tensor, labels: Tensor, class_weights: Tensor, mix: dict[str, float]
) -> Tensor:
    """Return the weighted sum of losses, with the logits scaled to the size of the labels.

    Args:
        logits: (B, C, h, w), any fraction of the labels' size.
        labels: (B, H, W) int64.
        class_weights: (C,).
        mix: name of a loss in `LOSSES` -> its weight.
    """
    logits = logits.float()
    if logits.shape[2:] != labels.shape[1:]:
        logits = functional.interpolate(logits, size=labels.shape[1:], mode='bilinear')
    terms = [weight * LOSSES[name](logits, labels, class_weights) for name, weight in mix.items()]
    return torch.stack(terms).sum()


def training_loss(
    output: Tensor | TrainingOutput, labels: Tensor, class_weights: Tensor, mix: dict[str, float]
) -> Tensor:
    """Return the loss of what a network returns in training: of every head, and its penalty."""
    if isinstance(output, Tensor):
        return segmentation_loss(output, labels, class_weights, mix)
    losses = [
        weight * segmentation_loss(logits, labels, class_weights, mix)
        for logits, weight in zip(output.logits, output.weights, strict=True)
    ]
    return torch.stack(losses).sum() + output.penalty


def balanced_weights(pixels: Tensor) -> Tensor:
    """Return class weights 1 / log(1.02 + share) from pixel counts (C,), background at 1.

    The bounded inverse frequency of ENet (arXiv 1606.02147): a class of 0.4 % weighs about 28
    times a class that fills the image, not 250 times.
    """
    share = pixels.double() / pixels.sum().clamp(min=1)
    weights = 1.0 / torch.log(1.02 + share)
    return (weights / weights[0]).float()
