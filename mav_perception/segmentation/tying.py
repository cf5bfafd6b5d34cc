"""Weight ties: one weight that several places of a network use, each through a view of its own.

A tie is declared where the network is built: the module that uses a weight twice implements
`ties()` and returns a `Tie` for it. Counting, model cards and the tests of gradients, checkpoints
and export ask `ties_of` a whole network. A tied weight is one `nn.Parameter`, so a checkpoint
holds it once and autograd adds the gradients of all its uses; an exported network holds what its
views make of it.

Here are the ties between matrices: class embeddings (Press & Wolf), the joint space of pixels and
labels (Pappas et al.), and reflection (Assylbekov & Takhanov). The ties over depth and time are
the networks `tied_dilation` and `streaming`, the tie to the limit is `equilibrium`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

PROJECTION_PENALTY = 0.15
"""Weight of the projection in the loss, as Press & Wolf choose it."""


@dataclass(frozen=True)
class Tie:
    """A weight with more than one use.

    Attributes:
        weight: name of the parameter, or of the module whose parameters are meant.
        uses: number of places that would need a weight of this size each without the tie.
        kind: name of the tie.
    """

    weight: str
    uses: int
    kind: str


def ties_of(network: nn.Module) -> tuple[Tie, ...]:
    """Return the ties that the modules of a network declare, with full names of their weights."""
    found = []
    for path, module in network.named_modules():
        declare: Callable[[], list[Tie]] | None = getattr(module, 'ties', None)
        for tie in declare() if declare else []:
            found.append(Tie(f'{path}.{tie.weight}'.strip('.'), tie.uses, tie.kind))
    return tuple(found)


def tied_parameters(network: nn.Module, tie: Tie) -> dict[str, nn.Parameter]:
    """Return the parameters that a tie shares, by their full names."""
    inside = f'{tie.weight}.'
    return {
        name: weight
        for name, weight in network.named_parameters()
        if name == tie.weight or name.startswith(inside)
    }


def count_without_ties(network: nn.Module) -> int:
    """Return how many parameters the network would have if every use had a weight of its own."""
    own = sum(p.numel() for p in network.parameters() if p.requires_grad)
    for tie in ties_of(network):
        own += (tie.uses - 1) * sum(p.numel() for p in tied_parameters(network, tie).values())
    return own


def reflect(weight: Tensor, dimension: int) -> Tensor:
    """Return Q W: the second half of a dimension with its sign flipped.

    Context vectors are word vectors reflected in half of their dimensions, C = Q W with
    Q = diag(+1, .., -1, ..) (Assylbekov & Takhanov, arXiv 1902.09859).

    Args:
        weight: of any shape.
        dimension: the embedding's, along which Q acts.
    """
    size = weight.shape[dimension]
    shape = [1] * weight.dim()
    shape[dimension] = size
    signs = torch.ones(size, dtype=weight.dtype, device=weight.device)
    signs[size // 2 :] = -1.0
    return weight * signs.view(shape)


class ClassEmbedding(nn.Module):
    """One vector a class, for every place of a network that knows classes: V = U.

    Press & Wolf (arXiv 1608.05859) use the embedding of the input as the matrix of the output;
    with a third use it is their three-way tie. Here the uses are the classifier, an auxiliary
    classifier, and the classes that a first guess feeds back into the features. The classifier
    sees the embedding through a projection P that is penalised, logits = E (P h) + b.
    """

    def __init__(self, classes: int, width: int, projected: bool = True) -> None:
        """Start with small vectors, and with P the identity where it is wanted."""
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(classes, width) * width**-0.5)
        self.projection = nn.Parameter(torch.eye(width)) if projected else None
        self.bias = nn.Parameter(torch.zeros(classes))

    def ties(self) -> list[Tie]:
        """Declare the three-way tie."""
        return [Tie('vectors', 3, 'class embedding')]

    def classify(self, features: Tensor) -> Tensor:
        """Map features (B, width, H, W) to logits (B, classes, H, W)."""
        matrix = self.vectors if self.projection is None else self.vectors @ self.projection
        return functional.conv2d(features, matrix[:, :, None, None], self.bias)

    def guess(self, features: Tensor) -> Tensor:
        """Return logits of the auxiliary classifier, which knows no projection."""
        return functional.conv2d(features, self.vectors[:, :, None, None])

    def embed(self, logits: Tensor) -> Tensor:
        """Return the expected class vector (B, width, H, W) of every pixel."""
        return functional.conv2d(logits.softmax(dim=1), self.vectors.t()[:, :, None, None])

    def penalty(self) -> Tensor:
        """Return the projection's share of the loss, lambda times its mean square."""
        if self.projection is None:
            return self.vectors.new_zeros(())
        return PROJECTION_PENALTY * self.projection.square().mean()


class JointSpace(nn.Module):
    """Pixels and labels meet in a space of free dimension (Pappas et al., arXiv 1808.10681).

    logits = f(A E + a) . f(B h + c) + b,  with f = tanh,

    where E are label embeddings (classes, d), h features and A, B maps into the joint space.
    With f the identity and a = c = 0 it is bilinear, h B^T A E; with A = B = identity besides it
    is the tied classifier of Press & Wolf, and with E = identity a plain softmax layer.
    """

    def __init__(
        self, width: int, dimension: int, activation: Literal['tanh', 'identity'] = 'tanh'
    ) -> None:
        """Build the maps for features and embeddings of `width` into `dimension`."""
        super().__init__()
        self.of_labels = nn.Linear(width, dimension)
        self.of_pixels = nn.Linear(width, dimension)
        self._bend = torch.tanh if activation == 'tanh' else nn.Identity()

    def forward(self, vectors: Tensor, features: Tensor, bias: Tensor) -> Tensor:
        """Return logits.

        Args:
            vectors: (classes, width) label embeddings, shared with whoever else uses them.
            features: (B, width, H, W) of the pixels.
            bias: (classes,).
        """
        labels = self._bend(self.of_labels(vectors))
        pixels = self._bend(
            functional.conv2d(
                features, self.of_pixels.weight[:, :, None, None], self.of_pixels.bias
            )
        )
        return functional.conv2d(pixels, labels[:, :, None, None], bias)
