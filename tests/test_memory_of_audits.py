"""What an audit holds does not grow with the photos; stopped in the middle it goes on, and its lists leave nothing."""

from __future__ import annotations

import os
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_case import INLINE, audit, content, photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.decode import Decoded
from gtloc_forensics.examination import concluding, drivers, gathering, kept, on_disk, planning, stages
from gtloc_forensics.examination.concluding import Concluding
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.instruments import opened
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.records import ImageFacts, Outcome, TagsRead, source_id_of
from gtloc_forensics.report import write_csv, write_document, write_geojson, write_kml
from gtloc_forensics.store import binding, known
from gtloc_forensics.store import photos as store_photos
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import IMAGE, METADATA

FIXED = replace(INLINE, now=datetime(2026, 1, 2), batch=3)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for number in range(8):
        photo(folder / f"day {number % 3}" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    (folder / "notes.txt").write_text("no photo")
    return folder


class _Stopped(BaseException):
    """As if somebody had killed it."""


def test_an_audit_stopped_in_the_middle_goes_on_and_its_lists_leave_nothing(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    groups = 0

    def acquire(batch: Sequence[Work], run: Run) -> None:
        nonlocal groups
        groups += 1
        if groups == 2:
            raise _Stopped
        stages.acquire(batch, run)

    stopped = tuple(replace(stage, do=acquire if stage.name == "source" else stage.do) for stage in planning.STAGES)
    with monkeypatch.context() as patched:
        patched.setattr(drivers, "STAGES", stopped)
        with pytest.raises(_Stopped), open_case(evidence, tmp_path / "stopped") as case:
            case.audit(FIXED)
        with Case(tmp_path / "stopped") as case:
            assert len(case.store.latest_sources()) == 3, "the first group was kept"
    audit(evidence, tmp_path / "stopped", FIXED)
    audit(evidence, tmp_path / "whole", FIXED)
    gone_on, whole = (content(tmp_path / name / DATABASE) for name in ("stopped", "whole"))
    for table in ("source", "member", "finding", "rejected"):
        assert gone_on[table] == whole[table], table
    assert list(temporary.iterdir()) == []


def test_tables_and_maps_are_the_same_bytes_with_less_read_of_each_photo(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = audit(evidence, tmp_path / "case", FIXED)
    assert not any(entry.photo.claim.tags for entry in view.lean_photos())  # type: ignore[union-attr]
    writers = {
        "csv": write_csv,
        "de.csv": partial(write_csv, language="de", reviewed=True),
        "geojson": write_geojson,
        "kml": write_kml,
    }
    for name, write in writers.items():
        write(view, tmp_path / f"lean.{name}")
    monkeypatch.setattr(StoredCase, "lean_photos", StoredCase.photos)
    for name, write in writers.items():
        write(view, tmp_path / f"whole.{name}")
        assert (tmp_path / f"lean.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()


def test_a_document_is_the_same_bytes_with_less_read_of_each_photo(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = audit(evidence, tmp_path / "case", FIXED)
    for entry, whole in zip(view.told_photos(), view.photos(), strict=True):
        assert not any(finding.outcome is Outcome.NOT_TESTABLE for finding in entry.findings)
        assert entry.not_testable == whole.not_testable
        assert entry.status is whole.status
    write_document(view, tmp_path / "lean.json")
    monkeypatch.setattr(StoredCase, "told_photos", StoredCase.photos)
    write_document(view, tmp_path / "whole.json")
    assert (tmp_path / "lean.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert view.tally == view.tallied(Counter(status for entry in view.photos() for status in (None, *entry.statuses)))


# --------------------------------------------------------------------------- memory


@contextmanager
def made(folder: Path, photos: int) -> Iterator[tuple[Gathering, Case, Any]]:
    """Give a case of so many photos, gathered by the program's own way but for reading tags and decoding."""
    evidence = folder / "evidence"
    evidence.mkdir(parents=True)
    for number in range(photos):
        (evidence / f"{number:06}.jpg").write_bytes(b"\xff\xd8\xff" + number.to_bytes(8, "big"))

    def number_of(work: Work) -> int:
        return int(os.fsdecode(work.candidate.relative).removesuffix(".jpg"))

    def read(batch: Sequence[Work], run: Run) -> None:
        for work in batch:
            assert work.taken is not None
            work.read[work.taken.source.sha256] = TagsRead(tags_of(number_of(work)))
            work.fresh.add(work.taken.source.sha256)

    def decode(batch: Sequence[Work], run: Run) -> None:
        for work in batch:
            likeness = hash((number_of(work), "likeness")) & (2**63 - 1)
            work.decoded = Decoded(None, ImageFacts(640, 480, "RGB", 1, likeness, None, None, 0.4, 0.3), b"small")

    others: dict[str, Any] = {METADATA: read, IMAGE: decode}
    changed = tuple(replace(stage, do=others.get(stage.name, stage.do)) for stage in planning.STAGES)
    settings = replace(FIXED, batch=50)
    with (
        pytest.MonkeyPatch.context() as patched,
        open_case(evidence, folder / "case") as case,
        opened(settings) as instruments,
        case.locked(),
    ):
        patched.setattr(drivers, "STAGES", changed)
        work = folder / "work"
        work.mkdir()
        yield (
            Gathering(case.store, evidence, instruments, settings=settings, work=work, progress=lambda *_: None),
            case,
            instruments,
        )


def tags_of(number: int) -> dict[str, tuple[str | float, ...]]:
    taken = datetime(2024, 1, 1) + timedelta(minutes=number)
    return {
        "IFD0:Make": ("Acme",),
        "IFD0:Model": (f"Model {number % 3}",),
        "ExifIFD:SerialNumber": (f"{number % 3:06}",),
        "ExifIFD:DateTimeOriginal": (f"{taken:%Y:%m:%d %H:%M:%S}",),
        "GPS:GPSLatitude": (48.0 + number % 100 / 500,),
        "GPS:GPSLatitudeRef": ("N",),
        "GPS:GPSLongitude": (11.5,),
        "GPS:GPSLongitudeRef": ("E",),
        "GPS:GPSDateStamp": (f"{taken - timedelta(hours=1):%Y:%m:%d}",),
        "GPS:GPSTimeStamp": (f"{taken - timedelta(hours=1):%H:%M:%S}",),
    }


def peak(folder: Path, photos: int) -> int:
    """Return the most bytes that concluding held beyond what was there before."""
    with made(folder, photos) as (gather, case, instruments):
        gathered = gather.run()
        tracemalloc.start()
        Concluding(
            case.store,
            case.evidence,
            instruments,
            settings=FIXED,
            gathered=gathered,
            stages=gather.stages,
            progress=lambda *_: None,
        ).run()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_concluding_holds_little_more_for_a_further_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was five to ten kilobytes. A first case fills what is remembered of equal sentences and times.

    The least of two runs each: when circles of garbage are collected makes a difference of up to a megabyte.
    """
    for module in (concluding, gathering, kept, planning):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(binding, "ROWS_IN_A_CHUNK", 50)
    monkeypatch.setattr(binding, "_PAGE", 50)
    monkeypatch.setattr(store_photos, "PHOTOS_AT_ONCE", 50)
    monkeypatch.setattr(kept, "MOST", 50)
    monkeypatch.setattr(on_disk, "REMEMBERED", 50)
    monkeypatch.setattr(on_disk, "FEW", 50)
    peak(tmp_path / "first", 450)
    few, many = (min(peak(tmp_path / f"{count} {turn}", count) for turn in range(2)) for count in (250, 450))
    assert (many - few) / 200 < 2000, (few, many)


def test_of_a_case_that_is_large_only_a_window_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 4)
    monkeypatch.setattr(kept, "ROWS_AT_ONCE", 2)
    with made(tmp_path, 12) as (gather, _, _):
        rows = gather.run().rows
        remembered = gather._run.kept
        assert max(len(remembered._states), len(remembered._done)) <= 4
        assert list(rows) == [gather.row_of(f"{number:06}.jpg".encode()) for number in range(12)]
        assert not any(remembered.lacks(METADATA, f"{number:064x}") is False for number in range(3)), "never seen"
        state = remembered.source(source_id_of(b"000003.jpg"))
        assert state is not None
        assert remembered.has_all(state)
        with pytest.raises(KeyError):
            gather.row_of(b"no such photo")


def test_of_a_window_of_photos_that_is_remembered_in_part_the_rest_is_asked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was remembered before was forgotten for the rest of its own window, and asked for photo by photo."""
    monkeypatch.setattr(kept, "MOST", 4)
    asked: list[list[str]] = []
    work_done = known.work_done

    def counted(store: Store, subjects: Collection[str]) -> dict[str, set[tuple[str, str]]]:
        asked.append(sorted(subjects))
        return work_done(store, subjects)

    monkeypatch.setattr(known, "work_done", counted)
    with made(tmp_path, 1) as (gather, _, _):
        remembered = gather._run.kept
        remembered.look_at(["a", "b", "c", "d"])
        remembered.look_at(["a", "b", "e", "f"])
        asked.clear()
        assert all(remembered.lacks(METADATA, subject) for subject in "abef")
        assert asked == []
        assert remembered.lacks(METADATA, "c"), "what nobody asked for meanwhile makes room"
        assert asked == [["c"]]
