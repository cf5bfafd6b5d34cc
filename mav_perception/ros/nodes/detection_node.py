"""Mask -> nameless relative measurements, on every drone."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mav_perception.cameras.files import load_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.measurements import (
    WIDTH_OF_SPAN,
    DetectionParameters,
    measure_mask,
)
from mav_perception.detection.view import load_view, restrict_to_view
from mav_perception.errors import ConfigurationError, InputError, MavPerceptionError
from mav_perception.io.messages import stamp_to_ns
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import (
    camera_from_info,
    depth_to_array,
    image_to_array,
    same_calibration,
)
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.ros.messages.qos import qos_parameter, qos_profile, subscribe
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import (
    changed,
    declare_parameters,
    read_parameters,
    unknown_overrides,
)
from mav_perception.ros.runtime.watchdog import Watchdog
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.topics import (
    CAMERA_INFO,
    CONFIDENCE,
    DEPTH,
    MASK,
    RELATIVE_MEASUREMENTS,
)
from mav_perception.types import ByteImage, FloatArray, LabelMask, nanoseconds


@dataclass(frozen=True)
class DetectionNodeParameters:
    """Parameters of detection_node besides those of the detection itself."""

    mask_qos: str = qos_parameter('reliable', 'mask and confidence', read_only=True)
    camera_info_qos: str = qos_parameter('sensor_data', 'camera_info', read_only=True)
    measurement_qos: str = qos_parameter('reliable', 'the relative measurements', read_only=True)
    use_confidence: bool = parameter(
        True, 'wait for the confidence image of a mask to score its blobs', read_only=True
    )
    use_depth: bool = parameter(
        False, 'take ranges from depth/image_rect, registered to the camera', read_only=True
    )
    depth_tolerance: float = parameter(
        0.02, 'a depth image counts for a mask if their stamps are this near [s]', 0.0, 1.0
    )
    target_span: float = parameter(
        0.0,
        'mean span over the rotors of the other drones; 0 takes target_width as it is [m]',
        0.0,
        100.0,
        read_only=True,
    )
    view_mask: str = parameter(
        '', 'image of the camera size, black where nothing counts, as the own body', read_only=True
    )
    model: str = parameter(
        '', 'model of the masks, whose card decides where min_score is below 0', read_only=True
    )
    calibration_file: str = parameter(
        '', 'ROS or Kalibr calibration to use instead of camera_info', read_only=True
    )


class DetectionNode(Node):
    """Publish one cloud for every mask; an empty cloud says 'looked, saw nobody'."""

    def __init__(self) -> None:
        """Declare parameters and subscribe."""
        super().__init__('detection_node')
        self.diagnostics = NodeDiagnostics(self)
        self.watchdog = Watchdog(self)
        for kind in (DetectionParameters, DetectionNodeParameters):
            declare_parameters(self, kind)
        for name in unknown_overrides(self):
            self.diagnostics.problem(
                'unknown_parameter', f'Unknown parameter {name!r} is ignored.'
            )
        self._detection = read_parameters(self, DetectionParameters)
        parameters = read_parameters(self, DetectionNodeParameters)
        if parameters.target_span > 0.0:
            width = WIDTH_OF_SPAN * parameters.target_span
            self._detection = replace(self._detection, target_width=width)
        model = parameters.model
        self._operating_point = load_card(find_model(model)).min_score if model else 0.0
        self._use_confidence = parameters.use_confidence
        self.add_on_set_parameters_callback(self._retune)
        self._observer = self.get_namespace().strip('/') or 'mav'
        self._camera: PinholeCamera | None = None
        self._info: CameraInfo | None = None
        if parameters.calibration_file:
            self._camera = load_camera(Path(parameters.calibration_file))
        self._view = load_view(Path(parameters.view_mask)) if parameters.view_mask else None
        self._depth: Image | None = None
        self._depth_tolerance_ns = nanoseconds(parameters.depth_tolerance)
        self._confidence: Image | None = None
        self._waiting: Image | None = None
        self._publisher = self.create_publisher(
            PointCloud2, RELATIVE_MEASUREMENTS, qos_profile(parameters.measurement_qos, 10)
        )
        self._subscribe(parameters)

    def _subscribe(self, parameters: DetectionNodeParameters) -> None:
        """Subscribe to masks and to what else the parameters ask for."""

        def mismatch(text: str) -> None:
            self.diagnostics.problem('qos', text)

        masks = qos_profile(parameters.mask_qos, 5)
        self._mask_subscription = subscribe(self, Image, MASK, self._on_mask, masks, mismatch)
        if self._use_confidence:
            subscribe(self, Image, CONFIDENCE, self._on_confidence, masks, mismatch)
        self.diagnostics.watch(self._mask_subscription, parameters.mask_qos)
        info = qos_profile(parameters.camera_info_qos, 5)
        if parameters.use_depth:
            subscribe(self, Image, DEPTH, self._on_depth, info, mismatch)
        if self._camera is None:
            self._info_subscription = subscribe(
                self, CameraInfo, CAMERA_INFO, self._on_info, info, mismatch
            )
            self.diagnostics.watch(self._info_subscription, parameters.camera_info_qos)

    def _retune(self, parameters: list[Parameter]) -> SetParametersResult:
        """Measure the next mask with new values; read-only ones never come here."""
        known = {item.name for item in fields(DetectionParameters)}
        changes = [p for p in parameters if p.name in known]
        other = [p.name for p in parameters if p.name not in {*known, 'use_sim_time'}]
        try:
            if other:
                raise ConfigurationError(f'{other[0]} is read at start: restart the node.')
            self._detection = changed(self._detection, changes)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _on_info(self, message: CameraInfo) -> None:
        self.diagnostics.saw(self._info_subscription)
        if self._info is not None and same_calibration(message, self._info):
            return
        try:
            self._camera = camera_from_info(message)
            self._info = message
        except MavPerceptionError as error:
            self.diagnostics.problem('camera_info', str(error))

    def _on_depth(self, message: Image) -> None:
        self._depth = message

    def _on_confidence(self, message: Image) -> None:
        self._confidence = message
        if self._waiting is not None and self._waiting.header.stamp == message.header.stamp:
            mask, self._waiting = self._waiting, None
            self._measure(mask)

    def _on_mask(self, message: Image) -> None:
        self.diagnostics.saw(self._mask_subscription)
        self.diagnostics.count('masks')
        if self._waiting is not None:
            # Its confidence never came: it is worth more without a score than not at all.
            late, self._waiting = self._waiting, None
            self.diagnostics.problem('confidence', 'A mask came without its confidence image.')
            self._measure(late)
        if self._use_confidence and not self._has_confidence(message):
            self._waiting = message
            return
        self._measure(message)

    def _has_confidence(self, mask: Image) -> bool:
        return self._confidence is not None and self._confidence.header.stamp == mask.header.stamp

    def _measure(self, message: Image) -> None:
        try:
            stamp_ns = stamp_to_ns(message.header.stamp)
            mask = self._label_mask(message)
            sightings = measure_mask(
                mask if self._view is None else restrict_to_view(mask, self._view),
                self._require_camera(),
                self._at_operating_point(),
                self._observer,
                stamp_ns,
                self._depth_at(stamp_ns),
            )
        except MavPerceptionError as error:
            self.diagnostics.problem('mask', str(error))
            return
        self._publisher.publish(sightings_to_cloud(sightings, message.header))
        self.diagnostics.count('frames')
        self.diagnostics.count('sightings', len(sightings))

    def _at_operating_point(self) -> DetectionParameters:
        given = self._detection
        return given if given.min_score >= 0.0 else replace(given, min_score=self._operating_point)

    def _depth_at(self, stamp_ns: int) -> FloatArray | None:
        """Return the depth image of a mask, or None: then ranges come from size alone."""
        if self._depth is None:
            return None
        away_ns = abs(stamp_to_ns(self._depth.header.stamp) - stamp_ns)
        return depth_to_array(self._depth) if away_ns <= self._depth_tolerance_ns else None

    def _require_camera(self) -> PinholeCamera:
        if self._camera is None:
            raise InputError(
                f'No usable camera_info yet on {self._info_subscription.topic_name}: masks cannot '
                'be measured without the intrinsics of the camera.'
            )
        return self._camera

    def _label_mask(self, message: Image) -> LabelMask:
        labels: ByteImage = image_to_array(message)
        if labels.ndim != 2:
            raise InputError(f'A mask must be mono8 class ids, got {message.encoding}.')
        if self._use_confidence and self._has_confidence(message):
            assert self._confidence is not None
            return LabelMask(labels, image_to_array(self._confidence))
        return LabelMask(labels, np.full_like(labels, 255))


def main() -> int:
    """Run the node."""
    return run_node(DetectionNode)


if __name__ == '__main__':
    sys.exit(main())
