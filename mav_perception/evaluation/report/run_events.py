"""What happened to the poses of a run: found, lost, jumps, and a VIO that restarted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.evaluation.odometry_paths import carry_forward, joined
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.types import IntArray, nanoseconds, seconds

LONGEST_PAUSE = 1.5
"""Seconds without a pose after which a drone counts as lost."""

SMALLEST_JUMP = 0.5
"""Metres by which a pose and what odometry made of the last one differ, for a jump."""


@dataclass(frozen=True)
class RunEvent:
    """Something that happened to a drone.

    Attributes:
        stamp_ns: when.
        drone: its name.
        kind: 'found', 'lost', 'jump' or 'VIO restart'.
        text: the same in words.
    """

    stamp_ns: int
    drone: str
    kind: str
    text: str


def run_events(record: RunRecord) -> tuple[RunEvent, ...]:
    """Return what happened, by time."""
    end = record.end_ns
    events = [event for drone in record.drones for event in _events_of(drone, end)]
    return tuple(sorted(events, key=lambda event: event.stamp_ns))


def spans_with_pose(stamps: IntArray) -> list[tuple[int, int]]:
    """Return first and last stamp of every span without a long pause."""
    breaks = np.flatnonzero(np.diff(stamps) > nanoseconds(LONGEST_PAUSE)) + 1
    return [(int(part[0]), int(part[-1])) for part in np.split(stamps, breaks)]


def _events_of(drone: DroneRecord, end: int) -> list[RunEvent]:
    """Return the events of one drone; no loss where the run ends."""
    events = []
    for first, last in spans_with_pose(drone.estimate.stamps):
        x, y, z = drone.estimate.at(np.array([first]))[0, :3]
        where = f'{drone.name} has a pose: {x:.1f}, {y:.1f}, {z:.1f} m'
        events.append(RunEvent(first, drone.name, 'found', where))
        if seconds(end - last) > LONGEST_PAUSE:
            events.append(RunEvent(last, drone.name, 'lost', f'{drone.name} has no pose any more'))
    return events + _jumps(drone) + _restarts(drone)


def _jumps(drone: DroneRecord) -> list[RunEvent]:
    """Return where the pose of a drone left what odometry made of the one before."""
    stamps, poses = drone.estimate.stamps, drone.estimate.poses
    if len(stamps) < 2 or not len(drone.vio.stamps):
        return []
    odometry = joined(drone.vio, np.searchsorted(drone.vio.stamps, drone.restarts))
    carried = carry_forward(drone.estimate, odometry, stamps[1:] - 1)  # from the pose before
    moved = np.linalg.norm(poses[1:, :3] - carried[:, :3], axis=1)
    sigma = np.sqrt(np.trace(drone.covariance[:-1, :3, :3], axis1=1, axis2=2))
    far = np.flatnonzero(moved > np.maximum(SMALLEST_JUMP, 3.0 * sigma))
    return [
        RunEvent(int(stamps[k + 1]), drone.name, 'jump', f'{drone.name} moved by {moved[k]:.1f} m')
        for k in far
    ]


def _restarts(drone: DroneRecord) -> list[RunEvent]:
    text = f'the VIO of {drone.name} began anew'
    return [RunEvent(stamp, drone.name, 'VIO restart', text) for stamp in drone.restarts.tolist()]
