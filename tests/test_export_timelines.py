"""Time lines for Plaso's readers and for Timesketch: their fields, and never a UTC time out of a local one.

What stands here as Plaso's was written by Plaso 20260720 and dfdatetime 20261027. Where they are installed,
they are asked.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_case import FakeCase, a_finding, an_entry, small_case

from gtloc_forensics.records import Outcome, PhotoEntry, TimeKind, TimeReading, TimeRole
from gtloc_forensics.report import write_l2tcsv, write_plaso, write_timesketch

WALL = datetime(2024, 3, 31, 2, 30, 10)
NOON_US = 1_718_445_600_000_000  # 10:00 UTC of 15 June 2024

L2TCSV_HEADER = (
    "date,time,timezone,MACB,source,sourcetype,type,user,host,short,desc,version,filename,inode,notes,format,extra"
)
"""As psort -o l2tcsv writes it."""

JSON_LINE = {
    "__container_type__": "event", "__type__": "AttributeContainer", "data_type": "fs:stat",
    "date_time": {"__class_name__": "TimeElements", "__type__": "DateTimeValues",
                  "time_elements_tuple": [2024, 3, 31, 2, 30, 10]},
    "display_name": "ZIP:/x.txt", "file_entry_type": "file", "file_size": 2, "file_system_type": "ZIP",
    "filename": "/x.txt", "is_allocated": True, "message": "ZIP:/x.txt Type: file Mode: 0o600", "mode": 384,
    "parser": "filestat",
    "sha256_hash": "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4",
    "timestamp": 1711852210000000, "timestamp_desc": "Content Modification Time",
}  # fmt: skip
"""A line of psort -o json_line, of a file in a zip archive; its pathspec is left out."""


def a_reading(wall: datetime, **more: Any) -> TimeReading:
    return TimeReading(wall, TimeKind.LOCAL, TimeRole.CAPTURE, "ExifIFD:DateTimeOriginal", "raw", **more)


def in_file(entry: PhotoEntry, **changes: Any) -> PhotoEntry:
    """Change what is recorded of the file of an entry."""
    source = entry.photo.source
    stat = replace(source.stat, **changes)
    return replace(entry, photo=replace(entry.photo, source=replace(source, stat=stat)))


def json_lines(entries: list[PhotoEntry], path: Path) -> list[dict[str, Any]]:
    write_plaso(FakeCase(entries), path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def of_reading(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the line of :func:`a_reading`."""
    return next(line for line in lines if line.get("raw") == "raw")


def l2t_rows(entries: list[PhotoEntry], path: Path) -> list[dict[str, str]]:
    write_l2tcsv(FakeCase(entries), path)
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert header == L2TCSV_HEADER
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


# --------------------------------------------------------------------------- Plaso


def test_a_line_of_json_has_the_fields_of_plaso_and_their_types(tmp_path: Path) -> None:
    for line in json_lines(list(small_case().entries), tmp_path / "x.jsonl"):
        common = ("__container_type__", "__type__", "date_time", "display_name", "filename", "message", "parser",
                  "sha256_hash", "timestamp", "timestamp_desc")  # fmt: skip
        for name in common:
            assert isinstance(line[name], type(JSON_LINE[name])), name
        assert (line["__container_type__"], line["__type__"]) == ("event", "AttributeContainer")
        assert line["date_time"]["__type__"] == "DateTimeValues"
        assert line["data_type"] in ("gtloc:photo", "gtloc:finding", "gtloc:file")
        assert list(line) == sorted(line)


@pytest.mark.parametrize(
    ("reading", "date_time", "timestamp"),
    [  # written by dfdatetime, and the timestamp that Plaso gives such an event
        (
            a_reading(WALL),
            {"__class_name__": "TimeElements", "is_local_time": True, "time_elements_tuple": [2024, 3, 31, 2, 30, 10]},
            1711852210000000,
        ),
        (
            a_reading(WALL.replace(microsecond=500_000), offset_hours=2.0),
            {
                "__class_name__": "TimeElementsInMicroseconds",
                "time_zone_offset": 120,
                "time_elements_tuple": [2024, 3, 31, 2, 30, 10, 500000],
            },
            1711845010500000,
        ),
        (
            replace(a_reading(WALL), kind=TimeKind.UTC),
            {"__class_name__": "TimeElements", "time_elements_tuple": [2024, 3, 31, 2, 30, 10]},
            1711852210000000,
        ),
    ],
    ids=["local", "with its offset", "UTC"],
)
def test_a_time_is_told_as_plaso_tells_one(
    reading: TimeReading, date_time: dict[str, Any], timestamp: int, tmp_path: Path
) -> None:
    line = of_reading(json_lines([an_entry("a.jpg", times=(reading,))], tmp_path / "x.jsonl"))
    assert line["date_time"] == {"__type__": "DateTimeValues", **date_time}
    assert line["timestamp"] == timestamp
    assert line["message"].endswith("[local time without a zone]") is ("is_local_time" in date_time)


def test_a_local_time_is_never_a_utc_time(tmp_path: Path) -> None:
    noon = int(datetime(2024, 6, 15, 12, tzinfo=UTC).timestamp()) * 10**9
    card = in_file(an_entry("card.dd!/p1/a.jpg", local="2024-06-15 12:00:00"), mtime_ns=noon, is_local=True)
    for line in json_lines([card], tmp_path / "x.jsonl"):
        if line.get("kind") != "utc":
            assert line["date_time"]["is_local_time"] is True, line
    for row in l2t_rows([card], tmp_path / "x.csv"):
        assert row["timezone"] == "-"
        assert row["notes"] == "local time without a zone"
        assert row["desc"].endswith("[local time without a zone]")
    row = next(row for row in l2t_rows([card], tmp_path / "x.csv") if row["type"] == "Content Modification Time")
    assert (row["date"], row["time"], row["MACB"]) == ("06/15/2024", "12:00:00", "M...")
    write_timesketch(FakeCase([card]), tmp_path / "t.jsonl")
    for text in (tmp_path / "t.jsonl").read_text().splitlines():
        assert datetime.fromisoformat(json.loads(text)["datetime"]).tzinfo is None


def test_an_instant_is_written_in_utc(tmp_path: Path) -> None:
    entry = an_entry("a.jpg", local="2024-06-15 12:00:00", offset=2.0, times=(a_reading(datetime(2024, 6, 15, 12)),))
    row = next(row for row in l2t_rows([entry], tmp_path / "x.csv") if "raw: raw;" in row["extra"])
    assert (row["date"], row["time"], row["timezone"], row["notes"]) == ("06/15/2024", "10:00:00", "UTC", "-")
    line = of_reading(json_lines([entry], tmp_path / "x.jsonl"))
    assert (line["timestamp"], line["date_time"]["time_zone_offset"]) == (NOON_US, 120)
    assert line["time_certainty"] == "local time placed with the claimed offset"


def test_the_nanoseconds_of_a_file_are_kept_and_a_deleted_one_is_marked(tmp_path: Path) -> None:
    entry = in_file(an_entry("x.E01!/p1-deleted/7/a.jpg"), mtime_ns=1_711_852_210_123_456_789, is_deleted=True)
    line = next(
        line for line in json_lines([entry], tmp_path / "x") if line["timestamp_desc"] == "Content Modification Time"
    )
    assert line["date_time"]["timestamp"] == 1_711_852_210_123_456_789
    assert line["timestamp"] == 1_711_852_210_123_456
    assert line["is_deleted"] is True


def test_a_time_of_the_file_is_told_once_and_never_placed_by_the_offset_that_the_photo_claims(tmp_path: Path) -> None:
    of_file = replace(a_reading(datetime(2024, 6, 15, 12)), role=TimeRole.FILE_SYSTEM, tag="System:FileModifyDate")
    entry = an_entry("a.jpg", offset=2.0, times=(of_file,))
    lines = json_lines([in_file(entry, mtime_ns=NOON_US * 1000, is_local=True)], tmp_path / "x")
    (written,) = [line for line in lines if "Modify" in line["message"] or "Content" in line["timestamp_desc"]]
    assert written["timestamp_desc"] == "Content Modification Time"
    assert written["date_time"]["is_local_time"] is True


def test_a_date_without_a_time_of_day_says_so(tmp_path: Path) -> None:
    entry = an_entry("a.jpg", times=(a_reading(datetime(2024, 6, 15), resolution_s=86_400.0),))
    assert of_reading(json_lines([entry], tmp_path / "x"))["time_certainty"].endswith("a date without a time of day")


def test_seventeen_columns_stay_seventeen_whatever_a_photo_is_called(tmp_path: Path) -> None:
    found = a_finding("GF201", "a,b.jpg", Outcome.CONTRADICTION, summary="One, two, three.")
    rows = l2t_rows([an_entry('=cmd,"x".jpg', found), *small_case().entries], tmp_path / "x.csv")
    assert any("One  two  three." in row["desc"] for row in rows)
    assert any(row["source"] == "GTLOC" for row in rows)
    for row in rows:
        assert not row["short"].startswith(("=", "+", "@"))
        assert row["version"] == "2"


def test_plaso_itself_has_these_columns_and_makes_these_timestamps(tmp_path: Path) -> None:
    l2t_csv = pytest.importorskip("plaso.output.l2t_csv", reason="needs the extra validate")
    from dfdatetime.serializer import Serializer

    assert ",".join(l2t_csv.L2TCSVOutputModule._FIELD_NAMES) == L2TCSV_HEADER
    entries = [
        an_entry("a.jpg", offset=5.75, times=(a_reading(WALL), a_reading(WALL.replace(microsecond=7)))),
        an_entry("b.jpg", times=(a_reading(WALL), a_reading(WALL, offset_hours=-9.5))),
        *small_case().entries,
    ]
    for line in json_lines(entries, tmp_path / "x.jsonl"):
        stated = dict(line["date_time"])
        moment = Serializer.ConvertJSONToDateTimeValues(dict(stated))
        assert moment.is_local_time is stated.get("is_local_time", False)
        assert moment.GetPlasoTimestamp() // 1 == line["timestamp"] or stated["__class_name__"].startswith("Posix")
        assert abs(moment.GetPlasoTimestamp() - line["timestamp"]) <= 1  # Plaso rounds what lies below a microsecond
        assert json.loads(json.dumps(moment.CopyToSerializableDict())) == stated


# --------------------------------------------------------------------------- Timesketch


def test_timesketch_s_importer_takes_every_line_as_it_is(tmp_path: Path) -> None:
    importer = pytest.importorskip("timesketch_import_client.importer", reason="needs the extra validate")
    case = small_case()
    for write in (write_timesketch, write_plaso):
        path = tmp_path / f"{write.__name__}.jsonl"
        write(case, path)
        streamer = importer.ImportStreamer()
        streamer._resource_url, streamer._sketch = "nowhere", object()
        streamer.set_entry_threshold(10**9)
        streamer._ready = lambda: None
        streamer.add_file(str(path))
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(streamer._data_lines) == len(lines)
        for taken, line in zip(streamer._data_lines, lines, strict=True):
            assert taken["message"] == line["message"]
            assert taken["timestamp_desc"] == line["timestamp_desc"]
            at = datetime.fromisoformat(taken["datetime"])
            placed = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
            assert (placed - datetime(1970, 1, 1)) // timedelta(microseconds=1) == line["timestamp"]
            if write is write_timesketch:
                assert taken["datetime"] == line["datetime"]
