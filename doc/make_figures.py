"""Make every picture of README and documentation, by the commands that a user has.

Those that need real images are left as they are where the datasets are not there.

Example: python doc/make_figures.py
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
from make_animation import animate
from matplotlib import pyplot
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mav_perception.evaluation.report.run_plots import PLOTS
from mav_perception.evaluation.report.run_record import load_run

DOC = Path(__file__).parent
COLUMNS = 80


def main() -> None:
    """Make what is wanted, everything if nothing is named."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('only', nargs='*', choices=[*MAKERS, []], help='figures to make')
    parser.add_argument('--datasets', type=Path, default=Path('../shared/datasets'))
    arguments = parser.parse_args()
    for name in arguments.only or MAKERS:
        print(f'{name} ...', flush=True)
        MAKERS[name](arguments.datasets)


def run(*command: str) -> None:
    """Run a mav-perception command or a benchmark."""
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


def architecture(datasets: Path) -> None:
    """Draw how data flows from image to pose."""
    figure, axis = pyplot.subplots(figsize=(10.0, 3.3))
    boxes = {
        'camera': (0.0, 1.6), 'VIO': (0.0, 0.0), 'segmentation': (2.0, 1.6),
        'detection': (4.4, 1.6), 'localization': (7.2, 0.8),
    }  # fmt: skip
    notes = {
        'camera': '', 'VIO': '', 'segmentation': 'tied network', 'detection': 'no names',
        'localization': 'coupled PDA',
    }  # fmt: skip
    for name, (x, y) in boxes.items():
        wide = 1.6 if notes[name] else 1.1
        axis.add_patch(
            FancyBboxPatch((x, y), wide, 0.8, boxstyle='round,pad=0.05', fc='#e8f0f8', ec='#333')
        )
        axis.text(x + wide / 2, y + 0.5, name, ha='center', va='center', weight='bold')
        axis.text(x + wide / 2, y + 0.2, notes[name], ha='center', va='center', fontsize=8)
    arrows = [
        ((1.15, 2.0), (1.95, 2.0), 'image'),
        ((3.65, 2.0), (4.35, 2.0), 'mask'),
        ((6.05, 2.0), (7.15, 1.4), ''),
        ((1.15, 0.4), (7.15, 1.0), 'odometry'),
        ((8.85, 1.2), (9.9, 1.2), 'poses,\ncovariance'),
    ]
    for begin, end, text in arrows:
        axis.add_patch(FancyArrowPatch(begin, end, arrowstyle='-|>', mutation_scale=14))
        middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2 + 0.12)
        axis.text(*middle, text, ha='center', va='bottom', fontsize=8)
    axis.text(6.75, 1.9, 'bearing, range', fontsize=8)
    axis.add_patch(
        FancyBboxPatch(
            (-0.3, -0.3), 6.6, 3.2, boxstyle='round,pad=0', fc='none', ec='#888', ls='--'
        )
    )
    axis.text(-0.2, 2.95, 'on every drone', fontsize=8, color='#666')
    axis.text(7.2, 2.5, 'once for the team,\nor on every drone', fontsize=8, color='#666')
    axis.set(xlim=(-0.6, 10.4), ylim=(-0.5, 3.3), aspect='equal')
    axis.axis('off')
    figure.savefig(DOC / 'architecture.png', dpi=110, bbox_inches='tight')


def demo(datasets: Path) -> None:
    """Fly the demo on a terminal of 80 columns; keep what that showed, and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'mav_perception.cli', 'demo', '--seed', '0']
        screen = on_a_terminal([*command, '--output', folder])
        (DOC / 'demo_tracks.png').write_bytes((Path(folder) / 'tracks.png').read_bytes())
        record = load_run(Path(folder) / 'run')
    for title in ('Error and sigma', 'NEES', 'Association'):
        draw = PLOTS[title][1]
        draw(record).savefig(DOC / f'demo_{title.split()[0].lower()}.png', dpi=80)
    tables = re.split(r'\x1b\[\d+A\x1b\[J', screen)
    draw_terminal(tables[-1].strip().splitlines(), DOC / 'demo_terminal.png')


def animation(datasets: Path) -> None:
    """Fly four drones from unknown starts and show it from their cameras and from above."""
    animate(DOC / 'flight.gif')


def on_a_terminal(command: list[str]) -> str:
    """Run a command on a pseudo-terminal of 80 columns and return all that it printed."""
    outer, inner = pty.openpty()
    subprocess.run(['stty', 'cols', str(COLUMNS), 'rows', '30'], stdin=inner, check=True)
    child = subprocess.Popen(command, stdout=inner, stderr=inner, stdin=inner)
    os.close(inner)
    printed = b''
    while True:
        try:
            piece = os.read(outer, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        printed += piece
    if child.wait() != 0:
        raise SystemExit(f'{command} failed:\n{printed.decode()[-2000:]}')
    return printed.decode().replace('\r\n', '\n')


def draw_terminal(lines: list[str], path: Path) -> None:
    """Draw lines of text as a terminal shows them; a line beyond 80 columns is an error."""
    plain = [re.sub(r'\x1b\[[0-9;]*m', '', line) for line in lines]
    longest = max(plain, key=len)
    if len(longest) > COLUMNS:
        raise SystemExit(f'{len(longest)} columns, not {COLUMNS}: {longest}')
    figure = pyplot.figure(figsize=(8.0, 0.21 * len(plain) + 0.3), facecolor='#1e1e1e')
    for row, (line, text) in enumerate(zip(lines, plain, strict=True)):
        colour = '#e5c07b' if '\x1b[33m' in line else '#dcdcdc'
        place = 1.0 - (row + 0.9) / (len(plain) + 1)
        figure.text(0.015, place, text, family='monospace', fontsize=8.8, color=colour)
    figure.savefig(path, dpi=110, facecolor=figure.get_facecolor())


def sensor_model(datasets: Path) -> None:
    """Draw P_D, false blobs and NIS of the drone model."""
    val = datasets / 'perch_drone' / 'val'
    if not val.is_dir():
        print(f'  left as it is: no {val}')
        return
    with tempfile.TemporaryDirectory() as folder:
        run(
            '-m', 'mav_perception.cli', 'fit-sensor-model', '--model', 'drone', '--data', str(val),
            '--output', f'{folder}/model.yaml', '--plot', str(DOC / 'sensor_model_drone.png'),
        )  # fmt: skip


def reliability(datasets: Path) -> None:
    """Draw the reliability curve of the drone model."""
    val = datasets / 'perch_drone' / 'val'
    if not val.is_dir():
        print(f'  left as it is: no {val}')
        return
    run(
        '-m', 'mav_perception.cli', 'evaluate', 'segmentation', '--model', 'drone',
        '--data', str(val), '--reliability', str(DOC / 'reliability_drone.png'),
    )  # fmt: skip


def tying(datasets: Path) -> None:
    """Draw what the ties reach, from the runs of benchmarks/segmentation/tying.py."""
    if not Path('runs/tying').is_dir():
        print('  left as it is: run benchmarks/segmentation/tying.py first')
        return
    run('benchmarks/segmentation/tying.py', 'report', '--figures', str(DOC))


MAKERS = {
    'architecture': architecture,
    'demo': demo,
    'animation': animation,
    'sensor_model': sensor_model,
    'reliability': reliability,
    'tying': tying,
}

if __name__ == '__main__':
    main()
