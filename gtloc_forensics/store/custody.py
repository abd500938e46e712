"""The custody chain: every event names the hash of the one before it.

What is hashed is canonical JSON of all fields, so anyone can recompute it with
a few lines of any language (docs/evidence.md says how).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
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
    faults = []
    previous, expected = GENESIS, 1
    for item in events:
        again = event_of(
            item.sequence, item.utc_time, item.actor, item.action, item.subject, item.detail, item.previous_hash
        )
        if item.sequence != expected:
            faults.append(f"custody event {expected} is missing: the next one found is {item.sequence}")
        elif item.previous_hash != previous:
            faults.append(f"custody event {item.sequence} does not follow event {item.sequence - 1}: its link differs")
        if again.event_hash != item.event_hash:
            faults.append(f"custody event {item.sequence} ({item.action} {item.subject}) was altered: its hash differs")
        previous, expected = item.event_hash, item.sequence + 1
    return tuple(faults)


def canonical_json(value: Any) -> str:
    """Return *value* as JSON with sorted keys, no spaces and nothing but ASCII: one form for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


@lru_cache(maxsize=1)
def actor() -> str:
    """Return who acts, for the custody chain: the account name, or its number."""
    with suppress(KeyError, OSError, ModuleNotFoundError):
        import getpass

        return getpass.getuser()
    return "unknown account"
