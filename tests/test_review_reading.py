"""What the review page lists, finds and refuses: what the whole records say, soon, and in the page's language."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from test_review_service import Browser, examined, folder, reader, running  # noqa: F401 fixtures

from gtloc_forensics.case import query_text, words
from gtloc_forensics.case.case import Case
from gtloc_forensics.case.reviewing import reading, selecting
from gtloc_forensics.records import Claim, Stated


def test_a_sketch_says_of_each_photo_what_its_whole_records_say(folder: Path) -> None:  # noqa: F811
    with Case(folder) as case:
        view = case.view()
        whole = list(view.outlines())
        sketches = list(view.sketches(tags=True))
    assert len(sketches) == len(whole) == 8
    for sketch, (source, claim, verdict) in zip(sketches, whole, strict=True):
        assert isinstance(claim, Claim)
        assert (sketch.source_id, sketch.sha256, sketch.name) == (source.source_id, source.sha256, source.display_path)
        assert (sketch.status, sketch.is_partial) == (verdict.status, bool(verdict.unexamined))
        assert (sketch.device, sketch.device_key) == (claim.device.name, claim.device.key)
        local = claim.local_time
        assert sketch.local_time == (local.value.isoformat() if isinstance(local, Stated) else "")
        place = claim.position.value if isinstance(claim.position, Stated) else None
        assert sketch.position == ((place.latitude_deg, place.longitude_deg) if place else None)
        assert {tag: tuple(value) for tag, value in sketch.tags.items()} == dict(claim.tags)
        assert sketch.zones == claim.zones
        assert [counter[1:] for counter in sketch.counters] == [(kept.tag, kept.value) for kept in claim.counters]


def test_what_is_decided_on_is_what_the_whole_finding_says(folder: Path) -> None:  # noqa: F811
    with Case(folder) as case:
        view = case.view()
        listing = reading.read(view)
        for number, keys in enumerate(listing.members, start=1):
            group, members = selecting.of_cause(view, number)
            assert group is not None and set(listing.judged(keys) or ()) == set(members)
        assert listing.judged([("nothing", "GF101")]) is None


def test_words_are_found_in_the_texts_that_are_kept_packed(folder: Path) -> None:  # noqa: F811
    with Case(folder) as case:
        index = reading.read(case.view()).words()
        for asked in ("nordvale", "jpeg", "nosuchword", "jpeg nordvale"):
            assert index.holding(words.terms(asked)) == words.holding(case.view(), asked), asked
        assert len(index.holding(("jpeg",))) == 8 and index.holding(("nosuchword",)) == {}


_SLOW = """
import sys, time
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.cli.main import gtloc
sketches = StoredCase.sketches
def slowly(view, *, tags=False):
    for photo in sketches(view, tags=tags):
        if tags:
            print("searching", flush=True)
            time.sleep(5)
        yield photo
StoredCase.sketches = slowly
gtloc(["review", sys.argv[1], "--no-open"])
"""


@pytest.mark.skipif(os.name == "nt", reason="a signal ends it")
def test_a_search_that_still_runs_does_not_hold_up_the_end(folder: Path) -> None:  # noqa: F811
    command = [sys.executable, "-c", _SLOW, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            link = process.stdout.readline().strip()
            browser = Browser(urlsplit(link).port or 0)
            assert browser.enter(link) == 303
            browser.json("/data/case")
            threading.Thread(target=_unanswered, args=(browser,), daemon=True).start()
            assert process.stdout.readline().strip() == "searching"
            process.send_signal(signal.SIGINT)
            process.wait(25)  # the search itself takes 40 s
        finally:
            process.kill()


def _unanswered(browser: Browser) -> None:
    with suppress(OSError, HTTPException):  # the service ends meanwhile
        browser.get("/data/search?words=nordvale")


@pytest.mark.parametrize(
    ("asked", "german"),
    [
        ("near=nowhere-at-all-so-called", "lässt sich nicht suchen: ein Ort ist BREITE,LÄNGE in Grad"),
        ("hours=25", "Stunden sind zwei"),
        ("", "sagen Sie, was gesucht wird"),
        ("like=none", "das Beispiel ist kein Foto dieses Falls"),
        ("shows_hour=7", "Kein Modell hat sie gesehen"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_the_language_of_the_page(
    reader: Browser,  # noqa: F811
    asked: str,
    german: str,
) -> None:
    reader.json("/data/case")
    status, _, body = reader.get(f"/data/search?language=de&{asked}")
    assert status == 400 and german in body.decode()
    assert german not in reader.get(f"/data/search?language=en&{asked}")[2].decode()


def test_refusals_to_write_are_said_in_the_language_of_the_page(reader: Browser) -> None:  # noqa: F811
    examination = reader.json("/data/case")["examination"]
    decision = {"decision": "dismissed", "findings": [], "examination": examination}
    assert "es gibt keinen Befund zu entscheiden" in reader.post("/decide?language=de", decision)[1].decode()
    assert "es gibt keine solche Ursache" in reader.post("/decide?language=de", decision | {"cause": 99})[1].decode()
    assert "the case has no such photo" in reader.get("/data/photo/none?language=en")[2].decode()


def test_a_place_may_be_asked_for_by_the_name_of_a_town(reader: Browser) -> None:  # noqa: F811
    reader.json("/data/case")
    found = reader.json(f"/data/search?language=de&within=20000&near={quote('Bergen, NO')}")
    assert found["matching"] >= 1
    ((field, name, latitude_deg, longitude_deg),) = found["named"]
    assert (field, name.split(",")[0]) == ("near", "Bergen") and name.endswith("Norwegen")
    assert abs(latitude_deg - 60.39) < 0.05 and abs(longitude_deg - 5.32) < 0.05
    assert reader.json("/data/search?near=60.39,5.32&within=20000")["named"] == []
    assert query_text.town("60.39,5.32") is None and query_text.place("60.39, 5.32").latitude_deg == 60.39


def test_a_photo_names_the_town_of_its_place(reader: Browser) -> None:  # noqa: F811
    placed = next(photo for photo in reader.json("/data/case")["photos"] if photo["at"])
    town = reader.json(f"/data/photo/{placed['id']}")["town"]
    assert town["name"] and town["km"] and town["around"][0][0] == town["name"].split(",")[0]


def test_a_window_of_the_map_has_the_names_of_its_towns(reader: Browser) -> None:  # noqa: F811
    reader.json("/data/case")
    towns = reader.json("/data/places?south=60&north=61&west=5&east=6")
    assert towns[0][0] == "Bergen" and 1 < len(towns) <= 12
    for window in ("south=0", "south=nan&north=1&west=0&east=1", "south=9&north=1&west=0&east=1"):
        assert reader.get(f"/data/places?language=de&{window}")[0] == 400
