"""Publishers of one simulated drone: what its VIO and its cameras would publish, and the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.io.messages import stamp_to_ns
from mav_perception.ros.messages.conversions import (
    array_to_image,
    fill_pose,
    info_from_camera,
    ns_to_stamp,
)
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.messages.transforms import TF, TF_QOS, WITHOUT_TF, tf2_msgs, transform
from mav_perception.simulation.flight.sensors import CameraSettings
from mav_perception.simulation.world import Tick
from mav_perception.topics import (
    ASSOCIATIONS,
    CAMERA_INFO,
    GROUND_TRUTH,
    IMAGE,
    MAP_FRAME,
    ODOMETRY,
    RELATIVE_MEASUREMENTS,
    body_frame,
    in_namespace,
    odometry_frame,
    optical_frame,
)
from mav_perception.types import ByteImage, OdometrySample


class MotionPublishers:
    """VIO and truth of one drone."""

    def __init__(self, node: Node, name: str) -> None:
        """Advertise in the drone's namespace."""
        self._name, qos = name, qos_profile('reliable', 50)
        base = node.get_namespace()
        self._odometry = node.create_publisher(Odometry, in_namespace(name, ODOMETRY, base), qos)
        self._truth = node.create_publisher(
            PoseStamped, in_namespace(name, GROUND_TRUTH, base), qos
        )
        self._tf = None if WITHOUT_TF else node.create_publisher(tf2_msgs.TFMessage, TF, TF_QOS)

    def publish(self, tick: Tick, drone: int) -> None:
        """Publish what arrives of the VIO at a tick, and the truth."""
        sample = tick.odometry[drone]
        if sample is not None:
            odometry = Odometry(child_frame_id=body_frame(self._name))
            odometry.header = Header(
                stamp=ns_to_stamp(sample.stamp_ns), frame_id=odometry_frame(self._name)
            )
            fill_pose(odometry.pose.pose, sample.position, sample.quaternion)
            odometry.pose.covariance = (1e-3 * np.eye(6)).ravel()
            self._odometry.publish(odometry)
            self._publish_tf(sample)
        truth = PoseStamped()
        truth.header = Header(stamp=ns_to_stamp(tick.stamp_ns), frame_id=MAP_FRAME)
        fill_pose(truth.pose, tick.truth[drone, :3], tick.attitude[drone])
        self._truth.publish(truth)

    def _publish_tf(self, sample: OdometrySample) -> None:
        """Publish odometry frame -> base, as the driver of a VIO does."""
        if self._tf is None:
            return
        frames = odometry_frame(self._name), body_frame(self._name)
        message = transform(sample.stamp_ns, *frames, sample.position, sample.quaternion)
        self._tf.publish(tf2_msgs.TFMessage(transforms=[message]))


class CameraPublishers:
    """Images of one camera of one drone."""

    def __init__(self, node: Node, drone: str, settings: CameraSettings) -> None:
        """Advertise in the camera's namespace: the drone's own for its first camera."""
        self.namespace = f'{drone}/{settings.name}'.strip('/')
        self._node, self._camera = node, settings.intrinsics
        base = node.get_namespace()
        self._frame = optical_frame(drone, settings.name)
        self._image = node.create_publisher(
            Image, in_namespace(self.namespace, IMAGE, base), qos_profile('reliable', 2)
        )
        self._info = node.create_publisher(
            CameraInfo, in_namespace(self.namespace, CAMERA_INFO, base), qos_profile('reliable', 5)
        )

    def on_measurements(self, handle: Callable[[int], None]) -> None:
        """Call `handle` with the stamp of every measurement that the chain makes of a frame."""
        self._hear(RELATIVE_MEASUREMENTS, handle)

    def on_associations(self, handle: Callable[[int], None]) -> None:
        """Call `handle` with the stamp of every frame that the joint filter is done with."""
        self._hear(ASSOCIATIONS, handle)

    def _hear(self, topic: str, handle: Callable[[int], None]) -> None:
        name = in_namespace(self.namespace, topic, self._node.get_namespace())
        self._node.create_subscription(
            PointCloud2, name, lambda message: handle(stamp_to_ns(message.header.stamp)), 50
        )

    @property
    def localized(self) -> bool:
        """Tell whether a joint filter says what it made of the frames of this camera."""
        name = in_namespace(self.namespace, ASSOCIATIONS, self._node.get_namespace())
        return bool(self._node.count_publishers(name))

    def publish(self, image: ByteImage, stamp_ns: int) -> None:
        """Publish an image and its camera_info."""
        header = Header(stamp=ns_to_stamp(stamp_ns), frame_id=self._frame)
        self._info.publish(info_from_camera(self._camera, header))
        self._image.publish(array_to_image(image, header))

    def publish_blank(self) -> None:
        """Publish a grey image with stamp 0, to wake the chain up."""
        size = (self._camera.height, self._camera.width)
        self.publish(np.full(size, 128, np.uint8), 0)
