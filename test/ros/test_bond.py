"""Lifecycle nodes bond with a lifecycle manager, where bondpy is installed."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import TransitionCallbackReturn

from mav_perception.ros.nodes.detection_node import DetectionNode
from mav_perception.ros.runtime import bond
from mav_perception.ros.runtime.bond import WITHOUT_BOND, SilenceBreaksBond

needs_bond = pytest.mark.skipif(bool(WITHOUT_BOND), reason=f'{WITHOUT_BOND} It is optional')


def start(bench):
    node = bench.start(DetectionNode, 'bond_heartbeat_period:=0.2')
    bench.diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    return node


@pytest.fixture
def manager(bench):
    """Bond of a lifecycle manager with the detection node, in its namespace."""
    node = start(bench)
    sister = SilenceBreaksBond(bench.tester, '/mav1/bond', 'detection_node')
    sister.set_heartbeat_timeout(1.0)
    sister.start()
    bench.sister = sister
    assert bench.until(lambda: node._running)
    yield sister
    sister.shutdown()


def formed(sister):
    return sister.sm.getState().getName() == 'SM.Alive'


@needs_bond
def test_the_bond_holds_while_the_node_is_active(bench, manager):
    assert bench.until(lambda: formed(manager))
    assert not bench.until(manager.is_broken, 3.0)
    assert bench.node.trigger_deactivate() == TransitionCallbackReturn.SUCCESS
    assert bench.until(manager.is_broken, 0.5)


@needs_bond
def test_each_activity_has_a_bond_of_its_own(bench, manager):
    assert bench.until(lambda: formed(manager))
    bench.node.trigger_deactivate()
    again = SilenceBreaksBond(bench.tester, '/mav1/bond', 'detection_node')
    again.start()
    bench.node.trigger_activate()
    assert bench.until(lambda: formed(again))
    again.shutdown()


@needs_bond
def test_the_node_says_when_the_manager_ends(bench, manager):
    assert bench.until(lambda: formed(manager))
    manager.break_bond()
    assert bench.problem(bench.diagnostics, 'lifecycle manager on bond is gone')
    assert bench.node._running


@needs_bond
@pytest.mark.parametrize('times', [1, 2])
def test_the_node_says_when_the_manager_was_killed(bench, manager, times):
    for _ in range(times):  # each activity anew
        assert bench.until(lambda: formed(bench.sister))
        bench.until(lambda: False, 1.0)
        bench.sister.is_shutdown = True  # its heartbeats end without a word
        bench.diagnostics.clear()
        assert bench.problem(bench.diagnostics, 'lifecycle manager on bond is gone')
        bench.node.trigger_deactivate()
        bench.sister = SilenceBreaksBond(bench.tester, '/mav1/bond', 'detection_node')
        bench.sister.start()
        bench.node.trigger_activate()
    bench.sister.shutdown()


@needs_bond
def test_the_node_says_when_no_manager_answers(bench):
    node = start(bench)
    assert bench.problem(bench.diagnostics, 'No lifecycle manager has answered', 15.0)
    assert node._running


def test_without_bondpy_the_node_works_and_names_what_is_missing(bench, monkeypatch):
    monkeypatch.setattr(bond, 'WITHOUT_BOND', 'bondpy is not installed.')
    node = start(bench)
    assert bench.problem(bench.diagnostics, 'bondpy is not installed. It comes by')
    assert node._running
