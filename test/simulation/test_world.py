"""The simulated world: who takes a frame when, what arrives late, and what fails."""

import numpy as np
import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.simulation.flight.scenario import Fault, Scenario, Surroundings
from mav_perception.simulation.flight.scenario_files import load_scenario, scenario_names
from mav_perception.simulation.flight.sensors import CameraSettings, Exposure, OdometryNoise
from mav_perception.simulation.world import SimulatedWorld
from mav_perception.types import nanoseconds

SMALL = CameraSettings(width=160, height=128)
REAR = CameraSettings('rear', 160, 128, rotation=(0.0, 0.0, np.pi))


def ticks_of(world):
    return [world.tick(index) for index in range(len(world.times))]


def test_drones_take_turns_and_cameras_of_one_drone_fire_together():
    world = SimulatedWorld(Scenario(drones=3, duration=2.0, cameras=(SMALL, REAR)))
    shots = [tick.shots for tick in ticks_of(world)]
    frames = [sum(s.drone == d for some in shots for s in some) for d in range(3)]
    assert all(abs(f - 20) <= 2 for f in frames)
    assert all({s.camera for s in some} == {0, 1} for some in shots if some)
    assert max(len({s.drone for s in some}) for some in shots) == 1


def test_the_rear_camera_sees_who_is_behind():
    world = SimulatedWorld(Scenario(drones=4, duration=4.0, seed=2, cameras=(SMALL, REAR)))
    found = 0
    for tick in ticks_of(world):
        for front, rear in [tick.shots] if tick.shots else []:
            _, mask, targets = world.render_with_truth(front)
            _, rear_mask, rear_targets = world.render_with_truth(rear)
            ahead = np.abs(targets[:, 2]) > 0.5
            assert (np.sign(targets[ahead, 2]) != np.sign(rear_targets[ahead, 2])).all()
            for labels, places in ((mask, targets), (rear_mask, rear_targets)):
                inside = (np.abs(places[:, :2]) < 0.7 * places[:, 2:]).all(axis=1)
                found += int(inside.any())
                assert labels.any() or not inside.any()
    assert found > 10


def test_the_image_of_moving_drones_is_blurred_and_sheared():
    flight = Scenario(drones=4, duration=4.0, seed=3, pace=1.5, cameras=(SMALL,))
    sharp, blurred, rolling = (
        SimulatedWorld(Scenario(**{**vars(flight), 'exposure': exposure}))
        for exposure in (Exposure(), Exposure(time=0.1), Exposure(readout=0.1))
    )
    details = []
    for tick in ticks_of(sharp):
        for shot in tick.shots:
            images = [world.render(shot).astype(float) for world in (sharp, blurred, rolling)]
            details.append([np.abs(np.diff(image, axis=1)).mean() for image in images])
            middle = np.abs(images[2] - images[0]).mean(axis=(1, 2))
            # The middle row is read out at the stamp.
            assert middle[62:66].mean() <= middle[[0, 1, -2, -1]].mean() + 1.0
    clear, blur, shear = np.mean(details, axis=0)
    assert blur < 0.9 * clear
    assert shear > blur


def test_odometry_arrives_late_and_faults_silence_what_they_name():
    flight = Scenario(
        drones=3, duration=4.0, cameras=(SMALL,), odometry_noise=OdometryNoise(latency=0.08),
        faults=(
            Fault('silent', 'mav1', 1.0, 2.0),
            Fault('no_odometry', 'mav2', 1.0, 2.0),
            Fault('blind_camera', 'mav3', 1.0, 2.0),
        ),
    )  # fmt: skip
    world = SimulatedWorld(flight)
    for tick in ticks_of(world):
        for drone, sample in enumerate(tick.odometry):
            lost = drone < 2 and 1.0 <= tick.time - 0.08 < 2.0 - 1e-6
            early = tick.time < 0.08 - 1e-6
            assert (sample is None) == (lost or early)
            assert sample is None or sample.stamp_ns == tick.stamp_ns - nanoseconds(0.08)
        for shot in tick.shots:
            struck = 1.0 <= shot.time < 2.0 - 1e-6
            assert not (struck and shot.drone == 0)
            assert world.render(shot).any() != (struck and shot.drone == 2)


def test_frames_arrive_late_and_shuffled():
    world = SimulatedWorld(Scenario(drones=3, duration=4.0, frame_delay=0.3, cameras=(SMALL,)))
    late = [(t.time - s.time, s.stamp_ns) for t in ticks_of(world) for s in t.shots]
    delays, stamps = np.array(late).T
    assert delays.min() >= -1e-9
    assert 0.2 < delays.max() <= 0.3 + 0.04
    assert (np.diff(stamps) < 0).any()


def test_clutter_and_movers_are_in_the_image_but_not_in_the_labels():
    empty, full = (
        SimulatedWorld(Scenario(drones=2, duration=1.0, cameras=(SMALL,), surroundings=around))
        for around in (Surroundings(), Surroundings(clutter=12, movers=6))
    )
    changed = 0
    for tick in ticks_of(empty):
        for shot in tick.shots:
            image, labels, _ = empty.render_with_truth(shot)
            other_image, other_labels, _ = full.render_with_truth(shot)
            changed += int((image != other_image).any(axis=2).sum())
            assert (other_labels <= labels).all()
    assert changed > 500


@pytest.mark.parametrize('name', scenario_names())
def test_every_shipped_scenario_can_be_flown(name):
    world = SimulatedWorld(load_scenario(name, duration=2.0))
    shot = next(shot for tick in ticks_of(world) for shot in tick.shots)
    assert world.render(shot).std() > 3.0
