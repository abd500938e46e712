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
    Severity,
    Sighting,
)
from gtloc_forensics.records.indications import Indicated, Untold
from gtloc_forensics.records.pictures import ImageFacts, Pixels, PlaceDensity, Prediction, TimeDensity
from gtloc_forensics.records.sources import FileStat, Passed, Source, Unexamined, source_id_of
from gtloc_forensics.records.status import CLEARS_NOTHING, Status, is_test, status_of

__all__ = [
    "CLEARS_NOTHING",
    "CLOCK_KINDS",
    "UNKNOWN_DEVICE",
    "Absent",
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
    "Indicated",
    "Outcome",
    "Passed",
    "Photo",
    "PhotoEntry",
    "Pixels",
    "PlaceDensity",
    "Position",
    "Prediction",
    "Reading",
    "ReasonNote",
    "RuleNote",
    "Scalar",
    "Severity",
    "Sighting",
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
    "Untold",
    "Uptime",
    "is_test",
    "source_id_of",
    "status_of",
    "visible",
    "visible_throughout",
]
