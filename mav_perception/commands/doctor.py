"""Check this machine and, if nodes are running, what they say to one another.

One line a check, each with what to do. Exit code 1 if something will not work.

Example: mav-perception doctor --model drone --team my_team.yaml
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mav_perception.processes.fastdds_profile import VARIABLES, profile_variable
from mav_perception.resources import find_executable, find_share

SHARED_MEMORY = 256
"""MiB of /dev/shm below which a few image streams fill it."""


@dataclass(frozen=True)
class Finding:
    """Result of one check: 'ok', 'note' or 'FAIL', what was found, and what to do."""

    level: str
    what: str
    cure: str = ''

    def __str__(self) -> str:
        """Return one line."""
        return f'{self.level:4}  {self.what}' + (f' -> {self.cure}' if self.cure else '')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('--model', default='drone', help='segmentation model (default drone)')
    parser.add_argument('--team', type=Path, metavar='FILE', help='team.yaml to check')
    parser.add_argument(
        '--params', type=Path, nargs='*', default=[], metavar='FILE', help='parameter files'
    )
    parser.add_argument(
        '--seconds', type=float, default=3.0, help='to listen for nodes; 0 looks at none'
    )


def run(arguments: argparse.Namespace) -> int:
    """Print every finding."""
    failed = False
    for finding in check_all(arguments):
        print(finding, flush=True)
        failed |= finding.level == 'FAIL'
    return int(failed)


def check_all(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Yield the findings as they are made; a check that breaks is a finding too."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        versions, middleware, clock, lambda: model(arguments.model), devices,
        lambda: team(arguments.team),
        lambda: running_nodes(arguments.params, arguments.seconds),
    ]  # fmt: skip
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - what breaks a check is what it looks for
            yield Finding('FAIL', f'{type(error).__name__}: {error}')


def versions() -> Iterator[Finding]:
    """Name Python, ROS and the libraries."""
    python = '.'.join(str(part) for part in sys.version_info[:3])
    recent = sys.version_info >= (3, 10)
    yield Finding(
        'ok' if recent else 'FAIL',
        f'Python {python}',
        '' if recent else 'use Python 3.10 or newer',
    )
    for package in ('numpy', 'scipy', 'opencv-python-headless', 'onnxruntime'):
        try:
            yield Finding('ok', f'{package} {importlib.metadata.version(package)}')
        except importlib.metadata.PackageNotFoundError:
            yield Finding('note', f'{package} is not known to pip', 'fine if apt brought it')
    if importlib.util.find_spec('panda3d') is None:
        yield Finding('note', 'no Panda3D', 'pip install panda3d, for the embedded simulator')
    if importlib.util.find_spec('rclpy') is None:
        yield Finding('FAIL', 'no rclpy', 'source ROS 2, or `make install` for the wheels')
        return
    distribution = os.environ.get('ROS_DISTRO', 'from wheels')
    yield Finding('ok', f'ROS 2 {distribution}')


def middleware() -> Iterator[Finding]:
    """Check the DDS profile, shared memory and discovery."""
    variable = profile_variable(os.environ)
    profile = os.environ.get(variable)
    others = [name for name in VARIABLES.values() if name != variable and name in os.environ]
    layer = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if layer != 'rmw_fastrtps_cpp':
        yield Finding('note', f'{layer}: large images are not tried with it')
    elif not profile:
        wrong = f'{others[0]} is set, this Fast DDS reads {variable}' if others else ''
        yield Finding(
            'FAIL' if others else 'note',
            wrong
            or 'no Fast DDS profile here: our nodes set theirs, other programs lose '
            'best-effort images above 0.4 MB',
            f'for your camera driver: export {variable}={find_share("config", "fastdds_shm.xml")}',
        )
    elif not Path(profile).is_file():
        yield Finding('FAIL', f'the Fast DDS profile {profile} does not exist', 'correct the path')
    else:
        yield Finding('ok', f'Fast DDS profile {profile}')
    free = shutil.disk_usage('/dev/shm').free // 2**20
    small = free < SHARED_MEMORY
    yield Finding(
        'FAIL' if small else 'ok', f'/dev/shm has {free} MiB free',
        'enlarge it (docker run --shm-size=1g) or `fastdds shm clean`' if small else '',
    )  # fmt: skip
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    yield Finding('ok', f'ROS_DOMAIN_ID {domain}, discovery range {reach}')


def clock() -> Iterator[Finding]:
    """Ask whether the clock of this host follows others."""
    for command, good in (
        (['chronyc', 'tracking'], 'Leap status     : Normal'),
        (['timedatectl', 'show', '-p', 'NTPSynchronized'], '=yes'),
    ):
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=10.0
        ).stdout
        if good in answer:
            yield Finding('ok', f'the clock is synchronised ({command[0]})')
            return
    yield Finding(
        'note', 'nothing says that the clock is synchronised',
        'with several hosts: apt install chrony, one of them as server (doc/deploy.md)',
    )  # fmt: skip


def model(name: str) -> Iterator[Finding]:
    """Load a network and run it once."""
    import numpy as np

    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(name, 1)
    segmenter.segment(np.zeros((512, 640), np.uint8))
    yield Finding('ok', f'model {name}: {segmenter.description}')


def devices() -> Iterator[Finding]:
    """Name what inference can run on."""
    import onnxruntime

    providers = ', '.join(
        p.removesuffix('ExecutionProvider') for p in onnxruntime.get_available_providers()
    )
    yield Finding('ok', f'ONNX Runtime runs on {providers}')
    try:
        yield Finding('ok', f'OpenVINO {importlib.metadata.version("openvino")}')
    except importlib.metadata.PackageNotFoundError:
        yield Finding('note', 'OpenVINO is not installed', 'on Intel: pip install openvino')


def team(path: Path | None) -> Iterator[Finding]:
    """Read team.yaml."""
    from mav_perception.localization.team.team_file import load_team, team_from_entries, team_path

    file = team_path(str(path or ''))
    entries = load_team(file)
    built = team_from_entries(entries)
    names = ', '.join(entry.name for entry in entries)
    yield Finding('ok', f'{file}: {names}; {built.camera_count} cameras')


def running_nodes(files: list[Path], listen: float) -> Iterator[Finding]:
    """Look at parameter files and at what runs, in a process that may load ROS."""
    command = [str(find_executable('doctor_node')), str(listen), *map(str, files)]
    environment = {'AMENT_PREFIX_PATH': sys.prefix} | os.environ
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment,
        timeout=listen + 60.0,
    )  # fmt: skip
    for line in answer.stdout.splitlines():
        if line.count('\t') == 2:
            yield Finding(*line.split('\t'))
    if answer.returncode:
        reason = answer.stderr.strip().splitlines() or [f'exit code {answer.returncode}']
        yield Finding('FAIL', f'ROS 2 does not work: {reason[-1]}')
