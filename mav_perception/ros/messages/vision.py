"""vision_msgs, where that is built: boxes in and out, and what class ids mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from std_msgs.msg import Header

from mav_perception.detection.boxes import Boxes
from mav_perception.errors import InputError
from mav_perception.ros.messages.optional import optional_messages
from mav_perception.segmentation.labels import LabelSpace
from mav_perception.types import Detection

vision_msgs, WITHOUT_VISION = optional_messages('vision_msgs')
"""The package and, where it cannot be used, why: else no text."""


def boxes_of(message: Any, kind: str) -> Boxes:
    """Return the boxes of a Detection2DArray.

    Args:
        message: of any detector; pixels of the image, from the corner of its first one.
        kind: class of the drones; empty for boxes of any class.

    Raises:
        InputError: a box or a score is no finite number.
    """
    rows = []
    for item in message.detections:
        scores = [r.hypothesis.score for r in item.results if kind in ('', r.hypothesis.class_id)]
        if scores or not (item.results or kind):
            centre, box = item.bbox.center.position, item.bbox
            # Detectors count from the corner of the first pixel, we from its middle.
            rows.append(
                (centre.x - 0.5, centre.y - 0.5, box.size_x, box.size_y, max(scores, default=1.0))
            )
    table = np.array(rows, float).reshape(-1, 5)
    if not np.isfinite(table).all() or (table[:, 2:4] < 0.0).any():
        raise InputError('A box has a place, size or score that is no finite number.')
    return Boxes(table[:, :2], table[:, 2:4], table[:, 4])


def detections_message(detections: list[Detection], header: Header, kind: str) -> Any:
    """Return a Detection2DArray: box, class and score of each detection, and no identity.

    Places count from the corner of the first pixel, as in `boxes_of`.
    """
    message = vision_msgs.Detection2DArray(header=header)
    for detection in detections:
        left, top, width, height = detection.box
        item = vision_msgs.Detection2D(header=header)
        item.bbox.center.position.x = left + width / 2.0
        item.bbox.center.position.y = top + height / 2.0
        item.bbox.size_x, item.bbox.size_y = float(width), float(height)
        result = vision_msgs.ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = kind, detection.score
        item.results = [result]
        message.detections.append(item)
    return message


def label_info(space: LabelSpace, threshold: float) -> Any:
    """Return a LabelInfo: the name of every class id of a mask."""
    classes = [
        vision_msgs.VisionClass(class_id=index, class_name=name)
        for index, name in enumerate(space.names)
    ]
    return vision_msgs.LabelInfo(class_map=classes, threshold=threshold)
