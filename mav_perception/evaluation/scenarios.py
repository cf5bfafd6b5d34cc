"""Benchmark scenarios by name: what flies, what goes wrong, and what the filter is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.evaluation.recording import Recording
from mav_perception.evaluation.rivals import RIVALS, STARTED_BY_SEARCH
from mav_perception.geometry import quaternion_from_euler, roll_pitch_yaw, yaw_rotation
from mav_perception.localization.parameters import FilterParameters
from mav_perception.simulation.flight import fly, matching_parameters
from mav_perception.simulation.scenario import Scenario, SightingNoise
from mav_perception.types import OdometrySample, nanoseconds

VICTIM = 2
"""The drone to which it happens, where something happens to one."""

BEGIN, END = nanoseconds(20.0), nanoseconds(40.0)
"""When it happens."""

HARD = SightingNoise(float(np.radians(2.5)), 0.2, 0.5, 3.0)
SEARCHED = SightingNoise(detection_probability=0.6, clutter_per_frame=1.0)
CLOSE = SightingNoise(range_share=0.25, min_range=0.2)


def unknown_start(recording: Recording, seed: int) -> Recording:
    """Tell the filter nothing of where the drones are, besides the first, which is `map`."""
    return replace(recording, team=recording.team.with_unknown_start())


def dropout(recording: Recording, seed: int) -> Recording:
    """Let one drone say nothing for a while, while the others still see it."""
    name = recording.team.names[VICTIM]
    odometry = list(recording.odometry)
    odometry[VICTIM] = tuple(s for s in odometry[VICTIM] if not BEGIN <= s.stamp_ns < END)
    frames = tuple(
        f
        for f in recording.frames
        if f.sightings.observer != name or not BEGIN <= f.sightings.stamp_ns < END
    )
    return replace(recording, odometry=tuple(odometry), frames=frames)


def late_joiner(recording: Recording, seed: int) -> Recording:
    """Let one drone begin to talk when the others have flown for a while, its start unknown."""
    name = recording.team.names[VICTIM]
    odometry = list(recording.odometry)
    odometry[VICTIM] = tuple(s for s in odometry[VICTIM] if s.stamp_ns >= BEGIN)
    frames = tuple(
        f
        for f in recording.frames
        if f.sightings.observer != name or f.sightings.stamp_ns >= BEGIN
    )
    sigma = recording.team.start_sigma.copy()
    sigma[VICTIM] = np.nan
    team = replace(recording.team, start_sigma=sigma)
    return replace(recording, team=team, odometry=tuple(odometry), frames=frames)


def vio_reset(recording: Recording, seed: int) -> Recording:
    """Restart the VIO of one drone: half a second is missing, then a new origin and yaw."""
    samples = recording.odometry[VICTIM]
    after = [s for s in samples if s.stamp_ns >= BEGIN + nanoseconds(0.5)]
    origin, angles = after[0].position, roll_pitch_yaw(after[0].quaternion)
    turn = yaw_rotation(-angles[2])
    restarted = []
    for sample in after:
        attitude = roll_pitch_yaw(sample.quaternion) - [0.0, 0.0, angles[2]]
        position = turn @ (sample.position - origin)
        restarted.append(
            OdometrySample(sample.stamp_ns, position, quaternion_from_euler(attitude))
        )
    odometry = list(recording.odometry)
    odometry[VICTIM] = (*(s for s in samples if s.stamp_ns < BEGIN), *restarted)
    return replace(recording, odometry=tuple(odometry))


def blind_camera(recording: Recording, seed: int) -> Recording:
    """Let one camera see nothing any more, false positives included."""
    name = recording.team.names[VICTIM]

    def blind(frame: Any) -> Any:
        sightings = frame.sightings
        if sightings.observer != name or sightings.stamp_ns < BEGIN:
            return frame
        empty = replace(
            sightings,
            positions=np.zeros((0, 3)),
            bearing_var=np.zeros(0),
            range_var=np.zeros(0),
            score=np.zeros(0),
        )
        return replace(frame, sightings=empty, labels=np.zeros(0, np.int64))

    return replace(recording, frames=tuple(blind(f) for f in recording.frames))


def delayed(recording: Recording, seed: int) -> Recording:
    """Deliver frames up to 300 ms late and out of order; odometry comes in time."""
    rng = np.random.default_rng((seed, 30))
    stamps = np.array([f.sightings.stamp_ns for f in recording.frames])
    arrival = stamps + nanoseconds(0.3) * rng.random(len(stamps))
    return replace(recording, frames=tuple(recording.frames[i] for i in np.argsort(arrival)))


@dataclass(frozen=True)
class Eyes:
    """How a benchmark sees, in place of the scenario's statistical detector.

    Attributes:
        noise: statistics that the filter is told, and that sightings are drawn from.
        model: network that looks at rendered images instead; empty for none.
        detection: how its blobs become measurements.
    """

    noise: SightingNoise
    model: str = ''
    detection: DetectionParameters = DetectionParameters()

    def fly(self, scenario: Scenario) -> Recording:
        """Fly a scenario."""
        if not self.model:
            return fly(scenario)
        from mav_perception.segmentation.segmenter import Segmenter
        from mav_perception.simulation.imaged_flight import fly_with_images

        return fly_with_images(scenario, Segmenter.load(self.model, 1), self.detection)


@dataclass(frozen=True)
class Benchmark:
    """A scenario of the benchmark.

    Attributes:
        text: what it is, for a person.
        flight: what differs from the default `Scenario`.
        events: what happens, in order.
        rivals: which filters can play it.
    """

    text: str
    flight: dict[str, Any] = field(default_factory=dict)
    events: tuple[Callable[[Recording, int], Recording], ...] = ()
    rivals: tuple[str, ...] = tuple(RIVALS)

    def prepare(self, seed: int, eyes: Eyes | None = None) -> tuple[Recording, FilterParameters]:
        """Fly one seed, with other eyes than the scenario's own if they are given."""
        scenario = Scenario(seed=seed, **self.flight)
        if eyes is None:
            recording = fly(scenario)
        else:
            scenario = replace(scenario, sighting_noise=eyes.noise)
            recording = eyes.fly(scenario)
        for event in self.events:
            recording = event(recording, seed)
        parameters = matching_parameters(scenario)
        if eyes is not None and eyes.model:
            # As `config/localization.yaml` flies it. False blobs of rendered images move with the
            # observer; taken for objects of the map, they pull it.
            parameters = replace(parameters, max_hypotheses=2, max_objects=0)
        return recording, parameters


def _searched(drones: int) -> Benchmark:
    return Benchmark(
        f'{drones} drones, start unknown, P_D 0.6, one false positive a frame',
        {'drones': drones, 'duration': 60.0, 'sighting_noise': SEARCHED},
        (unknown_start,),
        STARTED_BY_SEARCH,
    )


SCENARIOS = {
    'nominal': Benchmark('4 drones, 1 degree, 10 % range noise, P_D 0.8, 0.5 false positives'),
    'hard': Benchmark(
        '5 drones, 10 Hz, 2.5 degrees, 20 %, P_D 0.5, 3 false positives, start 1 m and 25 degrees',
        {
            'drones': 5,
            'frame_rate': 10.0,
            'sighting_noise': HARD,
            'start_sigma': (1.0, 1.0, 0.3, float(np.radians(25.0))),
        },
    ),
    'close': Benchmark(
        '5 drones crossing within 0.5 m, 25 % range noise',
        {'drones': 5, 'radius': 1.2, 'separation': 0.35, 'sighting_noise': CLOSE},
    ),
    'unknown3': _searched(3),
    'unknown4': _searched(4),
    'unknown5': _searched(5),
    'unknown8': _searched(8),
    'dropout': Benchmark('one drone says nothing from 20 to 40 s', events=(dropout,)),
    'late': Benchmark(
        'one drone joins at 20 s, its start unknown',
        events=(late_joiner,),
        rivals=STARTED_BY_SEARCH,
    ),
    'reset': Benchmark('the VIO of one drone restarts at 20 s', events=(vio_reset,)),
    'blind': Benchmark('one camera sees nothing from 20 s on', events=(blind_camera,)),
    'delayed': Benchmark('frames come 0 to 300 ms late and shuffled', events=(delayed,)),
}
