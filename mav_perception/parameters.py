"""Parameters as frozen dataclasses whose fields carry their own description and range.

One declaration serves the core, the ROS parameter server, the YAML test and the documentation.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from mav_perception.errors import ConfigurationError


@dataclass(frozen=True)
class Description:
    """What a parameter means and what it may be."""

    text: str
    low: float | None = None
    high: float | None = None
    read_only: bool = False
    choices: tuple[str, ...] = ()


def parameter(
    default: Any,
    text: str,
    low: float | None = None,
    high: float | None = None,
    read_only: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a dataclass field with its description, closed range or choices, and default.

    Lists are given as tuples. `read_only` parameters are fixed once the node is configured.
    """
    metadata = {
        'description': Description(
            text=text,
            low=low,
            high=high,
            read_only=read_only,
            choices=choices,
        )
    }
    return field(default=default, metadata=metadata)


def describe(parameter_field: dataclasses.Field[Any]) -> Description:
    """Return the description of a field that `parameter` declared."""
    return parameter_field.metadata['description']


Parameters = TypeVar('Parameters')


def check_ranges(parameters: Parameters) -> Parameters:
    """Return the parameters unchanged, or raise ConfigurationError that names the bad one."""
    for item in fields(parameters):  # type: ignore[arg-type]
        description, value = describe(item), getattr(parameters, item.name)
        if description.choices and value not in description.choices:
            raise ConfigurationError(
                f'{item.name} is {value!r}, it must be one of {", ".join(description.choices)}: '
                f'{description.text}.'
            )
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            if isinstance(number, (bool, str)):
                continue
            low = -math.inf if description.low is None else description.low
            high = math.inf if description.high is None else description.high
            if not low <= number <= high:
                raise ConfigurationError(
                    f'{item.name} is {number}, it must be between {low} and {high}: '
                    f'{description.text}.'
                )
    return parameters
