"""Values that pass from stage to stage.

Every record is frozen: a stage never edits what it was given, it returns a new
one. A field names its unit (``_deg``, ``_km``, ``_hours``). ``local_`` is the
clock on the wall where the picture was taken, ``utc_`` is an instant; no field
is called just ``time``. Absence is typed: an :class:`Absent` says why.
"""

from __future__ import annotations

from gtloc_forensics.records.absence import Absent, Scalar, visible
from gtloc_forensics.records.cases import (
    CaseHeader,
    CaseView,
    CustodyEvent,
    PhotoEntry,
    ReasonNote,
    RuleNote,
    Status,
    Tally,
)
from gtloc_forensics.records.claims import (
    UNKNOWN_DEVICE,
    Claim,
    Counter,
    CounterKind,
    Device,
    Direction,
    Exposure,
    Position,
    Reading,
    Stated,
    Sun,
    Tags,
    TimeKind,
    TimeReading,
    TimeRole,
    Uptime,
)
from gtloc_forensics.records.findings import (
    CLOCK_KINDS,
    Cause,
    CauseGroup,
    ClockModel,
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    Photo,
    PhotoSummary,
    Severity,
)
from gtloc_forensics.records.pictures import ImageFacts, Pixels, PlaceDensity, Prediction, TimeDensity
from gtloc_forensics.records.sources import (
    Candidate,
    FileStat,
    Skipped,
    Source,
    TagsRead,
    Unexamined,
    Unread,
    source_id_of,
)

__all__ = [
    "CLOCK_KINDS",
    "UNKNOWN_DEVICE",
    "Absent",
    "Candidate",
    "CaseHeader",
    "CaseView",
    "Cause",
    "CauseGroup",
    "Claim",
    "ClockModel",
    "Confidence",
    "Counter",
    "CounterKind",
    "CustodyEvent",
    "Device",
    "DeviceGroup",
    "Direction",
    "Exposure",
    "FileStat",
    "Finding",
    "ImageFacts",
    "Outcome",
    "Photo",
    "PhotoEntry",
    "PhotoSummary",
    "Pixels",
    "PlaceDensity",
    "Position",
    "Prediction",
    "Reading",
    "ReasonNote",
    "RuleNote",
    "Scalar",
    "Severity",
    "Skipped",
    "Source",
    "Stated",
    "Status",
    "Sun",
    "Tags",
    "TagsRead",
    "Tally",
    "TimeDensity",
    "TimeKind",
    "TimeReading",
    "TimeRole",
    "Unexamined",
    "Unread",
    "Uptime",
    "source_id_of",
    "visible",
]
