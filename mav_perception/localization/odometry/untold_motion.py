"""Motion that no odometry has told of: where drones went since theirs fell silent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.odometry.process_noise import gap_variance
from mav_perception.localization.parameters import ProcessNoiseParameters
from mav_perception.types import BoolArray, FloatArray


@dataclass(frozen=True)
class UntoldMotion:
    """How far each drone is from where its last odometry led, a Gaussian per axis of map.

    It stands beside the joint state: odometry that goes on tells the motion exactly, and ties to
    the pose from before the silence. Of positions alone: what depends on a yaw needs the attitude,
    and waits for it.

    Attributes:
        mean: (N, 3) metres.
        variance: (N, 3); zero for drones whose odometry is up to date.
    """

    mean: FloatArray
    variance: FloatArray

    @classmethod
    def none(cls, drones: int) -> UntoldMotion:
        """Return that the odometry of all drones is up to date."""
        return cls(np.zeros((drones, 3)), np.zeros((drones, 3)))

    @property
    def silent(self) -> BoolArray:
        """Return (N,) who has moved since its odometry last told of it."""
        return np.asarray(self.variance.any(axis=1))

    def after(
        self, silence: FloatArray, told: BoolArray, parameters: ProcessNoiseParameters
    ) -> UntoldMotion:
        """Return it some time later.

        Args:
            silence: (N,) seconds more without odometry.
            told: (N,) whose odometry went on meanwhile: what was untold before is told now.
            parameters: noise of a gap.
        """
        before = np.where(told[:, None], 0.0, self.variance)
        variance = before + gap_variance(silence, parameters)
        return UntoldMotion(np.where(told[:, None], 0.0, self.mean), variance)

    def without(self, drone: int) -> UntoldMotion:
        """Return it with a drone up to date."""
        only = np.arange(len(self.mean)) == drone
        return UntoldMotion(*(np.where(only[:, None], 0.0, x) for x in (self.mean, self.variance)))
