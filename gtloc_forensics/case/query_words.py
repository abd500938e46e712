"""What a question in words asks for: things that can be seen, a time, a place; what cannot be answered is refused.

A word is understood when it is one of those that the model's word heads were taught
(:mod:`gtloc_forensics.vision.words`), a word of the calendar or the clock (:mod:`.calendar_words`), or the name of a
country or a town. What is left is a phrase for the model's text tower, where one is installed. Else it is named, with
the reason; only the small words of grammar count for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gtloc_forensics.case import calendar_words
from gtloc_forensics.case.calendar_words import When
from gtloc_forensics.case.query_text import LANGUAGES
from gtloc_forensics.earth import countries, gazetteer
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Position, Sentence, Statement, visible

if TYPE_CHECKING:
    from gtloc_forensics.vision.words import Concept, WordHeads

MOST_CHARACTERS, MOST_WORDS = 300, 24
LONGEST = 4
"""Words that one name may have."""

WELL_KNOWN = 100_000
"""Inhabitants from which on a town is understood by its name alone; a smaller one needs an "in" before it."""

_SMALL = frozenset(
    word
    for line in (
        "a an the of on with and or to by is are was some at in near from around this",
        "ein eine einen einem einer eines der die das den dem des und oder mit auf am im an zu zur zum bei aus um von",
        "vom es ist",
    )
    for word in line.split()
)
_BEFORE_A_PLACE = frozenset(["in", "near", "from", "around", "bei", "aus", "nahe"])
_MARKS = frozenset([",", ";"])
_NOT = frozenset(["no", "not", "without", "ohne", "kein", "keine", "keinen", "nicht"])
_PIECES = re.compile(r"[^\s,;]+|[,;]")


def _nobody_reads() -> Statement:
    return Sentence("no installed model reads text")


@dataclass(frozen=True, slots=True)
class Sought:
    """A thing that is to be seen, or not to be seen."""

    concept: Concept
    absent: bool = False


@dataclass(frozen=True, slots=True)
class There:
    """A place that is asked for: some points that stand for it, and how it was read."""

    name: str
    points: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that a text tower is to read, as they were typed; ``absent`` where they are asked away."""

    text: str
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question in words, understood.

    Attributes:
        sought: what is to be seen.
        phrases: what else is to be seen, for the text tower.
        when: the time; None where none is asked.
        there: the place; None where none is asked.
        read_as: of each word or group of words how it was understood.
    """

    sought: tuple[Sought, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    when: When | None = None
    there: There | None = None
    read_as: tuple[tuple[str, str], ...] = ()


def understood(
    text: str,
    heads: WordHeads | None,
    *,
    why_none: Statement = "",
    why_no_tower: Callable[[], Statement] = _nobody_reads,
) -> Meaning:
    """Return what *text* asks for.

    Args:
        text: as somebody typed it.
        heads: the words that were learned for the model that looked at the case.
        why_none: why there are none.
        why_no_tower: says why no text tower reads the rest, "" where one does; asked only when there is a rest.

    Raises:
        UsageError: some words cannot be answered; each is named with the reason, and nothing is searched.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            Sentence("a question has at most {most} characters; leave something out", most=MOST_CHARACTERS)
        )
    pieces = [piece.strip('.!?"„“”()') or piece for piece in _PIECES.findall(text)]
    words = [word for piece in pieces for word in calendar_words.parts(piece)]
    if len(words) > MOST_WORDS:
        raise UsageError(Sentence("a question has at most {most} words; leave some out", most=MOST_WORDS))
    reader = _Reader(heads, why_none)
    at = 0
    while at < len(words):
        at += reader.take(words, at)
    phrases = reader.left_over(why_no_tower)
    if reader.refused:
        raise UsageError(
            Sentence(
                "nothing was searched, since some words cannot be answered: {refused:list}",
                refused=tuple(reader.refused),
            )
        )
    if not reader.read_as:
        raise UsageError(
            Sentence("no word of the question says what, when or where; see docs/search.md for what can be asked")
        )
    when = _shifted(reader.when, reader.there)
    return Meaning(tuple(reader.sought), phrases, when, reader.there, tuple(reader.read_as))


@dataclass(slots=True)
class _Run:
    """Words that follow one another and say what is to be seen, some of which nobody learned."""

    is_not: bool
    words: list[str] = field(default_factory=list)
    unknown: list[tuple[str, Statement]] = field(default_factory=list)  # with what else speaks against the word
    learned: list[Sought] = field(default_factory=list)


class _Reader:
    """Goes through the words of a question, the longest name first."""

    def __init__(self, heads: WordHeads | None, why_none: Statement) -> None:
        self.heads, self.why_none = heads, why_none
        self.sought: list[Sought] = []
        self.when: When | None = None
        self.there: There | None = None
        self.read_as: list[tuple[str, str]] = []
        self.refused: list[Sentence] = []
        self._runs: list[_Run] = []
        self._goes_on = False  # whether the next word belongs to the last run
        self._is_not = False

    def take(self, words: Sequence[str], at: int) -> int:
        """Understand the words from *at* on; return how many were used."""
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            some = words[at : at + count]
            if not _MARKS & set(some) and self._known(some, before=words[at - 1] if at else ""):
                self._is_not = False
                return count
        word = words[at]
        if word.casefold() in _NOT or word in _MARKS:
            self._is_not, self._goes_on = word not in _MARKS, False
        elif word.casefold() in _SMALL:
            if self._goes_on:
                self._runs[-1].words.append(word)
        else:
            self._unknown(word)
        return 1

    def left_over(self, why_no_tower: Callable[[], Statement]) -> tuple[Phrase, ...]:
        """Return what a text tower is to read; without one, each word that nobody learned is refused."""
        asked = [run for run in self._runs if run.unknown]
        why = why_no_tower() if asked else ""
        if why:
            for word, more in (pair for run in asked for pair in run.unknown):
                self._say_no(word, more or self._not_learned(why))
            return ()
        phrases = []
        for run in asked:
            while run.words[-1].casefold() in _SMALL:
                run.words.pop()
            phrases.append(Phrase(" ".join(run.words), run.is_not))
            if run.is_not:  # "no red car" asks no car away
                self.sought = [sought for sought in self.sought if all(sought is not known for known in run.learned)]
            meaning = Sentence("read by the text tower; how often that is right nobody has measured")
            self.read_as.append((("no " if run.is_not else "") + visible(phrases[-1].text), meaning))
        return tuple(phrases)

    def _not_learned(self, why: Statement) -> Statement:
        if self.heads is None and self.why_none:
            return self.why_none if why == self.why_none else Sentence("{none}; {why}", none=self.why_none, why=why)
        return Sentence("{why}, and it is none of the words that are learned (docs/search.md lists them)", why=why)

    def _in_run(self, word: str) -> _Run:
        """Return the run that a word belongs to, which it lengthens."""
        if not self._goes_on:
            self._runs.append(_Run(self._is_not))
        self._goes_on = True
        self._runs[-1].words.append(word)
        return self._runs[-1]

    def _known(self, some: Sequence[str], *, before: str) -> bool:
        text = " ".join(some)
        if len(some) == 1 and text.casefold() in _SMALL | _NOT:
            return False
        try:
            when = calendar_words.reading(some)
        except ValueError as error:
            self._say_no(text, error.args[0] if isinstance(error.args[0], Sentence) else str(error))
            return True
        if when is not None:
            self._time(text, when)
            self._goes_on = False
        elif (
            (is_after := before.casefold() in _BEFORE_A_PLACE)
            and text[:1].isupper()
            and (town := _place(text, WELL_KNOWN))
        ):
            self._place(text, town)
            self._goes_on = False
        elif self._concept(text):
            pass
        elif place := _place(text, _least_population(text, is_after=is_after)):
            self._place(text, place)
            self._goes_on = False
        else:
            return False
        return True

    def _time(self, text: str, when: When) -> None:
        known = self.when or When()
        if self._is_not or (when.year and known.year) or (when.hours and known.hours):
            self._say_no(text, Sentence("a time cannot be asked twice, nor be asked away"))
            return
        self.when = replace(
            known,
            year=when.year or known.year,
            hours=when.hours or known.hours,
            is_season=when.is_season or known.is_season,
            note=when.note or known.note,
        )
        self.read_as.append((text, spans_told(when)))

    def _place(self, text: str, place: There) -> None:
        if self._is_not or self.there is not None:
            self._say_no(text, Sentence("one place can be asked for, and none be asked away"))
            return
        self.there = place
        self.read_as.append((text, f"the place {place.name}"))

    def _concept(self, text: str) -> bool:
        word = text.casefold()
        known = {} if self.heads is None else self.heads.known
        if word in known:
            run = self._in_run(text)
            run.learned.append(Sought(known[word], absent=run.is_not))
            self.sought.append(run.learned[-1])
            self.read_as.append((text, ("no " if run.is_not else "") + f"“{known[word].name}” in the picture"))
            self._goes_on = not run.is_not
            return True
        if self.heads is not None and word in self.heads.not_learned:
            concept = self.heads.not_learned[word]
            why = Sentence(
                "{name} is not among the words that were learned well enough "
                "(area {area:.2f} ({low:.2f}–{high:.2f}) on {pictures} pictures of {sources} sources)",
                name=concept.name,
                area=concept.auc[0],
                low=concept.auc[1],
                high=concept.auc[2],
                pictures=concept.positives,
                sources=concept.positive_sources,
            )
            self._in_run(text).unknown.append((text, why))
            return True
        return False

    def _unknown(self, word: str) -> None:
        if calendar_words.year_alone(word):
            self._say_no(word, Sentence("a picture does not show the year; --dates asks for what is claimed"))
            return
        why: Statement = ""
        if self.heads is not None and word[:1].isupper() and gazetteer.find(word, LANGUAGES):
            why = Sentence(
                "no installed model reads text, and it is none of the words that are learned "
                "(docs/search.md lists them); if the place is meant, write “in {word}”",
                word=visible(word),
            )
        self._in_run(word).unknown.append((word, why))
        self._is_not = False

    def _say_no(self, word: str, reason: Statement) -> None:
        self.refused.append(Sentence("{word:quoted}: {reason}", word=visible(word), reason=reason))


def _least_population(text: str, *, is_after: bool) -> float:
    """Return how many inhabitants a town needs to be meant: words like "rain" and "red" are names of small ones."""
    if not text[:1].isupper():
        return WELL_KNOWN if is_after else float("inf")
    return 0 if is_after else WELL_KNOWN


def _place(text: str, least_population: float) -> There | None:
    code = countries.code_of(text, LANGUAGES) if len(text) > 3 else None
    if code is not None:
        towns = gazetteer.of_country(code)
        return There(countries.country_name(code), tuple(town.position for town in towns)) if towns else None
    found = gazetteer.find(text, LANGUAGES) if len(text) > 1 else ()
    if not found or found[0].population < least_population:
        return None
    return There(gazetteer.told(found[0], others=len(found) - 1), (found[0].position,))


def _shifted(when: When | None, there: There | None) -> When | None:
    """Return the time with the season of the place: half a year later south of the equator."""
    if when is None or when.year is None or not when.is_season:
        return when
    is_southern = there is not None and sum(point.latitude_deg < 0 for point in there.points) * 2 > len(there.points)
    if not is_southern:
        return when
    begin, end = when.year
    return replace(when, year=((begin + 0.5) % 1.0, (end + 0.5) % 1.0))


def spans_told(when: When) -> str:
    """Return a time as a reader checks it."""
    parts = []
    if when.year is not None:
        begin, end = (round(turn * 365) for turn in when.year)
        first, last = (_DAYS[day % 365] for day in (begin, end - 1))
        parts.append(first if first == last else f"{first} to {last}")
        if when.is_season:
            parts[-1] += " (half a year later south of the equator)"
    if when.hours is not None:
        parts.append("–".join(f"{int(hour):02d}:{round(hour % 1 * 60):02d}" for hour in when.hours))
    return "the time " + ", ".join(parts) + (f" ({when.note})" if when.note else "")


_DAYS = tuple(
    f"{day} {name}"
    for name, days in zip(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31),
        strict=True,
    )
    for day in range(1, days + 1)
)
