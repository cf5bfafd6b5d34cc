"""Static objects that look like drones: a lamp, a landmark, a stain on the wall.

They are anonymous and stand in `map` as part of the joint state, so that their sightings take part
in the association and even help to localize, as in SLAM. Each object has a probability of
existence and a detection rate of its own, and is forgotten when looked at and not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.types import BoolArray, FloatArray

RATE_MEMORY = 300.0
"""Opportunities after which the detection rate of an object fades."""

PRIOR_BIRTHS = 10.0
PRIOR_SHARE = 0.03
"""Of unexplained sightings, those that are of something that will be seen there again."""

MIN_SHARE = 3e-3
"""Lower bound of the probability of birth: where all has been clutter an object may still come."""

BIRTH_MEMORY = 300.0
"""Births after which their share fades."""

PROVED_EXISTENCE, PROVED_HITS = 0.9, 2.5
"""An object is no chance agreement of clutter once it is as sure as this and was seen thrice."""


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
        unproved: (O,) how much of an unexplained sighting each began with, 0 once it was seen
            again and again.
        proved, disproved: expected numbers of unexplained sightings that began an object, and of
            those that did not.
    """

    hits: FloatArray
    opportunities: FloatArray
    missed_since: FloatArray
    again: FloatArray
    after: FloatArray
    unproved: FloatArray
    proved: float = 0.0
    disproved: float = 0.0

    @classmethod
    def empty(cls) -> StaticObjects:
        """Start with none."""
        return cls(
            hits=np.zeros(0),
            opportunities=np.zeros(0),
            missed_since=np.zeros(0),
            again=np.zeros(0),
            after=np.zeros(0),
            unproved=np.zeros(0),
        )

    def __len__(self) -> int:
        """Return the number of objects O."""
        return len(self.hits)

    @property
    def birth_probability(self) -> float:
        """Return how likely an unexplained sighting is the first of an object: a Beta mean."""
        proved = PRIOR_BIRTHS * PRIOR_SHARE + self.proved
        return max(proved / (PRIOR_BIRTHS + self.proved + self.disproved), MIN_SHARE)

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
        self, detected: FloatArray, viewed: FloatArray, before: FloatArray
    ) -> StaticObjects:
        """Return the statistics after a frame.

        Args:
            detected: (O,) probability that each was seen.
            viewed: (O,) probability that each was in view.
            before: (O,) how far the frame is one right after the same camera saw each.
        """
        fade = 1.0 - viewed / RATE_MEMORY
        return replace(
            self,
            hits=fade * self.hits + detected,
            opportunities=fade * self.opportunities + viewed,
            missed_since=np.where(detected > 0.5, 0.0, self.missed_since + viewed),
            again=fade * self.again + detected * before,
            after=fade * self.after + viewed * before,
        )

    def judged(self, existence: FloatArray, gone: BoolArray) -> StaticObjects:
        """Return the statistics after some objects have turned out true or false.

        Args:
            existence: (O,) probability that each is there.
            gone: (O,) those that will be deleted.
        """
        true = (existence > PROVED_EXISTENCE) & (self.hits > PROVED_HITS) & ~gone
        proved, disproved = self.unproved[true].sum(), self.unproved[gone].sum()
        fade = max(1.0 - (proved + disproved) / BIRTH_MEMORY, 0.0)
        return replace(
            self,
            unproved=np.where(true | gone, 0.0, self.unproved),
            proved=float(fade * self.proved + proved),
            disproved=float(fade * self.disproved + disproved),
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
            unproved=self.unproved[~gone],
        )

    def grown(self, unexplained: float) -> StaticObjects:
        """Return the statistics with one more object, that has just been seen first.

        Args:
            unexplained: probability that no candidate gave that sighting.
        """
        return replace(
            self,
            hits=np.append(self.hits, 1.0),
            opportunities=np.append(self.opportunities, 2.0),
            missed_since=np.append(self.missed_since, 0.0),
            again=np.append(self.again, 0.0),
            after=np.append(self.after, 0.0),
            unproved=np.append(self.unproved, unexplained),
        )
