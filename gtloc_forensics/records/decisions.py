"""What examiners decided of findings, and whether it still stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique

from gtloc_forensics.records.findings import Finding, Outcome
from gtloc_forensics.records.sentences import Sentence

REVIEWABLE = (Outcome.SUSPICIOUS, Outcome.CONTRADICTION, Outcome.EXPLAINED)
"""Outcomes that a person can decide on: what was found, and what was found and explained."""


@unique
class Judgement(StrEnum):
    """What a person made of a finding. The values are what the custody chain holds."""

    CONFIRMED = "confirmed"
    INNOCENT = "innocent"  # true, and harmless: the decision says why
    DISMISSED = "dismissed"  # not true, or of no use: stays ignored, and visibly so
    SECOND_READER = "needs second reader"

    @property
    def settles(self) -> bool:
        """Whether the finding needs nobody any more."""
        return self is not Judgement.SECOND_READER


@unique
class Standing(StrEnum):
    """How a decision relates to the newest examination."""

    CURRENT = "current"  # it judged this examination
    STALE = "stale"  # it judged an earlier one, which said the same of the same bytes
    OVERTAKEN = "overtaken"  # the file or what is said of it has changed: to be judged again


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding that a decision is about: which rule, of which file with which content, saying what."""

    source_id: str
    sha256: str
    check_id: str
    says: str  # what_is_said of the findings judged, as the version of that day put it

    @property
    def key(self) -> tuple[str, str]:
        """By what a finding is found again: the path and the rule."""
        return self.source_id, self.check_id


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision as a custody event holds it; a whole cause is decided by one event with its members."""

    number: int  # of the custody event
    utc_time: datetime
    examiner: str  # as given; the account is what the system knows
    account: str
    judgement: Judgement
    because: str  # the innocent cause; "" otherwise
    note: str
    members: tuple[Judged, ...]
    examination: str  # fingerprint of the examination that was judged
    cause: str = ""  # the kind, when a whole cause was decided
    device_key: str = ""
    replaces: int | None = None  # the event that it takes the place of
    undone_by: int | None = None  # the event that took it back


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What one examiner decided of one finding of a photo."""

    check_id: str
    decision: Decision
    standing: Standing

    @property
    def counts(self) -> bool:
        """Whether the finding is settled by it: what has changed since is not."""
        return self.decision.judgement.settles and self.standing is not Standing.OVERTAKEN

    @property
    def is_ignored(self) -> bool:
        """Whether the finding was dismissed, and stays so."""
        return self.counts and self.decision.judgement is Judgement.DISMISSED


class Decisions:
    """All decisions of a case, in the order of the chain, and what of them is in force."""

    def __init__(self, made: Sequence[Decision] = (), examination: str = "") -> None:
        """Keep *made*, to be looked at from the examination with that fingerprint."""
        self.made = tuple(made)
        self.examination = examination
        self._in_force: dict[tuple[str, str], dict[str, tuple[Decision, Judged]]] = {}
        for decision in self.made:
            if decision.undone_by is None:
                for member in decision.members:
                    # Of several by one examiner the last holds; put last, so that readers see them in order of time.
                    of_finding = self._in_force.setdefault(member.key, {})
                    of_finding.pop(decision.examiner, None)
                    of_finding[decision.examiner] = (decision, member)
        self._rules: dict[str, tuple[str, ...]] = {}
        for source_id, check_id in sorted(self._in_force):
            self._rules[source_id] = (*self._rules.get(source_id, ()), check_id)
        self._photos = frozenset(self._rules)

    def __bool__(self) -> bool:
        """Whether anything was ever decided."""
        return bool(self.made)

    def of(self, source_id: str, sha256: str, findings: Iterable[Finding]) -> tuple[Reviewed, ...]:
        """Return what is in force of a file's findings: each examiner's last word, in order of time."""
        kept = list(findings) if source_id in self._photos else ()
        return self.standing_of(source_id, sha256, ways_to_say(kept))

    def standing_of(self, source_id: str, sha256: str, said: Mapping[str, frozenset[str]]) -> tuple[Reviewed, ...]:
        """Return the same where it is known already what each rule says (:func:`ways_to_say`)."""
        return tuple(
            item for check_id, says in said.items() for item in self.reviewed((source_id, check_id), sha256, says)
        )

    def judged_rules(self, source_id: str) -> tuple[str, ...]:
        """Return the rules on whose findings in a photo anything is in force, of those that find nothing now, too."""
        return self._rules.get(source_id, ())

    def reviewed(self, key: tuple[str, str], sha256: str, says: frozenset[str]) -> tuple[Reviewed, ...]:
        """Return what is in force of one finding; *says* is empty where its rule says nothing any more."""
        return tuple(
            Reviewed(key[1], decision, self._standing(decision, member, sha256, says))
            for decision, member in self._in_force.get(key, {}).values()
        )

    @property
    def judged_photos(self) -> frozenset[str]:
        """The photos of which anything is in force."""
        return self._photos

    def _standing(self, decision: Decision, member: Judged, sha256: str, says: frozenset[str]) -> Standing:
        if decision.examination == self.examination:
            return Standing.CURRENT
        return Standing.STALE if member.sha256 == sha256 and member.says in says else Standing.OVERTAKEN


def what_is_said(findings: Iterable[Finding]) -> Mapping[str, str]:
    """Return rule → what it says of a photo, as a short digest; only what can be decided on.

    It changes with the outcome, its weight, the cause (a clock's offset to the hour), the
    words and the names among them, not with the numbers: "in 6 photos of the device" is 7
    in the next audit, and the same is said.
    """
    return {check_id: _digest(_PARTS, told, _parts) for check_id, told in _reviewable(findings).items()}


def ways_to_say(findings: Iterable[Finding]) -> Mapping[str, frozenset[str]]:
    """Return rule → every digest under which a decision, of an older version too, may have kept what is said now.

    Decisions outlive the versions: once they kept the words alone, with numbers left out, then the template
    of a sentence, and an offset at the half of an hour is rounded up or down by next to nothing.
    """
    return {
        check_id: frozenset(
            _digest(mark, told, words, shift_hours)
            for mark, words in ((_PARTS, _parts), ("", _template), ("", _masked))
            for shift_hours in (-_SLACK_HOURS, 0.0, _SLACK_HOURS)
        )
        for check_id, told in _reviewable(findings).items()
    }


_PARTS = "2:"
"""Begins a digest of a sentence and its parts; the older ones begin with nothing."""

_SLACK_HOURS = 0.1

_NUMBERS = re.compile(r"\d[\d.,:]*")


def _reviewable(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.outcome in REVIEWABLE:
            told.setdefault(finding.check_id, []).append(finding)
    return told


def _digest(mark: str, told: Sequence[Finding], words: Callable[[str], str], shift_hours: float = 0.0) -> str:
    gists = "\n".join(sorted(_gist(finding, words, shift_hours) for finding in told))
    return mark + hashlib.sha256(gists.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _gist(finding: Finding, words: Callable[[str], str], shift_hours: float) -> str:
    cause = finding.cause
    hours = 0.0 if cause is None or cause.offset_hours is None else cause.offset_hours + shift_hours
    why = "" if cause is None else f"{cause.kind}|{cause.device_key}|{round(hours)}"
    weight = f"{finding.severity.name}|{finding.confidence.value}"
    return f"{finding.outcome.value}|{weight}|{why}|{words(finding.summary)}"


def _masked(summary: str) -> str:
    return _NUMBERS.sub("#", summary)


def _template(summary: str) -> str:
    return summary.template if isinstance(summary, Sentence) else _masked(summary)


def _parts(summary: str) -> str:
    """Return the template with the names and sentences that stand in it; numbers, moments and lists are left out."""
    if not isinstance(summary, Sentence):
        return _masked(summary)
    named = (
        f"{name}={_parts(value) if isinstance(value, Sentence) else value}"
        for name, value in sorted(summary.values.items())
        if isinstance(value, str)
    )
    return "|".join((summary.template, *named))
