"""Panda3D geometry from arrays: boxes and discs, and the quadrotor and room made of them."""

from __future__ import annotations

import numpy as np
from panda3d.core import (
    Geom,
    GeomNode,
    GeomTriangles,
    GeomVertexData,
    GeomVertexFormat,
    GeomVertexWriter,
    NodePath,
    Texture,
)

from mav_perception.types import ByteImage, FloatArray

DRONE_WIDTH = 0.5
"""Distance between the outer rims of two opposite rotors, metres."""

BOX_FACES = (
    ((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, -1, 0)), ((0, 1, 0), (-1, 0, 0)),
    ((0, -1, 0), (1, 0, 0)), ((0, 0, 1), (0, 1, 0)), ((0, 0, -1), (0, 1, 0)),
)  # fmt: skip
"""Normal and first in-plane axis of the six faces of a box."""


def polygon(corners: FloatArray, normal: FloatArray, texture_scale: float = 1.0) -> NodePath:
    """Return a convex polygon from (n, 3) corners, counter-clockwise as seen from outside."""
    data = GeomVertexData('polygon', GeomVertexFormat.getV3n3t2(), Geom.UHStatic)
    vertex = GeomVertexWriter(data, 'vertex')
    normals = GeomVertexWriter(data, 'normal')
    texcoord = GeomVertexWriter(data, 'texcoord')
    first = corners[1] - corners[0]
    axis_u = first / np.linalg.norm(first)
    axis_v = np.cross(normal, axis_u)
    for corner in corners:
        vertex.addData3(*corner)
        normals.addData3(*normal)
        offset = (corner - corners[0]) * texture_scale
        texcoord.addData2(float(offset @ axis_u), float(offset @ axis_v))
    triangles = GeomTriangles(Geom.UHStatic)
    for index in range(1, len(corners) - 1):
        triangles.addVertices(0, index, index + 1)
    geom = Geom(data)
    geom.addPrimitive(triangles)
    node = GeomNode('polygon')
    node.addGeom(geom)
    return NodePath(node)


def box(size: FloatArray, inward: bool = False, texture_scale: float = 1.0) -> NodePath:
    """Return a box of (3,) edge lengths around the origin; `inward` shows its inside."""
    path = NodePath('box')
    half = np.asarray(size, float) / 2.0
    for normal_axis, in_plane in BOX_FACES:
        normal = np.array(normal_axis, float)
        u = np.array(in_plane, float)
        v = np.cross(normal, u)
        corners = np.array(
            [normal + s * u + t * v for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        )
        if inward:
            corners, normal = corners[::-1], -normal
        polygon(corners * half, normal, texture_scale).reparentTo(path)
    return path


def disc(radius: float, sides: int = 12) -> NodePath:
    """Return a horizontal disc that is seen from above and from below."""
    angle = np.linspace(0.0, 2.0 * np.pi, sides, endpoint=False)
    rim = np.stack([np.cos(angle), np.sin(angle), np.zeros(sides)], axis=1) * radius
    path = polygon(rim, np.array([0.0, 0.0, 1.0]))
    path.setTwoSided(True)
    return path


def quadrotor(rng: np.random.Generator | None = None) -> NodePath:
    """Return a quadrotor, x forward and z up; with `rng` its shape and shades vary."""

    def vary(value: float, share: float) -> float:
        return value * (1.0 if rng is None else float(np.exp(rng.normal(0.0, share))))

    def shade(value: float) -> float:
        return float(np.clip(vary(value, 0.5), 0.02, 0.95))

    path = NodePath('quadrotor')
    rotor = vary(0.095, 0.08)
    reach = DRONE_WIDTH / 2.0 - rotor
    body_shade, arm_shade, rotor_shade = shade(0.12), shade(0.08), shade(0.25)
    body = box(np.array([vary(0.16, 0.1), vary(0.12, 0.1), vary(0.07, 0.2)]))
    body.setColor(body_shade, body_shade, body_shade, 1)
    body.reparentTo(path)
    battery = box(np.array([0.10, 0.05, vary(0.04, 0.3)]))
    battery.setPos(0, 0, 0.05)
    battery.setColor(arm_shade, body_shade, rotor_shade, 1)
    battery.reparentTo(path)
    for index in range(4):
        arm = path.attachNewNode('arm')
        arm.setH(45 + 90 * index)
        beam = box(np.array([reach, 0.025, 0.02]))
        beam.setPos(reach / 2.0, 0, 0)
        motor = box(np.array([0.035, 0.035, 0.05]))
        motor.setPos(reach, 0, 0.015)
        leg = box(np.array([0.015, 0.015, 0.09]))
        leg.setPos(reach * 0.6, 0, -0.05)
        for part in (beam, motor, leg):
            part.setColor(arm_shade, arm_shade, arm_shade, 1)
            part.reparentTo(arm)
        blades = disc(rotor)
        blades.setPos(reach, 0, 0.045)
        blades.setColor(rotor_shade, rotor_shade, rotor_shade, 1)
        blades.reparentTo(arm)
    path.flattenStrong()
    return path


def grey_texture(image: ByteImage) -> Texture:
    """Return a repeating texture from a (rows, columns) uint8 image."""
    texture = Texture()
    texture.setup2dTexture(
        image.shape[1], image.shape[0], Texture.TUnsignedByte, Texture.FLuminance
    )
    texture.setRamImage(np.ascontiguousarray(image).tobytes())
    texture.setWrapU(Texture.WMRepeat)
    texture.setWrapV(Texture.WMRepeat)
    return texture
