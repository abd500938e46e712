"""Values that pass from stage to stage.

Every record is frozen: a stage never edits what it was given, it returns a new
one. A field names its unit (``_deg``, ``_km``, ``_hours``). ``local_`` is the
clock on the wall where the picture was taken, ``utc_`` is an instant; no field
is called just ``time``. Absence is typed: an :class:`Absent` says why.

A record is loaded when it is first asked for: a command that needs three of them
does not wait for eighty.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtloc_forensics.records.absence import Absent, Scalar, may_hide, visible, visible_throughout
    from gtloc_forensics.records.cases import (
        CaseHeader,
        CaseView,
        CustodyEvent,
        PhotoEntry,
        PhotoResult,
        RuleNote,
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
        TimeKind,
        TimeReading,
        TimeRole,
        Uptime,
    )
    from gtloc_forensics.records.decisions import Decision, Decisions, Judged, Judgement, Reviewed, Standing
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
        GpsFault,
        Outcome,
        Photo,
        PhotoSummary,
        Severity,
    )
    from gtloc_forensics.records.indications import Indicated, Untold
    from gtloc_forensics.records.pictures import AngleDensity, ImageFacts, Pixels, PlaceDensity, Prediction, TimeDensity
    from gtloc_forensics.records.sentences import Sentence, Statement, Wording, template
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
    from gtloc_forensics.records.status import CLEARS_NOTHING, Status, is_test, status_of
    from gtloc_forensics.records.structure import FileStructure
    from gtloc_forensics.records.tags import Tags
    from gtloc_forensics.records.tallies import ReasonNote, Tally
    from gtloc_forensics.records.unread import MetadataBlock, UnreadBlock, one_of_each
    from gtloc_forensics.records.witnesses import Catalogue, SecondWitness, WitnessState

__all__ = [
    "CLEARS_NOTHING",
    "UNKNOWN_DEVICE",
    "Absent",
    "AngleDensity",
    "Candidate",
    "CaseHeader",
    "CaseView",
    "Catalogue",
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
    "Decision",
    "Decisions",
    "Device",
    "DeviceGroup",
    "Direction",
    "Environment",
    "Exposure",
    "FileStat",
    "FileStructure",
    "Finding",
    "GpsFault",
    "ImageFacts",
    "Indicated",
    "Judged",
    "Judgement",
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
    "Reviewed",
    "RuleNote",
    "Scalar",
    "SecondWitness",
    "Sentence",
    "Severity",
    "Skipped",
    "Source",
    "Standing",
    "Stated",
    "Statement",
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
    "UnreadBlock",
    "Untold",
    "Uptime",
    "WitnessState",
    "Wording",
    "is_test",
    "may_hide",
    "one_of_each",
    "source_id_of",
    "status_of",
    "template",
    "visible",
    "visible_throughout",
]

_HOMES = {
    "absence": (
        "Absent",
        "Scalar",
        "may_hide",
        "visible",
        "visible_throughout",
    ),
    "cases": (
        "CaseHeader",
        "CaseView",
        "CustodyEvent",
        "PhotoEntry",
        "PhotoResult",
        "RuleNote",
    ),
    "claims": (
        "UNKNOWN_DEVICE",
        "Claim",
        "Counter",
        "CounterKind",
        "Device",
        "Direction",
        "Exposure",
        "OffsetSource",
        "Position",
        "Reading",
        "Repeated",
        "Stated",
        "Sun",
        "TimeKind",
        "TimeReading",
        "TimeRole",
        "Uptime",
    ),
    "decisions": (
        "Decision",
        "Decisions",
        "Judged",
        "Judgement",
        "Reviewed",
        "Standing",
    ),
    "environment": ("Environment",),
    "findings": (
        "Cause",
        "CauseGroup",
        "CauseKind",
        "ClockKind",
        "ClockModel",
        "ClockWitness",
        "Confidence",
        "DeviceGroup",
        "Finding",
        "GpsFault",
        "Outcome",
        "Photo",
        "PhotoSummary",
        "Severity",
    ),
    "indications": (
        "Indicated",
        "Untold",
    ),
    "pictures": (
        "AngleDensity",
        "ImageFacts",
        "Pixels",
        "PlaceDensity",
        "Prediction",
        "TimeDensity",
    ),
    "sentences": (
        "Sentence",
        "Statement",
        "Wording",
        "template",
    ),
    "sources": (
        "Candidate",
        "FileStat",
        "Skipped",
        "Source",
        "TagsRead",
        "Unexamined",
        "Unread",
        "source_id_of",
    ),
    "status": (
        "CLEARS_NOTHING",
        "Status",
        "is_test",
        "status_of",
    ),
    "structure": ("FileStructure",),
    "tags": ("Tags",),
    "tallies": ("ReasonNote", "Tally"),
    "unread": (
        "MetadataBlock",
        "UnreadBlock",
        "one_of_each",
    ),
    "witnesses": (
        "Catalogue",
        "SecondWitness",
        "WitnessState",
    ),
}

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a record from the module that defines it (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value  # asked for once
    return value
