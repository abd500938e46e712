"""Three imaginary cameras, how they set an exposure, and the picture that comes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from imagined.picture import develop, radiance
from imagined.scenes import Scene

SPEEDS = (100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6400)
# fmt: off
DENOMINATORS = (
    8000, 6400, 5000, 4000, 3200, 2500, 2000, 1600, 1250, 1000, 800, 640, 500, 400, 320, 250, 200, 160, 125,
    100, 80, 60, 50, 40, 30, 25, 20, 15, 13, 10, 8, 6, 5, 4, 3, 2, 1,
)
# fmt: on
LONG = (1.3, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 15.0)


@dataclass(frozen=True, slots=True)
class Camera:
    """What a camera can do and how it names itself; no such maker exists."""

    make: str
    model: str
    serial: str
    software: str
    lens: str
    focal_mm: float
    apertures: tuple[float, ...]
    top_iso: int
    longest_s: float  # on a tripod for the big one, by hand for the others
    name_pattern: str  # strftime, with {number}
    grain: float  # standard deviation in levels at ISO 1600

    @property
    def key(self) -> str:
        """The folder its photos lie in."""
        return self.make.split()[0].lower()


CAMERAS = (
    Camera(
        "Kestrion Optical", "K-200", "K2007731", "K-200 firmware 1.4", "Kestrion 28-70mm F2.8", 28.0,
        (2.8, 4.0, 5.6, 8.0, 11.0), 6400, 15.0, "KES_{number:04d}.JPG", 3.0,
    ),
    Camera(
        "Nordvale", "Compact G4", "NV4-118205", "G4 v2.10", "Nordvale 28mm F2.8", 28.0,
        (2.8, 4.0, 5.6, 8.0), 3200, 1.0, "NV{number:06d}.JPG", 6.0,
    ),
    Camera(
        "Quillmark", "Handset 9", "QH9E40022917", "Quillmark 9.3.1", "Handset 9 main camera 5.2mm F1.8", 5.2,
        (1.8,), 6400, 0.25, "IMG_%Y%m%d_%H%M%S.jpg", 7.0,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture with the settings it was taken at. ``ev100`` follows from them exactly."""

    picture: Image.Image
    f_number: float
    exposure_s: float
    iso: int

    @property
    def ev100(self) -> float:
        """APEX exposure value at ISO 100."""
        return math.log2(self.f_number**2 / self.exposure_s) - math.log2(self.iso / 100)


def photograph(scene: Scene, camera: Camera, *, size: tuple[int, int] = (640, 480)) -> Shot:
    """Return what *camera* makes of *scene*: metered, set within what it can do, developed."""
    light = radiance(scene, size=size)
    f_number, exposure_s, iso = settings(light.metered_ev100(), camera)
    shot = Shot(Image.new("RGB", (1, 1)), f_number, exposure_s, iso)
    grain = camera.grain * math.sqrt(iso / 1600)
    picture = develop(light, size=size, ev100=shot.ev100, seed=scene.seed, noise=grain)
    return Shot(picture, f_number, exposure_s, iso)


def settings(ev100: float, camera: Camera) -> tuple[float, float, int]:
    """Return the program's f-number, exposure time and ISO for a metered *ev100*, in thirds of a stop."""
    wished = 2.0 ** min(3.5, max(1.485, (ev100 - 3.0) / 3.4))
    f_number = min(camera.apertures, key=lambda one: abs(math.log2(one / wished)))
    exposure_s = f_number**2 / 2.0**ev100
    shortest = 1 / 8000
    steady = min(1 / 50, camera.longest_s)
    iso = 100
    if exposure_s > steady:
        iso = min(
            (one for one in SPEEDS if one <= camera.top_iso), key=lambda one: abs(one - 100 * exposure_s / steady)
        )
    wanted = min(camera.longest_s, max(shortest, f_number**2 / 2.0**ev100 * 100 / iso))
    times = [1 / one for one in DENOMINATORS] + list(LONG)
    return f_number, min(times, key=lambda one: abs(math.log2(one / wanted))), iso
