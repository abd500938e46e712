"""Decisions read back from the custody chain, in which each of them, and each undoing, is an event."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import CustodyEvent, Decision, Decisions, Judged, Judgement

DECIDE, UNDO = "decide", "undo decision"
"""The actions of the two kinds of event."""


def replayed(events: Iterable[CustodyEvent], examination: str) -> Decisions:
    """Return all decisions that *events* hold, seen from an examination.

    Raises:
        DamagedCase: an event cannot be read as the decision that it says it is.
    """
    made: dict[int, Decision] = {}
    for event in events:
        try:
            if event.action == DECIDE:
                made[event.sequence] = decision_of(event)
            elif event.action == UNDO:
                undone = made[_number(event.detail["replaces"])]
                made[undone.number] = replace(undone, undone_by=event.sequence)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedCase(f"custody event {event.sequence} is no decision that can be read: {error!r}") from error
    return Decisions(tuple(made.values()), examination)


def decision_of(event: CustodyEvent) -> Decision:
    """Return the decision that an event holds.

    Raises:
        KeyError, TypeError, ValueError: it holds none.
    """
    said = event.detail
    replaces = said.get("replaces")
    return Decision(
        number=event.sequence,
        utc_time=event.utc_time,
        examiner=str(said["examiner"]),
        account=event.actor,
        judgement=Judgement(str(said["judgement"])),
        because=str(said.get("because", "")),
        note=str(said.get("note", "")),
        members=tuple(Judged(*map(str, member)) for member in json.loads(str(said["members"]))),
        examination=str(said["examination"]),
        cause=str(said.get("cause", "")),
        device_key=str(said.get("device", "")),
        replaces=None if replaces is None else _number(replaces),
    )


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no number of an event")
    return value
