"""Every topic and frame name of the package, in one place. Topics are relative to a namespace."""

from __future__ import annotations

import posixpath

IMAGE = 'camera/image_raw'
COMPRESSED = '/compressed'
"""What image_transport appends to the topic of an image."""
CAMERA_INFO = 'camera/camera_info'
DEPTH = 'depth/image_rect'
ODOMETRY = 'odometry'
MASK = 'segmentation/mask'
CONFIDENCE = 'segmentation/confidence'
OVERLAY = 'segmentation/overlay'
AREA_SHARES = 'segmentation/area_shares'
BOXES = 'detection/boxes'
DETECTIONS = 'detection/detections'
LABEL_INFO = 'segmentation/label_info'
RELATIVE_MEASUREMENTS = 'detection/relative_measurements'
POSE = 'localization/pose'
ASSOCIATIONS = 'localization/associations'
VELOCITY_COMMAND = 'command/velocity'
GROUND_TRUTH = 'ground_truth/pose'
MARKERS = 'team/markers'
DIAGNOSTICS = '/diagnostics'
CLOCK = '/clock'

MAP_FRAME = 'map'


def in_namespace(namespace: str, topic: str, base: str = '/') -> str:
    """Return the full name of a drone's topic.

    Args:
        namespace: of the drone, relative to the base or absolute.
        topic: relative to the namespace, or absolute.
        base: namespace of the team.
    """
    return posixpath.join('/', base, namespace, topic)


def below(namespace: str, prefix: str) -> str:
    """Return a namespace to put below a prefix, if there is one: an absolute one would not go."""
    return namespace.lstrip('/') if prefix else namespace


def team_base(node_namespace: str, team_namespace: str) -> str:
    """Return the namespace of the team: a path such as '..' from that of a node, or absolute."""
    return posixpath.normpath(posixpath.join(node_namespace, team_namespace))


def odometry_frame(drone: str) -> str:
    """Return the frame of a drone's VIO: gravity-aligned, its origin where the VIO began."""
    return f'{drone}/odom'


def body_frame(drone: str) -> str:
    """Return the body frame: x forward, y left, z up."""
    return f'{drone}/base_link'


def optical_frame(drone: str, camera: str = '') -> str:
    """Return the optical frame of a drone's camera: z forward, x right, y down."""
    return f'{drone}/{camera or "camera"}_optical'
