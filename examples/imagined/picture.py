"""From a scene to a picture: rays, shading with true shadows, the camera's response.

``radiance`` is what is there (linear sRGB, cd/m²), ``render`` what a camera with a given
exposure makes of it. The same scene gives the same bytes with the same numpy and Pillow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from imagined.landscape import Landscape, landscape
from imagined.light import LAMP, LUMA, Light, light_of
from imagined.scenes import Climate, Scene, climate
from imagined.sky import Sky
from imagined.solids import MISS, Solid
from imagined.surfaces import ground_albedo, solid_look, water

Array = NDArray[np.float32]
EYE_M = 1.6
LAMP_CANDELA = 900.0
LEAF_LETS_THROUGH = 0.12
METER_CONSTANT = 0.125  # cd/m² at EV100 = 0 (K = 12.5)
MIDDLE_GREY = 0.27  # before the shoulder, which takes it to 0.2


@dataclass(frozen=True, slots=True)
class Radiance:
    """The light that reaches the camera, and where it came from. ``rgb`` is ``[H, W, 3]`` cd/m²."""

    rgb: Array
    light: Light

    def metered_ev100(self) -> float:
        """Return the EV100 a centre-weighted meter shows; dark scenes are kept dark, as a camera's program does."""
        luminance = np.maximum(self.rgb @ LUMA, 1e-6)
        cap = np.percentile(luminance, 97)
        height = np.linspace(0.75, 1.25, luminance.shape[0])[:, None]  # the sky counts less
        mean = float((np.minimum(luminance, cap) * height).mean())
        ev100 = float(np.log2(mean / METER_CONSTANT))
        return ev100 + float(np.interp(ev100, (-2.0, 6.0), (1.8, 0.0)))


@dataclass(slots=True)
class _Hits:
    """What each of N rays met first; index -1 is nothing (sky), -2 the ground."""

    distance: Array
    normal: Array
    index: NDArray[np.int32]


def render(scene: Scene, *, size: tuple[int, int] = (640, 480), ev100: float | None = None) -> Image.Image:
    """Return the picture of a scene, exposed for *ev100* (default: as metered)."""
    light = radiance(scene, size=size)
    return develop(light, size=size, ev100=light.metered_ev100() if ev100 is None else ev100, seed=scene.seed)


def radiance(scene: Scene, *, size: tuple[int, int] = (640, 480), oversample: float = 1.5) -> Radiance:
    """Return the light a scene sends to the camera, *oversample* times as fine as *size* (width, height)."""
    width, height = (round(side * oversample) for side in size)
    light, season, things = light_of(scene), climate(scene), landscape(scene)
    direction = view_rays(scene, width, height)
    hits = _first_hits(scene, direction, things.solids, (width, height))
    rgb = _shade(scene, light, season, things, direction, hits)
    return Radiance(rgb.reshape(height, width, 3), light)


def view_rays(scene: Scene, width: int, height: int) -> Array:
    """Return unit view directions ``[H·W, 3]`` (east, north, up), row by row from the upper left."""
    forward, right, up = view_axes(scene)
    half = np.tan(np.radians(scene.field_of_view_deg / 2))
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * half
    y = (1 - (np.arange(height) + 0.5) / height * 2) * half * height / width
    grid = forward + x[None, :, None] * right + y[:, None, None] * up
    grid /= np.linalg.norm(grid, axis=2, keepdims=True)
    return grid.reshape(-1, 3).astype(np.float32)


def view_axes(scene: Scene) -> tuple[Array, Array, Array]:
    """Return the camera's forward, right and up as unit vectors."""
    heading, pitch = np.radians(scene.heading_deg), np.radians(scene.pitch_deg)
    level = np.array([np.sin(heading), np.cos(heading), 0.0])
    right = np.array([np.cos(heading), -np.sin(heading), 0.0])
    overhead = np.array([0.0, 0.0, 1.0])
    forward = level * np.cos(pitch) + overhead * np.sin(pitch)
    up = overhead * np.cos(pitch) - level * np.sin(pitch)
    return forward.astype(np.float32), right.astype(np.float32), up.astype(np.float32)


def _first_hits(scene: Scene, direction: Array, solids: tuple[Solid, ...], size: tuple[int, int]) -> _Hits:
    eye = np.array([0, 0, EYE_M], np.float32)
    with np.errstate(divide="ignore"):
        ground = np.where(direction[:, 2] < -1e-4, -EYE_M / direction[:, 2], MISS).astype(np.float32)
    normal = np.zeros_like(direction)
    normal[:, 2] = 1.0
    hits = _Hits(ground, normal, np.where(np.isfinite(ground), -2, -1).astype(np.int32))
    for index, solid in enumerate(solids):
        rays = _rays_towards(scene, solid, size)
        if rays.size:
            distance, facing = solid.meet(np.broadcast_to(eye, (rays.size, 3)), direction[rays])
            nearer = distance < hits.distance[rays]
            chosen = rays[nearer]
            hits.distance[chosen], hits.normal[chosen], hits.index[chosen] = distance[nearer], facing[nearer], index
    return hits


def _rays_towards(scene: Scene, solid: Solid, size: tuple[int, int]) -> NDArray[np.int64]:
    width, height = size
    forward, right, up = view_axes(scene)
    offset = solid.centre - np.array([0, 0, EYE_M], np.float32)
    depth = float(offset @ forward)
    if depth < -solid.radius:
        return np.empty(0, np.int64)
    if depth < solid.radius * 1.5:
        return np.arange(width * height)
    focal = width / 2 / np.tan(np.radians(scene.field_of_view_deg / 2))
    reach = focal * solid.radius / (depth - solid.radius) + 2
    x, y = width / 2 + focal * float(offset @ right) / depth, height / 2 - focal * float(offset @ up) / depth
    columns = np.arange(max(0, int(x - reach)), min(width, int(x + reach) + 1))
    rows = np.arange(max(0, int(y - reach)), min(height, int(y + reach) + 1))
    return (rows[:, None] * width + columns[None, :]).ravel()


def _shade(scene: Scene, light: Light, season: Climate, things: Landscape, direction: Array, hits: _Hits) -> Array:
    sky = Sky(scene, light)
    rgb = np.zeros_like(direction)
    above = hits.index == -1
    rgb[above] = sky.radiance(direction[above])
    hilly, hill = sky.hills(direction[above], season)
    if scene.weather not in ("fog", "snowfall"):
        part = rgb[above]
        part[hilly] = hill[hilly]
        rgb[above] = part
    solid = np.flatnonzero(~above)
    if solid.size:
        rgb[solid] = _surfaces(sky, season, things, direction[solid], _Hits(*(v[solid] for v in _parts(hits))))
    return rgb


def _parts(hits: _Hits) -> tuple[Array, Array, NDArray[np.int32]]:
    return hits.distance, hits.normal, hits.index


def _surfaces(sky: Sky, season: Climate, things: Landscape, direction: Array, hits: _Hits) -> Array:
    light, scene = sky.light, sky.scene
    point = np.array([0, 0, EYE_M], np.float32) + direction * hits.distance[:, None]
    albedo = np.empty_like(direction)
    glow = np.zeros_like(direction)
    level = hits.index == -2
    albedo[level] = ground_albedo(scene, season, point[level])
    for index in np.unique(hits.index[~level]):
        chosen = hits.index == index
        look, emitted = solid_look(
            things.solids[index], point[chosen], hits.normal[chosen], season, dark=light.is_dark, seed=scene.seed
        )
        albedo[chosen], glow[chosen] = look, emitted
    lit = _key_light(light, things.solids, point, hits.normal) + _lamp_light(light, things, point, hits.normal)
    dome = 0.55 + 0.45 * hits.normal[:, 2:3]
    bounce = (light.key_lux * max(0.0, float(light.key_direction[2])) + light.sky_lux) * 0.10
    dome_colour = (light.zenith * 0.5 + light.horizon * 0.5) if scene.weather in ("clear", "broken") else 1.0
    rgb = albedo / np.pi * (lit + dome_colour * light.sky_lux * dome + bounce * (1 - dome)) + glow
    if scene.ground == "coast":
        rgb = water(sky, point, direction, level, rgb)
    clear = np.exp(-hits.distance / sky.visibility_m)[:, None]
    return (rgb * clear + sky.haze * (1 - clear)).astype(np.float32)


def _key_light(light: Light, solids: tuple[Solid, ...], point: Array, normal: Array) -> Array:
    facing = np.clip(normal @ light.key_direction, 0.0, None)
    if float(light.key_lux.max()) < 1e-4 or light.key_direction[2] < -0.015:
        return np.zeros_like(point)
    open_ = _unshadowed(light.key_direction, solids, point + normal * 0.02)
    return (facing * open_)[:, None] * light.key_lux


def _unshadowed(towards: Array, solids: tuple[Solid, ...], point: Array) -> Array:
    """Return 1 where nothing stands between *point* and the sun, less behind leaves."""
    side = np.cross(towards, [0.0, 0.0, 1.0]).astype(np.float32)
    side /= np.linalg.norm(side) + 1e-9
    other = np.cross(side, towards).astype(np.float32)
    a, b = point @ side, point @ other
    open_ = np.ones(len(point), np.float32)
    for solid in solids:
        near_a, near_b = np.abs(a - solid.centre @ side), np.abs(b - solid.centre @ other)
        rays = np.flatnonzero((near_a < solid.radius) & (near_b < solid.radius) & (open_ > 0))
        if rays.size:
            distance, _ = solid.meet(point[rays], np.broadcast_to(towards, (rays.size, 3)))
            through = LEAF_LETS_THROUGH if solid.matter.density < 1.0 else 0.0
            open_[rays[np.isfinite(distance)]] *= through
    return open_


def _lamp_light(light: Light, things: Landscape, point: Array, normal: Array) -> Array:
    lit = np.zeros_like(point)
    if not light.is_dark:
        return lit
    for lamp in things.lamps:
        way = np.array(lamp, np.float32) - point
        square = np.einsum("nk,nk->n", way, way) + 0.3
        facing = np.clip(np.einsum("nk,nk->n", way, normal) / np.sqrt(square), 0.0, None)
        lit += (facing / square * LAMP_CANDELA)[:, None] * LAMP
    return lit


def develop(light: Radiance, *, size: tuple[int, int], ev100: float, seed: int, noise: float = 0.0) -> Image.Image:
    """Return the picture a camera set to *ev100* makes: glare, white balance, tone curve, grain."""
    linear = light.rgb * np.float32(MIDDLE_GREY / (METER_CONSTANT * 2.0**ev100))
    linear = np.minimum(linear, 60.0)
    linear = _balanced(linear)
    linear = linear + _glare(linear)
    shoulder = linear * (1 + linear / 9.0) / (1 + linear * 0.72)
    encoded = np.clip(shoulder, 0.0, 1.0) ** (1 / 2.2)
    small = Image.fromarray((encoded * 255 + 0.5).astype(np.uint8)).resize(size, Image.Resampling.LANCZOS)
    return _grained(small, noise, seed)


def _balanced(linear: Array) -> Array:
    mean = np.minimum(linear, 1.0).reshape(-1, 3).mean(axis=0) + 1e-6
    gain = (mean.mean() / mean) ** 0.3  # automatic white balance takes out a third of a cast
    return (linear * gain).astype(np.float32)


def _glare(linear: Array) -> Array:
    bright = np.clip((linear - 1.0) / 6.0, 0.0, 1.0)
    height, width = bright.shape[:2]
    picture = Image.fromarray((bright * 255).astype(np.uint8)).resize((width // 4, height // 4), Image.Resampling.BOX)
    glow = np.zeros((height, width, 3), np.float32)
    for part, weight in ((90, 0.9), (25, 0.5)):
        blurred = picture.filter(ImageFilter.GaussianBlur(width / 4 / part)).resize((width, height))
        glow += np.asarray(blurred, np.float32) / 255 * weight
    return glow


def _grained(picture: Image.Image, noise: float, seed: int) -> Image.Image:
    if noise <= 0:
        return picture
    pixels = np.asarray(picture, np.float32)
    grain = np.random.default_rng((seed, 5)).normal(0.0, 1.0, pixels.shape).astype(np.float32)
    return Image.fromarray(np.clip(pixels + grain * noise, 0, 255).astype(np.uint8))
