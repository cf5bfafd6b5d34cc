"""A shipped model that a test may change."""

import shutil

import pytest

from mav_perception.segmentation.model_card import find_model


@pytest.fixture
def copy(tmp_path):
    """Copy the sim model, so that a test may break it."""
    source = find_model('sim')
    for suffix in ('.onnx', '.yaml'):
        shutil.copy(source.with_suffix(suffix), tmp_path / f'copy{suffix}')
    return tmp_path / 'copy.onnx'
