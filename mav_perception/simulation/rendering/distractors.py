"""Things that are no drones: some look like drones, some move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from panda3d.core import NodePath

from mav_perception.simulation.rendering.meshes import box, disc


def hanging_fan(rng: np.random.Generator) -> NodePath:
    """Return a ceiling fan or chandelier around its hub: arms and discs like rotors."""
    path, arms = NodePath('fan'), int(rng.integers(3, 7))
    reach, shade = rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.6)
    _add(path, box(np.array([0.04, 0.04, 1.0])), (0, 0, 0.5), shade)
    _add(path, box(rng.uniform(0.08, 0.2, 3)), (0, 0, 0), shade)
    blades = rng.random() < 0.6
    for index in range(arms):
        arm = path.attachNewNode('arm')
        arm.setH(360.0 * index / arms)
        size = np.array([reach, rng.uniform(0.06, 0.14) if blades else 0.02, 0.015])
        _add(arm, box(size), (reach / 2.0, 0, 0), shade)
        if not blades:
            _add(arm, disc(rng.uniform(0.04, 0.1)), (reach, 0, 0.03), min(1.0, shade + 0.3))
    return path


def tripod(rng: np.random.Generator) -> NodePath:
    """Return a camera tripod or stand around its head, that is at the height of a drone."""
    path, height = NodePath('tripod'), rng.uniform(0.9, 1.6)
    shade = rng.uniform(0.03, 0.3)
    _add(path, box(rng.uniform([0.1, 0.08, 0.06], [0.3, 0.2, 0.2])), (0, 0, 0), shade)
    for index in range(3):
        leg = path.attachNewNode('leg')
        leg.setHpr(120.0 * index, float(rng.uniform(12, 22)), 0)
        _add(leg, box(np.array([0.025, 0.025, height])), (0, 0, -height / 2.0), shade)
    return path


def crossed_bars(rng: np.random.Generator) -> NodePath:
    """Return two flat crossed bars with knobs on a pole: the outline of a quadrotor, not one."""
    path, shade = NodePath('cross'), rng.uniform(0.03, 0.4)
    reach = rng.uniform(0.2, 0.35)
    for turn in (0.0, 90.0):
        bar = path.attachNewNode('bar')
        bar.setH(turn + float(rng.uniform(-10, 10)))
        _add(bar, box(np.array([2.0 * reach, 0.04, 0.03])), (0, 0, 0), shade)
        for side in (-reach, reach):
            _add(bar, box(rng.uniform(0.03, 0.09, 3)), (side, 0, 0.03), shade)
    _add(path, box(np.array([0.03, 0.03, 3.0])), (0, 0, -1.5), shade)
    return path


def parcel(rng: np.random.Generator) -> NodePath:
    """Return a dark box, flat as a drone is, as if it lay on a shelf."""
    path, extent = NodePath('parcel'), rng.uniform([0.15, 0.15, 0.05], [0.5, 0.5, 0.25])
    _add(path, box(extent), (0, 0, 0), rng.uniform(0.02, 0.3))
    shelf = np.array([extent[0] + 0.3, extent[1] + 0.3, 0.03])
    _add(path, box(shelf), (0, 0, -extent[2] / 2.0 - 0.02), rng.uniform(0.2, 0.8))
    return path


def person(rng: np.random.Generator) -> NodePath:
    """Return somebody who stands on the floor, 1.5 to 1.9 m tall."""
    path, tall = NodePath('person'), rng.uniform(1.5, 1.9)
    trousers, shirt, skin = rng.uniform(0.05, 0.5), rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.8)
    for side in (-0.1, 0.1):
        _add(path, box(np.array([0.14, 0.14, 0.48 * tall])), (0, side, 0.24 * tall), trousers)
    _add(path, box(np.array([0.22, 0.42, 0.38 * tall])), (0, 0, 0.66 * tall), shirt)
    for side in (-0.27, 0.27):
        _add(path, box(np.array([0.1, 0.1, 0.36 * tall])), (0, side, 0.64 * tall), shirt)
    _add(path, box(np.array([0.18, 0.16, 0.13 * tall])), (0, 0, 0.93 * tall), skin)
    return path


def cart(rng: np.random.Generator) -> NodePath:
    """Return a ground robot: a platform on wheels with a mast."""
    path, shade = NodePath('cart'), rng.uniform(0.05, 0.5)
    _add(path, box(np.array([0.6, 0.4, 0.15])), (0, 0, 0.2), shade)
    for x in (-0.2, 0.2):
        for y in (-0.2, 0.2):
            _add(path, box(np.array([0.16, 0.06, 0.16])), (x, y, 0.08), 0.05)
    mast = rng.uniform(0.3, 1.2)
    _add(path, box(np.array([0.04, 0.04, mast])), (0, 0, 0.27 + mast / 2.0), 0.4)
    _add(path, box(rng.uniform(0.08, 0.2, 3)), (0, 0, 0.3 + mast), shade)
    return path


def bird(rng: np.random.Generator) -> NodePath:
    """Return a bird with spread wings, as large as a small drone."""
    path, shade, span = NodePath('bird'), rng.uniform(0.02, 0.7), rng.uniform(0.2, 0.45)
    _add(path, box(np.array([0.25, 0.06, 0.06])), (0, 0, 0), shade)
    for side in (-1.0, 1.0):
        wing = path.attachNewNode('wing')
        wing.setR(side * float(rng.uniform(-35, 35)))
        _add(wing, box(np.array([0.12, span, 0.015])), (0, side * span / 2.0, 0), shade)
    return path


STANDING: tuple[Callable[[np.random.Generator], NodePath], ...] = (
    hanging_fan, tripod, crossed_bars, parcel,
)  # fmt: skip
"""What stands still."""

MOVING: tuple[Callable[[np.random.Generator], NodePath], ...] = (person, cart, bird)
"""What moves, in the order of `moving_objects.KINDS`."""


def _add(
    parent: NodePath, part: NodePath, place: tuple[float, float, float], shade: float
) -> None:
    part.setPos(*(float(value) for value in place))
    part.setColor(shade, shade, shade, 1)
    part.reparentTo(parent)
