"""Actions that several launch files have."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnShutdown

from mav_perception.processes.parent import PARENT

ENDS_WITH_LAUNCH = {PARENT: str(os.getpid())}
"""Environment of a node that must not outlive this launch, however it ends."""


def declared(arguments: dict[str, tuple[str, str]]) -> list[DeclareLaunchArgument]:
    """Return the actions that declare arguments: name -> default and description."""
    return [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in arguments.items()
    ]


def removed_at_the_end(folder: Path | str) -> RegisterEventHandler:
    """Return the action that removes a folder when the launch shuts down."""
    removal = OpaqueFunction(function=lambda _: shutil.rmtree(folder, ignore_errors=True))
    return RegisterEventHandler(OnShutdown(on_shutdown=[removal]))
