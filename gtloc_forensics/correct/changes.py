"""A correction as values: one line per photo and quantity, the plan they make up, and how values are written.

A line names a quantity by its leading tag (``DateTimeOriginal``), and the tags that must
agree with it follow in step when it is applied (``tagging``). Values are text a person
can read and change; this module alone turns them into values and back.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique
from typing import TypeAlias, TypeVar

from gtloc_forensics.errors import PlanError
from gtloc_forensics.records import Position, visible

LONGEST_NAME_BYTES = 255
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com[1-9]|lpt[1-9]")
"""Names that Windows keeps for devices, whatever follows the first dot."""
EARLIEST_OFFSET_MINUTES = -12 * 60
LATEST_OFFSET_MINUTES = 14 * 60
DEFAULT_STRENGTH = 0.9
"""Nothing weaker is proposed unless asked: nine in ten proposals should be right."""


_COORDINATES = re.compile(r"-?\d{1,3}\.\d{1,7}, -?\d{1,3}\.\d{1,7}")
"""What a file may hold as its position: also 151° of latitude."""


@unique
class Quantity(Enum):
    """What a line changes, by its leading tag."""

    LOCAL_TIME = "DateTimeOriginal"
    OFFSET = "OffsetTimeOriginal"
    GPS_TIME = "GPSDateTime"
    POSITION = "GPSPosition"
    KEYWORDS = "Keywords"
    FILE_NAME = "FileName"


Value: TypeAlias = datetime | float | Position | tuple[str, ...] | str
"""What a line changes, as a value: a naive time, hours from UTC, a place, keywords, the name of a file."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan. ``old`` and ``new`` are text as a file of a plan has it; ``old`` "" says the tag is absent.

    ``old_value`` and ``new_value`` are what the text says, read once, here; None for a tag that is absent
    and for coordinates that are no place.

    ``strength`` is the probability, 0–1, that the change is right, as far as its evidence tells;
    1 for what a person asked for. A locked line is never replaced by a later plan.
    """

    relative: bytes  # of the photo, below the evidence folder
    sha256: str  # of the photo when the plan was made
    quantity: Quantity
    old: str
    new: str
    reason: str
    strength: float
    locked: bool = False
    old_value: Value | None = field(init=False, compare=False, repr=False, default=None)
    new_value: Value = field(init=False, compare=False, repr=False, default=())

    def __post_init__(self) -> None:
        """Let no line in that could not be applied."""
        if not 0.0 <= self.strength <= 1.0:
            raise PlanError(f"strength {self.strength} is not between 0 and 1")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise PlanError(f"sha256 {self.sha256!r} is not 64 hexadecimal digits")
        object.__setattr__(self, "new_value", checked(self.quantity, self.new))
        if self.quantity is Quantity.FILE_NAME:
            self._check_name()
        object.__setattr__(self, "old_value", self._old())

    def _check_name(self) -> None:
        held = self.relative.rpartition(b"/")[2]
        if visible(held) != self.old:
            raise PlanError(f"the file is called {visible(held)!r}, not {self.old!r}; correct the old name")
        if os.path.splitext(held)[1] != os.path.splitext(os.fsencode(self.new))[1]:  # noqa: PTH122 - names are bytes
            raise PlanError(f"{self.new!r} does not end like {self.old!r}; a new name keeps the ending")

    def _old(self) -> Value | None:
        if not self.old:
            return None
        try:
            return checked(self.quantity, self.old)
        except PlanError:
            if self.quantity is Quantity.FILE_NAME or (
                self.quantity is Quantity.POSITION and _COORDINATES.fullmatch(self.old)
            ):
                return None
            raise

    @property
    def key(self) -> tuple[bytes, Quantity]:
        """What the line is about; a plan has one line for each."""
        return self.relative, self.quantity


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of a plan in the order of their photos."""

    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what a reader should know before applying

    def __post_init__(self) -> None:
        """Refuse two lines about one thing, and one photo with two contents."""
        seen: set[tuple[bytes, Quantity]] = set()
        contents: dict[bytes, str] = {}
        for change in self.changes:
            if change.key in seen:
                raise PlanError(f"two lines change {change.quantity.value} of {change.relative!r}; keep one of them")
            if contents.setdefault(change.relative, change.sha256) != change.sha256:
                raise PlanError(f"two lines about {change.relative!r} name different contents (sha256)")
            seen.add(change.key)

    def by_photo(self) -> dict[bytes, tuple[Change, ...]]:
        """Return the lines about each photo, photos in order."""
        found: dict[bytes, list[Change]] = {}
        for change in self.changes:
            found.setdefault(change.relative, []).append(change)
        return {relative: tuple(lines) for relative, lines in found.items()}


T = TypeVar("T", datetime, float, Position, tuple[str, ...], str)


def new_of(change: Change | None, kind: type[T]) -> T | None:
    """Return the new value of a line, None without one."""
    return None if change is None or not isinstance(change.new_value, kind) else change.new_value


def old_of(change: Change | None, kind: type[T]) -> T | None:
    """Return the old value of a line, None without one or where the tag is absent."""
    return None if change is None or not isinstance(change.old_value, kind) else change.old_value


def merged(earlier: Plan, later: Iterable[Change], *, notes: tuple[str, ...] = ()) -> Plan:
    """Return a new plan of the *later* lines in which every locked line of *earlier* stands as it was.

    To keep a change from being proposed again, lock a line whose new value is its old one.
    """
    locked = {change.key: change for change in earlier.changes if change.locked}
    kept = [change for change in later if change.key not in locked]
    order = list(Quantity)
    lines = sorted([*locked.values(), *kept], key=lambda change: (change.relative, order.index(change.quantity)))
    return Plan(tuple(lines), notes)


def checked(quantity: Quantity, text: str) -> Value:
    """Return the value that *text* is for *quantity*.

    Raises:
        PlanError: when it is none; the message says how it is written.
    """
    match quantity:
        case Quantity.LOCAL_TIME | Quantity.GPS_TIME:
            return read_time(text)
        case Quantity.OFFSET:
            return read_offset(text)
        case Quantity.POSITION:
            return read_position(text)
        case Quantity.KEYWORDS:
            return read_keywords(text)
        case Quantity.FILE_NAME:
            return read_file_name(text)


def read_time(text: str) -> datetime:
    """Return the naive time in ``2024-06-15 12:00:00[.25]``."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?", text):
        raise PlanError(f"{text!r} is not a time; write 2024-06-15 12:00:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise PlanError(f"{text!r} is not a time: {error}; write 2024-06-15 12:00:00") from error


def write_time(moment: datetime) -> str:
    """Return a naive time as a plan writes it, sub-seconds only where there are any."""
    text = f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}".rstrip("0") if moment.microsecond else text


def read_offset(text: str) -> float:
    """Return the hours in ``+05:30``."""
    found = re.fullmatch(r"([+-])(\d\d):([0-5]\d)", text)
    if found is None:
        raise PlanError(f"{text!r} is not an offset from UTC; write +05:30")
    minutes = (int(found[2]) * 60 + int(found[3])) * (-1 if found[1] == "-" else 1)
    if not EARLIEST_OFFSET_MINUTES <= minutes <= LATEST_OFFSET_MINUTES:
        raise PlanError(f"{text!r} is no civil time's offset from UTC; they run from -12:00 to +14:00")
    return minutes / 60.0


def write_offset(hours: float) -> str:
    """Return an offset as EXIF writes it, rounded to the minute."""
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 and minutes else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def read_position(text: str) -> Position:
    """Return the place in ``-33.8688000, 151.2093000`` (latitude, longitude)."""
    parts = text.split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
        return Position(latitude, longitude)
    except ValueError as error:
        raise PlanError(f"{text!r} is not a position ({error}); write latitude, longitude in degrees") from error


def write_position(position: Position) -> str:
    """Return a position to a centimetre."""
    return write_coordinates(position.latitude_deg, position.longitude_deg)


def write_coordinates(latitude_deg: float, longitude_deg: float) -> str:
    """Return two coordinates as a file has them, also those that are no position."""
    return f"{latitude_deg:.7f}, {longitude_deg:.7f}"


def read_keywords(text: str) -> tuple[str, ...]:
    """Return the keywords in ``gtloc|flag|time; holiday``."""
    words = tuple(word.strip() for word in text.split(";") if word.strip())
    if not words or any(not word.isprintable() or len(word) > 200 for word in words):
        raise PlanError(f"{text!r} holds no keywords, or one that cannot be printed; separate them by semicolons")
    return words


def read_file_name(text: str) -> str:
    """Return a file name that every system in common use can hold: no folder, nothing hidden, at most 255 bytes."""
    stem = text.partition(".")[0]
    unfit = (
        not text.isprintable()
        or set(text) & set('<>:"/\\|?*')
        or text[-1:] in {".", " "}
        or text[:1] in {".", " ", "-"}
    )
    if not stem or unfit or len(text.encode()) > LONGEST_NAME_BYTES or _RESERVED.fullmatch(stem):
        raise PlanError(
            f"{text!r} is no name that every system can give a file; write one like 2024-06-15_12-00-00.jpg"
        )
    return text


def write_keywords(words: Iterable[str]) -> str:
    """Return keywords as a plan writes them."""
    return "; ".join(words)


def read_shift(text: str) -> float:
    """Return the seconds in a shift such as ``+01:02:00`` or ``+366d 12:00:00``.

    Raises:
        PlanError: when it is none. A bare number is refused, because tools disagree on its unit, and so is
            ``+1:00`` with one colon: an hour to some, a minute to others.
    """
    found = re.fullmatch(r"([+-])(?:(\d{1,5})d\s*)?(?:(\d{1,4}):([0-5]\d):([0-5]\d))?", text.strip())
    if found is None or not (found[2] or found[3]):
        raise PlanError(
            f"{text!r} is not a shift, or could be read in two ways; write its sign, hours, minutes and seconds: "
            "+01:00:00 is an hour forward, -00:01:00 a minute back, -366d 12:00:00 days too"
        )
    days, hours, minutes, seconds = (int(found[group] or 0) for group in (2, 3, 4, 5))
    total = float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    return -total if found[1] == "-" else total


def write_shift(seconds: float) -> str:
    """Return a shift as :func:`read_shift` reads it."""
    whole = math.floor(abs(seconds) + 0.5)
    sign = "-" if seconds < 0 else "+"
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{sign}{days}d {clock}" if days else f"{sign}{clock}"
