"""What an export says of one finding: the one place where a finding becomes plain values."""

from __future__ import annotations

from typing import Any, TypedDict

from gtloc_forensics.records import Finding, visible, visible_throughout


class FindingFacts(TypedDict):
    """A finding for programs; every text is visible, what is not known is None (docs/json.md)."""

    check: str
    outcome: str  # words joined by an underscore
    severity: str
    confidence: str
    p_value: float | None
    log10_lr: float | None
    summary: str
    observed: list[str]
    derived: list[str]
    inferred: list[str]
    limitations: list[str]
    innocent: list[str]
    facts: dict[str, Any]
    cause: str | None
    # Other photos concerned: "with" in documents, where the word is free.
    others: list[str]


def finding_facts(finding: Finding) -> FindingFacts:
    """Return what is said of a finding in every export."""
    told: FindingFacts = visible_throughout(plain_facts(finding))
    return told


def plain_facts(finding: Finding) -> dict[str, Any]:
    """Return the same before its texts are made visible, for whoever does that with all it writes."""
    return {
        "check": finding.check_id,
        "outcome": finding.outcome.value.replace(" ", "_"),
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.value,
        "p_value": finding.p_value,
        "log10_lr": finding.log10_lr,
        "summary": finding.summary,
        "observed": finding.observed,
        "derived": finding.derived,
        "inferred": finding.inferred,
        "limitations": finding.limitations,
        "innocent": finding.innocent,
        "facts": finding.facts,
        "cause": None if finding.cause is None else finding.cause.kind,
        "others": finding.source_ids[1:],
    }


def finding_line(finding: Finding) -> str:
    """Return a finding as one line: rule, outcome, summary."""
    return visible(f"{finding.check_id} {finding.outcome.value.replace(' ', '_')}: {finding.summary}")
