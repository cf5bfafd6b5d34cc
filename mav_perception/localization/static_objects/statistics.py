"""Static objects that look like drones: a lamp, a landmark, a stain on the wall.

They are anonymous and stand in `map` as part of the joint state, so that their sightings take part
in the association and even help to localize, as in SLAM. A sighting that nothing explains is
remembered; when enough of them agree over time, an object is born. Each object has a probability
of existence and a detection rate of its own, and is forgotten when looked at and not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.odometry.history import COLUMNS, POSITION, TIME
from mav_perception.localization.odometry.team_odometry import process_noise
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import BoolArray, FloatArray, IntArray

MEMORY_SIZE = 1500
"""Unexplained sightings that are remembered at most, the newest."""

LEAST_SPAN = 0.3
"""Sightings of a static object agree over at least so many seconds. It must be born before its
sightings, taken for a drone, have ruled out that they are none; a drone that was taken for an
object moves on and the object is forgotten."""

LEAST_SIGHTINGS = 3
BIRTH_LOG_ODDS = 6.0
"""How much likelier than clutter an object must be to be born; there are many places to test."""

GATE = 11.3
"""Squared Mahalanobis distance within which two sightings agree: chi-square, 3 axes, 99 %."""

LEAST_EXISTENCE = 0.05
LOOK_TIME = 1.0
"""What hides an object from one frame hides it from the next: so long, seconds."""

RATE_MEMORY = 300.0
"""Looks after which the detection rate of an object fades."""


@dataclass(frozen=True)
class UnexplainedSightings:
    """Sightings that no candidate explained, placed by the odometry of the drone that saw them.

    In its odometry frame a drone's own sightings agree far better than in `map`, where its place
    is less certain than the short way that it went between two of them.

    Attributes:
        observers: (M,) drone indices.
        positions: (M, 3) metres, in the odometry frame of the observer.
        covariances: (M, 3, 3) of the sighting alone.
        rows: (M, COLUMNS) odometry of the observer at the time.
    """

    observers: IntArray
    positions: FloatArray
    covariances: FloatArray
    rows: FloatArray

    def kept(self, keep: BoolArray | slice) -> UnexplainedSightings:
        """Return some of them."""
        return UnexplainedSightings(
            *(getattr(self, name)[keep] for name in self.__dataclass_fields__)
        )

    def joined(self, other: UnexplainedSightings) -> UnexplainedSightings:
        """Return both, the newest `MEMORY_SIZE` at most."""
        pairs = [(getattr(self, n), getattr(other, n)) for n in self.__dataclass_fields__]
        return UnexplainedSightings(*(np.concatenate(p)[-MEMORY_SIZE:] for p in pairs))


@dataclass(frozen=True)
class StaticObjects:
    """What is known of the O static objects besides place and existence.

    Attributes:
        hits, looks: (O,) expected counts of sightings and of looks, for the detection rate.
        looks_since: (O,) looks since the last sighting. They tell of existence, not of the rate,
            or an object that is gone would pass for one that is rarely seen.
        memory: sightings that may become objects.
        last_frame: (cameras,) time of the last frame of each camera, seconds.
    """

    hits: FloatArray
    looks: FloatArray
    looks_since: FloatArray
    memory: UnexplainedSightings
    last_frame: FloatArray

    @classmethod
    def empty(cls, cameras: int) -> StaticObjects:
        """Start with none."""
        nothing = UnexplainedSightings(
            np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, COLUMNS))
        )
        return cls(np.zeros(0), np.zeros(0), np.zeros(0), nothing, np.zeros(cameras))

    def __len__(self) -> int:
        """Return the number of objects O."""
        return len(self.hits)

    @property
    def detection_probability(self) -> FloatArray:
        """Return (O,) detection rates in view, the mean of a Beta distribution."""
        looks = np.maximum(self.looks - self.looks_since, self.hits)
        return np.minimum((1.0 + self.hits) / (2.0 + looks), 0.98)

    def look_share(self, camera: int, time: float) -> float:
        """Return how much a frame tells of existence: frames within `LOOK_TIME` tell the same."""
        return float(np.clip((time - self.last_frame[camera]) / LOOK_TIME, 0.0, 1.0))

    def counted(
        self, hits: FloatArray, looks: FloatArray, camera: int, time: float
    ) -> StaticObjects:
        """Return the statistics after a frame of a camera: expected hits and looks of each."""
        fade = 1.0 - looks / RATE_MEMORY
        last_frame = self.last_frame.copy()
        last_frame[camera] = time
        return replace(
            self,
            hits=fade * self.hits + hits,
            looks=fade * self.looks + looks,
            looks_since=np.where(hits > 0.5, 0.0, self.looks_since + looks),
            last_frame=last_frame,
        )

    def without(self, gone: BoolArray) -> StaticObjects:
        """Return the statistics without some objects."""
        return replace(
            self,
            hits=self.hits[~gone],
            looks=self.looks[~gone],
            looks_since=self.looks_since[~gone],
        )


@dataclass(frozen=True)
class Birth:
    """A static object to be added.

    Attributes:
        sighting: which of the new unexplained sightings shows it.
        hits: number of sightings that agree on it.
    """

    sighting: int
    hits: float


def remember(
    objects: StaticObjects,
    new: UnexplainedSightings,
    clutter: FloatArray,
    parameters: FilterParameters,
) -> tuple[StaticObjects, tuple[Birth, ...]]:
    """Remember the unexplained sightings of one frame, and find those that make an object.

    Args:
        objects: what is known so far.
        new: unexplained sightings of this frame.
        clutter: (M,) density of false sightings at each of them, per cubic metre.
        parameters: `object_memory` and `max_objects`.
    """
    if not len(new.observers):
        return objects, ()
    age = new.rows[0, TIME] - objects.memory.rows[:, TIME]
    memory = objects.memory.kept(age < parameters.object_memory)
    births: list[Birth] = []
    fresh = np.ones(len(new.observers), bool)
    for index in range(len(fresh)):
        agree = _agreeing(memory, new.kept(slice(index, index + 1)), clutter[index], parameters)
        if agree is None or len(objects) + len(births) >= parameters.max_objects:
            continue
        births.append(Birth(index, float(agree.sum() + 1)))
        memory = memory.kept(~agree)
        fresh[index] = False
    return replace(objects, memory=memory.joined(new.kept(fresh))), tuple(births)


def _agreeing(
    memory: UnexplainedSightings,
    new: UnexplainedSightings,
    clutter: float,
    parameters: FilterParameters,
) -> BoolArray | None:
    """Return which remembered sightings show the same object as a new one, or None.

    With n sightings that agree, the log odds of an object against clutter of density c are
    sum_j log(P N(d_j; 0, C + C_j + drift) / c) - n, with P the share of the observer's frames with
    something unexplained that show it.
    """
    drift = process_noise(new.rows - memory.rows, parameters)
    delta = memory.positions - new.positions
    covariance = memory.covariances + new.covariances
    # A turn of the odometry swings the old sightings about the observer.
    reach = np.sum((memory.positions - memory.rows[:, POSITION]) ** 2, axis=1)
    covariance[:, np.arange(3), np.arange(3)] += (
        drift[:, :3] + (drift[:, 3] * reach)[:, None] / 2.0
    )
    size = GATE * np.trace(covariance, axis1=1, axis2=2)
    near = (memory.observers == new.observers[0]) & (np.sum(delta**2, axis=1) < size)
    index = np.flatnonzero(near)
    solved = np.linalg.solve(covariance[index], delta[index, :, None])[..., 0]
    distance = np.sum(delta[index] * solved, axis=1)
    inside = distance < GATE
    index, distance = index[inside], distance[inside]
    times = memory.rows[index, TIME]
    hits = len(np.unique(times))
    if hits < LEAST_SIGHTINGS - 1 or new.rows[0, TIME] - times.min() < LEAST_SPAN:
        return None
    looks = memory.rows[memory.observers == new.observers[0], TIME]
    rate = hits / len(np.unique(looks[looks >= times.min()]))
    log_det = np.linalg.slogdet(2.0 * np.pi * covariance[index])[1]
    log_odds = np.log(rate / clutter) - 0.5 * (distance + log_det) - 1.0
    if log_odds.sum() < BIRTH_LOG_ODDS:
        return None
    agree = np.zeros(len(memory.observers), bool)
    agree[index] = True
    return agree
