"""What the rules say of one photo, and in which order findings are told."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from gtloc_forensics.checks import Check, Context, Registry, Scope, not_testable, unmet
from gtloc_forensics.records import Claim, Finding, Outcome, Photo, PhotoResult, Sentence, Statement, Unexamined
from gtloc_forensics.store.codec import pack, unpack


def judge(photo: Photo, registry: Registry, context: Context, *, changed: Statement = "") -> PhotoResult:
    """Run the rules that look at one photo alone.

    Args:
        photo: everything known of it.
        registry: the rules.
        context: the moment of its acquisition.
        changed: what is different about the file at the end of the run; "" for nothing.
    """
    findings: list[Finding] = []
    unexamined = [*_missing_records(photo), *_unread_blocks(photo)]
    if changed:
        reason = Sentence("at the end of the run {changed}", changed=changed)
        unexamined.append(Unexamined(photo.source.source_id, "integrity", reason))
    for rule in registry.of(Scope.PHOTO):
        lacking = unmet(rule, photo)
        if lacking:
            findings.append(not_testable(rule.check_id, photo.source.source_id, lacking))
            continue
        found, failure = run_rule(rule, photo, context)
        findings += map(_of_pieces, found) if photo.source.stat.is_carved else found
        if failure is not None:
            unexamined.append(replace(failure, source_id=photo.source.source_id))
    return PhotoResult(tuple(findings), tuple(unexamined))


def _of_pieces(finding: Finding) -> Finding:
    """Return a finding with the innocent explanation that everything carved has."""
    return replace(finding, innocent=(*finding.innocent, _PIECES)) if finding.is_found else finding


_PIECES = Sentence("it was carved from free space, so that its head and its picture may be of different files")

OUTCOME_RANK = {Outcome.CONTRADICTION: 0, Outcome.SUSPICIOUS: 1, Outcome.EXPLAINED: 2}
_CONFIDENCE_RANK = {"decisive": 0, "strong": 1, "weak": 2, "context": 3}


def strength_of(finding: Finding) -> tuple[int, int, int, float]:
    """Return the key that sorts findings strongest first."""
    strength = 0.0 if finding.log10_lr is None else finding.log10_lr
    confidence = _CONFIDENCE_RANK[finding.confidence.value]
    return OUTCOME_RANK.get(finding.outcome, 3), -int(finding.severity), confidence, strength


def run_rule(rule: Check, subject: Any, context: Context) -> tuple[list[Finding], Unexamined | None]:
    """Return what a rule says of *subject*, and how it failed when it did."""
    found: list[Finding] = []
    failure = hear_rule(rule, subject, context, found.append)
    return ([], failure) if failure is not None else (found, None)


def hear_rule(rule: Check, subject: Any, context: Context, hear: Callable[[Finding], None]) -> Unexamined | None:
    """Let *hear* have what a rule says of *subject* as it says it; return how it failed: then nothing of it counts."""
    # The border for rules: a stranger's rule may raise anything, and a crash must not look like a pass.
    try:
        findings = iter(rule.function(subject, context))
    except Exception:
        return _failed(rule)
    while True:
        try:
            finding = next(findings)
        except StopIteration:
            return None
        except Exception:
            return _failed(rule)
        if not _is_finding(finding):
            return _failed(rule, f"it gave {repr(finding)[:200]}, which is no finding of a photo")
        hear(finding)


def _is_finding(given: object) -> bool:
    """Whether a rule gave a finding that names whom it is of and can be kept; what cannot must not end the audit."""
    if not isinstance(given, Finding) or not given.source_ids:
        return False
    if not all(isinstance(of, str) for of in given.source_ids):
        return False
    if _is_number(given.p_value) and _is_number(given.log10_lr) and all(map(_is_plain, given.facts.values())):
        return True
    try:
        unpack(Finding, pack(given))
    except Exception:  # a stranger's values are of any kind
        return False
    return True


def _is_number(value: object) -> bool:
    return value is None or type(value) is float


def _is_plain(value: object) -> bool:
    kind = type(value)
    return kind in _PLAIN or (kind is int and -_LONGEST <= cast(int, value) < _LONGEST)


_PLAIN = frozenset({str, float, bool, type(None), Sentence})
_LONGEST = 1 << 63


def _failed(rule: Check, why: str = "") -> Unexamined:
    """Return that a rule failed; the detail says *why*, or what Python says, to whoever mends the rule."""
    reason = Sentence("the rule failed, which is a fault of the rule and says nothing of the photo; please report it")
    return Unexamined("", f"check:{rule.check_id}", reason, why or traceback.format_exc())


def _missing_records(photo: Photo) -> list[Unexamined]:
    records = (photo.claim, photo.image, photo.prediction, *photo.opinions, *photo.unread)
    missing = [record for record in records if isinstance(record, Unexamined)]
    told = {record.reason: record for record in reversed(missing)}  # what cannot be decoded is told once, not per stage
    return [record for record in missing if told[record.reason] is record]


def _unread_blocks(photo: Photo) -> list[Unexamined]:
    """Say of each block that could not be read whole that it was not examined, whatever else was found."""
    unread = photo.claim.unread if isinstance(photo.claim, Claim) else ()
    return [Unexamined(photo.source.source_id, "metadata", block.reason) for block in unread]
