"""Findings by weight: every cause once, the gravest and strongest first, and what has no cause by its rule.

A cause that is grave or strong gets a section of its own; what is explained, and what is beyond
the number of sections a report has room for, is a row of a table. Nothing is left out.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias

import numpy as np

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
from gtloc_forensics.report.chapters.by_photo import ByPhoto

_GRAVITY = {Outcome.CONTRADICTION: 2, Outcome.SUSPICIOUS: 1}
_SURENESS = {Confidence.DECISIVE: 3, Confidence.STRONG: 2, Confidence.WEAK: 1, Confidence.CONTEXT: 0}
_Kind: TypeAlias = tuple[str, float, float, float]
"""Of which rule a finding is, and its weight but for the strength: a hundred thousand photos have few."""
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
        return tuple(self.group.source_ids) if len(self.group.source_ids) <= _SMALL else (self.exemplar,)


def weighed(view: CaseView, *, sections: int) -> tuple[WeighedCause, ...]:
    """Return the causes of a case by weight; the first *sections* that were found are told at length."""
    groups = list(view.causes())
    carried, homes = _carried(view, groups)
    told_of = [each.told() for each in carried]
    del carried
    exemplars = [
        exemplar or next(iter(group.source_ids), "") for (exemplar, _), group in zip(told_of, groups, strict=True)
    ]
    strongest = [place for _, place in told_of]
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


def weight_of(finding: Finding) -> tuple[float, float, float, float]:
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


class _Carried:
    """What carries a cause, of findings that go by: of each some thirty bytes are held, by which two are compared."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._photos = array("Q")
        self._places = array("I")  # among all findings
        self._kinds = array("I")  # of :attr:`_known`
        self._strengths = array("d")
        self._scores = array("h")  # how many scores a ratio combines, -1 where none is calibrated
        self._known: list[_Kind] = []
        self._kind_of: dict[_Kind, int] = {}
        self.gravest: Finding | None = None  # of findings that name no cause
        self.others: dict[str, None] = {}  # all photos of such findings, in their order

    def hear(self, finding: Finding, place: int) -> None:
        """Take a finding in, with its place among all."""
        gravity, severity, sureness, strength = weight_of(finding)
        kind = (finding.check_id, gravity, severity, sureness)
        if kind not in self._kind_of:
            self._kind_of[kind] = len(self._known)
            self._known.append(kind)
        self._photos.append(int(finding.source_ids[0], 16))
        self._places.append(place)
        self._kinds.append(self._kind_of[kind])
        self._strengths.append(strength)
        self._scores.append(-1 if finding.log10_lr is None else str(finding.facts.get("scores", "")).count("+"))

    def hear_homeless(self, finding: Finding, place: int) -> None:
        """Take a finding in that names no cause."""
        self.hear(finding, place)
        self.others.update(dict.fromkeys(finding.source_ids))
        if self.gravest is None or weight_of(finding) > weight_of(self.gravest):
            self.gravest = finding

    @property
    def findings(self) -> int:
        """How many were taken in."""
        return len(self._photos)

    def told(self) -> tuple[str, int]:
        """Return the exemplar, and the place of the finding with the largest calibrated strength.

        The exemplar is the photo of which most rules speak, of these the gravest, of these the one that was heard
        first; "" where there is none. Of each photo the finding counts whose ratio combines most scores, of these the
        weakest: never the largest of several from one picture; -1 where none has a ratio.
        """
        exemplar, strongest = "", -1
        heaviest: tuple[float, ...] = ()
        largest: tuple[float, float] = (-1.0, 0.0)
        for heard in self._by_photo():
            weights = [(*self._known[self._kinds[at]][1:], self._strengths[at]) for at in heard]
            rules = {self._known[self._kinds[at]][0] for at in heard}
            rank = (float(len(rules)), *max(weights), -float(heard[0]))
            if rank > heaviest:
                heaviest, exemplar = rank, f"{self._photos[heard[0]]:016x}"
            if rated := [at for at in heard if self._scores[at] >= 0]:
                best = max(rated, key=lambda at: (self._scores[at], -self._strengths[at]))
                strength = (self._strengths[best], -float(rated[0]))
                if strength > largest:
                    largest, strongest = strength, self._places[best]
        return exemplar, strongest

    def _by_photo(self) -> Iterator[list[int]]:
        """Yield of each photo which findings are about it, in the order in which they were heard."""
        if not self._photos:
            return
        photos = np.frombuffer(self._photos, np.uint64)
        order = np.argsort(photos, kind="stable").astype(np.uint32)
        ends = np.flatnonzero(np.diff(photos[order])) + 1
        first = 0
        for last in chain(array("q", ends.tobytes()), (len(order),)):
            yield order[first:last].tolist()
            first = last


def _carried(view: CaseView, groups: list[CauseGroup]) -> tuple[list[_Carried], array[int]]:
    """Return what carries each group, and in which each finding is told, -1 for none.

    Groups of findings that name no cause, one a rule, are added to *groups*.
    """
    fitting, homes = ByPhoto(group.source_ids for group in groups), array("q")
    carried = [_Carried() for _ in groups]
    homeless: dict[str, _Carried] = {}
    for finding in view.each_finding():
        home = _home(finding, fitting.of(finding.source_ids[0]), groups)
        if home is not None:
            carried[home].hear(finding, len(homes))
        elif finding.is_found:
            homeless.setdefault(finding.check_id, _Carried()).hear_homeless(finding, len(homes))
            home = -2 - [*homeless].index(finding.check_id)  # where it goes is known when all rules are
        homes.append(-1 if home is None else home)
    of_rule = {check_id: len(groups) + index for index, check_id in enumerate(sorted(homeless))}
    whither = [of_rule[check_id] for check_id in homeless]
    for place, home in enumerate(homes if homeless else ()):
        if home < -1:
            homes[place] = whither[-2 - home]
    for check_id in of_rule:
        groups.append(_of_rule(check_id, homeless[check_id]))
        carried.append(homeless[check_id])
    return carried, homes


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
