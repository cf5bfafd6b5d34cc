"""Checkpoint -> ONNX file and model card; ONNX file -> a smaller one in int8 or float16."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mav_perception.errors import ConfigurationError, ModelError
from mav_perception.segmentation.checkpoint import load_network
from mav_perception.segmentation.model_card import ModelCard, file_hash, load_card, load_look_card
from mav_perception.segmentation.networks import count_parameters
from mav_perception.segmentation.tying import count_without_ties
from mav_perception.training.configuration import TrainingConfiguration, configuration_from_dict
from mav_perception.types import ByteImage

CALIBRATION_IMAGES = 48


def load_checkpoint(checkpoint: Path) -> tuple[nn.Module, TrainingConfiguration]:
    """Return the network of a training checkpoint, ready to infer, and its settings.

    Raises:
        ModelError: the checkpoint is missing, broken, or fits no network of this version.
    """
    network, settings = load_network(checkpoint)
    try:
        return network, configuration_from_dict(settings)
    except (TypeError, ConfigurationError) as error:
        raise ModelError(f'{checkpoint} is no checkpoint of `train`: {error}') from error


def export_checkpoint(
    checkpoint: Path,
    folder: Path,
    look: str = '',
    magnification: float = ModelCard.look_magnification,
    size: tuple[int, int] | None = None,
) -> ModelCard:
    """Write `folder/NAME.onnx` and `folder/NAME.yaml` from a training checkpoint.

    Args:
        checkpoint: of `train`.
        folder: where to write to.
        look: the model in that folder that refines what this one sees; empty for none.
        magnification: how much larger that model sees things than this one does.
        size: rows and columns of the input; None for those of the training. A network sees what
            it was trained on in crops of many scales, and the best one may be another.

    Raises:
        ModelError: the checkpoint is missing or was not written by the trainer, or `look` is not
            in the folder, or one of other labels.
        ConfigurationError: sizes that the network cannot take, a look that magnifies nothing.
    """
    if not 1.0 < magnification < np.inf:
        raise ConfigurationError(f'A look must magnify by more than 1, not by {magnification:g}.')
    network, settings = load_checkpoint(checkpoint)
    path = folder / f'{settings.name}.onnx'
    if look:
        load_look_card(path, look, settings.labels)  # or it says why not
    if size is not None:
        settings = replace(settings, height=size[0], width=size[1], window=())
    folder.mkdir(parents=True, exist_ok=True)
    height, width = settings.window or (settings.height, settings.width)
    write_onnx(network, (settings.channels, height, width), path)
    preprocessing = settings.preprocessing
    card = ModelCard(
        name=settings.name,
        network=settings.network,
        labels=settings.labels,
        height=height,
        width=width,
        channels=settings.channels,
        mean=preprocessing.mean,
        std=preprocessing.std,
        parameters=count_parameters(network),
        without_ties=count_without_ties(network),
        training_data=settings.training_data,
        sha256=file_hash(path),
        look=look,
        look_magnification=magnification,
        hidden=hidden_shape(network, (settings.channels, height, width)),
        scores='logits',
    )
    card.save(path.with_suffix('.yaml'))
    return card


def write_onnx(network: nn.Module, shape: tuple[int, int, int], path: Path) -> None:
    """Write a network for one (channels, height, width) input.

    A network for video also takes and gives its hidden state.
    """
    inputs, outputs = {'image': torch.zeros(1, *shape)}, ['logits']
    if hidden := hidden_shape(network, shape):
        network = _VideoStep(network).eval()
        inputs['hidden'] = torch.zeros(1, *hidden)
        outputs.append('next_hidden')
    torch.onnx.export(
        network,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=outputs,
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    strip_origins(path)


def strip_origins(path: Path) -> None:
    """Take out of an ONNX file where its nodes come from: stack traces, source lines, comments.

    Exporters write the paths of the machine into every node. Nothing that computes is touched.

    Args:
        path: of the file.
    """
    import onnx

    model = onnx.load(path)
    for part in _parts(model.graph, *model.functions):
        part.ClearField('doc_string')
        part.ClearField('metadata_props')
    model.ClearField('doc_string')
    onnx.save(model, path)


def _parts(*graphs: Any) -> Iterator[Any]:
    """Yield graphs and functions, their nodes and values, and all of the graphs inside nodes."""
    for graph in graphs:
        yield graph
        for field in ('input', 'output', 'value_info', 'initializer'):
            values = getattr(graph, field, ())
            yield from (value for value in values if not isinstance(value, str))
        for node in graph.node:
            yield node
            yield from _parts(*(item.g for item in node.attribute if item.HasField('g')))


class _VideoStep(nn.Module):
    """One frame of a network for video, with the state as input and output."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor, hidden: torch.Tensor) -> Any:
        return self.network.step(image, hidden)  # type: ignore[operator]


def hidden_shape(network: nn.Module, shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Return the (C, h, w) of a network's hidden state, empty if it has none."""
    if not hasattr(network, 'step'):
        return ()
    with torch.no_grad():
        _, hidden = network.step(torch.zeros(1, *shape), None)  # type: ignore[operator]
    return tuple(hidden.shape[1:])


def quantise(model: Path, images: Iterable[ByteImage]) -> ModelCard:
    """Write NAME_int8.onnx and its card beside a model: 8-bit weights and activations.

    Static quantisation: activation ranges come from running the network on training images.

    Raises:
        ModelError: the model is missing or broken.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    card = load_card(model)
    preprocessing = card.preprocessing

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            chosen = (image for image, _ in zip(images, range(CALIBRATION_IMAGES), strict=False))
            self._tensors = (preprocessing.normalise(preprocessing.fit(i)) for i in chosen)

        def get_next(self) -> dict[str, np.ndarray] | None:
            tensor = next(self._tensors, None)
            if tensor is None:
                return None
            inputs = {'image': np.ascontiguousarray(tensor)}
            if card.hidden:
                inputs['hidden'] = np.zeros((1, *card.hidden), np.float32)
            return inputs

    path = model.with_stem(f'{model.stem}_int8')
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / 'prepared.onnx'
        quant_pre_process(str(model), str(prepared))
        quantization.quantize_static(
            str(prepared),
            str(path),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
        )
    strip_origins(path)
    return _lesser_card(card, path)


def halve(model: Path) -> ModelCard:
    """Write NAME_float16.onnx and its card beside a model, for GPUs and ARM boards.

    Input and output stay float32.

    Raises:
        ModelError: the model is missing or broken.
    """
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    card = load_card(model)
    path = model.with_stem(f'{model.stem}_float16')
    onnx.save(convert_float_to_float16(onnx.load(model), keep_io_types=True), path)
    strip_origins(path)
    return _lesser_card(card, path)


def _lesser_card(card: ModelCard, path: Path) -> ModelCard:
    lesser = replace(card, name=path.stem, sha256=file_hash(path), figures={})
    lesser.save(path.with_suffix('.yaml'))
    return lesser
