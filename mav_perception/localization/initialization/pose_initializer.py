"""When to search for drones, on which scans, and beside the filter instead of in its way."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import replace

import numpy as np

from mav_perception.localization.initialization.frame_buffer import BufferedScan
from mav_perception.localization.initialization.search import (
    SearchResult,
    SearchTask,
    search,
    search_task,
)
from mav_perception.localization.initialization.start_prior import start_priors, too_vague
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.team.team import Team
from mav_perception.types import NEVER_NS, nanoseconds

UNSEEN_SEARCH_FACTOR = 5.0
"""So much less often a search runs that is only for localized drones that nobody sees."""


class PoseInitializer:
    """Buffers the scans of all drones and has those searched for whose pose is unknown.

    A search takes from tens of milliseconds to a second. In a replay it is done at once; a node
    gives an executor, in which it runs while frames come and go.

    Attributes:
        executor: where to search, None for here and at once.
    """

    def __init__(self, team: Team) -> None:
        """Start with no scans."""
        self._team, self._vague = team, np.zeros(len(team.names), bool)
        self.executor: Executor | None = None
        self._scans: deque[BufferedScan] = deque()
        self._next_search_ns = NEVER_NS
        self._running: tuple[SearchTask, Future[SearchResult]] | None = None

    def without_vague_starts(self, state: JointState) -> JointState:
        """Let nobody start whose start is told too vaguely: it is where the search begins."""
        self._vague = too_vague(self._team.start_sigma)
        self._vague[0] = False  # it is the map
        sure = ~self._vague
        return replace(state, active=state.active & sure, pending=state.pending & sure)

    def found(self, drone: int) -> None:
        """Forget where a drone started: it was put in elsewhere."""
        self._vague[drone] = False

    def add(self, scan: BufferedScan, window: float) -> None:
        """Keep a scan of any drone, whether its own pose is known or not, for `window` seconds."""
        self._scans.append(scan)
        oldest = scan.stamp_ns - nanoseconds(window)
        while self._scans[0].stamp_ns < oldest:
            self._scans.popleft()

    def is_due(self, stamp_ns: int, urgent: bool, parameters: FilterParameters) -> bool:
        """Tell whether it is time to search again; if so, the next time is set."""
        if stamp_ns < self._next_search_ns or self._running is not None:
            return False
        pause = parameters.start_interval * (1.0 if urgent else UNSEEN_SEARCH_FACTOR)
        self._next_search_ns = stamp_ns + nanoseconds(pause)
        return True

    def start(
        self,
        state: JointState,
        odometry: TeamOdometry,
        parameters: FilterParameters,
    ) -> None:
        """Search for every drone that is not active; see `search_task`."""
        vague = np.flatnonzero(self._vague)
        priors = start_priors(self._team, vague, odometry, state, parameters)
        scans = sorted(self._scans, key=lambda scan: scan.stamp_ns)
        task = search_task(scans, state, odometry, parameters, priors)
        if self.executor is None:
            future: Future[SearchResult] = Future()
            future.set_result(search(task))
        else:
            future = self.executor.submit(search, task)
        self._running = task, future

    def finished(self) -> tuple[SearchTask, SearchResult] | None:
        """Return what a search found, once, when it is done."""
        if self._running is None or not self._running[1].done():
            return None
        (task, future), self._running = self._running, None
        return task, future.result()
