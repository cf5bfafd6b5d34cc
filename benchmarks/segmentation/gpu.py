"""What a GPU is kept busy with: crops made and trained on a second, and inference as a graph.

Needs a GPU. Crops are those of a configuration, 32 of each image an epoch, the first epoch not
counted; beside them the threads of the CPU loader make the same crops, and untrained networks run
images of zeros, the transfers to the GPU and back included.

Example:
  python benchmarks/segmentation/gpu.py config/training/drone.yaml
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from mav_perception.segmentation.cuda_graph import capture
from mav_perception.segmentation.networks import build_network
from mav_perception.training import distributed
from mav_perception.training.configuration import (
    TrainingConfiguration,
    load_training_configuration,
)
from mav_perception.training.datasets import LabelledFolder, TrainingCrops
from mav_perception.training.loading import EpochBatches
from mav_perception.training.sources import training_source
from mav_perception.training.trainer import Trainer

NETWORKS = 'tied', 'mavnet', 'unet', 'fast_scnn', 'erfnet'
SIZES = (512, 640), (1024, 1280)
RUNS = 50
EPOCHS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('configuration', type=Path)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--share', type=float, default=0.1, help='of the labelled images')
    parser.add_argument('--threads', type=int, nargs='+', default=[2, 8], help='of the loader')
    arguments = parser.parse_args()
    distributed.start(2)
    if not torch.cuda.is_available():
        parser.error('there is no GPU here')
    settings = replace(
        load_training_configuration(arguments.configuration), batch_size=arguments.batch,
        crops_per_image=32, epochs=EPOCHS, validate_every=EPOCHS, mine_every=0, val_backgrounds='',
    )  # fmt: skip
    figures: dict[str, Any] = {'device': torch.cuda.get_device_name()}
    figures |= training(settings, arguments.share, arguments.threads)
    figures['ms_plain_captured'] = inference()
    print(json.dumps(figures, indent=2))


def training(settings: TrainingConfiguration, share: float, threads: list[int]) -> dict[str, Any]:
    """Return crops a second: trained on, made on the GPU, and made by threads of the CPU."""
    source = training_source(settings)
    assert isinstance(source, LabelledFolder)
    part = source.sample(share, 0)
    part.cut_outs = source.cut_outs
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(settings, Path(folder), False, (part, part))
        trainer._log.begin(0)
        trained = [rate(lambda e=epoch: trainer._train_epoch(e), len(trainer._crops))
                   for epoch in range(EPOCHS)]  # fmt: skip

    def make(crops: Any, workers: int) -> float:
        return rate(lambda: sum(1 for _ in EpochBatches(crops, 0, settings, workers)), len(crops))

    on_cpu = TrainingCrops(part, settings)
    return {
        'trained': [round(r) for r in trained[1:]],
        'made': round(make(trainer._crops, 0)),
        'made_by_threads': {n: round(make(on_cpu, n)) for n in threads},
    }


def rate(work: Callable[[], Any], count: int) -> float:
    """Return how many of `count` things a second are done."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return count / (time.perf_counter() - begin)


def inference() -> dict[str, list[float]]:
    """Return milliseconds an image without and with a captured graph."""
    results = {}
    for name in tqdm(NETWORKS, desc='inference'):
        network = build_network(name, 1, 2).cuda().eval()
        for size in SIZES:
            image = torch.zeros(1, 1, *size)
            with torch.inference_mode():
                graph = capture(lambda x, net=network: [net(x)], [image])
                steps = (
                    lambda x=image, net=network: net(x.cuda()).cpu(),
                    lambda x=image, graph=graph: graph(x)[0].cpu(),
                )
                for step in steps:
                    step()
                results[f'{name} {size[0]}x{size[1]}'] = [
                    round(1e3 / rate(lambda s=step: [s() for _ in range(RUNS)], RUNS), 3)
                    for step in steps
                ]
    return results


if __name__ == '__main__':
    main()
