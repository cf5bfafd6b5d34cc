"""Shared fixtures, and how the tests are shared out over processes (pytest-xdist)."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.processes.fastdds_profile import use_shipped_profile
from mav_perception.segmentation.model_card import find_model

REPOSITORY = Path(__file__).resolve().parents[1]
ROS_FOLDERS = ('ros', 'hosts', 'launch')
"""Tests below these start nodes; `pytest.mark.ros` marks those elsewhere."""

WORKERS = 8
"""At most, see the Makefile."""

# A domain for each process of tests, so that they never hear one another or other systems.
_worker = os.environ.get('PYTEST_XDIST_WORKER', 'gw0')
_run = os.getppid() if 'PYTEST_XDIST_WORKER' in os.environ else os.getpid()
os.environ['ROS_DOMAIN_ID'] = str(1 + WORKERS * (_run % 12) + int(_worker[2:]) % WORKERS)
os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
use_shipped_profile(os.environ)

DATASETS = Path(os.environ.get('MAV_PERCEPTION_DATASETS', REPOSITORY.parent / 'shared/datasets'))


def pytest_collection_modifyitems(items):
    """Mark what needs ROS, keep it together on one process, and let the long tests begin first.

    Other tests stay together by file, since those of a file share fixtures; the replays of data
    share nothing.
    """
    for item in items:
        folder = item.path.relative_to(REPOSITORY / 'test').parts[0]
        if folder in ROS_FOLDERS:
            item.add_marker('ros')
        if folder == 'data':
            item.add_marker('flight')
        ros = item.get_closest_marker('ros') is not None
        if ros or folder != 'data':
            item.add_marker(pytest.mark.xdist_group('ros' if ros else str(item.path)))
    items.sort(key=_turn)


def _turn(item):
    """Return what orders tests: nodes, then flights, then the rest."""
    if item.get_closest_marker('ros') is not None:
        return 0
    return 1 if item.get_closest_marker('flight') is not None else 2


def dataset(name):
    """Return the folder of a data set, or skip the test and say why."""
    folder = DATASETS / name
    if not folder.is_dir():
        pytest.skip(f'{folder} is not here: set MAV_PERCEPTION_DATASETS to the data sets')
    return folder


@pytest.fixture
def perch_drone_val():
    return dataset('perch_drone') / 'val'


@pytest.fixture
def penstock_val():
    return dataset('TN_penstock') / 'val'


@pytest.fixture
def mrclam6():
    return dataset('mrclam6')


@pytest.fixture
def euroc_mh():
    return dataset('euroc_mh')


@pytest.fixture
def forward_mount():
    return CameraMount.forward(np.array([0.1, 0.0, 0.0]), np.zeros(3))


@pytest.fixture
def pair_team(forward_mount):
    """Two drones that face each other, four metres apart."""
    start = np.array([[0.0, 0.0, 1.0, 0.0], [4.0, 0.5, 1.2, np.pi]])
    sigma = np.array([[0.0, 0.0, 0.0, 0.0], [0.3, 0.3, 0.2, 0.1]])
    return Team(('mav1', 'mav2'), start, sigma, ((forward_mount,),) * 2)


@pytest.fixture
def model_copy(tmp_path):
    """Copy the sim model, so that a test may break it."""
    source = find_model('sim')
    for suffix in ('.onnx', '.yaml'):
        shutil.copy(source.with_suffix(suffix), tmp_path / f'copy{suffix}')
    return tmp_path / 'copy.onnx'
