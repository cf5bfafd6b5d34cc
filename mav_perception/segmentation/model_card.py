"""Model files: an ONNX network and the YAML card beside it that says all one must know to run it.

A model is named by its folder-less name ('drone'), found in the models folders, or by a path.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mav_perception.errors import ModelError, did_you_mean
from mav_perception.io.files import write_text
from mav_perception.resources import share_folders
from mav_perception.segmentation.labels import LabelSpace, label_space
from mav_perception.segmentation.preprocessing import Preprocessing

SCORES = ('', 'logits', 'probabilities')
"""What a card may say of the scores of a network."""


@dataclass(frozen=True)
class ModelCard:
    """What a model is, expects and reached.

    Attributes:
        name: name of the model, also of its files.
        network: registry name of its architecture.
        labels: name of its label space.
        height, width, channels, mean, std: see `Preprocessing`.
        parameters: number of trained weights.
        training_data: what it was trained on, in words.
        sha256: hash of the ONNX file.
        temperature: divides the logits, so that the confidence is true on val.
        min_score: blobs of lower mean confidence are no detections: the operating point that
            `export --backgrounds` chose; 0 takes every blob.
        look: name of the model, in the same folder, that refines what this one sees
            (`CropRefiner`); empty for none.
        look_magnification: how much larger that model sees things than this one.
        without_ties: what that number would be if every use of a tied weight had its own; 0 if
            it was not counted.
        hidden: (C, h, w) of the state that a network for video carries on; empty for others.
        scores: what the network gives of each class, one of `SCORES`; empty if that shall be
            found out by asking it once, which takes logits that all happen to lie between 0 and
            1 for probabilities.
        figures: measured results, such as the IoU of the target class on val.
    """

    name: str
    network: str
    labels: str
    height: int
    width: int
    channels: int
    mean: float
    std: float
    parameters: int
    training_data: str
    sha256: str
    temperature: float = 1.0
    min_score: float = 0.0
    look: str = ''
    look_magnification: float = 2.0
    without_ties: int = 0
    hidden: tuple[int, ...] = ()
    scores: str = ''
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def preprocessing(self) -> Preprocessing:
        """Return the input format."""
        return Preprocessing(
            height=self.height,
            width=self.width,
            channels=self.channels,
            mean=self.mean,
            std=self.std,
        )

    @property
    def label_space(self) -> LabelSpace:
        """Return the classes."""
        return label_space(self.labels)

    def save(self, path: Path) -> None:
        """Write the card as YAML."""
        write_text(path, yaml.safe_dump(asdict(self), sort_keys=False))


def models_folders() -> list[Path]:
    """Return the folders that are searched for models, the most specific first."""
    own = [Path(p) for p in os.environ.get('MAV_PERCEPTION_MODELS', '').split(os.pathsep) if p]
    return own + share_folders('models')


def find_model(name: str) -> Path:
    """Return the ONNX file of a model given by name or by path.

    Raises:
        ModelError: there is none; the message lists where it looked and what there is.
    """
    direct = Path(name).expanduser()
    if direct.suffix == '.onnx' and direct.is_file():
        return direct
    folders = models_folders()
    for folder in folders:
        if (folder / f'{name}.onnx').is_file():
            return folder / f'{name}.onnx'
    known = sorted({p.stem for folder in folders for p in folder.glob('*.onnx')})
    searched = ', '.join(str(f) for f in folders)
    raise ModelError(
        f'No weights file for model {name!r}{did_you_mean(name, known)} Known models: '
        f'{", ".join(known) or "none"}. Give '
        f'one of them or a path to an .onnx file, or put it in a models folder: {searched}.'
    )


def load_card(model: Path) -> ModelCard:
    """Read the card beside an ONNX file and check that it belongs to it.

    Raises:
        ModelError: the card is missing or broken, or the weights are not those it describes.
    """
    path = model.with_suffix('.yaml')
    try:
        values = yaml.safe_load(path.read_text())
        card = ModelCard(**values | {'hidden': tuple(values.get('hidden', ()))})
        card.label_space  # noqa: B018 - raises if the label space is unknown
        if not 1.0 < card.look_magnification < np.inf:
            raise TypeError(f'look_magnification {card.look_magnification} must be above 1')
        if card.scores not in SCORES:
            raise TypeError(f'scores {card.scores!r} must be one of {", ".join(SCORES[1:])}')
    except FileNotFoundError:
        raise ModelError(f'{model} has no card: export it again to write {path}.') from None
    except (OSError, TypeError, AttributeError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(
            f'{path} is not a model card ({error}): export the model again.'
        ) from error
    if file_hash(model) != card.sha256:
        raise ModelError(
            f'{model} is not the file that {path} describes (sha256 differs): the file is broken '
            'or was replaced. Export the model again or restore both files.'
        )
    return card


def load_look_card(path: Path, look: str, labels: str) -> ModelCard:
    """Read the card of the look of a model.

    Args:
        path: ONNX file of the model that is refined.
        look: name of the one beside it that refines.
        labels: label space of the model.

    Raises:
        ModelError: there is none, or it tells other labels apart.
    """
    beside = path.with_name(f'{look}.onnx')
    if not beside.is_file():
        raise ModelError(
            f'There is no {look} in {path.parent}: copy its .onnx and .yaml there first.'
        )
    card = load_card(beside)
    if card.labels != labels:
        raise ModelError(
            f'{path.stem} tells {labels} apart and its look {look} tells {card.labels}: export it '
            'with a look of the same labels.'
        )
    return card


def file_hash(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
