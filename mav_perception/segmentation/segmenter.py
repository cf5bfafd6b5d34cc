"""The eye: image in, mask out."""

from __future__ import annotations

import numpy as np

from mav_perception.segmentation.backends import Backend, OnnxRuntimeBackend
from mav_perception.segmentation.model_card import ModelCard, find_model, load_card
from mav_perception.types import ByteImage, LabelMask


def mask_from_logits(logits: np.ndarray) -> LabelMask:
    """Turn (C, H, W) logits into the most likely class and its softmax probability, 0..255."""
    labels = logits.argmax(axis=0).astype(np.uint8)
    # 1 / sum_c exp(l_c - l_max) is the softmax of the winner, without a second pass over classes.
    evidence = np.exp(logits - logits.max(axis=0)).sum(axis=0)
    return LabelMask(labels, np.round(255.0 / evidence).astype(np.uint8))


class Segmenter:
    """Run a trained network on images of any size.

    `segment` fits the image to the network, infers class scores, brings them back to the size of
    the image and takes the most likely class of every pixel.
    """

    def __init__(self, card: ModelCard, backend: Backend) -> None:
        """Join a model card with a backend that runs its weights."""
        self.card = card
        self._preprocessing = card.preprocessing
        self._backend = backend

    @classmethod
    def load(cls, model: str, threads: int = 2) -> Segmenter:
        """Open a shipped model by name, or one by path to its .onnx file.

        Raises:
            ModelError: missing or broken weights or card, or they do not fit each other.
        """
        path = find_model(model)
        card = load_card(path)
        segmenter = cls(card, OnnxRuntimeBackend(path, card, threads))
        segmenter.warm_up()
        return segmenter

    @property
    def description(self) -> str:
        """Say in one line what runs on what."""
        card = self.card
        return (
            f'{card.name} ({card.network}, {card.parameters} parameters, '
            f'{card.height}x{card.width}) on {self._backend.description}'
        )

    def warm_up(self) -> None:
        """Run once, so that the first real frame is not the slow one."""
        self.segment(np.zeros((self.card.height, self.card.width), np.uint8))

    def segment(self, image: ByteImage) -> LabelMask:
        """Segment one image.

        Args:
            image: (H, W) grey or (H, W, 3) RGB, uint8.

        Returns:
            Mask of the image's own size.

        Raises:
            InputError: the image is empty or of another type.
        """
        tensor = self._preprocessing.normalise(self._preprocessing.fit(image))
        logits = self._backend.infer(tensor)[0]
        return mask_from_logits(np.stack([self._preprocessing.restore(s, image) for s in logits]))
