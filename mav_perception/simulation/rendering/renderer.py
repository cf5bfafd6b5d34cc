"""Render what a camera sees with Panda3D's software renderer: no GPU, no display."""

from __future__ import annotations

import numpy as np
from panda3d.core import (
    Camera,
    ColorAttrib,
    FrameBufferProperties,
    GraphicsEngine,
    GraphicsOutput,
    GraphicsPipe,
    GraphicsPipeSelection,
    LightAttrib,
    PerspectiveLens,
    RenderState,
    Texture,
    TextureAttrib,
    WindowProperties,
    loadPrcFileData,
)

from mav_perception.cameras.models import PinholeCamera
from mav_perception.simulation.rendering.lens import Lens
from mav_perception.simulation.rendering.scene import Scene, panda_matrix
from mav_perception.types import ByteImage, FloatArray

loadPrcFileData(
    '',
    'load-display p3tinydisplay\nwindow-type offscreen\naudio-library-name null\n'
    'notify-level-display error\nsync-video false',
)


class Renderer:
    """One camera that is put where it is needed in a scene."""

    def __init__(self, scene: Scene, camera: PinholeCamera) -> None:
        """Open the offscreen buffers that the camera's lens needs."""
        self._lens = Lens(camera)
        flat = self._lens.flat
        self._size = (flat.height, flat.width)
        self._scene = scene
        self._engine = GraphicsEngine.getGlobalPtr()
        self._pipe = GraphicsPipeSelection.getGlobalPtr().makePipe('TinyOffscreenGraphicsPipe')
        lens = PerspectiveLens()
        lens.setNearFar(0.05, 60.0)
        lens.setFov(*(float(np.degrees(2.0 * half)) for half in flat.half_field_of_view))
        self._rig = scene.root.attachNewNode('rig')
        self._image_buffer, self._image = self._open('image', lens, Camera('image'))
        mask_camera = Camera('mask')
        plain = RenderState.make(TextureAttrib.makeOff(), LightAttrib.makeAllOff(), 100)
        mask_camera.setInitialState(plain.addAttrib(ColorAttrib.makeFlat((0, 0, 0, 1)), 100))
        mask_camera.setTagStateKey('class')
        white = plain.addAttrib(ColorAttrib.makeFlat((1, 1, 1, 1)), 200)
        mask_camera.setTagState('drone', white)
        self._mask_buffer, self._mask = self._open('mask', lens, mask_camera)

    def render(self, position: FloatArray, rotation: FloatArray) -> ByteImage:
        """Render the image of the scene as it is placed.

        Args:
            position: (3,) of the camera in map.
            rotation: (3, 3) from its optical frame to map.

        Returns:
            (height, width, 3) RGB.
        """
        return self._look(position, rotation, False)[0]

    def render_with_mask(
        self, position: FloatArray, rotation: FloatArray
    ) -> tuple[ByteImage, ByteImage]:
        """Render as `render` does, with the exact mask: (height, width), 1 where a drone is."""
        return self._look(position, rotation, True)

    def _look(
        self, position: FloatArray, rotation: FloatArray, with_mask: bool
    ) -> tuple[ByteImage, ByteImage]:
        images, masks = [], []
        self._image_buffer.setActive(True)
        self._mask_buffer.setActive(with_mask)
        for turn in self._lens.turns:
            # A Panda3D camera looks along +y with z up; an optical frame along +z with y down.
            right, down, forward = (rotation @ turn).T
            self._rig.setMat(panda_matrix(np.array([right, forward, -down]), position))
            self._engine.renderFrame()
            # BGRA to RGB; copied, since the next rendering goes into the same memory.
            images.append(np.ascontiguousarray(self._pixels(self._image)[:, :, 2::-1]))
            if with_mask:
                masks.append((self._pixels(self._mask)[:, :, 0] > 127).astype(np.uint8))
        # Other cameras of the scene are not to be drawn with this one.
        self._image_buffer.setActive(False)
        self._mask_buffer.setActive(False)
        image = self._lens.compose(images)
        mask = self._lens.compose(masks, smooth=False) if with_mask else np.zeros(0, np.uint8)
        return image, mask

    def _pixels(self, texture: Texture) -> ByteImage:
        pixels = np.frombuffer(texture.getRamImage(), np.uint8).reshape(*self._size, 4)
        return pixels[::-1]  # bottom-up

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
            WindowProperties(size=(self._size[1], self._size[0])),
            GraphicsPipe.BFRefuseWindow,
        )
        texture = Texture()
        buffer.addRenderTexture(texture, GraphicsOutput.RTMCopyRam, GraphicsOutput.RTPColor)
        camera.setLens(lens)
        camera.setScene(self._scene.root)
        buffer.setClearColor((0, 0, 0, 1))
        buffer.makeDisplayRegion().setCamera(self._rig.attachNewNode(camera))
        buffer.setActive(False)
        return buffer, texture
