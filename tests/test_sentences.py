"""Sentences that remember what they are made of, and the languages they can be said in."""

from __future__ import annotations

import ast
import copy
import csv
import pickle
import tomllib
from datetime import date, datetime, time
from importlib.resources import files
from pathlib import Path

import gtloc_forensics.contrib
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gtloc_forensics
from gtloc_forensics.checks import counted_alarms
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.calibration import NoStrength
from gtloc_forensics.metadata.tag_values import Notation
from gtloc_forensics.records import (
    Absent,
    Confidence,
    Finding,
    MetadataBlock,
    OffsetSource,
    Outcome,
    Sentence,
    Severity,
    Wording,
)
from gtloc_forensics.records.sentences import is_wordless, places
from gtloc_forensics.report.template import load_words
from gtloc_forensics.store.codec import pack, text_of, told_of, unpack

PACKAGE = Path(gtloc_forensics.__file__).parent
LANGUAGES = sorted(
    entry.name.split(".")[1]
    for entry in files("gtloc_forensics.templates").joinpath("default").iterdir()
    if entry.name.startswith("sentences.")
)

SAID = (Absent, MetadataBlock, NoStrength, Notation, OffsetSource)
"""Enums whose values are said as sentences."""

VALUES = st.one_of(
    st.text(max_size=20),
    st.integers(-(10**9), 10**9),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.tuples(st.text(max_size=5), st.text(max_size=5)),
    st.just(Sentence("its error is {error_km:.1f} km", error_km=1.5)),
)


@pytest.mark.parametrize(
    ("form", "value", "english", "german"),
    [
        ("", 12_400, "12,400", "12.400"),
        ("", datetime(2024, 5, 17, 10, 3), "2024-05-17 10:03:00", "17.05.2024 10:03:00"),
        ("", datetime(2024, 5, 17, 10, 3, 0, 610_000), "2024-05-17 10:03:00.61", "17.05.2024 10:03:00,61"),
        ("", date(2024, 5, 17), "2024-05-17", "17.05.2024"),
        ("", ("a", "b"), "a, b", "a, b"),
        (".1f", 12_400.5, "12,400.5", "12.400,5"),
        (".2g", 0.00123, "0.0012", "0,0012"),
        ("spoken", 5_400, "1 h 30 min", "1 h 30 min"),
        ("spoken", -9 * 86_400, "9 days", "9 Tage"),
        ("exact", -93_605, "−1 day 2 h 5 s", "−1 Tag 2 h 5 s"),
        ("exact", 1_500 * 86_400 + 59.6, "+1,500 days 1 min", "+1.500 Tage 1 min"),
        ("exact", 0.2, "0 s", "0 s"),
        (".4f", (48.8566, -2.3522), "48.8566, -2.3522", "48,8566; −2,3522"),
        ("length", 100 * 24.0, "100 days", "100 Tage"),
        ("length", 3 * 365.2425 * 24, "3.0 years", "3,0 Jahre"),
        ("signed", -1.5, "−1 h 30 min", "−1 h 30 min"),
        ("range", (-1.0, 2.0), "−1 h to +2 h, 95 %", "−1 h bis +2 h, 95 %"),
        ("span", (1.0, 2.0), "+1 h to +2 h, 95 %", "+1 h bis +2 h, 95 %"),
        ("civil", 5.5, "UTC+05:30", "UTC+05:30"),
        ("civil or", (1.0, 2.0), "UTC+01:00 or UTC+02:00", "UTC+01:00 oder UTC+02:00"),
        ("clock", datetime(2024, 5, 17, 10, 3), "10:03:00", "10:03:00"),
        ("clock", time(10, 3), "10:03:00", "10:03:00"),
        ("date", datetime(2024, 5, 17, 10, 3), "2024-05-17", "17.05.2024"),
        ("raw", 2024, "2024", "2024"),
        ("quoted", "x", "'x'", "„x“"),
        ("list", ("a", "b"), "a; b", "a; b"),
        ("and", ("a", "b", "c"), "a, b and c", "a, b und c"),
        ("capital", "a text", "A text", "A text"),
        ("bare", "A text.", "A text", "A text"),
        ("?photo|photos", 1, "photo", "photo"),
        ("?photo|photos", 0, "photos", "photos"),
        ("±after|before", -3, "before", "before"),
        ("?one|all #", 1_234, "all 1,234", "all 1.234"),
    ],
)
def test_every_form_is_written_as_each_language_writes_it(form, value, english, german) -> None:
    told = Sentence(f"{{value:{form}}}", value=value)
    assert told == english
    assert load_words("default", "de").say(told) == german


def test_a_sentence_is_its_english_text_and_can_be_said_in_another_language() -> None:
    told = Sentence("Captured {ahead_s:spoken} after this examination: the date cannot be true.", ahead_s=9 * 86_400)
    assert told == "Captured 9 days after this examination: the date cannot be true."
    german = load_words("default", "de")
    assert german.say(told) == "Aufgenommen 9 Tage nach dieser Untersuchung: Das Datum kann nicht stimmen."
    assert german.say("what a third-party rule says") == "what a third-party rule says"


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    inner = Sentence("its error is {error_km:.1f} km", error_km=1234.5)
    outer = Sentence("The receiver qualifies its position: {limits:list}.", limits=[inner, "as it says"])
    assert outer == "The receiver qualifies its position: its error is 1,234.5 km; as it says."
    expected = "Der Empfänger schränkt seine Position ein: ihr Fehler beträgt 1.234,5 km; as it says."
    assert load_words("default", "de").say(outer) == expected


@given(value=VALUES)
def test_a_sentence_survives_the_case_copying_and_another_process(value) -> None:
    told = Sentence("It holds {value}.", value=value)
    finding = Finding(
        "GF999", ("a",), Outcome.CONSISTENT, Severity.INFO, Confidence.WEAK, told, observed=(told, "plain")
    )
    kept = unpack(Finding, pack(finding))
    assert kept == finding
    for again in (
        kept.summary,
        kept.observed[0],
        pickle.loads(pickle.dumps(told)),
        copy.deepcopy(told),
        told_of(text_of(told)),
    ):
        assert isinstance(again, Sentence)
        assert (again, again.template, dict(again.values)) == (told, told.template, dict(told.values))
    assert type(kept.observed[1]) is str
    for plain in ("plain", "with \x1f the mark of parts"):
        assert type(told_of(text_of(plain))) is str and told_of(text_of(plain)) == plain


def test_a_sentence_among_the_facts_of_a_finding_is_kept_as_its_text() -> None:
    told = Sentence("It holds {value}.", value=1)
    finding = Finding("GF999", ("a",), Outcome.CONSISTENT, Severity.INFO, Confidence.WEAK, told, facts={"slip": told})
    assert unpack(Finding, pack(finding)).facts == {"slip": "It holds 1."}


def test_a_name_with_the_sign_that_parts_a_sentence_from_its_values_damages_no_case() -> None:
    for told in (Sentence("It holds {name:quoted}.", name="a\x1fb"), "a third party's a\x1fb"):
        assert told_of(text_of(told)) == told


def test_a_sentence_that_begins_with_a_name_keeps_the_name_as_it_is() -> None:
    named = Sentence("{name}: {said}", name="img_1.jpg", said=Sentence("a second card"))
    german = load_words("default", "de")
    assert Sentence("{said:capital}", said=named) == "img_1.jpg: a second card"
    assert Sentence("{said:capital}", said=Sentence("{said}", said=named)) == "img_1.jpg: a second card"
    for old in ("copies/a.jpg: photos that show one picture", "my photo 1.jpg: a second card", "b.heic: lost"):
        assert Sentence("{said:capital}", said=old) == old, "as a case from before sentences holds it"
    assert Sentence("{said:capital}", said="no model: it was asked to go without one").startswith("No model")
    assert german.sentence(named) == "img_1.jpg: eine zweite Speicherkarte"
    assert german.sentence(Sentence("a second card")) == "Eine zweite Speicherkarte"
    assert german.sentence("a third party's words") == "A third party's words"


def test_a_sentence_whose_places_and_values_do_not_match_is_never_made() -> None:
    with pytest.raises(ValueError, match="no place for b"):
        Sentence("It holds {a}.", a=1, b=2)
    with pytest.raises(ValueError, match="lacks a value for a"):
        Sentence("It holds {a}.")
    with pytest.raises(ValueError, match="cannot be written"):
        Sentence("It holds {a:spoken}.", a="text")


def test_a_translation_that_cannot_be_used_costs_no_sentence() -> None:
    told = Sentence("It holds {a}.", a=1)
    assert Wording(translations={"It holds {a}.": "Es hat {b}."}).tell(told) == "It holds 1."


def test_values_never_become_places_markup_or_attributes() -> None:
    assert Sentence("{a}", a="{b} {a.__class__} {0}") == "{b} {a.__class__} {0}"


# --------------------------------------------------------------------------- the catalogue


def templates() -> dict[str, str]:
    """Return every template that stands in the package, with the module it stands in."""
    found = {member.value: f"{kind.__module__}.{kind.__name__}" for kind in SAID for member in kind}
    found[exposure.load().card] = "evidence/exposure/light.json"
    found[counted_alarms()["photo_set"]] = "checks/alarms.json"
    for table in ("releases.csv", "systems.csv"):
        text = files("gtloc_forensics.checks.reference").joinpath(table).read_text(encoding="utf-8")
        found |= {line["source"]: table for line in csv.DictReader(text.splitlines())}
    examples = Path(gtloc_forensics.contrib.__path__[0])
    for path in sorted([*PACKAGE.rglob("*.py"), *examples.glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Sentence", "template")
            ):
                said = node.args[0] if node.args else None
                if isinstance(said, ast.Constant) and isinstance(said.value, str):
                    found[said.value] = path.name
    return {text: place for text, place in found.items() if not is_wordless(text)}


def translations(language: str) -> dict[str, str]:
    table = tomllib.loads(
        files("gtloc_forensics.templates").joinpath("default", f"sentences.{language}.toml").read_text(encoding="utf-8")
    )
    return {text: translated for section in table.values() for text, translated in section.items()}


def test_there_is_a_language_beside_english() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_program_can_be_said_in_every_language(language) -> None:
    known = translations(language)
    missing = {text: place for text, place in templates().items() if text not in known}
    assert not missing, "\n".join(
        f"{place}: {text}" for text, place in sorted(missing.items(), key=lambda item: item[1])
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_of_a_sentence_that_is_no_more(language) -> None:
    assert sorted(translations(language).keys() - templates().keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_asks_for_no_value_that_its_sentence_lacks(language) -> None:
    wrong = [text for text, said in translations(language).items() if places(said).keys() - places(text).keys()]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_that_leaves_out_a_value_is_rare_and_known(language) -> None:
    less = [text for text, said in translations(language).items() if places(text).keys() - places(said).keys()]
    assert less == []
