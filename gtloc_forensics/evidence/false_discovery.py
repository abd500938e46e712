"""Control of false discoveries across a case: many photos asked the same question give rare answers by chance.

For each rule that gives p-values, Benjamini and Hochberg's procedure says which of
its findings stand out among all the photos it judged. A finding that does not is
kept, and says so; nothing is hidden and nothing is told as more than it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gtloc_forensics.evidence.calibration import benjamini_hochberg
from gtloc_forensics.records import Finding, Sentence

RATE = 0.05
"""Share of false ones among the discoveries that is tolerated on average."""


@dataclass(frozen=True, slots=True)
class Control:
    """What the control said of one rule."""

    check_id: str
    tested: int  # p-values the rule gave in this case
    rare: int  # of those, findings
    stand_out: int  # of the findings, those that remain discoveries among all tested
    source_ids: tuple[str, ...]  # of the photos that stand out


def control(findings: Iterable[Finding], *, rate: float = RATE) -> tuple[Control, ...]:
    """Apply the procedure to each rule's p-values, also those of findings that agree.

    Args:
        findings: every outcome of every rule on every photo.
        rate: the tolerated share of false discoveries.
    """
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.p_value is not None:
            by_rule.setdefault(finding.check_id, []).append(finding)
    return tuple(_controlled(check_id, by_rule[check_id], rate) for check_id in sorted(by_rule))


def _controlled(check_id: str, findings: Sequence[Finding], rate: float) -> Control:
    kept = benjamini_hochberg([finding.p_value or 1.0 for finding in findings], q=rate)
    found = [finding for finding in findings if finding.is_found]
    standing = [finding for finding, stays in zip(findings, kept, strict=True) if stays and finding.is_found]
    sources = tuple(finding.source_ids[0] for finding in standing)
    return Control(check_id, len(findings), len(found), len(standing), sources)


def with_caution(finding: Finding, controls: Sequence[Control]) -> Finding:
    """Return *finding* with what the control says of it, where it has a p-value and is one to look at."""
    if finding.p_value is None or not finding.is_found:
        return finding
    mine = next((known for known in controls if known.check_id == finding.check_id), None)
    if mine is None:
        return finding
    stands_out = finding.source_ids[0] in mine.source_ids
    facts = {**finding.facts, "stands_out_in_case": stands_out}
    if stands_out:
        return replace(finding, facts=facts)
    caution = Sentence(
        "Among the {tested} photos of this case that the rule judged, a p-value this small is no discovery "
        "(Benjamini–Hochberg, false-discovery rate {rate_percent:.0f}%).",
        tested=mine.tested,
        rate_percent=100.0 * RATE,
    )
    return replace(finding, facts=facts, limitations=(*finding.limitations, caution))
