"""What surfaces look like before light falls on them: ground, snow, walls with windows, water."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imagined.light import LAMP
from imagined.noise import sample, tile
from imagined.scenes import Climate, Scene
from imagined.solids import Solid

if TYPE_CHECKING:
    from imagined.sky import Sky

Array = NDArray[np.float32]
SNOW = np.array([0.80, 0.82, 0.85], np.float32)
GRASS = np.array([0.085, 0.15, 0.035], np.float32)
STRAW = np.array([0.30, 0.24, 0.11], np.float32)
DORMANT = np.array([0.17, 0.14, 0.075], np.float32)
SAND = np.array([0.44, 0.34, 0.22], np.float32)
PAVING = np.array([0.22, 0.21, 0.20], np.float32)
ASPHALT = np.array([0.085, 0.085, 0.09], np.float32)
GRAVEL = np.array([0.30, 0.26, 0.20], np.float32)
LEAVES = np.array([0.30, 0.16, 0.03], np.float32)
WINDOW_NITS = 90.0
SHORE_M = 26.0


def ground_albedo(scene: Scene, season: Climate, point: Array) -> Array:
    """Return the albedo of the ground at points ``[N, 3]``."""
    ahead, right = _ahead_and_right(scene, point)
    rough = _mottle(point, 5.0, seed=6) - 0.5
    patch = _mottle(point, 37.0, seed=7) - 0.5
    albedo = _plain(scene, season, ahead, right, patch)
    if season.autumn > 0.3 and scene.ground in ("park", "meadow", "street"):
        strewn = (_mottle(point, 3.1, seed=14) > 1 - 0.28 * season.autumn) & (np.abs(right) < 30)
        albedo[strewn] = LEAVES
    albedo = albedo * (1 + 0.75 * rough + 0.35 * patch)[:, None]
    if scene.weather == "rain":
        albedo = albedo * 0.6
    return _snow_over(albedo, season.snow, _mottle(point, 11.0, seed=15), right, scene)


def _plain(scene: Scene, season: Climate, ahead: Array, right: Array, patch: Array) -> Array:
    dormant = 0.75 * (1 - season.leaf)
    green = GRASS * (1 - dormant) + DORMANT * dormant
    grass = green * (1 - season.dry) + STRAW * season.dry
    albedo = np.broadcast_to(grass, (len(ahead), 3)).copy()
    if scene.ground in ("desert", "coast"):
        albedo[:] = SAND
    elif scene.ground == "street":
        albedo[:] = PAVING
        albedo[np.abs(right) < 4.6] = ASPHALT
        dashes = (np.abs(right) < 0.09) & (np.mod(ahead, 6.0) < 3.0)
        albedo[dashes | (np.abs(np.abs(right) - 4.6) < 0.12)] = 0.5
    elif scene.ground in ("park", "village", "meadow"):
        wide, bend = (1.9, 0.004) if scene.ground == "park" else (1.3, 0.02)
        albedo[np.abs(right - bend * ahead**1.6 + patch * 0.5) < wide] = GRAVEL
    return albedo.astype(np.float32)


def _snow_over(albedo: Array, snow: float, noise: Array, right: Array, scene: Scene) -> Array:
    if snow <= 0.02:
        return albedo.astype(np.float32)
    trodden = 0.45 if scene.ground == "street" else 0.75 if scene.ground in ("park", "village") else 1.0
    path = np.abs(right) < (4.6 if scene.ground == "street" else 1.8)
    level = np.where(path, snow * trodden, snow * 1.15)
    cover = np.clip((level - noise) / 0.12 + 0.5, 0.0, 1.0)[:, None]
    return (albedo * (1 - cover) + SNOW * (0.97 + 0.06 * (noise - 0.5))[:, None] * cover).astype(np.float32)


def solid_look(
    solid: Solid, point: Array, normal: Array, season: Climate, *, dark: bool, seed: int
) -> tuple[Array, Array]:
    """Return ``(albedo [N, 3], emitted cd/m² [N, 3])`` of points on a solid."""
    matter = solid.matter
    rough = _mottle3(point) - 0.5
    albedo = np.array(matter.albedo, np.float32) * (1 + 2 * matter.mottle * rough)[:, None]
    emitted = np.zeros_like(point)
    if matter.window:
        albedo, emitted = _windows(solid, point, normal, albedo, dark=dark, seed=seed)
    if matter.glow_nits and dark:
        emitted[:] = LAMP * matter.glow_nits
    if season.snow > 0.05 and matter.snowy:
        lying = np.clip((normal[:, 2] - 0.15) / 0.3 + rough, 0.0, 1.0) * matter.snowy * min(1.0, season.snow * 1.3)
        albedo = albedo * (1 - lying[:, None]) + SNOW * lying[:, None]
    return albedo.astype(np.float32), emitted


def _windows(solid: Solid, point: Array, normal: Array, albedo: Array, *, dark: bool, seed: int) -> tuple[Array, Array]:
    spacing = solid.matter.window
    along = point[:, 0] * -normal[:, 1] + point[:, 1] * normal[:, 0]
    upright = np.abs(normal[:, 2]) < 0.1
    column, row = np.floor(along / spacing), np.floor(point[:, 2] / 3.0)
    x, z = np.mod(along / spacing, 1.0), np.mod(point[:, 2] / 3.0, 1.0)
    pane = upright & (x > 0.3) & (x < 0.7) & (z > 0.3) & (z < 0.78)
    frame = upright & (x > 0.26) & (x < 0.74) & (z > 0.26) & (z < 0.82) & ~pane
    albedo = albedo.copy()
    albedo[frame] = 0.55
    albedo[pane] = (0.05, 0.06, 0.075)
    emitted = np.zeros_like(point)
    if dark:
        chance = np.mod(np.sin(column * 12.99 + row * 78.2 + seed % 97 + solid.centre[0]) * 43758.5, 1.0)
        emitted[pane & (chance < 0.42)] = LAMP * WINDOW_NITS
    return albedo.astype(np.float32), emitted


def water(sky: Sky, point: Array, direction: Array, level: NDArray[np.bool_], rgb: Array) -> Array:
    """Return *rgb* with the sea beyond the shore: sky mirrored in ripples, darker towards the viewer."""
    ahead, _ = _ahead_and_right(sky.scene, point)
    wave = _mottle(point, 60.0, seed=16) - 0.5
    sea = np.flatnonzero(level & (ahead > SHORE_M + 4 * wave))
    if not sea.size:
        return rgb
    fade = np.clip(60.0 / np.maximum(ahead[sea], 1.0), 0.08, 1.0)
    tilt_x = (_mottle(point[sea], 2.3, seed=17) - 0.5) * 0.30 * fade
    tilt_y = (_mottle(point[sea], 1.7, seed=18) - 0.5) * 0.30 * fade
    normal = np.stack([tilt_x, tilt_y, np.ones_like(tilt_x)], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    way = direction[sea]
    slant = np.einsum("nk,nk->n", way, normal)
    mirrored = way - 2 * slant[:, None] * normal
    mirrored[:, 2] = np.abs(mirrored[:, 2])
    glitter = np.minimum(sky.radiance(mirrored), 3e5)
    fresnel = (0.03 + 0.97 * (1 - np.clip(-slant, 0, 1)) ** 5)[:, None]
    deep = np.array([0.012, 0.035, 0.045]) * (sky.light.sky_lux + float(sky.light.key_lux.mean()) * 0.5) / np.pi
    rgb[sea] = glitter * fresnel + deep * (1 - fresnel)
    return rgb


def _ahead_and_right(scene: Scene, point: Array) -> tuple[Array, Array]:
    heading = np.radians(scene.heading_deg)
    sine, cosine = np.float32(np.sin(heading)), np.float32(np.cos(heading))
    return point[:, 0] * sine + point[:, 1] * cosine, point[:, 0] * cosine - point[:, 1] * sine


def _mottle(point: Array, size_m: float, *, seed: int) -> Array:
    """Return ground noise 0–1 that fades to its mean where a tile is smaller than a pixel could show."""
    noise = sample(tile(seed, slope=0.8), point[:, 0] / size_m, point[:, 1] / size_m)
    distance = np.hypot(point[:, 0], point[:, 1])
    fade = np.clip(1.4 - distance / (size_m * 14.0), 0.0, 1.0)
    return (0.5 + (noise - 0.5) * fade).astype(np.float32)


def _mottle3(point: Array) -> Array:
    return sample(tile(19, slope=0.7), (point[:, 0] + 0.7 * point[:, 2]) / 5, (point[:, 1] - 0.8 * point[:, 2]) / 5)
