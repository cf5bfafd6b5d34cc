"""Start-up: find drones whose place nobody knows, and say so only when there is no doubt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.initialization.frame_buffer import (
    BufferedScan,
    KnownDrones,
    StackedScans,
    buffer_scan,
    stack,
)
from mav_perception.localization.initialization.joint_hypotheses import (
    STATIC_OBJECT,
    Background,
    joint_hypotheses,
    margin,
)
from mav_perception.localization.initialization.pose_constraints import (
    opportunities_for,
    pairs_for,
)
from mav_perception.localization.initialization.pose_modes import (
    PoseMode,
    find_modes,
    known_intensity,
)
from mav_perception.localization.odometry.history import LONGEST_BREAK
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.scan import CameraScan
from mav_perception.types import FloatArray, nanoseconds

SAME_POSITION, SAME_YAW = 1.5, 0.5
"""A drone found as near to where the filter has it, metres and radians, is where it should be."""

LARGEST_SIGMA, LARGEST_YAW_SIGMA = 0.5, 0.25
"""A pose less certain than this is not yet one to start from, metres and radians."""

CAUTION = 4.0
"""Factor on the covariance of a found pose: errors of the odometry are alike in all frames."""

OBJECT_HITS = 20.0
"""A static object that was seen less often does not explain sightings here."""

FRAMES_USED = 800


@dataclass(frozen=True)
class InitializedDrone:
    """A drone whose place is certain now: pose (4,) in map and covariance (4, 4)."""

    drone: int
    pose: FloatArray
    covariance: FloatArray
    margin: float

    def agrees(self, pose: FloatArray) -> bool:
        """Tell whether it was found where a pose (4,) has it."""
        near = float(np.linalg.norm(self.pose[:3] - pose[:3])) < SAME_POSITION
        return near and abs(float(wrap_angle(self.pose[3] - pose[3]))) < SAME_YAW


@dataclass(frozen=True)
class NotInitialized:
    """Why a drone cannot be placed yet, for a person to read."""

    drone: int
    text: str


@dataclass(frozen=True)
class SearchResult:
    """Result of one attempt: who is found, and what is missing for the others."""

    found: tuple[InitializedDrone, ...]
    doubts: tuple[NotInitialized, ...]


class PoseInitializer:
    """Remembers the frames of all drones and searches for those whose place is not known.

    A drone is found when every explanation of the last minute without it at this place is less
    likely by `start_margin`: other places, other drones, static objects and false positives.
    """

    def __init__(self, parameters: FilterParameters) -> None:
        """Start with no frames."""
        self.parameters = parameters
        self._frames: deque[BufferedScan] = deque()

    def add(self, frame: CameraScan, clutter_rate: float) -> None:
        """Remember a frame of any drone, placed or not."""
        remembered = buffer_scan(frame, clutter_rate, self.parameters)
        self._frames.append(remembered)
        oldest = remembered.stamp_ns - nanoseconds(self.parameters.start_window)
        while self._frames[0].stamp_ns < oldest:
            self._frames.popleft()

    def search(self, state: JointState, odometry: TeamOdometry) -> SearchResult:
        """Try to place every drone that is not active.

        Args:
            state: joint state now; its active drones are the reference.
            odometry: paths of all drones.
        """
        wanted = [d for d in range(state.drones) if not state.active[d] and not state.pending[d]]
        asleep = [d for d in wanted if odometry.silent_for(d, state.stamp_ns) > LONGEST_BREAK]
        doubts = [NotInitialized(d, 'no odometry') for d in asleep]
        wanted = [d for d in wanted if d not in asleep]
        if not wanted:
            return SearchResult((), tuple(doubts))
        memory = stack(self._thinned(), odometry, state.stamp_ns, self.parameters)
        if not len(memory.frame):
            return SearchResult((), tuple(doubts))
        variances = np.diag(state.team.covariance).reshape(-1, 4)
        # A young object may be the very drone that is searched for.
        objects = state.places[state.objects.hits > OBJECT_HITS]
        placed = KnownDrones(state.team.mean, variances, state.active, objects)
        modes, explained = self._modes(memory, placed, wanted)
        background = Background(explained, memory.weight[memory.frame])
        competing_evidence = partial(self._competing_evidence, memory=memory, wanted=wanted)
        return self._decide(wanted, modes, background, competing_evidence, doubts)

    def _modes(
        self, memory: StackedScans, placed: KnownDrones, drones: list[int], both_ways: bool = True
    ) -> tuple[dict[int, list[PoseMode]], FloatArray]:
        """Find the modes of drones and of static objects, and what is explained already."""
        modes, size = {}, len(memory.frame)
        explained = np.zeros(size)
        for drone in [*drones, STATIC_OBJECT]:
            chance = self.parameters.detection_probability
            pairs = pairs_for(memory, placed, drone, chance, both_ways)
            looks = opportunities_for(memory, placed, drone, both_ways)
            static = drone == STATIC_OBJECT
            modes[drone] = find_modes(pairs, looks, size, self.parameters, static)
            if static:
                explained = known_intensity(pairs, size)
        return modes, explained

    def _competing_evidence(
        self, drone: int, mode: PoseMode, memory: StackedScans, wanted: list[int]
    ) -> float:
        """Return how much better others explain what a drone saw if it is not at this place.

        Its own sightings speak for the place only as far as it cannot have seen drones whose place
        is not known yet, or static objects, from somewhere else.
        """
        nothing = np.zeros((len(memory.back), 4))
        alone = np.arange(len(memory.back)) == drone
        placed = KnownDrones(nothing, nothing, alone, np.zeros((0, 3)))
        others = [other for other in wanted if other != drone]
        modes, explained = self._modes(memory, placed, others, both_ways=False)
        weight = memory.weight[memory.frame]
        elsewhere = joint_hypotheses(modes, Background(explained, weight))[0].score
        here = joint_hypotheses(modes, Background(explained + mode.gain, weight))[0].score
        own = memory.observer[memory.frame] == drone
        most = float(weight[own] @ np.log1p(mode.gain[own]))
        return float(np.clip(elsewhere - here, 0.0, most))

    def _thinned(self) -> list[BufferedScan]:
        """Return frames spread evenly over the window, as many as can be searched in time."""
        frames = sorted(self._frames, key=lambda frame: frame.stamp_ns)
        chosen = np.linspace(0, len(frames) - 1, min(len(frames), FRAMES_USED)).astype(int)
        return [frames[index] for index in chosen]

    def _decide(
        self,
        wanted: list[int],
        modes: dict[int, list[PoseMode]],
        background: Background,
        competing_evidence: Callable[[int, PoseMode], float],
        doubts: list[NotInitialized],
    ) -> SearchResult:
        """Place the drone that is most certain; the others are easier to find after that."""
        everything = joint_hypotheses(modes, background)
        best = everything[0].chosen
        found: list[InitializedDrone] = []
        order = sorted(wanted, key=lambda d: -max((m.evidence for m in modes[d]), default=0.0))
        for drone in order:
            if drone not in best:
                text = 'what was seen of it may be false positives or others'
                doubts.append(
                    NotInitialized(drone, text if modes[drone] else 'no sighting fits its path')
                )
                continue
            mode = modes[drone][best[drone]]
            doubt = _too_vague(mode)
            if doubt is None and not found:
                odds = margin(drone, best[drone], everything, modes, background)
                wanted_odds = self.parameters.start_margin
                if odds > wanted_odds:
                    odds -= competing_evidence(drone, mode)
                if odds > wanted_odds:
                    found.append(
                        InitializedDrone(drone, mode.pose, CAUTION * mode.covariance, odds)
                    )
                    continue
                doubt = (
                    f'another explanation is too likely (log odds {odds:.1f}, needed '
                    f'{wanted_odds:.0f}): let it fly a path unlike the others '
                    'in view of them'
                )
            doubts.append(NotInitialized(drone, doubt or 'the next to be placed'))
        return SearchResult(tuple(found), tuple(doubts))


def _too_vague(mode: PoseMode) -> str | None:
    sigma = np.sqrt(np.diag(mode.covariance))
    if sigma[:3].max() < LARGEST_SIGMA and sigma[3] < LARGEST_YAW_SIGMA:
        return None
    return (
        f'its pose is only known to {sigma[:3].max():.1f} m and {np.degrees(sigma[3]):.0f} '
        'degrees: let it move in view of others'
    )
