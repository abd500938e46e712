"""What differs between two examinations: photos new and gone, other outcomes, other versions behind them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gtloc_forensics.records import CaseView, Outcome, PhotoEntry, Status

UNLIKE = ("command", "started", "finished")
"""Labels of an environment that differ from run to run and mean nothing."""


@dataclass(frozen=True, slots=True)
class OtherOutcome:
    """One photo that both examinations know, and of which they say different things."""

    name: str
    before: Status
    after: Status
    rules: tuple[tuple[str, str, str], ...]  # (rule, outcome before, outcome after), "" where it did not speak
    content_differs: bool  # the file has other bytes now


@dataclass(frozen=True, slots=True)
class Contrast:
    """The second examination against the first."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    moved: tuple[tuple[str, str], ...]  # the same bytes under another name: before, after
    other: tuple[OtherOutcome, ...]
    versions: tuple[tuple[str, str, str], ...]  # what, before, after; "" where it was not there
    same: int  # photos of which both say the same

    @property
    def differs(self) -> bool:
        """Whether anything but versions differs."""
        return bool(self.new or self.gone or self.moved or self.other)


@dataclass(frozen=True, slots=True)
class _Seen:
    sha256: str
    status: Status
    outcomes: Mapping[str, str]


def contrast(
    first: CaseView, second: CaseView, *, watched: Callable[[Iterable[PhotoEntry]], Iterable[PhotoEntry]] = iter
) -> Contrast:
    """Return what differs: a photo is known again by its path, or by its bytes where the path is another.

    All photos of both pass through *watched*.
    """
    before, after = (_photos(watched(view.photos())) for view in (first, second))
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    moved = tuple(sorted(_moved(before, after, gone=gone, new=new)))
    both = sorted(before.keys() & after.keys())
    other = tuple(found for name in both if (found := _other(name, before[name], after[name])))
    return Contrast(
        new=tuple(sorted(new - {name for _, name in moved})),
        gone=tuple(sorted(gone - {name for name, _ in moved})),
        moved=moved,
        other=other,
        versions=tuple(_versions(first, second)),
        same=len(both) - len(other),
    )


def _photos(entries: Iterable[PhotoEntry]) -> dict[str, _Seen]:
    return {entry.photo.source.display_path: _seen(entry) for entry in entries}


def _seen(entry: PhotoEntry) -> _Seen:
    outcomes: dict[str, str] = {}
    for finding in entry.findings:
        if finding.outcome is not Outcome.NOT_TESTABLE:
            known = outcomes.get(finding.check_id, "")
            outcomes[finding.check_id] = " + ".join(sorted({*filter(None, known.split(" + ")), finding.outcome.value}))
    return _Seen(entry.photo.source.sha256, entry.status, outcomes)


def _moved(
    before: Mapping[str, _Seen], after: Mapping[str, _Seen], *, gone: set[str], new: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield pairs of names of the same bytes, each name once."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for name in sorted(new, reverse=True):
        waiting[after[name].sha256].append(name)
    for name in sorted(gone):
        if waiting[before[name].sha256]:
            yield name, waiting[before[name].sha256].pop()


def _other(name: str, before: _Seen, after: _Seen) -> OtherOutcome | None:
    rules = tuple(
        (rule, before.outcomes.get(rule, ""), after.outcomes.get(rule, ""))
        for rule in sorted(before.outcomes.keys() | after.outcomes.keys())
        if before.outcomes.get(rule, "") != after.outcomes.get(rule, "")
    )
    content_differs = before.sha256 != after.sha256
    if before.status is after.status and not rules and not content_differs:
        return None
    return OtherOutcome(name, before.status, after.status, rules, content_differs)


def _versions(first: CaseView, second: CaseView) -> Iterator[tuple[str, str, str]]:
    """Yield what the two were examined with, where it differs: the environment, and each rule's version."""
    for before, after in (
        (_environment(first), _environment(second)),
        (
            {f"rule {note.check_id}": note.version for note in first.rules()},
            {f"rule {note.check_id}": note.version for note in second.rules()},
        ),
    ):
        for name in sorted(before.keys() | after.keys()):
            if before.get(name, "") != after.get(name, ""):
                yield name, before.get(name, ""), after.get(name, "")


def _environment(view: CaseView) -> dict[str, str]:
    return {name: str(value) for name, value in view.environment.items() if name not in UNLIKE}
