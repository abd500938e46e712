"""The rules: one file each, GF1xx metadata alone, GF2xx sun, GF3xx model, GF4xx neighbours.

A rule receives records and yields findings; it neither reads files nor formats.
What it cannot judge it says with :func:`not_testable`, so that silence is never
taken for a pass. The module docstring of a rule is its documentation: first line
``GFnnn — title.``, then what it can show, its blind spots, its threshold and why.

Marking a function with :func:`check` has no side effect; a :class:`Registry`
collects, and whoever needs one makes one.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, unique
from functools import lru_cache
from importlib.resources import files
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gtloc_forensics.errors import PluginError
from gtloc_forensics.records import (
    Absent,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    SecondWitness,
    Sentence,
    Severity,
    Statement,
    Unexamined,
    template,
)

if TYPE_CHECKING:
    from gtloc_forensics.checks.circumstances import Circumstances
    from gtloc_forensics.evidence.calibration import Calibration

DAY_S = 86_400.0

NEEDED = {
    "claim": template("the claim"),
    "sun": template("the sun"),
    "image": template("the picture"),
    "prediction": template("what the picture shows"),
}
"""What the records that a rule can need are called."""


@unique
class Scope(Enum):
    """What a rule is given at a time."""

    PHOTO = "one photo"  # f(photo: Photo, context: Context)
    DEVICE = "all photos of one device"  # f(group: DeviceGroup, context: Context)
    CASE = "all photos of the case"  # f(summaries: Sequence[PhotoSummary], context: Context)


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may know beside the records: the moment of the run and its settings."""

    now_utc: datetime  # naive, counts UTC; an input, so that reports are reproducible
    settings: dict[str, float] = field(default_factory=dict)
    calibration: Calibration | None = None  # of the model that looked; None: scores stay uncalibrated
    circumstances: Circumstances | None = None  # what a photo's neighbours say of it; None: it is looked at alone
    witnesses: Mapping[str, tuple[SecondWitness, ...]] = field(default_factory=dict)  # source id → what others keep


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, ready to run."""

    check_id: str
    title: str
    scope: Scope
    needs: tuple[str, ...]  # PHOTO scope: names of Photo fields that must be examined, e.g. ("claim", "sun")
    function: Callable[..., Iterable[Finding]]
    explanation: str  # the module docstring
    version: str = "1"  # part of the result's key: raise it when the rule changes


def check(
    check_id: str, *, title: str, scope: Scope = Scope.PHOTO, needs: tuple[str, ...] = (), version: str = "1"
) -> Callable[[Callable[..., Iterable[Finding]]], Check]:
    """Turn a function into a :class:`Check`; its module's docstring becomes the explanation."""

    def mark(function: Callable[..., Iterable[Finding]]) -> Check:
        module = inspect.getmodule(function)
        explanation = inspect.getdoc(module) if module is not None else None
        return Check(check_id, title, scope, needs, function, explanation or "", version)

    return mark


def claim_of(photo: Photo) -> Claim:
    """Return the claim of a photo whose metadata was read; rules say so with ``needs=("claim",)``.

    A capture of which only the month or the year is known has no time that a rule could compare.

    Raises:
        TypeError: when a rule is run on a photo it cannot judge.
    """
    if not isinstance(photo.claim, Claim):
        raise TypeError(f"the metadata of {photo.source.source_id} was not read")
    claim = photo.claim
    if claim.local_resolution_s <= DAY_S:
        return claim
    return replace(claim, local_time=Absent.COARSE, utc_time=Absent.UNDERIVABLE)


def not_testable(check_id: str, source_id: str, why: Statement | Absent) -> Finding:
    """Say that a rule had nothing to go on for one photo."""
    reason = Sentence(why.value) if isinstance(why, Absent) else why
    if isinstance(reason, Sentence) and not reason.values:
        summary = _untestable(reason.template)
    else:
        summary = Sentence(_UNTESTABLE, reason=reason)
    return Finding(
        check_id=check_id,
        source_ids=(source_id,),
        outcome=Outcome.NOT_TESTABLE,
        severity=Severity.INFO,
        confidence=Confidence.CONTEXT,
        summary=summary,
    )


_UNTESTABLE = template("Not testable: {reason}.")


@lru_cache(maxsize=1024)  # a rule says the same of many photos
def _untestable(reason: str) -> Sentence:
    return Sentence(_UNTESTABLE, reason=Sentence(reason))


def consistent(check_id: str, source_id: str, summary: Statement, **more: Any) -> Finding:
    """Say that a rule looked and found agreement."""
    return Finding(
        check_id=check_id,
        source_ids=(source_id,),
        outcome=Outcome.CONSISTENT,
        severity=Severity.INFO,
        confidence=Confidence.CONTEXT,
        summary=summary,
        **more,
    )


def unmet(check_: Check, photo: Any) -> Statement:
    """Return why *photo* lacks a record that *check_* needs; "" when nothing is lacking."""
    for name in check_.needs:
        value = getattr(photo, name)
        if isinstance(value, Unexamined):
            return _unexamined(name, value.reason)
        if isinstance(value, Absent):
            return _absent(name, value)
    return ""


def _unexamined(name: str, reason: Statement) -> Sentence:
    if isinstance(reason, Sentence) and not reason.values:
        return _unexamined_for(name, reason.template)
    return Sentence(_UNEXAMINED, part=Sentence(NEEDED.get(name, name)), reason=reason)


_UNEXAMINED = template("{part} was not examined ({reason})")


@lru_cache(maxsize=256)  # as without a model, of every photo
def _unexamined_for(name: str, reason: str) -> Sentence:
    return Sentence(_UNEXAMINED, part=Sentence(NEEDED.get(name, name)), reason=Sentence(reason))


@lru_cache(maxsize=256)
def _absent(name: str, why: Absent) -> Sentence:
    return Sentence("{part}: {reason}", part=Sentence(NEEDED.get(name, name)), reason=Sentence(why.value))


def checks_in(module: ModuleType) -> Iterator[Check]:
    """Yield the checks that *module* defines, in the order of their ids."""
    found = {id(value): value for value in vars(module).values() if isinstance(value, Check)}
    yield from sorted(found.values(), key=lambda item: item.check_id)


@lru_cache(maxsize=1)
def counted_alarms() -> dict[str, Any]:
    """Return how often each rule spoke up on untouched photos, as ``benchmarks/count_alarms.py`` counted.

    ``{"photo_set": …, "rules": {check id: {"tested": n, "alarms": n, "sources": n,
    "source_alarms": x}}}``; the last two are None where only photos were counted.
    """
    table: dict[str, Any] = json.loads(files(__name__).joinpath("alarms.json").read_text(encoding="utf-8"))
    return table


class Registry:
    """The checks of one run; ids are unique."""

    def __init__(self, modules: Iterable[ModuleType] = ()) -> None:
        """Collect the checks of *modules*."""
        self._checks: dict[str, Check] = {}
        for module in modules:
            self.add(module)

    def add(self, module: ModuleType) -> None:
        """Collect the checks of *module*.

        Raises:
            PluginError: when an id is taken already.
        """
        for item in checks_in(module):
            if item.check_id in self._checks:
                raise PluginError(
                    Sentence(
                        "{module} defines {rule}, which exists already; give it another id",
                        module=module.__name__,
                        rule=item.check_id,
                    )
                )
            self._checks[item.check_id] = item

    def of(self, scope: Scope) -> Sequence[Check]:
        """Return the checks of one scope in the order of their ids."""
        return [item for _, item in sorted(self._checks.items()) if item.scope is scope]

    def __iter__(self) -> Iterator[Check]:
        """Yield the checks in the order of their ids."""
        return iter([item for _, item in sorted(self._checks.items())])

    def __len__(self) -> int:
        """Count the checks."""
        return len(self._checks)

    def __getitem__(self, check_id: str) -> Check:
        """Return the check of that id."""
        return self._checks[check_id]
