"""Hostile photos, sidecars, tracks and plans by the hundred: each becomes a row, none a traceback, nothing is touched.

`make fuzz` does the same with twenty thousand; a fault names its seeds and the command that makes them again. What once
fell stays: as a seed, and as a test of its own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import tiny_models
from fuzz import examining, plans
from fuzz.folders import content, lay
from test_case import audit, photo

from gtloc_forensics.correct import planfile
from gtloc_forensics.correct.tracks import read_gpx
from gtloc_forensics.errors import PlanError
from gtloc_forensics.files.types import UNKNOWN, media_type
from gtloc_forensics.records import Unread
from gtloc_forensics.store.codec import pack, unpack

AT_ONCE = 80

FOUND = (
    3,  # no capture time but other dates: the report had no word for that
    1299,  # a broken PNG, of which the decoder quoted bytes as Python writes them
    2002,  # RAW data that cannot be developed, the same
    2693,  # a sidecar whose name is no text: the audit ended
)


@pytest.mark.parametrize("first", [0, 1 * AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE])
def test_of_hostile_files_each_becomes_a_row_and_nothing_is_touched(first: int) -> None:
    again = f"PYTHONPATH=tests python -m fuzz --seed {first} --files {AT_ONCE} --model none"
    assert not examining.faults_of(first, AT_ONCE), again


def test_a_model_that_looks_at_hostile_files_and_the_report_of_them_hold_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", os.fspath(tmp_path))
    monkeypatch.setenv("GTLOC_CACHE", os.fspath(tmp_path / "cache"))
    model = tiny_models.write(tmp_path)
    assert not examining.faults_of(5000, 12, model=model.name, report=True)


def test_what_once_fell_stands(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for seed in FOUND:
        lay(evidence, seed)
    assert not list(examining.examine(evidence, tmp_path / "case", report=True))


def test_hostile_tracks_and_plans_end_in_a_sentence_and_are_undone_to_the_byte() -> None:
    assert not list(plans.faults_of(0, 12))


def test_one_seed_is_one_file_and_most_of_them_are_still_files_of_their_kind() -> None:
    assert content(7) == content(7)
    made = [content(seed)[1] for seed in range(200)]
    assert len(set(made)) > 190
    assert sum(media_type(one[:64]) not in (UNKNOWN, "text/plain") for one in made) > 150


def test_what_does_not_hold_is_seen(tmp_path: Path) -> None:
    photo(tmp_path / "evidence" / "a.jpg", 1)
    before = examining.snapshot(tmp_path / "evidence")
    os.utime(tmp_path / "evidence" / "a.jpg", ns=(1, 1))
    assert list(examining.changes(before, examining.snapshot(tmp_path / "evidence")))
    assert list(examining.command(["verify", os.fspath(tmp_path / "none")]))
    said = {"photos": [{"not_examined": [{"reason": "'NoneType' object is not subscriptable"}]}]}
    assert list(examining.sentences(said, "findings.json"))
    assert list(examining.sentences({"path": "a\x1b[2J"}, "findings.json"))


# --------------------------------------------------------------------------- what fell, each by itself


@pytest.mark.parametrize("sidecar", [b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", b"no XMP"])
def test_a_sidecar_whose_name_is_no_text_ends_no_audit(tmp_path: Path, sidecar: bytes) -> None:
    path = photo(tmp_path / "evidence" / "a.jpg", 1)
    odd = os.fsencode(path.parent) + b"/b \xff\xfe.jpg"
    try:
        os.rename(path, odd)
    except OSError:
        pytest.skip("names that are no text are not allowed here")
    Path(os.fsdecode(odd + b".xmp")).write_bytes(sidecar)
    (entry,) = audit(tmp_path / "evidence", tmp_path / "case").photos()
    assert entry.photo.source.sidecars == (b"b \xff\xfe.jpg.xmp",)
    assert json.dumps([item.reason for item in entry.unexamined], ensure_ascii=False).isprintable()


def test_text_that_cannot_be_encoded_is_kept_written_out() -> None:
    kept = unpack(Unread, pack(Unread("\udcff is no text", "half \ud83d a character")))
    assert kept == Unread("\\xff is no text", "half \\ud83d a character")


GPX = '<gpx><trk><trkseg><trkpt lat="48" lon="11"><time>{}</time></trkpt>{}</trkseg></trk></gpx>'


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_track_point_beyond_the_calendar_is_left_out(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "a.gpx"
    path.write_text(GPX.format(moment, '<trkpt lat="1" lon="2"><time>2024-06-15T12:00:00Z</time></trkpt>'))
    assert [fix.position.latitude_deg for fix in read_gpx([path]).fixes] == [1.0]


@pytest.mark.parametrize("encoding", ["x-unknown", "utf-7", "idna"])
def test_a_track_in_letters_that_nobody_knows_is_refused_in_words(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.gpx"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>' + GPX.format("2024-06-15T12:00:00Z", ""))
    with pytest.raises(PlanError, match="GPX"):
        read_gpx([path])


LINE = (
    'format = 1\n[[change]]\nphoto = "a"\nsha256 = ""\ntag = "Keywords"\nold = ""\nnew = ""\nreason = ""\nstrength = '
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("change = []", "has no format"),
        ("format = true", "has format"),
        ("format = 1\nnotes = 5", "list of sentences"),
        (f"format = {'1' * 5000}", "too long"),
        (LINE + "nan", "between 0 and 1"),
        (LINE + "-1", "between 0 and 1"),
        (LINE + "1" + "0" * 400, "between 0 and 1"),
    ],
)
def test_a_plan_that_is_none_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        planfile.loads(text)


def test_a_plan_that_is_no_text_is_refused_and_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(b"format = 1\n# \xff")
    for refused in (lambda: planfile.read(path), lambda: planfile.write(planfile.Plan(), path)):
        with pytest.raises(PlanError, match="UTF-8 text"):
            refused()
    assert path.read_bytes() == b"format = 1\n# \xff"
