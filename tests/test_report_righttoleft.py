"""Hebrew and Arabic on paper: in the order seen, letters in the forms that they take."""

from __future__ import annotations

import subprocess
from collections import Counter
from datetime import date

import pytest
from fake_case import FakeCase, an_entry
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.report import write_pdf
from gtloc_forensics.report.pdf.fonts import opened
from gtloc_forensics.report.pdf.righttoleft import visual


@pytest.mark.parametrize(
    ("logical", "seen"),
    [
        ("plain (text) 12", "plain (text) 12"),
        ("\u05e9\u05dc\u05d5\u05dd.jpg", "\u05dd\u05d5\u05dc\u05e9.jpg"),
        ("a \u05d0\u05d1 12 \u05d2 b", "a \u05d2 12 \u05d1\u05d0 b"),  # numbers run left to right inside
        ("\u05d0(\u05d1)\u05d2", "\u05d2(\u05d1)\u05d0"),  # brackets are mirrored
        ("\u05d0\u05d1 (2).jpg", "(2) \u05d1\u05d0.jpg"),  # a bracket is not torn from its partner (UAX #9, N0)
        ("a) b (\u05d0\u05d1 c", "a) b (\u05d1\u05d0 c"),  # what is no pair stays
        ("\u05d0\u05b8\u05d1", "\u05d1\u05d0\u05b8"),  # a point stays with its letter
        # salam: seen initial, lam-alef final (one glyph), meem isolated
        ("\u0633\u0644\u0627\u0645", "\ufee1\ufefc\ufeb3"),
        # dar: dal and alef and reh do not lead, so each stands alone
        ("\u062f\u0627\u0631", "\ufead\ufe8d\ufea9"),
    ],
)
def test_text_is_turned_as_it_is_seen(logical, seen):
    assert visual(logical) == seen


# No format characters: the algorithm takes them out; those that could hide are written out before text gets here.
@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=60))
def test_turning_loses_no_character_but_joins_arabic(text):
    plain = [character for character in text if not "\u0600" <= character <= "\u06ff"]
    turned = Counter(visual(text))
    swapped = Counter("".join(plain).translate(str.maketrans("()[]{}<>«»", "(([[{{<<««")))
    held = Counter({bracket.translate(str.maketrans(")]}>»", "([{<«")): 0 for bracket in turned})
    for character, count in turned.items():
        held[character.translate(str.maketrans(")]}>»", "([{<«"))] += count
    assert all(held[character] >= count for character, count in swapped.items())


def test_the_shipped_font_has_the_joined_forms_of_arabic_and_persian():
    has = opened("DejaVuSans.ttf").face.charToGlyph
    letters = [
        chr(code) for code in (*range(0x0621, 0x063B), *range(0x0641, 0x064B), *map(ord, "\u067e\u0686\u0698\u06af"))
    ]
    forms = {
        form for letter in letters for form in visual(f"{letter} \u0628{letter} {letter}\u0628 \u0628{letter}\u0628")
    }
    single = [form for form in forms if form >= "\ufb50"]
    assert len(single) > 100
    assert [hex(ord(form)) for form in single if not has.get(ord(form))] == []


def test_a_reader_can_copy_a_hebrew_name_from_the_report(tmp_path):
    name = "\u05ea\u05de\u05d5\u05e0\u05d4.jpg"
    write_pdf(FakeCase([an_entry(name)]), tmp_path / "x.pdf", report_date=date(2026, 1, 1))
    shown = subprocess.run(["pdftotext", str(tmp_path / "x.pdf"), "-"], capture_output=True, check=True).stdout.decode()
    assert "\u05ea\u05de\u05d5\u05e0\u05d4" in shown, "pdftotext puts what is seen back in the order of reading"
