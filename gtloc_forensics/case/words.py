"""Which photos hold the words that are looked for: in their name, tags, camera, claimed place, or results."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.checks.reference import countries
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Absent, Claim, Outcome, PhotoResult, Source, Unexamined, visible
from gtloc_forensics.report.template import load_words

MOST_TERMS = 12
AROUND = 30
"""Characters shown before and after a word that was found."""

_LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a photo a word was found.

    Attributes:
        term: the word, as it was looked for.
        field: ``name``, ``camera``, ``place``, ``result`` or the name of a tag.
        text: what stands around it.
    """

    term: str
    field: str
    text: str


def terms(text: str) -> tuple[str, ...]:
    """Return the words to look for; those in quotes are one.

    Raises:
        UsageError: there are too many.
    """
    try:
        parts = shlex.split(text)
    except ValueError:  # a quote that is not closed, as in an apostrophe
        parts = text.split()
    found = tuple(dict.fromkeys(part.casefold() for part in parts if part.strip()))
    if len(found) > MOST_TERMS:
        raise UsageError(f"at most {MOST_TERMS} words can be looked for at once; leave some out")
    return found


def holding(view: StoredCase, text: str) -> Mapping[int, tuple[Place, ...]]:
    """Return of each photo that holds all words of *text* where they stand, by its place in the path order."""
    wanted = terms(text)
    results = _Results(view)
    return {
        ordinal: places
        for ordinal, outline in enumerate(view.briefs(tags=True))
        if (places := _places(wanted, _fields(*outline, results=results.of))) is not None
    }


def texts(view: StoredCase, *, most: int) -> Iterator[tuple[str, str]]:
    """Yield of each photo its source id and the text in which words are looked for, its name left out."""
    results = _Results(view)
    for outline in view.briefs(tags=True):
        fields = _fields(*outline, results=results.of)
        yield outline[0].source_id, " · ".join(text for name, text in fields if name != "name" and text)[:most]


def _places(wanted: Iterable[str], fields: Iterable[tuple[str, str]]) -> tuple[Place, ...] | None:
    """Return where each word stands first; None when one stands nowhere. Fields are read as far as needed."""
    left, found = dict.fromkeys(wanted), list[Place]()
    for field, text in fields:
        folded = text.casefold()
        for term in [term for term in left if term in folded]:
            del left[term]
            found.append(Place(term, field, _around(text, folded.index(term), len(term))))
        if not left:
            return tuple(found)
    return None


def _around(text: str, at: int, length: int) -> str:
    begin, end = max(0, at - AROUND), at + length + AROUND
    return visible(f"{'…' * (begin > 0)}{text[begin:end]}{'…' * (end < len(text))}")


def _fields(
    source: Source, claim: Claim | Unexamined, verdict: PhotoResult, *, results: Callable[[PhotoResult], str]
) -> Iterator[tuple[str, str]]:
    yield "name", source.display_path
    yield "result", results(verdict)
    if isinstance(claim, Claim):
        device = claim.device
        words = (device.make, device.model, device.serial)
        yield "camera", " ".join(word for word in words if not isinstance(word, Absent))
        yield "place", _named(claim.zones)
        yield from ((tag, _joined(value)) for tag, value in claim.tags.items())


def _joined(value: object) -> str:
    return " · ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


@lru_cache(maxsize=4096)
def _named(legal: tuple[str, ...]) -> str:
    """Return the time zones at a claimed position, which name towns, and their countries."""
    found = [zone for zone in legal if not zones.is_nautical(zone)]
    lands = sorted({countries.name_of(code) for zone in found for code in countries.of_zone(zone)})
    return ", ".join([*(zone.replace("_", " ") for zone in found), *lands])


class _Results:
    """How a photo ended, in the words of every language that is spoken, with the rules behind it."""

    def __init__(self, view: StoredCase) -> None:
        self._words = [load_words("default", language) for language in _LANGUAGES]
        self._titles = {note.check_id: note.title for note in view.rules()}
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, verdict: PhotoResult) -> str:
        """Return the words of a result."""
        told = [finding for finding in verdict.findings if finding.outcome not in _UNTOLD]
        keys = [f"status.{verdict.status.name.lower()}", *(f"outcome.{item.outcome.name.lower()}" for item in told)]
        rules = sorted({finding.check_id for finding in told})
        key = (*sorted(set(keys)), *rules)
        if key not in self._known:
            said = [words.line(name) for name in sorted(set(keys)) for words in self._words]
            self._known[key] = ", ".join([*said, *(f"{rule} {self._title(rule)}" for rule in rules)])
        return self._known[key]

    def _title(self, check_id: str) -> str:
        key = f"rule.{check_id}"
        said = [words.line(key) for words in self._words if words.has(key)]
        return " ".join([self._titles.get(check_id, ""), *said])


_UNTOLD = (Outcome.NOT_TESTABLE, Outcome.CONSISTENT)
