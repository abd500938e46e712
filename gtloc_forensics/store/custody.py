"""The custody chain: every event names the hash of the one before it.

What is hashed is canonical JSON of all fields, so anyone can recompute it with
a few lines of any language (docs/evidence.md says how).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from gtloc_forensics.records import CustodyEvent, Scalar

GENESIS = "0" * 64
"""What the first custody event names as its predecessor."""


def event_of(
    sequence: int,
    utc_time: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Scalar],
    previous_hash: str,
) -> CustodyEvent:
    """Make a custody event; its hash covers every other field, as canonical JSON."""
    content = canonical_json([sequence, utc_time.isoformat(), actor, action, subject, dict(detail), previous_hash])
    digest = hashlib.sha256(content.encode()).hexdigest()
    return CustodyEvent(sequence, utc_time, actor, action, subject, detail, previous_hash, digest)


def verify_chain(events: Iterable[CustodyEvent]) -> tuple[str, ...]:
    """Recompute the chain and return one sentence for each break; none when it holds."""
    checking = ChainCheck()
    return tuple(fault for event in events for fault in checking.faults(_stored_form(event)))


class ChainCheck:
    """Recomputes a chain, one event after the other, as it is stored: an event need not be readable."""

    def __init__(self) -> None:
        """Begin before the first event."""
        self._previous, self._expected = GENESIS, 1
        self._latest: datetime | None = None

    def faults(self, row: Sequence[Any]) -> Iterator[str]:
        """Yield one sentence for each thing that is wrong with the next event.

        Args:
            row: sequence, time, actor, action, subject, detail, previous hash and own hash, as text.
        """
        sequence, utc_time, actor, action, subject, detail, previous_hash, event_hash = row
        if sequence != self._expected:
            yield f"custody event {self._expected} is missing: the next one found is {sequence}"
        elif previous_hash != self._previous:
            yield f"custody event {sequence} does not follow event {sequence - 1}: its link differs"
        self._previous, self._expected = event_hash, sequence + 1
        try:
            event = read_event(row)
        except ValueError as error:
            yield f"custody event {sequence} cannot be read: {error}"
            return
        as_written = (event.utc_time.isoformat(), canonical_json(dict(event.detail))) == (utc_time, detail)
        again = event_of(sequence, event.utc_time, actor, action, subject, event.detail, previous_hash)
        if again.event_hash != event_hash or not as_written:
            yield f"custody event {sequence} ({action} {subject}) was altered: its hash differs"
        yield from self._backwards(event)

    def _backwards(self, event: CustodyEvent) -> Iterator[str]:
        if self._latest is not None and event.utc_time < self._latest:
            yield (
                f"custody event {event.sequence} is dated {event.utc_time.isoformat()} UTC, before an event that it "
                f"follows ({self._latest.isoformat()} UTC): a clock was set back, or the time was chosen"
            )
        self._latest = event.utc_time if self._latest is None else max(self._latest, event.utc_time)


def read_event(row: Sequence[Any]) -> CustodyEvent:
    """Return the event that is stored as *row*: sequence, time, actor, action, subject, detail, two hashes.

    Raises:
        ValueError: its time is no time, or its detail no JSON object; the text says which.
    """
    sequence, utc_time, actor, action, subject, detail, previous_hash, event_hash = row
    try:
        moment = datetime.fromisoformat(utc_time)
    except (TypeError, ValueError):
        raise ValueError("its utc_time is no time") from None
    if moment.tzinfo is not None:
        raise ValueError("its utc_time names an offset")
    try:
        said = json.loads(detail, parse_constant=_refused)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("its detail is no JSON") from None
    if not isinstance(said, dict):
        raise ValueError("its detail is no JSON object")  # noqa: TRY004 - it is about what is stored
    return CustodyEvent(sequence, moment, actor, action, subject, said, previous_hash, event_hash)


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _stored_form(event: CustodyEvent) -> tuple[Any, ...]:
    said = (event.utc_time.isoformat(), event.actor, event.action, event.subject, canonical_json(dict(event.detail)))
    return (event.sequence, *said, event.previous_hash, event.event_hash)


def canonical_json(value: Any) -> str:
    """Return *value* as JSON with sorted keys, no spaces and nothing but ASCII: one form for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def actor() -> str:
    """Return who acts, for the custody chain: the account that the system knows, with its number.

    What the environment says of a name ($LOGNAME and its like) anybody can set. It is
    added where it differs, and marked as that.
    """
    account = _account()
    named = next((os.environ[name] for name in ("LOGNAME", "USER", "LNAME", "USERNAME") if os.environ.get(name)), "")
    if not account:
        return f"account unknown; the environment names {named}" if named else "account unknown"
    name, number = account
    other = f"; the environment names {named}" if named and named != name else ""
    return f"{name} (user id {number}{other})"


def _account() -> tuple[str, int] | None:
    """Return name and number of the account under which this process runs; None where accounts have no number."""
    if not hasattr(os, "getuid"):
        return None
    number = os.getuid()
    with suppress(KeyError, ImportError):
        import pwd

        return pwd.getpwuid(number).pw_name, number
    return "no name", number
