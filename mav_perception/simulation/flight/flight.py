"""A whole simulated flight without images, as a recording: for Monte-Carlo and tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import roll_pitch_yaw
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team import Team
from mav_perception.localization.team.team_file import CameraEntry, DroneEntry
from mav_perception.recordings.recording import (
    UNIX_BEGIN_NS,
    LabelledFrame,
    PosePath,
    Recording,
)
from mav_perception.simulation.flight.odometry import drifting_odometry, with_faults
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import CameraSettings
from mav_perception.simulation.flight.sightings import draw_sightings
from mav_perception.simulation.flight.trajectories import FlightPath, plan_flights
from mav_perception.types import FloatArray, nanoseconds


def true_path(path: FlightPath, times: FloatArray) -> PosePath:
    """Return the 4-DoF truth of one drone at times (K,) seconds."""
    yaw = roll_pitch_yaw(Rotation.from_matrix(path.rotation(times)).as_quat())[:, 2]
    poses = np.column_stack([path.position(times), np.unwrap(yaw)])
    return PosePath(np.array([nanoseconds(t) for t in times]), poses)


def believed_start(
    scenario: Scenario, paths: tuple[FlightPath, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return start poses (N, 4) as the filter is told them, and their sigmas.

    The first drone's start is exact, since it defines `map`; the others err by `start_sigma`, and
    a sigma is NaN where the start is not known.
    """
    begin = np.zeros(1)
    truth = np.concatenate([true_path(path, begin).poses for path in paths])
    sigma = np.tile(scenario.start_sigma, (scenario.drones, 1))
    sigma[0] = 0.0
    rng = np.random.default_rng((scenario.seed, 20))
    start = truth + sigma * rng.standard_normal(truth.shape)
    sigma[list(scenario.unknown_starts)] = np.nan
    return start, sigma


def scenario_team(scenario: Scenario) -> tuple[DroneEntry, ...]:
    """Return the team as team.yaml describes it: what the chain is told before the flight."""
    start, sigma = believed_start(scenario, plan_flights(scenario))
    first, *more = (
        CameraEntry(c.name, c.translation, c.rotation, c.intrinsics.half_field_of_view)
        for c in scenario.cameras
    )
    return tuple(
        DroneEntry(
            name=name,
            namespace=f'/{name}',
            start=tuple(start[index].tolist()),
            start_sigma=tuple(sigma[index].tolist()),
            camera_translation=first.translation,
            camera_rotation=first.rotation,
            camera_half_view=first.half_view,
            more_cameras=tuple(more),
        )
        for index, name in enumerate(scenario.names)
    )


def arrival_delays(scenario: Scenario, count: int) -> FloatArray:
    """Return how late each of `count` frames arrives, seconds."""
    rng = np.random.default_rng((scenario.seed, 60))
    return scenario.frame_delay * rng.random(count)


def fly(scenario: Scenario, begin_ns: int = UNIX_BEGIN_NS) -> Recording:
    """Simulate odometry, sightings and truth of a scenario that begins at a stamp."""
    paths = plan_flights(scenario)
    odometry_times = np.arange(0.0, scenario.duration + 1e-9, 1.0 / scenario.odometry_rate)
    rng = np.random.default_rng((scenario.seed, 10))
    odometry = tuple(
        with_faults(
            drifting_odometry(path, odometry_times, scenario.odometry_noise, rng), scenario, drone
        )
        for drone, path in enumerate(paths)
    )
    frames: list[LabelledFrame] = []
    for time in np.arange(1.0 / scenario.frame_rate, scenario.duration, 1.0 / scenario.frame_rate):
        frames += _frames_at(float(time), scenario, paths, rng)
    stamps = np.array([frame.sightings.stamp_ns for frame in frames])
    arrival = stamps + 1e9 * arrival_delays(scenario, len(frames))
    start, sigma = believed_start(scenario, paths)
    truth_times = np.arange(0.0, scenario.duration + 1e-9, 0.05)
    mounts = tuple(camera.mount for camera in scenario.cameras)
    return Recording(
        team=Team(scenario.names, start, sigma, (mounts,) * scenario.drones),
        odometry=odometry,
        frames=tuple(frames[i] for i in np.argsort(arrival, kind='stable')),
        truth=tuple(true_path(path, truth_times) for path in paths),
        begin_ns=0,
        end_ns=nanoseconds(scenario.duration),
    ).shifted(begin_ns)


def matching_parameters(scenario: Scenario) -> FilterParameters:
    """Return filter parameters that know the statistics of the scenario."""
    drift, sight = scenario.odometry_noise, scenario.sighting_noise
    half_x, half_y = scenario.cameras[0].intrinsics.half_field_of_view
    return FilterParameters(
        detection_probability=sight.detection_probability,
        visible_probability=sight.detection_probability,  # misses are independent here
        detection_correlation=0.0,
        clutter_per_frame=max(sight.clutter_per_frame, 0.01),
        half_view_horizontal=half_x,
        half_view_vertical=half_y,
        min_range=sight.min_range,
        max_range=sight.max_range,
        true_score_mean=sight.true_score_mean,
        true_score_weight=sight.true_score_weight,
        false_score_mean=sight.false_score_mean,
        false_score_weight=sight.false_score_weight,
        position_noise=float(np.hypot(drift.position, drift.scale)),
        yaw_noise=drift.yaw,
        turn_noise=0.0,
        hover_position_noise=drift.hover_position,
        hover_yaw_noise=drift.hover_yaw,
    )


def _frames_at(
    time: float, scenario: Scenario, paths: tuple[FlightPath, ...], rng: np.random.Generator
) -> list[LabelledFrame]:
    now = np.array([time])
    positions = np.concatenate([path.position(now) for path in paths])
    frames = []
    for observer, path in enumerate(paths):
        others = np.delete(np.arange(scenario.drones), observer)
        body = (positions[others] - positions[observer]) @ path.rotation(now)[0]
        for camera in scenario.cameras:
            frame = _look(time, scenario, camera, observer, body, rng)
            if scenario.speaks(observer, time, 'silent'):
                frames.append(frame)
    return frames


def _look(
    time: float,
    scenario: Scenario,
    camera: CameraSettings,
    observer: int,
    body: FloatArray,
    rng: np.random.Generator,
) -> LabelledFrame:
    """Draw what one camera sees of the others, who are at (N - 1, 3) in the observer's body."""
    mount = camera.mount
    frame = draw_sightings(
        scenario.names[observer],
        nanoseconds(time),
        (body - mount.translation) @ mount.rotation.T,
        np.delete(np.arange(scenario.drones), observer),
        camera.intrinsics,
        scenario.sighting_noise,
        rng,
    )
    keep = np.arange(len(frame.labels))
    if not scenario.speaks(observer, time, 'blind_camera'):
        keep = keep[:0]
    sightings = replace(frame.sightings.subset(keep), camera=camera.name)
    return LabelledFrame(sightings, frame.labels[keep])
