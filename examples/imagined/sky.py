"""What fills the upper half: graded sky, clouds, sun, moon, stars and the hills before them; cd/m² by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagined.light import MOON, Light, direction_of
from imagined.noise import sample, tile
from imagined.scenes import Climate, Scene

Array = NDArray[np.float32]
SUN_NITS = 2.0e6  # real: 1.6e9; more would only ring in the downscaling
VISIBILITY_M = {
    "clear": 28_000.0,
    "broken": 22_000.0,
    "overcast": 14_000.0,
    "rain": 2_500.0,
    "snowfall": 450.0,
    "fog": 95.0,
}
GREY = ("overcast", "rain", "snowfall", "fog")
_HAZE_GREY = np.array([0.97, 1.0, 1.05], np.float32)


@dataclass(frozen=True, slots=True)
class Sky:
    """The dome over one scene."""

    scene: Scene
    light: Light

    @property
    def haze(self) -> Array:
        """The colour and brightness of the air at the horizon, [3] cd/m²."""
        mean = self.light.sky_lux / np.pi
        grey = self.scene.weather in GREY
        daylight = self.light.sun_elevation_deg > -4
        colour = _HAZE_GREY if grey and daylight else self.light.horizon
        return (colour * mean * (0.85 if grey else 1.6)).astype(np.float32)

    @property
    def visibility_m(self) -> float:
        """How far one sees."""
        return VISIBILITY_M[self.scene.weather]

    def radiance(self, direction: Array, *, disc: bool = True) -> Array:
        """Return what unit directions ``[N, 3]`` above the horizon show, ``[N, 3]`` cd/m²."""
        up = np.clip(direction[:, 2], 0.0, 1.0)
        sky = self._grey(direction, up) if self.scene.weather in GREY else self._clear(direction, up)
        if disc and self.scene.weather in ("clear", "broken"):
            sky += self._discs(direction)
        if self.scene.weather == "broken":
            sky = self._clouds(sky, direction, up)
        return sky.astype(np.float32)

    def _clear(self, direction: Array, up: Array) -> Array:
        mean = self.light.sky_lux / np.pi
        low = ((1.0 - up) ** 5)[:, None]
        sky = self.light.zenith * 0.95 * (1 - low) + self.light.horizon * 1.9 * low
        sun = direction_of(max(self.light.sun_elevation_deg, -4.0), self.light.sun_azimuth_deg)
        near = np.clip(direction @ sun, -1.0, 1.0)
        if self.light.sun_elevation_deg > -14:
            sunk = self.light.sun_elevation_deg < 6
            wide, narrow = np.exp((near - 1) * (3.0 if sunk else 7.0)), np.exp((near - 1) * 90.0)
            band = np.exp(-up * (5.0 if sunk else 1.0))
            sky = sky + self.light.glow * ((1.9 if sunk else 1.1) * wide * band + 2.2 * narrow * band)[:, None]
        return (sky * mean).astype(np.float32)

    def _grey(self, direction: Array, up: Array) -> Array:
        mean = self.light.sky_lux / np.pi
        mottle = self._cloud_noise(direction, up, 0.35) - 0.5
        contrast = {"overcast": 0.45, "rain": 0.35}.get(self.scene.weather, 0.05)
        level = 0.8 * (1 + 0.5 * up) * (1 + contrast * mottle)
        colour = _HAZE_GREY if self.light.sun_elevation_deg > -4 else self.light.horizon * [1.15, 0.98, 0.85]
        return (colour * (level * mean)[:, None]).astype(np.float32)

    def _cloud_noise(self, direction: Array, up: Array, size: float) -> Array:
        reach = size / (up + 0.08)
        shift = (self.scene.seed % 997) / 997
        u, v = direction[:, 0] * reach + shift, direction[:, 1] * reach + shift * 0.7
        coarse, fine = sample(tile(3, slope=1.9), u * 0.5, v * 0.5), sample(tile(4, slope=1.3), u * 1.7, v * 1.7)
        return (0.72 * coarse + 0.28 * fine).astype(np.float32)

    def _clouds(self, sky: Array, direction: Array, up: Array) -> Array:
        noise = self._cloud_noise(direction, up, 0.45)
        cover = np.clip((noise - 0.52) / 0.14, 0.0, 1.0) * np.clip((up - 0.015) / 0.05, 0.0, 1.0)
        thick = np.clip((noise - 0.64) / 0.34, 0.0, 0.85)
        sunlit = self.light.key_lux if self.light.sun_elevation_deg > -1 else self.light.glow * self.light.sky_lux
        lit = (sunlit * 0.30 + self.light.sky_lux * 0.35) / np.pi * 1.2
        shaded = self.light.horizon * self.light.sky_lux / np.pi * 0.85
        cloud = lit * (1 - thick)[:, None] + shaded * thick[:, None]
        part = (0.92 * cover)[:, None]
        return (sky * (1 - part) + cloud * part).astype(np.float32)

    def _discs(self, direction: Array) -> Array:
        light = self.light
        added = np.zeros_like(direction)
        if light.sun_elevation_deg > -0.9:
            sun = direction_of(light.sun_elevation_deg, light.sun_azimuth_deg)
            angle = np.degrees(np.arccos(np.clip(direction @ sun, -1, 1)))
            colour = light.key_lux / max(1.0, float(light.key_lux.max()))
            added += colour * (np.clip((0.42 - angle) / 0.15, 0, 1) * SUN_NITS)[:, None]
        if light.moon_elevation_deg > 0 and light.moon_lit > 0.05:
            added += self._moon(direction)
        if light.sun_elevation_deg < -9:
            added += self._stars(direction)
        return added.astype(np.float32)

    def _moon(self, direction: Array) -> Array:
        light = self.light
        moon = direction_of(light.moon_elevation_deg, light.moon_azimuth_deg)
        sun = direction_of(light.sun_elevation_deg, light.sun_azimuth_deg)
        angle = np.degrees(np.arccos(np.clip(direction @ moon, -1, 1)))
        across = sun - moon * float(sun @ moon)
        across /= np.linalg.norm(across) + 1e-9
        side = np.degrees(direction @ across)  # degrees from the middle of the disc towards the sun
        edge = np.sqrt(np.maximum(0.0, 0.27**2 - np.maximum(0.0, angle**2 - side**2)))
        lit = side > edge * (1 - 2 * light.moon_lit)
        return MOON * ((angle < 0.27) & lit).astype(np.float32)[:, None] * 2500.0

    def _stars(self, direction: Array) -> Array:
        azimuth = np.arctan2(direction[:, 0], direction[:, 1])
        u, v = np.floor(azimuth * 380), np.floor(np.arcsin(np.clip(direction[:, 2], -1, 1)) * 380)
        chance = np.mod(np.sin(u * 12.9898 + v * 78.233 + self.scene.seed % 89) * 43758.5453, 1.0)
        return (np.clip((chance - 0.9985) / 0.0015, 0, 1) * 0.02)[:, None] * np.ones(3, np.float32)

    def hills(self, direction: Array, season: Climate) -> tuple[NDArray[np.bool_], Array]:
        """Return where hills stand before the sky ``[N]`` and what they show ``[N, 3]``."""
        azimuth = np.arctan2(direction[:, 0], direction[:, 1]) / (2 * np.pi)
        height = np.degrees(np.arcsin(np.clip(direction[:, 2], -1.0, 1.0)))
        shown = np.zeros_like(direction)
        covered = np.zeros(len(direction), bool)
        tall = {"mountain": 11.0, "desert": 3.5, "coast": 1.2, "street": 1.0}.get(self.scene.ground, 2.6)
        for layer, (part, distance_m) in enumerate(((1.0, 14_000.0), (0.5, 6_000.0), (0.26, 2_200.0))):
            shift = (self.scene.seed % 1009) / 1009 + layer * 0.37
            ridge = sample(tile(20 + layer, slope=1.6), azimuth * (1 + layer) + shift, np.full_like(azimuth, shift))
            top = tall * part * (0.35 + 0.65 * ridge)
            before = (height < top) & (height > -0.3)
            shown[before] = self._hill(direction[before], height[before], top[before], season, distance_m)
            covered |= before
        return covered, shown

    def _hill(self, direction: Array, height: Array, top: Array, season: Climate, distance_m: float) -> Array:
        azimuth = np.arctan2(direction[:, 0], direction[:, 1])
        rough = sample(tile(8, slope=1.0), azimuth * 1.9, height / 11.0) - 0.5
        bump = sample(tile(9, slope=1.2), azimuth * 0.9, height / 16.0) - 0.5
        normal = np.stack([-np.sin(azimuth + 2.2 * bump), -np.cos(azimuth + 2.2 * bump), np.full_like(bump, 0.7)], 1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        wood = np.array([0.05, 0.075, 0.03]) * (1 - season.autumn) + np.array([0.13, 0.085, 0.03]) * season.autumn
        bare = np.array([0.24, 0.19, 0.13])
        leafless = max(season.dry, 0.5 * (1 - season.leaf) * (1 - season.conifers))
        albedo = (wood * (1 - leafless) + bare * leafless) * (1 + 0.9 * rough)[:, None]
        albedo = self._snowed(albedo, height, rough, season)
        sun = np.clip(normal @ self.light.key_direction, 0, None)[:, None] * self.light.key_lux
        lit = albedo / np.pi * (sun + self.light.zenith * self.light.sky_lux * 0.7)
        clear = np.exp(-distance_m / self.visibility_m)
        return (lit * clear + self.haze * 0.8 * (1 - clear)).astype(np.float32)

    def _snowed(self, albedo: Array, height: Array, rough: Array, season: Climate) -> Array:
        high = self.scene.ground == "mountain"
        colder = season.temperature_c - height * (1.6 if high else 0.3)  # the higher in view, the higher up
        snow = np.clip((2.0 - colder) / 5.0 + 1.2 * rough, 0.0, 1.0)[:, None] * 0.9
        return (albedo * (1 - snow) + 0.75 * snow).astype(np.float32)
