"""Where a camera sits on its drone, and how far it sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import OPTICAL_FROM_BODY, levelling_rotation
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class CameraMount:
    """Where the camera sits on the drone.

    Attributes:
        translation: (3,) of the camera in `base_link`, metres.
        rotation: (3, 3) from `base_link` to the optical frame.
        name: of the camera; the first one of a drone has none.
        half_view: half the horizontal and vertical field of view, radians; None for those of the
            filter parameters.
    """

    translation: FloatArray
    rotation: FloatArray
    name: str = ''
    half_view: tuple[float, float] | None = None

    @classmethod
    def forward(
        cls,
        translation: FloatArray,
        roll_pitch_yaw_angles: FloatArray,
        name: str = '',
        half_view: tuple[float, float] | None = None,
    ) -> CameraMount:
        """Mount a camera that looks along body x, then turned by roll, pitch, yaw in radians."""
        turned = Rotation.from_euler('ZYX', np.asarray(roll_pitch_yaw_angles)[::-1]).as_matrix()
        rotation = OPTICAL_FROM_BODY @ turned.T
        return cls(np.asarray(translation, float), rotation, name, half_view)

    def optical_from_level(self, roll_pitch: FloatArray) -> FloatArray:
        """Return the rotation (3, 3) from the levelled body to the optical frame.

        Args:
            roll_pitch: (2,) attitude of the drone, radians.
        """
        return self.rotation @ levelling_rotation(roll_pitch).T

    def with_field_of_view(self, parameters: FilterParameters) -> FilterParameters:
        """Return the parameters with the field of view of this camera."""
        if self.half_view is None:
            return parameters
        horizontal, vertical = self.half_view
        return replace(parameters, half_view_horizontal=horizontal, half_view_vertical=vertical)
