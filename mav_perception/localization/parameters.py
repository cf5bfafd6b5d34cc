"""Parameters of the joint filter in groups; flat in YAML and on the parameter server."""

from __future__ import annotations

from dataclasses import dataclass

from mav_perception.errors import ConfigurationError
from mav_perception.parameters import parameter


@dataclass(frozen=True)
class SensorParameters:
    """What a camera with its detector sees: field of view, detection rate, clutter, noise."""

    detection_probability: float = parameter(
        0.8, 'probability that a drone in full view gives a sighting', 0.01, 0.999
    )
    visible_probability: float = parameter(
        0.85, 'probability of a sighting while nothing hides a drone in full view', 0.01, 0.999
    )
    detection_correlation: float = parameter(
        1.0, 'time over which detections and misses of a target are correlated [s]', 0.0, 60.0
    )
    clutter_per_frame: float = parameter(
        0.3, 'mean number of false sightings in an image', 1e-4, 100.0
    )
    learn_rates: bool = parameter(
        True, 'estimate P_D and clutter of every camera in flight; the parameters are the prior'
    )
    half_view_horizontal: float = parameter(
        0.785, 'half the horizontal field of view [rad]', 0.01, 3.1416
    )
    half_view_vertical: float = parameter(
        0.675, 'half the vertical field of view [rad]', 0.01, 3.1416
    )
    min_range: float = parameter(0.3, 'nearest distance at which a drone is detected [m]', 0.0)
    max_range: float = parameter(10.0, 'farthest distance at which a drone is detected [m]', 0.1)
    clutter_density_scale: float = parameter(
        1.0, 'factor on the clutter density, for sensors that measure fewer axes', 1e-6, 1e6
    )
    error_correlation: float = parameter(
        0.0, "time over which the errors of a camera's measurements are correlated [s]", 0.0, 60.0
    )

    true_score_mean: float = parameter(0.5, 'mean score of sightings of drones', 0.01, 0.99)
    true_score_weight: float = parameter(
        0.0, 'a + b of the Beta distribution of these scores; 0 if unknown', 0.0, 1e4
    )
    false_score_mean: float = parameter(0.5, 'mean score of false sightings', 0.01, 0.99)
    false_score_weight: float = parameter(
        0.0, 'a + b of the Beta distribution of these scores; 0 if unknown', 0.0, 1e4
    )

    def __post_init__(self) -> None:
        """Refuse a range of distances that is empty."""
        if self.min_range >= self.max_range:
            raise ConfigurationError(
                f'min_range {self.min_range} m must be less than max_range {self.max_range} m.'
            )


@dataclass(frozen=True)
class ProcessNoiseParameters:
    """Drift of the VIO, and what counts as a restart of it."""

    position_noise: float = parameter(
        0.03, 'random walk of the VIO position [m per square root of a metre]', 0.0, 10.0
    )
    yaw_noise: float = parameter(
        0.01, 'random walk of the VIO yaw [rad per square root of a metre]', 0.0, 10.0
    )
    turn_noise: float = parameter(
        0.01, 'random walk of the VIO yaw [rad per square root of a radian turned]', 0.0, 10.0
    )
    hover_position_noise: float = parameter(
        0.005, 'random walk of the VIO position at rest [m per square root of a second]', 0.0, 10.0
    )
    hover_yaw_noise: float = parameter(
        0.001, 'random walk of the VIO yaw at rest [rad per square root of a second]', 0.0, 10.0
    )
    learn_drift: bool = parameter(
        True, 'estimate the drift of each VIO in flight; the parameters above are the prior'
    )
    gap_position_noise: float = parameter(
        1.0, 'position noise while odometry is missing [m per square root of a second]', 0.0, 100.0
    )
    gap_yaw_noise: float = parameter(
        0.3, 'yaw noise while odometry is missing [rad per square root of a second]', 0.0, 100.0
    )
    vertical_noise_scale: float = parameter(
        1.0, 'factor on every vertical position noise; 0 for vehicles on a plane', 0.0, 10.0
    )
    max_speed: float = parameter(
        25.0, 'odometry that moves faster than this has jumped, the VIO restarted [m/s]', 0.1, 1e3
    )
    jump_distance: float = parameter(
        0.3, 'odometry that leaves its way by more in one step has jumped [m]', 0.01, 100.0
    )
    jump_yaw: float = parameter(
        0.5,
        'odometry that turns by more than it was turning in one step has jumped [rad]',
        0.01,
        7.0,
    )


@dataclass(frozen=True)
class AssociationParameters:
    """Validation gate, joint association events, and the mixture that is kept of them."""

    gate_probability: float = parameter(
        0.999, 'probability that a true sighting falls into the validation gate', 0.5, 0.999999
    )
    max_events: int = parameter(
        2000, 'joint association events kept in an update, the most likely first', 1, 1_000_000
    )
    permutation_pruning: bool = parameter(
        False, 'CPDA*: of events with the same drones and sightings keep only the likeliest'
    )
    max_hypotheses: int = parameter(
        20,
        'weighted joint hypotheses carried while the association is in doubt; 1 is CPDAF',
        1,
        99,
    )
    merge_distance: float = parameter(
        1.4, 'hypotheses nearer than this many standard deviations are merged', 0.0, 100.0
    )


@dataclass(frozen=True)
class DisplacedDroneParameters:
    """Drones that are not where the filter has them, and nobody has noticed."""

    displacement_rate: float = parameter(
        1e-5,
        'rate at which a drone that meets no other gets elsewhere unnoticed [1/s]; 0 for never',
        0.0,
        1e-3,
    )


@dataclass(frozen=True)
class StaticObjectParameters:
    """Static objects that look like drones."""

    max_objects: int = parameter(
        30, 'static objects that look like drones and are remembered in map; 0 for none', 0, 200
    )
    object_size_sigma: float = parameter(
        0.0,
        'standard deviation of the log size of static objects against that of a drone; range '
        'from size is off by so much',
        0.0,
        3.0,
    )


@dataclass(frozen=True)
class InitializationParameters:
    """Search for drones whose pose is unknown."""

    recover: bool = parameter(
        True, 'search for drones without a pose; withdraw and correct poses that are wrong'
    )
    start_window: float = parameter(
        120.0,
        'time of which frames are used to find a drone whose pose is unknown [s]',
        5.0,
        600.0,
    )
    start_margin: float = parameter(
        20.0, 'log odds by which a pose must beat all other explanations', 3.0, 1e3
    )
    start_interval: float = parameter(
        1.0, 'time between two searches for drones whose pose is unknown [s]', 0.1, 60.0
    )


@dataclass(frozen=True)
class TimeParameters:
    """Late messages."""

    late_window: float = parameter(
        1.0, 'messages that come later than this after newer ones are refused [s]', 0.0, 60.0
    )


@dataclass(frozen=True)
class FilterParameters(
    TimeParameters,
    InitializationParameters,
    DisplacedDroneParameters,
    StaticObjectParameters,
    AssociationParameters,
    ProcessNoiseParameters,
    SensorParameters,
):
    """Everything the joint filter must be told, all groups together."""


FIXED_IN_FLIGHT = ('late_window', 'recover', 'max_objects', 'start_window')
"""Parameters that say what the filter remembers."""


def check_retunable(old: FilterParameters, new: FilterParameters) -> None:
    """Raise ConfigurationError if a running filter cannot go from old to new parameters."""
    for name in FIXED_IN_FLIGHT:
        if getattr(old, name) != getattr(new, name):
            raise ConfigurationError(
                f'{name} cannot change in flight: deactivate and clean up first.'
            )
