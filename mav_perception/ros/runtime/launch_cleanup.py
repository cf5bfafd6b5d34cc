"""What a launch file leaves behind is taken away when the launch ends."""

from __future__ import annotations

import shutil
from typing import Any

from launch.actions import RegisterEventHandler
from launch.event_handlers import OnShutdown


def removed_at_the_end(folder: str) -> RegisterEventHandler:
    """Return the action that removes a folder when the launch shuts down."""

    def remove(*_: Any) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    return RegisterEventHandler(OnShutdown(on_shutdown=remove))
