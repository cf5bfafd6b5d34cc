"""Errors of a team's poses against truth, with and without alignment."""

from __future__ import annotations

import numpy as np
from scipy.linalg import orth

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.types import FloatArray, IntArray, TeamState

SMALLEST_SIGMA = 1e-3
"""Metres; a start that is known exactly has no sigma at all."""

SAMPLE_RATE = 20
"""Rate at which errors are sampled, Hz."""


def align_team(estimate: FloatArray, truth: FloatArray) -> FloatArray:
    """Align all drones of each instant with one yaw and one translation (least squares).

    Gravity fixes roll and pitch, so the best yaw has a closed form: the angle of
    sum (t x e, t . e) over the centred horizontal positions. Drones without an estimate or a
    truth (NaN) take no part, nor do instants with fewer than two drones.

    Args:
        estimate: (M, N, 3) estimated positions.
        truth: (M, N, 3) true positions.

    Returns:
        (M, N, 3) estimates moved onto the truth, NaN where there was none.
    """
    known = np.isfinite(estimate + truth).all(axis=-1, keepdims=True)
    number = known.sum(axis=1, keepdims=True)
    estimate = np.where(number > 1, estimate, np.nan)
    share = known / np.maximum(number, 1)
    centre_e = np.sum(share * np.where(known, estimate, 0.0), axis=1, keepdims=True)
    centre_t = np.sum(share * np.where(known, truth, 0.0), axis=1, keepdims=True)
    e, t = estimate - centre_e, truth - centre_t
    sine = np.nansum(e[..., 0] * t[..., 1] - e[..., 1] * t[..., 0], axis=1)
    cosine = np.nansum(e[..., 0] * t[..., 0] + e[..., 1] * t[..., 1], axis=1)
    rotation = yaw_rotation(np.arctan2(sine, cosine))
    return np.einsum('mij,mnj->mni', rotation, e) + centre_t


def team_shape_rmse(estimate: FloatArray, truth: FloatArray) -> float:
    """Return the RMSE in metres over drones and time after aligning each instant."""
    error = align_team(estimate[..., :3], truth[..., :3]) - truth[..., :3]
    return _root_mean_square(error)


def position_rmse(estimate: FloatArray, truth: FloatArray) -> float:
    """Return the RMSE in metres over drones and time in `map`, with no alignment."""
    return _root_mean_square(estimate[..., :3] - truth[..., :3])


def _root_mean_square(error: FloatArray) -> float:
    squared = np.sum(error**2, axis=-1)
    known = np.isfinite(squared)
    return float(np.sqrt(squared[known].mean())) if known.any() else float('nan')


def sample_stamps(begin_ns: int, end_ns: int) -> IntArray:
    """Return the stamps at which errors are sampled."""
    return np.arange(begin_ns, end_ns, 1_000_000_000 // SAMPLE_RATE, dtype=np.int64)


def normalised_error_squared(
    state: TeamState, truth: FloatArray, axes: tuple[int, ...] = (0, 1, 2, 3)
) -> tuple[float, int]:
    """Return NEES e' P^-1 e of the joint state and its degrees of freedom.

    Args:
        state: joint state.
        truth: (N, 4) true poses at its stamp.
        axes: which of x, y, z, yaw count; vehicles on a plane have no z.
    """
    error = state.mean - truth
    error[:, 3] = wrap_angle(error[:, 3])
    index = (4 * np.arange(len(error))[:, None] + np.array(axes)).ravel()
    error_vector = error.ravel()[index]
    covariance = state.covariance[np.ix_(index, index)]
    return float(error_vector @ np.linalg.solve(covariance, error_vector)), len(index)


def errors_in_sigmas(state: TeamState, truth: FloatArray) -> FloatArray:
    """Return (N,) how many of its own standard deviations every drone is off within the team.

    The motion of the whole team that fits best, one translation and one yaw, is taken out of the
    errors and, to first order, out of the covariance: e = A (x - x'), C = A P A', with A the
    projection off those four directions. A drone's sigma is that along its own error.

    Args:
        state: joint state of N drones.
        truth: (N, 4) true poses at its stamp.
    """
    estimate = state.mean[:, :3]
    error = estimate - align_team(truth[None, :, :3], estimate[None])[0]
    centred = estimate - estimate.mean(axis=0)
    turn = np.column_stack([-centred[:, 1], centred[:, 0], np.zeros(len(centred))])
    common = orth(np.column_stack([np.tile(np.eye(3), (len(centred), 1)), turn.ravel()]))
    projection = np.eye(len(common)) - common @ common.T
    index = (4 * np.arange(len(centred))[:, None] + np.arange(3)).ravel()
    covariance = projection @ state.covariance[np.ix_(index, index)] @ projection
    blocks = np.einsum('iaib->iab', covariance.reshape(len(centred), 3, len(centred), 3))
    size = np.linalg.norm(error, axis=1)
    direction = error / np.maximum(size, 1e-12)[:, None]
    variance = np.einsum('ia,iab,ib->i', direction, blocks, direction)
    return np.asarray(size / np.sqrt(np.maximum(variance, SMALLEST_SIGMA**2)))


def drone_nees(
    error: FloatArray, covariance: FloatArray, axes: tuple[int, ...] = (0, 1, 2, 3)
) -> FloatArray:
    """Return (K,) NEES e' P^-1 e / n of n axes of (K, 4) errors; NaN without an inverse.

    The gauge drone's own start is exact, so a little is added to variances of zero.
    """
    error = error[:, list(axes)]
    safe = covariance[:, axes][:, :, axes] + 1e-9 * np.eye(len(axes))
    try:
        solved = np.linalg.solve(safe, error[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.full(len(error), np.nan)
    return np.einsum('ki,ki->k', error, solved) / len(axes)
