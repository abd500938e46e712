"""Imagined outdoor scenes with exact truth: what the sun, the season and the lamps make of a place.

``scenes(seed)`` yields random scenes for ever, ``render(scene)`` makes the picture,
``meter(scene)`` what a camera would have set. Nothing here imports more than numpy,
Pillow and the sun position of :mod:`gtloc_forensics.earth.sun`.
"""

from __future__ import annotations

from imagined.cameras import CAMERAS, Camera, Shot, photograph
from imagined.picture import Radiance, radiance, render
from imagined.scenes import GROUNDS, WEATHERS, Scene, scenes

__all__ = [
    "CAMERAS",
    "GROUNDS",
    "WEATHERS",
    "Camera",
    "Radiance",
    "Scene",
    "Shot",
    "photograph",
    "radiance",
    "render",
    "scenes",
]
