"""Put the results of benchmarks/run_all.py into README and documentation, between their marks.

`<!-- bench: NAME -->` is followed by what a benchmark printed, `<!-- bench lines: A, B -->` by a
table of commands and the last lines that they printed, `<!-- bench machine -->` by what all of it
ran on, each up to `<!-- end -->`.

Example: python benchmarks/run_all.py && python benchmarks/publish.py
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / 'doc' / 'benchmarks.json'
MARK = re.compile(
    r'(<!-- bench( lines)?:? ([^>]*?) -->\n)(?:(?!<!-- bench).)*?(<!-- end -->)', re.S
)
CHATTER = ('written:', 'Wrote ', 'every node lived', 'frames used:')


def main() -> int:
    """Keep the results and fill every page; 1 and nothing is changed if something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    default = ROOT / 'benchmark_output' / 'benchmarks.json'
    parser.add_argument('--results', type=Path, default=default)
    given = parser.parse_args()
    whole = json.loads(given.results.read_text())
    if wrong := faults(whole):
        print(*wrong, sep='\n', file=sys.stderr)
        return 1
    RESULTS.write_text(json.dumps(whole, indent=2) + '\n')
    RESULTS.with_suffix('.md').write_text(page(whole))
    for path in pages():
        path.write_text(filled(path.read_text(), whole))
    print(
        f'{len(whole["benchmarks"])} benchmarks published, {whole["machine"]["minutes"]} minutes'
    )
    return 0


def faults(whole: dict[str, Any]) -> list[str]:
    """Return what forbids to publish: failed benchmarks, marks without a result or an end."""
    results = whole['benchmarks']
    wrong = [f'{name} failed' for name, result in results.items() if result['exit_code']]
    for path in pages():
        text = path.read_text()
        matches = list(MARK.finditer(text))
        if len(matches) != text.count('<!-- bench'):
            wrong.append(f'{path.name}: a mark has no <!-- end -->')
        for name in (name for match in matches for name in match[3].split(', ')):
            if name not in results and name != 'machine':
                wrong.append(f'{path.name}: {name} has not been run')
    return wrong


def pages() -> list[Path]:
    """Return README and every page of the documentation that is written by hand."""
    written = (path for path in (ROOT / 'doc').glob('*.md') if path.stem != RESULTS.stem)
    return [ROOT / 'README.md', *sorted(written)]


def filled(text: str, whole: dict[str, Any]) -> str:
    """Return a page with the results between its marks."""

    def content(match: re.Match[str]) -> str:
        begin, lines, names, end = match.groups()
        results = whole['benchmarks']
        if names == 'machine':
            inner = machine_line(whole)
        elif lines:
            inner = line_table([results[name] for name in names.split(', ')])
        else:
            inner = block(results[names])
        return f'{begin}{inner}\n{end}'

    return MARK.sub(content, text)


def block(result: dict[str, Any]) -> str:
    """Return the command, and what it printed as a table or as it is."""
    text = '\n'.join(output_lines(result))
    if '| --- |' not in text:
        text = f'```\n{text}\n```'
    return f'`{command(result)}`, {result["seconds"]:.0f} s:\n\n{text}'


def line_table(results: list[dict[str, Any]]) -> str:
    """Return a table of commands and the last lines that they printed."""
    rows = [f'| `{command(result)}` | {output_lines(result)[-1]} |' for result in results]
    return '\n'.join(['| command | result |', '| --- | --- |', *rows])


def output_lines(result: dict[str, Any]) -> list[str]:
    """Return what was printed but for the names of files."""
    lines = result['output'].rstrip().split('\n')
    return [line.rstrip() for line in lines if not line.strip().startswith(CHATTER)]


def command(result: dict[str, Any]) -> str:
    """Return the command as a user would type it."""
    return str(result['command']).replace('python -m mav_perception.cli', 'mav-perception')


def machine_line(whole: dict[str, Any]) -> str:
    """Return in a line what the figures depend on."""
    machine = whole['machine']
    results = whole['benchmarks'].values()
    commits = sorted({str(result['commit']) for result in results})
    cpus = sorted({str(result.get('cpu', machine['cpu'])) for result in results})
    return (
        f'{machine["cores"]} cores of {" and ".join(cpus)}, Python {machine["python"]}, torch '
        f'{machine["torch"]}, onnxruntime {machine["onnxruntime"]}, OpenVINO '
        f'{machine["openvino"]}; commit {" and ".join(commits)}, {machine["date"][:10]}; all in '
        f'{machine["minutes"]} minutes.'
    )


def page(whole: dict[str, Any]) -> str:
    """Return all results as one page."""
    lines = ['# Benchmarks', '', f'On {machine_line(whole)}', '']
    lines += ['| benchmark | exit code | seconds |', '| --- | --- | --- |']
    for name, result in whole['benchmarks'].items():
        lines.append(f'| {name} | {result["exit_code"]} | {result["seconds"]} |')
    for name, result in whole['benchmarks'].items():
        lines += ['', f'## {name}', '', block(result)]
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    raise SystemExit(main())
