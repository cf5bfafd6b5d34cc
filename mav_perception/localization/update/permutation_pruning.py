"""CPDA*: of events that are permutations of one another, keep the likeliest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.localization.association.problem import MISSED, AssociationEvents
from mav_perception.localization.update.event_updates import EventUpdates


def prune_permutations(events: AssociationEvents, updates: EventUpdates) -> EventUpdates:
    """Keep, of the events that detect the same candidates by the same sightings, the likeliest.

    This is CPDA* (Blom & Bloem 2000): permutations of one another would pull the estimates of near
    drones together.
    """
    detected = events.assignment != MISSED
    sightings = np.sort(events.assignment, axis=1)
    key = np.concatenate([events.parent[:, None], detected, sightings], axis=1)
    order = np.argsort(-updates.log_weight, kind='stable')
    _, first = np.unique(key[order], axis=0, return_index=True)
    likeliest = np.zeros(len(order), bool)
    likeliest[order[first]] = True
    return replace(updates, log_weight=np.where(likeliest, updates.log_weight, -np.inf))
