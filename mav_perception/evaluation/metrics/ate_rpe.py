"""Absolute and relative trajectory error, defined as `evo_ape -a` and `evo_rpe` define them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.errors import DataError
from mav_perception.io.tum import Trajectory
from mav_perception.types import FloatArray, IntArray

MAX_DIFFERENCE = 10_000_000
"""Nanoseconds between two stamps that belong together, as evo's default."""


@dataclass(frozen=True)
class TrajectoryError:
    """Errors of one trajectory against the truth.

    Attributes:
        ate: root mean square of the position error after alignment, metres.
        rpe: root mean square of the translation error from one pose to the next, metres.
        rpe_degrees: the same of rotation.
        errors: (M,) position error after alignment, metres.
        stamps: (M,) of the poses that were compared, nanoseconds.
    """

    ate: float
    rpe: float
    rpe_degrees: float
    errors: FloatArray
    stamps: IntArray


def associate(truth: Trajectory, estimate: Trajectory) -> tuple[IntArray, IntArray]:
    """Return indices of the poses of both that belong together.

    Each pose of the trajectory that has fewer takes the nearest of the other, as evo does.
    """
    if len(estimate.stamps) > len(truth.stamps):
        mine, true = associate(estimate, truth)
        return true, mine
    after = np.clip(np.searchsorted(truth.stamps, estimate.stamps), 1, len(truth.stamps) - 1)
    before = after - 1
    nearer = estimate.stamps - truth.stamps[before] <= truth.stamps[after] - estimate.stamps
    nearest = np.where(nearer, before, after)
    close = np.abs(truth.stamps[nearest] - estimate.stamps) <= MAX_DIFFERENCE
    return nearest[close], np.flatnonzero(close)


def trajectory_error(
    truth: Trajectory, estimate: Trajectory, align: bool = True
) -> TrajectoryError:
    """Compare a trajectory with the truth.

    Args:
        truth: true poses.
        estimate: of the same body.
        align: move the estimate onto the truth by one rotation and translation first (Umeyama
            1991, no scale); else both are taken to be in one frame.

    Raises:
        DataError: fewer than three poses have stamps in common.
    """
    if min(len(truth.stamps), len(estimate.stamps)) < 3:
        raise DataError('A trajectory needs three poses or more.')
    true, mine = associate(truth, estimate)
    if len(mine) < 3:
        raise DataError(
            f'Only {len(mine)} poses lie within 10 ms of a true one: are both on one clock?'
        )
    p, q = truth.positions[true], estimate.positions[mine]
    moved = q
    if align:
        rotation, _ = Rotation.align_vectors(p - p.mean(axis=0), q - q.mean(axis=0))
        moved = rotation.apply(q - q.mean(axis=0)) + p.mean(axis=0)
    errors = np.linalg.norm(moved - p, axis=1)
    steps = [
        _steps(positions, Rotation.from_quat(quaternions))
        for positions, quaternions in (
            (p, truth.quaternions[true]),
            (q, estimate.quaternions[mine]),
        )
    ]
    (true_step, true_turn), (my_step, my_turn) = steps
    drift = true_turn.inv().apply(my_step - true_step)
    turn = (true_turn.inv() * my_turn).magnitude()
    return TrajectoryError(
        ate=_root_mean_square(errors),
        rpe=_root_mean_square(np.linalg.norm(drift, axis=1)),
        rpe_degrees=float(np.degrees(_root_mean_square(turn))),
        errors=errors,
        stamps=estimate.stamps[mine],
    )


def _steps(positions: FloatArray, rotations: Rotation) -> tuple[FloatArray, Rotation]:
    """Return each pose as the pose before sees it."""
    back = rotations[:-1].inv()
    return back.apply(np.diff(positions, axis=0)), back * rotations[1:]


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
