"""What there is to photograph: a place, an instant, the weather, a kind of ground, a view.

A scene holds the truth and nothing derived; :func:`climate` says what the season
makes of it (leaves, snow), ``light`` where sun and moon stand. Local time is that
of the zone at the place, so that a scene can be compared with a claim.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

WEATHERS = ("clear", "broken", "overcast", "fog", "rain", "snowfall")
GROUNDS = ("meadow", "park", "street", "village", "coast", "mountain", "desert")
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Place:
    """A place worth photographing, with the civil time kept there."""

    name: str
    latitude_deg: float
    longitude_deg: float
    zone: str
    grounds: tuple[str, ...]
    altitude_m: float = 50.0


PLACES = (
    Place("Berlin", 52.5163, 13.3777, "Europe/Berlin", ("park", "street"), 36),
    Place("Helsinki", 60.1866, 24.8277, "Europe/Helsinki", ("park", "street", "coast"), 12),
    Place("Tromso", 69.6492, 18.9553, "Europe/Oslo", ("mountain", "village", "coast"), 20),
    Place("Reykjavik", 64.1466, -21.9426, "Atlantic/Reykjavik", ("coast", "village", "mountain"), 30),
    Place("Lisbon", 38.7071, -9.1366, "Europe/Lisbon", ("street", "coast"), 15),
    Place("Zermatt", 46.0207, 7.7491, "Europe/Zurich", ("mountain", "village"), 1620),
    Place("Kyoto", 35.0116, 135.7681, "Asia/Tokyo", ("park", "street", "village"), 50),
    Place("Sapporo", 43.0618, 141.3545, "Asia/Tokyo", ("park", "street", "mountain"), 30),
    Place("Delhi", 28.6129, 77.2295, "Asia/Kolkata", ("park", "street"), 216),
    Place("Singapore", 1.2834, 103.8607, "Asia/Singapore", ("park", "street", "coast"), 8),
    Place("Dubai", 24.9857, 55.3520, "Asia/Dubai", ("desert", "street"), 60),
    Place("Marrakesh", 31.6258, -7.9892, "Africa/Casablanca", ("desert", "village"), 466),
    Place("Nairobi", -1.3733, 36.8580, "Africa/Nairobi", ("meadow", "park"), 1680),
    Place("Cape Town", -33.9180, 18.4233, "Africa/Johannesburg", ("coast", "mountain", "street"), 25),
    Place("Perth", -31.9505, 115.8605, "Australia/Perth", ("park", "coast", "desert"), 20),
    Place("Queenstown", -45.0312, 168.6626, "Pacific/Auckland", ("mountain", "meadow", "village"), 330),
    Place("Ushuaia", -54.8019, -68.3030, "America/Argentina/Ushuaia", ("mountain", "coast", "village"), 20),
    Place("Sao Paulo", -23.5875, -46.6576, "America/Sao_Paulo", ("park", "street"), 760),
    Place("Quito", -0.2202, -78.5123, "America/Guayaquil", ("street", "mountain", "meadow"), 2850),
    Place("Denver", 39.7392, -104.9903, "America/Denver", ("street", "park", "mountain"), 1609),
    Place("Tucson", 32.2226, -110.9747, "America/Phoenix", ("desert", "street"), 728),
    Place("Montreal", 45.5048, -73.5772, "America/Toronto", ("park", "street", "meadow"), 50),
    Place("Fairbanks", 64.8378, -147.7164, "America/Anchorage", ("meadow", "street", "mountain"), 136),
    Place("Honolulu", 21.2810, -157.8370, "Pacific/Honolulu", ("coast", "park"), 5),
)
BY_NAME = {place.name: place for place in PLACES}


@dataclass(frozen=True, slots=True)
class Scene:
    """One view of one place at one instant. ``seed`` lays out trees, houses and clouds.

    ``heading_deg`` is where the camera looks, clockwise from north; ``field_of_view_deg``
    the horizontal angle; ``zone`` an IANA name.
    """

    seed: int
    utc_time: datetime  # naive, counts UTC
    latitude_deg: float
    longitude_deg: float
    zone: str
    ground: str = "park"
    weather: str = "clear"
    heading_deg: float = 0.0
    pitch_deg: float = 3.0
    field_of_view_deg: float = 62.0
    altitude_m: float = 50.0

    def __post_init__(self) -> None:
        """Refuse what the painter does not know."""
        if self.ground not in GROUNDS or self.weather not in WEATHERS:
            raise ValueError(f"no such ground or weather: {self.ground}, {self.weather}")

    @property
    def offset_hours(self) -> float:
        """What the legal clock at the place is ahead of UTC."""
        offset = self.utc_time.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone)).utcoffset()
        return 0.0 if offset is None else offset.total_seconds() / 3600.0

    @property
    def local_time(self) -> datetime:
        """Naive civil time at the place: the truth a claim is measured against."""
        return self.utc_time + timedelta(hours=self.offset_hours)

    @property
    def unix_s(self) -> float:
        """Seconds since 1970, UTC."""
        return (self.utc_time - datetime(1970, 1, 1)).total_seconds()


@dataclass(frozen=True, slots=True)
class Climate:
    """What the season makes of a place. All but *temperature_c* between 0 and 1."""

    temperature_c: float
    leaf: float  # 0 bare, 1 full
    autumn: float  # 0 green, 1 fully turned
    snow: float  # part of the ground covered
    dry: float  # 0 lush grass, 1 straw
    conifers: float  # part of the trees that are
    palms: float


def climate(scene: Scene) -> Climate:
    """Return the season at a place: zonal mean temperatures with a month's lag behind the sun.

    A rough fit to climate normals: annual mean 27 °C at the equator falling with the
    square of the latitude, half-range growing with it, smaller in the southern ocean-bound half.
    """
    latitude = abs(scene.latitude_deg)
    southern = scene.latitude_deg < 0
    mean_c = 27.5 - 0.0072 * latitude**2 - 0.0055 * scene.altitude_m
    swing_c = min(16.0, 0.32 * max(0.0, latitude - 8.0)) * (0.6 if southern else 1.0)
    turn = _turn_since_midsummer(scene.utc_time, southern=southern)
    temperature_c = mean_c + swing_c * math.cos(2 * math.pi * (turn - 1 / 12))
    cooling = math.sin(2 * math.pi * (turn - 1 / 12)) > 0
    seasonal = swing_c > 4.0
    leaf = _smooth(temperature_c, 4.0, 10.0) if seasonal else 1.0
    autumn = _smooth(temperature_c, 14.0, 7.0) if seasonal and cooling else 0.0
    snow = _smooth(temperature_c, 1.0, -3.5) if scene.ground != "desert" else 0.0
    if scene.weather == "snowfall":
        snow = max(snow, 0.55)
    dry = 1.0 if scene.ground == "desert" else 0.75 * _smooth(temperature_c, 21.0, 30.0) * (latitude > 15)
    return Climate(
        temperature_c=temperature_c,
        leaf=max(leaf, 0.85) if autumn and temperature_c > 7.5 else leaf,
        autumn=autumn,
        snow=snow,
        dry=dry,
        conifers=_smooth(mean_c, 12.0, 2.0),
        palms=_smooth(mean_c, 18.0, 24.0),
    )


def scenes(
    seed: int,
    *,
    years: tuple[int, int] = (2012, 2026),
    daylight_only: bool = False,
    places: Sequence[Place] | None = None,
) -> Iterator[Scene]:
    """Yield random scenes for ever, the same for the same *seed*.

    Without *places*, anywhere from 58° S to 71° N (zone: the nautical one of the longitude), so
    that no list of towns is learnt; latitude even in area.
    """
    number = 0
    while True:
        rng = np.random.default_rng((seed, number))
        scene = _random_scene(rng, years, places)
        number += 1
        if not daylight_only or _is_day(scene):
            yield scene


def _random_scene(rng: np.random.Generator, years: tuple[int, int], places: Sequence[Place] | None) -> Scene:
    utc_time = datetime(years[0], 1, 1) + timedelta(seconds=int(rng.uniform(0, (years[1] - years[0]) * 31_557_600)))
    place = _random_place(rng) if places is None else places[int(rng.integers(len(places)))]
    weather = str(rng.choice(WEATHERS, p=(0.4, 0.24, 0.2, 0.06, 0.1, 0.0)))
    scene = Scene(
        seed=int(rng.integers(2**31)),
        utc_time=utc_time,
        latitude_deg=round(place.latitude_deg + float(rng.normal(0, 0.01)), 6),
        longitude_deg=round(place.longitude_deg + float(rng.normal(0, 0.01)), 6),
        zone=place.zone,
        ground=str(rng.choice(place.grounds)),
        weather=weather,
        heading_deg=round(float(rng.uniform(0, 360)), 1),
        pitch_deg=round(float(rng.normal(4, 3)), 1),
        field_of_view_deg=round(float(rng.uniform(45, 75)), 1),
        altitude_m=place.altitude_m,
    )
    return with_snowfall(scene) if weather == "rain" else scene


def _random_place(rng: np.random.Generator) -> Place:
    low, high = math.sin(math.radians(-58)), math.sin(math.radians(71))
    latitude = math.degrees(math.asin(rng.uniform(low, high)))
    longitude = float(rng.uniform(-179.5, 179.5))
    hours = round(longitude / 15)
    zone = f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"  # POSIX sign: GMT-9 is nine hours ahead
    dry = 15 < abs(latitude) < 35 and rng.random() < 0.5
    grounds = ("desert",) if dry else tuple(one for one in GROUNDS if one != "desert")
    return Place("somewhere", latitude, longitude, zone, grounds, float(rng.exponential(150)))


def with_snowfall(scene: Scene) -> Scene:
    """Return the scene with its rain turned to snow where it is cold enough."""
    from dataclasses import replace

    return replace(scene, weather="snowfall") if climate(scene).temperature_c < 1.0 else scene


def _is_day(scene: Scene) -> bool:
    from gtloc_forensics.earth.sun import sun_position

    return float(sun_position(scene.unix_s, scene.latitude_deg, scene.longitude_deg)[0]) > 2.0


def _turn_since_midsummer(moment: datetime, *, southern: bool) -> float:
    solstice = 172 if not southern else 355
    return ((moment.timetuple().tm_yday - solstice) / 365.25) % 1.0


def _smooth(value: float, zero_at: float, one_at: float) -> float:
    part = min(1.0, max(0.0, (value - zero_at) / (one_at - zero_at)))
    return part * part * (3 - 2 * part)
