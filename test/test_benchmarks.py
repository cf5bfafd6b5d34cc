"""Every table of README and documentation that a benchmark made is the one that it made last."""

import json
import runpy
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / 'benchmarks'
sys.path.insert(0, str(BENCHMARKS))  # they are scripts that import one another

PUBLISH = runpy.run_path(str(BENCHMARKS / 'publish.py'))
ALL = runpy.run_path(str(BENCHMARKS / 'all.py'))
WHOLE = json.loads(PUBLISH['RESULTS'].read_text())


@pytest.mark.parametrize('page', PUBLISH['pages'](), ids=lambda path: path.stem)
def test_the_tables_of_a_page_are_the_published_ones(page):
    assert PUBLISH['filled'](page.read_text(), WHOLE) == page.read_text()


def test_the_readme_quotes_most_of_them():
    text = (BENCHMARKS.parent / 'README.md').read_text()
    quoted = {name for match in PUBLISH['MARK'].finditer(text) for name in match[3].split(', ')}
    assert len(quoted & set(WHOLE['benchmarks'])) > 15


def test_all_of_them_ran_well_within_an_hour():
    failed = [name for name, result in WHOLE['benchmarks'].items() if result['exit_code']]
    assert failed == []
    assert WHOLE['machine']['minutes'] < 60
    wanted = ALL['entries'](BENCHMARKS, Path('benchmark_output'))  # any folder that is there
    assert list(WHOLE['benchmarks']) == list(wanted)


def test_a_page_is_filled_between_its_marks():
    result = {'command': 'python -m mav_perception.cli x', 'seconds': 1.0}
    whole = {'benchmarks': {'one': result | {'output': 'a\nwritten: b\n'}}}
    marks = ('<!-- bench: one -->', '<!-- bench lines: one, one -->')
    text = '\n'.join(f'{mark}\nold\n<!-- end -->' for mark in marks)
    text = PUBLISH['filled'](text, whole)
    assert 'old' not in text
    assert '`mav-perception x`, 1 s:\n\n```\na\n```' in text
    assert text.count('| `mav-perception x` | a |') == 2
