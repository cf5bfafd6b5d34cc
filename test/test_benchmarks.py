"""Every table of README and documentation that a benchmark made is the one that it made last."""

import json
import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / 'benchmarks'

PUBLISH = runpy.run_path(str(BENCHMARKS / 'publish.py'))
MARKED = [page for page in PUBLISH['pages']() if '<!-- bench' in page.read_text()]


@pytest.fixture(scope='module')
def whole():
    """Return the published results."""
    assert PUBLISH['RESULTS'].is_file(), 'run benchmarks/run_all.py, then benchmarks/publish.py'
    return json.loads(PUBLISH['RESULTS'].read_text())


@pytest.mark.parametrize('page', MARKED, ids=lambda path: path.stem)
def test_the_tables_of_a_page_are_the_published_ones(page, whole):
    assert PUBLISH['filled'](page.read_text(), whole) == page.read_text()


def test_the_page_of_all_results_is_the_published_one(whole):
    assert PUBLISH['RESULTS'].with_suffix('.md').read_text() == PUBLISH['page'](whole)


def test_nothing_that_is_quoted_failed_or_is_missing(whole):
    assert PUBLISH['faults'](whole) == []


def test_every_benchmark_is_published(whole, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))  # they are scripts that import one another
    entries = runpy.run_path(str(BENCHMARKS / 'run_all.py'))['entries']
    any_folder = BENCHMARKS
    assert list(whole['benchmarks']) == list(entries(any_folder, any_folder))


def test_a_page_is_filled_between_its_marks():
    result = {'command': 'python -m mav_perception.cli x', 'seconds': 1.0}
    results = {'benchmarks': {'one': result | {'output': 'a\nwritten: b\n'}}}
    marks = ('<!-- bench: one -->', '<!-- bench lines: one, one -->')
    text = '\n'.join(f'{mark}\nold\n<!-- end -->' for mark in marks)
    text = PUBLISH['filled'](text, results)
    assert 'old' not in text
    assert '`mav-perception x`, 1 s:\n\n```\na\n```' in text
    assert text.count('| `mav-perception x` | a |') == 2


def test_faults_are_told_before_anything_is_published(whole):
    broken = dict(whole['benchmarks'])
    broken['kill'] = broken['kill'] | {'exit_code': 1}
    del broken['hard']
    told = PUBLISH['faults'](whole | {'benchmarks': broken})
    assert 'kill failed' in told
    assert 'results.md: hard has not been run' in told


def test_a_mark_without_an_end_takes_nothing_of_the_page():
    text = '<!-- bench: one -->\nprose\n<!-- bench: two -->\nold\n<!-- end -->'
    assert [match[3] for match in PUBLISH['MARK'].finditer(text)] == ['two']
