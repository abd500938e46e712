"""Values that pass from stage to stage.

Every record is frozen: a stage never edits what it was given, it returns a new
one. A field names its unit (``_deg``, ``_km``, ``_hours``). ``local_`` is the
clock on the wall where the picture was taken, ``utc_`` is an instant; no field
is called just ``time``. Absence is typed: an :class:`Absent` says why.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum, unique
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Scalar: TypeAlias = str | int | float | bool | None


@unique
class Absent(Enum):
    """Why a value is not there. A zero or a ``None`` never stands in for it."""

    MISSING = "the tag is not in the file"
    UNREADABLE = "the bytes holding the tag could not be read"
    UNPARSABLE = "the tag is there but is not a value of its kind"
    NOT_APPLICABLE = "this kind of file cannot carry the tag"
    UNDERIVABLE = "what it would be derived from is absent"
    NO_FIX = "the receiver stored an empty position (0, 0) or a void fix"


# --------------------------------------------------------------------------- intake


@dataclass(frozen=True, slots=True)
class FileStat:
    """The stat tuple as found, before anything else touched the file."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    atime_ns: int
    mode: int
    inode: int
    device: int
    links: int
    birth_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the evidence, hashed before anything else was done with it.

    ``relative`` are the bytes of the path below the evidence folder (POSIX
    separators): file names are bytes, and two names may differ only in bytes
    that are not text. ``source_id`` names the path (``source_id_of``), ``sha256``
    the content: two copies are two sources of one content.
    """

    source_id: str
    relative: bytes
    sha256: str
    stat: FileStat
    media_type: str  # by magic bytes: "image/jpeg", "image/heic", "video/mp4", "application/octet-stream", …
    sidecars: tuple[bytes, ...] = ()  # relative paths of XMP sidecars found beside it

    @property
    def display_path(self) -> str:
        """The path as text in which every odd byte, control and bidi character is visible."""
        return visible(self.relative)


def source_id_of(relative: bytes) -> str:
    """Return the 16 hex digits that name one path of the evidence, whatever its content."""
    return hashlib.blake2b(relative, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Passed:
    """An entry of the evidence tree that is not a photo candidate, and why it was passed over.

    ``blocks`` is true where something could not be looked at (no permission, a
    name that vanished, a loop), false for what is simply not a photo.
    """

    relative: bytes
    reason: str
    blocks: bool


def visible(text: str | bytes) -> str:
    r"""Return *text* with undecodable bytes, control and bidi characters written out.

    ``\\xNN`` for bytes that are not UTF-8, ``\\n``-like or ``\\uNNNN`` escapes for
    everything that could hide or reorder its neighbours; the backslash itself is
    left alone, so this is for reading, not for parsing back.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: one undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    hidden = code < 0x20 or 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF
    bidi = code in _BIDI_OR_INVISIBLE
    if hidden or bidi:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


# Unicode TR9 directional formatting characters, zero-width characters, line and paragraph separators, BOM.
_BIDI_OR_INVISIBLE = frozenset(
    [1564, 8203, 8204, 8205, 8206, 8207, 8232, 8233, 8288, 65279, *list(range(8234, 8239)), *list(range(8294, 8298))]
)


@dataclass(frozen=True, slots=True)
class Unexamined:
    """A stage that could not do its work on one source, and why. Never a clean result."""

    source_id: str
    stage: str  # "intake", "metadata", "decode", "vision", "check:GF101", …
    reason: str  # one sentence for a person, ending with a remedy where there is one
    detail: str = ""  # traceback or tool output, for the database only


# --------------------------------------------------------------------------- metadata

Tags: TypeAlias = Mapping[str, tuple[str | int | float, ...]]
"""What exiftool read from one file: ``"Group1:Tag"`` → every value found, in file order.

Numeric form (``-n``) where exiftool has one. Keys are as exiftool's family-1
groups name them: ``IFD0:Make``, ``ExifIFD:DateTimeOriginal``, ``GPS:GPSLatitude``,
``XMP-exif:DateTimeOriginal``, ``Apple:RunTimeValue``, ``Composite:…`` is left out.
"""


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
    rule: str
    rivals: tuple[Reading[T], ...] = ()


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
    resolution_s: float = 1.0  # 0.01 with sub-seconds, 60 without seconds, 86400 for a bare date

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
    metered 1 EV darker). ``flash_fired`` is bit 0 of the EXIF Flash field.
    """

    f_number: float | Absent
    exposure_s: float | Absent
    iso: float | Absent
    bias_ev: float | Absent
    brightness_ev: float | Absent  # EXIF BrightnessValue, APEX Bv
    flash_fired: bool | Absent
    ev100: float | Absent
    tags: Mapping[str, str] = field(default_factory=dict)  # field name → the tag it came from


@dataclass(frozen=True, slots=True)
class Device:
    """What the file says took it. ``key`` groups photos of one device; ``doubt`` says how sure that is."""

    make: str | Absent
    model: str | Absent
    serial: str | Absent
    lens: str | Absent
    software: str | Absent
    owner: str | Absent
    key: str  # "serial:…" or "model:make|model|…" or "unknown"
    doubt: str  # "" when a body serial names the device, else why photos of two devices may be mixed
    tags: Mapping[str, str] = field(default_factory=dict)


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
    warnings: tuple[str, ...] = ()  # exiftool's own warnings about the file


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stood at the claimed place and instant (refraction included)."""

    elevation_deg: float
    azimuth_deg: float
    utc_time: datetime
    offset_source: str  # which rule gave the offset: "stated", "gps clock", "zone at the place", …
    elevation_range_deg: tuple[float, float]  # over the offsets that could apply, when the zone is not stated


# --------------------------------------------------------------------------- pixels


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture ready for a model: upright, sRGB.

    ``rgb`` is ``[H, W, 3]`` uint8; its short side is at least the size asked for
    unless the picture itself is smaller.
    """

    source_id: str
    rgb: NDArray[np.uint8]
    width: int  # of the original picture, upright
    height: int
    note: str = ""  # "embedded preview of a RAW file", "first frame of 12", …


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the pixels are, beside what they show: for rules about duplicates, thumbnails, dimensions."""

    width: int
    height: int
    mode: str
    frames: int
    perceptual_hash: int  # 64-bit DCT hash of the upright picture
    thumbnail_hash: int | None  # the same of the embedded thumbnail, when there is one
    thumbnail_size: tuple[int, int] | None
    mean_luminance: float  # 0–1
    saturation: float  # mean HSV saturation, 0–1: 0 is monochrome
    note: str = ""


# --------------------------------------------------------------------------- model


@dataclass(frozen=True, slots=True)
class TimeDensity:
    """Probability mass over the torus (time of year × time of day), local civil time.

    ``mass`` is ``[Y, D]`` float32, sums to 1. Row *i* covers the turn of the year
    [i/Y, (i+1)/Y), column *j* the turn of the day [j/D, (j+1)/D).
    """

    mass: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse a mass that is not one."""
        if self.mass.ndim != 2 or not np.isfinite(self.mass).all() or abs(float(self.mass.sum()) - 1.0) > 1e-3:
            raise ValueError("a time density is a finite [Y, D] array that sums to 1")


@dataclass(frozen=True, slots=True)
class PlaceDensity:
    """Probability mass over equal-area cells of the sphere.

    ``latitude_deg``, ``longitude_deg`` and ``mass`` are ``[C]`` float32, cells with
    the most mass first; cells with negligible mass are cut and ``mass`` renormalised.
    """

    latitude_deg: NDArray[np.float32]
    longitude_deg: NDArray[np.float32]
    mass: NDArray[np.float32]
    cell_area_km2: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the pixels show, as a density; point estimates minimise the expected error."""

    source_id: str
    model: str
    weights_sha256: str
    calibration: str  # sha256 of the calibration used, "" when uncalibrated
    time: TimeDensity
    place: PlaceDensity
    local_hour: float  # 0–24, least expected cyclic error
    year_turn: float  # 0–1, least expected cyclic error
    best_hour: float  # the arg-max of the paper
    best_year_turn: float
    position: Position  # least expected great-circle error
    best_position: Position
    region_area_km2: Mapping[int, float]  # 50, 90, 95 → area of the smallest region holding that mass
    datable: float  # probability that the scene can be dated at all (sky or daylight in view), 0–1
    embedding: NDArray[np.float32] | None = None  # [D] unit vector


# --------------------------------------------------------------------------- findings


@unique
class Outcome(Enum):
    """How one check ended. Three kinds of silence are kept apart from a pass."""

    CONSISTENT = "consistent"
    EXPLAINED = "explained"
    SUSPICIOUS = "suspicious"
    CONTRADICTION = "contradiction"
    NOT_TESTABLE = "not testable"


class Severity(IntEnum):
    """How bad it is if the finding is true."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@unique
class Confidence(Enum):
    """How sure the rule is that the disagreement is real, before any calibration."""

    DECISIVE = "decisive"  # impossible if the tags are genuine
    STRONG = "strong"
    WEAK = "weak"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation several findings may share, e.g. a clock 6 h ahead."""

    kind: str  # "clock-offset", "zone", "dst", "day-bug", "clock-reset", "position", "copy", "edit", …
    device_key: str  # "" when it is not about one device
    offset_hours: float | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of one photo (or of several: ``source_ids[0]`` is the one it is about).

    ``observed`` is read from the file, ``derived`` is computed from it, ``inferred``
    needs an assumption; each entry is one sentence. ``facts`` carries the numbers
    behind the sentences for programs and for other languages.
    """

    check_id: str
    source_ids: tuple[str, ...]
    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: str
    observed: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    innocent: tuple[str, ...] = ()  # innocent explanations that remain
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    cause: Cause | None = None
    p_value: float | None = None  # calibrated only; None says there is no calibration
    log10_lr: float | None = None  # claim true : claim drawn from the prior of claims

    @property
    def is_found(self) -> bool:
        """Whether a person should look at it."""
        return self.outcome in (Outcome.SUSPICIOUS, Outcome.CONTRADICTION)


@dataclass(frozen=True, slots=True)
class Photo:
    """Everything known of one source when its checks run."""

    source: Source
    claim: Claim | Unexamined
    sun: Sun | Absent
    image: ImageFacts | Unexamined
    prediction: Prediction | Unexamined


@dataclass(frozen=True, slots=True)
class Sighting:
    """The lean view of a photo that comparing many photos needs; a few hundred bytes each."""

    source_id: str
    sha256: str
    name: str  # displayable relative path
    device_key: str
    media_type: str
    local_time: datetime | None
    local_resolution_s: float
    utc_time: datetime | None
    utc_rule: str  # the rule that gave the offset; "" when utc_time is None
    offset_hours: float | None
    gps_utc_time: datetime | None
    latitude_deg: float | None
    longitude_deg: float | None
    position_error_m: float | None
    zone: str  # first legal zone at the position, "" when none
    ev100: float | None
    flash_fired: bool | None
    sun_elevation_deg: float | None
    counters: tuple[Counter, ...]
    uptime_s: float | None
    uptime_excludes_sleep: bool
    burst_id: str  # "" when none
    software: str
    perceptual_hash: int | None
    hour_mass: (
        NDArray[np.float32] | None
    )  # [D] model's mass over the day given the claimed season; None without a model
    datable: float | None


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """All photos of one device, in the order of their claimed local time (those without one last)."""

    device_key: str
    label: str  # "Canon EOS 5D (serial 0123)" for people
    doubt: str
    sightings: tuple[Sighting, ...]


CLOCK_KINDS = (
    "right",
    "constant offset",
    "wrong zone",
    "dst",
    "am/pm",
    "day/month swapped",
    "reset",
    "drift",
    "piecewise",
    "undetermined",
)


@dataclass(frozen=True, slots=True)
class ClockModel:
    """How one device's clock ran, as the simplest model that explains its evidence."""

    device_key: str
    label: str
    kind: str  # one of CLOCK_KINDS
    offset_hours: float | None  # claimed minus true, positive = ahead; None when undetermined
    interval_hours: tuple[float, float] | None  # 95 % credible
    probability: float  # posterior of this kind against the others
    photos: int
    evidence: tuple[str, ...]  # which witnesses spoke, one sentence each
    summary: str
    posterior_offsets_hours: NDArray[np.float32] | None = None  # [K] grid
    posterior_mass: NDArray[np.float32] | None = None  # [K]
    segments: tuple[tuple[str, str, float], ...] = ()  # (first source_id, last source_id, offset_hours) when piecewise


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Findings that one cause explains, told once: the strongest group first."""

    cause: Cause
    label: str  # the device for people, "" when it is not about one device
    outcome: Outcome  # the gravest among the findings
    severity: Severity
    source_ids: tuple[str, ...]  # photos concerned, in path order
    check_ids: tuple[str, ...]  # rules concerned, sorted
    findings: int
    summary: str  # one sentence: "clock 6 h ahead for 10 of 12 photos (5 h 50 – 6 h 10, 95 %)"
    refutable_by: str = ""  # what would show this explanation to be wrong


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """One link of the custody chain."""

    sequence: int
    utc_time: datetime
    actor: str
    action: str  # acquire, hash, copy, analyse, correct, export, report, verify
    subject: str
    detail: Mapping[str, Scalar]
    previous_hash: str
    event_hash: str


# --------------------------------------------------------------------------- the case, as a report reads it


@unique
class Status(Enum):
    """How the examination of one source ended."""

    FOUND = "found"
    CLEAN = "clean"
    NOT_EXAMINED = "not examined"


@dataclass(frozen=True, slots=True)
class CaseHeader:
    """What the examiner says of the case; every field may be empty."""

    case_number: str = ""
    exhibit: str = ""
    examiner: str = ""
    agency: str = ""
    legal_authority: str = ""
    evidence_folder: str = ""
    opened_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The three counts that every report prints, and what was passed over."""

    found: int
    clean: int
    not_examined: int
    passed_over: int


@dataclass(frozen=True, slots=True)
class PhotoEntry:
    """One photo with everything the case holds of it."""

    photo: Photo
    status: Status
    findings: tuple[Finding, ...]
    unexamined: tuple[Unexamined, ...]
    sha256_at_end: str  # "" when the file could not be read again
    log10_lr_time: float | None
    log10_lr_place: float | None


@dataclass(frozen=True, slots=True)
class RuleNote:
    """What a report says of one rule: what it looks for and how often it alarms on untouched photos.

    ``tested`` untouched photos of ``photo_set`` gave the rule something to judge, ``alarms``
    of them came out SUSPICIOUS or CONTRADICTION; both are None where nobody has counted.
    """

    check_id: str
    title: str
    version: str = "1"
    explanation: str = ""
    tested: int | None = None
    alarms: int | None = None
    photo_set: str = ""


class CaseView(Protocol):
    """What a report or an export may read of a case; the store implements it, tests fake it."""

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Versions, hashes, device, command line: what one needs to repeat the run."""

    @property
    def tally(self) -> Tally:
        """The counts."""

    def photos(self, *, status: Status | None = None) -> Iterator[PhotoEntry]:
        """Every photo (or those of one status) in path order, streamed: never a list of all."""

    def case_findings(self) -> tuple[Finding, ...]:
        """All findings of :attr:`Finding.is_found` or EXPLAINED outcome, strongest first."""

    def clocks(self) -> tuple[ClockModel, ...]:
        """One clock model per device that allows one."""

    def causes(self) -> tuple[CauseGroup, ...]:
        """Findings grouped under what explains them, strongest first."""

    def passed_over(self) -> tuple[Passed, ...]:
        """What lay in the folder and was not a photo."""

    def custody(self) -> tuple[CustodyEvent, ...]:
        """The custody chain in order."""

    def preview(self, source_id: str) -> bytes | None:
        """A downscaled JPEG (long side at most 640 px), never the original bytes; None when not decoded."""

    def rules(self) -> tuple[RuleNote, ...]:
        """Every rule that ran, in the order of the ids, with its counted false alarms where there are any."""

    def calibration(self) -> Mapping[str, str]:
        """What the strengths were calibrated on: photo set, number of photos, date, figures; empty without one."""

    def model_card(self) -> str:
        """The card of the model that looked at the pixels, as plain text; "" without a model."""
