"""What is to be associated, and the events that an association considers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mav_perception.types import BoolArray, FloatArray, IntArray

MISSED = -1
"""In an event, the sighting of a candidate that was not detected."""


@dataclass(frozen=True)
class AssociationProblem:
    """What is known before association, for T candidates and m sightings.

    Attributes:
        log_likelihood_ratio: (T, m) log of P_D N(nu; 0, S) / clutter density, each candidate on
            its own.
        log_missed: (T,) log of 1 - P_D P_G.
        inside: (T, m) the sighting lies in the validation gate of the candidate.
        candidates: (T,) drone indices, then N + indices of static objects.
        scan_key: which camera scan the sightings are of, see `Sightings.key`.
    """

    log_likelihood_ratio: FloatArray
    log_missed: FloatArray
    inside: BoolArray
    candidates: IntArray
    scan_key: tuple[int, str, str] = (0, '', '')


@dataclass(frozen=True)
class AssociationEvents:
    """The events that are considered.

    Attributes:
        assignment: (E, T) index of the sighting of every candidate, or `MISSED`.
        dropped: share of the weight, by uncoupled likelihood, of the events that were cut.
    """

    assignment: IntArray
    dropped: float = 0.0


Associate = Callable[[AssociationProblem, int], AssociationEvents]
"""An association: a problem and the number of events to keep at most -> the events."""
