"""Checkpoint -> ONNX file and model card."""

from __future__ import annotations

from pathlib import Path

import torch

from mav_perception.errors import ModelError
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.model_card import ModelCard, file_hash
from mav_perception.segmentation.networks import build_network, count_parameters
from mav_perception.training.configuration import configuration_from_dict


def export_checkpoint(checkpoint: Path, folder: Path) -> ModelCard:
    """Write `folder/NAME.onnx` and `folder/NAME.yaml` from a training checkpoint.

    Raises:
        ModelError: the checkpoint is missing or was not written by the trainer.
    """
    try:
        state = torch.load(checkpoint, map_location='cpu', weights_only=True)
        configuration = configuration_from_dict(state['configuration'])
    except Exception as error:  # torch raises many kinds for a broken file
        raise ModelError(f'{checkpoint} is no checkpoint of `train`: {error}') from error
    classes = label_space(configuration.labels).size
    network = build_network(configuration.network, configuration.channels, classes)
    network.load_state_dict(state['network'])
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{configuration.name}.onnx'
    example = torch.zeros(1, configuration.channels, configuration.height, configuration.width)
    torch.onnx.export(
        network,
        (example,),
        str(path),
        input_names=['image'],
        output_names=['logits'],
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    preprocessing = configuration.preprocessing
    card = ModelCard(
        name=configuration.name,
        network=configuration.network,
        labels=configuration.labels,
        height=configuration.height,
        width=configuration.width,
        channels=configuration.channels,
        mean=preprocessing.mean,
        std=preprocessing.std,
        parameters=count_parameters(network),
        training_data=configuration.training_data,
        sha256=file_hash(path),
    )
    card.save(path.with_suffix('.yaml'))
    return card
