"""Linear algebra of nodes and commands runs on one thread."""

import os
import subprocess
import sys

from mav_perception.processes.blas_threads import use_one_blas_thread

COUNT = """
import numpy
from threadpoolctl import threadpool_info
from mav_perception.processes.blas_threads import use_one_blas_thread
before = max(pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas')
use_one_blas_thread()
after = max(pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas')
print(before, after)
"""


def test_blas_is_limited_whatever_the_environment_says():
    environment = os.environ | {'OPENBLAS_NUM_THREADS': '2', 'OMP_NUM_THREADS': '2'}
    run = subprocess.run(
        [sys.executable, '-c', COUNT], env=environment, capture_output=True, text=True, check=True
    )
    before, after = map(int, run.stdout.split())
    assert after == 1
    assert before == min(2, os.cpu_count() or 1)


def test_without_the_library_the_warning_says_what_to_do(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, 'threadpoolctl', None)
    use_one_blas_thread()
    assert 'pip install threadpoolctl' in caplog.text
