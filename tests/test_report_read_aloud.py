"""The page of HTML for people who read it by ear or by keyboard: what axe-core found before it found nothing."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest
from fake_case import small_case

from gtloc_forensics.report import write_html


@pytest.fixture(scope="module", params=["en", "de"])
def page(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("html") / "x.html"
    write_html(small_case(), path, report_date=date(2026, 11, 21), language=request.param)
    return path.read_text(encoding="utf-8")


def test_headings_leave_no_level_out(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert re.findall(r"<h([1-6])", page) == re.findall(r"</h([1-6])>", page)


def test_a_table_that_scrolls_is_reached_by_the_keyboard(page):
    assert page.count('<table class="dense"') == page.count('<table class="dense" tabindex="0"') > 0


def test_no_header_is_empty(page):
    assert not re.search(r"<th [^>]*scope=\"col\"[^>]*></th>", page)
