"""What an opponent would find first: a cut sentence, an English word in a German table, a doubt said twenty times."""

from __future__ import annotations

from datetime import date

import pytest
from fake_case import FakeCase, an_entry

from gtloc_forensics.earth.gazetteer import well_known
from gtloc_forensics.records import Cause, CauseGroup, Outcome, Position, Severity
from gtloc_forensics.report.blocks import Prose, Table, plain_of
from gtloc_forensics.report.chapters.chapters import CHAPTERS
from gtloc_forensics.report.chapters.edition import cause_name, edition_of
from gtloc_forensics.report.chapters.places import town
from gtloc_forensics.report.text import shortened

TWO_OF_ONE_MODEL = [
    an_entry(f"{name}.jpg", local=f"2024-06-1{index} 12:00:00", make="Acme", model=name)
    for index, name in enumerate(("One", "Two"))
]


def edition(case: FakeCase, language: str):
    return edition_of(case, template="default", language=language, report_date=date(2026, 11, 21), only=None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The clock ran ahead. The rest is long.", "The clock ran ahead."),
        ("Nothing else is said of it: a very long list of names", "Nothing else is said of it …"),
        ("Words without any end that go on and on and on", "Words without any end that go on …"),
        ("a" * 40, "a" * 33 + " …"),
        ("Short.", "Short."),
    ],
)
def test_what_is_too_long_for_page_one_ends_where_a_sentence_or_a_word_does(text, told):
    assert shortened(text, most=33) == told


def test_a_doubt_about_cameras_is_said_once_for_all_of_them():
    blocks = list(CHAPTERS["timeline"](edition(FakeCase(TWO_OF_ONE_MODEL), "en")))
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [plain_of(row[0]) for row in table.rows] == ["Acme One", "Acme Two"]
    doubts = [plain_of(block.text) for block in blocks if isinstance(block, Prose) and "serial" in plain_of(block.text)]
    assert len(doubts) == 1 and doubts[0].startswith("Acme One, Acme Two: ")


def test_a_camera_that_no_file_names_is_called_so_in_the_language_of_the_report():
    case = FakeCase([*TWO_OF_ONE_MODEL, an_entry("x.jpg", local="2024-06-15 12:00:00", make=None, model=None)])
    blocks = list(CHAPTERS["timeline"](edition(case, "de")))
    (table,) = (block for block in blocks if isinstance(block, Table))
    names = [plain_of(row[0]) for row in table.rows]
    assert "keine Kamera genannt" in names and "unknown" not in names


@pytest.mark.parametrize(("language", "name"), [("en", "Lisbon"), ("de", "Lissabon")])
def test_a_town_on_a_map_bears_the_name_that_the_tables_give_it(language, name):
    assert town(edition(FakeCase(TWO_OF_ONE_MODEL), language), well_known(Position(38.72, -9.14))) == name


@pytest.mark.parametrize(
    ("offset_hours", "language", "name"),
    [
        (8.0, "en", "Camera clock set wrong"),
        (None, "en", "Camera time does not fit"),
        (8.0, "de", "Kamerauhr falsch gestellt"),
        (None, "de", "Kamerazeit passt nicht"),
    ],
)
def test_a_clock_is_said_to_be_set_wrong_only_where_it_is_known_by_how_much(
    offset_hours: float | None, language: str, name: str
) -> None:
    told = edition(FakeCase(TWO_OF_ONE_MODEL), language)
    cause = Cause("clock-offset", "serial:1", offset_hours, "said")
    group = CauseGroup(cause, "", Outcome.SUSPICIOUS, Severity.HIGH, ("one",), ("GF402",), 1, "said")
    assert cause_name(told, group) == name
