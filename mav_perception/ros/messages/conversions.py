"""Messages <-> the core's arrays. Whatever a message gets wrong raises an InputError."""

from __future__ import annotations

import sys
from array import array

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from mav_perception.cameras.distortion import DISTORTION_MODELS, distortion_of
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import InputError
from mav_perception.types import (
    NANOSECONDS,
    ByteImage,
    FloatArray,
)

FARTHEST_NEAREST = 100.0
"""A depth image whose nearest pixel is farther than this, metres, has another unit."""

CHANNELS = {'mono8': 1, '8UC1': 1, 'rgb8': 3, 'bgr8': 3, '8UC3': 3, 'rgba8': 4, 'bgra8': 4}


def ns_to_stamp(stamp_ns: int) -> Time:
    """Convert integer nanoseconds to a message stamp."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def image_to_array(message: Image) -> ByteImage:
    """Return (H, W) grey or (H, W, 3) RGB; honours row padding, raises on a wrong size."""
    if message.encoding not in CHANNELS:
        raise InputError(
            f'Image encoding {message.encoding!r} is not supported: publish one of '
            f'{", ".join(CHANNELS)}.'
        )
    channels = CHANNELS[message.encoding]
    pixels = _pixel_rows(message, channels).reshape(message.height, message.width, channels)
    if channels == 1:
        return pixels[..., 0]
    return pixels[..., 2::-1] if message.encoding.startswith('bgr') else pixels[..., :3]


def compressed_to_array(message: CompressedImage) -> ByteImage:
    """Return (H, W) grey or (H, W, 3) RGB of a jpeg or png, or raise InputError."""
    try:
        image = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # no data at all
        image = None
    if image is None or image.dtype != np.uint8:
        what = 'cannot be decoded' if image is None else f'has pixels of {image.dtype}'
        raise InputError(
            f'Compressed image of format {message.format!r} {what}: publish jpeg or png of 8 bits.'
        )
    # OpenCV decodes to BGR, whatever the order was before.
    pixels = np.asarray(image, np.uint8)
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])


def _pixel_rows(message: Image, pixel_bytes: int) -> ByteImage:
    """Return (height, width * pixel_bytes) bytes without row padding; raise on a wrong size."""
    rows, columns, step = message.height, message.width, message.step
    width = columns * pixel_bytes
    if step == 0 and rows and columns:
        raise InputError(
            f'Image of {columns}x{rows} {message.encoding} has step 0: its publisher must set '
            f'step to the bytes of a row, {width} or more.'
        )
    if rows == 0 or columns == 0 or step < width or len(message.data) < rows * step:
        raise InputError(
            f'Image of {columns}x{rows} {message.encoding} with step {step} needs {rows * step} '
            f'bytes, has {len(message.data)}: height, width, step or data is wrong.'
        )
    return np.frombuffer(message.data, np.uint8, rows * step).reshape(rows, step)[:, :width]


def depth_to_array(message: Image) -> FloatArray:
    """Return (H, W) metres from 16UC1 millimetres or 32FC1 metres (REP-118), NaN if unknown."""
    kinds = {'16UC1': (np.uint16, 0.001), '32FC1': (np.float32, 1.0)}
    if message.encoding not in kinds:
        raise InputError(
            f'Depth encoding {message.encoding!r} is not supported: publish 16UC1 or 32FC1.'
        )
    kind, scale = kinds[message.encoding]
    rows = _pixel_rows(message, np.dtype(kind).itemsize)
    cells = np.ascontiguousarray(rows).view(kind)
    if bool(message.is_bigendian) != (sys.byteorder == 'big'):
        cells = cells.byteswap()
    depth = cells.astype(float) * scale
    depth = np.where((depth > 0.0) & np.isfinite(depth), depth, np.nan)
    nearest = np.nanmin(depth) if np.isfinite(depth).any() else 0.0
    if nearest > FARTHEST_NEAREST:
        raise InputError(
            f'Nothing in a depth image of {message.encoding} is nearer than {nearest:.0f} m: are '
            'these millimetres? 32FC1 is metres, 16UC1 millimetres (REP-118).'
        )
    return depth


def array_to_image(image: ByteImage, header: Header) -> Image:
    """Return a mono8 or rgb8 message."""
    rows, columns = image.shape[:2]
    encoding, channels = ('mono8', 1) if image.ndim == 2 else ('rgb8', 3)
    message = Image(header=header, height=rows, width=columns, encoding=encoding)
    message.step = columns * channels
    # An array is taken over as it is; a list or bytes would be copied number by number.
    message.data = array('B', np.ascontiguousarray(image).tobytes())
    return message


def same_calibration(one: CameraInfo, other: CameraInfo) -> bool:
    """Tell whether two messages say the same of a camera."""
    names = ('width', 'height', 'distortion_model', 'binning_x', 'binning_y', 'roi')
    return (
        all(getattr(one, name) == getattr(other, name) for name in names)
        and np.array_equal(one.k, other.k)
        and np.array_equal(one.d, other.d)
    )


def camera_from_info(message: CameraInfo) -> PinholeCamera:
    """Return the camera model of the images, or raise InputError if there are no intrinsics.

    As CameraInfo.msg has it, size and K are of the whole sensor; the image is its region of
    interest, then binned.
    """
    k = np.asarray(message.k, float).reshape(3, 3)
    model, distortion = distortion_of(message.distortion_model, np.asarray(message.d, float))
    sensor = PinholeCamera(
        width=int(message.width),
        height=int(message.height),
        fx=float(k[0, 0]),
        fy=float(k[1, 1]),
        cx=float(k[0, 2]),
        cy=float(k[1, 2]),
        model=model,
        distortion=distortion,
    )
    roi = message.roi
    corner = int(roi.x_offset), int(roi.y_offset)
    size = int(roi.width) or sensor.width, int(roi.height) or sensor.height
    if corner[0] + size[0] > sensor.width or corner[1] + size[1] > sensor.height:
        raise InputError(
            f'camera_info has a region of interest of {size[0]}x{size[1]} at {corner} in a sensor '
            f'of {sensor.width}x{sensor.height}: width and height are those of the whole sensor.'
        )
    return sensor.window(corner, size).binned(message.binning_x or 1, message.binning_y or 1)


def info_from_camera(camera: PinholeCamera, header: Header) -> CameraInfo:
    """Return the CameraInfo message of a camera model."""
    message = CameraInfo(header=header, height=camera.height, width=camera.width)
    message.distortion_model = camera.model
    none = [0.0] * DISTORTION_MODELS[camera.model][0]
    message.d = [float(v) for v in camera.distortion] or none
    message.k = camera.matrix.ravel()
    message.r = np.eye(3).ravel()
    message.p = np.column_stack([camera.matrix, np.zeros(3)]).ravel()
    return message


def fill_pose(pose: object, position: FloatArray, quaternion: FloatArray) -> None:
    """Write position (3,) and quaternion x, y, z, w (4,) into a geometry_msgs/Pose."""
    p, q = pose.position, pose.orientation  # type: ignore[attr-defined]
    p.x, p.y, p.z = (float(v) for v in position)
    q.x, q.y, q.z, q.w = (float(v) for v in quaternion)
