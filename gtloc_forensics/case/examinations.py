"""The examinations that a case keeps: every one that was concluded, the oldest first.

Rows are added and never rewritten, so an earlier conclusion can be read back whole. What it needs beside its own rows
(metadata, previews, predictions) is kept by what it was made of and shared with the later ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import UsageError

if TYPE_CHECKING:
    from gtloc_forensics.case.folder import CaseFolder


@dataclass(frozen=True, slots=True)
class Examination:
    """One of a case's examinations: its number from 1 in the order they were first concluded."""

    number: int
    fingerprint: str
    noted_utc: datetime


def examinations(case: CaseFolder) -> tuple[Examination, ...]:
    """Return the examinations that the chain of custody names and the case still holds."""
    noted: dict[str, datetime] = {}
    for event in case.store.custody("analyse"):
        noted.setdefault(str(event.detail.get("examination", "")), event.utc_time)
    held = [fingerprint for fingerprint in noted if case.store.examination(fingerprint) is not None]
    return tuple(
        Examination(number, fingerprint, noted[fingerprint]) for number, fingerprint in enumerate(held, start=1)
    )


def view_of(case: CaseFolder, number: int) -> StoredCase:
    """Return one examination for reading.

    Raises:
        UsageError: the case has none of that number.
    """
    known = examinations(case)
    if not 1 <= number <= len(known):
        raise UsageError(f"the case holds no examination {number}; it holds 1 to {len(known)}: `gtloc compare --list`")
    return StoredCase(case.store, fingerprint=known[number - 1].fingerprint)
