"""ROS packages that are used where they are built, and never needed."""

from __future__ import annotations

import importlib
from typing import Any


def optional_messages(package: str) -> tuple[Any, str]:
    """Return the module `package.msg`, or None and why."""
    return optional_module(f'{package}.msg')


def optional_module(name: str) -> tuple[Any, str]:
    """Return a module, or None and why: not there is not the same as broken."""
    package = name.partition('.')[0]
    try:
        return importlib.import_module(name), ''
    except ModuleNotFoundError as error:
        if (error.name or '').partition('.')[0] == package:
            return None, f'{package} is not installed.'
        return None, f'{package} is installed, but cannot be used: {error}.'
    except ImportError as error:
        return None, f'{package} is installed, but cannot be used: {error}.'
