"""Run all benchmarks in under an hour on 2 cores; one JSON and one Markdown file of results.

Each entry is a command that stands alone. What a benchmark prints is kept as it is, with the
machine, the versions and the time that it took. Those on real data are left out without it.

Example: python benchmarks/all.py --output benchmark_output --only detection stone_soup
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tqdm import tqdm

LIMIT = 1500.0
"""Seconds after which a benchmark is stopped."""

COMMAND = ('-m', 'mav_perception.cli')


def entries(data: Path) -> dict[str, tuple[str, ...]]:
    """Return name -> arguments to Python; seeds are those of the commands, 0 and up."""
    own = {
        'nominal, dropout': (*COMMAND, 'benchmark', 'localization', '--scenario', 'nominal',
                             'dropout', '--seeds', '4'),
        'hard': (*COMMAND, 'benchmark', 'localization', '--scenario', 'hard', '--seeds', '4'),
        'unknown start': (*COMMAND, 'benchmark', 'localization', '--scenario', 'unknown3',
                          'unknown5', '--seeds', '6'),
        'frame_cost': ('benchmarks/frame_cost.py',),
        'stone_soup': ('benchmarks/stone_soup.py',),
        'detection': ('benchmarks/detection.py',),
        'inference': ('benchmarks/segmentation.py', 'config/training/drone.yaml', '--speed-only',
                      '--networks', 'tied', 'tied_light', 'mavnet', 'fast_scnn'),
        'load': ('benchmarks/load.py', '--seconds', '12'),
        'kill': ('benchmarks/kill.py', '--drones', '3'),
        'exits': ('benchmarks/exits.py', '--times', '42'),
        'soak': ('benchmarks/soak.py', '--minutes', '5'),
        'tying_text': ('benchmarks/tying_text.py', '--seeds', '2'),
    }  # fmt: skip
    real = {
        'mrclam': (*COMMAND, 'replay', 'mrclam', str(data / 'mrclam6'), '--seconds', '300'),
        'euroc': (*COMMAND, 'replay', 'euroc', str(data / 'euroc_mh'), '--noise', 'hard'),
        'drone': (*COMMAND, 'evaluate', 'segmentation', '--model', 'drone', '--data',
                  str(data / 'perch_drone' / 'val')),
        'penstock': (*COMMAND, 'evaluate', 'segmentation', '--model', 'penstock', '--data',
                     str(data / 'TN_penstock' / 'val')),
        'clutter': ('benchmarks/clutter.py', '--duration', '30', '--data',
                    str(data / 'perch_drone' / 'val')),
    }  # fmt: skip
    return own | (real if data.is_dir() else {})


def main() -> int:
    """Run them one after the other; 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--output', type=Path, default=Path('benchmark_output'))
    parser.add_argument('--data', type=Path, default=Path('../shared/datasets'))
    parser.add_argument('--only', nargs='+', help='names, as the table shows them')
    arguments = parser.parse_args()
    known = entries(arguments.data)
    wanted = arguments.only or list(known)
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f'unknown {unknown}: there are {", ".join(known)}')
    results = {name: run(known[name]) for name in tqdm(wanted, disable=None)}
    arguments.output.mkdir(parents=True, exist_ok=True)
    whole = {'machine': machine(), 'benchmarks': results}
    (arguments.output / 'benchmarks.json').write_text(json.dumps(whole, indent=2) + '\n')
    (arguments.output / 'benchmarks.md').write_text(markdown(whole))
    print(f'written: {arguments.output}/benchmarks.json and .md')
    return int(any(result['exit_code'] for result in results.values()))


def run(arguments: tuple[str, ...]) -> dict[str, Any]:
    """Run one benchmark and return what it printed."""
    begin = time.monotonic()
    environment = {'OMP_NUM_THREADS': '1', 'AMENT_PREFIX_PATH': sys.prefix} | os.environ
    try:
        answer = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=LIMIT,
            env=environment, check=False,
        )  # fmt: skip
        code, text = answer.returncode, answer.stdout
        if code:
            text += answer.stderr[-2000:]
    except subprocess.TimeoutExpired:
        code, text = 124, f'stopped after {LIMIT:.0f} s'
    return {
        'command': ' '.join(['python', *arguments]),
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
        ['git', 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        'date': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'commit': commit,
        'cpu': names[0] if names else platform.processor(),
        'cores': os.cpu_count(),
        'python': platform.python_version(),
        **versions,
    }


def markdown(whole: dict[str, Any]) -> str:
    """Return the machine, a table of what ran, and what each printed."""
    lines = ['# Benchmarks', '', '| | |', '| --- | --- |']
    lines += [f'| {key} | {value} |' for key, value in whole['machine'].items()]
    lines += ['', '| benchmark | exit code | seconds |', '| --- | --- | --- |']
    for name, result in whole['benchmarks'].items():
        lines.append(f'| {name} | {result["exit_code"]} | {result["seconds"]} |')
    for name, result in whole['benchmarks'].items():
        text = result['output'].rstrip()
        lines += ['', f'## {name}', '', f'`{result["command"]}`', '', '```', text, '```']
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    raise SystemExit(main())
