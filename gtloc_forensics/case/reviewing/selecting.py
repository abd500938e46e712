"""Which findings a decision is about: those of named photos and rules, or all that one cause explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import (
    CauseGroup,
    Claim,
    Decision,
    Decisions,
    Finding,
    Judged,
    Judgement,
    PhotoResult,
    Source,
    Standing,
    Unexamined,
)
from gtloc_forensics.records.decisions import REVIEWABLE, what_is_said


class Outlined(Protocol):
    """A case of which only outlines are needed."""

    def outlines(self) -> Iterable[tuple[Source, Claim | Unexamined, PhotoResult]]:
        """Stream of each photo its source, its claim and what was concluded."""

    def causes(self) -> tuple[CauseGroup, ...]:
        """Findings grouped under their causes."""


class Reviewable(Outlined, Protocol):
    """A case with outlines and decisions."""

    def decisions(self) -> Decisions:
        """What was decided."""


def judged(source: Source, findings: Iterable[Finding]) -> tuple[Judged, ...]:
    """Return what of a photo can be decided on, a rule each."""
    said = what_is_said(findings)
    return tuple(Judged(source.source_id, source.sha256, check_id, says) for check_id, says in sorted(said.items()))


def progress(view: Reviewable) -> tuple[int, Mapping[Standing, int]]:
    """Return how many findings nobody has settled, and how many decisions in force stand how."""
    decisions, undecided = view.decisions(), 0
    standings: Counter[Standing] = Counter()
    for source, _, verdict in view.outlines():
        reviewed = decisions.of(source.source_id, source.sha256, verdict.findings)
        settled = {item.check_id for item in reviewed if item.counts}
        found = {finding.check_id for finding in verdict.findings if finding.is_found}
        undecided += len(found - settled)
        standings.update(item.standing for item in reviewed)
    return undecided, standings


def ignored(view: Reviewable) -> Mapping[Decision, tuple[Judged, ...]]:
    """Return what was dismissed and stays so in the newest examination, by the decision that says it."""
    decisions, kept = view.decisions(), dict[int, list[Judged]]()
    if not any(made.judgement is Judgement.DISMISSED for made in decisions.made):
        return {}
    for source, _, verdict in view.outlines():
        said = {item.check_id: item for item in judged(source, verdict.findings)}
        for item in decisions.of(source.source_id, source.sha256, verdict.findings):
            if item.is_ignored:
                kept.setdefault(item.decision.number, []).append(said[item.check_id])
    return {made: tuple(kept[made.number]) for made in decisions.made if made.number in kept}


def wholly(view: Outlined, keys: Collection[tuple[str, str]]) -> list[CauseGroup]:
    """Return the causes all of whose findings are among *keys*, pairs of photo and rule."""
    groups = view.causes()
    at_home, whole = homes(groups), dict[int, bool]()
    for source, _, verdict in view.outlines():
        there = at_home.get(source.source_id, [])
        for group in there:
            members = explained_there(group, there, source, findings=verdict.findings)
            if members:
                number = groups.index(group)
                whole[number] = whole.get(number, True) and all(member.key in keys for member in members)
    return [groups[number] for number in sorted(whole) if whole[number]]


def of_photos(view: Outlined, photos: Sequence[str], checks: Sequence[str]) -> tuple[Judged, ...]:
    """Return the findings of these photos by these rules; all rules where none is named.

    Raises:
        UsageError: a photo is not of the case, or a named rule found nothing in any of them.
    """
    wanted, seen = set(photos), set()
    found: list[Judged] = []
    for source, _, verdict in view.outlines():
        names = wanted & {source.source_id, source.display_path}
        if names:
            seen |= names
            found += [item for item in judged(source, verdict.findings) if not checks or item.check_id in checks]
    if missing := sorted(wanted - seen):
        raise UsageError(f"{missing[0]} is no photo of the case; give the path or source_id that findings.json shows")
    if silent := sorted(set(checks) - {item.check_id for item in found}):
        raise UsageError(f"{silent[0]} found nothing there; `gtloc decide CASE --list` shows what can be decided")
    return tuple(found)


def of_cause(view: Outlined, number: int) -> tuple[CauseGroup, tuple[Judged, ...]]:
    """Return the cause with that number, counted from 1 as the report lists them, and all findings it explains.

    Raises:
        UsageError: there is no cause with that number.
    """
    groups = view.causes()
    if not 1 <= number <= len(groups):
        raise UsageError(f"there is no cause {number}; `gtloc decide CASE --list` shows the {len(groups)} there are")
    group, at_home = groups[number - 1], homes(groups)
    concerned = frozenset(group.source_ids)
    members = tuple(
        item
        for source, _, verdict in view.outlines()
        if source.source_id in concerned
        for item in explained_there(group, at_home[source.source_id], source, findings=verdict.findings)
    )
    return group, members


def explained(
    group: CauseGroup, groups: Sequence[CauseGroup], source: Source, *, findings: Sequence[Finding]
) -> tuple[Judged, ...]:
    """Return what of a photo's findings a cause explains: by its rules, and not what another cause names as its own."""
    there = homes(groups).get(source.source_id, ())
    return explained_there(group, there, source, findings=findings) if group in there else ()


def homes(groups: Iterable[CauseGroup]) -> Mapping[str, list[CauseGroup]]:
    """Return of each photo the groups that it is in: a group may have as many photos as the case."""
    found: dict[str, list[CauseGroup]] = {}
    for group in groups:
        for source_id in group.source_ids:
            found.setdefault(source_id, []).append(group)
    return found


def explained_there(
    group: CauseGroup, there: Sequence[CauseGroup], source: Source, *, findings: Sequence[Finding]
) -> tuple[Judged, ...]:
    """Return the same where the groups that the photo is in, *there*, are known already."""
    rules = rules_there(group, there, findings)
    return tuple(item for item in judged(source, findings) if item.check_id in rules)


def rules_there(group: CauseGroup, there: Sequence[CauseGroup], findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return by which rules a cause explains what was found of a photo; what is said of it need not be known."""
    elsewhere = _named_elsewhere(group, there, findings)
    spoke = {finding.check_id for finding in findings if finding.outcome in REVIEWABLE}
    return tuple(rule for rule in sorted(spoke) if rule in group.check_ids and not elsewhere.get(rule, False))


def _named_elsewhere(group: CauseGroup, there: Sequence[CauseGroup], findings: Sequence[Finding]) -> Mapping[str, bool]:
    """Return rule → whether all it found names a cause that another group tells of this photo."""
    others = {(other.cause.kind, other.cause.device_key) for other in there if other is not group} - {
        (group.cause.kind, group.cause.device_key)
    }
    told: dict[str, bool] = {}
    for finding in findings:
        if finding.outcome in REVIEWABLE:
            cause = finding.cause
            is_other = cause is not None and (cause.kind, cause.device_key) in others
            told[finding.check_id] = told.get(finding.check_id, True) and is_other
    return told
