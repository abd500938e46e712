"""What was kept is not done again, what was not kept is; a key names what its stage uses and nothing else."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PIL import Image
from test_case import INLINE, audit, photo
from test_decode import HEIC
from test_watch_session import Watched, examined

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.products import FINDINGS
from gtloc_forensics.errors import ToolMissing, WorkspaceFull
from gtloc_forensics.examination import stages
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.instruments import Instruments, fingerprints, opened
from gtloc_forensics.examination.work import Work
from gtloc_forensics.files.acquiring import Taken
from gtloc_forensics.metadata.exiftool import TagsRead
from gtloc_forensics.records import Candidate, Claim, Environment, FileStat, ImageFacts, Source
from gtloc_forensics.store import keys
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import CLAIM, CODE_VERSIONS, IMAGE, METADATA, VISION, Stages, claim_key
from gtloc_forensics.store.rows import StoredSource

# --------------------------------------------------------------------------- fingerprints


def instruments(**changes: Any) -> Instruments:
    """Build instruments that are only asked what they are."""
    used = Environment(
        exiftool="13",
        time_zone_data="2026a",
        time_zone_polygons="2026b",
        pillow="12",
        imagehash="4",
        pi_heif="1",
        rawpy="0.2",
        numpy="2",
        rules="40",
    )
    model = SimpleNamespace(fingerprint="weights", short_side=384)
    tools = SimpleNamespace(environment=replace(used, **changes), model=model, short_side=384, readers=(), opinions=())
    return cast(Instruments, tools)


def differing(first: Stages, second: Stages) -> set[str]:
    return {stage.name for stage in fields(Stages) if getattr(first, stage.name) != getattr(second, stage.name)}


USES = {
    "exiftool": {METADATA, CLAIM},
    "time_zone_data": {CLAIM},
    "time_zone_polygons": {CLAIM},
    "pillow": {IMAGE, VISION},
    "pi_heif": {IMAGE, VISION},
    "av": {IMAGE, VISION},
    "rawpy": {IMAGE, VISION},
}


@pytest.mark.parametrize("part", [field.name for field in fields(Environment) if field.type == "str"])
def test_a_stage_is_done_again_when_something_it_uses_changes_and_only_then(part: str) -> None:
    changed = fingerprints(instruments(**{part: "another"}))
    assert differing(fingerprints(instruments()), changed) == USES.get(part, set())


@pytest.mark.parametrize(
    ("stage", "redone"),
    [(METADATA, {METADATA, CLAIM}), (CLAIM, {CLAIM}), (IMAGE, {IMAGE, VISION}), (VISION, {VISION})],
)
def test_code_that_changes_redoes_its_stage_and_what_is_made_from_it(
    monkeypatch: pytest.MonkeyPatch, stage: str, redone: set[str]
) -> None:
    before = fingerprints(instruments())
    monkeypatch.setitem(CODE_VERSIONS, stage, "another")
    assert differing(before, fingerprints(instruments())) == redone


def test_the_key_of_a_claim_is_that_of_older_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    state = StoredSource(1, b"a.jpg", "ab" * 32, (1, 2, 3, 4, 5), {b"a.xmp": "cd" * 32})
    for stage in CODE_VERSIONS:
        monkeypatch.setitem(keys.CODE_VERSIONS, stage, "another")
    assert claim_key(Stages("metadata", "claim", "image", ""), state) == "ab41dcc345bbf2e9f83fcbcfc4ead803"


def results(case: Path) -> Counter[str]:
    with sqlite3.connect(case / DATABASE) as connection:
        return Counter(stage for (stage,) in connection.execute("SELECT stage FROM result"))


def test_a_new_interpretation_of_tags_leaves_the_pixels_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        photo(tmp_path / "evidence" / f"{number}.jpg", number)
    audit(tmp_path / "evidence", tmp_path / "case")
    before = results(tmp_path / "case")
    monkeypatch.setitem(CODE_VERSIONS, CLAIM, "another")
    view = audit(tmp_path / "evidence", tmp_path / "case")
    assert results(tmp_path / "case") - before == Counter({CLAIM: 3})
    assert all(isinstance(entry.photo.claim, Claim) for entry in view.photos())
    assert all(isinstance(entry.photo.image, ImageFacts) for entry in view.photos())


# --------------------------------------------------------------------------- packages that are missing


def test_a_heic_that_failed_for_want_of_its_package_is_examined_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pi_heif")
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "a.heic").write_bytes(HEIC)
    photo(tmp_path / "evidence" / "b.jpg")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pi_heif", None)  # the version stays the same: only the next try can tell
        for _ in range(2):
            heic, _jpeg = audit(tmp_path / "evidence", tmp_path / "case").photos()
            assert any("pip install 'gtloc_forensics[heic]'" in item.reason for item in heic.unexamined)
    heic, _jpeg = audit(tmp_path / "evidence", tmp_path / "case").photos()
    assert isinstance(heic.photo.image, ImageFacts)
    assert not any("pip install" in item.reason for item in heic.unexamined)


def test_a_claim_that_failed_for_want_of_a_time_zone_is_made_once_its_rules_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> tuple[str, ...]:
        raise ToolMissing("time zone Mars/Olympus", "pip install --upgrade tzdata")

    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 0.0), 3: "E", 4: (2.0, 21.0, 0.0)})
    (tmp_path / "evidence").mkdir()
    Image.new("RGB", (64, 48), (90, 120, 40)).save(tmp_path / "evidence" / "a.jpg", exif=exif)
    with monkeypatch.context() as patch:
        patch.setattr("gtloc_forensics.earth.zones.zones_at", missing)
        (entry,) = audit(tmp_path / "evidence", tmp_path / "case").photos()
        assert any("Mars/Olympus" in item.reason and "tzdata" in item.reason for item in entry.unexamined)
    (entry,) = audit(tmp_path / "evidence", tmp_path / "case").photos()
    assert isinstance(entry.photo.claim, Claim)
    assert not any("Mars/Olympus" in item.reason for item in entry.unexamined)


# --------------------------------------------------------------------------- commits that fail


def full_at_commit(monkeypatch: pytest.MonkeyPatch, fails: Callable[[int], bool]) -> None:
    """Let the disk be full at the end of some transactions, counted from 0, when everything was written already."""
    whole, counted = Store.writing, iter(range(10_000))

    @contextmanager
    def writing(self: Store) -> Iterator[Any]:
        with whole(self) as session:
            yield session
            if fails(next(counted)):
                raise WorkspaceFull(Path("case"))

    monkeypatch.setattr(Store, "writing", writing)


def test_what_was_not_committed_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        photo(tmp_path / "evidence" / f"{number}.jpg", number)
    settings = replace(INLINE, batch=2)
    with open_case(tmp_path / "evidence", tmp_path / "case") as case, opened(settings) as tools:
        full_at_commit(monkeypatch, lambda commit: commit == 1)
        gathering = Gathering(
            case.store, case.evidence, tools, settings=settings, work=tmp_path / "case", progress=lambda *_: None
        )
        with pytest.raises(WorkspaceFull):
            gathering.run()
        assert len(case.store.latest_sources()) == 2, "the first group was kept"
        gathered = gathering.run()
        assert [source.relative for source in case.store.sources(gathered.rows)] == [b"%d.jpg" % n for n in range(6)]
        acquired = [event.subject for event in case.store.custody() if event.action == "acquire"]
        assert acquired == [f"{number}.jpg" for number in range(6)]


def test_a_watched_photo_whose_commit_failed_is_in_the_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.RETRY_S", 0.3)
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    photo(card / "b.jpg", 2)
    with Watched([card], tmp_path / "case") as watched:
        full_at_commit(monkeypatch, lambda commit: commit == 0)
        watched.until(lambda events: any(event["event"] == "disk full" for event in events))
        watched.until(lambda events: examined(events) == 2)
        watched.until(lambda events: events[-1]["event"] == "concluded")
    document = json.loads((tmp_path / "case" / FINDINGS).read_text(encoding="utf-8"))
    assert [entry["path"] for entry in document["photos"]] == ["a.jpg", "b.jpg"]


def test_a_raw_file_whose_tags_are_known_already_is_still_turned_upright(tmp_path: Path) -> None:
    source = Source("0011", b"a.dng", "ab" * 32, FileStat(3, 1, 2, 3, 0o100644, 7, 8, 1), "image/x-adobe-dng")
    work = Work(Candidate(b"a.dng"), tmp_path, taken=Taken(source, tmp_path / "copy.dng", (), True))
    jobs = []
    kept = SimpleNamespace(
        look_at=lambda subjects: None,
        lacks=lambda stage, _: stage == IMAGE,
        lacks_pixels=lambda _: True,
        tags=lambda _: TagsRead({"IFD0:Orientation": (6,)}),
    )
    tools = SimpleNamespace(
        exiftool=SimpleNamespace(read=lambda paths: [], preview=lambda path: b"jpeg"),
        decoder=SimpleNamespace(stream=lambda items, window: (jobs.extend(items), ())[1]),
        short_side=384,
        model=None,
        opinions=(),
    )
    run = cast(Any, SimpleNamespace(kept=kept, instruments=tools, settings=INLINE))
    stages.read_metadata([work], run)
    stages.decode([work], run)
    assert [(job.preview, job.orientation) for job in jobs] == [(b"jpeg", 6)]


# --------------------------------------------------------------------------- the environment


def test_the_labels_of_an_environment_say_everything_that_is_printed_and_come_back() -> None:
    made = Environment(
        program="1.0", exiftool="13.1", rules="40", plugins=("one 1", "two 2"), model={"name": "m", "weights": "a+b"}
    )
    said = made.labels()
    assert (said["plugins"], said["model"], said["model weights"]) == ("one 1, two 2", "m", "a+b")
    assert Environment.from_labels(said) == made
    assert made.weights == {"a", "b"}


def test_a_case_of_an_older_program_opens_with_what_it_kept() -> None:
    older = Environment.from_labels({"exiftool": "12.57", "plugins": "none", "model": "no model: none is installed"})
    assert (older.exiftool, older.plugins, older.model_name) == ("12.57", (), "")
    assert older.model_absence == "no model: none is installed"


def test_an_examination_keeps_the_labels_in_the_order_of_the_report(tmp_path: Path) -> None:
    photo(tmp_path / "evidence" / "a.jpg")
    view = audit(tmp_path / "evidence", tmp_path / "case")
    assert list(view.environment)[:4] == ["gtloc_forensics", "Python", "platform", "exiftool"]
    assert list(view.environment)[-2:] == ["model", "command"]
    assert view.examined_with.exiftool == view.environment["exiftool"]
    assert view.examined_with.model_absence == "no model: it was asked to go without one"
