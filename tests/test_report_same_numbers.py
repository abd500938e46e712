"""Report and docs print the same counts of alarms: those of one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gtloc_forensics.checks import counted_alarms

ROOT = Path(__file__).parents[1]
RULES = counted_alarms()["rules"].values()
PHOTOS, SOURCES = (max(rule[what] for rule in RULES) for what in ("tested", "sources"))
ALARMS = sum(rule["alarms"] for rule in RULES)


def test_the_words_for_the_photo_set_are_those_of_the_counts():
    assert f"{PHOTOS} untouched photos of {SOURCES} sources" in counted_alarms()["photo_set"]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("docs/check-rates.md", rf"\({PHOTOS} photos, {SOURCES} sources: {ALARMS} alarms\)"),
        ("docs/attacking-a-report.md", rf"% of {SOURCES} sources"),
    ],
)
def test_a_page_of_the_docs_says_what_the_report_prints(page, told):
    assert re.search(told, (ROOT / page).read_text(encoding="utf-8"))
