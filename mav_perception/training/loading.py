"""Batches of crops: shared out among processes, cut and changed beside the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any, Protocol

from torch import Tensor
from torch.utils.data import DistributedSampler

from mav_perception.training import distributed
from mav_perception.training.configuration import TrainingConfiguration

Batch = tuple[Tensor, Tensor]

AHEAD = 2
"""Batches that lie ready for the training, or are in work, for each worker."""


TOGETHER = 4
"""Batches made at once where the training makes them: a GPU is told once what to do, not often."""


class Crops(Protocol):
    """Crops by number, new ones every epoch."""

    epoch: int

    def __len__(self) -> int:
        """Return the number of crops in an epoch."""
        ...

    def batch(self, crops: list[int]) -> Batch:
        """Return images (B, channels, rows, columns) and labels (B, rows, columns)."""
        ...


class EpochBatches:
    """The batches of one epoch that are this process's, the same with any number of workers.

    Workers are threads: OpenCV and torch let go of the interpreter while they compute, and after
    a fork OpenCV hangs.
    """

    def __init__(
        self, crops: Crops, epoch: int, settings: TrainingConfiguration, workers: int
    ) -> None:
        """Choose the order.

        Args:
            crops: all crops.
            epoch: decides about their order and what is done to them.
            settings: batch size and seed.
            workers: threads that make the crops ahead of the training; with 0 it makes them
                itself, several batches at once.
        """
        crops.epoch = epoch
        sampler: DistributedSampler[Any] = DistributedSampler(
            range(len(crops)),  # type: ignore[arg-type]
            num_replicas=distributed.processes(),
            rank=distributed.rank(),
            seed=settings.seed,
        )
        sampler.set_epoch(epoch)
        order, size = list(sampler), settings.batch_size
        chunks = [order[begin : begin + size] for begin in range(0, len(order), size)]
        # A last batch of few crops would count as much as a full one.
        self._chunks = [c for c in chunks if len(c) == size or len(crops) < size]
        self._crops, self._workers = crops, workers

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._chunks)

    def __iter__(self) -> Iterator[Batch]:
        """Yield them in order."""
        if not self._workers:
            for begin in range(0, len(self._chunks), TOGETHER):
                group = self._chunks[begin : begin + TOGETHER]
                images, labels = self._crops.batch(list(chain.from_iterable(group)))
                size = len(group[0])
                for first in range(0, len(images), size):
                    yield images[first : first + size], labels[first : first + size]
            return
        ready: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self._workers) as pool:
            for chunk in self._chunks:
                ready.append(pool.submit(self._crops.batch, chunk))
                if len(ready) > AHEAD * self._workers:
                    yield ready.popleft().result()
            while ready:
                yield ready.popleft().result()
