"""Where things that are no drones move: people and carts along the walls, birds in the air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.types import FloatArray

KINDS = ('person', 'cart', 'bird')


@dataclass(frozen=True)
class MoverPath:
    """An ellipse around the middle of the room, at a steady pace, with a swing up and down.

    Attributes:
        kind: one of KINDS.
        half: (2,) half axes, metres.
        height: of its origin, metres; people and carts stand on the floor.
        swing: amplitude up and down, metres.
        rate, phase: angle on the ellipse, radians a second and radians.
    """

    kind: str
    half: FloatArray
    height: float
    swing: float
    rate: float
    phase: float

    def pose(self, time: float) -> FloatArray:
        """Return x, y, z, yaw in map, metres and radians, at a time in seconds."""
        angle = self.phase + self.rate * time
        x, y = self.half * (np.cos(angle), np.sin(angle))
        forward = self.rate * self.half * (-np.sin(angle), np.cos(angle))
        z = self.height + self.swing * np.sin(2.0 * angle)
        return np.array([x, y, z, np.arctan2(forward[1], forward[0])])


def plan_moving_objects(
    rng: np.random.Generator, count: int, arena: FloatArray
) -> tuple[MoverPath, ...]:
    """Draw paths for `count` movers around an arena (3,) metres, where no drone flies.

    People and carts keep to the rim of the arena; birds fly there too, from the floor to the
    ceiling.
    """
    paths = []
    for _ in range(count):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        flies = kind == 'bird'
        half = np.asarray(arena[:2]) / 2.0 + rng.uniform(-0.4, 0.2)
        pace = rng.uniform(1.5, 4.0) if flies else rng.uniform(0.4, 1.4)
        paths.append(
            MoverPath(
                kind=kind,
                half=half,
                height=float(rng.uniform(1.0, arena[2] - 0.5)) if flies else 0.0,
                swing=float(rng.uniform(0.1, 0.4)) if flies else 0.0,
                rate=float(pace / half.mean() * rng.choice([-1.0, 1.0])),
                phase=float(rng.uniform(-np.pi, np.pi)),
            )
        )
    return tuple(paths)
