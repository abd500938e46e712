"""Values that pass from stage to stage.

Every record is frozen: a stage never edits what it was given, it returns a new
one. A field names its unit (``_deg``, ``_km``, ``_hours``). ``local_`` is the
clock on the wall where the picture was taken, ``utc_`` is an instant; no field
is called just ``time``. Absence is typed: an :class:`Absent` says why.
"""

from __future__ import annotations

from gtloc_forensics.records.absence import Absent, Scalar, visible, visible_throughout
from gtloc_forensics.records.cases import (
    CaseHeader,
    CaseView,
    CustodyEvent,
    PhotoEntry,
    PhotoResult,
    ReasonNote,
    RuleNote,
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
    OffsetSource,
    Position,
    Reading,
    Repeated,
    Stated,
    Sun,
    Tags,
    TimeKind,
    TimeReading,
    TimeRole,
    Uptime,
)
from gtloc_forensics.records.environment import Environment
from gtloc_forensics.records.findings import (
    Cause,
    CauseGroup,
    CauseKind,
    ClockKind,
    ClockModel,
    ClockWitness,
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    Photo,
    PhotoSummary,
    Severity,
)
from gtloc_forensics.records.indications import Indicated, Untold
from gtloc_forensics.records.pictures import ImageFacts, Pixels, PlaceDensity, Prediction, TimeDensity
from gtloc_forensics.records.sources import Candidate, FileStat, Skipped, Source, Unexamined, source_id_of
from gtloc_forensics.records.status import CLEARS_NOTHING, Status, is_test, status_of
from gtloc_forensics.records.unread import MetadataBlock, UnreadBlock, one_of_each

__all__ = [
    "CLEARS_NOTHING",
    "UNKNOWN_DEVICE",
    "Absent",
    "Candidate",
    "CaseHeader",
    "CaseView",
    "Cause",
    "CauseGroup",
    "CauseKind",
    "Claim",
    "ClockKind",
    "ClockModel",
    "ClockWitness",
    "Confidence",
    "Counter",
    "CounterKind",
    "CustodyEvent",
    "Device",
    "DeviceGroup",
    "Direction",
    "Environment",
    "Exposure",
    "FileStat",
    "Finding",
    "ImageFacts",
    "Indicated",
    "MetadataBlock",
    "OffsetSource",
    "Outcome",
    "Photo",
    "PhotoEntry",
    "PhotoResult",
    "PhotoSummary",
    "Pixels",
    "PlaceDensity",
    "Position",
    "Prediction",
    "Reading",
    "ReasonNote",
    "Repeated",
    "RuleNote",
    "Scalar",
    "Severity",
    "Skipped",
    "Source",
    "Stated",
    "Status",
    "Sun",
    "Tags",
    "Tally",
    "TimeDensity",
    "TimeKind",
    "TimeReading",
    "TimeRole",
    "Unexamined",
    "UnreadBlock",
    "Untold",
    "Uptime",
    "is_test",
    "one_of_each",
    "source_id_of",
    "status_of",
    "visible",
    "visible_throughout",
]
