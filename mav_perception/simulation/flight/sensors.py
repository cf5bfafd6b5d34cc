"""Settings of the simulated sensors: cameras, exposure, VIO and the statistical detector."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team_values import check_angles

LARGEST_NOISE = 0.6
"""Radians, 34 degrees: no camera or VIO is that bad."""


@dataclass(frozen=True)
class NotNegative:
    """Settings of which none can be negative."""

    def __post_init__(self) -> None:
        """Refuse negative numbers and NaN."""
        for item in fields(self):
            if not getattr(self, item.name) >= 0:
                raise ConfigurationError(
                    f'{item.name} of {type(self).__name__} must not be negative, got '
                    f'{getattr(self, item.name)}.'
                )


def check_noise_angle(radians: float, what: str) -> None:
    """Raise ConfigurationError for a noise that only makes sense in degrees."""
    if radians > LARGEST_NOISE:
        raise ConfigurationError(
            f'{what} is {radians}: noise of angles is in radians, and this looks like degrees.'
        )


@dataclass(frozen=True)
class OdometryNoise(NotNegative):
    """Drift of the simulated VIO; densities per square root of metre, radian or second.

    Attributes:
        position, yaw: random walk a square root of a metre flown.
        scale: standard deviation of the constant error of scale.
        hover_position, hover_yaw: random walk a square root of a second.
        latency: seconds from the time of an output to its arrival.
    """

    position: float = 0.05
    yaw: float = 0.008
    scale: float = 0.01
    hover_position: float = 0.005
    hover_yaw: float = 0.001
    latency: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative numbers and degrees."""
        super().__post_init__()
        check_noise_angle(max(self.yaw, self.hover_yaw), 'yaw of odometry_noise')


@dataclass(frozen=True)
class SightingNoise(NotNegative):
    """Statistical detector for runs without images: angles in radians, range error as a share.

    Scores are those of Beta distributions with a mean and a + b; all are 1 where that is 0.
    """

    bearing: float = np.radians(1.0)
    range_share: float = 0.1
    detection_probability: float = 0.8
    clutter_per_frame: float = 0.5
    min_range: float = 0.4
    max_range: float = 10.0
    true_score_mean: float = 0.5
    true_score_weight: float = 0.0
    false_score_mean: float = 0.5
    false_score_weight: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative numbers, degrees, and probabilities above 1."""
        super().__post_init__()
        check_noise_angle(self.bearing, 'bearing of sighting_noise')
        for name in ('detection_probability', 'true_score_mean', 'false_score_mean'):
            if getattr(self, name) > 1.0:
                raise ConfigurationError(
                    f'{name} of sighting_noise is {getattr(self, name)}: it is from 0 to 1.'
                )


@dataclass(frozen=True)
class CameraSettings:
    """One camera of every drone.

    Attributes:
        name: namespace below the drone's; empty for the first camera.
        width, height: pixels.
        field_of_view: horizontal, of the lens without its distortion, radians.
        model, distortion: as in sensor_msgs/CameraInfo; 'equidistant' is a fisheye.
        translation, rotation: metres, and roll, pitch, yaw in radians from looking forward.
    """

    name: str = ''
    width: int = 640
    height: int = 512
    field_of_view: float = np.pi / 2.0
    model: str = 'plumb_bob'
    distortion: tuple[float, ...] = ()
    translation: tuple[float, float, float] = (0.1, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse a lens that there cannot be, and degrees."""
        check_angles(self.rotation, f'rotation of camera {self.name!r}')
        if not 0.0 < self.field_of_view < (2.0 if self.model == 'equidistant' else 1.0) * np.pi:
            raise ConfigurationError(
                f'field_of_view {self.field_of_view} rad of a {self.model} camera: a pinhole sees '
                'less than pi, a fisheye (equidistant) less than 2 pi.'
            )
        _ = self.intrinsics

    @cached_property
    def intrinsics(self) -> PinholeCamera:
        """Return the camera model; its principal point is the middle of the image."""
        half = self.field_of_view / 2.0
        focal = self.width / 2.0 / (half if self.model == 'equidistant' else np.tan(half))
        return PinholeCamera(
            width=self.width,
            height=self.height,
            fx=focal,
            fy=focal,
            cx=(self.width - 1) / 2.0,
            cy=(self.height - 1) / 2.0,
            model=self.model,
            distortion=np.array(self.distortion, float),
        )

    @cached_property
    def mount(self) -> CameraMount:
        """Return where the camera sits and how far it sees to the sides."""
        return CameraMount.forward(
            np.array(self.translation),
            np.array(self.rotation),
            self.name,
            self.intrinsics.half_field_of_view,
        )


@dataclass(frozen=True)
class Exposure(NotNegative):
    """How an image comes about.

    Attributes:
        time: that light is gathered, seconds; what moves meanwhile is blurred.
        readout: between the first and the last row of a rolling shutter, seconds; 0 is global.
        noise: of the sensor, standard deviation in grey levels.
    """

    time: float = 0.0
    readout: float = 0.0
    noise: float = 0.0
