"""A plan carried to the server: asked first, written, read back, journalled, undone.

The server is told of a time in one of two ways: many photos at once by an amount and a zone, or one
photo by its whole time. The first is tried on one photo of each group; only if that reads back
right are the others moved so. What does not read back right is named, and what a later job of the server
overwrites is found by :func:`checked`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.case.immich.assets import SAME_PLACE_DEG, Asset, Fetched, Index
from gtloc_forensics.case.immich.server import Server
from gtloc_forensics.correct.changes import Change, Plan, Quantity, new_of, old_of
from gtloc_forensics.correct.journal import BEGIN, COMMIT, DONE, INTEND, REFUSED, UNDONE, Entry, Journal
from gtloc_forensics.errors import ServerFailed, UsageError
from gtloc_forensics.records import Position, Scalar, visible

PATIENCE_S = 30.0
"""How long the server's jobs may take until a change reads back."""
LOOK_EVERY_S = 0.5
MOST_AT_ONCE = 200
Witness = Callable[[str, dict[str, Scalar]], None]


@dataclass(frozen=True, slots=True)
class State:
    """What is to be so on the server; None for what is not meant, or not known."""

    local: datetime | None
    offset_minutes: int | None
    position: Position | None

    def holds(self, asset: Asset) -> bool:
        """Return whether the server has it so."""
        if self.local is not None and not _same_second(self.local, asset.local):
            return False
        if self.local is not None and self.offset_minutes is not None and asset.offset_minutes != self.offset_minutes:
            return False
        return self.position is None or _same_place(self.position, asset.position)

    def facts(self) -> dict[str, Any]:
        """Return it as the journal keeps it."""
        place = self.position
        return {
            "local": self.local.isoformat() if self.local else "",
            "offset_minutes": self.offset_minutes,
            "place": [place.latitude_deg, place.longitude_deg] if place else None,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """What a transaction came to: photos that read back right, and those left, each with the reason."""

    transaction: str
    done: tuple[bytes, ...]
    refused: tuple[tuple[bytes, str], ...]


@dataclass(frozen=True, slots=True)
class _Job:
    relative: bytes
    fetched: Fetched
    before: Asset
    wanted: State

    def facts(self) -> dict[str, Any]:
        """Return what the journal must know to take it back."""
        before = _state_of(self.before, self.wanted).facts() | {"zone": self.before.zone}
        return {"asset": self.fetched.asset_id, "before": before, "after": self.wanted.facts()}


class Sending:
    """One transaction with the server."""

    def __init__(self, server: Server, journal: Journal, witness: Witness, *, patience_s: float = PATIENCE_S) -> None:
        """Write to *server*, keep every step in *journal* and tell *witness* of every photo."""
        self.server, self.journal, self.witness, self.patience_s = server, journal, witness, patience_s
        self.transaction = ""

    def apply(self, plan: Plan, index: Index) -> Sent:
        """Carry out the lines about times and positions.

        Raises:
            UsageError: no photo of the plan came from this server.
            ServerFailed: the server cannot be reached; what was done is in the journal.
        """
        self._settle_interrupted()
        files = index.by_path
        lines = {path: changes for path, changes in plan.by_photo().items() if path in files}
        if not lines:
            raise UsageError("no photo of this plan was fetched from the server; `gtloc immich fetch` comes first")
        self.transaction = self.journal.next_transaction()
        self.journal.append(self.transaction, BEGIN, server=self.server.address)
        groups: dict[tuple[int, str], list[_Job]] = defaultdict(list)
        alone: list[_Job] = []
        for relative, changes in lines.items():
            job = self._job(relative, changes, files[relative])
            if isinstance(job, str):
                self._refuse(relative, job)
            elif job is not None:
                key = _bulk(job)
                (groups[key] if key is not None else alone).append(job)
        for (minutes, zone), jobs in groups.items():
            alone += self._many(minutes, zone, jobs)
        for job in alone:
            self._one(job)
        self.journal.append(self.transaction, COMMIT)
        return self._result()

    def _job(self, relative: bytes, changes: Sequence[Change], fetched: Fetched) -> _Job | str | None:
        """Return what is to be done to a photo, None where nothing is, or why it is left."""
        by = {change.quantity: change for change in changes if change.new != change.old}
        clock, offset, place = (by.get(kind) for kind in (Quantity.LOCAL_TIME, Quantity.OFFSET, Quantity.POSITION))
        if not (clock or offset or place):
            return None
        now = self.server.asset(fetched.asset_id)
        if now.sha1 != fetched.sha1:
            return "the server has another file for it now; fetch again and make a new plan"
        stated = old_of(clock, datetime)
        if (clock or offset) and now.local is None:
            return "the server states no time for it"
        if (
            stated is not None
            and not _same_second(new_of(clock, datetime), now.local)
            and not _same_second(stated, now.local)
        ):
            return (
                f"the server says {now.local}, the plan was made for {stated}; somebody set it there: settle that first"
            )
        if place is not None and now.position is None:
            return "the server has no position for it and could not take one back; write sidecars (--beside) instead"
        hours = new_of(offset, float)
        minutes = now.offset_minutes if hours is None else round(hours * 60)
        local = new_of(clock, datetime) or now.local
        timed = clock is not None or offset is not None
        wanted = State(local if timed else None, minutes if timed else None, new_of(place, Position))
        return None if wanted.holds(now) else _Job(relative, fetched, now, wanted)

    # ----------------------------------------------------------------- writing

    def _many(self, minutes: int, zone: str, jobs: list[_Job]) -> list[_Job]:
        """Move a group by the bulk call; return those that must be told their whole time."""
        first, *others = jobs
        if not self._bulk_call(minutes, zone, [first]):
            return jobs
        left: list[_Job] = []
        for start in range(0, len(others), MOST_AT_ONCE):
            part = others[start : start + MOST_AT_ONCE]
            self._bulk_call(minutes, zone, part, settles=False)
            left += [job for job in part if not self._settled(job)]
        return left

    def _bulk_call(self, minutes: int, zone: str, jobs: list[_Job], *, settles: bool = True) -> bool:
        changes: dict[str, Any] = {"ids": [job.fetched.asset_id for job in jobs]}
        changes |= {"dateTimeRelative": minutes} if minutes else {}
        changes |= {"timeZone": zone} if zone else {}
        for job in jobs:
            self._intend(job, changes | {"ids": [job.fetched.asset_id]})
        try:
            self.server.update_many(changes)
        except ServerFailed as error:
            if error.is_passing:
                raise
            return False
        return all(self._settled(job) for job in jobs) if settles else True

    def _one(self, job: _Job) -> None:
        for changes in _whole(job.wanted):
            self._intend(job, changes)
            try:
                self.server.update_one(job.fetched.asset_id, changes)
            except ServerFailed as error:
                if error.is_passing:
                    raise
                self._refuse(job.relative, str(error))
                return
        if not self._settled(job):
            external = ", which it reads in place" if job.before.is_external else ""
            now = self.server.asset(job.fetched.asset_id)
            self._refuse(
                job.relative,
                f"the server took the change and still says {now.local} (zone {now.zone or 'not stated'}){external}; "
                "its library may be read-only",
            )

    def _settled(self, job: _Job) -> bool:
        """Wait until the server says what was asked for; journal it then."""
        if not self._reads_back(job.fetched.asset_id, job.wanted):
            return False
        self._done(job.relative, job.facts())
        return True

    def _done(self, relative: bytes, facts: dict[str, Any]) -> None:
        self._tell(self.journal.append(self.transaction, DONE, photo=relative, **facts), "apply")

    def _settle_interrupted(self) -> None:
        """Find out what became of photos that were under way when the program died; a shift is never sent twice."""
        for name in self.journal.transactions():
            if self.journal.is_open(name):
                self.transaction = name
                last = {entry.photo: entry for entry in self.journal.of(name) if entry.photo}
                for entry in last.values():
                    if entry.step == INTEND and _state(entry.facts["after"]).holds(self._now(entry)):
                        self._done(entry.relative, {word: entry.facts[word] for word in ("asset", "before", "after")})
                self.journal.append(name, COMMIT)

    def _now(self, entry: Entry) -> Asset:
        return self.server.asset(entry.facts["asset"])

    def _reads_back(self, asset_id: str, wanted: State) -> bool:
        until = time.monotonic() + self.patience_s
        while not wanted.holds(self.server.asset(asset_id)):
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_EVERY_S)
        return True

    # ----------------------------------------------------------------- undoing

    def undo(self) -> Sent:
        """Take the latest transaction that is not undone back, photo by photo, the last first.

        Raises:
            UsageError: there is none.
            ServerFailed: the server cannot be reached; the same call goes on from there.
        """
        self._settle_interrupted()
        open_ones = [name for name in self.journal.transactions() if not self.journal.is_undone(name)]
        if not open_ones:
            raise UsageError("nothing was written to the server that could be undone")
        self.transaction = open_ones[-1]
        refused: list[tuple[bytes, str]] = []
        back: list[bytes] = []
        for entry in reversed(_standing(self.journal, self.transaction)):
            why = self._give_back(entry)
            if why:
                refused.append((entry.relative, why))
                continue
            undone = self.journal.append(self.transaction, UNDONE, photo=entry.relative)
            self._tell(replace(undone, facts=entry.facts), "undo")
            back.append(entry.relative)
        if not refused:
            self.journal.append(self.transaction, UNDONE)
        return Sent(self.transaction, tuple(back), tuple(refused))

    def _give_back(self, entry: Entry) -> str:
        """Return why a photo cannot be given its old values back, "" where it has them."""
        asset_id = entry.facts["asset"]
        now, old, new = self.server.asset(asset_id), _state(entry.facts["before"]), _state(entry.facts["after"])
        if old.holds(now):
            return ""
        if not new.holds(now):
            return f"it was changed on the server since: {now.local} there; what stands there now is left alone"
        zone = entry.facts["before"]["zone"]
        try:
            if old.local is not None and zone and new.offset_minutes is not None and old.offset_minutes is not None:
                moved = _instant(old.local, old.offset_minutes) - _instant(new.local or old.local, new.offset_minutes)
                if moved.total_seconds() % 60 == 0:
                    minutes = round(moved.total_seconds() / 60)
                    asked: dict[str, Any] = {"ids": [asset_id], "timeZone": zone}
                    self.server.update_many(asked | ({"dateTimeRelative": minutes} if minutes else {}))
                    if self._reads_back(asset_id, replace(old, position=None)):
                        old = replace(old, local=None)
            for changes in _whole(old):
                self.server.update_one(asset_id, changes)
        except ServerFailed as error:
            if error.is_passing:
                raise
            return str(error)
        whole = _state(entry.facts["before"])
        return "" if self._reads_back(asset_id, whole) else "the server took the old value and does not show it"

    # ----------------------------------------------------------------- the journal

    def _intend(self, job: _Job, changes: dict[str, Any]) -> None:
        self.journal.append(self.transaction, INTEND, photo=job.relative, request=changes, **job.facts())

    def _refuse(self, relative: bytes, why: str) -> None:
        self.journal.append(self.transaction, REFUSED, photo=relative, reason=why)

    def _tell(self, entry: Entry, step: str) -> None:
        detail: dict[str, Scalar] = {
            "server": self.server.address,
            "transaction": self.transaction,
            "step": step,
            "asset": entry.facts["asset"],
            "before": entry.facts["before"]["local"],
            "after": entry.facts["after"]["local"],
        }
        self.witness(visible(entry.relative), detail)

    def _result(self) -> Sent:
        entries = self.journal.of(self.transaction)
        done = tuple(dict.fromkeys(entry.relative for entry in entries if entry.step == DONE))
        refused = {entry.relative: entry.facts["reason"] for entry in entries if entry.step == REFUSED}
        return Sent(self.transaction, done, tuple(refused.items()))


def checked(server: Server, journal: Journal) -> Iterator[tuple[bytes, str]]:
    """Yield the photos that the server shows otherwise than they were left, and what it says now."""
    for transaction in journal.transactions():
        if not journal.is_undone(transaction):
            for entry in _standing(journal, transaction):
                now = server.asset(entry.facts["asset"])
                if not _state(entry.facts["after"]).holds(now):
                    left = entry.facts["after"]["local"] or "the position"
                    yield (
                        entry.relative,
                        f"left at {left}, the server says {now.local} (zone {now.zone or 'not stated'})",
                    )


def _standing(journal: Journal, transaction: str) -> list[Entry]:
    entries = journal.of(transaction)
    undone = {entry.photo for entry in entries if entry.step == UNDONE}
    return [entry for entry in entries if entry.step == DONE and entry.photo not in undone]


def _bulk(job: _Job) -> tuple[int, str] | None:
    """Return by how many minutes, and to which zone, the bulk call moves a photo; None where it cannot."""
    before, wanted = job.before, job.wanted
    if wanted.local is None or before.local is None or wanted.position is not None:
        return None
    old, new = before.offset_minutes or 0, wanted.offset_minutes or 0
    moved = _instant(wanted.local, new) - _instant(before.local.replace(microsecond=0), old)
    if moved.total_seconds() % 60:
        return None
    zone = "" if new == old else _zone_name(new)
    if zone is None:
        return None
    return round(moved.total_seconds() / 60), zone


def _zone_name(minutes: int) -> str | None:
    """Return a zone that is always so far from UTC, None where there is none; Etc/GMT-2 is two hours *ahead*."""
    hours, rest = divmod(minutes, 60)
    if rest or not -12 <= hours <= 14:
        return None
    return "Etc/UTC" if hours == 0 else f"Etc/GMT{-hours:+d}"


def _whole(wanted: State) -> Iterator[dict[str, Any]]:
    """Yield the calls that tell one photo its whole time, and its place."""
    if wanted.local is not None:
        minutes = wanted.offset_minutes or 0
        sign, size = "-" if minutes < 0 else "+", abs(minutes)
        local = wanted.local.isoformat(timespec="milliseconds")
        yield {"dateTimeOriginal": f"{local}{sign}{size // 60:02d}:{size % 60:02d}"}
    if wanted.position is not None:
        yield {"latitude": wanted.position.latitude_deg, "longitude": wanted.position.longitude_deg}


def _instant(local: datetime, offset_minutes: int) -> datetime:
    return local - timedelta(minutes=offset_minutes)


def _state_of(asset: Asset, meant: State) -> State:
    timed = meant.local is not None
    return State(
        asset.local if timed else None,
        asset.offset_minutes if timed else None,
        asset.position if meant.position else None,
    )


def _state(facts: dict[str, Any]) -> State:
    local = datetime.fromisoformat(facts["local"]) if facts["local"] else None
    return State(local, facts["offset_minutes"], Position(*facts["place"]) if facts["place"] else None)


def _same_second(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one.replace(microsecond=0) == other.replace(microsecond=0)


def _same_place(one: Position, other: Position | None) -> bool:
    return (
        other is not None
        and abs(one.latitude_deg - other.latitude_deg) < SAME_PLACE_DEG
        and abs(one.longitude_deg - other.longitude_deg) < SAME_PLACE_DEG
    )
