"""Registry of the segmentation networks: name -> network, for any classes and 1 or 3 channels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from mav_perception.errors import ConfigurationError
from mav_perception.segmentation.networks.embedded import EmbeddedNetwork, ReflectedNetwork
from mav_perception.segmentation.networks.equilibrium import EquilibriumNetwork
from mav_perception.segmentation.networks.erfnet import ErfNet
from mav_perception.segmentation.networks.fast_scnn import FastScnn
from mav_perception.segmentation.networks.mavnet import MavNet
from mav_perception.segmentation.networks.streaming import StreamingNetwork
from mav_perception.segmentation.networks.tied_dilation import TiedDilationNetwork
from mav_perception.segmentation.networks.unet import UNet

NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {
    'embedded': EmbeddedNetwork,
    'equilibrium': EquilibriumNetwork,
    'erfnet': ErfNet,
    'fast_scnn': FastScnn,
    'joint': partial(EmbeddedNetwork, joint=16),
    'mavnet': MavNet,
    'mirrored': partial(ReflectedNetwork, reflected=False),
    'reflected': ReflectedNetwork,
    'streaming': StreamingNetwork,
    'tied': TiedDilationNetwork,
    'tied_light': partial(TiedDilationNetwork, width=64, light=True),
    'unet': UNet,
    'untied': partial(TiedDilationNetwork, tied=False),
    'untied_light': partial(TiedDilationNetwork, width=64, light=True, tied=False),
}


def build_network(name: str, channels: int, classes: int) -> nn.Module:
    """Build a network with random weights.

    Args:
        name: key of `NETWORKS`.
        channels: 1 (grey) or 3 (RGB) input channels.
        classes: number of classes, background included.

    Raises:
        ConfigurationError: unknown name or impossible size.
    """
    if name not in NETWORKS:
        raise ConfigurationError(f'Unknown network {name!r}: use one of {", ".join(NETWORKS)}.')
    if channels not in (1, 3) or classes < 2:
        raise ConfigurationError(
            f'A network takes 1 or 3 channels and 2 classes or more, not {channels} and {classes}.'
        )
    return NETWORKS[name](channels, classes)


def count_parameters(network: nn.Module) -> int:
    """Count trainable parameters; a weight that is tied counts once."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
