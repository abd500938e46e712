"""Index files in exports of Facebook, Instagram and Telegram: what they say of a photo is a claim beside the file's."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_case import photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import export_indexes, reading
from gtloc_forensics.records import Absent, Claim, Outcome, Position, Skipped, Stated, TimeRole

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

TAKEN = datetime(2014, 5, 3, 10, 30, 0)
UPLOADED = datetime(2014, 5, 9, 18, 0, 0)


def seconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


TAKEN_S, UPLOADED_S = seconds(TAKEN), seconds(UPLOADED)


def as_exported(text: str) -> str:
    """Return text as these exports write it: each byte of its UTF-8 as a character of its own."""
    return text.encode().decode("latin-1")


def facebook(uri: str, *, taken: Any = TAKEN_S, uploaded: Any = UPLOADED_S, **further: Any) -> Any:
    return {
        "name": as_exported("Süden"),
        "photos": [
            {
                "uri": uri,
                "creation_timestamp": uploaded,
                "media_metadata": {
                    "photo_metadata": {"exif_data": [{"upload_ip": "192.0.2.1", "taken_timestamp": taken, **further}]}
                },
                "title": as_exported("Grüße aus Málaga"),
            }
        ],
        "cover_photo": {"uri": uri, "creation_timestamp": uploaded},
    }


def instagram(uri: str, **exif: Any) -> Any:
    media = {
        "uri": uri,
        "creation_timestamp": seconds(UPLOADED),
        "media_metadata": {"photo_metadata": {"exif_data": [exif]}},
        "title": "",
    }
    return [{"media": [media]}]


def telegram(path: str, **said: Any) -> Any:
    message = {"id": 1, "type": "message", "photo": path, "width": 96, "height": 64, "text": "", **said}
    return {"name": "somebody", "type": "personal_chat", "id": 1, "messages": [message]}


def written(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def stripped_picture(path: Path, seed: int = 0) -> Path:
    """Make a photo as a service hands it back: without a date or a place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((96, 64), 20 + seed).convert("RGB").save(path, "JPEG")
    return path


def said_of(content: bytes | str) -> dict[str, Mapping[str, Any]]:
    raw = content.encode() if isinstance(content, str) else content
    return {uri: json.loads(said) for uri, said in export_indexes.entries(raw).items()}


# --------------------------------------------------------------------------- what an index says


def test_what_facebook_says_of_a_photo_is_gathered_from_everywhere_in_the_index() -> None:
    at = "posts/media/a_1/2.jpg"
    said = said_of(json.dumps(facebook(at, latitude=36.7, longitude=-4.4)))[at]
    assert said == {
        "ExportService": "Facebook or Instagram",
        "ExportUri": "posts/media/a_1/2.jpg",
        "ExportCreationTimestamp": seconds(UPLOADED),
        "ExportTakenTimestamp": seconds(TAKEN),
        "ExportLatitude": 36.7,
        "ExportLongitude": -4.4,
        "ExportTitle": "Grüße aus Málaga",
    }, "text is repaired, and the address from which it was uploaded is nobody's business here"


def test_a_name_that_was_written_byte_by_byte_is_repaired_and_a_whole_one_is_left() -> None:
    assert export_indexes.repaired(as_exported("Grüße 😀")) == "Grüße 😀"
    for whole in ("Grüße", "plain", "漢字", "\ud800"):
        assert export_indexes.repaired(whole) == whole


def test_older_exports_of_instagram_and_telegram_are_read() -> None:
    old = {"photos": [{"caption": "", "taken_at": "2018-06-20T12:34:56+00:00", "path": "photos/201806/a.jpg"}]}
    assert said_of(json.dumps(old))["photos/201806/a.jpg"]["ExportTakenAt"] == "2018-06-20T12:34:56+00:00"
    sent = telegram("photos/photo_1.jpg", date="2019-06-20T12:34:56")
    assert said_of(json.dumps(sent))["photos/photo_1.jpg"]["ExportDate"] == "2019-06-20T12:34:56"
    whole = {"chats": {"list": [telegram("chats/chat_1/photos/photo_1.jpg", date_unixtime="1560000000")]}}
    assert "chats/chat_1/photos/photo_1.jpg" in said_of(json.dumps(whole))


def test_values_of_two_entries_of_one_photo_are_both_kept() -> None:
    twice = [facebook("a/b.jpg"), facebook("a/b.jpg", uploaded=seconds(TAKEN))]
    assert said_of(json.dumps(twice))["a/b.jpg"]["ExportCreationTimestamp"] == [seconds(UPLOADED), seconds(TAKEN)]


def test_an_index_that_says_a_hundred_thousand_things_of_one_photo_takes_no_longer_than_its_length() -> None:
    photos = [{"uri": "a/b.jpg", "creation_timestamp": number} for number in range(100_000)]
    began = time.process_time()
    said = said_of(json.dumps(photos))["a/b.jpg"]
    assert said["ExportCreationTimestamp"] == [*range(export_indexes.MOST_VALUES)]
    assert time.process_time() - began < 20.0


@pytest.mark.parametrize(
    ("content", "reason", "is_recognised"),
    [
        (b'{"photos": [{"uri": "a.jpg", "creation_timestamp": 1', "cannot be read as JSON", True),
        (b"not json at all", "cannot be read as JSON", False),
        (b'{"uri": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested deeper", True),
        (b'{"messages": [], "id": ' + b"9" * 10_000 + b"}", "cannot be read as JSON", True),
        (b"\xff\xfe\x00", "cannot be read as JSON", False),
        (b"{}", "speaks of no photo", False),
        (b'{"photos": [{"uri": 7, "creation_timestamp": 1}, "uri", null, {"uri": "a.jpg"}]}', "of no photo", False),
    ],
)
def test_what_is_no_index_or_a_hostile_one_is_refused_with_the_reason(
    content: bytes, reason: str, is_recognised: bool
) -> None:
    with pytest.raises(export_indexes.NotRead, match=reason) as raised:
        export_indexes.entries(content)
    assert raised.value.is_recognised is is_recognised


def test_a_value_of_a_wrong_kind_is_kept_as_what_it_is() -> None:
    said = said_of(json.dumps(facebook("a/b.jpg", taken=[1, {"x": None}], uploaded=True, latitude=1e300)))["a/b.jpg"]
    assert said["ExportTakenTimestamp"].startswith("no value: [1,")
    assert said["ExportCreationTimestamp"] == "no value: true"
    assert said["ExportLatitude"] == "1e+300"


def test_an_index_that_is_too_long_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "posts_1.json", facebook("a/b.jpg"))
    monkeypatch.setattr(export_indexes, "LIMIT_BYTES", 100)
    with pytest.raises(export_indexes.NotRead, match="more than the 0 MB that are read"):
        reading.index_of(tmp_path, b"posts_1.json")


# --------------------------------------------------------------------------- which photo is meant


def meant(uri: str, index: str, *photos: str) -> str | None:
    found = export_indexes.Photos(name.encode() for name in photos).named(uri, index.encode())
    return None if found is None else found.decode()


def test_a_photo_is_named_from_the_top_of_the_export_wherever_that_lies() -> None:
    at = "media/posts/202005/1.jpg"
    assert meant(at, "your_activity/content/posts_1.json", at) == at
    assert meant(at, "ig/content/posts_1.json", f"ig/{at}", f"other/{at}") == f"ig/{at}"
    assert meant(at, "part1/content/posts_1.json", f"part2/{at}") == f"part2/{at}"
    assert meant(at, "part1/content/posts_1.json", f"part2/{at}", f"part3/{at}") is None, "it may be either"
    assert meant("1.jpg", "part1/content/posts_1.json", "part2/1.jpg") is None, "a bare name says too little"
    assert meant("../1.jpg", "a/posts_1.json", "1.jpg") is None


# --------------------------------------------------------------------------- through a whole audit


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[Callable[[Path], Case]]:
    opened: list[Case] = []

    def run(evidence: Path) -> Case:
        case = open_case(evidence, tmp_path / "case")
        opened.append(case)
        case.audit(Settings(model="none", jobs=0))
        return case

    yield run
    for case in opened:
        case.close()


def claims(case: Case) -> dict[str, Claim]:
    return {entry.photo.source.display_path: entry.photo.claim for entry in case.view().photos()}


def passed_over(case: Case) -> dict[bytes, Skipped]:
    return {entry.relative: entry for entry in case.view().passed_over()}


INDEX = "your_activity_across_facebook/posts/album/0.json"
PICTURE = "your_activity_across_facebook/posts/media/Süden_1/2.jpg"


def an_export(folder: Path, **further: Any) -> Path:
    stripped_picture(folder / PICTURE)
    stripped_picture(folder / "your_activity_across_facebook/posts/media/other.jpg", 5)
    written(folder / INDEX, facebook(as_exported(PICTURE), **further))
    return folder


@needs_exiftool
def test_what_facebook_kept_of_a_photo_speaks_where_the_file_is_silent(tmp_path: Path, audited) -> None:
    case = audited(an_export(tmp_path / "export", latitude=36.72, longitude=-4.42))
    made = claims(case)[PICTURE]
    assert (made.utc_time.value, made.utc_time.tag) == (TAKEN, "sidecar:JSON:ExportTakenTimestamp")
    assert made.local_time.value == datetime(2014, 5, 3, 12, 30), "Málaga keeps UTC+2 in May"
    assert (made.position.value, made.position.tag) == (Position(36.72, -4.42), "sidecar:JSON:ExportLatitude")
    (upload,) = [reading for reading in made.times if reading.role is TimeRole.TAKEN_IN]
    assert upload.wall == UPLOADED
    assert (made.not_after.value, made.not_after.tag) == (UPLOADED, "sidecar:JSON:ExportCreationTimestamp")
    assert claims(case)["your_activity_across_facebook/posts/media/other.jpg"].utc_time is not TAKEN
    entry = passed_over(case)[INDEX.encode()]
    assert (str(entry.reason), entry.blocks) == (
        "an index of an export, read as what a service says of 1 photo",
        False,
    )


@needs_exiftool
def test_an_upload_alone_is_a_bound_and_no_capture_time(tmp_path: Path, audited) -> None:
    folder = tmp_path / "export"
    stripped_picture(folder / "photos" / "photo_1@09-05-2014_20-00-00.jpg")
    dates = {"date_unixtime": str(UPLOADED_S), "date": "2014-05-09T20:00:00"}
    written(folder / "result.json", telegram("photos/photo_1@09-05-2014_20-00-00.jpg", **dates))
    (made,) = claims(audited(folder)).values()
    assert made.utc_time is Absent.UNDERIVABLE
    assert made.local_time is Absent.ONLY_BOUNDS
    assert (made.not_after.value, made.not_after.tag) == (UPLOADED, "sidecar:JSON:ExportDateUnixtime")


@needs_exiftool
def test_what_instagram_read_in_the_file_before_it_stripped_it_is_a_claim(tmp_path: Path, audited) -> None:
    folder = tmp_path / "export"
    stripped_picture(folder / "media" / "posts" / "202005" / "1.jpg")
    kept = instagram("media/posts/202005/1.jpg", date_time_original="20140503T123000", latitude=36.72, longitude=-4.42)
    kept[0]["media"][0]["media_metadata"]["photo_metadata"]["exif_data"].append(
        {"date_time_original": "2014:05:03 12:30:00"}
    )
    written(folder / "content" / "posts_1.json", kept)
    (made,) = claims(audited(folder)).values()
    assert isinstance(made.local_time, Stated)
    assert made.local_time.value == datetime(2014, 5, 3, 12, 30)
    assert made.local_time.tag == "sidecar:JSON:ExportDateTimeOriginal"
    assert "a service says it read in the file" in made.local_time.rule
    assert made.position.value == Position(36.72, -4.42)


@needs_exiftool
@pytest.mark.parametrize("taken", ["soon", None, [1], {"a": 1}, 1e300, "9" * 400])
def test_a_wrong_kind_of_value_is_an_absence_with_its_reason(tmp_path: Path, audited, taken: Any) -> None:
    (made,) = [
        made
        for name, made in claims(audited(an_export(tmp_path / "export", taken=taken, latitude="north"))).items()
        if name == PICTURE
    ]
    assert isinstance(made.utc_time, Absent)
    assert made.local_time in (Absent.UNPARSABLE, Absent.ONLY_BOUNDS)
    assert isinstance(made.position, Absent)


@needs_exiftool
def test_a_damaged_index_was_not_examined_and_says_so(tmp_path: Path, audited) -> None:
    folder = an_export(tmp_path / "export")
    content = (folder / INDEX).read_text()
    (folder / INDEX).write_text(content[: len(content) // 2])
    case = audited(folder)
    entry = passed_over(case)[INDEX.encode()]
    assert entry.blocks
    assert "an index of an export that could not be read: it cannot be read as JSON" in entry.reason
    assert all("JSON" not in reading.tag for made in claims(case).values() for reading in made.times)


@needs_exiftool
def test_a_result_of_another_program_is_left_alone(tmp_path: Path, audited) -> None:
    folder = tmp_path / "export"
    stripped_picture(folder / "a.jpg")
    written(folder / "result.json", {"score": 7})
    entry = passed_over(audited(folder))[b"result.json"]
    assert not entry.blocks
    assert entry.reason.startswith("not a photo")


@needs_exiftool
def test_a_photo_that_was_uploaded_before_its_capture_is_a_finding(tmp_path: Path, audited) -> None:
    folder = tmp_path / "export"
    photo(folder / "posts" / "1.jpg", 1, taken="2016:06:15 12:00:30")
    written(folder / "posts" / "album" / "0.json", facebook("posts/1.jpg", taken=0))
    case = audited(folder)
    (entry,) = case.view().photos()
    (found,) = [finding for finding in entry.findings if finding.check_id == "GF104"]
    assert found.outcome is Outcome.SUSPICIOUS
    assert found.summary.startswith("A service took the photo in 2")
    assert "before its claimed capture, as the index of its export says" in found.summary


@needs_exiftool
def test_a_photo_uploaded_after_its_capture_is_none(tmp_path: Path, audited) -> None:
    folder = tmp_path / "export"
    photo(folder / "posts" / "1.jpg", 1, taken="2014:05:03 12:30:00")
    written(folder / "posts" / "album" / "0.json", facebook("posts/1.jpg"))
    (entry,) = audited(folder).view().photos()
    assert not [finding for finding in entry.findings if finding.is_found]


@needs_exiftool
def test_the_index_is_in_the_chain_and_a_change_in_it_is_seen(tmp_path: Path, audited) -> None:
    folder = an_export(tmp_path / "export")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    case = audited(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (event,) = [event for event in case.store.custody() if event.action == "export index"]
    assert (event.subject, event.detail["photos"]) == (INDEX, 1)
    assert case.custody_faults() == ()
    assert case.verify(Settings(model="none", jobs=0)).differences == ()
    again = case.audit(Settings(model="none", jobs=0))
    assert again.photos == 2
    assert len([event for event in case.store.custody() if event.action == "acquire"]) == 2, "nothing is taken in twice"
    written(folder / INDEX, facebook(as_exported(PICTURE), taken=seconds(TAKEN) + 60))
    changed = case.verify(Settings(model="none", jobs=0)).differences
    assert any(f"its sidecar {INDEX}//" in said.what for said in changed)
    case.audit(Settings(model="none", jobs=0))
    assert claims(case)[PICTURE].utc_time.value == datetime(2014, 5, 3, 10, 31)
    written(folder / INDEX, {"photos": []})
    assert any("can no longer be read" in said.what for said in case.verify(Settings(model="none", jobs=0)).differences)


@needs_exiftool
def test_an_export_is_read_in_its_zip_as_it_came(tmp_path: Path, audited) -> None:
    folder = an_export(tmp_path / "export")
    archive = tmp_path / "facebook.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(folder))
    case = audited(archive)
    (kept,) = [claim for name, claim in claims(case).items() if name.endswith("2.jpg")]
    assert kept.utc_time.value == TAKEN
    assert case.verify(Settings(model="none", jobs=0)).differences == ()
