"""What a network for video carries from frame to frame, and when it must forget it."""

from __future__ import annotations

import cv2
import numpy as np

CUT = 0.6
"""Mean change of a 16x20 thumbnail of the normalised image that is no motion any more."""


class HiddenState:
    """The hidden state of one camera's network; a cut in the video resets it to zero."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Begin with nothing known; `shape` is (C, h, w)."""
        self._nothing = np.zeros((1, *shape), np.float32)
        self.resets = -1
        self.reset()

    def reset(self) -> None:
        """Forget everything, before a frame of another place or time."""
        self._hidden = self._nothing
        self._thumbnail: np.ndarray | None = None
        self.resets += 1

    def before(self, tensor: np.ndarray) -> np.ndarray:
        """Return the state (1, C, h, w) for a frame (1, channels, H, W), zero after a cut."""
        thumbnail = cv2.resize(tensor[0, 0], (20, 16), interpolation=cv2.INTER_AREA)
        last = self._thumbnail
        if last is not None and float(np.abs(thumbnail - last).mean()) > CUT:
            self.reset()
        self._thumbnail = thumbnail
        return self._hidden

    def after(self, hidden: np.ndarray) -> None:
        """Keep what the network found in the frame; a state that is not finite is forgotten."""
        if np.isfinite(hidden).all():
            self._hidden = hidden
        else:
            self.reset()
