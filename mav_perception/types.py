"""Contracts between the stages: what flows from image to pose.

Arrays are numpy, SI units, right-handed frames (REP-103). Time is integer nanoseconds.
Optical frames have z forward, x right, y down. No type here carries the name of a *seen* drone:
sightings are anonymous from end to end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ByteImage = NDArray[np.uint8]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NANOSECONDS = 1_000_000_000


NEVER_NS = -(2**62)
"""Stamp of what has not happened; the difference to any stamp of this age fits into 64 bits."""


def seconds(stamp_ns: int) -> float:
    """Convert a duration or stamp from integer nanoseconds to seconds."""
    return stamp_ns / NANOSECONDS


def nanoseconds(time_s: float) -> int:
    """Convert a duration or stamp from seconds to integer nanoseconds."""
    return round(time_s * NANOSECONDS)


@dataclass(frozen=True)
class LabelMask:
    """Class of every pixel: `labels` (H, W) uint8 ids, 255 unknown; `confidence` (H, W) 0..255."""

    labels: ByteImage
    confidence: ByteImage

    @classmethod
    def certain(cls, labels: ByteImage) -> LabelMask:
        """Return a mask whose every pixel is sure."""
        return cls(labels, np.full_like(labels, 255))


@dataclass(frozen=True)
class Detection:
    """One blob of the target class in one mask, in pixels of the image.

    Attributes:
        centroid: (2,) column and row of the centre of mass, weighted with confidence.
        box: left, top, width, height of the bounding box.
        area: number of pixels.
        score: mean confidence over the blob, 0..1.
        cut: the blob touches the border of the image or of the unknown region, so its true
            extent is larger than what is seen.
        length: along its long axis, that of an even bar with the same spread.
    """

    centroid: FloatArray
    box: tuple[int, int, int, int]
    area: int
    score: float
    cut: bool
    length: float


@dataclass(frozen=True)
class Sightings:
    """What one camera saw at one instant: m nameless relative measurements, m may be 0.

    Attributes:
        observer: name of the drone that carries the camera.
        stamp_ns: time of the image.
        positions: (m, 3) target positions in the camera optical frame, metres.
        bearing_var: (m,) variance of the direction, rad^2, the same in both tangent axes.
        range_var: (m,) variance of the distance, m^2.
        score: (m,) confidence of the segmentation, 0..1.
        camera: name of the camera on the drone; the first one has none.
    """

    observer: str
    stamp_ns: int
    positions: FloatArray
    bearing_var: FloatArray
    range_var: FloatArray
    score: FloatArray = field(default_factory=lambda: np.ones(0))
    camera: str = ''

    def __post_init__(self) -> None:
        """Fill in the score where none is told."""
        if not self.score.size:
            object.__setattr__(self, 'score', np.ones(len(self.positions)))

    def __len__(self) -> int:
        """Return the number of sightings m."""
        return len(self.positions)

    @property
    def key(self) -> tuple[int, str, str]:
        """Return what orders frames: the stamp, then drone and camera where stamps are equal."""
        return self.stamp_ns, self.observer, self.camera

    def surest(self, most: int) -> Sightings:
        """Return the frame with no more than so many sightings, those of the highest scores."""
        if len(self) <= most:
            return self
        return self.subset(np.sort(np.argsort(-self.score, kind='stable')[:most]))

    def subset(self, keep: IntArray) -> Sightings:
        """Return some of the sightings of the frame."""
        return replace(
            self,
            positions=self.positions[keep],
            bearing_var=self.bearing_var[keep],
            range_var=self.range_var[keep],
            score=self.score[keep],
        )


@dataclass(frozen=True)
class OdometrySample:
    """One output of a drone's VIO: pose of its body in its own gravity-aligned odometry frame.

    Attributes:
        stamp_ns: time of the sample.
        position: (3,) metres in `mavN/odom`.
        quaternion: (4,) x, y, z, w, rotation from `mavN/base_link` to `mavN/odom`.
    """

    stamp_ns: int
    position: FloatArray
    quaternion: FloatArray


@dataclass(frozen=True)
class TeamState:
    """Joint Gaussian over the 4-DoF poses of all N drones in `map` at one instant.

    Attributes:
        stamp_ns: time of validity.
        mean: (N, 4) x, y, z in metres and yaw in radians, wrapped to (-pi, pi].
        covariance: (4N, 4N), drone after drone; off-diagonal blocks are what couples the team.
    """

    stamp_ns: int
    mean: FloatArray
    covariance: FloatArray

    @property
    def variances(self) -> FloatArray:
        """Return the (N, 4) variances of x, y, z and yaw of every drone."""
        return np.diag(self.covariance).reshape(-1, 4)

    def block(self, drone: int) -> FloatArray:
        """Return the (4, 4) marginal covariance of one drone."""
        return self.covariance[4 * drone : 4 * drone + 4, 4 * drone : 4 * drone + 4]


@dataclass(frozen=True)
class Notice:
    """A warning as data: the core reports it, the shell (node or command) shows it.

    Attributes:
        code: stable short name to count by, such as 'odometry_jump'.
        text: sentence for a person that names the cause and the fix.
        values: numbers that go with it.
    """

    code: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)
