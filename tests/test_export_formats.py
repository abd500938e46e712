"""Exports: each is what its format asks for, whatever the photos are called."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fake_case import HOSTILE_NAMES, FakeCase, a_finding, an_entry, small_case
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import Outcome, Status, TimeKind, TimeReading, TimeRole, visible
from gtloc_forensics.report import (
    write_case_uco,
    write_csv,
    write_document,
    write_geojson,
    write_html,
    write_kml,
    write_l2tcsv,
    write_plaso,
    write_timesketch,
)
from gtloc_forensics.report.blocks import Span
from gtloc_forensics.report.exports.csv_table import guarded
from gtloc_forensics.report.exports.finding_facts import finding_facts
from gtloc_forensics.report.exports.places import xml_text
from gtloc_forensics.report.html.page import inline

KML = "{http://www.opengis.net/kml/2.2}"
WRITERS = [write_csv, write_geojson, write_kml, write_timesketch, write_plaso, write_l2tcsv, write_case_uco]


@pytest.fixture(scope="module")
def case():
    return small_case()


def test_every_export_tells_a_finding_by_the_same_facts(tmp_path):
    odd = a_finding("GF101", "x.jpg", Outcome.SUSPICIOUS, summary="Made by \u202eevil\x9b.", facts={"make": "\u2066x"})
    told = finding_facts(odd)
    assert told["summary"] == "Made by \\u202eevil\\x9b."
    assert told["facts"] == {"make": "\\u2066x"}
    case = FakeCase([an_entry("x.jpg", odd, position=(48.8566, 2.3522))])
    line = "GF101 suspicious: Made by \\u202eevil\\x9b."
    write_document(case, tmp_path / "json")
    (shown,) = json.loads((tmp_path / "json").read_text())["photos"][0]["findings"]
    assert {**shown, "others": shown["with"]} == {**told, "with": []}
    for write in (write_csv, write_timesketch, write_plaso, write_case_uco, write_geojson, write_kml):
        write(case, tmp_path / "x")
        text = (tmp_path / "x").read_text(encoding="utf-8")
        assert line in text.replace("\\\\", "\\"), write
        assert not set(text) & set("\u202e\u2066\x9b"), write


def test_the_table_speaks_the_language_that_was_asked_for(case, tmp_path):
    write_csv(case, tmp_path / "de.csv", language="de")
    titles, first, *_ = csv.reader((tmp_path / "de.csv").read_text(encoding="utf-8-sig").splitlines())
    assert titles[:2] == ["Datei", "Kennung"]
    assert first[titles.index("Ergebnis")] in ("Befund", "Kein Befund")
    with pytest.raises(UsageError):
        write_csv(case, tmp_path / "fr.csv", language="fr")


@pytest.mark.parametrize("write", WRITERS)
def test_the_same_case_gives_the_same_bytes(write, case, tmp_path):
    write(case, tmp_path / "a")
    write(small_case(), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("write", WRITERS)
def test_an_empty_case_is_exported_too(write, tmp_path):
    write(FakeCase([]), tmp_path / "empty")
    assert (tmp_path / "empty").is_file()


@pytest.mark.parametrize("write", WRITERS)
def test_progress_counts_the_photos(write, case, tmp_path):
    seen = []
    write(case, tmp_path / "x", progress=seen.append)
    assert seen == list(range(1, len(case.entries) + 1))


# --------------------------------------------------------------------------- CSV


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def test_the_table_has_a_row_per_photo_and_numbers_stay_numbers(case, tmp_path):
    write_csv(case, tmp_path / "x.csv")
    rows = rows_of(tmp_path / "x.csv")
    assert len(rows) == len(case.entries)
    assert float(rows[0]["log10_lr_time"]) == -3.4
    assert float(rows[0]["claimed_longitude_deg"]) == pytest.approx(2.3522)
    assert rows[0]["sha256"] == case.entries[0].photo.source.sha256


def test_only_some_outcomes_are_exported_when_asked(case, tmp_path):
    write_csv(case, tmp_path / "x.csv", only=frozenset({Status.NOT_EXAMINED}))
    assert [row["status"] for row in rows_of(tmp_path / "x.csv")] == ["not examined"]


def test_no_cell_of_the_table_starts_a_formula(case, tmp_path):
    write_csv(case, tmp_path / "x.csv")
    cells = [cell for row in rows_of(tmp_path / "x.csv") for cell in row.values() if cell]
    texts = [cell for cell in cells if not _is_number(cell)]
    assert any(cell.startswith("'=cmd|") for cell in texts)
    assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t"))] == []


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_guarded_cell_keeps_its_text(text):
    cell = guarded(text)
    assert cell in (text, f"'{text}")
    assert not str(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


# --------------------------------------------------------------------------- maps


def test_geojson_puts_longitude_first_and_tells_claimed_from_indicated(case, tmp_path):
    write_geojson(case, tmp_path / "x.geojson")
    collection = json.loads((tmp_path / "x.geojson").read_text())
    assert collection["type"] == "FeatureCollection"
    first, second = collection["features"][:2]
    assert first["geometry"] == {"type": "Point", "coordinates": [2.3522, 48.8566]}
    assert (first["properties"]["role"], second["properties"]["role"]) == ("claimed", "indicated")
    assert len({feature["id"] for feature in collection["features"]}) == len(collection["features"])


def test_kml_is_well_formed_and_dates_only_known_instants(case, tmp_path):
    write_kml(case, tmp_path / "x.kml")
    root = ElementTree.parse(tmp_path / "x.kml").getroot()
    marks = root.findall(f".//{KML}Placemark")
    assert len(marks) == 28
    assert marks[0].find(f".//{KML}coordinates").text == "2.3522,48.8566"
    assert marks[0].find(f".//{KML}when").text == "2024-06-15T21:30:05Z"
    undated = next(mark for mark in marks if "IMG_0001" in mark.find(f"{KML}name").text)
    assert undated.find(f".//{KML}when") is None, "its zone is not known, so its instant is not"


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_text_can_stand_in_kml(text):
    ElementTree.fromstring(f"<x>{xml_text(visible(text))}</x>")


# --------------------------------------------------------------------------- time line


def test_every_event_has_what_timesketch_asks_for(case, tmp_path):
    write_timesketch(case, tmp_path / "x.jsonl")
    events = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert len(events) > len(case.entries)
    for event in events:
        assert event["message"] and event["timestamp_desc"]
        is_local = datetime.fromisoformat(event["datetime"]).utcoffset() is None
        assert is_local == ("local time without a zone" in event["time_certainty"])
        assert is_local == event["message"].endswith("[local time without a zone]")


def test_a_time_without_a_zone_is_marked_as_such(tmp_path):
    write_timesketch(FakeCase([an_entry("a.jpg", local="2024-06-15 12:00:00")]), tmp_path / "x.jsonl")
    write_timesketch(FakeCase([an_entry("a.jpg", local="2024-06-15 12:00:00", offset=2.0)]), tmp_path / "y.jsonl")
    loose = json.loads((tmp_path / "x.jsonl").read_text().splitlines()[0])
    fixed = json.loads((tmp_path / "y.jsonl").read_text().splitlines()[0])
    assert loose["datetime"] == "2024-06-15T12:00:00"  # an offset would make a UTC time of it
    assert loose["timestamp"] == 1_718_452_800_000_000
    assert loose["time_certainty"] == "local time without a zone"
    assert fixed["datetime"] == "2024-06-15T10:00:00+00:00"
    assert fixed["time_certainty"] == "instant stated"


def test_a_reading_without_a_zone_is_placed_with_the_offset_of_the_claim(tmp_path):
    wall = datetime(2024, 6, 15, 12, 5)
    reading = TimeReading(wall, TimeKind.LOCAL, TimeRole.MODIFIED, "IFD0:ModifyDate", "2024:06:15 12:05:00")
    write_timesketch(FakeCase([an_entry("a.jpg", offset=2.0, times=(reading,))]), tmp_path / "x.jsonl")
    events = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    placed = next(event for event in events if event.get("source_tag") == "IFD0:ModifyDate")
    assert placed["datetime"] == "2024-06-15T10:05:00+00:00"
    assert placed["time_certainty"] == "local time placed with the claimed offset"


def test_a_finding_is_an_event_of_its_own(tmp_path):
    entry = an_entry("a.jpg", a_finding("GF201", "a.jpg", Outcome.CONTRADICTION))
    write_timesketch(FakeCase([entry]), tmp_path / "x.jsonl")
    events = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [event["check_id"] for event in events if "finding" in event["timestamp_desc"]] == ["GF201"]


# --------------------------------------------------------------------------- CASE


def test_the_case_graph_holds_files_hashes_and_findings(case, tmp_path):
    write_case_uco(case, tmp_path / "x.jsonld")
    graph = json.loads((tmp_path / "x.jsonld").read_text())["@graph"]
    files = [node for node in graph if node["@type"] == "uco-observable:RasterPicture"]
    assert len(files) == len(case.entries)
    content = files[0]["uco-core:hasFacet"][1]
    assert (
        content["uco-observable:hash"][0]["uco-types:hashValue"]["@value"].lower()
        == case.entries[0].photo.source.sha256
    )
    assert sum(node["@type"] == "case-investigation:InvestigativeAction" for node in graph) == len(case.events)
    ids = [node["@id"] for node in graph]
    assert len(ids) == len(set(ids))


def test_the_case_graph_conforms_to_the_ontology(case, tmp_path):
    pytest.importorskip("case_utils", reason="needs the extra validate")
    from case_utils.case_validate import validate

    photo = case.entries[0].photo
    stat = replace(photo.source.stat, is_local=True, is_deleted=True, mtime_step_ns=2_000_000_000, ctime_ns=0)
    of_card = replace(case.entries[0], photo=replace(photo, source=replace(photo.source, stat=stat)))
    few = replace(case, entries=[of_card, *case.entries[12:14]])
    write_case_uco(few, tmp_path / "x.jsonld")
    result = validate(str(tmp_path / "x.jsonld"), case_version="case-1.4.0")
    assert result.conforms, result.text[:2000]


# --------------------------------------------------------------------------- HTML


class Page(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on") or (name == "style" and "url" in (value or "")):
                self.handlers.append(name)

    def handle_data(self, data):
        if self.tags and self.tags[-1] != "style":
            self.text += f" {data} "


@pytest.fixture(scope="module")
def page(case, tmp_path_factory):
    from datetime import date

    path = tmp_path_factory.mktemp("html") / "x.html"
    write_html(case, path, report_date=date(2026, 11, 21))
    return path


def test_the_page_runs_nothing_and_asks_for_nothing_outside(page):
    read = Page()
    read.feed(page.read_text(encoding="utf-8"))
    assert not {"script", "iframe", "object", "embed", "link", "form", "base"} & set(read.tags)
    assert read.handlers == []
    assert [addresse for addresse in read.addresses if not addresse.startswith(("data:image/", "#"))] == []
    assert {addresse[1:] for addresse in read.addresses if addresse.startswith("#")} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))


@pytest.mark.parametrize("style", ["", "bold", "italic", "mono", "hash", "quiet"])
def test_a_span_is_escaped_in_every_style(style):
    markup = inline((Span('<img src=x onerror=alert(1)> & "', style, 'x" onclick="y'),))
    assert "<img" not in markup
    assert 'href="#x&quot; onclick=&quot;y"' in markup


def test_the_page_shows_foreign_strings_as_text(page):
    read = Page()
    read.feed(page.read_text(encoding="utf-8"))
    for name in HOSTILE_NAMES[:-1]:
        assert visible(name) in read.text, name


def test_the_page_says_what_the_pdf_says(case, page, tmp_path):
    import re
    from datetime import date

    from gtloc_forensics.report import write_pdf

    write_pdf(case, tmp_path / "x.pdf", report_date=date(2026, 11, 21))
    read = Page()
    read.feed(page.read_text(encoding="utf-8"))
    printed = subprocess.run(
        ["pdftotext", str(tmp_path / "x.pdf"), "-"], capture_output=True, check=True
    ).stdout.decode()
    words = set(re.findall(r"\w{7,}", read.text))
    missing = {word for word in words if word not in re.sub(r"\s+", "", printed)}
    drawn = {"dial", "claimed", "indicated"}  # the words for drawings, which the PDF draws
    assert len(words) > 200
    assert len(missing - drawn) < 0.03 * len(words), sorted(missing)[:20]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium to render with")
def test_a_browser_renders_the_page(page, tmp_path):
    shot = tmp_path / "shot.png"
    options = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = ["chromium", *options.split(), profile, f"--screenshot={shot}", "--window-size=900,1400", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=90, check=False)
    from PIL import Image

    with Image.open(shot) as image:
        assert len(image.convert("RGB").resize((90, 140)).getcolors(20_000)) > 50, "a blank page has one colour"
