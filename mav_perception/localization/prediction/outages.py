"""Outages of odometry during which a drone was seen: its motion must not be counted twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.localization.odometry.history import RESTART_GAP
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.state import JointState
from mav_perception.types import IntArray


def mark_corrected(state: JointState, seen: IntArray, odometry: TeamOdometry) -> JointState:
    """Note the drones among `seen` whose odometry does not reach the time of the state."""
    corrected = state.corrected.copy()
    for drone in range(state.drones):
        newest = odometry.newest_ns(drone)
        if newest is not None and newest >= state.stamp_ns:
            corrected[drone] = False
        elif drone in seen:
            corrected[drone] = True
    return replace(state, corrected=corrected)


def anchor_again(state: JointState, odometry: TeamOdometry) -> JointState:
    """Let odometry that resumes count from where the drone was last seen, not from its end.

    A sighting during an outage corrected the drone for motion that the odometry tells of only
    later, in one step; taking the whole step would count that motion twice. The step is taken to
    be even, and the drone to be as uncertain as after a restart.
    """
    anchors = state.anchors
    corrected = state.corrected.copy()
    for drone in np.flatnonzero(corrected).tolist():
        held_ns = int(anchors.stamps[drone])
        newest = odometry.newest_ns(drone)
        if newest is not None and newest >= held_ns:
            again = odometry.histories[drone].at(held_ns)
            # Nobody saw it turn: all of that is still to come.
            again = again.with_yaw_and_gap(float(anchors[drone].yaw), RESTART_GAP)
            anchors = anchors.with_row(drone, again)
            corrected[drone] = False
    return replace(state, anchors=anchors, corrected=corrected)
