"""Bond with a lifecycle manager, Nav2's for one: each hears of it when the other ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rclpy.node import Node

from mav_perception.parameters import parameter
from mav_perception.ros.messages.optional import optional_module
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters

bondpy, WITHOUT_BOND = optional_module('bondpy.bondpy')
"""The module and, where it cannot be used, why: else no text."""

_Bond: Any = object if bondpy is None else bondpy.Bond


class SilenceBreaksBond(_Bond):  # type: ignore[misc]
    """A bond that breaks when the manager falls silent.

    bondpy's own would declare a parameter first, at every time anew, and fail the second time.
    """

    def _on_heartbeat_timeout(self) -> None:
        with self.lock:
            self.sm.HeartbeatTimeout()
        self._flush_pending_callbacks()


@dataclass(frozen=True)
class BondParameters:
    """Parameter of every lifecycle node; its name is that of Nav2's nodes."""

    bond_heartbeat_period: float = parameter(
        0.0,
        'period of the heartbeat by which a lifecycle manager knows that the active node lives, '
        'well below its bond_timeout; 0 for no bond; needs bondpy [s]',
        0.0,
        1.0,
        read_only=True,
    )


class ManagerBond:
    """The bond of an active lifecycle node, named after the node, on the topic `bond`.

    bondpy keeps it on threads of its own: what ends it is the end of the process or of the
    node's activity, not a callback that takes long. For that there is the watchdog.
    """

    def __init__(self, node: Node, diagnostics: NodeDiagnostics) -> None:
        """Declare the parameter."""
        declare_parameters(node, BondParameters)
        self._period = read_parameters(node, BondParameters).bond_heartbeat_period
        self._node, self._diagnostics = node, diagnostics
        self._bond: Any = None
        self._formed = False

    def form(self) -> None:
        """Send heartbeats from now on, if the parameter asks for them."""
        if not self._period:
            return
        if WITHOUT_BOND:
            self._diagnostics.problem(
                'bond',
                f'No bond with a lifecycle manager: {WITHOUT_BOND} It comes by apt install '
                'ros-$ROS_DISTRO-bondpy; or set bond_heartbeat_period to 0.',
            )
            return
        self._formed = False
        self._bond = SilenceBreaksBond(
            self._node, 'bond', self._node.get_name(), self._on_broken, self._on_formed
        )
        self._bond.set_heartbeat_period(self._period)
        self._bond.start()

    def part(self) -> None:
        """Tell the manager that the node stops by intent, and end the heartbeats."""
        if self._bond is None:
            return
        bond, self._bond = self._bond, None
        bond.set_broken_callback(None)
        bond.shutdown()
        self._node.destroy_subscription(bond.sub)
        self._node.destroy_publisher(bond.pub)

    def _on_formed(self) -> None:
        self._formed = True

    def _on_broken(self) -> None:
        if self._formed:
            text = 'The lifecycle manager on bond is gone, or has stopped: the node works on.'
        else:
            text = (
                'No lifecycle manager has answered on bond: start it with a bond_timeout above '
                'zero, in this namespace, or set bond_heartbeat_period to 0.'
            )
        self._diagnostics.problem('bond', text)
