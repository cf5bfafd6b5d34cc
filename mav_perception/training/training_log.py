"""What a training run leaves to look at: a line an epoch, its curves, and pictures of val."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from mav_perception.io.files import write_text, written_whole
from mav_perception.segmentation.labels import label_space
from mav_perception.training import distributed
from mav_perception.training.validation import Example

matplotlib.use('Agg')

COLUMNS = (
    'epoch',
    'loss',
    'bad_batches',
    'target_iou',
    'mean_iou',
    'p_d',
    'false_per_frame',
    'false_elsewhere',
    'iou',
)


class TrainingLog:
    """`metrics.csv`, `curves.png`, `predictions.jpg` and TensorBoard events of a run."""

    def __init__(self, folder: Path, labels: str) -> None:
        """Write into a folder, which is made if need be."""
        self._folder, self._labels = folder, label_space(labels)
        self._board: SummaryWriter
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, done: int) -> None:
        """Open the events, after so many epochs.

        Events and rows of a run before, and of epochs that a crash has repeated, are forgotten.
        """
        if not distributed.is_first():
            return
        if not done:
            for path in self._folder.glob('events.out.tfevents.*'):
                path.unlink()
        self._forget_rows_after(done)
        self._board = SummaryWriter(str(self._folder), purge_step=done + 1)

    def _forget_rows_after(self, done: int) -> None:
        path = self._folder / 'metrics.csv'
        if not path.is_file():
            return
        with path.open(newline='') as stream:
            rows = [
                row
                for row in csv.DictReader(stream)
                if (row.get('epoch') or '').isdigit() and int(row['epoch']) <= done
            ]
        with written_whole(path) as part, part.open('w', newline='') as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def close(self) -> None:
        """Finish the events."""
        if distributed.is_first():
            self._board.close()

    def problems(self, problems: list[str]) -> None:
        """Report samples that were left out, each with its reason."""
        if not distributed.is_first():
            return
        path = self._folder / 'problems.txt'
        if not problems:
            path.unlink(missing_ok=True)  # of a run before
            return
        tqdm.write(f'{len(problems)} samples cannot be used and are left out:')
        for problem in problems:
            tqdm.write(f'  {problem}')
        write_text(path, '\n'.join(problems) + '\n')

    def row(self, row: dict[str, Any]) -> None:
        """Append an epoch to the table, draw the curves again and print it."""
        path = self._folder / 'metrics.csv'
        new = not path.exists()
        with path.open('a', newline='') as stream:
            writer = csv.DictWriter(stream, COLUMNS, extrasaction='ignore')
            if new:
                writer.writeheader()
            writer.writerow(row)
        tqdm.write('  '.join(f'{key} {row[key]}' for key in COLUMNS if key in row))
        self._add_scalars(row)
        if 'target_iou' in row:
            self._draw_curves(path)

    def picture(self, examples: list[Example], epoch: int) -> None:
        """Show validation images: the labels painted on the left, the network's on the right."""
        pairs = []
        for example in examples:
            guess = np.where(example.labels == 255, 255, example.guess).astype(np.uint8)
            sides = (self._labels.overlay(example.image, m) for m in (example.labels, guess))
            pairs.append(np.hstack(list(sides)))
        sheet = np.vstack(pairs)
        cv2.imwrite(str(self._folder / 'predictions.jpg'), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        self._board.add_image('predictions', sheet, epoch, dataformats='HWC')

    def _add_scalars(self, row: dict[str, Any]) -> None:
        for name, value in row.items():
            if name == 'iou':
                for label, iou in zip(self._labels.names, value, strict=True):
                    self._board.add_scalar(f'iou/{label}', iou, row['epoch'])
            elif name != 'epoch':
                self._board.add_scalar(name, value, row['epoch'])
        self._board.flush()

    def _draw_curves(self, table: Path) -> None:
        from matplotlib import pyplot

        with table.open() as stream:
            rows = list(csv.DictReader(stream))
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5), layout='constrained')
        left.semilogy([int(r['epoch']) for r in rows], [float(r['loss']) for r in rows])
        left.set(xlabel='epoch', ylabel='training loss')
        measured = [r for r in rows if r['target_iou']]
        for name in ('target_iou', 'p_d'):
            right.plot(
                [int(r['epoch']) for r in measured], [float(r[name]) for r in measured], label=name
            )
        right.set(xlabel='epoch', ylim=(0.0, 1.0))
        right.legend()
        figure.savefig(self._folder / 'curves.png', dpi=90)
        pyplot.close(figure)
