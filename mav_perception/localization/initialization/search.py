"""Search: find drones whose pose is unknown, and report them only when it is unambiguous."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.initialization.frame_buffer import (
    BufferedScan,
    StackedScans,
    stack,
)
from mav_perception.localization.initialization.joint_hypotheses import (
    JointPoseHypothesis,
    joint_hypotheses,
)
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.path_errors import path_covariance
from mav_perception.localization.initialization.pose_refinement import covariance_at
from mav_perception.localization.initialization.reference_errors import dependence, fit_gains
from mav_perception.localization.initialization.start_odds import CompetingEvidence, start_odds
from mav_perception.localization.initialization.start_prior import StartPrior, too_vague
from mav_perception.localization.initialization.team_modes import ModeFinder, TeamModes
from mav_perception.localization.odometry.jumps import MAX_BREAK
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import FloatArray

SAME_POSITION, SAME_YAW = 1.5, 0.5
"""A drone found as near to where the filter has it, metres and radians, is where it should be."""

OBJECT_HITS = 20.0
"""A static object that was seen less often does not explain sightings here."""

RIVAL_ROUNDS = 3
"""So often more modes are looked for before anybody is initialized."""

MAX_SCANS = 800


@dataclass(frozen=True)
class InitializedDrone:
    """A drone whose pose is certain now.

    Attributes:
        drone: which.
        pose: (4,) in map.
        covariance: (4, 4) of it, besides `dependence`: of the sightings, and of the drift of all
            paths since.
        dependence: (4, 4N) W, its Jacobian with respect to the poses of the others.
        margin: log odds by which it beats all else.
    """

    drone: int
    pose: FloatArray
    covariance: FloatArray
    dependence: FloatArray
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
        priors: of the drones whose start was told, but vaguely.
    """

    stamp_ns: int
    rows: OdometryRows
    scans: StackedScans
    known: KnownDrones
    wanted: tuple[int, ...]
    missing: tuple[NotInitialized, ...]
    parameters: FilterParameters
    priors: Mapping[int, StartPrior] = field(default_factory=dict)


def search_task(
    buffered: list[BufferedScan],
    state: JointState,
    odometry: TeamOdometry,
    parameters: FilterParameters,
    priors: Mapping[int, StartPrior] | None = None,
) -> SearchTask:
    """Return the task of finding every drone that is not active.

    Args:
        buffered: scans of the last minutes, by time.
        state: joint state now; its active drones are the reference.
        odometry: paths of all drones.
        parameters: of the filter.
        priors: of the drones whose start was told, but vaguely.
    """
    wanted = [d for d in range(state.drones) if not state.active[d] and not state.pending[d]]
    silent = [d for d in wanted if odometry.silent_for(d, state.stamp_ns) > MAX_BREAK]
    chosen = np.linspace(0, len(buffered) - 1, min(len(buffered), MAX_SCANS)).astype(int)
    scans = [buffered[index] for index in chosen]
    # A young object may be the very drone that is searched for.
    objects = state.object_positions[state.confirmed & (state.objects.hits > OBJECT_HITS)]
    # A path leads back from where odometry led, not from where somebody saw a silent drone.
    told = state.told.team
    drift = state.drift.applied(parameters, np.full(state.drones, np.inf))  # over minutes
    return SearchTask(
        stamp_ns=state.stamp_ns,
        rows=odometry.rows(state.stamp_ns),
        scans=stack(scans, odometry, state.stamp_ns, drift, parameters),
        known=KnownDrones(told.mean, told.variances, state.active, objects),
        wanted=tuple(d for d in wanted if d not in silent),
        missing=tuple(NotInitialized(d, 'no odometry') for d in silent),
        parameters=parameters,
        priors=priors or {},
    )


def search(task: SearchTask) -> SearchResult:
    """Try to find drones: those are initialized of whom one pose beats everything else.

    That is, every joint hypothesis of the last minutes without it at this pose: other poses,
    other drones, static objects and clutter, is less likely by `start_margin`.
    """
    if not task.wanted or not len(task.scans.scan):
        return SearchResult((), task.missing)
    finder = ModeFinder(task.scans, task.known, task.parameters, task.priors)
    team = finder.team_modes(list(task.wanted))
    hypotheses = joint_hypotheses(team)
    initialized, missing = _decide(finder, team, hypotheses, task)
    for _ in range(RIVAL_ROUNDS):
        wider = finder.with_rivals(team, hypotheses[0].chosen) if initialized else team
        if wider is team:
            break
        team, hypotheses = wider, joint_hypotheses(wider)
        initialized, missing = _decide(finder, team, hypotheses, task)
    return SearchResult(tuple(initialized), (*task.missing, *missing))


def _decide(
    finder: ModeFinder,
    team: TeamModes,
    hypotheses: list[JointPoseHypothesis],
    task: SearchTask,
) -> tuple[list[InitializedDrone], list[NotInitialized]]:
    """Initialize the drone that is most certain; the others are easier to find after that."""
    best, needed = hypotheses[0].chosen, task.parameters.start_margin
    competing = CompetingEvidence(hypotheses[0], task.scans, task.wanted, task.parameters)
    initialized: list[InitializedDrone] = []
    missing: list[NotInitialized] = []
    for drone in sorted(task.wanted, key=team.evidence, reverse=True):
        if drone not in best:
            text = 'what was seen of it may be false positives or others'
            text = text if team.modes[drone] else 'no sighting fits its path'
            missing.append(NotInitialized(drone, text))
            continue
        mode = team.modes[drone][best[drone]]
        covariance, ties = _uncertainty(finder, drone, mode.pose)
        text = _too_vague(covariance) or ('the next to be initialized' if initialized else '')
        if not text:
            odds = start_odds(drone, hypotheses, team, competing, needed)
            if odds > needed:
                found = InitializedDrone(
                    drone=drone,
                    pose=mode.pose,
                    covariance=covariance,
                    dependence=ties,
                    margin=odds,
                )
                initialized.append(found)
                continue
            text = (
                f'another explanation is too likely (log odds {odds:.1f}, needed {needed:.0f}): '
                'let it fly a path unlike the others in view of them'
            )
        missing.append(NotInitialized(drone, text))
    return initialized, missing


def _uncertainty(
    finder: ModeFinder, drone: int, pose: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the covariance (4, 4) of a pose, and W (4, 4N), by the known drones alone.

    A mode may have been found by others, too, that are not known yet.
    """
    pairs, known = finder.evidence(drone).pairs, finder.known
    covariance = covariance_at(pairs, pose)
    gains = fit_gains(pairs, pose, covariance)
    drifted = path_covariance(pairs, gains, finder.scans, drone, pose, known, finder.paths)
    return covariance + drifted, dependence(pairs, gains, known.poses)


def _too_vague(covariance: FloatArray) -> str:
    """Return what is missing for the pose to be sure enough, an empty text if nothing is."""
    sigma = np.sqrt(np.diag(covariance))
    if not too_vague(sigma):
        return ''
    return (
        f'its pose is only known to {sigma[:3].max():.1f} m and {np.degrees(sigma[3]):.0f} '
        'degrees: let it move in view of others'
    )
