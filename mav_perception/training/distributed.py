"""The few questions a trainer asks about the processes that `torchrun` started."""

from __future__ import annotations

import os

import cv2
import torch
from torch import Tensor, distributed


def start(threads: int) -> None:
    """Join the processes of `torchrun`: NCCL between GPUs, gloo between CPUs; else do nothing.

    A crop is too small for more than one thread of OpenCV: they would wait for one another.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = True
    cv2.setNumThreads(1)
    if int(os.environ.get('WORLD_SIZE', '1')) > 1 and not distributed.is_initialized():
        distributed.init_process_group('nccl' if torch.cuda.is_available() else 'gloo')


def stop() -> None:
    """Leave the group in order."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def device() -> torch.device:
    """Return this process's own GPU, or the CPU."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get('LOCAL_RANK', '0')))
        return torch.device('cuda')
    return torch.device('cpu')


def processes() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return which of them this one is."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Tell whether this process validates and writes."""
    return rank() == 0


def wait_for_all() -> None:
    """Return when every process has come here."""
    if distributed.is_initialized():
        distributed.barrier()


def anywhere(condition: Tensor) -> Tensor:
    """Tell whether a condition, a scalar, holds in any process: 1.0 if so, else 0.0."""
    answer = condition.float()
    if distributed.is_initialized():
        distributed.all_reduce(answer, distributed.ReduceOp.MAX)
    return answer


def first_says(condition: bool) -> bool:
    """Return the first process's answer in every process."""
    if not distributed.is_initialized():
        return condition
    answer = torch.tensor(float(condition), device=device())
    distributed.broadcast(answer, 0)
    return bool(answer)
