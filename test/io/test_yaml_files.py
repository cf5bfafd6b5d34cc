"""YAML files of a user are read strictly."""

import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml


def test_a_key_that_stands_twice_is_named_with_its_line(tmp_path):
    path = tmp_path / 'sensor.yaml'
    path.write_text('a: {x: 1}\nb: 2\na: {y: 3}\n')
    with pytest.raises(ConfigurationError, match=r"(?s)'a' stands twice.*line 3"):
        read_yaml(path, 'parameter file')


def test_a_merged_key_may_be_told_anew_and_what_is_no_mapping_is_named(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('a: &a {x: 1}\nb: {c: &c {<<: *a, x: 2}}\nd: {<<: *c, y: 1}\n1: 2\n"1": 3\n')
    assert read_yaml(path, 'file')['d'] == {'x': 2, 'y': 1}
    path.write_text('a: !!map foo\n')
    with pytest.raises(ConfigurationError, match='expected a mapping'):
        read_yaml(path, 'file')
    path.write_text('')
    assert read_yaml(path, 'file') is None


def test_merged_and_equal_keys_of_different_mappings_are_fine(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('one: &one {x: 1}\ntwo:\n  <<: *one\n  y: 2\nthree: {x: 3}\n')
    assert read_yaml(path, 'file') == {'one': {'x': 1}, 'two': {'x': 1, 'y': 2}, 'three': {'x': 3}}
