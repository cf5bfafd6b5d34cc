"""Lifecycle node that can activate itself, so that `ros2 run` alone is enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, Publisher, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from mav_perception.errors import ConfigurationError, MavPerceptionError
from mav_perception.parameters import parameter
from mav_perception.ros.messages.qos import qos_profile, subscribe
from mav_perception.ros.runtime.bond import ManagerBond
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.parameters import declare_parameters, unknown_overrides
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.ros.runtime.watchdog import Watchdog


@dataclass(frozen=True)
class LifecycleParameters:
    """Parameter of every lifecycle node; its watchdog and its bond have their own."""

    autostart: bool = parameter(True, 'configure and activate at start')


class SelfActivatingNode(LifecycleNode):
    """Base of the nodes that hold a model or a filter.

    Subclasses implement `load` (configure), `start` (activate), `halt` (deactivate) and `unload`
    (cleanup); errors of the package in them become one clear diagnostic, and the node stays up to
    be configured again. What they `advertise` lives until cleanup, what they `listen` to until
    deactivation, and both end with a transition that fails.
    """

    def __init__(self, name: str, *parameter_kinds: type) -> None:
        """Declare parameters and, with `autostart`, configure and activate once spinning."""
        super().__init__(name)
        self.diagnostics = NodeDiagnostics(self)
        self.watchdog = Watchdog(self, self.alive)
        self._bond = ManagerBond(self, self.diagnostics)
        declare_parameters(self, LifecycleParameters)
        for kind in parameter_kinds:
            declare_parameters(self, kind)
        unknown = unknown_overrides(self)
        if unknown:
            self.diagnostics.problem(
                'unknown_parameter',
                f'Unknown parameter {unknown[0]!r} is ignored: check the spelling in the YAML or '
                'on the command line (ros2 param list shows the known ones).',
            )
        self._running = self._loaded = False
        self._advertised: list[Publisher[Any]] = []
        self._latched: list[Any] = []
        self._heard: list[Subscription] = []
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._autostart_timer = steady_timer(self, 0.0, self._autostart)

    def advertise(self, kind: type, topic: str, qos: QoSProfile | int) -> Publisher[Any]:
        """Return a publisher that is silent while the node is not active."""
        publisher: Publisher[Any] = self.create_lifecycle_publisher(kind, topic, qos)
        self._advertised.append(publisher)
        return publisher

    def say_once(self, message: Any, topic: str) -> None:
        """Publish one message for whoever comes, until cleanup, in whatever state the node is."""
        publisher = self.create_publisher(type(message), topic, qos_profile('reliable', 1, True))
        publisher.publish(message)
        self._latched.append(publisher)

    def listen(
        self,
        kind: type,
        topic: str,
        handle: Callable[[Any], None],
        qos: str,
        depth: int,
        watched: bool = True,
    ) -> Subscription:
        """Subscribe; /diagnostics names bad QoS and, if it is watched, silence of the topic.

        Args:
            kind: type of the message.
            topic: relative to the node's namespace, or absolute.
            handle: takes each message.
            qos: name of the profile, see `qos_profile`.
            depth: of the queue.
            watched: whether it should not fall silent.
        """

        def on_message(message: Any) -> None:
            if watched:
                self.diagnostics.saw(subscription)
            handle(message)

        subscription = self.listen_to(kind, topic, on_message, qos_profile(qos, depth))
        if watched:
            self.diagnostics.watch(subscription, qos)
        return subscription

    def listen_to(
        self, kind: type, topic: str, handle: Callable[[Any], None], profile: QoSProfile
    ) -> Subscription:
        """Subscribe with a profile; silence is fine."""
        subscription = subscribe(
            self, kind, topic, handle, profile, lambda text: self.diagnostics.problem('qos', text)
        )
        self._heard.append(subscription)
        return subscription

    def load(self) -> None:
        """Read parameters and allocate; may raise MavPerceptionError."""

    def retune(self, changes: list[Parameter]) -> None:
        """Take new values of parameters into the running node, all of them or none.

        Raises:
            ConfigurationError: one of them can only be read at configure, or does not fit.
        """
        raise ConfigurationError(
            f'{changes[0].name} is read at configure: deactivate and clean up first.'
        )

    def start(self) -> None:
        """Subscribe and begin to work."""

    def halt(self) -> None:
        """Stop working; nothing that was listened to comes any more."""

    def unload(self) -> None:
        """Release what `load` allocated."""

    def alive(self) -> bool:
        """Tell whether the threads of the node get on with their work."""
        return True

    def close(self) -> None:
        """Stop working before the process ends."""
        if self._running:
            self._running = False
            self._bond.part()
            self._stop_listening()
            self.halt()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load, or stay unconfigured with the reason on /diagnostics."""
        self.watchdog.pause()  # building an engine may take minutes
        try:
            self.load()
        except MavPerceptionError as error:
            self._release()
            self.diagnostics.fail(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it without a word
            self.diagnostics.fail(f'configure failed: {error!r}')
            return TransitionCallbackReturn.ERROR
        finally:
            self.watchdog.resume()
        self.diagnostics.recover()
        self._loaded = True
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start working."""
        result = super().on_activate(state)
        try:
            self.start()
            self._bond.form()
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it without a word
            self.diagnostics.fail(f'activate failed: {error!r}')
            return TransitionCallbackReturn.ERROR
        self._running = True
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working."""
        self.close()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the model or filter."""
        self._release()
        return super().on_cleanup(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release what a failed transition left behind; the node can be configured again."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and release."""
        self.close()
        self._release()
        return super().on_shutdown(state)

    def _stop_listening(self) -> None:
        self.diagnostics.forget_topics()
        for subscription in self._heard:
            self.destroy_subscription(subscription)
        self._heard.clear()

    def _release(self) -> None:
        """Release all that `load` and `start` made, however far they came."""
        self._running = self._loaded = False
        self._stop_listening()
        for release in (self._bond.part, self.halt, self.unload):
            try:
                release()
            except Exception as error:  # noqa: BLE001 - what was never made cannot be released
                self.get_logger().debug(f'nothing to release: {error!r}')
        for publisher in self._advertised:
            self.destroy_lifecycle_publisher(publisher)
        for publisher in self._latched:
            self.destroy_publisher(publisher)
        self._advertised.clear()
        self._latched.clear()

    def _autostart(self) -> None:
        self._autostart_timer.cancel()
        if not self.get_parameter('autostart').value:
            return
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        changes = [p for p in parameters if p.name != 'use_sim_time']
        if self._loaded and changes:
            try:
                self.retune(changes)
            except ConfigurationError as error:
                return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)
