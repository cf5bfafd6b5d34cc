"""Start-up: find drones whose place nobody knows, and say so only when there is no doubt."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from mav_perception.localization.frame import Frame
from mav_perception.localization.odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.startup.evidence import (
    Placed,
    RememberedFrame,
    gather,
    looks_for,
    pairs_for,
    remember_frame,
)
from mav_perception.localization.startup.placement import (
    Mode,
    combined_score,
    explained_by_sighting,
    find_modes,
)
from mav_perception.localization.state import JointState
from mav_perception.types import FloatArray, nanoseconds

BEAM = 60
MODES_KEPT = 4
STATIC_OBJECT = -1
LARGEST_SIGMA, LARGEST_YAW_SIGMA = 0.5, 0.25
"""A pose less certain than this is not yet one to start from, metres and radians."""

CAUTION = 4.0
"""Factor on the covariance of a found pose: errors of the odometry are alike in all frames."""

FRAMES_USED = 1500


@dataclass(frozen=True)
class Found:
    """A drone whose place is certain now: pose (4,) in map and covariance (4, 4)."""

    drone: int
    pose: FloatArray
    covariance: FloatArray
    margin: float


@dataclass(frozen=True)
class Doubt:
    """Why a drone cannot be placed yet, for a person to read."""

    drone: int
    text: str


@dataclass(frozen=True)
class Search:
    """Result of one attempt: who is found, and what is missing for the others."""

    found: tuple[Found, ...]
    doubts: tuple[Doubt, ...]


class StartUp:
    """Remembers the frames of all drones and searches for those whose place is not known.

    A drone is found when every explanation of the last minute without it at this place is less
    likely by `start_margin`: other places, other drones, static objects and false positives.
    """

    def __init__(self, parameters: FilterParameters) -> None:
        """Start with no frames."""
        self._parameters = parameters
        self._frames: deque[RememberedFrame] = deque()
        self._since: dict[int, int] = {}

    def add(self, frame: Frame, clutter_rate: float) -> None:
        """Remember a frame of any drone, placed or not."""
        remembered = remember_frame(frame, clutter_rate, self._parameters)
        self._frames.append(remembered)
        oldest = remembered.stamp_ns - nanoseconds(self._parameters.start_window)
        while self._frames[0].stamp_ns < oldest:
            self._frames.popleft()

    def forget(self, drone: int, stamp_ns: int) -> None:
        """Use nothing of a drone from before a stamp: its odometry broke there."""
        self._since[drone] = stamp_ns

    def search(self, state: JointState, odometry: TeamOdometry) -> Search:
        """Try to place every drone that is not active.

        Args:
            state: joint state now; its active drones are the reference.
            odometry: paths of all drones.
        """
        wanted = [d for d in range(state.drones) if not state.active[d] and not state.pending[d]]
        asleep = [d for d in wanted if odometry.newest_ns(d) is None]
        doubts = [Doubt(d, 'no odometry yet') for d in asleep]
        wanted = [d for d in wanted if d not in asleep]
        if not wanted or not self._frames:
            return Search((), tuple(doubts))
        frames = self._thinned()
        memory = gather(frames, odometry, state.stamp_ns, self._parameters)
        variances = np.diag(state.team.covariance).reshape(-1, 4)
        objects = state.hypotheses[0].mean[4 * state.drones :].reshape(-1, 3)
        placed = Placed(state.team.mean, variances, state.active, objects)
        chance = self._parameters.detection_probability
        modes: dict[int, list[Mode]] = {}
        explained = np.zeros(len(memory.frame))
        for drone in [*wanted, STATIC_OBJECT]:
            since = self._since.get(drone, 0)
            pairs = pairs_for(memory, placed, drone, chance, since)
            looks = looks_for(memory, placed, drone, since)
            modes[drone] = find_modes(
                pairs, looks, len(memory.frame), self._parameters, drone == STATIC_OBJECT
            )
            if drone == STATIC_OBJECT:
                explained = explained_by_sighting(pairs, len(memory.frame))
        return self._decide(wanted, modes, explained, doubts)

    def _thinned(self) -> list[RememberedFrame]:
        """Return frames spread evenly over the window, as many as can be searched in time."""
        frames = list(self._frames)
        step = max(len(frames) / FRAMES_USED, 1.0)
        return [frames[int(i)] for i in np.arange(0, len(frames), step)]

    def _decide(
        self,
        wanted: list[int],
        modes: dict[int, list[Mode]],
        explained: FloatArray,
        doubts: list[Doubt],
    ) -> Search:
        configurations = explanations(modes, explained)
        total = np.array([score for _, score in configurations])
        found = []
        for drone in wanted:
            if not modes[drone]:
                doubts.append(Doubt(drone, 'no sighting fits its path'))
                continue
            best = configurations[int(np.argmax(total))][0].get(drone)
            if best is None:
                doubts.append(Doubt(drone, 'its sightings may be false positives or others'))
                continue
            with_it = np.array([chosen.get(drone) == best for chosen, _ in configurations])
            margin = float(
                logsumexp(total[with_it])
                - (logsumexp(total[~with_it]) if (~with_it).any() else -np.inf)
            )
            mode = modes[drone][best]
            sigma = np.sqrt(np.diag(mode.covariance))
            if margin < self._parameters.start_margin:
                doubts.append(Doubt(drone, _missing(margin, self._parameters.start_margin)))
            elif sigma[:3].max() > LARGEST_SIGMA or sigma[3] > LARGEST_YAW_SIGMA:
                doubts.append(
                    Doubt(
                        drone,
                        f'its pose is only known to {sigma[:3].max():.1f} m and '
                        f'{np.degrees(sigma[3]):.0f} degrees: let it move in view of others',
                    )
                )
            else:
                found.append(Found(drone, mode.pose, CAUTION * mode.covariance, margin))
        return Search(tuple(found), tuple(doubts))


def _missing(margin: float, wanted: float) -> str:
    return (
        f'another explanation is too likely (log odds {margin:.1f}, needed {wanted:.0f}): let it '
        'fly a path unlike the others in view of them'
    )


def explanations(
    modes: dict[int, list[Mode]], explained: FloatArray
) -> list[tuple[dict[int, int], float]]:
    """Return joint explanations, each a choice of modes, with their log evidence.

    Every drone takes one of its modes or none; static objects may take any number. The beam keeps
    the likeliest while drone after drone is decided.

    Args:
        modes: of every drone, and of static objects under the key -1.
        explained: (J,) how much known drones explain each sighting.
    """
    beam: list[tuple[dict[int, int], list[Mode], float]] = [({}, [], 0.0)]
    choices = [(key, list(enumerate(found[:MODES_KEPT]))) for key, found in modes.items() if key >= 0]
    statics = modes.get(STATIC_OBJECT, [])[:MODES_KEPT]
    # A static object is a choice of its own under a key below -1.
    choices += [(STATIC_OBJECT - 1 - i, [(0, mode)]) for i, mode in enumerate(statics)]
    choices.sort(key=lambda item: -max((m.evidence for _, m in item[1]), default=-np.inf))
    for key, options in choices:
        grown = list(beam)
        for chosen, parts, _ in beam:
            for index, mode in options:
                together = [*parts, mode]
                score = combined_score(together, explained)
                grown.append((chosen | {key: index}, together, score))
        grown.sort(key=lambda item: -item[2])
        beam = grown[:BEAM]
    return [(chosen, score) for chosen, _, score in beam]
