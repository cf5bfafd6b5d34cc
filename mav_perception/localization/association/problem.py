"""What is to be associated, and the events that an association considers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mav_perception.types import BoolArray, FloatArray, IntArray

MISSED = -1
"""In an event, the sighting of a candidate that was not detected."""


@dataclass(frozen=True)
class AssociationProblem:
    """What is known before association, for T candidates and m sightings under K hypotheses.

    Attributes:
        log_likelihood_ratio: (K, T, m) log of l P_D N(nu; 0, S) / clutter density, each candidate
            on its own; l is the likelihood ratio of the score.
        log_missed: (K, T) log of 1 - P_D P_G.
        inside: (K, T, m) the sighting lies in the validation gate of the candidate.
        log_prior: (K,) log weight of each hypothesis, with all but these candidates missed.
        candidates: (T,) drone indices, then N + indices of static objects.
        scan_key: which camera scan the sightings are of, see `Sightings.key`.
    """

    log_likelihood_ratio: FloatArray
    log_missed: FloatArray
    inside: BoolArray
    log_prior: FloatArray
    candidates: IntArray
    scan_key: tuple[int, str, str] = (0, '', '')


@dataclass(frozen=True)
class AssociationEvents:
    """The B events that are considered, under whichever hypothesis: the branches of the mixture.

    Attributes:
        parent: (B,) the hypothesis of each, ascending.
        assignment: (B, T) index of the sighting of every candidate, or `MISSED`.
        dropped: share of the weight, by uncoupled likelihood, of the events that were cut.
    """

    parent: IntArray
    assignment: IntArray
    dropped: float = 0.0


Associate = Callable[[AssociationProblem, int], AssociationEvents]
"""An association: a problem and the number of events to keep at most -> the events."""
