"""YAML files of a user are read strictly."""

import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path):
    path = tmp_path / 'sensor.yaml'
    path.write_text('a: {x: 1}\nb: 2\na: {y: 3}\n')
    with pytest.raises(ConfigurationError, match=r"(?s)'a' stands twice.*line 3"):
        read_yaml(path, 'parameter file')


def test_merged_and_equal_keys_of_different_mappings_are_fine(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('one: &one {x: 1}\ntwo:\n  <<: *one\n  y: 2\nthree: {x: 3}\n')
    assert read_yaml(path, 'file') == {'one': {'x': 1}, 'two': {'x': 1, 'y': 2}, 'three': {'x': 3}}
