"""Who is in the joint state: drones that start, that were found, and that are lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mav_perception.localization.hypotheses import difference, wrapped
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.state import JointState
from mav_perception.types import FloatArray


def join_started(
    state: JointState,
    stamp_ns: int,
    first_rows: Sequence[OdometryRows | None],
    at_origin: Sequence[bool],
) -> JointState:
    """Let pending drones in whose odometry has begun.

    Args:
        state: joint state.
        stamp_ns: by when.
        first_rows: of the odometry of each drone, None before it has begun.
        at_origin: of which drones the start pose holds at the origin of the odometry; of the
            others it holds at these rows. Empty for none.
    """
    joining = [
        drone
        for drone in np.flatnonzero(state.pending).tolist()
        if (row := first_rows[drone]) is not None and row.stamps <= stamp_ns
    ]
    if not joining:
        return state
    active, pending, met_ns = state.active.copy(), state.pending.copy(), state.last_met_ns.copy()
    active[joining], pending[joining], met_ns[joining] = True, False, stamp_ns
    anchors = state.anchors
    for drone in joining:
        row = first_rows[drone]
        assert row is not None
        anchored = row.at_origin() if at_origin and at_origin[drone] else row
        anchors = anchors.with_row(drone, anchored)
    return replace(state, anchors=anchors, active=active, pending=pending, last_met_ns=met_ns)


def without_drone(state: JointState, drone: int) -> JointState:
    """Take a drone out whose pose is lost; the cross-covariances of the others are kept."""
    active = state.active.copy()
    active[drone] = False
    return replace(state, active=active)


def with_drone(
    state: JointState,
    drone: int,
    pose: FloatArray,
    covariance: FloatArray,
    anchor: OdometryRows,
    dependence: FloatArray | None = None,
) -> JointState:
    """Put a drone in at a pose that follows the others by W: it has C + W P W', and W P with them.

    Args:
        state: joint state.
        drone: which.
        pose: (4,) in map at the time of `anchor`.
        covariance: (4, 4) C of it, besides what it shares with the others.
        anchor: its odometry row there.
        dependence: (4, 4N) W, its Jacobian with respect to the poses of the others; None if it is
            independent of them.
    """
    own = slice(4 * drone, 4 * drone + 4)
    hypotheses = state.hypotheses
    means, joint = hypotheses.means.copy(), hypotheses.covariances.copy()
    means[:, own] = pose
    joint[:, own], joint[:, :, own] = 0.0, 0.0
    joint[:, own, own] = covariance
    if dependence is not None:
        poses, mean = slice(0, 4 * state.drones), state.told.team.mean.ravel()
        apart = difference(hypotheses.means[:, poses], mean, state.drones)
        means[:, own] += apart @ dependence.T
        means = wrapped(means, state.drones)
        ties = dependence @ joint[:, poses]
        joint[:, own] += ties
        joint[:, :, own] += np.swapaxes(ties, 1, 2)
        joint[:, own, own] = covariance + ties[:, :, poses] @ dependence.T
    active, met_ns = state.active.copy(), state.last_met_ns.copy()
    active[drone], met_ns[drone] = True, state.stamp_ns
    return replace(
        state,
        hypotheses=replace(hypotheses, means=means, covariances=joint),
        active=active,
        anchors=state.anchors.with_row(drone, anchor),
        untold=state.untold.without(drone),
        last_met_ns=met_ns,
        drift=state.drift.without_past(),
        denied=np.zeros_like(state.denied),
    )
