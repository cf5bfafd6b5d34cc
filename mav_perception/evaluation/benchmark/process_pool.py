"""Runs of a benchmark in parallel processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar('Task')
Result = TypeVar('Result')


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], processes: int
) -> Iterator[Result]:
    """Yield the result of every task, in the order of the tasks.

    Args:
        function: of a module, so that a process can import it.
        tasks: what can be pickled.
        processes: how many at once.
    """
    # One process a core: threads of the linear algebra would only fight each other.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    with multiprocessing.get_context('spawn').Pool(processes) as pool:
        yield from pool.imap(function, tasks)
