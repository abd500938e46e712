"""Things that stand on the ground and throw shadows: convex blocks and ellipsoids, and rays that meet them.

Coordinates are metres east, north and up from the point below the camera. A ray's
distance is infinite where it misses. Leaves are ellipsoids with holes: rays pass
where the noise on their surface exceeds ``density``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagined.noise import sample, tile

Array = NDArray[np.float32]
MISS = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a solid is made of: linear albedo, how mottled, and whether it glows or has windows."""

    albedo: tuple[float, float, float]
    mottle: float = 0.15
    density: float = 1.0  # below 1: holes
    snowy: float = 0.0  # how much snow its upper side takes when it snows
    window: float = 0.0  # spacing of windows in metres, 0 for none
    glow_nits: float = 0.0  # of a lamp's glass, when lamps are lit


@dataclass(frozen=True, slots=True)
class Solid:
    """A convex block (``normals`` [K, 3], ``offsets`` [K]) or, without normals, an ellipsoid."""

    matter: Matter
    centre: Array
    radius: float  # of the sphere round it
    radii: Array | None = None
    normals: Array | None = None
    offsets: Array | None = None

    def meet(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        """Return ``(distance [N], outward normal [N, 3])`` for rays ``origin [N, 3] + t·direction [N, 3]``."""
        if self.normals is None or self.offsets is None:
            return self._meet_ellipsoid(origin, direction)
        approach = direction @ self.normals.T  # [N, K]
        gap = self.offsets - origin @ self.normals.T
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = gap / approach
        entering = np.where(approach < 0, crossing, -np.inf)
        outside = (np.abs(approach) < 1e-9) & (gap < 0)
        near = entering.max(axis=1)
        far = np.where(approach > 0, crossing, np.inf).min(axis=1)
        hit = (near < far) & (near > 1e-3) & ~outside.any(axis=1)
        return np.where(hit, near, MISS), self.normals[entering.argmax(axis=1)]

    def _meet_ellipsoid(self, origin: Array, direction: Array) -> tuple[Array, Array]:
        assert self.radii is not None
        start, step = (origin - self.centre) / self.radii, direction / self.radii
        a, b = np.einsum("nk,nk->n", step, step), np.einsum("nk,nk->n", step, start)
        c = np.einsum("nk,nk->n", start, start) - 1.0
        root = b * b - a * c
        distance = (-b - np.sqrt(np.maximum(root, 0.0))) / a
        point = start + distance[:, None] * step
        normal = point / self.radii
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
        hit = (root > 0) & (distance > 1e-3)
        if self.matter.density < 1.0:
            world = self.centre + point * self.radii
            hit &= _is_leaf(world, normal, direction, self.matter.density)
        return np.where(hit, distance, MISS).astype(np.float32), normal.astype(np.float32)


def _is_leaf(world: Array, normal: Array, direction: Array, density: float) -> NDArray[np.bool_]:
    noise = sample(tile(5, slope=0.9), (world[:, 0] + 0.7 * world[:, 2]) / 6, (world[:, 1] - 0.6 * world[:, 2]) / 6)
    facing = np.abs(np.einsum("nk,nk->n", normal, direction))
    ragged = np.clip((facing - 0.1) / 0.5, 0.0, 1.0)  # the rim has more holes: no smooth outline
    return noise < density * (0.35 + 0.65 * ragged)


def ellipsoid(matter: Matter, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Solid:
    """Return an ellipsoid with axes along east, north and up."""
    return Solid(matter, np.array(centre, np.float32), float(max(radii)), radii=np.array(radii, np.float32))


def block(matter: Matter, centre: tuple[float, float], size: tuple[float, float, float], turn: float) -> Solid:
    """Return a box on the ground: *size* is along, across and up; *turn* in radians, counter-clockwise from east."""
    return polytope(matter, _corners(centre, size, turn), _box_normals(turn))


def house_roof(
    matter: Matter, centre: tuple[float, float], size: tuple[float, float, float], turn: float, base: float
) -> Solid:
    """Return a gabled roof with its ridge along the house; *size* is along, across and its height above *base*."""
    along, across = np.array([np.cos(turn), np.sin(turn), 0.0]), np.array([-np.sin(turn), np.cos(turn), 0.0])
    lower = _corners(centre, (size[0], size[1], 0.0), turn)[:4] + np.array([0.0, 0.0, base])
    middle = np.array([*centre, base + size[2]])
    ridge = np.array([middle + along * size[0] / 2, middle - along * size[0] / 2])
    slope = np.arctan2(size[2], size[1] / 2)
    up = np.array([0.0, 0.0, 1.0])
    slopes = [np.cos(slope) * up + side * np.sin(slope) * across for side in (1.0, -1.0)]
    return polytope(matter, np.vstack([lower, ridge]), np.array([*slopes, along, -along, -up]))


def beam(
    matter: Matter,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
    *,
    tip: float = 1.0,
) -> Solid:
    """Return a six-sided pole from *start* to *end*; at its end it is *tip* times as thick (0 is a cone)."""
    foot, head = np.array(start, float), np.array(end, float)
    axis = head - foot
    length = float(np.linalg.norm(axis))
    axis /= length
    side = np.cross(axis, [1.0, 0.0, 0.0] if abs(axis[0]) < 0.7 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(axis, side)
    count = 6 if radius < 0.6 else 9
    angles = np.arange(count) * 2 * np.pi / count
    ring = np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other
    taper = np.arctan2(radius * (1 - tip), length)
    walls = ring * np.cos(taper) + axis * np.sin(taper)
    offsets = walls @ foot + radius * np.cos(taper)
    normals = np.vstack([walls, axis, -axis])
    limits = np.concatenate([offsets, [axis @ head, -axis @ foot]])
    reach = float(np.hypot(length / 2, radius))
    centre = ((foot + head) / 2).astype(np.float32)
    return Solid(matter, centre, reach, normals=normals.astype(np.float32), offsets=limits.astype(np.float32))


def polytope(matter: Matter, corners: NDArray[np.floating], normals: NDArray[np.floating]) -> Solid:
    """Return the convex block with these outward normals touching these corners."""
    middle = corners.mean(axis=0)
    reach = float(np.linalg.norm(corners - middle, axis=1).max())
    limits = (corners @ normals.T).max(axis=0)
    return Solid(
        matter,
        middle.astype(np.float32),
        reach,
        normals=normals.astype(np.float32),
        offsets=limits.astype(np.float32),
    )


def _box_normals(turn: float) -> NDArray[np.floating]:
    along, across = np.array([np.cos(turn), np.sin(turn), 0.0]), np.array([-np.sin(turn), np.cos(turn), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return np.array([along, -along, across, -across, up, -up])


def _corners(centre: tuple[float, float], size: tuple[float, float, float], turn: float) -> NDArray[np.floating]:
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    flat = [np.array(centre) + a * along * size[0] / 2 + b * across * size[1] / 2 for a in (-1, 1) for b in (-1, 1)]
    return np.array([[*point, z] for z in (0.0, size[2]) for point in flat])
