"""Shared fixtures: paths to real data, a small trained model, a rendered world."""

import os
from pathlib import Path

import numpy as np
import pytest

from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team

REPOSITORY = Path(__file__).resolve().parents[1]
DATASETS = Path(os.environ.get('MAV_PERCEPTION_DATASETS', REPOSITORY.parent / 'shared/datasets'))


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
