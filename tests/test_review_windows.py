"""Of a large case the page is sent what it shows: the same rows, order and counts that a small case has whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_case import photo
from test_review_service import Browser, Running

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.settings import Settings

pytest.importorskip("starlette", reason="the extra review is not installed")
pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in-windows")
    shutil.copytree(EXAMPLE, folder / "evidence")
    photo(folder / "evidence" / "<b>.jpg", make="<script>")
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    return folder


@pytest.fixture
def place(examined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path(shutil.copytree(examined / "case", tmp_path / "case"))


def entered(place: Path, **options: Any) -> tuple[Running, Browser]:
    service = Running(place, **options)
    browser = Browser(service.port)
    browser.enter(service.link)
    return service, browser


@pytest.fixture
def whole(place: Path) -> Iterator[Any]:
    """Give what a small case is sent: all of it."""
    service, browser = entered(place)
    yield browser.json("/data/case")
    service.end()


@pytest.fixture
def reader(whole: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Give a reader of the same case, sent as a large one."""
    monkeypatch.setattr("gtloc_forensics.case.reviewing.desk.WHOLE", 0)
    monkeypatch.setattr("gtloc_forensics.case.reviewing.views.WHOLE", 0)
    monkeypatch.setattr("gtloc_forensics.case.reviewing.windows.MOST_ROWS", 7)
    service, browser = entered(place, examiner="A. Reader")
    yield browser
    service.end()


def all_rows(reader: Browser, query: str = "") -> list[Any]:
    """Return the rows of a list, asked for a piece after another."""
    rows: list[Any] = []
    while True:
        said = reader.json(f"/data/rows?first={len(rows)}&{query}")
        assert len(said["rows"]) <= 7
        rows += said["rows"]
        if len(rows) >= said["total"]:
            return rows


def test_the_case_is_sent_without_its_rows_and_its_rows_are_those_of_the_whole(reader: Browser, whole: Any) -> None:
    case = reader.json("/data/case")
    assert "photos" not in case and not any("members" in cause or "photos" in cause for cause in case["causes"])
    assert all_rows(reader) == whole["photos"] and case["rows"] == len(whole["photos"])
    for cause, same in zip(case["causes"], whole["causes"], strict=True):
        assert (cause["photos_n"], cause["members_n"]) == (len(same["photos"]), len(same["members"]))
        assert [row["id"] for row in all_rows(reader, f"cause={cause['number']}")] == same["photos"]


def test_names_results_cameras_and_orders_are_asked_of_the_service(reader: Browser, whole: Any) -> None:
    photos = whole["photos"]
    assert all_rows(reader, "text=NORDVALE") == [row for row in photos if "nordvale" in row["name"]]
    assert all_rows(reader, "status=found") == [row for row in photos if row["status"] == "found"]
    partial = [row for row in photos if row["status"] == "not_examined" or row["partial"]]
    assert all_rows(reader, "status=not_examined") == partial
    camera = whole["cameras"][1]["key"]
    assert all_rows(reader, f"device={camera}".replace(" ", "%20")) == [r for r in photos if r["device"] == camera]
    in_time = [row["local"] or "9" for row in all_rows(reader, "sort=time")]
    assert in_time == sorted(in_time) and len(in_time) == len(photos)
    found = [len(row["found"]) > 0 for row in all_rows(reader, "sort=weight")]
    assert found == sorted(found, reverse=True)
    assert reader.json("/data/rows?text=no+such")["total"] == 0
    for odd in ("cause=99", "cause=x", "first=99999999999999", "first=-1", "at=none", "sort=drop", "row=99", "ids=a,b"):
        assert reader.get(f"/data/rows?{odd}")[0] == 200, odd


def test_what_is_undecided_what_comes_next_and_what_is_left_follow_the_decisions(reader: Browser) -> None:
    case, before = reader.json("/data/case"), reader.json("/data/decisions")
    assert "reviewed" not in before and before["left"] == before["work"] > 4
    first = reader.json("/data/next")["next"]
    assert first == case["causes"][0]["first"], "the weightiest cause first"
    sent = {"decision": "dismissed", "examination": case["examination"], "findings": [first]}
    assert reader.post("/decide", sent)[0] == 200
    after = reader.json("/data/decisions")
    assert after["left"] == before["left"] - 1 and after["made"][0]["findings_n"] == 1
    assert "findings" not in after["made"][0] and after["causes"][0][0] == before["causes"][0][0] - 1
    assert reader.json("/data/next")["next"] != first
    row = reader.json(f"/data/rows?ids={first[0]}")["rows"][0]
    assert [item["standing"] for item in row["said"][first[1]]] == ["current"]
    asked = [row["id"] for row in all_rows(reader, "undecided=1")]
    every = {row["id"] for row in all_rows(reader) if {"contradiction", "suspicious"} & set(row["found"].values())}
    assert set(asked) <= every
    done = reader.post("/decide", {"decision": "confirmed", "examination": case["examination"], "cause": 1})
    assert done[0] == 200 and reader.json("/data/decisions")["causes"][0][:2] == [0, True]
    assert not {row["id"] for row in all_rows(reader, "undecided=1")} & set(case["causes"][0]["thumbs"][0])


def test_a_decision_is_made_again_by_its_number_and_nobody_elses(reader: Browser, place: Path) -> None:
    case = reader.json("/data/case")
    sent = {"decision": "dismissed", "examination": case["examination"]}
    event = json.loads(reader.post("/decide", sent | {"cause": 1})[1])["event"]
    assert reader.post("/undo", {"event": event})[0] == 200
    assert reader.post("/decide", sent | {"again": event})[0] == 200
    made = reader.json("/data/decisions")["made"]
    assert made[0]["findings_n"] == made[1]["findings_n"] == case["causes"][0]["members_n"]
    service, other = entered(place, examiner="B")
    try:
        other.json("/data/case")
        assert other.post("/decide", sent | {"again": event})[0] == 400
        assert reader.post("/decide", sent | {"again": 1})[0] == 400
    finally:
        service.end()


def test_a_second_reader_is_not_told_by_rows_what_the_first_decided(reader: Browser, place: Path) -> None:
    case = reader.json("/data/case")
    reader.post("/decide", {"decision": "confirmed", "examination": case["examination"], "cause": 1, "note": "secret"})
    service, other = entered(place, examiner="B. Second")
    try:
        other.json("/data/case")
        told = other.json("/data/decisions")
        assert (told["made"], told["hidden"], told["left"]) == ([], 1, told["work"])
        first = case["causes"][0]["first"][0]
        assert "said" not in other.json(f"/data/rows?ids={first}")["rows"][0]
        assert other.json(f"/data/rows?ids={first}&others=1")["rows"][0]["said"]
        assert b"secret" not in other.get("/data/custody?first=0")[2]
    finally:
        service.end()


def test_the_photos_beside_one_are_those_of_the_list_it_was_opened_from(reader: Browser, whole: Any) -> None:
    photos = [row["id"] for row in whole["photos"]]
    said = reader.json(f"/data/aside?photo={photos[3]}")
    assert (said["previous"], said["next"]) == (photos[2], photos[4]) and said["coming"][:3] == photos[4:7]
    assert reader.json(f"/data/aside?photo={photos[0]}")["previous"] is None
    assert reader.json(f"/data/aside?photo={photos[-1]}")["next"] is None
    in_time = [row["id"] for row in all_rows(reader, "sort=time")]
    assert reader.json(f"/data/aside?photo={in_time[5]}&sort=time")["next"] == in_time[6]
    assert reader.json("/data/aside?photo=none") == {"previous": None, "next": None, "coming": []}
    shown = reader.json(f"/data/photo/{in_time[5]}")
    known = {row["id"]: row for row in shown["rows"]}
    assert in_time[5] in shown["beside"] and set(shown["beside"]) <= set(known)
    assert {row["device"] for row in map(known.get, shown["beside"])} == {known[in_time[5]]["device"]}


def test_the_dots_of_map_and_timeline_are_all_photos_in_order_of_time(reader: Browser, whole: Any) -> None:
    dots, photos = reader.json("/data/points"), {row["row"]: row for row in whole["photos"]}
    assert sorted(dots["row"]) == sorted(photos)
    for at, row in enumerate(dots["row"]):
        where = photos[row]["at"]
        assert (dots["latitude"][at] is None) == (where is None)
        assert where is None or abs(dots["latitude"][at] - where[0]) < 1e-5
        assert (dots["local"][at] is None) == (not photos[row]["local"])
    camera = whole["cameras"][1]["key"]
    some = reader.json(f"/data/points?device={camera}".replace(" ", "%20"))
    assert {photos[row]["device"] for row in some["row"]} == {camera} and len(some["id"]) == len(some["row"])


def test_the_chain_comes_in_pieces(reader: Browser) -> None:
    every = reader.json("/data/custody")
    rows: list[Any] = []
    while len(rows) < len(every):
        said = reader.json(f"/data/custody?first={len(rows)}")
        assert said["total"] == len(every) and 0 < len(said["rows"]) <= 7
        rows += said["rows"]
    assert rows == every
