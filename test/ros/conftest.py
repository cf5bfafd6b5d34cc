"""Real rclpy over real DDS: a node under test and a tester in one executor."""

import time

import pytest

rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed: `make install` brings it')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402


class Bench:
    """Starts nodes, publishes to them, and collects what they publish."""

    def __init__(self):
        self.executor = None
        self.nodes = []

    def start(self, make, *arguments, namespace='mav1', file=None):
        """Start a node class with parameters such as 'threads:=1', or a file of them."""
        given = ['--ros-args', '-r', f'__ns:=/{namespace}'] if namespace else ['--ros-args']
        given += ['--params-file', str(file)] if file else []
        for text in arguments:
            given += ['-p', text]
        rclpy.init(args=given)
        self.executor = SingleThreadedExecutor()
        self.tester = Node('tester', use_global_arguments=False)
        self.node = make()
        self.nodes = [self.tester, self.node]
        for node in self.nodes:
            self.executor.add_node(node)
        return self.node

    def collect(self, kind, topic, qos=10):
        """Return a list that fills with the messages of a topic."""
        received = []
        self.tester.create_subscription(kind, topic, received.append, qos)
        return received

    def publisher(self, kind, topic, qos=10, timeout=10.0):
        """Return a publisher once somebody reads it."""
        publisher = self.tester.create_publisher(kind, topic, qos)
        assert self.until(publisher.get_subscription_count, timeout), f'nobody reads {topic}'
        return publisher

    def until(self, condition, timeout=10.0):
        """Spin until a condition holds; return whether it does."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            self.executor.spin_once(timeout_sec=0.02)
        return bool(condition())

    def problem(self, diagnostics, text, timeout=10.0):
        """Spin until a diagnostic message holds a text; return whether it came."""
        return self.until(
            lambda: any(text in s.message for m in diagnostics for s in m.status), timeout
        )

    def close(self):
        """End everything."""
        for node in self.nodes:
            if hasattr(node, 'close'):
                node.close()
            node.destroy_node()
        if self.executor is not None:
            self.executor.shutdown()
        self.nodes, self.executor = [], None
        rclpy.try_shutdown()


@pytest.fixture
def bench():
    """Give a bench and clean up after it."""
    instance = Bench()
    yield instance
    instance.close()
