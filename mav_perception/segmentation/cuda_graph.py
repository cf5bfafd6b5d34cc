"""A network's kernels recorded once on a GPU and replayed as a whole.

Networks this small are done sooner than their hundred kernels are launched one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3
"""Runs before the recording, in which libraries choose their kernels and take their memory."""

Step = Callable[..., list[Tensor]]


def capture(step: Step, example: list[Tensor]) -> Step:
    """Record a function of tensors of fixed shapes on the current GPU.

    Args:
        step: takes and returns tensors on the GPU; its work may not depend on their values.
        example: tensors of the shapes and types of its arguments, on any device.

    Returns:
        A function of tensors on any device. What it returns is overwritten by its next call.
    """
    inputs = [tensor.cuda() for tensor in example]
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = step(*inputs)

    def replay(*tensors: Tensor) -> list[Tensor]:
        for kept, tensor in zip(inputs, tensors, strict=True):
            kept.copy_(tensor)
        graph.replay()
        return outputs

    return replay
