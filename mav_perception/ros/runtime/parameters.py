"""The only place that touches the ROS parameter server: dataclasses in, dataclasses out."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from mav_perception.errors import ConfigurationError
from mav_perception.parameters import check_ranges, describe

T = TypeVar('T')


def declare_parameters(node: Node, kind: type[T]) -> None:
    """Declare every field of a parameter dataclass with its description and range.

    Raises:
        ConfigurationError: a value given on the command line or in YAML has a wrong type or lies
            outside its range; the message names the parameter.
    """
    defaults = kind()
    for item in fields(kind):  # type: ignore[arg-type]
        value = getattr(defaults, item.name)
        if node.has_parameter(item.name):
            continue
        try:
            node.declare_parameter(
                item.name, list(value) if isinstance(value, tuple) else value, _descriptor(item)
            )
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            wrong_type = isinstance(error, InvalidParameterTypeException)
            hint = ' YAML needs 1.0, not 1, where a decimal is wanted.' if wrong_type else ''
            raise ConfigurationError(
                f'Parameter {item.name} ({describe(item).text}): {error}{hint}'
            ) from error


def read_parameters(node: Node, kind: type[T]) -> T:
    """Return the current values as a frozen dataclass, or raise ConfigurationError."""
    values: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        value = node.get_parameter(item.name).value
        values[item.name] = value if isinstance(value, (bool, int, float, str)) else tuple(value)
    return check_ranges(kind(**values))


def changed(current: T, changes: list[Parameter]) -> T:
    """Return a parameter dataclass with new values, all of them or none.

    Raises:
        ConfigurationError: a value has a wrong type or lies outside its range.
    """
    values: dict[str, Any] = {}
    for item in changes:
        old = getattr(current, item.name)
        new = tuple(item.value) if isinstance(old, tuple) else item.value
        if type(new) is not type(old):
            raise ConfigurationError(
                f'{item.name} must be of type {type(old).__name__}, got {new!r}.'
            )
        values[item.name] = new
    return check_ranges(replace(current, **values))  # type: ignore[type-var]


def unknown_overrides(node: Node) -> list[str]:
    """Return names given by YAML or command line that the node never declared: typing errors."""
    given = node._parameter_overrides
    return sorted(name for name in given if not node.has_parameter(name))


def _descriptor(item: Any) -> ParameterDescriptor:
    description = describe(item)
    descriptor = ParameterDescriptor(description=description.text, read_only=description.read_only)
    if description.low is None and description.high is None:
        return descriptor
    # Lists carry no range in ROS; `check_ranges` looks at their elements.
    if isinstance(item.default, int) and not isinstance(item.default, bool):
        low = -(2**62) if description.low is None else int(description.low)
        high = 2**62 if description.high is None else int(description.high)
        descriptor.integer_range = [IntegerRange(from_value=low, to_value=high)]
    elif isinstance(item.default, float):
        low_f = -1e300 if description.low is None else float(description.low)
        high_f = 1e300 if description.high is None else float(description.high)
        descriptor.floating_point_range = [FloatingPointRange(from_value=low_f, to_value=high_f)]
    return descriptor
