"""The trellis over video frames too: what a frame has found is told to the next one.

In a trellis network (Bai et al., arXiv 1810.06682) every step in depth sees the hidden state of
the time before, through one kernel. Here the last hidden state z_{t-1} of a frame enters each
depth of the next with the input, through kernels that are the same at all depths and times:
    z_t^{k+1} = ReLU(z_t^k + N_k(W * N'_k(V *_{d_k} z_t^k)) + U * (x_t + R * z_{t-1})).
R starts at zero, as the network of single frames. The first frame, and the first after a cut,
begins with z = 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mav_perception.segmentation.networks.tied_dilation import DilationBlock, TiedDilationNetwork
from mav_perception.segmentation.tying import Tie


class StreamingNetwork(TiedDilationNetwork):
    """The light trunk with a memory of the frame before."""

    clip = 2
    """Frames of a clip that it is trained on."""

    def __init__(self, channels: int, classes: int) -> None:
        """Build with no recall at first."""
        super().__init__(channels, classes, width=64, light=True)
        self.recall = nn.Conv2d(64, 64, 1, bias=False)
        nn.init.zeros_(self.recall.weight)

    def ties(self) -> list[Tie]:
        """Declare the tie over time and depth."""
        assert isinstance(self.context, DilationBlock)
        return [Tie('recall.weight', len(self.context.dilations), 'trellis over time')]

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of images (B, C, H, W), or of clips (T, B, C, H, W) as (T B, ..)."""
        if image.dim() == 4:
            return self.step(image, None)[0]
        hidden, logits = None, []
        for frame in image:
            one, hidden = self.step(frame, hidden)
            logits.append(one)
        return torch.cat(logits)

    def step(self, image: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return logits and hidden state of a frame.

        Args:
            image: (B, channels, H, W).
            hidden: (B, 64, H/8, W/8) of the frame before, None or zeros to begin.
        """
        assert isinstance(self.context, DilationBlock)
        skip = self.stem(image)
        features = self.descend(skip)
        injected = features if hidden is None else features + self.recall(hidden)
        inputs = self.context.inject(injected)
        found = self.context.run(features, inputs, range(len(self.context.dilations)))
        return self.classify(self.decode(skip, found)), found
