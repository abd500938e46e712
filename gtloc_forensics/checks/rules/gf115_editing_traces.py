"""GF115 — Traces of editing.

Shows: which programs the file names, steps of its history dated before the capture, and
pictures that say themselves that they were generated, whole or in part.

Cannot show: edits whose program left no name; that a named edit touched more than size or colour.

Blind spots: all of this is text that anybody can remove or write.

Threshold: a history step more than 26 h before the capture; the mere name of a program. An ordinary
export by an editor is *explained*. A program made for changing metadata is remarked on as *suspicious* and
weak; a statement that the picture or a part of it was generated, or the name of a program that generates
pictures, as *suspicious* and strong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtloc_forensics.checks import Context, check, claim_of, consistent
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Sentence, Severity, Stated, Statement, durations

ZONES_S = 26 * 3600.0


@check("GF115", title="Traces of editing", needs=("claim",), version="4")
def editing_traces(photo: Photo, context: Context) -> Iterator[Finding]:
    """Name the programs that handled the file, and what is odd about them."""
    claim = claim_of(photo)
    findings = [*_generated(claim), *_before_capture(claim), *_date_changers(claim)]
    edited = programs.editors(claim)
    if not findings and edited:
        summary = Sentence("Exported by an editor: {programs}.", programs="; ".join(dict.fromkeys(edited))[:120])
        findings.append(
            checks_findings.explained(
                "GF115", claim, summary, kind="exported", severity=Severity.INFO, observed=_observed(claim)
            )
        )
    yield from findings or [consistent("GF115", claim.source_id, Sentence("No program but the camera's own is named."))]


def _generated(claim: Claim) -> Iterator[Finding]:
    severity = Severity.HIGH
    if said := programs.said_generated(claim):
        summary = Sentence("The file itself says that its picture was generated: {said:list}.", said=_cut(said))
    elif said := programs.said_generated(claim, programs.PARTLY_GENERATED):
        summary = Sentence(
            "The file itself says that parts of its picture were generated: {said:list}.", said=_cut(said)
        )
        severity = Severity.MEDIUM
    elif named := programs.generators(claim):
        summary = Sentence("The file names a program that generates pictures: {said:list}.", said=_cut(named))
    else:
        summary = None
    if summary is not None:
        yield checks_findings.suspicious(
            "GF115",
            claim,
            summary,
            kind="generated",
            severity=severity,
            confidence=Confidence.STRONG,
            observed=_observed(claim),
            innocent=(Sentence("a photo to which a generating tool was applied in a corner"),),
        )


def _cut(texts: Sequence[Statement]) -> tuple[Statement, ...]:
    return tuple(text if isinstance(text, Sentence) else text[:120] for text in texts)


def _before_capture(claim: Claim) -> Iterator[Finding]:
    if not isinstance(claim.local_time, Stated):
        return
    local = claim.local_time.value
    steps = [found.wall for text in _history(claim) if (found := tag_values.full_date(text)) is not None]
    early = [step for step in steps if durations.gap_seconds(local, step) > ZONES_S]
    if early:
        yield checks_findings.suspicious(
            "GF115",
            claim,
            Sentence(
                "The editing history begins {early_s:spoken} before the claimed capture.",
                early_s=durations.gap_seconds(local, min(early)),
            ),
            kind="edit",
            severity=Severity.HIGH,
            confidence=Confidence.STRONG,
            observed=(Sentence("First step {step}; capture {local}.", step=min(early), local=local),),
            innocent=(Sentence("the capture date was corrected for a wrong camera clock"),),
        )


def _date_changers(claim: Claim) -> Iterator[Finding]:
    if tools := programs.date_changers(claim):
        yield checks_findings.suspicious(
            "GF115",
            claim,
            Sentence("A program for changing metadata is named: {programs}.", programs="; ".join(tools)[:120]),
            kind="edit",
            confidence=Confidence.CONTEXT,
            observed=_observed(claim),
            innocent=(Sentence("a position or a title was added"), Sentence("a wrong camera clock was corrected")),
        )


def _history(claim: Claim) -> list[str]:
    return [str(value) for value in claim.tags.get("XMP-xmpMM:HistoryWhen", ())]


def _observed(claim: Claim) -> tuple[Sentence, ...]:
    return tuple(checks_findings.entry(tag, name[:120]) for tag, name in programs.named(claim).items())
