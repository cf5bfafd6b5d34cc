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


def load_state(checkpoint: Path, device: torch.device) -> dict[str, Any]:
    """Return what a training checkpoint holds.

    Raises:
        ModelError: the checkpoint is missing or broken.
    """
    try:
        state = torch.load(checkpoint, map_location=device, weights_only=True)
    except Exception as error:  # torch raises many kinds for a broken file
        raise ModelError(
            f'{checkpoint} is no checkpoint of `train`, or broken: {error!r}. Take it out.'
        ) from error
    if not isinstance(state, dict) or 'configuration' not in state:
        raise ModelError(f'{checkpoint} is no checkpoint of `train`.')
    return state


def load_network(checkpoint: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Return the network of a training checkpoint, ready to infer, and its training settings.

    Raises:
        ModelError: the checkpoint is missing, broken, or fits no network of this version.
    """
    state = load_state(checkpoint, torch.device('cpu'))
    try:
        settings, weights = dict(state['configuration']), state['network']
        kind, channels = settings['network'], settings['channels']
        network = build_network(kind, channels, label_space(settings['labels']).size)
    except Exception as error:  # of whatever else may be in such a file
        raise ModelError(f'{checkpoint} is no checkpoint of `train`: {error}') from error
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(
            f'{checkpoint} does not fit network {kind!r} of this version: train again. {error}'
        ) from error
    return network.eval(), settings
