"""What to train, on what, for how long: one YAML file, one frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.errors import ConfigurationError
from mav_perception.io.settings import settings_of
from mav_perception.io.yaml_files import read_yaml
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.preprocessing import Preprocessing
from mav_perception.training.losses import LOSSES

CROPS_ON = ('auto', 'cpu', 'device')
PRECISIONS = ('auto', 'float32', 'bfloat16')

RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(
        ('background_share', 'target_crops', 'saturation', 'hard_crops', 'rendered_share'), (0, 1)
    ),
    **dict.fromkeys(('epochs', 'batch_size', 'crops_per_image', 'validate_every'), (1, 1e6)),
    **dict.fromkeys(('workers', 'mine_every', 'patience', 'rendered_images'), (0, 1e6)),
    **dict.fromkeys(('pasted', 'clutter'), (0, 100)),
    'crop': (8, 4096),
    'learning_rate': (1e-9, 10),
    'weight_decay': (0, 10),
    'turn_degrees': (0, 180),
    'colour': (0, 10),
    'lens_degrees': (0, 359),
    'average': (0, 0.999999),
}
"""Setting -> least and greatest value that means anything."""


@dataclass(frozen=True)
class TrainingConfiguration:
    """All settings of one training run.

    Attributes:
        name: name of the run and of the exported model.
        network: registry name of the architecture.
        labels: label space.
        train: folder with images/ and labels/, or 'rendered' for simulated images.
        val: the same, to choose the best epoch on.
        training_data: in words, for the model card; empty for the path and the number of images.
        height, width, channels: network input.
        window: rows and columns of the exported network's input if it is to refine crops of
            another model, at the scale at which an image fits height and width; else empty.
        backgrounds: folder of images without a target, from anywhere; empty for none.
        background_share: share of the crops that come from there.
        val_backgrounds: the same, to count false blobs on; empty for none.
        crop: rows and columns of a training crop.
        epochs, batch_size, learning_rate, weight_decay: of AdamW with a one-cycle schedule.
        crops_per_image: crops of every training image in an epoch.
        loss: weight of each loss; the names are those of `training.losses.LOSSES`.
        class_weights: one a class; empty means balanced by the label share in `train`.
        zoom: smallest and largest magnification of a crop.
        target_crops: share of crops that lie around a target, of every class in the image as many.
        turn_degrees: standard deviation of the roll of a crop.
        upside_down: mirror half of the crops from top to bottom, where a camera knows no up.
        colour: standard deviation of the log gain of one colour against the others.
        saturation: share of crops whose colours get weaker or stronger, 0 to 1.5 times.
        hard_crops: share of crops that lie around a false blob of the network so far.
        mine_every: epochs between searches for those false blobs; 0 never searches.
        pasted: mean number of targets pasted into a crop from other images.
        clutter: mean number of things that are no target drawn into a crop.
        lens_degrees: horizontal field of view of an equidistant fisheye lens that the crops are
            re-rendered through; 0 for images without such a lens.
        rendered_share: share of crops that come from the simulator instead of `train`.
        rendered_images: images in an epoch where `train` is 'rendered'.
        average: decay of the moving average of the weights that is validated and kept.
        patience: validations without a better result before the run stops; 0 never stops early.
        start_from: checkpoint of `train` whose weights this run starts from, by path or, if it
            came with a model, by name; empty for none.
        workers: threads that cut and change crops ahead of the training; 0 for none.
        crops_on: where crops are cut and changed: 'cpu' by the workers, 'device' in batches where
            the network trains, 'auto' on the device if it is a GPU; rendered ones always by 'cpu'.
        precision: 'auto' is bfloat16 on a GPU and float32 elsewhere.
        validate_every: epochs between validations.
        seed: of weights, order and augmentation.
    """

    name: str
    network: str
    labels: str
    train: str
    val: str
    training_data: str = ''
    height: int = 512
    width: int = 640
    channels: int = 1
    backgrounds: str = ''
    background_share: float = 0.3
    val_backgrounds: str = ''
    window: tuple[int, ...] = ()
    crop: tuple[int, int] = (256, 320)
    epochs: int = 40
    batch_size: int = 8
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    crops_per_image: int = 1
    loss: dict[str, float] = field(default_factory=lambda: {'focal': 1.0, 'dice': 1.0})
    class_weights: tuple[float, ...] = ()
    zoom: tuple[float, float] = (0.7, 1.4)
    target_crops: float = 0.67
    turn_degrees: float = 8.0
    upside_down: bool = False
    colour: float = 0.05
    saturation: float = 0.0
    hard_crops: float = 0.0
    mine_every: int = 0
    pasted: float = 0.0
    clutter: float = 0.0
    lens_degrees: float = 0.0
    rendered_share: float = 0.0
    rendered_images: int = 600
    average: float = 0.995
    patience: int = 0
    start_from: str = ''
    workers: int = 1
    crops_on: str = 'auto'
    precision: str = 'auto'
    validate_every: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what one setting alone can get wrong."""
        unknown = sorted(set(self.loss) - set(LOSSES))
        if unknown or not self.loss:
            raise ConfigurationError(
                f'loss {unknown}: give one or more of {", ".join(LOSSES)} with their weights.'
            )
        classes = label_space(self.labels).size
        if self.class_weights and len(self.class_weights) != classes:
            raise ConfigurationError(f'class_weights needs {classes} numbers or none.')
        if Path(self.name).name != self.name or self.name in ('', '.', '..'):
            raise ConfigurationError(
                f'name {self.name!r} names files: letters, digits and no slashes.'
            )
        self._check_ranges()
        if self.precision not in PRECISIONS:
            raise ConfigurationError(f'precision must be one of {", ".join(PRECISIONS)}.')
        if self.crops_on not in CROPS_ON:
            raise ConfigurationError(f'crops_on must be one of {", ".join(CROPS_ON)}.')
        if self.height % 32 or self.width % 32 or min(self.height, self.width) < 32:
            raise ConfigurationError(
                f'{self.height}x{self.width} must be positive multiples of 32; images of any size '
                'fit it.'
            )
        if self.window and (len(self.window) != 2 or any(n % 32 or n < 32 for n in self.window)):
            raise ConfigurationError(f'window {self.window} must be two multiples of 32, or none.')
        if not 0.0 < self.zoom[0] <= self.zoom[1] < np.inf:
            raise ConfigurationError(f'zoom {self.zoom} must be two positive numbers in order.')
        weights = (*self.class_weights, *self.loss.values())
        if not all(0.0 <= weight < np.inf for weight in weights) or not sum(self.loss.values()):
            raise ConfigurationError(
                'loss and class_weights are numbers from 0 on, of the losses one above 0.'
            )

    def _check_ranges(self) -> None:
        """Refuse numbers outside of `RANGES`."""
        for name, (low, high) in RANGES.items():
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if not low <= value <= high:
                    raise ConfigurationError(
                        f'{name} is {value:g}: it must be {low:g} to {high:g}.'
                    )

    @property
    def preprocessing(self) -> Preprocessing:
        """Return the network's input format."""
        return Preprocessing(
            height=self.height,
            width=self.width,
            channels=self.channels,
            mean=0.45,
            std=0.25,
        )


def load_training_configuration(path: Path) -> TrainingConfiguration:
    """Read and check a training YAML.

    Raises:
        ConfigurationError: unreadable file, unknown or missing key, impossible value.
    """
    values = read_yaml(path, 'training configuration')
    if not isinstance(values, dict):
        raise ConfigurationError(f'{path} must be a YAML mapping of training settings.')
    known = {f.name for f in fields(TrainingConfiguration)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigurationError(
            f'{path}: unknown key {unknown[0]!r}; known keys: {", ".join(sorted(known))}.'
        )
    return settings_of(TrainingConfiguration, values, path)


def configuration_from_dict(values: dict[str, Any]) -> TrainingConfiguration:
    """Build a configuration from plain values, lists given for tuples."""
    settings: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return TrainingConfiguration(**settings)
