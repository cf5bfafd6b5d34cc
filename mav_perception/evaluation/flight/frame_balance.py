"""What became of every frame of a drone in a live flight: no frame without a fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FrameBalance:
    """Counts of the images of one drone.

    Attributes:
        images: that its cameras took.
        poses: images at whose stamp a pose was published.
        superseded: used too, but a pose of a later time was out already.
        dropped: a newer image came before the network was free.
        without_pose: used, or kept for the search, while the drone had no pose.
        refused: by the joint filter; `reason` is the last one.
        waiting: for odometry, when the flight ended.
    """

    images: int = 0
    poses: int = 0
    superseded: int = 0
    dropped: int = 0
    without_pose: int = 0
    refused: int = 0
    waiting: int = 0
    reason: str = ''

    @property
    def lost(self) -> int:
        """Return the images that nobody has an account of: lost on the way."""
        used = self.poses + self.superseded + self.without_pose
        return max(self.images - used - self.dropped - self.refused - self.waiting, 0)

    def text(self) -> str:
        """Return the balance in words, such as 'poses 34 of 75: 40 images dropped, 1 lost'."""
        fates = (
            (self.superseded, 'used when a newer pose was out already'),
            (self.dropped, 'dropped for a newer one'),
            (self.without_pose, 'while it had no pose'),
            (self.refused, f'refused ({self.reason})'),
            (self.waiting, 'still waiting for odometry'),
            (self.lost, 'lost on the way'),
        )
        rest = ', '.join(f'{number} {what}' for number, what in fates if number)
        return f'poses {self.poses} of {self.images}' + (f': {rest}' if rest else '')


def total_figures(balances: Sequence[FrameBalance]) -> dict[str, Any]:
    """Return the counts of all drones together, for JSON."""
    each = [asdict(one) | {'lost': one.lost} for one in balances]
    names = {'dropped': 'images_dropped', 'lost': 'frames_lost'}
    kinds = [kind for kind in each[0] if kind != 'reason'] if each else []
    return {names.get(kind, kind): sum(one[kind] for one in each) for kind in kinds}
