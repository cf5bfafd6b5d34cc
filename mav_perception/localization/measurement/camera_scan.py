"""One camera scan: the sightings of a frame, and all that they are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.types import FloatArray, Sightings


@dataclass(frozen=True)
class CameraScan:
    """One camera scan.

    Attributes:
        sightings: what was seen.
        observer: index of the drone with the camera.
        roll_pitch: (2,) its attitude from VIO, radians.
        mount: where its camera sits.
        camera: index of the camera among all of the team.
    """

    sightings: Sightings
    observer: int
    roll_pitch: FloatArray
    mount: CameraMount
    camera: int

    @property
    def optical_from_level(self) -> FloatArray:
        """Return the rotation (3, 3) from the levelled body to the optical frame."""
        return self.mount.optical_from_level(self.roll_pitch)


def camera_scan(team: Team, sightings: Sightings, roll_pitch: FloatArray) -> CameraScan:
    """Join sightings with the camera that made them and the attitude of its drone.

    Args:
        team: who flies, with which cameras.
        sightings: what was seen.
        roll_pitch: (2,) of the observer at the time of the image, radians.

    Raises:
        ConfigurationError: the team has no such drone or camera.
    """
    camera, mount = team.camera(sightings.observer, sightings.camera)
    return CameraScan(
        sightings=sightings,
        observer=team.index(sightings.observer),
        roll_pitch=roll_pitch,
        mount=mount,
        camera=camera,
    )


def check_sightings(sightings: Sightings) -> None:
    """Raise InputError if any number is not finite, a variance not positive or a range zero."""
    count = len(sightings)
    values = (sightings.positions, sightings.bearing_var, sightings.range_var, sightings.score)
    shapes = tuple(value.shape for value in values)
    if shapes != ((count, 3), (count,), (count,), (count,)):
        raise InputError(
            f'Sightings of {sightings.observer} have shapes {shapes}: need one row each.'
        )
    if not all(np.isfinite(v).all() for v in values):
        raise InputError(
            f'Sightings of {sightings.observer} hold NaN or infinity: check the detection node.'
        )
    if (sightings.bearing_var <= 0).any() or (sightings.range_var <= 0).any():
        raise InputError(
            f'Sightings of {sightings.observer} have a variance that is not positive: every '
            'measurement needs bearing_var > 0 and range_var > 0.'
        )
    if (np.linalg.norm(sightings.positions, axis=1) < 1e-6).any():
        raise InputError(f'A sighting of {sightings.observer} lies in the camera itself.')
