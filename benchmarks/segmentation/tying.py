"""Every tie of the reading list against its untied twin: size, accuracy, speed, few images, video.

All networks share the light trunk of `tied_light` and one budget: the same steps, crops and
schedule, whatever the share of the training images. A finished run is kept in --runs and not
repeated, so the two data sets may run side by side:

  python benchmarks/segmentation/tying.py drone
  python benchmarks/segmentation/tying.py penstock
  python benchmarks/segmentation/tying.py report
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from networks import in_own_process
from tqdm import tqdm

from mav_perception.io.files import write_json
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.networks import build_network, count_parameters
from mav_perception.segmentation.tying import count_without_ties
from mav_perception.training import distributed
from mav_perception.training.clips import LIGHT, NOISE, pan
from mav_perception.training.configuration import load_training_configuration
from mav_perception.training.datasets import LabelledFolder, fitted_pair
from mav_perception.training.export import write_onnx
from mav_perception.training.trainer import Trainer
from mav_perception.training.validation import validate

NETWORKS = (
    'untied_light', 'tied_light', 'embedded', 'joint', 'mirrored', 'reflected', 'streaming',
    'equilibrium',
)  # fmt: skip
TWINS = {'mirrored': 'untied_light', 'reflected': 'mirrored', 'streaming': 'tied_light'}
"""What a network is held against, where that is not `untied_light`."""

SHARES = (0.1, 0.3, 1.0)
SEEDS = (0, 1, 2)
STEPS = 360
ITERATIONS = (1, 2, 3, 4, 6, 8, 12, 16)
CLIP, CLIP_IMAGES = 6, 24


def main() -> None:
    """Train and measure, or print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('what', choices=['drone', 'penstock', 'report'])
    parser.add_argument('--runs', type=Path, default=Path('runs/tying'))
    parser.add_argument('--steps', type=int, default=STEPS)
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--shares', type=float, nargs='+', default=list(SHARES))
    parser.add_argument('--networks', nargs='+', default=list(NETWORKS))
    parser.add_argument('--figures', type=Path, help='folder for the plots of the report')
    arguments = parser.parse_args()
    if arguments.what == 'report':
        report(arguments)
        return
    torch.set_num_threads(1)
    bench = Bench(arguments)
    # Seeds outermost: whatever is stopped early is complete for fewer seeds.
    runs = [
        (n, share, seed)
        for seed in SEEDS
        for share in arguments.shares
        for n in arguments.networks
    ]
    for network, share, seed in tqdm(runs, desc=arguments.what, mininterval=10.0):
        file = results_of(arguments, arguments.what) / f'{network}_{share}_{seed}.json'
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            figures = bench.run(network, share, seed)
            write_json(file, figures)


def results_of(arguments: argparse.Namespace, what: str) -> Path:
    """Return the folder of the finished runs of one budget."""
    return Path(arguments.runs / f'{arguments.steps}x{arguments.batch}' / what)


class Bench:
    """One data set in memory, and runs on shares of it."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Read the images."""
        base = load_training_configuration(Path(f'config/training/{arguments.what}.yaml'))
        self.base = replace(
            base, crop=(160, 192), batch_size=arguments.batch, pasted=0.0, clutter=0.0,
            hard_crops=0.0, mine_every=0, backgrounds='', val_backgrounds='', start_from='',
            learning_rate=0.004, average=0.99, turn_degrees=8.0, upside_down=False,
            colour=0.05, saturation=0.0,
        )  # fmt: skip
        self.steps, self.runs = arguments.steps, arguments.runs
        classes = label_space(base.labels).size
        self.train, self.val = (
            LabelledFolder(Path(folder), base.preprocessing, classes)
            for folder in (base.train, base.val)
        )

    def run(self, name: str, share: float, seed: int) -> dict[str, Any]:
        """Train one network on a share of the images and return its figures."""
        part = self.train.sample(share, seed)
        crops = max(1, round(self.steps / 6 * self.base.batch_size / len(part)))
        epoch_steps = len(part) * crops // self.base.batch_size
        epochs = max(1, round(self.steps / epoch_steps))
        settings = replace(
            self.base, network=name, seed=seed, epochs=epochs, crops_per_image=crops,
            validate_every=epochs,
        )  # fmt: skip
        folder = self.runs / 'work' / f'{self.base.name}_{name}'
        best = Trainer(settings, folder, False, (part, self.val)).run()
        state = torch.load(best, weights_only=True)
        network = build_network(name, settings.channels, label_space(settings.labels).size)
        network.load_state_dict(state['network'])
        network.to(distributed.device()).eval()
        figures: dict[str, Any] = {'iou': state['best_iou'], 'flicker': self.flicker(network)}
        if name == 'equilibrium' and share == 1.0:
            figures['anytime'] = self.anytime(network, settings)
        return figures

    def anytime(self, network: Any, settings: Any) -> dict[int, float]:
        """Return the IoU of the same weights after more and more iterations."""
        scores = {}
        for count in ITERATIONS:
            network.context.iterations = count
            scores[count] = validate(network, self.val, settings).target_iou
        return scores

    @torch.no_grad()
    def flicker(self, network: Any) -> float:
        """Return the share of target pixels that change while the camera pans over a still scene.

        Every frame has noise and light of its own; the masks are laid over one another again.
        """
        generator = torch.Generator().manual_seed(0)
        changed = seen = 0
        chosen = np.linspace(0, len(self.val) - 1, CLIP_IMAGES).astype(int)
        for index in chosen.tolist():
            image = fitted_pair(self.val.picture(index, 0), self.base.preprocessing)[0]
            still = torch.from_numpy(self.base.preprocessing.normalise(image))
            still = still.to(distributed.device())
            hidden = last = None
            for time in range(CLIP):
                frame = pan(still, 4 * time, 4 * time)
                light = LIGHT * torch.randn(1, generator=generator)
                noise = NOISE * torch.randn(frame.shape, generator=generator)
                frame = frame + (light + noise).to(frame.device)
                if hasattr(network, 'step'):
                    logits, hidden = network.step(frame, hidden)
                else:
                    logits = network(frame)
                mask = pan(logits.argmax(dim=1)[:, None], -time, -time)[..., 8:-8, 8:-8]
                if last is not None:
                    changed += int((mask != last).sum())
                    seen += int(((mask > 0) | (last > 0)).sum())
                last = mask
        return changed / max(seen, 1)


def report(arguments: argparse.Namespace) -> None:
    """Print the tables as Markdown and draw the plots."""
    results = {
        (data, network, share): values
        for data in ('drone', 'penstock')
        for network in arguments.networks
        for share in arguments.shares
        if (values := load_runs(results_of(arguments, data), network, share))
    }
    costs = {network: cost(arguments.runs, network) for network in arguments.networks}
    print(
        f'{arguments.steps} steps of {arguments.batch} crops of 160x192; target IoU (spread over '
        'seeds)'
    )
    print('\n| network | parameters | of twin | ms | MB | ' + ' | '.join(
        f'{data} {share:.0%}' for data in ('drone', 'penstock') for share in arguments.shares
    ) + ' | flicker |')  # fmt: skip
    print('| --- ' * (6 + 2 * len(arguments.shares)) + '|')
    for network in arguments.networks:
        row, twin = costs[network], costs[TWINS.get(network, 'untied_light')]
        cells = [network, f'{row["parameters"]:,}']
        cells.append(f'{row["parameters"] / twin["parameters"]:.0%}')
        cells += [f'{row["ms"]:.1f}', f'{row["MB"]:.0f}']
        for data in ('drone', 'penstock'):
            cells += [cell(results.get((data, network, share))) for share in arguments.shares]
        full = results.get(('drone', network, 1.0), [])
        cells.append(f'{np.mean([r["flicker"] for r in full]):.2f}' if full else '')
        print('| ' + ' | '.join(cells) + ' |')
    for network in arguments.networks:
        twin = TWINS.get(network, 'untied_light')
        for (data, name, share), values in results.items():
            other = results.get((data, twin, share))
            if name == network and other and network != 'untied_light':
                verdict(data, name, twin, share, values, other)
    if arguments.figures:
        draw(arguments.figures, results)


def load_runs(folder: Path, network: str, share: float) -> list[dict[str, Any]]:
    """Return the figures of all seeds that are there."""
    files = [folder / f'{network}_{share}_{seed}.json' for seed in SEEDS]
    return [json.loads(file.read_text()) for file in files if file.is_file()]


def cost(runs: Path, network: str) -> dict[str, float]:
    """Return parameters, and milliseconds and peak memory at 512x640 on 2 threads."""
    model = build_network(network, 1, 2).eval()
    path = runs / f'{network}.onnx'
    write_onnx(model, (1, 512, 640), path)
    rounds = [in_own_process(path, 'onnxruntime', 2) for _ in range(3)]
    return {
        'parameters': count_parameters(model),
        'without ties': count_without_ties(model),
        'ms': min(r['ms'] for r in rounds),
        'MB': rounds[0]['MB'],
    }


def cell(values: list[dict[str, Any]] | None) -> str:
    """Return mean and spread of the IoU."""
    if not values:
        return ''
    iou = [v['iou'] for v in values]
    return f'{np.mean(iou):.3f} ({np.std(iou):.3f})'


def verdict(
    data: str, name: str, twin: str, share: float, ours: list[Any], theirs: list[Any]
) -> None:
    """Say whether a tie keeps, wins or loses against its twin, by the spread over seeds."""
    mine, other = (np.array([v['iou'] for v in values]) for values in (ours, theirs))
    gain, spread = mine.mean() - other.mean(), max(mine.std(), other.std())
    word = 'wins' if gain > 2 * spread else 'loses' if gain < -2 * spread else 'keeps'
    print(f'- {data} {share:.0%}: {name} {word} against {twin}, {gain:+.3f} (spread {spread:.3f})')


def draw(folder: Path, results: dict[Any, list[dict[str, Any]]]) -> None:
    """Draw IoU over the share of images, and the anytime curve."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout='constrained')
    for axis, data in zip(axes, ('drone', 'penstock'), strict=False):
        for network in dict.fromkeys(key[1] for key in results):
            points = [
                (s, results[data, network, s]) for s in SHARES if (data, network, s) in results
            ]
            means = [np.mean([v['iou'] for v in values]) for _, values in points]
            style = '--' if network == 'untied_light' else '-'
            axis.plot([100 * s for s, _ in points], means, style, marker='o', ms=3, label=network)
        axis.set(title=data, xlabel='share of the training images, %', ylabel='target IoU')
        axis.set_xscale('log')
    axes[0].legend(fontsize=7)
    for data in ('drone', 'penstock'):
        curves = [
            r['anytime'] for r in results.get((data, 'equilibrium', 1.0), []) if 'anytime' in r
        ]
        if curves:
            counts = [int(c) for c in curves[0]]
            axes[2].plot(counts, np.mean([list(c.values()) for c in curves], axis=0), marker='o',
                         ms=3, label=data)  # fmt: skip
    axes[2].set(title='equilibrium, anytime', xlabel='iterations', ylabel='target IoU')
    axes[2].legend(fontsize=7)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / 'tying.png', dpi=110)


if __name__ == '__main__':
    main()
