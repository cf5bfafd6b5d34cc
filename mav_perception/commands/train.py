"""Train a network from a YAML of settings; the best epoch on val is kept.

On several GPUs or machines, start it with torchrun; each process takes its share of the crops.

Examples:
  mav-perception train config/training/drone.yaml --runs runs --resume
  torchrun --nproc-per-node 2 -m mav_perception.cli train config/training/drone.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mav_perception.commands.command_parser import at_least
from mav_perception.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('configuration', type=Path, metavar='CONFIG.yaml')
    parser.add_argument('--runs', type=Path, default=Path('runs'), help='folder of all runs')
    before = parser.add_mutually_exclusive_group()
    before.add_argument('--resume', action='store_true', help='go on after the last epoch')
    before.add_argument('--overwrite', action='store_true', help='replace an earlier run')
    parser.add_argument('--threads', type=at_least(1), default=2, help='CPU threads')


def run(arguments: argparse.Namespace) -> int:
    """Train and say where the best checkpoint is."""
    from mav_perception.training import distributed
    from mav_perception.training.configuration import load_training_configuration
    from mav_perception.training.trainer import Trainer

    configuration = load_training_configuration(arguments.configuration)
    folder = arguments.runs / configuration.name
    earlier = [f for f in (folder / 'last.pt', folder / 'best.pt') if f.is_file()]
    if earlier and not (arguments.resume or arguments.overwrite):
        raise ConfigurationError(
            f'{folder} holds an earlier run: give --resume to go on with it, --overwrite to '
            'replace it, or another folder for --runs.'
        )
    distributed.start(arguments.threads)
    try:
        trainer = Trainer(configuration, folder, arguments.resume)
        # Only now: an earlier run must not go for one that cannot begin.
        if arguments.overwrite and distributed.is_first():
            for name in ('last.pt', 'best.pt'):
                (folder / name).unlink(missing_ok=True)
        best = trainer.run()
        if distributed.is_first():
            print(f'best target IoU {trainer.best_iou:.4f}, epoch {trainer.best_epoch}: {best}')
    finally:
        distributed.stop()
    return 0
