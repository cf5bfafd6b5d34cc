"""Nameless sightings drawn from truth by a statistical detector, for runs without images."""

from __future__ import annotations

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.geometry import tangent_basis
from mav_perception.recordings.recording import LabelledFrame
from mav_perception.simulation.flight.sensors import SightingNoise
from mav_perception.types import BoolArray, FloatArray, IntArray, Sightings


def draw_sightings(
    observer: str,
    stamp_ns: int,
    targets: FloatArray,
    identities: IntArray,
    camera: PinholeCamera,
    noise: SightingNoise,
    rng: np.random.Generator,
) -> LabelledFrame:
    """Draw one frame: misses, bearing and range noise, and clutter uniform in view and range.

    Args:
        observer: name of the drone with the camera.
        stamp_ns: time of the frame.
        targets: (T, 3) true positions of the others in the optical frame.
        identities: (T,) their drone indices.
        camera: field of view.
        noise: statistics of the detector.
        rng: source of chance.
    """
    directions, ranges, seen = _detections(targets, camera, noise, rng)
    false_directions, false_ranges = _clutter(camera, noise, rng)
    directions = np.concatenate([directions, false_directions])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ranges = np.maximum(np.concatenate([ranges, false_ranges]), 0.05)
    false = np.full(len(false_ranges), -1)
    labels = np.concatenate([identities[seen], false]).astype(np.int64)
    order = rng.permutation(len(ranges))
    sightings = Sightings(
        observer=observer,
        stamp_ns=stamp_ns,
        positions=(directions * ranges[:, None])[order],
        bearing_var=np.full(len(ranges), noise.bearing**2),
        range_var=(noise.range_share * ranges[order]) ** 2,
        score=_scores(labels[order] >= 0, noise, rng),
    )
    return LabelledFrame(sightings, labels[order])


def _scores(true: BoolArray, noise: SightingNoise, rng: np.random.Generator) -> FloatArray:
    """Return scores of true and false sightings (m,), all 1 where the noise tells nothing."""
    if not (noise.true_score_weight and noise.false_score_weight):
        return np.ones(len(true))
    mean = np.where(true, noise.true_score_mean, noise.false_score_mean)
    weight = np.where(true, noise.true_score_weight, noise.false_score_weight)
    return rng.beta(mean * weight, (1.0 - mean) * weight)


def _detections(
    targets: FloatArray, camera: PinholeCamera, noise: SightingNoise, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return noisy directions and ranges of the targets that are seen, and which those are."""
    distance = np.linalg.norm(targets, axis=1)
    half_x, half_y = camera.half_field_of_view
    x, y, z = targets.T
    elevation = np.arctan2(y, np.hypot(x, z) if _is_wide(camera) else z)
    seen = (distance > noise.min_range) & (distance < noise.max_range)
    seen &= (np.abs(np.arctan2(x, z)) < half_x) & (np.abs(elevation) < half_y)
    seen &= rng.random(len(targets)) < noise.detection_probability
    true = targets[seen]
    ranges = distance[seen] * (1.0 + noise.range_share * rng.standard_normal(len(true)))
    directions = true / distance[seen, None]
    tilt = noise.bearing * rng.standard_normal((len(true), 2))
    directions = directions + np.einsum('ti,tij->tj', tilt, tangent_basis(directions))
    return directions, ranges, seen


def _clutter(
    camera: PinholeCamera, noise: SightingNoise, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return directions and ranges of false sightings, uniform in view and range."""
    half_x, half_y = camera.half_field_of_view
    false = rng.poisson(noise.clutter_per_frame)
    azimuth, elevation = rng.uniform([-half_x, -half_y], [half_x, half_y], (false, 2)).T
    down = np.tan(elevation)
    clutter = (
        np.column_stack([np.sin(azimuth), down, np.cos(azimuth)])
        if _is_wide(camera)
        else np.column_stack([np.tan(azimuth), down, np.ones(false)])
    )
    return clutter, rng.uniform(noise.min_range, noise.max_range, false)


def _is_wide(camera: PinholeCamera) -> bool:
    """Tell whether the camera sees more than a plane image holds."""
    return camera.half_field_of_view[0] >= np.pi / 2.0
