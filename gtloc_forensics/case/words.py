"""Which photos hold the words that are looked for: in their name, tags, camera, claimed place, or results."""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gtloc_forensics.checks.reference import countries
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Outcome, Sentence, visible

if TYPE_CHECKING:
    from gtloc_forensics.case.view import StoredCase
    from gtloc_forensics.store.sketches import Concluded, Sketch

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
        raise UsageError(Sentence("at most {most} words can be looked for at once; leave some out", most=MOST_TERMS))
    return found


def holding(view: StoredCase, text: str) -> Mapping[int, tuple[Place, ...]]:
    """Return of each photo that holds all words of *text* where they stand, by its place in the path order."""
    wanted = terms(text)
    return Index(view.sketches(tags=True), view).holding(wanted)


class Index:
    """The texts of a case in which words are looked for, read once and kept small."""

    def __init__(self, photos: Iterable[Sketch], view: StoredCase) -> None:
        """Read the texts of *photos*, all of *view* in path order."""
        results = Results(view)
        self._packed: list[bytes] = []  # of so many photos each, packed together: most tags are those of the camera
        waiting: list[str] = []
        for photo in photos:
            waiting.append(_FIELD.join(f"{name}{_NAME}{text}" for name, text in _fields(photo, results.of)))
            if len(waiting) == _PACKED_TOGETHER:
                self._keep(waiting)
        if waiting:
            self._keep(waiting)

    def _keep(self, waiting: list[str]) -> None:
        self._packed.append(zlib.compress(_PHOTO.join(waiting).encode("utf-8", "surrogatepass"), 1))
        waiting.clear()

    def holding(self, wanted: Iterable[str]) -> Mapping[int, tuple[Place, ...]]:
        """Return of each photo that holds all of the :func:`terms` where they stand, by its place in the order."""
        terms, found = tuple(wanted), dict[int, tuple[Place, ...]]()
        for number, packed in enumerate(self._packed):
            together = zlib.decompress(packed).decode("utf-8", "surrogatepass")
            folded = together.casefold()
            if all(term in folded for term in terms):
                for within, kept in enumerate(together.split(_PHOTO)):
                    fields = (field.split(_NAME, 1) for field in kept.split(_FIELD))
                    places = _places(terms, ((name, text) for name, text in fields))
                    if places is not None:
                        found[number * _PACKED_TOGETHER + within] = places
        return found


_PHOTO, _FIELD, _NAME = "\x1d", "\x1e", "\x1f"  # what separates them in a packed text; a text holds none of them
_SEPARATORS = str.maketrans({_PHOTO: " ", _FIELD: " ", _NAME: " "})
_PACKED_TOGETHER = 128


def texts(view: StoredCase, *, most: int) -> Iterator[tuple[str, str]]:
    """Yield of each photo its source id and the text in which words are looked for, its name left out."""
    results = Results(view)
    for photo in view.sketches(tags=True):
        fields = _fields(photo, results.of)
        yield photo.source_id, " · ".join(text for name, text in fields if name != "name" and text)[:most]


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


def _fields(photo: Sketch, results: Callable[[Sketch], str]) -> Iterator[tuple[str, str]]:
    yield "name", photo.name
    yield "result", results(photo)
    if photo.is_read:
        yield from _of_metadata(photo.maker, photo.zones, photo.tags)


def texts_of(
    name: str, maker: tuple[str, str, str], zones: tuple[str, ...], tags: Mapping[str, object], is_read: bool
) -> Iterator[str]:
    """Yield every text of a photo in which words are looked for, but how it ended."""
    yield name
    if is_read:
        yield from (text for _, text in _of_metadata(maker, zones, tags))


def _of_metadata(
    maker: tuple[str, str, str], zones: tuple[str, ...], tags: Mapping[str, object]
) -> Iterator[tuple[str, str]]:
    yield "camera", " ".join(filter(None, maker)).translate(_SEPARATORS)
    yield "place", _named(zones)
    for tag, value in tags.items():
        yield tag.translate(_SEPARATORS), _joined(value).translate(_SEPARATORS)


def _joined(value: object) -> str:
    return " · ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


@lru_cache(maxsize=4096)
def _named(legal: tuple[str, ...]) -> str:
    """Return the time zones at a claimed position, which name towns, and their countries."""
    found = [zone for zone in legal if not zones.is_nautical(zone)]
    lands = sorted({countries.name_of(code) for zone in found for code in countries.of_zone(zone)})
    return ", ".join([*(zone.replace("_", " ") for zone in found), *lands])


class Results:
    """How a photo ended, in the words of every language that is spoken, with the rules behind it."""

    def __init__(self, view: StoredCase) -> None:
        """Learn the words, and the titles of the rules of *view*."""
        from gtloc_forensics.report.template import load_words  # not for who only asks for words

        self._words = [load_words("default", language) for language in _LANGUAGES]
        self._titles = {note.check_id: note.title for note in view.rules()}
        self._known: dict[tuple[str, ...], str] = {}

    def of(self, photo: Sketch | Concluded) -> str:
        """Return the words of a result."""
        told = [finding for finding in photo.findings if finding.outcome not in _UNTOLD]
        keys = [f"status.{photo.status.name.lower()}", *(f"outcome.{item.outcome.name.lower()}" for item in told)]
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
