"""The PDF: same bytes for the same input, hostile strings as data, every promise on its page."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fake_case import FakeCase, a_finding, an_entry, large_case, small_case
from pypdf import PdfReader

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Outcome, Status
from gtloc_forensics.report import write_pdf

DAY = date(2026, 11, 21)


def shown_in(path: Path) -> str:
    """What a reader can select, with the layout's white space taken out."""
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "case.pdf"
    write_pdf(small_case(), path, report_date=DAY)
    return path


@pytest.fixture(scope="module")
def shown(report):
    return shown_in(report)


def test_the_same_case_and_date_give_the_same_bytes(report, tmp_path):
    again = tmp_path / "again.pdf"
    write_pdf(small_case(), again, report_date=DAY)
    assert again.read_bytes() == report.read_bytes()


def test_another_process_gives_the_same_bytes(report, tmp_path):
    again = tmp_path / "again.pdf"
    program = (
        "import sys; from pathlib import Path; from datetime import date; from fake_case import small_case;"
        "from gtloc_forensics.report import write_pdf;"
        "write_pdf(small_case(), Path(sys.argv[1]), report_date=date(2026, 11, 21))"
    )
    environment = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", program, again], cwd=Path(__file__).parent, env=environment, check=True)
    assert again.read_bytes() == report.read_bytes()


def test_the_date_of_the_report_is_an_input(report, tmp_path):
    later = tmp_path / "later.pdf"
    write_pdf(small_case(), later, report_date=datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=1))))
    assert later.read_bytes() != report.read_bytes()
    assert PdfReader(later).metadata.creation_date == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert "2026-11-22 09:30 +01:00" in shown_in(later)


def test_an_empty_case_is_reported_with_every_section(tmp_path):
    path = tmp_path / "empty.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY)
    shown = shown_in(path)
    for sentence in (
        "not stated",
        "There is no finding.",
        "No event has been recorded.",
        "There is no photo to list.",
        "Uncalibrated. No calibration was used in this case",
        "No model looked at the pictures.",
    ):
        assert sentence in shown


def test_pages_are_numbered_to_the_last_one(report, shown):
    pages = len(PdfReader(report).pages)
    for number in range(1, pages + 1):
        assert f"Page {number} of {pages}" in shown


def test_the_summary_is_one_page_and_counts_four_outcomes(report):
    reader = PdfReader(report)
    texts = [page.extract_text() for page in reader.pages]
    page = texts[0]
    for label in ("with a finding", "tested, no finding", "nothing to test", "not wholly examined", "other files"):
        assert label in page
    assert "What this report does not say" in page


def test_the_three_counts_are_those_of_the_case(shown):
    tally = small_case().tally
    assert (tally.photos, tally.found, tally.clean, tally.not_examined) == (22, 9, 11, 2)
    assert "9 11 0 2 1" in shown or "9 with a finding 11 tested, no finding 0 nothing to test 2 not wholly" in shown


def test_foreign_strings_are_printed_as_they_are(shown):
    packed = shown.replace(" ", "")
    for name in (
        '<imgsrc="/etc/passwd"/>.jpg',
        "Nikon<b.jpg",
        "\\u202egpj.exe\\u202c.jpg",
        "new\\nline&tab\\t.jpg",
        "bad\\xff\\xfebytes.jpg",
        "{{7*7}}**bold**`code`%(x)s.jpg",
        "日本語/写真",
        "한국어",
        "[U+1F99C]",
    ):
        assert name in packed, name


def test_no_photo_can_make_the_report_open_a_file_or_an_address(tmp_path):
    program = """
import sys
from datetime import date
from pathlib import Path
from fake_case import small_case, FakeCase, an_entry, a_finding
from gtloc_forensics.records import CaseHeader, Outcome
from gtloc_forensics.report import write_pdf, write_html
hostile = '<img src="/etc/passwd"/><img src="http://192.0.2.1/x.png"/><a href="file:///etc/passwd">x</a>'
hostile += '{% include "/etc/passwd" %}'
told = {"summary": hostile, "observed": (hostile,), "limitations": (hostile,)}
finding = a_finding("GF101", "x.jpg", Outcome.SUSPICIOUS, **told)
entries = [an_entry("x.jpg", finding, make=hostile, model=hostile, software=hostile)]
case = FakeCase(entries, header=CaseHeader(*[hostile] * 6), environment={hostile: hostile}, card=hostile)
write_pdf(small_case(), Path(sys.argv[1] + "/warm.pdf"), report_date=date(2026, 1, 1))
opened = []
watched = ("open", "socket.connect", "socket.getaddrinfo", "urllib.Request")
sys.addaudithook(lambda event, args: opened.append((event, str(args))) if event in watched else None)
write_pdf(case, Path(sys.argv[1] + "/x.pdf"), report_date=date(2026, 1, 1))
write_html(case, Path(sys.argv[1] + "/x.html"), report_date=date(2026, 1, 1))
bad = [one for one in opened if "passwd" in one[1] or one[0] != "open" or "192.0.2.1" in one[1]]
print(len(opened), bad)
assert opened and not bad
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parent, check=True)
    assert b"/URI" not in (tmp_path / "x.pdf").read_bytes()


def test_every_font_is_embedded(report):
    listing = (
        subprocess.run(["pdffonts", str(report)], capture_output=True, check=True).stdout.decode().splitlines()[2:]
    )
    assert len(listing) >= 5
    assert all(line.split()[-5] == "yes" for line in listing), "\n".join(listing)


def test_bookmarks_name_the_chapters_and_links_lead_somewhere(report):
    reader = PdfReader(report)
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert titles[:3] == ["Page one: the answer", "Case, mandate and contents", "Findings by weight"]
    pages = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages)}
    links = [note.get_object()["/Dest"] for page in reader.pages for note in page.get("/Annots", [])]
    assert len(links) > 20
    assert all(destination[0].idnum in pages for destination in links)
    contents = [page.get_object()["/Dest"] for page in reader.pages[1]["/Annots"]]
    for destination, title in zip(contents, titles[1:], strict=True):
        assert title in reader.pages[pages[destination[0].idnum]].extract_text()


def test_fifty_photos_fit_in_two_megabytes(tmp_path):
    path = tmp_path / "fifty.pdf"
    write_pdf(large_case(50, found_every=1), path, report_date=DAY)
    assert path.stat().st_size < 2_000_000
    whole = "\n".join(page.extract_text() for page in PdfReader(path).pages)
    contact = whole.partition("Every photo with its number")[2].partition("Table of photos")[0]
    assert len(set(re.findall(r"IMG_\d{5}", contact))) == 50


def test_a_long_table_repeats_its_header_and_lists_every_photo(tmp_path):
    path = tmp_path / "long.pdf"
    write_pdf(large_case(300, found_every=1000), path, report_date=DAY)
    text = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True).stdout.decode()
    table = [page for page in text.split("\f") if "IMG_" in page and len(re.findall(r"\b[0-9a-f]{64}\b", page)) > 3]
    assert len(table) >= 5
    assert all("SHA-256 at intake" in page for page in table)
    assert len({name for page in table for name in re.findall(r"IMG_\d{5}\.jpg", page)}) == 300


def test_only_some_outcomes_are_shown_when_asked_and_page_one_says_so(tmp_path):
    path = tmp_path / "clean.pdf"
    write_pdf(small_case(), path, report_date=DAY, only=frozenset({Status.CLEAN}))
    shown = shown_in(path)
    assert "shows and lists only photos with the result: No finding" in shown
    assert "Contradiction: GF201" not in shown
    assert "Photo 2 · card1/IMG_0001.jpg" in shown
    assert "counts on this page are those of the whole case" in shown


def test_more_photos_than_pages_are_left_out_gravest_last(tmp_path):
    template = tmp_path / "short"
    template.mkdir()
    (template / "template.toml").write_text("photo_pages = 2\n")
    path = tmp_path / "short.pdf"
    clean = frozenset({Status.CLEAN})
    write_pdf(small_case(), path, report_date=DAY, template=str(template), only=clean)
    shown = shown_in(path)
    assert "9 more photos with this result have no page of their own; the 2 gravest are shown" in shown
    assert len(re.findall(r"Photo \d+ · ", shown)) == 2


def test_a_finding_without_calibration_has_no_ratio(tmp_path):
    path = tmp_path / "one.pdf"
    write_pdf(FakeCase([an_entry("a.jpg", a_finding("GF101", "a.jpg", Outcome.SUSPICIOUS))]), path, report_date=DAY)
    shown = shown_in(path)
    assert "Contradiction; uncalibrated" in shown or "Suspicious; uncalibrated" in shown
    assert "log10 LR" not in shown


def test_observed_derived_inferred_limits_and_innocent_explanations_are_told(shown):
    for label in ("OBSERVED", "DERIVED", "INFERRED", "Limitations", "Innocent explanations"):
        assert label in shown
    assert "about 2,500 times more probable if the claimed time is not the time of capture" in shown
    assert "strong support for the former (log10 LR −3.4)" in shown


def test_a_file_that_changed_is_named(shown):
    assert "Changed during the examination: 20 {{ 7*7 }} **bold**" in shown
    assert "Files with another SHA-256 at the end 1" in shown


def test_a_report_that_fails_leaves_the_old_one_alone(tmp_path):
    path = tmp_path / "case.pdf"
    path.write_bytes(b"the old one")
    with pytest.raises(UsageError):
        write_pdf(small_case(), path, report_date=DAY, template="nowhere")
    assert path.read_bytes() == b"the old one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["case.pdf"]


def test_german_has_no_english_sentence_of_the_template(tmp_path):
    path = tmp_path / "de.pdf"
    write_pdf(small_case(), path, report_date=DAY, language="de")
    shown = shown_in(path)
    for english in ("Page ", "Custody", "Custody", "OBSERVED", "Time of day", "Exhibit", "false alarm"):
        assert english not in shown, english
    for german in ("Seite 1 von", "Was gefragt war", "Gewahrsamskette", "BEOBACHTET", "Kamerauhr gegen Satellitenuhr"):
        assert german in shown, german
    assert PdfReader(path).trailer["/Root"]["/Lang"] == "de"
