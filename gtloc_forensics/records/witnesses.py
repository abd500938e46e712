"""What something other than a file keeps of the same photo: catalogues of programs, libraries of telephones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from gtloc_forensics.records.absence import Absent
from gtloc_forensics.records.claims import Position
from gtloc_forensics.records.sentences import Statement


@unique
class WitnessState(Enum):
    """How a library keeps a photo, beside what it says of it; none of it says that anything is wrong."""

    TRASHED = "in its bin"
    HIDDEN = "hidden"
    EDITED = "with edits of the picture"


@dataclass(frozen=True, slots=True)
class SecondWitness:
    """What one catalogue or library keeps of one photo, as it keeps it; what it does not keep is absent with a reason.

    ``local_time`` and ``utc_time`` are naive; at least one is there where the witness keeps a time at all. A value
    that the program itself calls estimated, or took from the file's name, is no witness and is left out by its reader.
    """

    source: str  # the catalogue's path, for people
    program: str  # "digiKam"
    version: str  # of its schema, as it says; "" when it says none
    photo_path: str  # where the catalogue says the photo lies, with "/" between the parts
    size_bytes: int | Absent = Absent.MISSING  # of the file that the catalogue read
    local_time: datetime | Absent = Absent.MISSING
    utc_time: datetime | Absent = Absent.MISSING
    zone: str = ""  # IANA name or offset, "" when it keeps none
    position: Position | Absent = Absent.MISSING
    added_utc: datetime | Absent = Absent.MISSING  # when the program took the photo in
    is_time_edited: bool | Absent = Absent.MISSING  # whether a person set the time there; absent: it does not say
    is_position_edited: bool | Absent = Absent.MISSING
    other_paths: tuple[str, ...] = ()  # further names of the same file: before it was taken in, within a backup
    utc_offset_hours: float | Absent = Absent.MISSING
    exif_time: datetime | Absent = Absent.MISSING  # the file's own time as it was read when the photo was taken in
    states: tuple[WitnessState, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One catalogue as it was read: what it is, and what it keeps of each photo."""

    program: str
    version: str
    witnesses: tuple[SecondWitness, ...]
    doubt: Statement = ""  # why what was read may be incomplete: an unknown version, a value of no known form
