"""One thread for linear algebra: the filter's matrices are too small for two."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger(__name__)


def use_one_blas_thread() -> None:
    """Let BLAS use one thread in this process, whatever the environment says.

    With two, a frame of 50 drones takes five times as long: they wait for one another.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        LOGGER.warning(
            'threadpoolctl is not installed, so BLAS may use many threads and slow the filter '
            'down: pip install threadpoolctl, or set OPENBLAS_NUM_THREADS=1.'
        )
        return
    import numpy  # noqa: F401  its BLAS must be there to be limited

    threadpool_limits(limits=1, user_api='blas')
