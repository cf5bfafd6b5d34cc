"""Run all benchmarks in an hour or more on 2 cores; one JSON and one Markdown file of results.

What a benchmark prints is kept as it is, with the machine, the versions and the time that it took.
Those on real data are left out without it. `--only` runs some again and keeps the other results,
`--resume` goes on where a run of this commit was ended. `images` and `hard fitted` read what the
sensor-model entries wrote into the same folder. Those that measure no time and take one core run
last, two at a time.

Example: python benchmarks/run_all.py --output benchmark_output --only detection 'stone soup'
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from publish import page
from tqdm import tqdm

NETWORKS = ('tied', 'tied_light', 'mavnet', 'fast_scnn', 'unet', 'erfnet')

FUZZ = {'MAV_PERCEPTION_FUZZ': '10000'}
"""Malformed messages a kind; the test suite sends fewer."""

SIDE_BY_SIDE = (
    *('planted errors', 'outages', 'fuzz', 'tying text', 'planted errors mrclam', 'clutter'),
)
"""Those that take one core and print no time that it took."""

LIMIT = 1500.0
"""Seconds after which a benchmark is stopped."""

COMMAND = ('-m', 'mav_perception.cli')


def entries(data: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    """Return name -> arguments to Python; seeds are those of the commands, 0 and up.

    Args:
        data: the data sets.
        folder: where those that write files do so.
    """
    monte_carlo = (*COMMAND, 'benchmark', 'localization', '--scenario')
    fit = (*COMMAND, 'fit-sensor-model', '--output')
    images = ('--images', 'sim', '--sensor-model', f'{folder}/sim.yaml')
    own = {
        'demo': (*COMMAND, 'demo', '--headless', '--seed', '0', '--output', f'{folder}/demo'),
        'nominal': (*monte_carlo, 'nominal', 'dropout', '--seeds', '4'),
        'hard': (*monte_carlo, 'hard', '--seeds', '4'),
        'unknown start': (*monte_carlo, 'unknown3', 'unknown5', '--seeds', '60'),
        'sensor model sim': (*fit, f'{folder}/sim.yaml', '--model', 'sim', '--flights', '8'),
        'images': (*monte_carlo, 'nominal', 'dropout', 'unknown4', 'cluttered', '--seeds', '4',
                   *images),
        'planted errors': ('benchmarks/localization/planted_errors.py', '--seeds', '2'),
        'outages': ('benchmarks/localization/outages.py', '--seeds', '6'),
        'frame cost': ('benchmarks/localization/frame_cost.py',),
        'stone soup': ('benchmarks/localization/stone_soup.py',),
        'detection': ('benchmarks/segmentation/detection.py',),
        'inference': ('benchmarks/segmentation/networks.py', 'config/training/drone.yaml',
                      '--speed-only', '--networks', *NETWORKS),
        'load': ('benchmarks/system/load.py', '--drones', '2', '4', '--seconds', '12'),
        'stress': ('benchmarks/system/stress.py', '--loads', '0', '4', '8'),
        'kill': ('benchmarks/system/fault_injection.py', '--drones', '3'),
        'exits': ('benchmarks/system/clean_shutdown.py', '--times', '48'),
        'soak': ('benchmarks/system/soak.py', '--minutes', '5'),
        'hosts': ('-m', 'pytest', '-q', '-s', '-p', 'no:warnings', 'test/hosts'),
        'fuzz': ('-m', 'pytest', '-q', '-p', 'no:warnings', 'test/ros/test_fuzz.py'),
        'tying text': ('benchmarks/segmentation/tying_text.py', '--seeds', '2'),
    }  # fmt: skip
    mrclam = (*COMMAND, 'replay', 'mrclam', str(data / 'mrclam6'))
    euroc = (*COMMAND, 'replay', 'euroc', str(data / 'euroc_mh'), '--vio', 'mono')
    real = {
        **{f'mrclam {share}': (*mrclam, '--clutter', share, '--seconds', length, '--output',
                               f'{folder}/mrclam_{share}')
           for share, length in (('0', '756'), ('0.3', '756'), ('1', '300'))},
        'robustness': (*COMMAND, 'benchmark', 'robustness', 'mrclam', str(data / 'mrclam6'),
                       '--clutter', '0', '0.05', '0.3', '1', '--offsets', '0', '60', '200',
                       '--changes', 'dropped', 'detection', 'clutter', 'drift',
                       '--seconds', '300', '--processes', '2'),
        'robustness late': (*COMMAND, 'benchmark', 'robustness', 'mrclam', str(data / 'mrclam6'),
                            '--clutter', '0', '0.05', '0.3', '1', '--offsets', '356',
                            '--changes', 'recorded', 'backwards', '--seeds', '2',
                            '--seconds', '756', '--processes', '2'),
        'robustness teams': (*COMMAND, 'benchmark', 'robustness', 'mrclam', str(data / 'mrclam6'),
                             '--team-size', '4', '--clutter', '0.05', '0.3', '--offsets', '0',
                             '--changes', 'recorded', 'backwards', '--seconds', '756',
                             '--processes', '2'),
        'planted errors mrclam': ('benchmarks/localization/planted_errors.py', '--scenarios',
                                  '--mrclam', str(data / 'mrclam6'), '--at', '60', '100', '140',
                                  '200'),
        'euroc': (*euroc, '--output', f'{folder}/euroc'),
        'euroc unknown': (*COMMAND, 'benchmark', 'robustness', 'euroc', str(data / 'euroc_mh'),
                          '--start', 'unknown', '--vio', 'mono', 'stereo', '--noise', 'nominal',
                          'hard', '--offsets', '0', '--changes', 'recorded', '--seeds', '5',
                          '--processes', '2'),
        'weights': ('benchmarks/segmentation/weights.py', '--data', str(data)),
        'sensor model drone': (*fit, f'{folder}/drone.yaml', '--model', 'drone', '--data',
                               str(data / 'perch_drone' / 'val')),
        'hard fitted': (*monte_carlo, 'hard', '--seeds', '4', '--sensor-model',
                        f'{folder}/drone.yaml'),
        'clutter': ('benchmarks/localization/clutter.py', '--duration', '30', '--data',
                    str(data / 'perch_drone' / 'val')),
    }  # fmt: skip
    return own | (real if data.is_dir() else {})


def main() -> int:
    """Run them; 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--output', type=Path, default=Path('benchmark_output'))
    parser.add_argument('--data', type=Path, default=Path('../shared/datasets'))
    parser.add_argument('--only', nargs='+', help='names, as the table shows them')
    parser.add_argument('--resume', action='store_true', help='what this commit lacks')
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    known = entries(arguments.data, arguments.output)
    wanted = arguments.only or list(known)
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f'unknown {unknown}: there are {", ".join(known)}')
    kept = arguments.output / 'benchmarks.json'
    keep = (arguments.only or arguments.resume) and kept.is_file()
    results = json.loads(kept.read_text())['benchmarks'] if keep else {}
    here = machine()
    if arguments.resume:
        done = [
            n for n, r in results.items() if (r['commit'], r['exit_code']) == (here['commit'], 0)
        ]
        wanted = [name for name in wanted if name not in done]
    for name, result in tqdm(results_of(known, wanted), total=len(wanted), disable=None):
        results[name] = result | {'commit': here['commit'], 'cpu': here['cpu']}
        if results[name]['exit_code']:
            tqdm.write(f'{name} failed: {results[name]["output"][-500:]}')
        ordered = {name: results[name] for name in known if name in results}
        seconds = (r['seconds'] / (1 + (name in SIDE_BY_SIDE)) for name, r in ordered.items())
        minutes = sum(seconds) / 60.0
        whole = {'machine': here | {'minutes': round(minutes, 1)}, 'benchmarks': ordered}
        kept.write_text(json.dumps(whole, indent=2) + '\n')  # an hour's work is not lost
        kept.with_suffix('.md').write_text(page(whole))
    print(f'written: {arguments.output}/benchmarks.json and .md')
    return int(any(result['exit_code'] for result in results.values()))


def results_of(
    known: dict[str, tuple[str, ...]], wanted: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names and results as they come: first those that want the machine for themselves."""
    for name in (name for name in wanted if name not in SIDE_BY_SIDE):
        yield name, run(known[name])
    pool = ThreadPoolExecutor(2)
    running = {pool.submit(run, known[n]): n for n in wanted if n in SIDE_BY_SIDE}
    try:
        for done in as_completed(running):
            yield running[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C ends those that run, and the rest with them


def run(arguments: tuple[str, ...]) -> dict[str, Any]:
    """Run one benchmark and return what it printed."""
    begin = time.monotonic()
    extra = FUZZ if 'test/ros/test_fuzz.py' in arguments else {}
    given = {'OMP_NUM_THREADS': '1', 'AMENT_PREFIX_PATH': sys.prefix} | extra
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=given | os.environ,
    )  # fmt: skip
    try:
        text, errors = child.communicate(timeout=LIMIT)
        code = child.returncode
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)  # so that it ends the nodes that it started
        text, errors = child.communicate()
        code, errors = 124, f'{errors}\nstopped after {LIMIT:.0f} s'
    if 'pytest' in arguments and ' passed' not in text:
        code = code or 5  # what was skipped shows nothing
    if code:
        text += errors[-2000:]
    return {
        'command': ' '.join([*(f'{k}={v}' for k, v in extra.items()), 'python', *arguments]),
        'exit_code': code,
        'seconds': round(time.monotonic() - begin, 1),
        'output': text,
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    cpu = Path('/proc/cpuinfo')
    names = [
        line.split(':', 1)[1].strip()
        for line in (cpu.read_text().splitlines() if cpu.is_file() else [])
        if line.startswith('model name')
    ]
    packages = ('numpy', 'scipy', 'torch', 'onnxruntime', 'openvino', 'opencv-python-headless')
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = 'not installed'
    commit = subprocess.run(
        ['git', 'describe', '--always', '--dirty'], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        'date': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'commit': commit,
        'cpu': names[0] if names else platform.processor(),
        'cores': os.cpu_count(),
        'python': platform.python_version(),
        **versions,
    }


if __name__ == '__main__':
    raise SystemExit(main())
