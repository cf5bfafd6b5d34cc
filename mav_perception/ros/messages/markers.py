"""The team as RViz markers: covariance ellipsoids, names and trails."""

from __future__ import annotations

from collections import deque

import numpy as np
from geometry_msgs.msg import Point
from scipy.spatial.transform import Rotation
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from mav_perception.ros.messages.conversions import fill_pose, ns_to_stamp
from mav_perception.types import BoolArray, FloatArray, TeamState

COLOURS = ((0.9, 0.3, 0.2), (0.2, 0.5, 0.9), (0.2, 0.7, 0.3), (0.8, 0.6, 0.1), (0.6, 0.3, 0.8))
OBJECT_COLOUR = ColorRGBA(r=0.5, g=0.5, b=0.5, a=0.7)
TRAIL_POINTS = 200


class TeamMarkers:
    """Builds the marker array of a team and remembers the trails."""

    def __init__(self, names: tuple[str, ...], map_frame: str) -> None:
        """Start with empty trails."""
        self._names, self._map_frame = names, map_frame
        self._objects = 0
        self._trails: list[deque[Point]] = [deque(maxlen=TRAIL_POINTS) for _ in names]

    def build(self, state: TeamState, localized: BoolArray, objects: FloatArray) -> MarkerArray:
        """Return 3-sigma ellipsoid, name and trail of localized drones, and static objects.

        Args:
            state: poses of the team.
            localized: (N,) whose pose is certain; the others' markers are deleted.
            objects: (O, 3) static objects in map.
        """
        markers = MarkerArray()
        for index, position in enumerate(objects):
            cube = self._marker(state, 'object', index, Marker.CUBE, OBJECT_COLOUR)
            fill_pose(cube.pose, position, np.array([0.0, 0.0, 0.0, 1.0]))
            cube.scale.x = cube.scale.y = cube.scale.z = 0.15
            markers.markers.append(cube)
        for index in range(len(objects), self._objects):
            markers.markers.append(self._deleted(state, 'object', index))
        self._objects = len(objects)
        for index, name in enumerate(self._names):
            if not localized[index]:
                self._trails[index].clear()
                parts = ('covariance', 'name', 'trail')
                markers.markers += [self._deleted(state, part, index) for part in parts]
                continue
            x, y, z, _ = (float(v) for v in state.mean[index])
            self._trails[index].append(Point(x=x, y=y, z=z))
            red, green, blue = COLOURS[index % len(COLOURS)]
            colour = ColorRGBA(r=red, g=green, b=blue, a=0.5)
            ellipsoid = self._marker(state, 'covariance', index, Marker.SPHERE, colour)
            variance, axes = np.linalg.eigh(state.block(index)[:3, :3])
            axes *= np.sign(np.linalg.det(axes))
            fill_pose(ellipsoid.pose, state.mean[index, :3], Rotation.from_matrix(axes).as_quat())
            size = 6.0 * np.sqrt(np.maximum(variance, 1e-8))
            ellipsoid.scale.x, ellipsoid.scale.y, ellipsoid.scale.z = (float(v) for v in size)
            text = self._marker(state, 'name', index, Marker.TEXT_VIEW_FACING, colour)
            fill_pose(text.pose, state.mean[index, :3] + [0.0, 0.0, 0.4], np.array([0, 0, 0, 1.0]))
            text.text, text.scale.z, text.color.a = name, 0.25, 1.0
            trail = self._marker(state, 'trail', index, Marker.LINE_STRIP, colour)
            trail.points, trail.scale.x = list(self._trails[index]), 0.03
            markers.markers += [ellipsoid, text, trail]
        return markers

    def _deleted(self, state: TeamState, namespace: str, index: int) -> Marker:
        marker = self._marker(state, namespace, index, Marker.SPHERE, OBJECT_COLOUR)
        marker.action = Marker.DELETE
        return marker

    def _marker(
        self, state: TeamState, namespace: str, index: int, kind: int, colour: ColorRGBA
    ) -> Marker:
        marker = Marker(ns=namespace, id=index, type=kind, action=Marker.ADD)
        marker.header.frame_id = self._map_frame
        marker.header.stamp = ns_to_stamp(state.stamp_ns)
        marker.pose.orientation.w = 1.0
        marker.color = ColorRGBA(r=colour.r, g=colour.g, b=colour.b, a=colour.a)
        return marker
