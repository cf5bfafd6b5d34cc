"""Images of simulated flights with exact labels and true positions, to measure a network on."""

from __future__ import annotations

from collections.abc import Iterator

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.sensor_model.target_observations import LabelledView
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.world import SimulatedWorld

FIRST_SEED = 1000
"""Far from the seeds of demos and benchmarks: nothing is fitted to what it is judged on."""


def labelled_flights(flights: int) -> tuple[Iterator[LabelledView], PinholeCamera]:
    """Return the frames of every camera of several flights of 5 drones, and the camera.

    Four a second, for a short while: how long something hides a drone is measured too.
    """
    scenarios = [
        Scenario(
            seed=FIRST_SEED + index, drones=5, duration=6.0, frame_rate=4.0, odometry_rate=20.0
        )
        for index in range(flights)
    ]

    def views() -> Iterator[LabelledView]:
        for flight, scenario in enumerate(scenarios):
            world = SimulatedWorld(scenario)
            for index in range(len(world.times)):
                for shot in world.tick(index).shots:
                    image, labels, targets = world.render_with_truth(shot)
                    yield LabelledView(
                        image=image, labels=labels, targets=targets, flight=flight,
                        camera=shot.drone, time=shot.time,
                    )  # fmt: skip

    return views(), scenarios[0].cameras[0].intrinsics
