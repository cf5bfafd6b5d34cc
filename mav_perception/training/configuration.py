"""What to train, on what, for how long: one YAML file, one frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from mav_perception.errors import ConfigurationError
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.preprocessing import Preprocessing


@dataclass(frozen=True)
class TrainingConfiguration:
    """All settings of one training run.

    Attributes:
        name: name of the run and of the exported model.
        network: registry name of the architecture.
        labels: label space.
        train: folder with images/ and labels/, or 'rendered' for simulated images.
        val: the same, to choose the best epoch on.
        height, width, channels: network input.
        crop: rows and columns of a training crop.
        class_weights: one a class, for the focal loss.
        epochs, batch_size, learning_rate, weight_decay: of AdamW with a one-cycle schedule.
        rendered_images: images in an epoch where train is 'rendered'.
        validate_every: epochs between validations.
        seed: of weights, order and augmentation.
        training_data: in words, for the model card.
    """

    name: str
    network: str
    labels: str
    train: str
    val: str
    training_data: str
    height: int = 512
    width: int = 640
    channels: int = 1
    crop: tuple[int, int] = (256, 320)
    class_weights: tuple[float, ...] = (1.0, 4.0)
    epochs: int = 40
    batch_size: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    rendered_images: int = 600
    validate_every: int = 2
    seed: int = 0

    @property
    def preprocessing(self) -> Preprocessing:
        """Return the network's input format."""
        return Preprocessing(self.height, self.width, self.channels, 0.45, 0.25)


def load_training_configuration(path: Path) -> TrainingConfiguration:
    """Read and check a training YAML.

    Raises:
        ConfigurationError: unreadable file, unknown or missing key, wrong number of weights.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read training configuration {path}: {error}') from error
    if not isinstance(values, dict):
        raise ConfigurationError(f'{path} must be a YAML mapping of training settings.')
    known = {f.name for f in fields(TrainingConfiguration)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigurationError(
            f'{path}: unknown key {unknown[0]!r}; known keys: {", ".join(sorted(known))}.'
        )
    try:
        configuration = configuration_from_dict(values)
    except TypeError as error:
        raise ConfigurationError(f'{path}: {error}.') from error
    classes = label_space(configuration.labels).size
    if len(configuration.class_weights) != classes:
        raise ConfigurationError(f'{path}: class_weights needs {classes} numbers.')
    return configuration


def configuration_from_dict(values: dict[str, Any]) -> TrainingConfiguration:
    """Build a configuration from plain values, lists given for tuples."""
    settings: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return TrainingConfiguration(**settings)
