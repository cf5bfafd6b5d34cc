"""Batches of crops: shared out among processes, cut and changed beside the training."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from torch import Tensor
from torch.utils.data import DistributedSampler, default_collate

from mav_perception.training import distributed
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import TrainingCrops

Batch = tuple[Tensor, Tensor]

AHEAD = 2
"""Batches that lie ready for the training, or are in work, for each worker."""


class EpochBatches:
    """The batches of one epoch that are this process's, the same with any number of workers.

    Workers are threads: OpenCV and torch let go of the interpreter while they compute, and after
    a fork OpenCV hangs.
    """

    def __init__(
        self, crops: TrainingCrops, epoch: int, settings: TrainingConfiguration, workers: int
    ) -> None:
        """Choose the order.

        Args:
            crops: all crops.
            epoch: decides about their order and what is done to them.
            settings: batch size and seed.
            workers: threads that make the crops ahead of the training; 0 makes them when asked.
        """
        crops.epoch = epoch
        sampler: DistributedSampler[Any] = DistributedSampler(
            crops,
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
            yield from map(self._batch, self._chunks)
            return
        ready: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self._workers) as pool:
            for chunk in self._chunks:
                ready.append(pool.submit(self._batch, chunk))
                if len(ready) > AHEAD * self._workers:
                    yield ready.popleft().result()
            while ready:
                yield ready.popleft().result()

    def _batch(self, chunk: list[int]) -> Batch:
        images, labels = default_collate([self._crops[index] for index in chunk])
        return images, labels
