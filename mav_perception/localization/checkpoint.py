"""What a joint filter must know to go on after its process died."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.io.files import written_whole
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.odometry.jumps import MAX_BREAK
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team import Team
from mav_perception.types import BoolArray, FloatArray, OdometrySample


@dataclass(frozen=True)
class Checkpoint:
    """The joint state at one time, as one Gaussian, and the odometry that it counts from.

    Attributes:
        stamp_ns: its time.
        names: (N,) of the drones.
        known: (N,) whose pose is known.
        pending: (N,) who has never spoken: the start that the team tells still holds.
        mean: (N, 4) poses in map, metres and radians.
        covariance: (4 N, 4 N).
        odometry: (N, 6) x, y, z, yaw, roll, pitch of each VIO at that time.
    """

    stamp_ns: int
    names: tuple[str, ...]
    known: BoolArray
    pending: BoolArray
    mean: FloatArray
    covariance: FloatArray
    odometry: FloatArray


def take_checkpoint(localizer: TeamLocalizer) -> Checkpoint | None:
    """Return what is to be kept, or None while the first drone, which is the map, has no pose."""
    state, odometry = localizer.filter.state, localizer.filter.odometry
    if state is None:
        return None
    rows = odometry.rows(state.stamp_ns)
    drones = range(len(rows))
    silent = np.array([odometry.silent_for(d, state.stamp_ns) > MAX_BREAK for d in drones])
    known = localizer.localized & ~silent
    if not known[0]:
        return None
    team = state.told.team
    return Checkpoint(
        stamp_ns=state.stamp_ns,
        names=localizer.team.names,
        known=known,
        pending=state.pending,
        mean=team.mean,
        covariance=team.covariance,
        odometry=np.column_stack([rows.raw, rows.roll_pitch]),
    )


def resume(team: Team, parameters: FilterParameters, checkpoint: Checkpoint) -> TeamLocalizer:
    """Return a localizer that goes on from a checkpoint: it only waits for new odometry.

    The poses are taken for starts, and the odometry of that time for the first samples. What the
    VIO tells after the gap counts from there, with the noise of the way between.

    Raises:
        DataError: the checkpoint is of another team.
    """
    if checkpoint.names != team.names:
        raise DataError(
            f'The checkpoint is of the team {", ".join(checkpoint.names)}, not of '
            f'{", ".join(team.names)}: the filter starts anew.'
        )
    sigma = np.sqrt(np.diag(checkpoint.covariance)).reshape(-1, 4)
    sigma = np.where(checkpoint.known[:, None], sigma, np.nan)
    waits = checkpoint.pending & ~checkpoint.known
    at_origin = waits & np.array(team.start_at_origin or (False,) * len(waits))
    then = replace(
        team,
        start=np.where(waits[:, None], team.start, checkpoint.mean),
        start_sigma=np.where(waits[:, None], team.start_sigma, sigma),
        start_at_origin=tuple(at_origin.tolist()),
    )
    joint_filter = CoupledPdaFilter(then, parameters)
    for drone in np.flatnonzero(checkpoint.known):
        x, y, z, yaw, roll, pitch = checkpoint.odometry[drone]
        sample = OdometrySample(
            checkpoint.stamp_ns, np.array([x, y, z]), quaternion_from_euler([roll, pitch, yaw])
        )
        joint_filter.add_odometry(team.names[drone], sample)
    state = joint_filter.state_at(checkpoint.stamp_ns)
    known = np.repeat(checkpoint.known, 4)
    tied = np.where(np.outer(known, known), checkpoint.covariance, state.team.covariance)
    only = replace(state.hypotheses, covariances=tied[None])
    joint_filter.replace_state(replace(state, hypotheses=only))
    return TeamLocalizer(joint_filter, checkpoint.stamp_ns)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint in one step: a reader sees the old one or the new one, whole.

    Raises:
        OutputError: the file cannot be written.
    """
    values = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    with written_whole(path) as part, part.open('wb') as file:
        np.savez(file, **values)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DataError: it is broken or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as values:
            read = {item.name: values[item.name] for item in fields(Checkpoint)}
        names = tuple(str(name) for name in read.pop('names'))
        return Checkpoint(stamp_ns=int(read.pop('stamp_ns')), names=names, **read)
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f'{path} is no checkpoint: {error}. The filter starts anew.') from error
