"""Pages of photos of which little, or nothing sensible, is known."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from builders import an_exposure
from fake_case import FakeCase, a_finding, a_prediction, an_entry, small_case
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import (
    CaseHeader,
    Cause,
    CauseGroup,
    Outcome,
    RuleNote,
    Severity,
    Status,
    Unexamined,
)
from gtloc_forensics.report import write_html, write_pdf
from gtloc_forensics.report.chapters.pictures import reduced

DAY = date(2026, 11, 21)


def shown_in(path) -> str:
    text = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    return re.sub(r"\s+", " ", text)


def with_photo(entry, **changes):
    return replace(entry, photo=replace(entry.photo, **changes))


def test_a_photo_without_any_metadata_says_why(tmp_path):
    entry = an_entry("x.jpg", status=Status.NOT_EXAMINED)
    gone = Unexamined(entry.photo.source.source_id, "metadata", "the bytes <could> not be read")
    case = FakeCase([with_photo(entry, claim=gone)], pictures=False)
    write_pdf(case, tmp_path / "x.pdf", report_date=DAY, only=frozenset({Status.NOT_EXAMINED}))
    shown = shown_in(tmp_path / "x.pdf")
    assert "NOT AVAILABLE: what the file claims. the bytes <could> not be read" in shown
    assert "There is no picture to show" in shown


def test_a_photo_that_claims_nothing_shows_what_the_picture_indicates(tmp_path):
    entry = an_entry(
        "x.jpg",
        a_finding("GF301", "x.jpg", Outcome.SUSPICIOUS),
        local=None,
        make=None,
        model=None,
        prediction=a_prediction("x.jpg", hour=7.5, season=0.25, place=(10.0, 20.0)),
    )
    write_pdf(FakeCase([entry]), tmp_path / "x.pdf", report_date=DAY)
    shown = shown_in(tmp_path / "x.pdf")
    assert "NOT AVAILABLE: the entry is not in the file" in shown
    assert "about 07:30" in shown and "about 10° N, 20° E" in shown
    assert "Season and hour together" in shown


def test_a_prediction_without_a_single_place_draws_no_region(tmp_path):
    prediction = a_prediction("x.jpg", hour=7.5, season=0.25, place=(10.0, 20.0))
    nowhere = replace(
        prediction.place,
        **{name: getattr(prediction.place, name)[:0] for name in ("latitude_deg", "longitude_deg", "mass")},
    )
    entry = an_entry(
        "x.jpg", a_finding("GF301", "x.jpg", Outcome.SUSPICIOUS), prediction=replace(prediction, place=nowhere)
    )
    write_pdf(FakeCase([entry]), tmp_path / "x.pdf", report_date=DAY)
    assert "Photo 1 x.jpg" in shown_in(tmp_path / "x.pdf")


odd = st.sampled_from([0.0, -1.0, 1e-9, 5e-324, 1e300, float("inf"), float("nan"), 1 / 3])


@settings(max_examples=30, deadline=None)
@given(
    local=st.datetimes(datetime.min, datetime.max),
    position=st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    numbers=st.tuples(odd, odd, odd, odd),
    words=st.text(max_size=40),
    strength=st.none() | st.floats(-400, 400),
    p_value=st.none() | st.floats(0, 1),
)
def test_no_value_stops_a_page_or_leaves_nonsense_in_it(
    tmp_path_factory, local, position, numbers, words, strength, p_value
):
    finding = a_finding("GF201", "x.jpg", Outcome.CONTRADICTION, summary=words, log10_lr=strength, p_value=p_value)
    entry = an_entry("x.jpg", finding, local="2024-06-15 12:00:00", position=position, zones=(), make=words or None)
    f_number, exposure_s, iso, ev100 = numbers
    claim = replace(
        entry.photo.claim,
        local_time=replace(entry.photo.claim.local_time, value=local),
        exposure=replace(an_exposure(f_number=1.0), f_number=f_number, exposure_s=exposure_s, iso=iso, ev100=ev100),
    )
    case = FakeCase([replace(with_photo(entry, claim=claim), log10_lr_time=strength)], pictures=False)
    folder = tmp_path_factory.mktemp("odd")
    write_pdf(case, folder / "x.pdf", report_date=DAY)
    write_html(case, folder / "x.html", report_date=DAY)
    assert len(PdfReader(folder / "x.pdf").pages) >= 5
    drawn = re.findall(r"<svg.*?</svg>", (folder / "x.html").read_text(encoding="utf-8"), re.S)
    assert not any(re.search(r'="[^"]*\b(nan|inf)\b', scene) for scene in drawn)
    HTMLParser().feed((folder / "x.html").read_text(encoding="utf-8"))


def test_page_one_stays_one_page_however_much_was_found(tmp_path):
    case = small_case()
    long = "the clock ran ahead by an amount that takes many words to say " * 5
    groups = tuple(
        CauseGroup(
            Cause("clock-offset", f"d{index}"),
            f"A camera with a rather long name, number {index}",
            Outcome.CONTRADICTION,
            Severity.HIGH,
            case.groups[0].source_ids,
            ("GF201",),
            4,
            long,
        )
        for index in range(30)
    )
    notes = tuple(
        RuleNote(
            f"GF{number}",
            "a title that is as long as titles get, and then some",
            tested=1000,
            alarms=3,
            photo_set="a set of photos with a name",
        )
        for number in range(101, 120)
    )
    findings = [a_finding(note.check_id, "x.jpg", Outcome.SUSPICIOUS) for note in notes]
    gaps = tuple(
        Unexamined("x", f"check:GF{number}", f"{number} reasons why this could not be done; " * 6)
        for number in range(20)
    )
    entries = [replace(an_entry("x.jpg", *findings), unexamined=gaps), *case.entries]
    full = replace(case, entries=entries, groups=groups, notes=notes, header=CaseHeader("9" * 400, examiner="M" * 400))
    for language in ("en", "de"):
        write_pdf(full, tmp_path / "x.pdf", report_date=DAY, language=language, only=frozenset({Status.FOUND}))
        titles = [item for item in PdfReader(tmp_path / "x.pdf").outline if not isinstance(item, list)]
        first, second = (PdfReader(tmp_path / "x.pdf").get_destination_page_number(item) for item in titles[:2])
        assert second - first == 1


def test_a_picture_is_encoded_anew_within_its_number_of_bytes():
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=95)
    picture = reduced(out.getvalue(), longest_px=440, most_bytes=22_000, box=(226.0, 152.0), alt="")
    assert len(picture.jpeg) <= 22_000
    assert picture.width <= 226.0 and picture.height <= 152.0
    with Image.open(BytesIO(picture.jpeg)) as image:
        assert max(image.size) <= 440


@pytest.mark.parametrize("data", [None, b"", b"\xff\xd8 no picture", b"<svg/>"])
def test_what_is_no_picture_is_left_out(data):
    assert reduced(data, longest_px=440, most_bytes=22_000, box=(226.0, 152.0), alt="") is None


@pytest.mark.parametrize("page", ["A4", "letter"])
def test_a_template_chooses_the_paper(tmp_path, page):
    (tmp_path / "template.toml").write_text(f'page = "{page}"\nchapters = ["summary"]\n')
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template=str(tmp_path))
    box = PdfReader(tmp_path / "x.pdf").pages[0].mediabox
    assert (round(box.width), round(box.height)) == {"A4": (595, 842), "letter": (612, 792)}[page]


def test_the_brief_template_ships_and_is_brief(tmp_path):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template="brief", language="de")
    assert len(PdfReader(tmp_path / "x.pdf").pages) <= 5
    shown = shown_in(tmp_path / "x.pdf")
    assert "Fotos im Einzelnen" not in shown
    assert "BEOBACHTET" not in shown  # a paragraph a cause, not its tables
    for sentence in ("Wie sicher:", "ein solcher Befund falsch ist", "Es kann harmlos sein:", "Was es klären würde:"):
        assert sentence in shown


def test_a_template_tells_its_causes_once(tmp_path):
    (tmp_path / "template.toml").write_text('chapters = ["summary", "causes", "causes_briefly"]\n')
    with pytest.raises(UsageError, match="causes and causes_briefly, which tell the same"):
        write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template=str(tmp_path))


def test_a_long_run_of_custody_events_is_folded_with_its_count(tmp_path):
    from fake_case import a_chain

    events = tuple(replace(event, action="acquire", actor="x") for event in a_chain(60))
    many = tuple(replace(events[index % 60], sequence=index + 1) for index in range(450))
    write_pdf(FakeCase([], events=many), tmp_path / "x.pdf", report_date=DAY)
    shown = shown_in(tmp_path / "x.pdf")
    assert "446 more of the same" in shown
    assert "450" in shown
