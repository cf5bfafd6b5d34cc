"""What became of the frames of a drone: each has one fate, and all of them are counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FrameFates:
    """Counts of the frames of one drone.

    Attributes:
        arrived: at the filter, as relative measurements.
        used: led to a pose of the drone at their stamp.
        without_pose: used, or kept for the search, while the drone had no pose.
        refused: a frame that is too late, came twice or is broken; `reason` is the last one.
    """

    arrived: int = 0
    used: int = 0
    without_pose: int = 0
    refused: int = 0
    reason: str = ''

    @property
    def waiting(self) -> int:
        """Return the frames that wait for odometry."""
        return self.arrived - self.used - self.without_pose - self.refused

    def refuse(self, reason: str) -> None:
        """Count a frame that the filter does not take."""
        self.refused += 1
        self.reason = reason

    def use(self, pose: bool) -> None:
        """Count a frame that went through the filter; tell whether its drone has a pose."""
        self.used += pose
        self.without_pose += not pose
