"""Findings by weight: every cause once, the gravest and strongest first, and what has no cause by its rule.

A cause that is grave or strong gets a section of its own; what is explained, and what is beyond
the number of sections a report has room for, is a row of a table. Nothing is left out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

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
T = TypeVar("T")
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
    groups = list(view.causes())
    carried, homes = _carried(view, groups)
    exemplars = [each.exemplar or next(iter(group.source_ids), "") for each, group in zip(carried, groups, strict=True)]
    strongest = [each.strongest for each in carried]
    del carried
    telling = _told(view, homes, exemplars, strongest)
    causes = [
        WeighedCause(0, group, exemplar, *told)
        for group, exemplar, told in zip(groups, exemplars, telling, strict=True)
    ]
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


@dataclass(slots=True)
class _Carried:
    """What carries a cause, of findings that go by: nothing of a finding is held but what decides between two.

    Attributes:
        photos: of each photo how many rules speak of it, which these are, and the weight of its gravest finding.
        best: of each photo the finding whose ratio counts, never the largest of several from one picture: how many
            scores it combines, how weak it is, and its place among all findings.
        gravest: of all, kept of findings that name no cause.
    """

    photos: dict[int, tuple[frozenset[str], tuple[float, ...]]] = field(default_factory=dict)
    best: dict[int, tuple[tuple[float, float], int]] = field(default_factory=dict)
    gravest: Finding | None = None
    findings: int = 0
    others: dict[str, None] = field(default_factory=dict)  # all photos of findings that name no cause, in their order

    def hear(self, finding: Finding, place: int) -> None:
        """Take a finding in, with its place among all."""
        photo, weight = int(finding.source_ids[0], 16), weight_of(finding)
        rules, heaviest = self.photos.get(photo, (frozenset(), weight))
        both = rules if finding.check_id in rules else rules | {finding.check_id}
        self.photos[photo] = _same((both, max(heaviest, weight)))
        known = self.best.get(photo)
        if finding.log10_lr is not None and (known is None or _whole(finding) > known[0]):
            self.best[photo] = (_whole(finding), place)

    def hear_homeless(self, finding: Finding, place: int) -> None:
        """Take a finding in that names no cause."""
        self.hear(finding, place)
        self.findings += 1
        self.others.update(dict.fromkeys(finding.source_ids))
        if self.gravest is None or weight_of(finding) > weight_of(self.gravest):
            self.gravest = finding

    @property
    def exemplar(self) -> str:
        """The photo of which most rules speak, of these the gravest; "" where there is none."""
        return f"{max(self.photos, key=self._rank):016x}" if self.photos else ""

    def _rank(self, photo: int) -> tuple[float, ...]:
        rules, weight = self.photos[photo]
        return (float(len(rules)), *weight)

    @property
    def strongest(self) -> int:
        """The place of the finding with the largest calibrated strength, -1 where none has one."""
        return max(self.best.values(), key=lambda best: -best[0][1], default=((0.0, 0.0), -1))[1]


def _carried(view: CaseView, groups: list[CauseGroup]) -> tuple[list[_Carried], array[int]]:
    """Return what carries each group, and in which each finding is told, -1 for none.

    Groups of findings that name no cause, one a rule, are added to *groups*.
    """
    fitting, homes = _fitting(groups), array("q")
    carried = [_Carried() for _ in groups]
    homeless: dict[str, _Carried] = {}
    waiting: list[tuple[int, str]] = []  # place of a finding without a cause, and its rule
    for finding in view.each_finding():
        home = _home(finding, fitting.get(finding.source_ids[0], ()), groups)
        if home is not None:
            carried[home].hear(finding, len(homes))
        elif finding.is_found:
            homeless.setdefault(finding.check_id, _Carried()).hear_homeless(finding, len(homes))
            waiting.append((len(homes), finding.check_id))
        homes.append(-1 if home is None else home)
    of_rule = {check_id: len(groups) + index for index, check_id in enumerate(sorted(homeless))}
    for place, check_id in waiting:
        homes[place] = of_rule[check_id]
    for check_id in of_rule:
        groups.append(_of_rule(check_id, homeless[check_id]))
        carried.append(homeless[check_id])
    return carried, homes


def _fitting(groups: Iterable[CauseGroup]) -> Mapping[str, tuple[int, ...]]:
    """Return of each photo the groups that it is in."""
    fitting: dict[str, tuple[int, ...]] = {}
    for index, group in enumerate(groups):
        for source_id in dict.fromkeys(group.source_ids):
            fitting[source_id] = _same((*fitting.get(source_id, ()), index))
    return fitting


def _home(finding: Finding, of_photo: Iterable[int], groups: list[CauseGroup]) -> int | None:
    """Return the group a finding is told in: of several the one of its own cause, else the first."""
    fitting = [index for index in of_photo if finding.check_id in groups[index].check_ids]
    same = (index for index in fitting if finding.cause and groups[index].cause.kind == finding.cause.kind)
    return next(same, fitting[0] if fitting else None)


def _of_rule(check_id: str, carried: _Carried) -> CauseGroup:
    """Return the findings of one rule that name no cause as a group."""
    gravest = carried.gravest
    if gravest is None:
        raise ValueError(f"{check_id} found nothing")
    return CauseGroup(
        cause=Cause(CauseKind.UNNAMED, ""),
        label="",
        outcome=gravest.outcome,
        severity=gravest.severity,
        source_ids=tuple(carried.others),
        check_ids=(check_id,),
        findings=carried.findings,
        summary=gravest.summary if carried.findings == 1 else "",
    )


@lru_cache(maxsize=1024)
def _same(value: T) -> T:
    """Return the one object that stands for all that are equal to it: a hundred thousand photos have few weights."""
    return value


def _whole(finding: Finding) -> tuple[float, float]:
    """Return how many scores a ratio combines, then how weak it is."""
    return float(str(finding.facts.get("scores", "")).count("+")), -_ratio(finding)


def _ratio(finding: Finding) -> float:
    return abs(finding.log10_lr or 0.0)


def _told(
    view: CaseView, homes: Iterable[int], exemplars: list[str], strongest: list[int]
) -> list[tuple[tuple[Finding, ...], Finding | None]]:
    """Return of each group, of each rule that speaks in it, the finding about its exemplar, else the gravest.

    With it goes the finding with the largest calibrated strength.
    """
    best: list[dict[str, Finding]] = [{} for _ in exemplars]
    largest: list[Finding | None] = [None for _ in exemplars]
    for place, (finding, home) in enumerate(zip(view.each_finding(), homes, strict=True)):
        if home < 0:
            continue
        if place == strongest[home]:
            largest[home] = finding
        known = best[home].get(finding.check_id)
        if known is None or _telling(finding, exemplars[home]) > _telling(known, exemplars[home]):
            best[home][finding.check_id] = finding
    told = [tuple(sorted(each.values(), key=weight_of, reverse=True)) for each in best]
    return list(zip(told, largest, strict=True))


def _telling(finding: Finding, exemplar: str) -> tuple[float, ...]:
    return (float(finding.source_ids[0] == exemplar), *weight_of(finding))
