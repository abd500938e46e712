"""Sentences that remember what they are made of, so that a report can say them in its own language.

A rule says ``Sentence("The GPS time is {gap_s:spoken} older than the photo.", gap_s=5400)``. It
is that text in English wherever text is wanted; the template and its values stay with it, are kept in
the case, and a report in another language puts the same values into the translation of the template.

A place is ``{name}`` or ``{name:form}``. Forms, with what they take:

========== =================================== =========================================
form       value                               English
========== =================================== =========================================
(none)     text; a whole number; a date or     as it is; ``12,400``; ``2024-05-17``,
           moment; a sentence; several of them ``2024-05-17 10:03:00[.25]``; itself; ``a, b``
``.1f`` …  number (any format of Python)       ``12,400.5``: thousands are always marked; ``1.5, 2.5``
``spoken`` seconds                             ``1 h 30 min``, the two largest units
``length`` hours                               ``1 h 30 min``, ``3 days``
``exact``  seconds, with their sign            ``−1 day 2 h 5 s``, all that it has
``signed`` hours                               ``+1 h 30 min``
``range``  two ends in hours                   ``1 h – 2 h, 95 %``
``span``   two ends in hours                   ``+1 h to +2 h, 95 %``
``civil``  offset from UTC in hours            ``UTC+05:30``
``clock``  time of day or moment               ``10:03:00``
``date``   date or moment                      ``2024-05-17``
``raw``    whole number                        ``2024``: a year, a number that is a name
``quoted`` text                                ``'text'``
``list``   several values                      ``a; b; c``
``and``    several values                      ``a, b and c``
``or``     several values                      ``a or b`` (offsets: ``UTC+01:00 or UTC+02:00``)
``capital`` sentence or text                   ``A text``: begins as a sentence does
``bare``   sentence or text                    without its full stop
``?a|b``   number                              ``a`` where it is 1, else ``b``; ``#`` in them is the number
``±a|b``   number                              ``a`` where it is above 0, else ``b``
========== =================================== =========================================

``civil or`` and the like apply the first form to each value of several and join them by the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Self, TypeAlias

from gtloc_forensics.records import durations
from gtloc_forensics.records.durations import Units

_PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
# How a text of a case from before sentences kept their parts begins with the name of a file.
_NAMED = re.compile(r"\S*/\S|[^:]*\.\w{2,5}: ")
_JOINING = ("list", "and", "or")
_KEPT_AS_THEY_ARE = frozenset({str, bool, int, float, type(None)})


class Sentence(str):
    """One thing the program says: its English text, and the template and values it was made from.

    Attributes:
        template: English, with places as the module describes; the key of its translations.
        values: what stands in the places; plain values, moments, sentences, or tuples of these.

    Raises:
        ValueError: when a place has no value, a value no place, or a form does not suit its value.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:
        """Put *values* into *template*, in English."""
        if not values.keys() <= (known := _names_in(template)):
            unused = values.keys() - known
            raise ValueError(f"the sentence {template!r} has no place for {', '.join(sorted(unused))}")
        kept = {name: _plain(value) for name, value in values.items()}
        made = super().__new__(cls, ENGLISH.put(template, kept))
        made.template, made.values = template, kept
        return made

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, dict[str, Any]]]:
        """Keep template and values when it is copied or sent to another process."""
        return remade, (self.template, dict(self.values))


Statement: TypeAlias = str | Sentence
"""What the program says of something: a :class:`Sentence`, or plain English from a third-party rule or an old case."""


def template(text: str) -> str:
    """Return *text*: marks a template that stands in a table, so that a test finds it and asks for its translations."""
    return text


def remade(template: str, values: Mapping[str, Any]) -> Sentence:
    """Return the sentence made of *template* and *values*."""
    return Sentence(template, **values)


def recalled(text: str, templates: Iterable[str]) -> Statement:
    """Return the sentence that *text* was made of: by the one of *templates* that gives it, else the text itself.

    For what is kept as English text although the program wrote it. Forms are text, ``raw`` and ``.1f`` and the like.
    """
    for kept in templates:
        names = [(name, form) for name, form in _PLACE.findall(kept)]
        pattern = "(.+?)".join(map(re.escape, _PLACE.split(kept)[::3]))
        if (found := re.fullmatch(pattern, text)) is None:
            continue
        try:
            values = {name: _read(written, form) for (name, form), written in zip(names, found.groups(), strict=True)}
            made = Sentence(kept, **values)
        except ValueError:
            continue
        if made == text:
            return made
    return text


def _read(written: str, form: str) -> str | int | float:
    return written if not form else int(written) if form == "raw" else float(written)


def places(template: str) -> dict[str, set[str]]:
    """Return the names that stand in a template, each with the forms it stands there in."""
    found: dict[str, set[str]] = {}
    for name, form in _PLACE.findall(template):
        found.setdefault(name, set()).add(form)
    return found


@lru_cache(maxsize=4096)  # the same templates come again with every photo
def _names_in(template: str) -> frozenset[str]:
    return frozenset(name for name, _ in _PLACE.findall(template))


@lru_cache(maxsize=4096)
def _taken_apart(template: str) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Return what stands before the first place, and of each place its name, its form and what stands behind it."""
    first, *parts = _PLACE.split(template)
    return first, tuple((name, form or "", behind) for name, form, behind in zip(*[iter(parts)] * 3, strict=True))


@lru_cache(maxsize=4096)
def is_wordless(template: str) -> bool:
    """Whether a template is nothing but places and signs, the same in every language."""
    return not any(character.isalpha() for character in _PLACE.sub("", template))


def _plain(value: Any) -> Any:
    """Return a value that can be kept: numbers of numpy become Python's, lists become tuples."""
    if type(value) in _KEPT_AS_THEY_ARE:
        return value
    if hasattr(value, "item"):  # first: a float of numpy is a float, too, but not one that a case can keep
        return value.item()
    if value is None or isinstance(value, (str, bool, int, float, datetime, date, time)):
        return value
    if isinstance(value, Sequence):
        return tuple(_plain(member) for member in value)
    raise ValueError(f"a {type(value).__name__} cannot stand in a sentence")


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language writes values, and what it says for an English template.

    Attributes:
        units: of lengths of time, with the signs of numbers.
        conjunctions: what joins values under ``and`` and ``or``.
        quotes: before and after a quoted text.
        moment: a date with its time, in places ``{year}`` to ``{second}``; ``day`` is a date alone.
        translations: a template for the English one; what is not there is said in English.
    """

    units: Units = field(default_factory=Units)
    conjunctions: Mapping[str, str] = field(default_factory=lambda: {"and": " and ", "or": " or ", "list": "; "})
    quotes: tuple[str, str] = ("'", "'")
    day: str = "{year}-{month}-{day}"
    translations: Mapping[str, str] = field(default_factory=dict)

    def tell(self, text: str) -> str:
        """Return *text* in this language where it is a sentence that has a translation, else as it is."""
        if not isinstance(text, Sentence):
            return text
        template = self.translations.get(text.template, text.template if is_wordless(text.template) else None)
        if template is None:
            return str(text)
        try:
            return self.put(template, text.values)
        except (ValueError, KeyError, TypeError):
            return str(text)  # a translation that cannot be used must not cost the finding its sentence

    def put(self, template: str, values: Mapping[str, Any]) -> str:
        """Return *template* with *values* in its places.

        Raises:
            ValueError: when a value is missing or a form does not suit it.
        """
        first, places_ = _taken_apart(template)
        written = [first]
        for name, form, behind in places_:
            if name not in values:
                raise ValueError(f"the sentence {template!r} lacks a value for {name}")
            try:
                written += (self.write(values[name], form), behind)
            except (TypeError, AttributeError) as error:
                raise ValueError(f"{name} cannot be written as {form!r} in {template!r}: {error}") from error
        return "".join(written)

    def write(self, value: Any, form: str = "") -> str:
        """Return one value in one form."""
        if form.startswith(("?", "±")):
            first, _, second = form[1:].partition("|")
            chosen = first if (value == 1 if form[0] == "?" else value > 0) else second
            return chosen.replace("#", self.write(value)) if "#" in chosen else chosen
        if isinstance(value, tuple) and form not in _OF_ONE:
            each, _, joint = form.rpartition(" ")
            if joint not in _JOINING:
                each, joint = form, ""
            if self.units.decimal == "," and any(isinstance(member, float) for member in value):
                joint = joint or "list"  # a comma between such numbers would be taken for one within them
            return self._joined([self.write(member, each) for member in value], joint)
        if form in _FORMS:
            return _FORMS[form](self, value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{type(value).__name__} has no such form")
        return self._number(value, form)

    def _joined(self, texts: Sequence[str], joint: str) -> str:
        if joint == "and" and len(texts) > 1:
            return f"{', '.join(texts[:-1])}{self.conjunctions['and']}{texts[-1]}"
        return self.conjunctions.get(joint, ", ").join(texts)

    def _number(self, value: float, form: str) -> str:
        marked = form if "," in form else f",{form}"
        text = format(value, marked)
        if not text.strip("-0.,"):
            text = text.lstrip("-")  # no minus before a zero
        return self._signs(text)

    def _signs(self, text: str) -> str:
        written = text.replace(",", "\0").replace(".", self.units.decimal).replace("\0", self.units.thousands)
        return f"{self.units.minus}{written[1:]}" if written.startswith("-") else written

    def _as_it_is(self, value: Any) -> str:
        if isinstance(value, str):
            return self.tell(value)
        if isinstance(value, datetime):
            fraction = f".{value.microsecond:06d}".rstrip("0.").replace(".", self.units.decimal)
            return f"{self._day(value)} {value:%H:%M:%S}{fraction}"
        if isinstance(value, date):
            return self._day(value)
        if isinstance(value, time):
            return f"{value:%H:%M:%S}"
        if isinstance(value, int) and not isinstance(value, bool):
            return self._signs(f"{value:,}")
        raise TypeError(f"{type(value).__name__} needs a form")

    def _day(self, value: date) -> str:
        parts = {"year": f"{value.year:04d}", "month": f"{value.month:02d}", "day": f"{value.day:02d}"}
        return self.put(self.day, parts)

    def _begun(self, value: str) -> str:
        text = self.tell(value)
        if self._begins_with_value(value) or (not isinstance(value, Sentence) and _NAMED.match(text)):
            return text  # a capital would name another file
        first = text[:1].upper()
        return f"{first}{text[1:]}" if text[:1].islower() and first != text[:1] else text

    def _begins_with_value(self, value: Any) -> bool:
        """Whether a sentence begins with a text that was put into it, as with the name of a file."""
        if not isinstance(value, Sentence):
            return False
        place = _PLACE.match(self.translations.get(value.template, value.template))
        held = value.values.get(place[1]) if place else None
        return self._begins_with_value(held) if isinstance(held, Sentence) else isinstance(held, str)


_FORMS: Mapping[str, Callable[[Wording, Any], str]] = {
    "": Wording._as_it_is,
    "spoken": lambda wording, value: durations.spoken(value, wording.units),
    "exact": lambda wording, value: durations.exact(value, wording.units),
    "length": lambda wording, value: durations.length(value, wording.units),
    "signed": lambda wording, value: durations.signed(value, wording.units),
    "range": lambda wording, value: durations.between(value[0], value[1], wording.units),
    "span": lambda wording, value: durations.span(value[0], value[1], wording.units),
    "civil": lambda wording, value: durations.civil_offset(value),
    "clock": lambda wording, value: f"{value:%H:%M:%S}",
    "date": lambda wording, value: wording._day(value),
    "raw": lambda wording, value: f"{value:d}",
    "quoted": lambda wording, value: f"{wording.quotes[0]}{wording.tell(value)}{wording.quotes[1]}",
    "capital": Wording._begun,
    "bare": lambda wording, value: wording.tell(value).removesuffix("."),
}
_OF_ONE = ("range", "span")  # forms that take a pair as one value

ENGLISH = Wording()
