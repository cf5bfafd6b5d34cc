"""Camera calibrations as files: ROS camera_info YAML, and Kalibr's camchain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mav_perception.cameras.distortion import DISTORTION_MODELS, distortion_of
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError, InputError
from mav_perception.io.files import write_text

KALIBR_MODELS = {'radtan': 'plumb_bob', 'equidistant': 'equidistant', 'none': 'plumb_bob'}


def load_camera(path: Path, name: str = 'cam0') -> PinholeCamera:
    """Read intrinsics from a ROS camera_info YAML or from one camera of a Kalibr camchain.

    Args:
        path: the file.
        name: camera of the camchain.

    Raises:
        DataError: the file is unreadable, or describes a camera that is not known.
    """
    try:
        tree = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f'Cannot read calibration {path}: {error}') from error
    try:
        if isinstance(tree, dict) and 'camera_matrix' in tree:
            return _from_ros(tree)
        if isinstance(tree, dict) and name in tree:
            return _from_kalibr(tree[name])
    except (KeyError, TypeError, ValueError, InputError) as error:
        raise DataError(f'{path} is no usable calibration: {error!r}') from error
    raise DataError(
        f'{path} has neither camera_matrix (ROS) nor {name} (Kalibr): write it with '
        '`mav-perception calibrate`, camera_calibration or Kalibr.'
    )


def _from_ros(tree: dict[str, Any]) -> PinholeCamera:
    matrix = np.array(tree['camera_matrix']['data'], float).reshape(3, 3)
    model, distortion = distortion_of(
        str(tree.get('distortion_model') or ''),
        np.array(tree['distortion_coefficients']['data'], float),
    )
    return PinholeCamera(
        width=int(tree['image_width']),
        height=int(tree['image_height']),
        fx=float(matrix[0, 0]),
        fy=float(matrix[1, 1]),
        cx=float(matrix[0, 2]),
        cy=float(matrix[1, 2]),
        model=model,
        distortion=distortion,
    )


def _from_kalibr(tree: dict[str, Any]) -> PinholeCamera:
    if tree['camera_model'] != 'pinhole':
        raise ValueError(
            f'camera_model {tree["camera_model"]!r} is not supported: calibrate as pinhole-radtan '
            'or pinhole-equi'
        )
    model = tree.get('distortion_model', 'none')
    if model not in KALIBR_MODELS:
        raise ValueError(f'distortion_model {model!r}: use {", ".join(KALIBR_MODELS)}')
    fx, fy, cx, cy = (float(v) for v in tree['intrinsics'])
    width, height = (int(v) for v in tree['resolution'])
    coefficients = [] if model == 'none' else tree.get('distortion_coeffs', [])
    model, distortion = distortion_of(KALIBR_MODELS[model], np.array(coefficients, float))
    return PinholeCamera(
        width=width,
        height=height,
        fx=fx,
        fy=fy,
        cx=cx,
        cy=cy,
        model=model,
        distortion=distortion,
    )


def save_camera(camera: PinholeCamera, path: Path, name: str = 'camera') -> None:
    """Write intrinsics as a ROS camera_info YAML, which camera drivers read."""
    coefficients = camera.distortion
    if not len(coefficients):
        coefficients = np.zeros(DISTORTION_MODELS[camera.model][0])
    identity = np.eye(3)
    projection = np.column_stack([camera.matrix, np.zeros(3)])

    def table(values: Any) -> dict[str, Any]:
        rows, columns = np.atleast_2d(values).shape
        return {'rows': rows, 'cols': columns, 'data': np.ravel(values).tolist()}

    tree = {
        'image_width': camera.width,
        'image_height': camera.height,
        'camera_name': name,
        'camera_matrix': table(camera.matrix),
        'distortion_model': camera.model,
        'distortion_coefficients': table(coefficients),
        'rectification_matrix': table(identity),
        'projection_matrix': table(projection),
    }
    write_text(path, yaml.safe_dump(tree, sort_keys=False))
