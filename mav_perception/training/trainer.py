"""Train a network: seeded epochs, an averaged network, checkpoints that resume exactly."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from mav_perception.errors import ConfigurationError
from mav_perception.io.files import written_whole
from mav_perception.segmentation.checkpoint import load_state
from mav_perception.segmentation.labels import label_space
from mav_perception.training import distributed
from mav_perception.training.clips import drifting_clip
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import (
    LabelledFolder,
    Source,
    class_pixels,
)
from mav_perception.training.ema import MovingAverage
from mav_perception.training.loading import EpochBatches
from mav_perception.training.losses import balanced_weights, training_loss
from mav_perception.training.sources import (
    first_network,
    training_crops,
    training_source,
    validation_backgrounds,
    validation_source,
)
from mav_perception.training.training_log import TrainingLog
from mav_perception.training.validation import false_blobs, mine_false_blobs, validate


class Trainer:
    """One training run in one folder: `last.pt`, `best.pt`, `metrics.csv` and pictures.

    Started by `torchrun`, every process trains on its share of the crops and the gradients are
    averaged; the first process alone validates and writes.
    """

    def __init__(
        self,
        configuration: TrainingConfiguration,
        folder: Path,
        resume: bool,
        sources: tuple[Source, Source] | None = None,
    ) -> None:
        """Open data and network; with `resume`, go on after the last finished epoch.

        `sources` for train and val take the place of what the configuration names.
        """
        self._settings = settings = configuration
        self._folder = folder
        self._device = distributed.device()
        torch.manual_seed(settings.seed)
        self.classes = label_space(settings.labels).size
        network = first_network(settings)
        # Channels last is up to twice as fast for these networks on a CPU.
        self.network = network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._train, self._validation = sources or (
            training_source(settings),
            validation_source(settings),
        )
        if not settings.training_data:
            told = f'{settings.train}, {len(self._train)} images'
            self._settings = settings = replace(settings, training_data=told)
        problems = self._train.problems + self._validation.problems
        self._elsewhere = validation_backgrounds(settings, problems)
        self._log = TrainingLog(folder, settings.labels)
        self._log.problems(problems)
        self._weights = self._class_weights().to(self._device)
        self._crops, self._workers = training_crops(self._train, settings, self._device)
        self._steps = max(1, len(self._crops) // (settings.batch_size * distributed.processes()))
        self._optimiser, self._schedule = self._optimisation()
        self._average = MovingAverage(self.network, settings.average)
        self.epoch, self.best_iou, self.best_epoch = 0, -1.0, 0
        if resume and (folder / 'last.pt').is_file():
            self._restore(folder / 'last.pt')
        self._replica: nn.Module = self.network
        if distributed.processes() > 1:
            self._replica = DistributedDataParallel(self.network)

    def run(self) -> Path:
        """Train the epochs that are left and return the path of the best checkpoint."""
        self._log.begin(self.epoch)
        while self.epoch < self._settings.epochs and not self._out_of_patience():
            self._mine()
            row: dict[str, Any] = self._train_epoch(self.epoch)
            self.epoch += 1
            if distributed.is_first():
                self._finish_epoch(row)
            distributed.wait_for_all()
        self._log.close()
        return self._folder / 'best.pt'

    def _optimisation(self) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.OneCycleLR]:
        """Return AdamW with a one-cycle schedule over all epochs."""
        settings = self._settings
        optimiser = torch.optim.AdamW(
            self.network.parameters(), weight_decay=settings.weight_decay, fused=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            settings.learning_rate,
            total_steps=settings.epochs * self._steps,
            # Of ten steps a tenth would be one, and PyTorch divides by one less.
            pct_start=0.1 if settings.epochs * self._steps != 10 else 0.2,
        )
        return optimiser, schedule

    def _class_weights(self) -> Tensor:
        if self._settings.class_weights:
            return torch.tensor(self._settings.class_weights)
        if isinstance(self._train, LabelledFolder):
            return balanced_weights(class_pixels(self._train, self.classes))
        return torch.ones(self.classes)

    def _train_epoch(self, epoch: int) -> dict[str, Any]:
        """Take one step a batch; one without a finite gradient changes no weight, and is counted.

        Nothing here asks for a number before the end: a GPU would have to be waited for.
        """
        self._replica.train()
        # Of dropout and of drifting clips, so that a run that was resumed goes on as it would.
        torch.manual_seed(self._settings.seed + 1_000_003 * epoch + distributed.rank())
        total, bad = torch.zeros((2, 1), device=self._device)
        loader = EpochBatches(self._crops, epoch, self._settings, self._workers)
        for step, (images, labels) in enumerate(
            tqdm(loader, desc=f'epoch {epoch + 1}', leave=False, mininterval=5.0, disable=None)
        ):
            loss = self._loss(images, labels)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            slope = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            skip = distributed.anywhere(~torch.isfinite(loss.detach() + slope))
            # A fused optimiser takes no step where this is not 0.
            setattr(self._optimiser, 'found_inf', skip)  # noqa: B010
            self._optimiser.step()
            if epoch * self._steps + step < self._settings.epochs * self._steps - 1:
                self._schedule.step()
            self._average.update()
            total += torch.where(skip > 0, 0.0, loss.detach())
            bad += skip
        steps = max(len(loader) - int(bad), 1)
        return {
            'epoch': epoch + 1,
            'loss': round(float(total) / steps, 5),
            'bad_batches': int(bad),
        }

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        wanted = self._settings.precision
        half = wanted == 'bfloat16' or (wanted == 'auto' and self._device.type == 'cuda')
        images = images.to(self._device, memory_format=torch.channels_last)
        frames = getattr(self.network, 'clip', 1)
        if frames > 1:
            images, labels = drifting_clip(images, labels, frames)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            output = self._replica(images)
        return training_loss(output, labels.to(self._device), self._weights, self._settings.loss)

    def _finish_epoch(self, row: dict[str, Any]) -> None:
        last = self.epoch == self._settings.epochs
        if last or self.epoch % self._settings.validate_every == 0:
            result = validate(self._average.network, self._validation, self._settings)
            row |= result.figures
            if self._elsewhere:
                network = self._average.network
                row['false_elsewhere'] = false_blobs(network, self._elsewhere, self._settings)
            if result.target_iou > self.best_iou:
                self.best_iou, self.best_epoch = result.target_iou, self.epoch
                self._save(self._folder / 'best.pt', self._average.network)
                self._log.picture(result.examples, self.epoch)
        self._log.row(row)
        self._save(self._folder / 'last.pt', self.network)

    def _out_of_patience(self) -> bool:
        """Tell whether val has not improved for `patience` validations; the first one decides."""
        patience = self._settings.patience * self._settings.validate_every
        return distributed.first_says(0 < patience <= self.epoch - self.best_epoch)

    def _mine(self) -> None:
        every = self._settings.mine_every
        due = every and self.epoch and self.epoch % every == 0
        if due and isinstance(self._train, LabelledFolder):
            found = mine_false_blobs(self._average.network, self._train, self._settings)
            if distributed.is_first():
                tqdm.write(f'{found} false blobs in the training images to crop around')

    def _save(self, path: Path, network: nn.Module) -> None:
        """Write a checkpoint; a crash in the middle leaves the old one whole."""
        state = {
            'configuration': asdict(self._settings),
            'epoch': self.epoch,
            'best_iou': self.best_iou,
            'best_epoch': self.best_epoch,
            'network': network.state_dict(),
        }
        if path.name == 'last.pt':
            state |= {
                'average': self._average.network.state_dict(),
                'steps': self._average.steps,
                'optimiser': self._optimiser.state_dict(),
                'schedule': self._schedule.state_dict(),
                'hard': self._hard(),
            }
        with written_whole(path) as part:
            torch.save(state, part)

    def _hard(self) -> list[Tensor]:
        pictures = self._train.pictures if isinstance(self._train, LabelledFolder) else []
        return [torch.from_numpy(picture.hard) for picture in pictures]

    def _restore(self, path: Path) -> None:
        state = load_state(path, self._device)
        settings = asdict(self._settings)
        beside = {'workers': self._settings.workers}  # how many, changes no result
        if state['configuration'].keys() != settings.keys() or 'steps' not in state:
            raise ConfigurationError(
                f'{path} was made by another version of mav_perception, and cannot be gone on '
                'with: train into another folder, or start from its best.pt.'
            )
        if state['configuration'] | beside != settings:
            raise ConfigurationError(
                f'{path} was made with other settings: train into another folder or drop --resume.'
            )
        if len(state['hard']) != len(self._hard()):
            raise ConfigurationError(
                f'{path} was made on {len(state["hard"])} pictures, now there are '
                f'{len(self._hard())}: bring them back, or train into another folder.'
            )
        self.network.load_state_dict(state['network'])
        self._average.network.load_state_dict(state['average'])
        self._average.steps = state['steps']
        self._optimiser.load_state_dict(state['optimiser'])
        self._schedule.load_state_dict(state['schedule'])
        self.epoch, self.best_iou = state['epoch'], state['best_iou']
        self.best_epoch = state['best_epoch']
        if isinstance(self._train, LabelledFolder):
            for index, centres in enumerate(state['hard']):
                self._train.remember_hard(index, centres.cpu().numpy())
