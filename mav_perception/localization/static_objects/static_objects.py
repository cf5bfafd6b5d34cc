"""Static objects that look like drones: a lamp, a landmark, a stain on the wall.

They are anonymous and stand in `map` as part of the joint state, so that their sightings take part
in the association and even help to localize, as in SLAM. A sighting that nothing explains is
remembered; when enough of them agree over time, an object is born. Each object has a probability
of existence and a detection rate of its own, and is forgotten when looked at and not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.types import BoolArray, FloatArray, IntArray

MEMORY_SIZE = 1500
"""Unexplained sightings that are remembered at most, the newest."""

RATE_MEMORY = 300.0
"""Opportunities after which the detection rate of an object fades."""


@dataclass(frozen=True)
class UnexplainedSightings:
    """Sightings that no candidate explained, in the odometry frame of the drone that saw them.

    In its odometry frame a drone's own sightings agree far better than in `map`, where its place
    is less certain than the short way that it went between two of them.

    Attributes:
        observers: (M,) drone indices.
        positions: (M, 3) metres, in the odometry frame of the observer.
        covariances: (M, 3, 3) of the sighting alone.
        rows: the M odometry rows of the observer at the time.
    """

    observers: IntArray
    positions: FloatArray
    covariances: FloatArray
    rows: OdometryRows

    def kept(self, keep: BoolArray | slice) -> UnexplainedSightings:
        """Return some of them."""
        return UnexplainedSightings(
            self.observers[keep], self.positions[keep], self.covariances[keep], self.rows[keep]
        )

    def joined(self, other: UnexplainedSightings) -> UnexplainedSightings:
        """Return both, the newest `MEMORY_SIZE` at most."""
        newest = slice(-MEMORY_SIZE, None)
        return UnexplainedSightings(
            np.concatenate([self.observers, other.observers])[newest],
            np.concatenate([self.positions, other.positions])[newest],
            np.concatenate([self.covariances, other.covariances])[newest],
            self.rows.joined(other.rows)[newest],
        )


@dataclass(frozen=True)
class StaticObjects:
    """What is known of the O static objects besides position and existence.

    Attributes:
        hits, opportunities: (O,) expected counts of sightings, and of frames that had the object
            in view, for the detection rate.
        missed_since: (O,) opportunities since the last sighting. They tell of existence, not of
            the rate, or an object that is gone would pass for one that is rarely seen.
        again, after: (O,) expected counts of sightings, and of opportunities, right after the
            object was seen by the same camera.
        last_detected: (cameras, O) probability that each was seen in the last frame.
        memory: sightings that may become objects.
    """

    hits: FloatArray
    opportunities: FloatArray
    missed_since: FloatArray
    again: FloatArray
    after: FloatArray
    last_detected: FloatArray
    memory: UnexplainedSightings

    @classmethod
    def empty(cls, cameras: int) -> StaticObjects:
        """Start with none."""
        nothing = UnexplainedSightings(
            np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3, 3)), OdometryRows.zeros(0)
        )
        return cls(
            hits=np.zeros(0),
            opportunities=np.zeros(0),
            missed_since=np.zeros(0),
            again=np.zeros(0),
            after=np.zeros(0),
            last_detected=np.zeros((cameras, 0)),
            memory=nothing,
        )

    def __len__(self) -> int:
        """Return the number of objects O."""
        return len(self.hits)

    @property
    def detection_probability(self) -> FloatArray:
        """Return (O,) detection rates in view, the mean of a Beta distribution."""
        opportunities = np.maximum(self.opportunities - self.missed_since, self.hits)
        return np.minimum((1.0 + self.hits) / (2.0 + opportunities), 0.98)

    @property
    def visible_probability(self) -> FloatArray:
        """Return (O,) detection rates of objects that nothing hides: they are seen again."""
        return np.minimum((1.0 + self.again) / (1.5 + self.after), 0.98)

    def counted(
        self, camera: int, detected: FloatArray, viewed: FloatArray, correlated: float
    ) -> StaticObjects:
        """Return the statistics after a frame.

        Args:
            camera: index of the camera in the team.
            detected: (O,) probability that each was seen.
            viewed: (O,) probability that each was in view.
            correlated: exp(-D / tau), how much the frame tells of the one before.
        """
        fade = 1.0 - viewed / RATE_MEMORY
        before = correlated * self.last_detected[camera]
        last = self.last_detected.copy()
        last[camera] = detected
        return replace(
            self,
            hits=fade * self.hits + detected,
            opportunities=fade * self.opportunities + viewed,
            missed_since=np.where(detected > 0.5, 0.0, self.missed_since + viewed),
            again=fade * self.again + detected * before,
            after=fade * self.after + viewed * before,
            last_detected=last,
        )

    def without(self, gone: BoolArray) -> StaticObjects:
        """Return the statistics without some objects."""
        return replace(
            self,
            hits=self.hits[~gone],
            opportunities=self.opportunities[~gone],
            missed_since=self.missed_since[~gone],
            again=self.again[~gone],
            after=self.after[~gone],
            last_detected=self.last_detected[:, ~gone],
        )

    def grown(self, hits: float, camera: int) -> StaticObjects:
        """Return the statistics with one more object, that a camera has just seen.

        Args:
            hits: number of sightings that agree on it.
            camera: index of the camera in the team.
        """
        seen = np.zeros((len(self.last_detected), 1))
        seen[camera] = 1.0
        return replace(
            self,
            hits=np.append(self.hits, hits),
            opportunities=np.append(self.opportunities, 2.0 * hits),
            missed_since=np.append(self.missed_since, 0.0),
            again=np.append(self.again, 0.0),
            after=np.append(self.after, 0.0),
            last_detected=np.hstack([self.last_detected, seen]),
        )
