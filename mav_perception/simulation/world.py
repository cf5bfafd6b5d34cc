"""The embedded simulator: where everybody is, what the VIO says and what the cameras see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import OPTICAL_FROM_BODY
from mav_perception.simulation.flight import CAMERA_TRANSLATION, true_path
from mav_perception.simulation.odometry import drifting_odometry
from mav_perception.simulation.renderer import Renderer
from mav_perception.simulation.scenario import Scenario
from mav_perception.simulation.trajectories import plan_flights
from mav_perception.types import ByteImage, FloatArray, OdometrySample


@dataclass(frozen=True)
class Tick:
    """One step of the world.

    Attributes:
        index: number of the step.
        stamp_ns: its time.
        odometry: VIO output of every drone.
        truth: (N, 4) true poses in map.
        observers: drones whose camera takes a frame now.
    """

    index: int
    stamp_ns: int
    odometry: tuple[OdometrySample, ...]
    truth: FloatArray
    observers: tuple[int, ...]


class SimulatedWorld:
    """Steps a scenario at its odometry rate; the cameras take turns within a frame period."""

    def __init__(self, scenario: Scenario) -> None:
        """Plan the flights, simulate the VIO and open the renderer (in the calling thread)."""
        self.scenario = scenario
        self._paths = plan_flights(scenario)
        self._ticks_per_frame = max(1, round(scenario.odometry_rate / scenario.frame_rate))
        step = 1.0 / (scenario.frame_rate * self._ticks_per_frame)
        self.times = np.arange(0.0, scenario.duration + step / 2.0, step)
        rng = np.random.default_rng((scenario.seed, 10))
        self._odometry = [
            drifting_odometry(path, self.times, scenario.odometry_noise, rng)
            for path in self._paths
        ]
        self._truth = np.stack([true_path(p, self.times).poses for p in self._paths], axis=1)
        self._rotations = np.stack([p.rotation(self.times) for p in self._paths], axis=1)
        self._renderer = Renderer(scenario.camera)
        room_rng = np.random.default_rng((scenario.seed, 30))
        self._renderer.build_world(room_rng, scenario.arena, scenario.drones, vary=False)

    def tick(self, index: int) -> Tick:
        """Return step `index`; frames are spread so that the cameras do not fire together."""
        turn = index % self._ticks_per_frame
        observers = tuple(
            drone
            for drone in range(self.scenario.drones)
            if drone * self._ticks_per_frame // self.scenario.drones == turn
        )
        odometry = tuple(samples[index] for samples in self._odometry)
        return Tick(index, odometry[0].stamp_ns, odometry, self._truth[index], observers)

    def render(self, tick: Tick, observer: int) -> ByteImage:
        """Return the (height, width, 3) RGB image of one drone's camera."""
        position, to_map = self._camera_pose(tick, observer)
        rotations = self._rotations[tick.index]
        return self._renderer.render(position, to_map, tick.truth[:, :3], rotations, observer)

    def render_with_truth(
        self, tick: Tick, observer: int
    ) -> tuple[ByteImage, ByteImage, FloatArray]:
        """Return image, labels (1 = drone) and the others' (N - 1, 3) places, optical frame."""
        position, to_map = self._camera_pose(tick, observer)
        rotations = self._rotations[tick.index]
        image, labels = self._renderer.render_with_mask(
            position, to_map, tick.truth[:, :3], rotations, observer
        )
        others = np.delete(tick.truth[:, :3], observer, axis=0)
        return image, labels, (others - position) @ to_map

    def _camera_pose(self, tick: Tick, observer: int) -> tuple[FloatArray, FloatArray]:
        """Return position in map and rotation from the optical frame to map."""
        rotation = self._rotations[tick.index][observer]
        position = tick.truth[observer, :3] + rotation @ np.array(CAMERA_TRANSLATION)
        return position, rotation @ OPTICAL_FROM_BODY.T
