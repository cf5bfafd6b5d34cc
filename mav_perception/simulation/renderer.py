"""Render what a drone's camera sees with Panda3D's software renderer: no GPU, no display."""

from __future__ import annotations

import numpy as np
from panda3d.core import (
    AmbientLight,
    Camera,
    ColorAttrib,
    DirectionalLight,
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    LightAttrib,
    LMatrix4,
    NodePath,
    PerspectiveLens,
    RenderState,
    Texture,
    TextureAttrib,
    TransformState,
    WindowProperties,
    loadPrcFileData,
)

from mav_perception.camera import PinholeCamera
from mav_perception.simulation.meshes import quadrotor
from mav_perception.simulation.room import build_room
from mav_perception.types import ByteImage, FloatArray

loadPrcFileData(
    '',
    'load-display p3tinydisplay\nwindow-type offscreen\naudio-library-name null\n'
    'notify-level-display error\nsync-video false',
)


class Renderer:
    """One room, any number of quadrotors, one camera that is put where it is needed."""

    def __init__(self, camera: PinholeCamera) -> None:
        """Open an offscreen buffer of the camera's size; lens distortion is not rendered."""
        self.size = (camera.height, camera.width)
        self._engine = GraphicsEngine.getGlobalPtr()
        self._pipe = GraphicsPipeSelection.getGlobalPtr().makePipe('TinyOffscreenGraphicsPipe')
        self._scene = NodePath('scene')
        self._room = NodePath('room')
        self._drones: list[NodePath] = []
        lens = PerspectiveLens()
        lens.setNearFar(0.05, 60.0)
        lens.setFov(
            np.degrees(2.0 * np.arctan(camera.width / (2.0 * camera.fx))),
            np.degrees(2.0 * np.arctan(camera.height / (2.0 * camera.fy))),
        )
        self._rig = self._scene.attachNewNode('rig')
        self._image_buffer, self._image = self._open('image', lens, Camera('image'))
        mask_camera = Camera('mask')
        flat = RenderState.make(TextureAttrib.makeOff(), LightAttrib.makeAllOff(), 100)
        mask_camera.setInitialState(flat.addAttrib(ColorAttrib.makeFlat((0, 0, 0, 1)), 100))
        mask_camera.setTagStateKey('class')
        white = flat.addAttrib(ColorAttrib.makeFlat((1, 1, 1, 1)), 200)
        mask_camera.setTagState('drone', white)
        self._mask_buffer, self._mask = self._open('mask', lens, mask_camera)

    def build_world(
        self, rng: np.random.Generator, arena: FloatArray, drones: int, vary: bool
    ) -> None:
        """Furnish a new room of (3,) metres and put `drones` quadrotors in it.

        Args:
            rng: decides furniture, textures and light.
            arena: length, width, height; the floor is z = 0 and the centre x = y = 0.
            drones: how many quadrotors.
            vary: give every quadrotor a shape and shade of its own (for training).
        """
        self._room.removeNode()
        for drone in self._drones:
            drone.removeNode()
        # Panda3D keeps states, and through them textures, until they are collected.
        RenderState.garbageCollect()
        TransformState.garbageCollect()
        self._room = build_room(rng, arena)
        self._room.reparentTo(self._scene)
        self._light(rng)
        self._drones = [quadrotor(rng if vary else None) for _ in range(drones)]
        for drone in self._drones:
            drone.reparentTo(self._scene)
            drone.setTag('class', 'drone')

    def render(
        self,
        camera_position: FloatArray,
        camera_rotation: FloatArray,
        drone_positions: FloatArray,
        drone_rotations: FloatArray,
        observer: int | None,
    ) -> ByteImage:
        """Render the image of one camera.

        Args:
            camera_position: (3,) in map.
            camera_rotation: (3, 3) from the optical frame to map.
            drone_positions: (N, 3) in map.
            drone_rotations: (N, 3, 3) from body to map.
            observer: index of the drone that carries the camera and is not drawn, or None.

        Returns:
            (height, width, 3) RGB.
        """
        self._place(camera_position, camera_rotation, drone_positions, drone_rotations, observer)
        self._mask_buffer.setActive(False)
        return self._read(self._image)

    def render_with_mask(
        self,
        camera_position: FloatArray,
        camera_rotation: FloatArray,
        drone_positions: FloatArray,
        drone_rotations: FloatArray,
        observer: int | None,
    ) -> tuple[ByteImage, ByteImage]:
        """Render as `render` does, with the exact mask: (height, width), 1 where a drone is."""
        self._place(camera_position, camera_rotation, drone_positions, drone_rotations, observer)
        self._mask_buffer.setActive(True)
        image = self._read(self._image)
        mask = np.frombuffer(self._mask.getRamImage(), np.uint8)
        mask = mask.reshape(*self.size, 4)[::-1, :, 0]
        return image, (mask > 127).astype(np.uint8)

    def _read(self, texture: Texture) -> ByteImage:
        self._engine.renderFrame()
        pixels = np.frombuffer(texture.getRamImage(), np.uint8).reshape(*self.size, 4)
        return np.ascontiguousarray(pixels[::-1, :, 2::-1])  # bottom-up BGRA to RGB

    def _place(
        self,
        camera_position: FloatArray,
        camera_rotation: FloatArray,
        drone_positions: FloatArray,
        drone_rotations: FloatArray,
        observer: int | None,
    ) -> None:
        # A Panda3D camera looks along +y with z up; an optical frame along +z with y down.
        right, down, forward = camera_rotation.T
        self._rig.setMat(_matrix(np.array([right, forward, -down]), camera_position))
        for index, drone in enumerate(self._drones):
            drone.setMat(_matrix(drone_rotations[index].T, drone_positions[index]))
            drone.hide() if index == observer else drone.show()

    def _light(self, rng: np.random.Generator) -> None:
        ambient, lamp = AmbientLight('ambient'), DirectionalLight('lamp')
        ambient.setColor((*[float(rng.uniform(0.35, 0.6))] * 3, 1))
        lamp.setColor((*[float(rng.uniform(0.5, 0.9))] * 3, 1))
        self._scene.clearLight()
        for light in (ambient, lamp):
            self._scene.setLight(self._room.attachNewNode(light))
        lamp_path = self._room.find('**/lamp')
        lamp_path.setHpr(float(rng.uniform(0, 360)), float(rng.uniform(-85, -45)), 0)

    def _open(
        self, name: str, lens: PerspectiveLens, camera: Camera
    ) -> tuple[GraphicsOutput, Texture]:
        frame_buffer = FrameBufferProperties()
        frame_buffer.setRgbaBits(8, 8, 8, 8)
        frame_buffer.setDepthBits(24)
        buffer = self._engine.makeOutput(
            self._pipe,
            name,
            0,
            frame_buffer,
            WindowProperties(size=(self.size[1], self.size[0])),
            GraphicsPipe.BFRefuseWindow,
        )
        texture = Texture()
        buffer.addRenderTexture(texture, GraphicsOutput.RTMCopyRam, GraphicsOutput.RTPColor)
        camera.setLens(lens)
        camera.setScene(self._scene)
        buffer.setClearColor((0, 0, 0, 1))
        buffer.makeDisplayRegion().setCamera(self._rig.attachNewNode(camera))
        return buffer, texture


def _matrix(axes: FloatArray, position: FloatArray) -> LMatrix4:
    """Return Panda3D's row-vector transform: rows are the images of the axes, then the origin."""
    values = np.eye(4)
    values[:3, :3], values[3, :3] = axes, position
    return LMatrix4(*values.ravel().tolist())
