"""Small changes of a recording, or of what the filter is told of it, that no result hangs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import LabelledFrame, Recording

DROPPED_SHARE = 0.3
"""Of the sightings, where some are dropped at random."""

Run = tuple[Recording, FilterParameters]


def as_recorded(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Change nothing."""
    return recording, parameters


def backwards(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Let time run back: a recording that nobody has tuned anything on."""
    return recording.backwards(), parameters


def with_sightings_dropped(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Drop sightings at random, as a worse detector would."""
    rng = np.random.default_rng(seed)

    def thinned(frame: LabelledFrame) -> LabelledFrame:
        kept = np.flatnonzero(rng.random(len(frame.labels)) >= DROPPED_SHARE)
        return LabelledFrame(frame.sightings.subset(kept), frame.labels[kept])

    return replace(recording, frames=tuple(map(thinned, recording.frames))), parameters


def with_halved_detection(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Tell the filter half the detection probability."""
    return recording, replace(
        parameters, detection_probability=parameters.detection_probability / 2.0
    )


def with_tripled_clutter(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Tell the filter of three times the false sightings."""
    return recording, replace(parameters, clutter_per_frame=3.0 * parameters.clutter_per_frame)


def with_doubled_drift(recording: Recording, parameters: FilterParameters, seed: int) -> Run:
    """Tell the filter of twice the drift of the VIO."""
    return recording, replace(
        parameters,
        position_noise=2.0 * parameters.position_noise,
        yaw_noise=2.0 * parameters.yaw_noise,
        turn_noise=2.0 * parameters.turn_noise,
    )


PERTURBATIONS: dict[str, Callable[[Recording, FilterParameters, int], Run]] = {
    'recorded': as_recorded,
    'backwards': backwards,
    'dropped': with_sightings_dropped,
    'detection': with_halved_detection,
    'clutter': with_tripled_clutter,
    'drift': with_doubled_drift,
}
