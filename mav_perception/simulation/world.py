"""The embedded simulator: where everybody is, what the VIO says and what the cameras see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.simulation.flight.flight import arrival_delays, true_path
from mav_perception.simulation.flight.odometry import drifting_odometry, with_faults
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.trajectories import plan_flights
from mav_perception.simulation.rendering.exposure import add_noise, blend, instants
from mav_perception.simulation.rendering.moving_objects import plan_moving_objects
from mav_perception.simulation.rendering.renderer import Renderer
from mav_perception.simulation.rendering.scene import Scene
from mav_perception.types import ByteImage, FloatArray, OdometrySample, nanoseconds


@dataclass(frozen=True)
class Shot:
    """A frame of one camera: its time in seconds and nanoseconds, its drone and camera."""

    time: float
    stamp_ns: int
    drone: int
    camera: int


@dataclass(frozen=True)
class Tick:
    """One step of the world.

    Attributes:
        time, stamp_ns: of the step, seconds and nanoseconds.
        odometry: VIO output of every drone that arrives now, None where none does.
        truth: (N, 4) true poses in map.
        attitude: (N, 4) true quaternions x, y, z, w, from body to map.
        shots: camera frames that arrive now.
    """

    time: float
    stamp_ns: int
    odometry: tuple[OdometrySample | None, ...]
    truth: FloatArray
    attitude: FloatArray
    shots: tuple[Shot, ...]


class SimulatedWorld:
    """Steps a scenario at its odometry rate; the drones take turns within a frame period."""

    def __init__(self, scenario: Scenario) -> None:
        """Plan the flights, simulate the VIO and open the renderers (in the calling thread)."""
        self.scenario = scenario
        self._paths = plan_flights(scenario)
        self._turns = max(1, round(scenario.odometry_rate / scenario.frame_rate))
        self._step = 1.0 / (scenario.frame_rate * self._turns)
        self.times = np.arange(0.0, scenario.duration + self._step / 2.0, self._step)
        rng = np.random.default_rng((scenario.seed, 10))
        self._odometry: list[dict[int, OdometrySample]] = []
        for drone, path in enumerate(self._paths):
            samples = drifting_odometry(path, self.times, scenario.odometry_noise, rng)
            left = with_faults(samples, scenario, drone)
            self._odometry.append({sample.stamp_ns: sample for sample in left})
        # What arrives between two steps arrives at the nearer one.
        self._latency = self._step * round(scenario.odometry_noise.latency / self._step)
        self._truth = np.stack([true_path(p, self.times).poses for p in self._paths], axis=1)
        rotations = [Rotation.from_matrix(path.rotation(self.times)) for path in self._paths]
        self._attitude = np.stack([rotation.as_quat() for rotation in rotations], axis=1)
        self._shots = self._plan_shots()
        self._scene = Scene()
        self._mounts = [camera.mount for camera in scenario.cameras]
        self._renderers = [Renderer(self._scene, c.intrinsics) for c in scenario.cameras]
        room_rng = np.random.default_rng((scenario.seed, 30))
        around = scenario.surroundings
        movers = plan_moving_objects(
            np.random.default_rng((scenario.seed, 40)), around.movers, scenario.arena
        )
        self._scene.build(
            room_rng, scenario.arena, scenario.drones, brightness=around.brightness,
            clutter=around.clutter, movers=movers,
        )  # fmt: skip

    def tick(self, index: int) -> Tick:
        """Return step `index`."""
        time = float(self.times[index])
        sent = nanoseconds(max(time - self._latency, -1.0))
        odometry = tuple(samples.get(sent) for samples in self._odometry)
        shots = tuple(self._shots.get(index, ()))
        return Tick(
            time=time,
            stamp_ns=nanoseconds(time),
            odometry=odometry,
            truth=self._truth[index],
            attitude=self._attitude[index],
            shots=shots,
        )

    def render(self, shot: Shot) -> ByteImage:
        """Return the (height, width, 3) RGB image of one frame."""
        return self._finish([self._look(shot, time)[0] for time in self._instants(shot)], shot)

    def render_with_truth(self, shot: Shot) -> tuple[ByteImage, ByteImage, FloatArray]:
        """Return image, labels (1 = drone) and the others' (N - 1, 3) places, optical frame."""
        looks = [self._look(shot, time, with_mask=True) for time in self._instants(shot)]
        image = self._finish([image for image, _ in looks], shot)
        covered = blend([255 * mask for _, mask in looks], self.scenario.exposure)
        positions, rotations = self._poses(shot.time)
        position, to_map = self._eye(shot, positions, rotations)
        others = np.delete(positions, shot.drone, axis=0)
        return image, (covered > 127).astype(np.uint8), (others - position) @ to_map

    def _instants(self, shot: Shot) -> FloatArray:
        """Return the times in seconds of the sharp images that make a frame."""
        return shot.time + instants(self.scenario.exposure)

    def _look(
        self, shot: Shot, time: float, with_mask: bool = False
    ) -> tuple[ByteImage, ByteImage]:
        """Return the sharp image at a time, and its mask if wanted."""
        positions, rotations = self._poses(time)
        self._scene.place(time, positions, rotations, shot.drone)
        eye, renderer = self._eye(shot, positions, rotations), self._renderers[shot.camera]
        if with_mask:
            return renderer.render_with_mask(*eye)
        return renderer.render(*eye), np.zeros(0, np.uint8)

    def _finish(self, sharp: list[ByteImage], shot: Shot) -> ByteImage:
        """Return what the sensor makes of sharp images: motion, noise, or nothing at all."""
        exposure = self.scenario.exposure
        image = blend(sharp, exposure)
        if exposure.noise > 0.0:
            frame = (shot.stamp_ns, shot.drone, shot.camera)
            rng = np.random.default_rng((self.scenario.seed, 50, *frame))
            image = add_noise(image, exposure.noise, rng)
        if not self.scenario.speaks(shot.drone, shot.time, 'blind_camera'):
            return np.zeros_like(image)
        return image

    def _plan_shots(self) -> dict[int, list[Shot]]:
        """Return the frames by the tick at which they arrive."""
        scenario, shots = self.scenario, []
        for index, time in enumerate(self.times):
            for drone in range(scenario.drones):
                its_turn = drone * self._turns // scenario.drones == index % self._turns
                if its_turn and scenario.speaks(drone, float(time), 'silent'):
                    for camera in range(len(scenario.cameras)):
                        shots.append(Shot(float(time), nanoseconds(time), drone, camera))
        late = arrival_delays(scenario, len(shots))
        arrivals: dict[int, list[Shot]] = {}
        for shot, delay in zip(shots, late, strict=True):
            tick = int(np.ceil((shot.time + delay) / self._step - 1e-6))
            arrivals.setdefault(tick, []).append(shot)
        return arrivals

    def _poses(self, time: float) -> tuple[FloatArray, FloatArray]:
        """Return everybody's position (N, 3) in map and rotation (N, 3, 3) from body to map."""
        now = np.array([time])
        positions = np.concatenate([path.position(now) for path in self._paths])
        return positions, np.concatenate([path.rotation(now) for path in self._paths])

    def _eye(
        self, shot: Shot, positions: FloatArray, rotations: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return position in map and rotation from the optical frame to map."""
        mount, rotation = self._mounts[shot.camera], rotations[shot.drone]
        position = positions[shot.drone] + rotation @ mount.translation
        return position, rotation @ mount.rotation.T
