"""Search: find drones whose pose is unknown, and report them only when it is unambiguous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.initialization.frame_buffer import (
    BufferedScan,
    StackedScans,
    stack,
)
from mav_perception.localization.initialization.joint_hypotheses import (
    STATIC_OBJECT,
    Background,
    joint_hypotheses,
    margin,
)
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.pose_constraints import pairs_for
from mav_perception.localization.initialization.pose_modes import (
    PoseMode,
    find_modes,
    known_intensity,
)
from mav_perception.localization.initialization.view_opportunities import opportunities_for
from mav_perception.localization.odometry.history import MAX_BREAK
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import FloatArray

SAME_POSITION, SAME_YAW = 1.5, 0.5
"""A drone found as near to where the filter has it, metres and radians, is where it should be."""

MAX_SIGMA, MAX_YAW_SIGMA = 0.5, 0.25
"""A pose less certain than this is not yet one to start from, metres and radians."""

CAUTION = 4.0
"""Factor on the covariance of a found pose: errors of the odometry are correlated."""

OBJECT_HITS = 20.0
"""A static object that was seen less often does not explain sightings here."""

MAX_SCANS = 800


@dataclass(frozen=True)
class InitializedDrone:
    """A drone whose pose is certain now: pose (4,) in map and covariance (4, 4)."""

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
    """Why the pose of a drone cannot be told yet, for a person to read."""

    drone: int
    text: str


@dataclass(frozen=True)
class SearchResult:
    """Result of one attempt: who is found, and what is missing for the others."""

    initialized: tuple[InitializedDrone, ...]
    not_initialized: tuple[NotInitialized, ...]


@dataclass(frozen=True)
class SearchTask:
    """All that a search needs, apart from the filter, so that it can run beside that.

    Attributes:
        stamp_ns: now.
        rows: N odometry rows now.
        scans: of the last minutes.
        known: who is where.
        wanted: whose pose is asked.
        missing: who cannot be searched for, and why.
        parameters: of the filter.
    """

    stamp_ns: int
    rows: OdometryRows
    scans: StackedScans
    known: KnownDrones
    wanted: tuple[int, ...]
    missing: tuple[NotInitialized, ...]
    parameters: FilterParameters


def search_task(
    buffered: list[BufferedScan],
    state: JointState,
    odometry: TeamOdometry,
    parameters: FilterParameters,
) -> SearchTask:
    """Return the task of finding every drone that is not active.

    Args:
        buffered: scans of the last minutes, by time.
        state: joint state now; its active drones are the reference.
        odometry: paths of all drones.
        parameters: of the filter.
    """
    wanted = [d for d in range(state.drones) if not state.active[d] and not state.pending[d]]
    silent = [d for d in wanted if odometry.silent_for(d, state.stamp_ns) > MAX_BREAK]
    chosen = np.linspace(0, len(buffered) - 1, min(len(buffered), MAX_SCANS)).astype(int)
    scans = [buffered[index] for index in chosen]
    # A young object may be the very drone that is searched for.
    objects = state.object_positions[state.confirmed & (state.objects.hits > OBJECT_HITS)]
    # A path leads back from where odometry led, not from where somebody saw a silent drone.
    told = state.told.team
    variances = np.diag(told.covariance).reshape(-1, 4)
    return SearchTask(
        stamp_ns=state.stamp_ns,
        rows=odometry.rows(state.stamp_ns),
        scans=stack(scans, odometry, state.stamp_ns, state.drift.applied(parameters), parameters),
        known=KnownDrones(told.mean, variances, state.active, objects),
        wanted=tuple(d for d in wanted if d not in silent),
        missing=tuple(NotInitialized(d, 'no odometry') for d in silent),
        parameters=parameters,
    )


def search(task: SearchTask) -> SearchResult:
    """Try to find drones: those are initialized of whom one pose beats everything else.

    That is, every joint hypothesis of the last minutes without it at this pose: other poses,
    other drones, static objects and clutter, is less likely by `start_margin`.
    """
    scans, wanted, parameters = task.scans, list(task.wanted), task.parameters
    if not wanted or not len(scans.scan):
        return SearchResult((), task.missing)
    modes, explained = _find_all_modes(scans, task.known, wanted, parameters)
    background = Background(explained, scans.weight[scans.scan])
    competing = partial(_competing_evidence, scans=scans, wanted=wanted, parameters=parameters)
    initialized, others = _decide(wanted, modes, background, competing, parameters.start_margin)
    return SearchResult(tuple(initialized), (*task.missing, *others))


def _find_all_modes(
    scans: StackedScans,
    known: KnownDrones,
    drones: list[int],
    parameters: FilterParameters,
    both_ways: bool = True,
) -> tuple[dict[int, list[PoseMode]], FloatArray]:
    """Find the modes of drones and of static objects, and what is explained already."""
    modes, size = {}, len(scans.scan)
    explained, paths = np.zeros(size), known.paths(scans)
    for drone in [*drones, STATIC_OBJECT]:
        pairs = pairs_for(scans, known, paths, drone, parameters, both_ways)
        opportunities = opportunities_for(scans, known, paths, drone, both_ways)
        static = drone == STATIC_OBJECT
        modes[drone] = find_modes(pairs, opportunities, size, parameters, static)
        if static:
            explained = known_intensity(pairs, size)
    return modes, explained


def _competing_evidence(
    drone: int,
    mode: PoseMode,
    scans: StackedScans,
    wanted: list[int],
    parameters: FilterParameters,
) -> float:
    """Return how much better others explain what a drone saw if it is not at this pose.

    Its own sightings speak for the pose only as far as it cannot have seen drones whose pose is
    not known yet, or static objects, from somewhere else.
    """
    nothing = np.zeros((len(scans.back), 4))
    alone = np.arange(len(scans.back)) == drone
    known = KnownDrones(nothing, nothing, alone, np.zeros((0, 3)))
    # In its own frame nothing holds that the filter has told in map.
    scans = replace(scans, poses=np.full_like(scans.poses, np.nan))
    others = [other for other in wanted if other != drone]
    modes, explained = _find_all_modes(scans, known, others, parameters, both_ways=False)
    weight, ratio = scans.weight[scans.scan], mode.intensity_ratio
    elsewhere = joint_hypotheses(modes, Background(explained, weight))[0].score
    here = joint_hypotheses(modes, Background(explained + ratio, weight))[0].score
    own = scans.observer[scans.scan] == drone
    most = float(weight[own] @ np.log1p(ratio[own]))
    return float(np.clip(elsewhere - here, 0.0, most))


def _decide(
    wanted: list[int],
    modes: dict[int, list[PoseMode]],
    background: Background,
    competing_evidence: Callable[[int, PoseMode], float],
    start_margin: float,
) -> tuple[list[InitializedDrone], list[NotInitialized]]:
    """Initialize the drone that is most certain; the others are easier to find after that."""
    hypotheses = joint_hypotheses(modes, background)
    best = hypotheses[0].chosen
    initialized: list[InitializedDrone] = []
    missing: list[NotInitialized] = []
    for drone in sorted(wanted, key=lambda d: -max((m.evidence for m in modes[d]), default=0.0)):
        if drone not in best:
            text = 'what was seen of it may be false positives or others'
            text = text if modes[drone] else 'no sighting fits its path'
            missing.append(NotInitialized(drone, text))
            continue
        mode = modes[drone][best[drone]]
        text = _too_vague(mode) or ('the next to be initialized' if initialized else '')
        if not text:
            odds = margin(drone, best[drone], hypotheses, modes, background)
            if odds > start_margin:
                odds -= competing_evidence(drone, mode)
            if odds > start_margin:
                covariance = CAUTION * mode.covariance
                initialized.append(InitializedDrone(drone, mode.pose, covariance, odds))
                continue
            text = (
                f'another explanation is too likely (log odds {odds:.1f}, needed '
                f'{start_margin:.0f}): let it fly a path unlike the others in view of them'
            )
        missing.append(NotInitialized(drone, text))
    return initialized, missing


def _too_vague(mode: PoseMode) -> str:
    """Return what is missing for the pose to be sure enough, an empty text if nothing is."""
    sigma = np.sqrt(np.diag(mode.covariance))
    if sigma[:3].max() < MAX_SIGMA and sigma[3] < MAX_YAW_SIGMA:
        return ''
    return (
        f'its pose is only known to {sigma[:3].max():.1f} m and {np.degrees(sigma[3]):.0f} '
        'degrees: let it move in view of others'
    )
