"""Findings by weight: every cause once, the gravest and strongest first, and what has no cause by its rule.

A cause that is grave or strong gets a section of its own; what is explained, and what is beyond
the number of sections a report has room for, is a row of a table. Nothing is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gtloc_forensics.records import (
    CaseView,
    Cause,
    CauseGroup,
    CauseKind,
    Confidence,
    Finding,
    Outcome,
    Severity,
)

_GRAVITY = {Outcome.CONTRADICTION: 2, Outcome.SUSPICIOUS: 1}
_SURENESS = {Confidence.DECISIVE: 3, Confidence.STRONG: 2, Confidence.WEAK: 1, Confidence.CONTEXT: 0}
_SMALL = 2  # of so few photos each is shown


@dataclass(frozen=True, slots=True)
class WeighedCause:
    """One cause with what carries it.

    Attributes:
        number: in the order of weight, from 1.
        group: the cause and the photos it concerns.
        exemplar: the source id of the photo it is shown by: of which most rules speak, of these the gravest.
        findings: of each rule that speaks in it the finding about the exemplar, or the gravest where there is none.
        strongest: the finding with the largest calibrated strength, None where none was calibrated. Scores of one
            photo overlap: of each photo the one that combines most of them counts, else the weakest.
        has_section: whether it is told at length, else it is a row of a table.
    """

    number: int
    group: CauseGroup
    exemplar: str
    findings: tuple[Finding, ...]
    strongest: Finding | None = None
    has_section: bool = False

    @property
    def anchor(self) -> str:
        """Where it is told."""
        return f"cause-{self.number}" if self.has_section else "minor"

    @property
    def is_found(self) -> bool:
        """Whether a person should look at it; the others are explained."""
        return self.group.outcome in _GRAVITY

    @property
    def is_grave(self) -> bool:
        """Whether it must stand on page one by itself."""
        return self.is_found and (self.group.outcome is Outcome.CONTRADICTION or self.group.severity is Severity.HIGH)

    @property
    def log10_lr(self) -> float | None:
        """The strongest likelihood ratio among its findings, None where none was calibrated."""
        return None if self.strongest is None else self.strongest.log10_lr

    @property
    def shown(self) -> tuple[str, ...]:
        """The source ids of the photos that its section shows in full."""
        return self.group.source_ids if len(self.group.source_ids) <= _SMALL else (self.exemplar,)


def weighed(view: CaseView, *, sections: int) -> tuple[WeighedCause, ...]:
    """Return the causes of a case by weight; the first *sections* that were found are told at length."""
    by_group: dict[int, list[Finding]] = defaultdict(list)
    homeless: dict[str, list[Finding]] = defaultdict(list)
    groups = list(view.causes())
    homes = _homes(groups)
    for finding in view.case_findings():
        home = _home(finding, homes, groups)
        if home is not None:
            by_group[home].append(finding)
        elif finding.is_found:
            homeless[finding.check_id].append(finding)
    for check_id, findings in sorted(homeless.items()):
        by_group[len(groups)] = findings
        groups.append(_of_rule(check_id, findings))
    causes = [_cause(group, by_group[index]) for index, group in enumerate(groups)]
    ordered = sorted(enumerate(causes), key=lambda item: (*(-weight for weight in _weight(item[1])), item[0]))
    return tuple(
        replace(cause, number=number, has_section=cause.is_found and number <= sections)
        for number, (_, cause) in enumerate(ordered, start=1)
    )


def weight_of(finding: Finding) -> tuple[float, ...]:
    """Return outcome, severity, sureness and calibrated strength as something to sort by."""
    strength = abs(finding.log10_lr) if finding.log10_lr is not None else 0.0
    gravity = float(_GRAVITY.get(finding.outcome, 0))
    return (gravity, float(finding.severity), float(_SURENESS[finding.confidence]), strength)


def beside(finding: Finding) -> str:
    """Return the photo that a finding compares its own with, "" where it compares with none or with several."""
    other = finding.facts.get("other_source_id")
    if not isinstance(other, str):
        other = finding.source_ids[1] if len(finding.source_ids) == _SMALL else ""
    return "" if other == finding.source_ids[0] else other


def _weight(cause: WeighedCause) -> tuple[float, ...]:
    gravest = max(map(weight_of, cause.findings), default=(0.0, 0.0, 0.0, 0.0))
    own = (float(_GRAVITY.get(cause.group.outcome, 0)), float(cause.group.severity))
    return (*own, *gravest[2:], float(len(cause.group.source_ids)))


def _homes(groups: Iterable[CauseGroup]) -> Mapping[tuple[str, str], list[int]]:
    """Return, for each photo and rule, the groups that both are in."""
    homes: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        for source_id in group.source_ids:
            for check_id in group.check_ids:
                homes[(source_id, check_id)].append(index)
    return homes


def _home(finding: Finding, homes: Mapping[tuple[str, str], list[int]], groups: list[CauseGroup]) -> int | None:
    """Return the group a finding is told in: of several the one of its own cause, else the first."""
    fitting = homes.get((finding.source_ids[0], finding.check_id), [])
    same = (index for index in fitting if finding.cause and groups[index].cause.kind == finding.cause.kind)
    return next(same, fitting[0] if fitting else None)


def _of_rule(check_id: str, findings: list[Finding]) -> CauseGroup:
    """Return the findings of one rule that name no cause as a group."""
    gravest = max(findings, key=weight_of)
    return CauseGroup(
        cause=Cause(CauseKind.UNNAMED, ""),
        label="",
        outcome=gravest.outcome,
        severity=gravest.severity,
        source_ids=tuple(dict.fromkeys(source_id for finding in findings for source_id in finding.source_ids)),
        check_ids=(check_id,),
        findings=len(findings),
        summary=gravest.summary if len(findings) == 1 else "",
    )


def _cause(group: CauseGroup, findings: list[Finding]) -> WeighedCause:
    exemplar = _exemplar(findings) or next(iter(group.source_ids), "")
    strongest = max(_of_each_photo(findings), key=_ratio, default=None)
    return WeighedCause(0, group, exemplar, _of_each_rule(findings, exemplar), strongest)


def _of_each_photo(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Return of each photo the one finding whose ratio counts: never the largest of several from one picture."""
    best: dict[str, Finding] = {}
    for finding in findings:
        known = best.get(finding.source_ids[0])
        if finding.log10_lr is not None and (known is None or _whole(finding) > _whole(known)):
            best[finding.source_ids[0]] = finding
    return best.values()


def _whole(finding: Finding) -> tuple[float, float]:
    """Return how many scores a ratio combines, then how weak it is."""
    return float(str(finding.facts.get("scores", "")).count("+")), -_ratio(finding)


def _ratio(finding: Finding) -> float:
    return abs(finding.log10_lr or 0.0)


def _exemplar(findings: Iterable[Finding]) -> str:
    by_photo: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_photo[finding.source_ids[0]].append(finding)

    def rank(item: tuple[str, list[Finding]]) -> tuple[float, ...]:
        told = item[1]
        return (float(len({finding.check_id for finding in told})), *max(map(weight_of, told)))

    return max(by_photo.items(), key=rank)[0] if by_photo else ""


def _of_each_rule(findings: Iterable[Finding], exemplar: str) -> tuple[Finding, ...]:
    best: dict[str, Finding] = {}
    for finding in findings:
        known = best.get(finding.check_id)
        if known is None or _telling(finding, exemplar) > _telling(known, exemplar):
            best[finding.check_id] = finding
    return tuple(sorted(best.values(), key=weight_of, reverse=True))


def _telling(finding: Finding, exemplar: str) -> tuple[float, ...]:
    return (float(finding.source_ids[0] == exemplar), *weight_of(finding))
