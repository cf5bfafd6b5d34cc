"""Mask -> nameless relative measurements: one cloud for every mask of one camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.cameras.files import load_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.boxes import Boxes
from mav_perception.detection.measurements import (
    WIDTH_OF_SPAN,
    DetectionParameters,
    detections_in,
    measure_detections,
    with_depth,
)
from mav_perception.detection.view import load_view, restrict_to_view
from mav_perception.errors import InputError, MavPerceptionError
from mav_perception.io.messages import stamp_to_ns
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import (
    camera_from_info,
    depth_to_array,
    same_calibration,
)
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.ros.messages.qos import qos_parameter, qos_profile
from mav_perception.ros.messages.vision import (
    WITHOUT_VISION,
    detections_message,
    vision_msgs,
)
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.ros.runtime.parameters import changed, read_parameters
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.topics import CAMERA_INFO, DEPTH, DETECTIONS, RELATIVE_MEASUREMENTS
from mav_perception.types import BoolArray, Detection, FloatArray, LabelMask, nanoseconds

DRONE = 'drone'
"""Class of the boxes that are published."""


@dataclass(frozen=True)
class DetectionStageParameters:
    """How masks of a camera are measured, besides the detection itself."""

    camera_info_qos: str = qos_parameter('sensor_data', 'camera_info')
    measurement_qos: str = qos_parameter('reliable', 'the relative measurements')
    use_depth: bool = parameter(
        False, 'take ranges from depth/image_rect, registered to the camera'
    )
    depth_tolerance: float = parameter(
        0.02, 'a depth image counts for a mask if their stamps are this near [s]', 0.0, 1.0
    )
    target_span: float = parameter(
        0.0,
        'mean span over the rotors of the other drones; 0 takes target_width as it is [m]',
        0.0,
        100.0,
    )
    view_mask: str = parameter(
        '', 'image of the camera size, black where nothing counts, as the own body'
    )
    model: str = parameter('', 'model of the masks, whose card decides where min_score is below 0')
    calibration_file: str = parameter(
        '', 'ROS or Kalibr calibration to use instead of camera_info'
    )


class DetectionStage:
    """Measures the masks of one camera; an empty cloud says 'looked, saw nobody'."""

    def __init__(self, node: SelfActivatingNode) -> None:
        """Read parameters and files, and advertise.

        Raises:
            MavPerceptionError: a parameter or a file does not fit.
        """
        self._node, self._diagnostics = node, node.diagnostics
        self._settings = settings = read_parameters(node, DetectionStageParameters)
        self.parameters = read_parameters(node, DetectionParameters)
        if settings.target_span > 0.0:
            width = WIDTH_OF_SPAN * settings.target_span
            self.parameters = replace(self.parameters, target_width=width)
        card = load_card(find_model(settings.model)) if settings.model else None
        self._operating_point = card.min_score if card else 0.0
        self._observer = node.get_namespace().strip('/') or 'mav'
        self._info: CameraInfo | None = None
        self.depth: Image | None = None
        file = settings.calibration_file
        self.camera: PinholeCamera | None = load_camera(Path(file)) if file else None
        self._view = load_view(Path(settings.view_mask)) if settings.view_mask else None
        self._publisher = node.advertise(
            PointCloud2, RELATIVE_MEASUREMENTS, qos_profile(settings.measurement_qos, 10)
        )
        self._boxes = None
        if not WITHOUT_VISION:
            self._boxes = node.advertise(vision_msgs.Detection2DArray, DETECTIONS, 10)

    def begin(self) -> None:
        """Subscribe to the calibration of the camera, and to depth if it is wanted."""
        qos = self._settings.camera_info_qos
        if self._settings.use_depth:
            self._node.listen(Image, DEPTH, self._on_depth, qos, 5)
        if not self._settings.calibration_file:
            self._node.listen(CameraInfo, CAMERA_INFO, self._on_info, qos, 5)

    def retune(self, changes: list[Parameter]) -> None:
        """Measure the next mask with other `DetectionParameters`.

        Raises:
            ConfigurationError: a value does not fit; nothing has changed then.
        """
        self.parameters = changed(self.parameters, changes)

    def measure(self, mask: LabelMask, header: Header) -> None:
        """Publish the relative measurements of a mask; a mask that cannot be used is reported."""
        try:
            camera, parameters = self._require_camera(), self.at_operating_point()
            if self._view is not None:
                mask = restrict_to_view(mask, self._view)
            detections = detections_in(mask, camera, parameters)
            labels, kind = mask.labels, parameters.target_class
            self._publish(detections, camera, parameters, lambda: labels == kind, header)
        except MavPerceptionError as error:
            self._diagnostics.problem('mask', str(error))

    def measure_boxes(self, boxes: Boxes, header: Header) -> None:
        """Publish the relative measurements of the boxes of an image.

        They are of another detector: the operating point of a model of ours is not theirs.
        """
        try:
            camera, parameters = self._require_camera(), self.parameters
            size = camera.width, camera.height
            inside = boxes if self._view is None else boxes.centred_in(self._view > 0)
            detections = inside.detections(*size, parameters.smallest_area, parameters.min_score)
            drones = partial(boxes.mask, *size)
            self._publish(detections, camera, parameters, drones, header)
        except MavPerceptionError as error:
            self._diagnostics.problem('boxes', str(error))

    def _publish(
        self,
        detections: list[Detection],
        camera: PinholeCamera,
        parameters: DetectionParameters,
        drones: Callable[[], BoolArray],
        header: Header,
    ) -> None:
        """Publish what detections tell; `drones` gives (H, W) the pixels that they are of."""
        stamp_ns = stamp_to_ns(header.stamp)
        sightings = measure_detections(detections, camera, parameters, self._observer, stamp_ns)
        depth = self._depth_at(stamp_ns)
        if depth is not None:
            sightings = with_depth(sightings, detections, drones(), depth, parameters)
        self._publisher.publish(sightings_to_cloud(sightings, header))
        if self._boxes is not None and self._boxes.get_subscription_count():
            self._boxes.publish(detections_message(detections, header, DRONE))
        self._diagnostics.count('frames')
        self._diagnostics.count('sightings', len(sightings))

    def at_operating_point(self) -> DetectionParameters:
        """Return the parameters with the least score that counts, the card's if none is given."""
        given = self.parameters
        return given if given.min_score >= 0.0 else replace(given, min_score=self._operating_point)

    def _on_info(self, message: CameraInfo) -> None:
        if self._info is not None and same_calibration(message, self._info):
            return
        try:
            self.camera = camera_from_info(message)
            self._info = message
        except MavPerceptionError as error:
            self._diagnostics.problem('camera_info', str(error))

    def _on_depth(self, message: Image) -> None:
        self.depth = message

    def _depth_at(self, stamp_ns: int) -> FloatArray | None:
        """Return the depth image of a mask, or None: then ranges come from size alone."""
        if self.depth is None:
            return None
        away_ns = abs(stamp_to_ns(self.depth.header.stamp) - stamp_ns)
        if away_ns > nanoseconds(self._settings.depth_tolerance):
            return None
        try:
            return depth_to_array(self.depth)
        except InputError as error:
            self._diagnostics.problem('depth', f'Ranges come from size alone. {error}')
            return None

    def _require_camera(self) -> PinholeCamera:
        if self.camera is None:
            raise InputError(
                f'No usable camera_info yet on {self._node.resolve_topic_name(CAMERA_INFO)}: '
                'masks cannot be measured without the intrinsics of the camera.'
            )
        return self.camera


class WithDetection(SelfActivatingNode):
    """Base of the nodes that hold a detection stage: its parameters change in flight."""

    detection: DetectionStage | None = None

    def retune(self, changes: list[Parameter]) -> None:
        """Take new detection parameters; the rest is read at configure."""
        known = {item.name for item in fields(DetectionParameters)}
        others = [change for change in changes if change.name not in known]
        if others:
            super().retune(others)
        self.require_detection().retune(changes)

    def require_detection(self) -> DetectionStage:
        """Return the stage; a node that is configured has one."""
        assert self.detection is not None
        return self.detection
