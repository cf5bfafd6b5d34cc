"""Network signature: what a network takes and gives, brought to what the segmenter works with.

Networks of `train` take a normalised float32 tensor and give logits of every class. Those of
others may be called otherwise, take bytes or rows of pixels, give probabilities, a single sigmoid
channel, class ids, or more outputs than one. What can be read is read; the rest is refused when
the model is loaded, never taken for 'saw nobody'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mav_perception.errors import ModelError
from mav_perception.segmentation.model_card import ModelCard
from mav_perception.segmentation.preprocessing import COARSEST

SURE = 12.0
"""Logit of a class that a network gives as an id, without a probability."""

SMALLEST = 1e-6
"""Probabilities are kept this far from 0 and 1."""

DTYPES = ('float32', 'float16', 'uint8')

Run = Callable[[dict[str, np.ndarray]], list[np.ndarray]]


@dataclass(frozen=True)
class NetworkSignature:
    """How one network is asked and understood.

    Attributes:
        name: of its input.
        dtype: one of `DTYPES`; bytes are the image before it is normalised.
        pixels_last: it takes (1, rows, columns, channels).
        output: index of the output that counts.
        head: 'logits', 'probabilities', 'sigmoid', 'logit' (of the second of two classes), 'ids'.
    """

    name: str = 'image'
    dtype: str = 'float32'
    pixels_last: bool = False
    output: int = 0
    head: str = 'logits'

    def to_input(self, tensor: np.ndarray, card: ModelCard) -> dict[str, np.ndarray]:
        """Return the named input for a normalised (1, C, H, W) float32 tensor."""
        if self.dtype == 'uint8':
            tensor = np.round(255.0 * (tensor * card.std + card.mean)).clip(0.0, 255.0)
        if self.pixels_last:
            tensor = tensor.transpose(0, 2, 3, 1)
        return {self.name: np.ascontiguousarray(tensor, self.dtype)}

    def to_logits(self, outputs: list[np.ndarray], classes: int) -> np.ndarray:
        """Return (1, classes, h, w) float32 logits.

        Raises:
            ModelError: the network gave something that is no number.
        """
        found = outputs[self.output]
        if self.head == 'ids':
            if found.max() >= classes:
                raise ModelError(
                    f'The network gave class id {found.max()}, the highest is {classes - 1}.'
                )
            ids = found.reshape(1, 1, *found.shape[-2:])
            known = np.arange(classes).reshape(1, -1, 1, 1)
            return np.where(ids == known, np.float32(SURE), np.float32(0.0))
        logits = np.asarray(found, np.float32)
        check_finite(logits)
        if self.head == 'logits':
            return logits
        if self.head == 'logit':
            return np.concatenate([np.zeros_like(logits), logits], axis=1)
        share = np.clip(logits, SMALLEST, 1.0 - SMALLEST)
        if self.head == 'sigmoid':
            share = np.concatenate([1.0 - share, share], axis=1)
        return np.asarray(np.log(share), np.float32)


def check_finite(logits: np.ndarray) -> None:
    """Raise ModelError if any score is no number: all would pass for background."""
    if not np.isfinite(logits.sum()):
        raise ModelError('The network gave NaN or infinity: its weights are broken.')


def read_signature(
    path: Path, card: ModelCard, names: list[str], shape: list[object], dtype: str, run: Run
) -> NetworkSignature:
    """Find out how a network is asked and understood, by its input and by asking it once.

    Args:
        path: for messages.
        card: what it should be.
        names: of its inputs; there must be one.
        shape: of its input; what is no number may be anything.
        dtype: of its input.
        run: runs it.

    Raises:
        ModelError: it does not fit its card, or gives what cannot be understood.
    """
    if len(names) > 1:
        raise ModelError(f'{path} takes {", ".join(names)}; only an image can be given to it.')
    if dtype not in DTYPES:
        raise ModelError(f'{path} takes {dtype}, not one of {", ".join(DTYPES)}: export again.')
    size = card.channels, card.height, card.width
    pixels_last = not _fits(shape, [1, *size]) and _fits(shape, [1, *size[1:], size[0]])
    if not pixels_last and not _fits(shape, [1, *size]):
        raise ModelError(f'{path} takes input {shape}, its card says {[1, *size]}: export again.')
    asked = NetworkSignature(names[0], dtype, pixels_last)
    image = np.random.default_rng(0).normal(0.0, 1.0, (1, *size)).astype(np.float32)
    outputs = run(asked.to_input(image, card))
    for index, found in enumerate(outputs):
        head = _head(found, card)
        if head:
            signature = replace(asked, output=index, head=head)
            try:
                signature.to_logits(outputs, card.label_space.size)
            except ModelError as error:
                raise ModelError(f'{path}: {error}') from None
            return signature
    given = ', '.join(f'{o.dtype} {list(o.shape)}' for o in outputs)
    space = card.label_space
    raise ModelError(
        f'{path} gives {given}; needed are scores [1, {space.size}, h, w] of the classes '
        f'{", ".join(space.names)}, or their ids [1, h, w], at the size of the input or down to '
        'an eighth of it: correct `labels` in the card, or export again.'
    )


def fixed_input(path: Path, axes: list[int], card: ModelCard) -> list[int]:
    """Return the shape of an input some of whose axes may have any length, written as -1.

    Raises:
        ModelError: the other axes are not those of the card.
    """
    size = [card.height, card.width]
    last = len(axes) == 4 and axes[3] == card.channels
    fixed = [1, *size, card.channels] if last else [1, card.channels, *size]
    if not _fits(list(axes), fixed):
        raise ModelError(f'{path} takes input {axes}, its card says {fixed}: export again.')
    return fixed


def _fits(shape: list[object], wanted: list[int]) -> bool:
    """Tell whether a shape is the wanted one, but for axes that may have any length."""
    return len(shape) == len(wanted) and all(
        found == length or not isinstance(found, int) or found < 0
        for found, length in zip(shape, wanted, strict=True)
    )


def _head(found: np.ndarray, card: ModelCard) -> str:
    """Return what kind of scores an output holds, an empty text for none."""
    classes = card.label_space.size
    if found.ndim not in (3, 4) or found.shape[0] != 1 or not _scales(found.shape[-2:], card):
        return ''
    channels = 1 if found.ndim == 3 else found.shape[1]
    if np.issubdtype(found.dtype, np.integer):
        return 'ids' if channels == 1 and found.max() < classes else ''
    if found.ndim == 3:
        return ''
    if card.scores:
        shares = card.scores == 'probabilities'
    else:
        shares = bool((found >= 0.0).all() and (found <= 1.0).all())
    if channels == 1 and classes == 2:
        return 'sigmoid' if shares else 'logit'
    if channels != classes:
        return ''
    # Shares of a softmax, or of a sigmoid each: what is the largest stays the largest.
    return 'probabilities' if shares else 'logits'


def _scales(size: tuple[int, ...], card: ModelCard) -> bool:
    """Tell whether an output has a whole fraction of the input's size."""
    ratio = card.height // max(size[0], 1)
    return 1 <= ratio <= COARSEST and (size[0] * ratio, size[1] * ratio) == (
        card.height,
        card.width,
    )
