"""Detections -> relative measurements: bearing from the centroid, range from the apparent size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.camera import PinholeCamera
from mav_perception.detection.blobs import find_detections
from mav_perception.errors import InputError
from mav_perception.parameters import parameter
from mav_perception.types import Detection, FloatArray, LabelMask, Sightings


@dataclass(frozen=True)
class DetectionParameters:
    """How blobs become measurements."""

    target_class: int = parameter(1, 'class id of a drone in the mask', 1, 254)
    smallest_area: int = parameter(12, 'blobs of fewer pixels are noise', 1, 1_000_000)
    target_width: float = parameter(
        0.33,
        'length of an even bar that looks as long as a drone from the side, averaged over its '
        'yaw: about 0.65 of the span over its rotors [m]',
        0.01,
        100.0,
    )
    width_sigma: float = parameter(
        0.1, 'spread of the apparent width with attitude, as a share of the width', 0.0, 1.0
    )
    edge_loss: float = parameter(
        0.0, 'width that the network loses at both edges together [pixel]', 0.0, 100.0
    )
    edge_sigma: float = parameter(1.5, 'noise of a blob edge [pixel]', 0.01, 100.0)
    centroid_sigma: float = parameter(1.0, 'noise of a blob centre [pixel]', 0.01, 100.0)
    centre_spread: float = parameter(
        0.04, 'noise of the blob centre as a share of its width', 0.0, 1.0
    )
    cut_factor: float = parameter(
        5.0, 'factor on the noise of blobs cut by the image border', 1.0, 100.0
    )


def measure_mask(
    mask: LabelMask,
    camera: PinholeCamera,
    parameters: DetectionParameters,
    observer: str,
    stamp_ns: int,
) -> Sightings:
    """Find drones in a mask and return their nameless relative measurements.

    Raises:
        InputError: the mask has another size than the camera.
    """
    if mask.labels.shape != (camera.height, camera.width):
        raise InputError(
            f'Mask is {mask.labels.shape[1]}x{mask.labels.shape[0]}, camera_info says '
            f'{camera.width}x{camera.height}: the mask must have the size of the image.'
        )
    detections = find_detections(mask, parameters.target_class, parameters.smallest_area)
    return measure_detections(detections, camera, parameters, observer, stamp_ns)


def measure_detections(
    detections: list[Detection],
    camera: PinholeCamera,
    parameters: DetectionParameters,
    observer: str,
    stamp_ns: int,
) -> Sightings:
    """Turn detections into bearing, range and their variances.

    Bearing is the ray through the centroid; range is W / (2 tan(alpha / 2)) with W the width of a
    drone and alpha the angle that the blob's long axis spans, lengthened by the pixels that the
    network loses there (thin rotors). A quadrotor is flat, so its long axis keeps its length
    whatever the elevation and the roll. Errors of edges (pixels) and of W add up in quadrature as
    shares of the range.
    """
    if not detections:
        empty = np.zeros(0)
        return Sightings(observer, stamp_ns, np.zeros((0, 3)), empty, empty, empty)
    centroid = np.array([d.centroid for d in detections])
    length = np.array([d.length for d in detections])
    cut = np.array([d.cut for d in detections])
    direction = camera.unproject(centroid)
    half = np.column_stack([length / 2.0, np.zeros(len(length))])
    left, right = camera.unproject(centroid - half), camera.unproject(centroid + half)
    angle = np.arccos(np.clip((left * right).sum(axis=1), -1.0, 1.0))
    pixel_angle = angle / length
    width = length + parameters.edge_loss
    half_angle = np.maximum(width * pixel_angle, 1e-4) / 2.0
    distance = parameters.target_width / (2.0 * np.tan(np.minimum(half_angle, 1.5)))
    share = np.hypot(parameters.width_sigma, np.sqrt(2.0) * parameters.edge_sigma / width)
    centre = np.hypot(parameters.centroid_sigma, parameters.centre_spread * length)
    factor = np.where(cut, parameters.cut_factor, 1.0)
    return Sightings(
        observer,
        stamp_ns,
        direction * distance[:, None],
        (factor * centre * pixel_angle) ** 2,
        (factor * share * distance) ** 2,
        np.array([d.score for d in detections]),
    )


def cartesian_covariances(sightings: Sightings) -> FloatArray:
    """Return (m, 3, 3) covariances u u' var_r + r^2 var_b (I - u u') in the optical frame."""
    distance = np.linalg.norm(sightings.positions, axis=1)
    unit = sightings.positions / np.maximum(distance, 1e-9)[:, None]
    along = unit[:, :, None] * unit[:, None, :]
    across = np.eye(3) - along
    across_var = distance**2 * sightings.bearing_var
    return along * sightings.range_var[:, None, None] + across * across_var[:, None, None]
