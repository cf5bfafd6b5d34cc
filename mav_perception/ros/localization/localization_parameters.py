"""What localization_node reads besides the parameters of the filter and of its publishers."""

from __future__ import annotations

from dataclasses import dataclass

from mav_perception.localization.timing.sighting_queue import ANOTHER_CLOCK
from mav_perception.parameters import parameter
from mav_perception.ros.messages.qos import qos_parameter


@dataclass(frozen=True)
class LocalizationNodeParameters:
    """Parameters of localization_node besides those of the filter."""

    team_file: str = parameter('', 'team.yaml with names, namespaces, starts and cameras')
    team_namespace: str = parameter(
        '.', "namespace of the team: a path from the node's own, such as .., or absolute"
    )
    odometry_wait: float = parameter(0.3, 'longest wait of a frame for odometry [s]', 0.0, 10.0)
    dropout_after: float = parameter(
        1.0, 'a drone whose odometry lags by more is not waited for [s]', 0.0, 60.0
    )
    max_sightings: int = parameter(
        30, 'of a frame with more sightings those with the best scores are used', 1, 1000
    )
    future_tolerance: float = parameter(0.5, 'stamps further ahead are refused [s]', 0.0, 60.0)
    publish_rate: float = parameter(
        5.0, 'rate of markers, and of poses of drones without frames of their own [Hz]', 0.1, 100.0
    )
    checkpoint_file: str = parameter(
        '', 'file that keeps the joint state, to go on after the node was killed; empty for none'
    )
    checkpoint_age: float = parameter(
        10.0, 'longest gap over which the joint state is resumed [s]', 0.0, 600.0
    )
    odometry_qos: str = qos_parameter('sensor_data', 'odometry')
    measurement_qos: str = qos_parameter('reliable', 'the relative measurements')

    def ahead(self, simulated: bool) -> float:
        """Return by how many seconds a stamp may be ahead of the clock.

        With simulated time messages may be handled before a /clock that came earlier: then only
        another clock is refused.
        """
        return ANOTHER_CLOCK if simulated else self.future_tolerance
