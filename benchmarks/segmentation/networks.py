"""Our network against its baselines, all trained alike: accuracy, detections, size, speed, memory.

Every network and seed is trained under the settings of one configuration (only the network and
the seed differ), or its finished run is loaded; the best epoch on val is exported to ONNX and
measured there. Speed and memory are taken in a process of its own for each network, size and
backend, in two rounds over all of them; the faster round counts.

Example:
  python benchmarks/segmentation/networks.py config/training/drone.yaml --epochs 8 --seeds 0
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

SIZES = ((512, 640), (1024, 1280))
FRAMES = 15


def main() -> int:
    """Train or load, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('configuration', type=Path, help='settings that all networks share')
    parser.add_argument(
        '--networks',
        nargs='+',
        default=['tied', 'untied', 'mavnet', 'unet', 'fast_scnn', 'erfnet'],
    )
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--epochs', type=int, help='instead of those of the configuration')
    parser.add_argument('--runs', type=Path, default=Path('runs/benchmark'))
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--speed-only', action='store_true', help='random weights, no training')
    parser.add_argument('--json', type=Path, help='write all figures there')
    arguments = parser.parse_args()
    table = {}
    for network in arguments.networks:
        table[network] = {} if arguments.speed_only else accuracy(arguments, network)
    for network, row in table.items():
        row |= cost(arguments, network)
    measure_speed(arguments, table)
    print_table(table)
    if arguments.json:
        from mav_perception.io.files import write_json

        write_json(arguments.json, table)
    return 0


def settings_of(arguments: argparse.Namespace, network: str, seed: int) -> Any:
    """Return the shared settings with this network and seed."""
    from mav_perception.training.configuration import load_training_configuration

    base = load_training_configuration(arguments.configuration)
    epochs = arguments.epochs or base.epochs
    return replace(
        base,
        name=f'{base.name}_{network}_{seed}',
        network=network,
        seed=seed,
        epochs=epochs,
        validate_every=min(base.validate_every, epochs),
        start_from='',
    )


def accuracy(arguments: argparse.Namespace, network: str) -> dict[str, Any]:
    """Train what is not there yet and return figures on val, mean over seeds."""
    import torch

    from mav_perception.evaluation.metrics.model_evaluation import measure
    from mav_perception.io.labelled_images import folder_samples
    from mav_perception.segmentation.segmenter import Segmenter
    from mav_perception.training.export import export_checkpoint
    from mav_perception.training.trainer import Trainer

    torch.set_num_threads(arguments.threads)
    results = []
    for seed in arguments.seeds:
        settings = settings_of(arguments, network, seed)
        folder = arguments.runs / settings.name
        best = Trainer(settings, folder, resume=True).run()
        export_checkpoint(best, folder)
        segmenter = Segmenter.load(
            str(folder / f'{settings.name}.onnx'), arguments.threads, 'onnxruntime'
        )
        results.append(
            measure(segmenter, folder_samples(Path(settings.val), segmenter.card.label_space.size))
        )
    iou = np.array([r['iou'] for r in results])
    return {
        'mean_iou': float(iou.mean()),
        'spread': float(iou.mean(axis=1).std()),
        'iou': iou.mean(axis=0).round(4).tolist(),
        **{k: float(np.mean([r[k] for r in results])) for k in ('p_d', 'false_per_frame')},
        'seeds': len(results),
    }


def cost(arguments: argparse.Namespace, network: str) -> dict[str, Any]:
    """Return parameters and multiply-accumulates, and write ONNX files of both sizes."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from mav_perception.segmentation.labels import label_space
    from mav_perception.segmentation.networks import build_network, count_parameters
    from mav_perception.training.export import write_onnx

    settings = settings_of(arguments, network, 0)
    classes = label_space(settings.labels).size
    model = build_network(network, settings.channels, classes).eval()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        write_onnx(model, (settings.channels, *size), weights_file(arguments, network, size))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(torch.zeros(1, settings.channels, *SIZES[0]))
    return {
        'parameters': count_parameters(model),
        'GMAC': counter.get_total_flops() / 2e9,
    }


def weights_file(arguments: argparse.Namespace, network: str, size: tuple[int, int]) -> Path:
    """Return where the weights for a size lie."""
    return Path(arguments.runs / f'{network}_{size[0]}.onnx')


def measure_speed(arguments: argparse.Namespace, table: dict[str, dict[str, Any]]) -> None:
    """Fill in milliseconds and peak memory, and the share of this machine's arithmetic limit."""
    backends = ['onnxruntime']
    try:
        import openvino  # noqa: F401

        backends += ['openvino float32', 'openvino bfloat16']
    except ModuleNotFoundError:
        print('OpenVINO is not installed: pip install --no-deps openvino')
    limit = arithmetic_limit(arguments)
    for _ in range(2):
        for network, row in table.items():
            for size in SIZES:
                for backend in backends:
                    one = in_own_process(
                        weights_file(arguments, network, size), backend, arguments.threads
                    )
                    key = f'{backend} {size[0]}x{size[1]}'
                    row[f'ms {key}'] = min(one['ms'], row.get(f'ms {key}', np.inf))
                    if key == f'onnxruntime {SIZES[0][0]}x{SIZES[0][1]}':
                        row['MB'] = one['MB']
    for row in table.values():
        seconds = 1e-3 * row[f'ms onnxruntime {SIZES[0][0]}x{SIZES[0][1]}']
        row['of peak arithmetic'] = 2e9 * row['GMAC'] / seconds / limit


def arithmetic_limit(arguments: argparse.Namespace) -> float:
    """Return the floating-point operations a second of a large convolution, the best case here."""
    from torch import nn

    from mav_perception.training.export import write_onnx

    width, rows, columns = 256, 128, 160
    path = arguments.runs / 'limit.onnx'
    write_onnx(nn.Conv2d(width, width, 3, padding=1), (width, rows, columns), path)
    rounds = [in_own_process(path, 'onnxruntime', arguments.threads)['ms'] for _ in range(3)]
    return 2.0 * 9 * width**2 * rows * columns / (1e-3 * min(rounds))


def in_own_process(path: Path, backend: str, threads: int) -> dict[str, float]:
    """Run this file's `time_inference` alone, so that memory is that of one network."""
    command = [sys.executable, __file__, '--time-inference', str(path), backend, str(threads)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def time_inference(path: str, backend: str, threads: int) -> None:
    """Print the median milliseconds of a network and the peak memory of this process."""
    os.environ['OMP_NUM_THREADS'] = str(threads)
    if backend == 'onnxruntime':
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, ['CPUExecutionProvider'])
        shape = session.get_inputs()[0].shape
        others = {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs()[1:]}

        def infer(tensor: np.ndarray) -> None:
            session.run(None, {'image': tensor, **others})
    else:
        import openvino

        hint = 'bf16' if backend.endswith('bfloat16') else 'f32'
        model = openvino.Core().compile_model(
            path,
            'CPU',
            {'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1, 'INFERENCE_PRECISION_HINT': hint},
        )
        request = model.create_infer_request()
        shape = list(model.input(0).shape)

        def infer(tensor: np.ndarray) -> None:
            request.infer({0: tensor})

    tensor = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    times = []
    for _ in range(FRAMES + 3):
        begin = time.perf_counter()
        infer(tensor)
        times.append(time.perf_counter() - begin)
    # Not ru_maxrss, which a process inherits from the one that started it.
    status = Path('/proc/self/status').read_text()
    memory = int(status.split('VmHWM:')[1].split()[0]) / 1024
    print(json.dumps({'ms': 1e3 * float(np.median(times[3:])), 'MB': memory}))


def print_table(table: dict[str, dict[str, Any]]) -> None:
    """Print a Markdown table, a row a network."""
    figures = list(dict.fromkeys(key for row in table.values() for key in row))
    print('| network | ' + ' | '.join(figures) + ' |')
    print('| --- ' * (len(figures) + 1) + '|')
    for network, row in table.items():
        print(f'| {network} | ' + ' | '.join(cell(row.get(name, '')) for name in figures) + ' |')
    speeds = [name for name in figures if name.startswith('ms ')]
    if 'tied' in table and speeds:
        base = table['tied'][speeds[0]]
        ratios = [f'{name} {row[speeds[0]] / base:.1f}' for name, row in table.items()]
        print(f'\nMultiples of the time of `tied`, {speeds[0][3:]}: {", ".join(ratios)}.')


def cell(value: Any) -> str:
    """Return a figure for people."""
    if isinstance(value, float):
        return f'{value:.3g}' if abs(value) < 1000.0 else f'{value:.0f}'
    return f'{value:,}' if isinstance(value, int) else str(value)


if __name__ == '__main__':
    if '--time-inference' in sys.argv:
        time_inference(*sys.argv[2:4], int(sys.argv[4]))
        sys.exit(0)
    sys.exit(main())
