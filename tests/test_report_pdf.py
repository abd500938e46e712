"""The PDF: same bytes for the same input, hostile strings as data, every promise on its page."""

from __future__ import annotations

import re
import subprocess
from datetime import date

import pytest
from fake_case import FakeCase, small_case
from pypdf import PdfReader

from gtloc_forensics.report import write_pdf

DAY = date(2026, 11, 21)


def text_of(path) -> str:
    """What a reader can select, with the white space of the layout taken out."""
    shown = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True).stdout.decode()
    return re.sub(r"\s+", " ", shown)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "case.pdf"
    write_pdf(small_case(), path, report_date=DAY)
    return path


def test_the_same_case_and_date_give_the_same_bytes(report, tmp_path):
    again = tmp_path / "again.pdf"
    write_pdf(small_case(), again, report_date=DAY)
    assert again.read_bytes() == report.read_bytes()


def test_another_date_gives_other_bytes(report, tmp_path):
    later = tmp_path / "later.pdf"
    write_pdf(small_case(), later, report_date=date(2026, 11, 22))
    assert later.read_bytes() != report.read_bytes()


def test_a_report_of_an_empty_case_says_so(tmp_path):
    path = tmp_path / "empty.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY)
    shown = text_of(path)
    assert "No event has been recorded." in shown
    assert "There is no photo to list." in shown
    assert "not stated" in shown


def test_pages_are_numbered_to_the_last_one(report):
    pages = len(PdfReader(report).pages)
    assert f"Page 1 of {pages}" in text_of(report)
    assert f"Page {pages} of {pages}" in text_of(report)
