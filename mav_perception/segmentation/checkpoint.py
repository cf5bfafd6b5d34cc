"""Networks from training checkpoints: what `train` wrote and `export --keep-checkpoint` kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from mav_perception.errors import ModelError
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.networks import build_network


def load_network(checkpoint: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return the network of a training checkpoint, ready to infer, and its training settings.

    Raises:
        ModelError: the checkpoint is missing, broken, or fits no network of this version.
    """
    try:
        state = torch.load(checkpoint, map_location='cpu', weights_only=True)
        settings, weights = dict(state['configuration']), state['network']
        kind, channels = settings['network'], settings['channels']
        network = build_network(kind, channels, label_space(settings['labels']).size)
    except Exception as error:  # torch raises many kinds for a broken file
        raise ModelError(f'{checkpoint} is no checkpoint of `train`: {error}') from error
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(
            f'{checkpoint} does not fit network {kind!r} of this version: train again. {error}'
        ) from error
    return network.eval(), settings
