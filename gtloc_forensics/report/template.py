"""Templates: what a report says, in which order and in which language. Data, no code.

A template is a folder with ``template.toml`` (order, page, logo, verbal scale),
one ``<language>.toml`` of the report's own sentences, and for every language but
English one ``sentences.<language>.toml`` that translates what the rest of the program says
(:class:`~gtloc_forensics.records.Sentence`): English template to template. What a template leaves out is
taken from the template ``default``, and what a language leaves out from English. The report's own sentences are
Jinja2 in a sandbox without a loader; in what they yield only ``**bold**`` and
backticks are markup, and only where the template wrote them: a value that is put
into a sentence stays as it is. So neither a template nor a photo can open a file
or an address.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from PIL import Image

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Wording
from gtloc_forensics.records.durations import Units
from gtloc_forensics.report.blocks import Span, Text
from gtloc_forensics.report.text import LONGEST_SENTENCE, LONGEST_VALUE, plain

PAGES = ("A4", "letter")
_MARKUP = re.compile(r"(\*\*|`)")
# Private-use stand-ins for the two markup signs inside values, undone after the markup has been read.
_SHIELD = {"\ue0f1": "[U+E0F1]", "\ue0f2": "[U+E0F2]", "*": "\ue0f1", "`": "\ue0f2"}
_PLACE_OF_DATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")  # the report's own sentences are Jinja2, these are not
_UNIT_KEYS = {
    "to": "to",
    "decimal": "decimal",
    "thousands": "thousands",
    "minus": "minus",
}  # the others begin with unit_
_UNSHIELD = {"\ue0f1": "*", "\ue0f2": "`"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the verbal scale: likelihood ratios below ``below`` are called ``name``."""

    below: float
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    """What ``template.toml`` says."""

    name: str
    chapters: tuple[str, ...]
    page: str  # "A4" or "letter"
    logo: bytes  # PNG or JPEG, b"" for none
    style: str  # CSS of the page of HTML
    scale: tuple[Step, ...]
    appendix: tuple[str, ...]  # chapters that can be a file of their own
    attach: bool  # whether the findings and the chain are embedded in the PDF as data
    cause_sections: int  # so many causes are told at length, the others in a table
    minor_causes: int  # so many causes without a section have a row each
    contact_photos: int  # a case of more photos has only those with a finding on the contact sheet
    table_photos: int  # a case of more photos has only those with a finding in the table
    photo_pages: int  # at most so many photos get a page of their own
    picture_px: int
    picture_bytes: int


class Words:
    """The sentences of one template in one language."""

    def __init__(
        self, language: str, sentences: Mapping[str, str], translations: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Keep the words of one language: the report's own, and the translations of what the program says elsewhere."""
        self.language = language
        self._sentences = sentences
        self.wording = _wording(sentences, translations)
        self._compiled: dict[str, jinja2.Template] = {}
        self._jinja = ImmutableSandboxedEnvironment(
            loader=jinja2.DictLoader({}), autoescape=False, undefined=jinja2.StrictUndefined, finalize=self._shielded
        )
        self._jinja.filters["number"] = self.number

    def has(self, key: str) -> bool:
        """Whether there is a sentence called *key*."""
        return key in self._sentences

    def __call__(self, key: str, **values: Any) -> Text:
        """Return the sentence *key* with *values* put in.

        Raises:
            UsageError: when the template lacks the sentence, or the sentence asks for a value that is not there.
        """
        return _spans(self._render(key, values))

    def line(self, key: str, **values: Any) -> str:
        """Return the sentence *key* without styles."""
        return "".join(span.text for span in self(key, **values))

    def say(self, text: str, *, limit: int = LONGEST_SENTENCE) -> str:
        """Return what the program says, in this language where it can be said in it, as one visible line."""
        return plain(self.wording.tell(text), limit=limit)

    def reason(self, text: str) -> str:
        """Return why something was not done, as short as a value is kept."""
        return self.say(text, limit=LONGEST_VALUE)

    def sentence(self, text: str, *, limit: int = LONGEST_SENTENCE) -> str:
        """Return what the program says as :meth:`say` does, beginning as a sentence does, unless with a name."""
        return plain(self.wording.write(text, "capital"), limit=limit)

    def recorded(self, text: str) -> str:
        """Return a fixed word that a case keeps in English, as the name of a field, in this language; others as is.

        A name of two parts (``model weights``) is said by them where it is not known as a whole.
        """
        first, _, rest = text.partition(" ")
        if self.has(f"recorded.{text}"):
            return self.line(f"recorded.{text}")
        if rest and self.has(f"recorded.{first}") and self.has(f"recorded.{rest}"):
            return f"{self.line(f'recorded.{first}')}: {self.line(f'recorded.{rest}')}"
        return self.say(text)

    def number(self, value: float, digits: int = 0) -> str:
        """Return *value* with the language's decimal and thousands signs."""
        text = f"{value:,.{digits}f}"
        if text.lstrip("-0.,") == "":
            text = text.lstrip("-")  # no minus before a zero
        thousands, decimal = self._sentences["format.thousands"], self._sentences["format.decimal"]
        return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands).replace("-", "−")

    def degrees(self, value: float, *, is_longitude: bool) -> str:
        """Return degrees with their side: ``1,5°O`` in German; the equator and both middle meridians have none."""
        north, east, south, west = self._sentences["format.sides"].split()
        positive, negative = (east, west) if is_longitude else (north, south)
        side = "" if value in (0.0, -180.0, 180.0) else positive if value > 0 else negative
        return f"{abs(value):g}°{side}".replace(".", self._sentences["format.decimal"])

    def _render(self, key: str, values: Mapping[str, Any]) -> str:
        if key not in self._sentences:
            raise UsageError(f"the report template has no sentence {key!r} in {self.language}; add it")
        try:
            if key not in self._compiled:
                self._compiled[key] = self._jinja.from_string(self._sentences[key])
            return self._compiled[key].render(values)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as problem:
            raise UsageError(f"the report template's sentence {key!r} cannot be used: {problem}; correct it") from None

    def _shielded(self, value: object) -> str:
        if isinstance(value, jinja2.Undefined):
            return str(value)  # StrictUndefined raises here
        text = self.say(value) if isinstance(value, str) else plain(value, limit=LONGEST_SENTENCE)
        return "".join(_SHIELD.get(character, character) for character in text)


def _wording(sentences: Mapping[str, str], translations: Mapping[str, str]) -> Wording:
    """Return how a language writes values in what the program says: from its table ``format``."""

    def word(name: str) -> str:
        return sentences[f"format.{name}"]

    return Wording(
        units=Units(**{item.name: word(_UNIT_KEYS.get(item.name, f"unit_{item.name}")) for item in fields(Units)}),
        conjunctions={name: f" {word(name)} " for name in ("and", "or")} | {"list": "; "},
        quotes=(word("quote_open"), word("quote_close")),
        day=_PLACE_OF_DATE.sub(r"{\1}", word("date")),
        translations=translations,
    )


def _unshielded(text: str) -> str:
    return "".join(_UNSHIELD.get(character, character) for character in text)


def _spans(rendered: str) -> Text:
    spans, style = [], ""
    for piece in _MARKUP.split(rendered.replace("\n", " ")):
        if piece in ("**", "`"):
            opening = "bold" if piece == "**" else "mono"
            style = "" if style == opening else opening
        elif piece:
            spans.append(Span(_unshielded(piece), style))
    return tuple(spans)


# --------------------------------------------------------------------------- reading


def _folder(name: str) -> Traversable:
    shipped = files("gtloc_forensics.templates")
    if re.fullmatch(r"[a-z0-9_-]+", name) and shipped.joinpath(name, "template.toml").is_file():
        return shipped.joinpath(name)
    if Path(name, "template.toml").is_file():
        return Path(name)
    raise UsageError(f"there is no report template {name!r}; give {_names(shipped)} or a folder with a template.toml")


def _names(shipped: Traversable) -> str:
    return ", ".join(sorted(entry.name for entry in shipped.iterdir() if entry.joinpath("template.toml").is_file()))


def _table(folder: Traversable, file: str) -> dict[str, Any]:
    place = folder.joinpath(file)
    if not place.is_file():
        return {}
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except RecursionError:
        raise UsageError(f"{place} is nested too deeply to be read; correct it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"{place} is not readable as TOML: {problem}; correct it") from None


def load_template(name: str) -> Template:
    """Read the template called *name*, or the one in the folder *name*.

    Raises:
        UsageError: when there is none, or it cannot be read.
    """
    folder, shipped = _folder(name), _folder("default")
    table = _table(shipped, "template.toml") | _table(folder, "template.toml")
    try:
        return Template(
            name=name,
            chapters=tuple(map(str, table["chapters"])),
            page=_one_of(PAGES, str(table["page"])),
            logo=_logo(folder, str(table.get("logo", ""))),
            style=_style(folder) or _style(shipped),
            scale=tuple(Step(float(step["below"]), str(step["name"])) for step in table["scale"]),
            appendix=tuple(map(str, table["appendix"])),
            attach=bool(table["attach"]),
            cause_sections=int(table["cause_sections"]),
            minor_causes=int(table["minor_causes"]),
            contact_photos=int(table["contact_photos"]),
            table_photos=int(table["table_photos"]),
            photo_pages=int(table["photo_pages"]),
            picture_px=int(table["picture_px"]),
            picture_bytes=int(table["picture_bytes"]),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise UsageError(f"template.toml of {name} cannot be used: {problem!r}; correct it") from None


def _one_of(known: tuple[str, ...], value: str) -> str:
    if value not in known:
        raise UsageError(f"{value!r} is not one of {', '.join(known)}; correct template.toml")
    return value


def _style(folder: Traversable) -> str:
    """Return the style sheet of a template; it cannot end the element it stands in."""
    place = folder.joinpath("report.css")
    return place.read_text(encoding="utf-8").replace("</", "<\\/") if place.is_file() else ""


def _logo(folder: Traversable, file: str) -> bytes:
    """Return a picture beside the template, checked to be one."""
    if not file:
        return b""
    if not re.fullmatch(r"[\w.-]+\.(png|jpe?g)", file):
        raise UsageError(f"logo {file!r} is not the plain name of a PNG or JPEG beside template.toml; rename it")
    try:
        data = folder.joinpath(file).read_bytes()
        with Image.open(BytesIO(data), formats=["PNG", "JPEG"]) as picture:
            picture.load()
    except (OSError, Image.DecompressionBombError) as problem:
        raise UsageError(f"logo {file!r} cannot be read as a picture: {problem}; replace it") from None
    return data


@cache
def load_words(name: str, language: str) -> Words:
    """Read the sentences of a template in one language, filled up from the default and from English.

    Raises:
        UsageError: when there is no such language.
    """
    places = [
        (folder, file) for file in ("en.toml", f"{language}.toml") for folder in (_folder("default"), _folder(name))
    ]
    if not re.fullmatch(r"[A-Za-z-]{2,12}", language) or not any(p.joinpath(f).is_file() for p, f in places[2:]):
        raise UsageError(
            f"there are no sentences in {language!r}; add {language}.toml to the template or choose another"
        )
    sentences: dict[str, str] = {}
    for folder, file in places:
        sentences |= _flat(_table(folder, file), "")
    translations = dict(_countries(language))
    for folder in (_folder("default"), _folder(name)):
        translations |= _unsorted(_table(folder, f"sentences.{language}.toml"))
    return Words(language, sentences, translations)


def _countries(language: str) -> Mapping[str, str]:
    """Return the names of countries: English → those of the language; none where it is not known."""
    from gtloc_forensics.earth.countries import country_names

    local = country_names(language)
    return {name: local[code] for code, name in country_names("en").items() if code in local}


def _unsorted(table: Mapping[str, Any]) -> dict[str, str]:
    """Return the translations of all sections as one; sections only help who reads them."""
    found: dict[str, str] = {}
    for key, value in table.items():
        found |= _unsorted(value) if isinstance(value, dict) else {key: str(value)}
    return found


def _flat(table: Mapping[str, Any], prefix: str) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in table.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": str(value)}
    return flat
