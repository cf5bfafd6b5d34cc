"""Segmentation: image in, mask out."""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.segmentation.backend import Backend
from mav_perception.segmentation.backends import open_backend
from mav_perception.segmentation.model_card import ModelCard, find_model, load_card, load_look_card
from mav_perception.segmentation.refinement import CropRefiner
from mav_perception.types import ByteImage, LabelMask


def mask_from_logits(logits: np.ndarray, temperature: float = 1.0) -> LabelMask:
    """Turn (C, H, W) logits into the most likely class and its probability, 0..255.

    The probability is softmax(logits / temperature); the temperature that makes it true on val
    (Guo et al., arXiv 1706.04599) comes with the model.
    """
    best = logits.max(axis=0)
    labels = np.zeros(best.shape, np.uint8)
    # 1 / sum_c exp((l_c - l_max) / T) is the softmax of the winner.
    evidence = np.zeros_like(best)
    for kind in range(len(logits) - 1, -1, -1):  # backwards: among equals the lower id wins
        np.putmask(labels, logits[kind] == best, kind)
        evidence += cv2.exp((logits[kind] - best) * (1.0 / temperature))
    return LabelMask(labels, cv2.convertScaleAbs(255.0 / evidence))


class Segmenter:
    """Run a trained network on images of any size.

    `segment` fits the image to the network, infers class scores, brings them back to the size of
    the image, refines far targets in magnified crops if the model can, and takes the most likely
    class of every pixel.
    """

    def __init__(
        self, card: ModelCard, backend: Backend, refiner: CropRefiner | None = None
    ) -> None:
        """Join a model card with a backend that runs its weights, and perhaps a refinement."""
        self.card = card
        self.parameters = card.parameters + (refiner.parameters if refiner else 0)
        self._preprocessing = card.preprocessing
        self._backend = backend
        self._refiner = refiner

    @classmethod
    def load(
        cls, model: str, threads: int = 2, backend: str = 'auto', device: str = 'auto'
    ) -> Segmenter:
        """Open a shipped model by name, or one by path to its .onnx file.

        Raises:
            ModelError: missing or broken weights or card, or they do not fit each other, or the
                backend or the device is not there.
        """
        path = find_model(model)
        card = load_card(path)
        refiner = None
        if card.look:
            second = load_look_card(path, card.look, card.labels)
            beside = path.with_name(f'{card.look}.onnx')
            second_backend = open_backend(backend, beside, second, threads, device)
            refiner = CropRefiner(second, second_backend, card.look_magnification)
        segmenter = cls(card, open_backend(backend, path, card, threads, device), refiner)
        segmenter.warm_up()
        return segmenter

    @property
    def description(self) -> str:
        """Say in one line what runs on what."""
        card = self.card
        second = f' and {card.look}' if card.look else ''
        return (
            f'{card.name}{second} ({card.network}, {self.parameters} parameters, '
            f'{card.height}x{card.width}) on {self._backend.description}'
        )

    def warm_up(self) -> None:
        """Run once, so that the first real frame is not the slow one."""
        self.segment(np.zeros((self.card.height, self.card.width), np.uint8))
        if self._refiner:
            self._refiner.warm_up()
        self.reset()

    def reset(self) -> None:
        """Forget the frames before, where the network is one for video; a cut is noticed alone."""
        self._backend.reset()

    def logits(self, image: ByteImage) -> np.ndarray:
        """Return the class scores (C, H, W) of an image, at its own size."""
        tensor = self._preprocessing.normalise(self._preprocessing.fit(image))
        scores = self._backend.infer(tensor)[0]
        logits = np.stack([self._preprocessing.restore(s, image) for s in scores])
        if self._refiner:
            self._refiner.refine(logits, image, self._preprocessing.scale(image))
        return logits

    def segment(self, image: ByteImage) -> LabelMask:
        """Segment one image.

        Args:
            image: (H, W) grey or (H, W, 3) RGB, uint8.

        Returns:
            Mask of the image's own size.

        Raises:
            InputError: the image is empty or of another type.
        """
        return mask_from_logits(self.logits(image), self.card.temperature)
