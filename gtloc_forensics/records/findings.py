"""What the rules say, and the causes that findings share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, StrEnum, unique
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.records.absence import Absent, Scalar
from gtloc_forensics.records.claims import Claim, Counter, OffsetSource, Sun
from gtloc_forensics.records.pictures import ImageFacts, Prediction
from gtloc_forensics.records.sentences import Statement
from gtloc_forensics.records.sources import Source, Unexamined
from gtloc_forensics.records.structure import FileStructure


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


@unique
class CauseKind(StrEnum):
    """What findings are laid to. The values are what cases store; a third-party rule may name one of its own."""

    # A device's clock.
    CLOCK_OFFSET = "clock-offset"
    CLOCK_DRIFT = "clock-drift"
    CLOCK_RESET = "clock-reset"
    ZONE = "zone"
    DST = "dst"
    CLOCK_OR_PLACE = "clock-or-place"
    CLOCK_OR_GPS = "clock-or-gps"
    # Its receiver.
    DAY_BUG = "day-bug"
    WEEK_ROLLOVER = "week-rollover"
    GPS_LOCAL_TIME = "gps-local-time"
    STALE_FIX = "stale-fix"
    RECEIVER = "receiver"  # GPS time that is no clock: a constant, a zero, the receiver's own date
    # The place.
    POSITION = "position"
    POSITION_SET = "position-set"
    LONGITUDE_360 = "longitude-360"
    ROUNDED_POSITION = "rounded-position"
    NO_FIX = "no-fix"
    LIMITED_FIX = "limited-fix"
    AIRCRAFT = "aircraft"
    FLIGHT = "flight"
    TRAVEL = "travel"
    TWO_DEVICES = "two-devices"
    # A person or a program.
    ALTERED_FILE = "altered-file"  # one file among siblings of a device whose clock was right
    STAMPED = "stamped"  # a program wrote one moment into many files
    EDIT = "edit"
    EDITOR_DOCUMENT = "editor-document"
    EXPORTED = "exported"
    GENERATED = "generated"
    PROGRAM_ZONE = "program-zone"
    SIDECAR = "sidecar"
    SECOND_WITNESS = "second-witness"  # what a photo service or a catalogue keeps of the photo
    CREDENTIALS = "content-credentials"  # what is signed in the file does not fit the file
    REWRITTEN = "rewritten"
    RESIZED = "resized"
    CROPPED = "cropped"
    OLDER_THUMBNAIL = "older-thumbnail"
    COPY = "copy"
    LOOK_ALIKE = "look-alike"
    SAME_VIEW = "same-view"
    NAMED_BY_HAND = "named-by-hand"
    # The nature of the picture.
    SCAN = "scan"
    UNSET_DATE = "unset-date"
    UNNAMED = ""  # findings told together that name no cause

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Keep a kind that a third-party rule names: a case that holds one still opens, and says it unchanged."""
        if not isinstance(value, str):
            return None
        own = str.__new__(cls, value)
        own._name_, own._value_ = value, value
        return own


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation several findings may share, e.g. a clock 6 h ahead."""

    kind: CauseKind
    device_key: str  # "" when it is not about one device
    offset_hours: float | None = None
    summary: Statement = ""

    def __post_init__(self) -> None:
        """Take the stored value of a kind for the kind."""
        object.__setattr__(self, "kind", CauseKind(self.kind))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says of one photo (or of several: ``source_ids[0]`` is the one it is about).

    ``observed`` is read from the file, ``derived`` is computed from it, ``inferred``
    needs an assumption; each entry is one sentence. ``facts`` carries the numbers
    behind the sentences for programs. A sentence is a :class:`Sentence`, so that a report can
    say it in its own language; a third-party rule may give plain text, which stays as it is.
    """

    check_id: str
    source_ids: tuple[str, ...]
    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: Statement
    observed: tuple[Statement, ...] = ()
    derived: tuple[Statement, ...] = ()
    inferred: tuple[Statement, ...] = ()
    limitations: tuple[Statement, ...] = ()
    innocent: tuple[Statement, ...] = ()  # innocent explanations that remain
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
    opinions: tuple[Prediction | Unexamined, ...] = ()  # of further models, beside the first
    unread: tuple[Unexamined, ...] = ()  # by readers of metadata beside exiftool


@unique
class GpsFault(StrEnum):
    """Why a GPS time is no clock: what the file and its device's other photos show, once for all who read it."""

    NO_TIME = "the receiver had no time"
    CONSTANT_TIME = "one second of the day on photos taken at different times"
    CONSTANT_DATE = "one date on photos of different days"
    STAMPED = "one capture second on photos with GPS times of their own"
    REPEATED = "the instant of another photo's fix"
    OLD_FIX = "an old fix"
    NOT_OF_CAPTURE = "no time of the capture, as the file itself shows"


@dataclass(frozen=True, slots=True)
class PhotoSummary:
    """The lean view of a photo that comparing many photos needs; a few hundred bytes. What is left out is not known."""

    source_id: str
    sha256: str
    name: str  # displayable relative path
    device_key: str
    media_type: str
    local_time: datetime | None = None
    local_resolution_s: float = 1.0
    utc_time: datetime | None = None
    utc_source: OffsetSource | None = None  # what gave the offset; None when utc_time is None
    offset_hours: float | None = None
    gps_utc_time: datetime | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    position_error_m: float | None = None
    zone: str = ""  # first legal zone at the position, "" when none
    ev100: float | None = None
    flash_fired: bool | None = None
    sun_elevation_deg: float | None = None
    counters: tuple[Counter, ...] = ()
    uptime_s: float | None = None
    uptime_excludes_sleep: bool = False
    burst_id: str = ""  # "" when none
    software: str = ""
    perceptual_hash: int | None = None
    hour_mass: NDArray[np.float32] | None = None  # [D] model's mass over the day, given the claimed season
    datable: float | None = None
    embedding: NDArray[np.float16] | None = None  # [D] of unit length; None without a model
    mean_luminance: float | None = None  # of the picture, 0–1; None where it was not decoded
    speed_km_h: float | None = None  # as the receiver tells it
    altitude_m: float | None = None
    structure: FileStructure | None = None  # how the file is built; None where it is no JPEG
    gps_fault: GpsFault | None = None  # why gps_utc_time is no clock; None where nothing is known against it


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """All photos of one device, in the order of their claimed local time (those without one last)."""

    device_key: str
    label: Statement  # "Canon EOS 5D (serial 0123)" for people
    doubt: Statement
    summaries: tuple[PhotoSummary, ...]


@unique
class ClockKind(StrEnum):
    """How a device's clock ran. The values are what cases store."""

    RIGHT = "right"
    CONSTANT_OFFSET = "constant offset"
    WRONG_ZONE = "wrong zone"
    DST = "dst"
    AM_PM = "am/pm"
    DAY_MONTH = "day/month swapped"
    RESET = "reset"
    DRIFT = "drift"
    PIECEWISE = "piecewise"
    UNDETERMINED = "undetermined"


@unique
class ClockWitness(StrEnum):
    """What decided how a clock ran."""

    GPS = "GPS time"
    COMPANION = "another camera at the same places, its clock confirmed by GPS time"
    COUNTER = "a count that ran on"
    LIGHT = "light"
    NOTHING = ""


@dataclass(frozen=True, slots=True)
class ClockModel:
    """How one device's clock ran, as the simplest model that explains its evidence."""

    device_key: str
    label: Statement
    kind: ClockKind
    offset_hours: float | None  # claimed minus true, positive = ahead; None when undetermined
    interval_hours: tuple[float, float] | None  # 95 % credible
    probability: float  # posterior of this kind against the others
    photos: int
    evidence: tuple[Statement, ...]  # which witnesses spoke, one sentence each
    summary: Statement
    posterior_offsets_hours: NDArray[np.float32] | None = None  # [K] grid
    posterior_mass: NDArray[np.float32] | None = None  # [K]
    segments: tuple[tuple[str, str, float], ...] = ()  # (first source_id, last source_id, offset_hours) when piecewise
    decided_by: ClockWitness = ClockWitness.NOTHING

    def __post_init__(self) -> None:
        """Take the stored value of a kind for the kind."""
        object.__setattr__(self, "kind", ClockKind(self.kind))


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Findings that one cause explains, told once: the strongest group first."""

    cause: Cause
    label: Statement  # the device for people, "" when it is not about one device
    outcome: Outcome  # the gravest among the findings
    severity: Severity
    source_ids: Sequence[str]  # photos concerned, in path order; a tuple, or packed as one
    check_ids: tuple[str, ...]  # rules concerned, sorted
    findings: int
    summary: Statement  # one sentence: "clock 6 h ahead for 10 of 12 photos (5 h 50 – 6 h 10, 95 %)"
    refutable_by: Statement = ""  # what would show this explanation to be wrong
