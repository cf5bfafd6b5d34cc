"""What the filter took every sighting of a live flight for, held against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.recordings.truth_association import from_camera, identify
from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class AssociatedFrame:
    """One camera frame, as the filter told of it.

    Attributes:
        stamp_ns: of the image.
        observer, mount: index of the drone with the camera, and where that sits.
        positions: (m, 3) sightings, optical frame.
        origin: (m,) for whom each was taken: a drone, a static object after them, or -1.
        nis, nis_size: normalised innovation squared of the frame and its degrees of freedom.
    """

    stamp_ns: int
    observer: int
    mount: CameraMount
    positions: FloatArray
    origin: IntArray
    nis: float
    nis_size: int


def flight_association_log(frames: list[AssociatedFrame], logs: list[DroneLog]) -> AssociationLog:
    """Return NIS and confusion of a flight; no confusion where the truth of any is not known."""
    associations, nobody = AssociationLog(len(logs)), np.zeros(0, np.int64)
    if not all(log.truth for log in logs):
        for frame in frames:
            associations.note(nobody, nobody, frame.nis, frame.nis_size)
        return associations
    stamps = np.array([frame.stamp_ns for frame in frames], np.int64)
    poses = np.stack([log.path(log.truth).known_at(stamps) for log in logs], axis=1)
    tilts = [log.true_roll_pitch(stamps) for log in logs]
    everybody = np.arange(len(logs))
    for index, frame in enumerate(frames):
        if not np.isfinite(poses[index]).all():
            associations.note(nobody, nobody, frame.nis, frame.nis_size)
            continue
        own, others = poses[index, frame.observer], np.delete(everybody, frame.observer)
        angles = np.append(tilts[frame.observer][index], own[3])
        targets = from_camera(poses[index, others, :3], own[:3], angles, frame.mount)
        labels = identify(frame.positions, targets, others)
        associations.note(labels, frame.origin, frame.nis, frame.nis_size)
    return associations
