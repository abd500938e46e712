"""Findings in words: OBSERVED, DERIVED, INFERRED, NOT AVAILABLE, with limits and innocent explanations."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import Finding, Outcome, PhotoEntry
from gtloc_forensics.report.blocks import Block, Facts, Heading, Prose, Text, Together, text_of
from gtloc_forensics.report.chapters.edition import Edition, listing
from gtloc_forensics.report.chapters.strength import alarm, strength
from gtloc_forensics.report.chapters.weighing import weight_of
from gtloc_forensics.report.text import plain

_TOLD = (Outcome.CONTRADICTION, Outcome.SUSPICIOUS, Outcome.EXPLAINED)


def findings(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    """Yield what was found or explained, the gravest first."""
    told = [finding for finding in entry.findings if finding.outcome in _TOLD]
    for index, finding in enumerate(sorted(told, key=weight_of, reverse=True)):
        yield _finding(edition, finding, f"finding-{entry.photo.source.source_id}-{index}")


def silent(edition: Edition, entry: PhotoEntry) -> Iterator[tuple[Text, Text]]:
    """Yield which rules agreed and which had nothing to go on, by their ids."""
    for outcome in (Outcome.CONSISTENT, Outcome.NOT_TESTABLE):
        found = dict.fromkeys(finding.check_id for finding in entry.findings if finding.outcome is outcome)
        if found:
            yield edition.words(f"findings.{outcome.name.lower()}"), text_of(", ".join(map(plain, found)))


def _finding(edition: Edition, finding: Finding, anchor: str) -> Together:
    title = (*text_of(f"{edition.outcome(finding.outcome)}: "), *text_of(edition.rule_name(finding)))
    summary = Prose(text_of(edition.words.sentence(finding.summary)))
    return Together((Heading(title, 3, anchor), summary, Facts(tuple(_once(_rows(edition, finding))), 0.21)))


def _rows(edition: Edition, finding: Finding) -> Iterator[tuple[Text, Text]]:
    words = edition.words
    for kind in ("observed", "derived", "inferred"):
        yield from ((words(f"findings.{kind}"), text_of(words.say(text))) for text in getattr(finding, kind))
    yield from _concerned(edition, finding)
    yield from _weight(edition, finding)
    yield from ((words("findings.limitation"), text_of(words.say(text))) for text in finding.limitations)
    yield from ((words("findings.innocent"), text_of(words.say(text))) for text in finding.innocent)
    if not finding.innocent:
        yield words("findings.innocent"), text_of(words.line("findings.no_innocent"), "quiet")


def _concerned(edition: Edition, finding: Finding) -> Iterator[tuple[Text, Text]]:
    if len(finding.source_ids) > 1:
        yield edition.words("findings.also"), listing(edition, finding.source_ids[1:], most=12)


def _weight(edition: Edition, finding: Finding) -> Iterator[tuple[Text, Text]]:
    words = edition.words
    yield (
        words("findings.judgement"),
        words(
            "findings.judged",
            severity=words.line(f"severity.{finding.severity.name.lower()}"),
            confidence=words.line(f"confidence.{finding.confidence.name.lower()}"),
        ),
    )
    if finding.log10_lr is None and finding.p_value is None:
        return  # said once, in the legend of the photos
    if finding.log10_lr is not None:
        yield words("findings.strength"), strength(edition, finding.log10_lr, about="finding")
    yield words("findings.alarm"), alarm(edition, finding)


def _once(rows: Iterator[tuple[Text, Text]]) -> Iterator[tuple[Text, Text]]:
    """Yield the rows with a label only where it changes."""
    before: Text = ()
    for label, value in rows:
        yield (() if label == before else label), value
        before = label
