"""A large case a window at a time: the rows in sight, what is next, and the dots of map and timeline.

Of a small case the page holds all rows and answers itself, as a copy without a service does;
of a large one it asks here, and nothing it asks for grows with the case but the dots of a map.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from gtloc_forensics.case.reviewing.reading import Listing, Row
from gtloc_forensics.records import Decision, Judgement, Outcome, Reviewed, Standing, Status

WHOLE = 1_500
"""Photos of a case whose rows are all sent at once."""

MOST_ROWS = 100
"""Rows in one answer."""

BESIDE = 3
"""Photos before and after one, in time."""

AHEAD = 4
"""Photos that a page asks for before somebody goes there."""

_KEPT = 12
"""Orders of rows that are remembered: a list is asked for in many pieces."""

_GRAVEST = (Outcome.CONTRADICTION, Outcome.SUSPICIOUS, Outcome.EXPLAINED)
_FOUND = _GRAVEST[:2]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: their name, "" where nobody is named, and whether they asked for what others decided."""

    examiner: str
    others: bool

    def sees(self, made: Decision) -> bool:
        """Whether a decision is shown."""
        return self.others or made.examiner == self.examiner

    def is_done(self, item: Reviewed) -> bool:
        """Whether a finding needs this reader no more: settled by them, or handed on to somebody else."""
        if not self.sees(item.decision) or (self.examiner and item.decision.examiner != self.examiner):
            return False
        handed_on = bool(self.examiner) and item.decision.judgement is Judgement.SECOND_READER
        return item.counts or (handed_on and item.standing is not Standing.OVERTAKEN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for, in which order; what is empty asks nothing."""

    text: str = ""
    status: str = ""
    device: str | None = None
    undecided: bool = False
    cause: int = 0
    unseen: bool = False
    work: bool = False  # in the order in which findings are decided, each photo once
    sort: str = ""  # name, time or weight

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Wanted:
        """Read it from the fields of an address; what cannot be understood asks nothing."""
        cause = asked.get("cause", "")
        return cls(
            text=asked.get("text", "").lower(),
            status=asked.get("status", ""),
            device=asked.get("device"),
            undecided=asked.get("undecided") == "1",
            cause=int(cause) if cause.isdecimal() and len(cause) < 10 else 0,
            unseen=asked.get("unseen") == "1",
            work=asked.get("work") == "1",
            sort=asked.get("sort", ""),
        )


@dataclass(frozen=True, slots=True)
class Standings:
    """What one reader sees of the decisions: of each finding those in force, and which findings are done with."""

    shown: Mapping[tuple[str, str], Sequence[Reviewed]]
    done: Collection[tuple[str, str]]


class Windows:
    """The list of one examination, a piece at a time."""

    def __init__(self, listing: Listing) -> None:
        """Prepare; every order is made when it is first asked for."""
        self.listing = listing
        self._orders: OrderedDict[tuple[object, ...], Sequence[int]] = OrderedDict()
        self._standings: tuple[tuple[object, ...], Standings] | None = None
        self._turn = threading.RLock()  # many requests are answered at once

    # ----------------------------------------------------------------- what was decided

    def standings(self, reader: Reader) -> Standings:
        """Return what the reader sees of the decisions as the chain holds them now."""
        key = (reader, self.listing.view.custody_window(1, 0)[0])
        with self._turn:
            if self._standings is None or self._standings[0] != key:
                self._standings = (key, self._standings_of(reader))
                self._orders = OrderedDict((name, order) for name, order in self._orders.items() if name[-1] is None)
            return self._standings[1]

    def _standings_of(self, reader: Reader) -> Standings:
        book = self.listing.view.decisions()
        rows = list(filter(None, map(self.listing.row, book.judged_photos)))
        ways = self.listing.ways([row.source_id for row in rows])
        shown: dict[tuple[str, str], list[Reviewed]] = {}
        for row in rows:
            for item in book.standing_of(row.source_id, row.sha256, ways[row.source_id]):
                if reader.sees(item.decision):
                    shown.setdefault((row.source_id, item.check_id), []).append(item)
        done = frozenset(key for key, items in shown.items() if any(map(reader.is_done, items)))
        return Standings(shown, done)

    @cached_property
    def work(self) -> Sequence[tuple[int, str]]:
        """All findings in the order of work, as row and rule: the weightiest cause first, what none explains last."""
        rows, order = self.listing.rows, dict[tuple[int, str], None]()
        for keys in self.listing.members:
            for source_id, check_id in keys:
                row = self.listing.row(source_id)
                if row is not None and row.outcomes.get(check_id) in _FOUND:
                    order.setdefault((row.ordinal, check_id))
        for row in rows:
            order.update(((row.ordinal, check), None) for check, outcome in row.outcomes.items() if outcome in _FOUND)
        return tuple(order)

    @cached_property
    def _place_in_work(self) -> Mapping[tuple[int, str], int]:
        return {key: at for at, key in enumerate(self.work)}

    def _is_open(self, ordinal: int, check_id: str, standings: Standings) -> bool:
        return (self.listing.rows[ordinal].source_id, check_id) not in standings.done

    def left(self, reader: Reader) -> tuple[int, int]:
        """Return how many findings are undecided, and how many there are."""
        standings = self.standings(reader)
        return sum(self._is_open(*key, standings) for key in self.work), len(self.work)

    def next(self, source_id: str, check_id: str, reader: Reader) -> tuple[str, str] | None:
        """Return the next undecided finding after one, from the beginning where none follows; None when all are."""
        row, standings = self.listing.row(source_id), self.standings(reader)
        here = -1 if row is None else self._place_in_work.get((row.ordinal, check_id), -1)
        for key in (*self.work[here + 1 :], *self.work[: here + 1]):
            if self._is_open(*key, standings):
                return self.listing.rows[key[0]].source_id, key[1]
        return None

    def causes(self, reader: Reader) -> list[list[Any]]:
        """Return of each cause how many findings are open, whether any is done, and what is said of its first one."""
        standings, told = self.standings(reader), []
        for keys in self.listing.members:
            open_n, is_any_done = 0, False
            for key in keys:
                is_done = key in standings.done
                is_any_done = is_any_done or is_done
                row = None if is_done else self.listing.row(key[0])
                open_n += row is not None and row.outcomes.get(key[1]) in _FOUND
            first = standings.shown.get(keys[0], ()) if keys else ()
            told.append([open_n, is_any_done, [said(item) for item in first]])
        return told

    # ----------------------------------------------------------------- rows

    def order(self, wanted: Wanted, reader: Reader) -> Sequence[int]:
        """Return the numbers of the rows that are wanted, in their order."""
        standings = self.standings(reader)
        key = (wanted, reader, standings.done if wanted.undecided else None)
        with self._turn:
            if key not in self._orders:
                self._orders[key] = self._ordered(wanted, standings)
                while len(self._orders) > _KEPT:
                    self._orders.popitem(last=False)
            self._orders.move_to_end(key)
            return self._orders[key]

    def _ordered(self, wanted: Wanted, standings: Standings) -> Sequence[int]:
        rows = self.listing.rows
        if wanted.cause:
            groups = self.listing.groups
            photos = groups[wanted.cause - 1].source_ids if wanted.cause <= len(groups) else ()
            return tuple(row.ordinal for row in map(self.listing.row, photos) if row is not None)
        if wanted.work:
            return tuple(dict.fromkeys(ordinal for ordinal, _ in self.work))
        found: Iterable[int] = (row.ordinal for row in rows if self._is_wanted(row, wanted, standings))
        if wanted.sort == "time":
            kept = frozenset(found)
            return tuple(ordinal for ordinal in self.in_time if ordinal in kept)
        if wanted.sort == "weight":
            return tuple(sorted(found, key=lambda ordinal: _weight(rows[ordinal])))
        return tuple(found)

    def _is_wanted(self, row: Row, wanted: Wanted, standings: Standings) -> bool:
        status = row.status.name.lower()
        is_partial = row.is_partial and wanted.status == Status.NOT_EXAMINED.name.lower()
        if wanted.unseen and not (row.is_partial or row.status in (Status.NOT_TESTABLE, Status.NOT_EXAMINED)):
            return False
        return (
            (not wanted.text or wanted.text in row.name.lower())
            and (not wanted.status or status == wanted.status or is_partial)
            and (wanted.device is None or row.device_key == wanted.device)
            and (not wanted.undecided or bool(self._open_rules(row, standings)))
        )

    def _open_rules(self, row: Row, standings: Standings) -> list[str]:
        return [
            check
            for check, outcome in row.outcomes.items()
            if outcome in _FOUND and (row.source_id, check) not in standings.done
        ]

    @cached_property
    def in_time(self) -> Sequence[int]:
        """The numbers of all rows by claimed time, then name; what claims none comes last."""
        rows = self.listing.rows
        return tuple(sorted(range(len(rows)), key=lambda at: (rows[at].local_time or "9", rows[at].name)))

    @cached_property
    def _by_device(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {}
        for ordinal in self.in_time:
            found.setdefault(self.listing.rows[ordinal].device_key, []).append(ordinal)
        return found

    @cached_property
    def counted(self) -> Mapping[str, int]:
        """Camera → how many photos."""
        return {key: len(ordinals) for key, ordinals in self._by_device.items()}

    def beside(self, row: Row) -> list[int]:
        """Return a photo and its neighbours in time, of the same camera; nothing where it claims no time."""
        if not row.local_time:
            return []
        rows = self.listing.rows
        timed = [ordinal for ordinal in self._by_device[row.device_key] if rows[ordinal].local_time]
        at = timed.index(row.ordinal)
        return timed[max(0, at - BESIDE) : at + BESIDE + 1]

    def aside(self, source_id: str, wanted: Wanted, reader: Reader) -> dict[str, Any]:
        """Return which photos come before and after one in a list, and which are worth having ready."""
        row, order = self.listing.row(source_id), self.order(wanted, reader)
        rows = self.listing.rows
        at = order.index(row.ordinal) if row is not None and row.ordinal in order else -1
        if at < 0 and row is not None:  # not of that list: then of the whole
            order, at = range(len(rows)), row.ordinal
        coming = [rows[ordinal].source_id for ordinal in order[at + 1 : at + 1 + AHEAD]]
        following = self.next("", "", reader)
        if following and following[0] not in (source_id, *coming):
            coming.append(following[0])
        return {
            "previous": rows[order[at - 1]].source_id if at > 0 else None,
            "next": coming[0] if 0 <= at < len(order) - 1 else None,
            "coming": coming if at >= 0 else [],
        }

    # ----------------------------------------------------------------- dots

    def points(self, device: str | None) -> dict[str, Any]:
        """Return what map and timeline draw, in columns: of all photos or those of a camera, in order of time.

        Names and ids are left out where there are too many to be shown one by one.
        """
        ordinals = self.in_time if device is None else self._by_device.get(device, ())
        rows = [self.listing.rows[ordinal] for ordinal in ordinals]
        devices = {key: number for number, key in enumerate(dict.fromkeys(row.device_key for row in rows))}
        told: dict[str, Any] = {
            "row": list(ordinals),
            "local": [_seconds(row.local_time) for row in rows],
            "latitude": [_degrees(row.latitude_deg) for row in rows],
            "longitude": [_degrees(row.longitude_deg) for row in rows],
            "device": [devices[row.device_key] for row in rows],
            "devices": list(devices),
            "worst": [_worst(row) for row in rows],
        }
        if device is not None:
            told["counter"] = [list(row.counter) if row.counter else None for row in rows]
        if device is not None or len(rows) <= WHOLE:
            told["id"] = [row.source_id for row in rows]
        if len(rows) <= WHOLE:
            told["name"] = [row.name for row in rows]
        return told


def said(item: Reviewed) -> dict[str, Any]:
    """Return how a decision stands on a finding, as the page takes it."""
    return {"event": item.decision.number, "standing": item.standing.value, "counts": item.counts}


def _worst(row: Row) -> int:
    """Return 0 where nothing was found, else 1, 2 or 3 for explained, suspicious or contradicted."""
    outcomes = set(row.outcomes.values())
    return next((3 - at for at, outcome in enumerate(_GRAVEST) if outcome in outcomes), 0)


def _weight(row: Row) -> tuple[int, int, int]:
    return -_worst(row), -len(row.outcomes), row.ordinal


def _seconds(local_time: str) -> int | None:
    """Return a local time as seconds of its own calendar, as the page counts them."""
    if not local_time:
        return None
    return int(datetime.fromisoformat(local_time[:19]).replace(tzinfo=UTC).timestamp())


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
