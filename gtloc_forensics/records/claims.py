"""What a file says of itself: each value with its tag, its raw text and the rule that chose it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, unique
from typing import Generic, TypeVar

from gtloc_forensics.records.absence import Absent
from gtloc_forensics.records.sentences import Statement
from gtloc_forensics.records.structure import FileStructure
from gtloc_forensics.records.tags import Tags
from gtloc_forensics.records.unread import UnreadBlock

T = TypeVar("T")


@unique
class OffsetSource(Enum):
    """Who or what gave an offset from UTC, or the instant that stands on it."""

    CAMERA = "stated"  # by the camera or telephone, in EXIF, its maker's note or its film
    MAKER_CLOCK = "the maker's own clock in UTC"
    CONTAINER = "the container counts UTC"
    PROGRAM = "written by a program"  # which puts its own computer's zone, or +00:00 when it knows none
    SIDECAR = "an instant kept beside the file"
    FILE_NAME = "the file's name"
    GPS_CLOCK = "gps clock"
    PLACE = "zone at the place"

    @property
    def is_from_camera(self) -> bool:
        """Whether the device that took the photo wrote it."""
        return self in (OffsetSource.CAMERA, OffsetSource.MAKER_CLOCK, OffsetSource.CONTAINER)

    @property
    def is_derived(self) -> bool:
        """Whether it was worked out from the place, the GPS clock or the name, instead of standing in the file."""
        return self in (OffsetSource.GPS_CLOCK, OffsetSource.PLACE, OffsetSource.FILE_NAME)


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One value as one tag gives it."""

    value: T
    tag: str
    raw: str


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """A claimed value: the reading that won, the rule that chose it, and the readings that lost."""

    value: T
    tag: str
    raw: str
    rule: Statement
    rivals: tuple[Reading[T], ...] = ()
    offset_source: OffsetSource | None = None  # of an offset, and of an instant that stands on one


@dataclass(frozen=True, slots=True)
class Position:
    """A point on WGS 84."""

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        """Let no NaN and no latitude of 91 past the border."""
        if not (math.isfinite(self.latitude_deg) and abs(self.latitude_deg) <= 90.0):
            raise ValueError(f"latitude {self.latitude_deg} is not within ±90°")
        if not (math.isfinite(self.longitude_deg) and abs(self.longitude_deg) <= 180.0):
            raise ValueError(f"longitude {self.longitude_deg} is not within ±180°")

    @property
    def degrees(self) -> tuple[float, float]:
        """Latitude and longitude, as a sentence takes them."""
        return self.latitude_deg, self.longitude_deg


@unique
class TimeKind(Enum):
    """What a clock reading counts."""

    LOCAL = "local civil time without a zone"
    ZONED = "local civil time with its offset"
    UTC = "an instant"


@unique
class TimeRole(Enum):
    """Which moment a time tag speaks of."""

    CAPTURE = "capture"
    DIGITIZED = "digitized"
    MODIFIED = "modified"
    GPS_FIX = "gps fix"
    FILE_NAME = "file name"
    FILE_SYSTEM = "file system"
    MAKER_CLOCK = "maker note clock"
    TAKEN_IN = "taken in by a service"  # uploaded, posted or sent: the capture is no later
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TimeReading:
    """One time as one tag gives it; all of them are kept, agreeing or not.

    ``wall`` is naive: the clock as written. ``offset_hours`` is there only when
    the same reading states it (XMP, OffsetTime*, QuickTime UTC gives 0).
    """

    wall: datetime
    kind: TimeKind
    role: TimeRole
    tag: str
    raw: str
    offset_hours: float | None = None
    resolution_s: float = 1.0  # 0.01 with sub-seconds, 86400 for a bare date, longer for a bare year

    @property
    def utc(self) -> datetime | None:
        """The naive UTC instant, when the reading alone states one."""
        if self.kind is TimeKind.UTC:
            return self.wall
        return None if self.offset_hours is None else self.wall - timedelta(hours=self.offset_hours)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Camera settings of one frame and the light they imply.

    ``ev100`` = log2(N²/t) − log2(ISO/100) (APEX; Composite:LightValue of exiftool),
    with the exposure bias added back (a frame under-exposed on purpose by 1 EV was
    metered 1 EV darker); where settings are missing or were made by hand, BrightnessValue + 5,
    and ``tags["ev100"]`` says so. ``flash_fired`` is bit 0 of the EXIF Flash field.
    """

    f_number: float | Absent
    exposure_s: float | Absent
    iso: float | Absent
    bias_ev: float | Absent
    brightness_ev: float | Absent  # EXIF BrightnessValue, APEX Bv
    flash_fired: bool | Absent
    ev100: float | Absent
    tags: Mapping[str, str] = field(default_factory=dict)  # field name → the tag it came from


UNKNOWN_DEVICE = "unknown"
"""The key of a device that the file does not name: photos that share it have no device in common."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the file says took it. ``key`` groups photos of one device; ``doubt`` says how sure that is."""

    make: str | Absent
    model: str | Absent
    serial: str | Absent
    lens: str | Absent
    software: str | Absent
    owner: str | Absent
    key: str  # "serial:…" or "model:make|model|…" or UNKNOWN_DEVICE
    doubt: Statement  # "" when a body serial names the device, else why photos of two devices may be mixed
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Make and model for people, the make left out where the model begins with it; "" when neither is there."""
        make, model = (part.strip() if isinstance(part, str) else "" for part in (self.make, self.model))
        return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


@unique
class CounterKind(Enum):
    """What a counting tag counts."""

    SHUTTER = "shutter actuations"
    FILE_NUMBER = "file number"
    IMAGE = "image number"


@dataclass(frozen=True, slots=True)
class Counter:
    """A number the device counts upwards, with its wrap when it is known."""

    kind: CounterKind
    value: int
    tag: str
    raw: str
    wraps_at: int | None = None


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds since the device was switched on (Apple RunTime, Panasonic TimeSincePowerOn, …)."""

    seconds: float
    tag: str
    raw: str
    excludes_sleep: bool


@dataclass(frozen=True, slots=True)
class Direction:
    """Where the camera looked: clockwise from north."""

    azimuth_deg: float
    magnetic: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """A tag that stands in a file more than once and does not say the same: two EXIF blocks, two XMP packets."""

    tag: str
    raws: tuple[str, ...]  # in file order; readers differ in which of them they show


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file says of itself: as found, neither believed nor corrected.

    ``local_time`` is naive on purpose: EXIF has no zone there. ``zones`` are all
    IANA zones legal at the claimed position (several in disputed places).
    """

    source_id: str
    local_time: Stated[datetime] | Absent
    utc_offset_hours: Stated[float] | Absent
    utc_time: Stated[datetime] | Absent  # naive datetime that counts UTC
    gps_utc_time: Stated[datetime] | Absent  # GPSDateStamp + GPSTimeStamp, as written
    position: Stated[Position] | Absent
    altitude_m: Stated[float] | Absent
    direction: Stated[Direction] | Absent
    position_error_m: Stated[float] | Absent
    zones: tuple[str, ...]
    exposure: Exposure
    device: Device
    counters: tuple[Counter, ...]
    uptime: Uptime | Absent
    times: tuple[TimeReading, ...]
    tags: Tags  # everything read, for rules that look at a single tag
    warnings: tuple[Statement, ...] = ()  # exiftool's own, then what was odd in reading the values
    not_after: Stated[datetime] | Absent = Absent.MISSING  # wall clock of the earliest date that bounds the capture
    default_tags: tuple[str, ...] = ()  # tags whose time is a default of firmware, none that a clock showed
    repeated: tuple[Repeated, ...] = ()
    unread: tuple[UnreadBlock, ...] = ()  # what could not be read of it and of its sidecars
    structure: FileStructure | None = None  # how the file is built; None where it is no JPEG

    @property
    def local_resolution_s(self) -> float:
        """How fine the capture time is written, in seconds; 0 when there is none."""
        local = self.local_time
        if isinstance(local, Absent):
            return 0.0
        tag, raw = local.tag, local.raw
        for reading in self.times:  # every rule asks
            if reading.tag == tag and reading.raw == raw:
                return reading.resolution_s
        return 0.0


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stood at the claimed place and instant (refraction included)."""

    elevation_deg: float
    azimuth_deg: float
    utc_time: datetime
    offset_source: str  # which rule gave the offset: "stated", "gps clock", "zone at the place", …
    elevation_range_deg: tuple[float, float]  # over the offsets that could apply, when the zone is not stated
