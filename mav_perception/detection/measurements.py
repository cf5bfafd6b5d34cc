"""Detections -> relative measurements: bearing from the centroid, range from the apparent size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.apparent_size import angles_of_pixels, ranges_by_size
from mav_perception.detection.blobs import find_detections
from mav_perception.errors import InputError
from mav_perception.parameters import parameter
from mav_perception.types import BoolArray, Detection, FloatArray, LabelMask, Sightings

WIDTH_OF_SPAN = 0.65
"""Apparent width of a quadrotor as a share of its span over the rotors, averaged over its yaw."""


@dataclass(frozen=True)
class DetectionParameters:
    """How blobs become measurements."""

    target_class: int = parameter(1, 'class id of a drone in the mask', 1, 254)
    smallest_area: int = parameter(12, 'blobs of fewer pixels are noise', 1, 1_000_000)
    min_score: float = parameter(
        -1.0,
        'blobs of lower mean confidence are left out; below 0 the node takes that of the card of '
        'its model',
        -1.0,
        1.0,
    )
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
    range_from_size: bool = parameter(
        True, 'measure range by apparent size; else a blob without depth has the prior range'
    )
    prior_range: float = parameter(
        4.0, 'range of a blob of which only the bearing is known [m]', 0.1, 1000.0
    )
    prior_range_sigma: float = parameter(
        3.0, 'how far the prior range may be off [m]', 0.1, 1000.0
    )
    depth_noise: float = parameter(
        0.01, 'noise of the depth image, which grows with the square of depth [1/m]', 1e-5, 1.0
    )
    depth_share: float = parameter(
        0.2, 'share of a blob that must have depth, or its depth is not used', 0.01, 1.0
    )


def measure_mask(
    mask: LabelMask,
    camera: PinholeCamera,
    parameters: DetectionParameters,
    observer: str,
    stamp_ns: int,
    depth: FloatArray | None = None,
) -> Sightings:
    """Find drones in a mask and return their nameless relative measurements.

    Args:
        mask: class ids and confidence.
        camera: intrinsics.
        parameters: sizes and noise.
        observer: name of the drone with the camera.
        stamp_ns: time of the image.
        depth: (H, W) metres along the optical axis, aligned with the mask, NaN where unknown.

    Raises:
        InputError: the mask or the depth image has another size than the camera.
    """
    detections = detections_in(mask, camera, parameters)
    sightings = measure_detections(detections, camera, parameters, observer, stamp_ns)
    if depth is None:
        return sightings
    drones = mask.labels == parameters.target_class
    return with_depth(sightings, detections, drones, depth, parameters)


def detections_in(
    mask: LabelMask, camera: PinholeCamera, parameters: DetectionParameters
) -> list[Detection]:
    """Return the blobs of drones in a mask of a camera's image.

    Raises:
        InputError: the mask has another size than the camera.
    """
    if mask.labels.shape != (camera.height, camera.width):
        raise InputError(
            f'Mask is {mask.labels.shape[1]}x{mask.labels.shape[0]}, camera_info says '
            f'{camera.width}x{camera.height}: the mask must have the size of the image.'
        )
    return find_detections(
        mask, parameters.target_class, parameters.smallest_area, parameters.min_score
    )


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
    shares s of the range. The width is right on average, its inverse is not: 1 + s^2 makes up.
    """
    if not detections:
        empty = np.zeros(0)
        return Sightings(
            observer=observer,
            stamp_ns=stamp_ns,
            positions=np.zeros((0, 3)),
            bearing_var=empty,
            range_var=empty,
            score=empty,
        )
    centroid = np.array([d.centroid for d in detections])
    length = np.array([d.length for d in detections])
    cut = np.array([d.cut for d in detections])
    direction = camera.unproject(centroid)
    pixel_angle = angles_of_pixels(centroid, length, camera)
    if parameters.range_from_size:
        distance, share = ranges_by_size(length, pixel_angle, parameters)
        sigma = share * distance
    else:
        distance = np.full(len(length), parameters.prior_range)
        sigma = np.full(len(length), parameters.prior_range_sigma)
    centre = np.hypot(parameters.centroid_sigma, parameters.centre_spread * length)
    factor = np.where(cut, parameters.cut_factor, 1.0)
    return Sightings(
        observer=observer,
        stamp_ns=stamp_ns,
        positions=direction * distance[:, None],
        bearing_var=(factor * centre * pixel_angle) ** 2,
        range_var=(factor * sigma) ** 2,
        score=np.array([d.score for d in detections]),
    )


def with_depth(
    sightings: Sightings,
    detections: list[Detection],
    drones: BoolArray,
    depth: FloatArray,
    parameters: DetectionParameters,
) -> Sightings:
    """Replace the range of every sighting whose blob has enough depth.

    The lower quartile counts: through the frame of a drone one sees the background, never what is
    nearer than the drone.

    Args:
        sightings: of the detections.
        detections: in an image.
        drones: (H, W) which pixels may belong to one.
        depth: (H, W) metres along the optical axis, NaN where unknown.
        parameters: noise of the depth.

    Raises:
        InputError: mask and depth image differ in size.
    """
    if depth.shape != drones.shape:
        raise InputError(
            f'Depth is {depth.shape[1]}x{depth.shape[0]}, the mask {drones.shape[1]}x'
            f'{drones.shape[0]}: register depth to the camera of the mask.'
        )
    positions, variances = sightings.positions.copy(), sightings.range_var.copy()
    for index, detection in enumerate(detections):
        left, top, width, height = detection.box
        part = (slice(top, top + height), slice(left, left + width))
        inside = depth[part][drones[part]]
        known = inside[np.isfinite(inside) & (inside > 0.0)]
        if len(known) < parameters.depth_share * detection.area:
            continue
        ahead = float(np.percentile(known, 25.0))
        direction = positions[index] / np.linalg.norm(positions[index])
        positions[index] = direction * ahead / max(direction[2], 0.05)
        # A drone is as deep as it is wide, and which part of it was seen is not known.
        body = parameters.target_width / 4.0
        variances[index] = (parameters.depth_noise * ahead**2) ** 2 + body**2
    return replace(sightings, positions=positions, range_var=variances)


def cartesian_covariances(sightings: Sightings) -> FloatArray:
    """Return (m, 3, 3) covariances u u' var_r + r^2 var_b (I - u u') in the optical frame."""
    distance = np.linalg.norm(sightings.positions, axis=1)
    unit = sightings.positions / np.maximum(distance, 1e-9)[:, None]
    along = unit[:, :, None] * unit[:, None, :]
    across = np.eye(3) - along
    across_var = distance**2 * sightings.bearing_var
    return along * sightings.range_var[:, None, None] + across * across_var[:, None, None]
