"""Train a network: seeded epochs, checkpoints that resume exactly, metrics a line an epoch."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from mav_perception.errors import ConfigurationError
from mav_perception.evaluation.segmentation import SegmentationScore
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.networks import build_network
from mav_perception.segmentation.segmenter import mask_from_logits
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import (
    LabelledFolder,
    RenderedImages,
    Source,
    TrainingCrops,
)
from mav_perception.training.losses import segmentation_loss

VALIDATION_SEED = 987_654
VALIDATION_IMAGES = 120


class Trainer:
    """One training run in one folder: `last.pt`, `best.pt` and `metrics.csv`."""

    def __init__(self, configuration: TrainingConfiguration, folder: Path, resume: bool) -> None:
        """Open data and network; with `resume`, go on after the last finished epoch."""
        self._configuration = configuration
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._device = 'cuda' if torch.cuda.is_available() else 'cpu'
        torch.manual_seed(configuration.seed)
        classes = label_space(configuration.labels).size
        self.network = build_network(configuration.network, configuration.channels, classes)
        # Channels last is up to twice as fast for these networks on a CPU.
        self.network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        train = self._source(
            configuration.train, configuration.rendered_images, configuration.seed
        )
        self._validation = self._source(configuration.val, VALIDATION_IMAGES, VALIDATION_SEED)
        self._crops = TrainingCrops(
            train, configuration.preprocessing, configuration.crop, configuration.seed
        )
        self._steps = max(1, len(train) // configuration.batch_size)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), weight_decay=configuration.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser,
            configuration.learning_rate,
            total_steps=configuration.epochs * self._steps,
        )
        self.epoch, self.best_iou = 0, -1.0
        if resume and (folder / 'last.pt').is_file():
            self._restore(folder / 'last.pt')

    def run(self) -> Path:
        """Train the epochs that are left and return the path of the best checkpoint."""
        for epoch in range(self.epoch, self._configuration.epochs):
            loss = self._train_epoch(epoch)
            self.epoch = epoch + 1
            row: dict[str, Any] = {'epoch': self.epoch, 'loss': round(loss, 5)}
            last = self.epoch == self._configuration.epochs
            if last or self.epoch % self._configuration.validate_every == 0:
                row |= self._validate()
            self._log(row)
            self._save(self._folder / 'last.pt')
        return self._folder / 'best.pt'

    def _source(self, where: str, count: int, seed: int) -> Source:
        preprocessing = self._configuration.preprocessing
        if where == 'rendered':
            return RenderedImages(count, preprocessing, seed)
        return LabelledFolder(Path(where), preprocessing)

    def _train_epoch(self, epoch: int) -> float:
        self.network.train()
        self._crops.epoch = epoch
        order = torch.Generator().manual_seed(self._configuration.seed * 100_003 + epoch)
        batches = DataLoader(
            self._crops,
            self._configuration.batch_size,
            shuffle=True,
            generator=order,
            drop_last=len(self._crops) >= self._configuration.batch_size,
        )
        total = 0.0
        progress = tqdm(batches, desc=f'epoch {epoch + 1}', leave=False, mininterval=2.0)
        for images, labels in progress:
            logits = self.network(images.to(self._device, memory_format=torch.channels_last))
            loss = segmentation_loss(
                logits, labels.to(self._device), self._configuration.class_weights
            )
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimiser.step()
            self._schedule.step()
            total += float(loss.detach())
            progress.set_postfix(loss=f'{float(loss.detach()):.3f}')
        return total / max(len(batches), 1)

    @torch.no_grad()
    def _validate(self) -> dict[str, Any]:
        self.network.eval()
        score = SegmentationScore.of_classes(label_space(self._configuration.labels).size)
        preprocessing = self._configuration.preprocessing
        for index in range(len(self._validation)):
            image, labels = self._validation.sample(index, 0)
            padded = np.full((preprocessing.height, preprocessing.width), 255, np.uint8)
            padded[: labels.shape[0], : labels.shape[1]] = labels
            tensor = torch.from_numpy(preprocessing.normalise(image)).to(self._device)
            score.add(mask_from_logits(self.network(tensor)[0].cpu().numpy()), padded)
        figures = score.figures()
        target_iou = float(np.mean(score.iou[1:]))
        if target_iou > self.best_iou:
            self.best_iou = target_iou
            self._save(self._folder / 'best.pt')
        return {'target_iou': round(target_iou, 4), **figures}

    def _log(self, row: dict[str, Any]) -> None:
        columns = ['epoch', 'loss', 'target_iou', 'mean_iou', 'p_d', 'false_per_frame']
        path = self._folder / 'metrics.csv'
        new = not path.exists() or row['epoch'] == 1
        with path.open('w' if new else 'a', newline='') as stream:
            writer = csv.DictWriter(stream, columns, extrasaction='ignore')
            if new:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write('  '.join(f'{key} {row[key]}' for key in columns if key in row))

    def _save(self, path: Path) -> None:
        """Write a checkpoint; a crash in the middle leaves the old one whole."""
        temporary = path.with_suffix('.part')
        torch.save(
            {
                'configuration': asdict(self._configuration),
                'epoch': self.epoch,
                'best_iou': self.best_iou,
                'network': self.network.state_dict(),
                'optimiser': self._optimiser.state_dict(),
                'schedule': self._schedule.state_dict(),
            },
            temporary,
        )
        temporary.replace(path)

    def _restore(self, path: Path) -> None:
        state = torch.load(path, map_location=self._device, weights_only=True)
        if state['configuration'] != asdict(self._configuration):
            raise ConfigurationError(
                f'{path} was made with other settings: train into another folder or drop --resume.'
            )
        self.network.load_state_dict(state['network'])
        self._optimiser.load_state_dict(state['optimiser'])
        self._schedule.load_state_dict(state['schedule'])
        self.epoch, self.best_iou = state['epoch'], state['best_iou']
