"""Networks that share one embedding of the classes, or reflected kernels, on the trellis trunk."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import TrainingOutput, convolution
from mav_perception.segmentation.networks.tied_dilation import DilationBlock, TiedDilationNetwork
from mav_perception.segmentation.tying import ClassEmbedding, JointSpace, Tie, reflect

AUXILIARY_WEIGHT = 0.4
"""Share of the first guess in the loss, as usual for auxiliary heads of segmentation networks."""


class EmbeddedNetwork(TiedDilationNetwork):
    """Class embeddings tied three ways: classifier, first guess, and what the guess feeds back.

    Half way through the trellis a first guess is made; its expected class vectors are added to the
    features, so that the second half knows what the first one takes every place for. With
    `joint` the classifier is the joint space of pixels and labels instead of the tied matrix.
    """

    def __init__(self, channels: int, classes: int, joint: int = 0) -> None:
        """Build on the light trunk; `joint` above 0 is the dimension of the joint space."""
        super().__init__(channels, classes, width=64, light=True)
        pixel_width = self.classify.in_channels
        # The joint space has maps of its own in place of the projection.
        self.embedding = ClassEmbedding(classes, pixel_width, projected=not joint)
        self.joint = JointSpace(pixel_width, joint) if joint else None
        self.classify = nn.Identity()  # type: ignore[assignment]

    def ties(self) -> list[Tie]:
        """Declare the map between trunk and embedding: to the guess, back, and to the decoder."""
        return [Tie('lift.weight', 3, 'transposed')]

    def forward(  # type: ignore[override]
        self, image: Tensor
    ) -> Tensor | TrainingOutput:
        """Return logits at a quarter of the input's size, in training also those of the guess."""
        context = self.context
        assert isinstance(context, DilationBlock)
        skip = self.stem(image)
        features = self.descend(skip)
        half, whole = len(context.dilations) // 2, len(context.dilations)
        inputs = context.inject(features)
        hidden = context.run(features, inputs, range(half))
        guess = self.embedding.guess(self.lift(hidden))
        fed_back = functional.conv_transpose2d(self.embedding.embed(guess), self.lift.weight)
        hidden = context.run(hidden + fed_back, inputs, range(half, whole))
        pixels = self.decode(skip, hidden)
        if self.joint is None:
            logits = self.embedding.classify(pixels)
        else:
            logits = self.joint(self.embedding.vectors, pixels, self.embedding.bias)
        if not self.training:
            return logits
        return TrainingOutput((logits, guess), (1.0, AUXILIARY_WEIGHT), self.embedding.penalty())


class ReflectedNetwork(TiedDilationNetwork):
    """The kernel that descends also ascends, transposed and reflected: C = Q W.

    `reflected=False` gives the twin with an ascending kernel of its own.
    """

    def __init__(self, channels: int, classes: int, reflected: bool = True) -> None:
        """Build with full 3x3 kernels between stride 4 and 8."""
        super().__init__(channels, classes, width=64, light=True)
        skip, width = self.lift.out_channels, self.lift.in_channels
        self.descend = convolution(skip, width, 2)
        self.ascend = None if reflected else nn.Parameter(self.kernel.detach().clone())
        self.lift, self.refine = nn.Identity(), nn.BatchNorm2d(skip)  # type: ignore[assignment]

    @property
    def kernel(self) -> Tensor:
        """Return the descending kernel W (width, skip, 3, 3)."""
        layer = self.descend[0]
        assert isinstance(layer, nn.Conv2d)
        return layer.weight

    def ties(self) -> list[Tie]:
        """Declare the reflection."""
        return [Tie('descend.0.weight', 2, 'reflection')] if self.ascend is None else []

    def decode(self, skip: Tensor, context: Tensor) -> Tensor:
        """Join the outline at stride 4 with the context, brought up by the transposed kernel."""
        kernel = reflect(self.kernel, 0) if self.ascend is None else self.ascend
        lifted = functional.conv_transpose2d(
            context, kernel, stride=2, padding=1, output_padding=1
        )
        return functional.relu(self.refine(skip + lifted))
