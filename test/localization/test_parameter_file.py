"""Parameters of the joint filter are read as the node reads them, and mistakes are named."""

import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.localization.parameter_file import (
    changed_parameters,
    load_parameters,
    parameter_words,
)


def written(folder, text):
    (folder / 'params.yaml').write_text(text)
    return folder / 'params.yaml'


@pytest.mark.parametrize('node', ['/**', 'localization_node', '/fleet/localization_node'])
def test_what_differs_from_what_is_shipped_is_told(node, tmp_path):
    file = written(tmp_path, f'{node}:\n  ros__parameters:\n    max_range: 7.5\n    odd_one: 3\n')
    parameters = load_parameters(file)
    assert changed_parameters(parameters) == {'max_range': 7.5}
    assert parameter_words(parameters) == 'max_range = 7.5'
    assert parameter_words(load_parameters()) == 'as shipped'


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('max_hypothesis: 5', 'did you mean max_hypotheses?'),
        ('max_range: far', 'must be of type float'),
        ('learn_rates: 1', 'must be of type bool'),
        ('detection_probability: 7.0', 'must be between'),
    ],
)
def test_a_mistake_is_named(line, words, tmp_path):
    file = written(tmp_path, f'/**:\n  ros__parameters:\n    {line}\n')
    with pytest.raises(ConfigurationError, match=words.replace('?', r'\?')):
        load_parameters(file)
