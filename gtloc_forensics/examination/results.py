"""What was concluded of each photo, and how what comparing rules say joins it.

A rule that compares says of nearly every photo that it had nothing to go on. As
findings that is kilobytes a photo; as a rule's id and a shared sentence it is a few
bytes, and so it waits until all of those rules have run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from gtloc_forensics.records import Confidence, Finding, Outcome, PhotoResult, Severity, Unexamined


def digest_of(verdicts: Iterable[bytes]) -> str:
    """Return one hash over what was concluded of every photo, in path order; the custody chain holds it."""
    digest = hashlib.sha256()
    for packed in verdicts:
        digest.update(hashlib.sha256(packed).digest())
    return digest.hexdigest()


class NotTestable:
    """Bare *not testable* outcomes by photo."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._said: dict[str, list[tuple[str, str]]] = {}
        self._sentences: dict[str, str] = {}

    def without(self, findings: Iterable[Finding]) -> list[Finding]:
        """Keep the bare *not testable* ones among *findings* and return the others."""
        return [finding for finding in findings if not self._took(finding)]

    def of(self, source_id: str) -> list[Finding]:
        """Return what was kept of one photo, in the order it was said."""
        return [_bare(check_id, source_id, summary) for check_id, summary in self._said.get(source_id, ())]

    def _took(self, finding: Finding) -> bool:
        if finding.outcome is not Outcome.NOT_TESTABLE or len(finding.source_ids) != 1:
            return False
        source_id, summary = finding.source_ids[0], self._sentences.setdefault(finding.summary, finding.summary)
        if finding != _bare(finding.check_id, source_id, summary):
            return False
        self._said.setdefault(source_id, []).append((finding.check_id, summary))
        return True


def _bare(check_id: str, source_id: str, summary: str) -> Finding:
    return Finding(check_id, (source_id,), Outcome.NOT_TESTABLE, Severity.INFO, Confidence.CONTEXT, summary)


Compared: TypeAlias = Mapping[str, tuple[list[Finding], list[Unexamined]]]
"""Source id → what comparing rules found of the photo, and which of them crashed over it."""


def compared_by_photo(findings: Iterable[Finding], crashed: Iterable[Unexamined]) -> Compared:
    """Return what the comparing rules said by the photos they said it of; bare outcomes wait in `NotTestable`."""
    more: dict[str, tuple[list[Finding], list[Unexamined]]] = {}
    for finding in findings:
        for source_id in finding.source_ids:
            more.setdefault(source_id, ([], []))[0].append(finding)
    for failure in crashed:
        more.setdefault(failure.source_id, ([], []))[1].append(failure)
    return more


def merged(verdict: PhotoResult, source_id: str, compared: Compared, untestable: NotTestable) -> PhotoResult:
    """Return what was concluded of one photo with what the comparing rules said of it."""
    found, failed = compared.get(source_id, ([], []))
    joined = sorted([*found, *untestable.of(source_id)], key=lambda finding: finding.check_id)
    return PhotoResult((*verdict.findings, *joined), (*verdict.unexamined, *failed))
