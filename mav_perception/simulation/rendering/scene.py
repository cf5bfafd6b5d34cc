"""The scene that every simulated camera looks at: a hall, its light, the drones and the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from panda3d.core import (
    AmbientLight,
    DirectionalLight,
    LMatrix4,
    NodePath,
    RenderState,
    TransformState,
)

from mav_perception.simulation.rendering.distractors import MOVING, STANDING
from mav_perception.simulation.rendering.meshes import quadrotor
from mav_perception.simulation.rendering.moving_objects import KINDS, MoverPath
from mav_perception.simulation.rendering.room import build_room
from mav_perception.types import FloatArray


class Scene:
    """One room, any number of quadrotors, things that look like them and things that move."""

    def __init__(self) -> None:
        """Begin empty."""
        self.root = NodePath('scene')
        self._room = NodePath('room')
        self._drones: list[NodePath] = []
        self._movers: list[tuple[MoverPath, NodePath]] = []

    def build(
        self,
        rng: np.random.Generator,
        arena: FloatArray,
        drones: int,
        vary: bool = False,
        brightness: float = 1.0,
        clutter: int = 0,
        movers: tuple[MoverPath, ...] = (),
    ) -> None:
        """Furnish a new room of (3,) metres and put `drones` quadrotors in it.

        Args:
            rng: decides furniture, textures and light.
            arena: length, width, height; the floor is z = 0 and the centre x = y = 0.
            drones: how many quadrotors.
            vary: give every quadrotor a shape and shade of its own (for training).
            brightness: factor on all light; below 1 the hall is dim.
            clutter: how many standing things that look like drones.
            movers: what else moves, and where.
        """
        for node in (self._room, *self._drones, *(node for _, node in self._movers)):
            node.removeNode()
        # Panda3D keeps states, and through them textures, until they are collected.
        RenderState.garbageCollect()
        TransformState.garbageCollect()
        self._room = build_room(rng, arena)
        self._room.reparentTo(self.root)
        self._light(rng, brightness)
        self._drones = [quadrotor(rng if vary else None) for _ in range(drones)]
        for drone in self._drones:
            drone.reparentTo(self.root)
            drone.setTag('class', 'drone')
        for _ in range(clutter):
            self._stand(rng, arena)
        self._movers = [(path, MOVING[KINDS.index(path.kind)](rng)) for path in movers]
        for _, node in self._movers:
            node.reparentTo(self.root)

    def place(
        self,
        time: float,
        positions: FloatArray,
        rotations: FloatArray,
        observer: int | None = None,
    ) -> None:
        """Put everything where it is at a time.

        Args:
            time: seconds; decides where the movers are.
            positions: (N, 3) of the drones in map.
            rotations: (N, 3, 3) from body to map.
            observer: index of the drone that carries the camera and is not drawn, or None.
        """
        TransformState.garbageCollect()  # every new place of a drone is one
        for index, drone in enumerate(self._drones):
            drone.setMat(panda_matrix(rotations[index].T, positions[index]))
            drone.hide() if index == observer else drone.show()
        for path, node in self._movers:
            x, y, z, yaw = path.pose(time)
            node.setPos(float(x), float(y), float(z))
            node.setH(float(np.degrees(yaw)))

    def _stand(self, rng: np.random.Generator, arena: FloatArray) -> None:
        """Stand a thing that looks like a drone near a wall, at a height where drones fly."""
        shape: Callable[[np.random.Generator], NodePath] = STANDING[
            int(rng.integers(len(STANDING)))
        ]
        thing = shape(rng)
        side = float(rng.choice([-1.0, 1.0]))
        along, across = rng.uniform(-0.5, 0.5), side * rng.uniform(0.5, 0.55)
        place = (along, across) if rng.random() < 0.5 else (across, along)
        height = float(rng.uniform(0.25, 0.8) * arena[2])
        thing.setPos(float(place[0] * arena[0]), float(place[1] * arena[1]), height)
        thing.setH(float(rng.uniform(0, 360)))
        thing.reparentTo(self._room)

    def _light(self, rng: np.random.Generator, brightness: float) -> None:
        ambient, lamp = AmbientLight('ambient'), DirectionalLight('lamp')
        ambient.setColor((*[brightness * float(rng.uniform(0.35, 0.6))] * 3, 1))
        lamp.setColor((*[brightness * float(rng.uniform(0.5, 0.9))] * 3, 1))
        self.root.clearLight()
        for light in (ambient, lamp):
            self.root.setLight(self._room.attachNewNode(light))
        lamp_path = self._room.find('**/lamp')
        lamp_path.setHpr(float(rng.uniform(0, 360)), float(rng.uniform(-85, -45)), 0)


def panda_matrix(axes: FloatArray, position: FloatArray) -> LMatrix4:
    """Return Panda3D's row-vector transform: rows are the images of the axes, then the origin."""
    values = np.eye(4)
    values[:3, :3], values[3, :3] = axes, position
    return LMatrix4(*values.ravel().tolist())
