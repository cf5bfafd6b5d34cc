"""Cost of one camera frame with five sightings as the team grows, and memory over a long run.

Usage: python benchmarks/localization/frame_cost.py --drones 5 20 50 --json figures.json

The drones stand on a grid in view of the first one, each known to 0.2 m. Times are medians of the
whole update: prediction, gate, events, coupled update and merging. The full filter has 20
hypotheses that stay apart and 30 static objects ahead, most of them out of view.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np

from mav_perception.io.files import write_json
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState, initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.types import NEVER_NS, Sightings

SIGHTINGS = 5
HYPOTHESES, OBJECTS = 20, 30


def team_state(drones: int) -> JointState:
    """Put drones on a grid before the first one, and tie all of them a little."""
    side = int(np.ceil(np.sqrt(drones - 1)))
    index = np.arange(drones - 1)
    positions = np.column_stack([4.0 + index // side, index % side - (side - 1) / 2.0])
    start = np.zeros((drones, 4))
    start[1:, :2] = 1.2 * positions
    sigma = np.full((drones, 4), 0.2)
    sigma[0] = 1e-3
    state = initial_state(0, start, sigma, drones)
    rng = np.random.default_rng(0)
    root = 0.02 * rng.standard_normal((4 * drones, 8))
    only = state.hypotheses
    tied = replace(only, covariances=only.covariances + root @ root.T)
    return replace(
        state,
        hypotheses=tied,
        active=np.ones(drones, bool),
        pending=np.zeros(drones, bool),
    )


def full_state(hypotheses: int, objects: int) -> JointState:
    """Return five drones under several hypotheses 0.15 m apart, and static objects."""
    state, rng = team_state(5), np.random.default_rng(3)
    only, size = state.hypotheses, 20
    aside = rng.normal(0.0, 0.15, (hypotheses, size)) * (np.arange(size) >= 4)
    places = np.column_stack(
        [rng.uniform(3.0, 20.0, objects), rng.uniform(-20.0, 20.0, (objects, 2))]
    )
    covariances = np.tile(0.04 * np.eye(size + 3 * objects), (hypotheses, 1, 1))
    covariances[:, :size, :size] = only.covariances
    for _ in range(objects):
        state = replace(state, objects=state.objects.grown(1.0))
    return replace(
        state,
        hypotheses=JointHypotheses(
            weights=np.full(hypotheses, 1.0 / hypotheses),
            means=np.hstack([only.means + aside, np.tile(places.ravel(), (hypotheses, 1))]),
            covariances=covariances,
            existence=np.full((hypotheses, objects), 0.99),
            detectable=np.full((hypotheses, 5, 5 + objects), np.nan),
        ),
        last_seen_ns=np.full((5, 5 + objects), NEVER_NS),
    )


def scan_of(state: JointState, rng: np.random.Generator) -> CameraScan:
    """See five of the drones with noise."""
    positions = state.hypotheses.means[0, : 4 * state.drones].reshape(-1, 4)[1:, :3]
    seen = rng.choice(len(positions), min(SIGHTINGS, len(positions)), replace=False)
    optical = np.column_stack([-positions[seen, 1], -positions[seen, 2], positions[seen, 0]])
    optical = optical + rng.normal(0.0, 0.05, optical.shape)
    count = len(optical)
    sightings = Sightings(
        observer='a',
        stamp_ns=0,
        positions=optical,
        bearing_var=np.full(count, 3e-4),
        range_var=np.full(count, 0.1),
    )
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    return CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=mount, camera=0
    )


def measure(state: JointState, frames: int, hypotheses: int = HYPOTHESES) -> float:
    """Return the median milliseconds of an update with room for so many hypotheses."""
    rng = np.random.default_rng(1)
    parameters = FilterParameters(max_range=40.0, max_hypotheses=hypotheses)
    milliseconds = []
    for _ in range(frames):
        scan = scan_of(state, rng)
        begin = time.perf_counter()
        update_state(state, scan, parameters, joint_association_events)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(milliseconds))


def memory_growth(frames: int) -> float:
    """Return by how many KiB the memory in use grows over a long run of updates."""
    state, rng = team_state(5), np.random.default_rng(2)
    parameters = FilterParameters(max_range=40.0)
    tracemalloc.start()
    marks = []
    for k in range(frames):
        state, _ = update_state(state, scan_of(state, rng), parameters, joint_association_events)
        if k in (frames // 2, frames - 1):
            marks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return (marks[1] - marks[0]) / 1024.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--drones', type=int, nargs='+', default=[5, 20, 50])
    parser.add_argument('--frames', type=int, default=100)
    parser.add_argument('--memory-frames', type=int, default=2000, help='of the long run')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    teams = {drones: team_state(drones) for drones in arguments.drones}
    cost = {drones: measure(team, arguments.frames, 1) for drones, team in teams.items()}
    split = {drones: measure(team, arguments.frames) for drones, team in teams.items()}
    one = measure(full_state(1, OBJECTS), arguments.frames, 1)
    full = measure(full_state(HYPOTHESES, OBJECTS), arguments.frames)
    exponent = float(np.polyfit(np.log(list(cost)), np.log(list(cost.values())), 1)[0])
    growth = memory_growth(arguments.memory_frames)
    for drones, milliseconds in cost.items():
        print(
            f'{drones:3d} drones, {SIGHTINGS} sightings: {milliseconds:6.2f} ms a frame with one '
            f'hypothesis, {split[drones]:6.2f} ms where it splits into up to {HYPOTHESES}'
        )
    print(
        f'{5:3d} drones, {OBJECTS} static objects: {one:6.2f} ms with one hypothesis, '
        f'{full:6.2f} ms with {HYPOTHESES}, {full / one:.1f} times as much'
    )
    half = arguments.memory_frames // 2
    print(f'memory in use over {half} frames after as many: {growth:+.1f} KiB')
    print(
        f'{min(cost.values()):.1f} to {max(cost.values()):.1f} ms a frame with {min(cost)} to '
        f'{max(cost)} drones: grows to the power {exponent:.2f}'
    )
    if arguments.json:
        figures = {
            'milliseconds': cost,
            'milliseconds_split': split,
            'full_ms': full,
            'full_ms_one': one,
            'exponent': exponent,
            'memory_growth_kib': growth,
        }
        write_json(arguments.json, figures)


if __name__ == '__main__':
    main()
