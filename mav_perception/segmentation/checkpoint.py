"""Networks from training checkpoints: what `train` wrote and `export --keep-checkpoint` kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from mav_perception.errors import ModelError
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.model_card import models_folders
from mav_perception.segmentation.networks import build_network


def find_checkpoint(name: str) -> Path:
    """Return a checkpoint given by path, or by the name of a model that comes with one.

    Raises:
        ModelError: there is none; the message lists which there are.
    """
    path = Path(name).expanduser()
    if path.is_file():
        return path
    known = {
        p.stem: p for folder in models_folders()[::-1] for p in folder.glob('checkpoints/*.pt')
    }
    if name in known:
        return known[name]
    raise ModelError(
        f'No checkpoint {name!r}: give a path, or the name of one that comes with a model: '
        f'{", ".join(sorted(known)) or "none here"}.'
    )


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
