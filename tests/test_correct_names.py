"""Names by time: in one plan with the clock, for copies and originals, and every name comes back."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import PARIS, a_claim, a_photo
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from test_case import INLINE, photo

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.correct import Change, Order, Quantity, plan
from gtloc_forensics.correct.names import renamed
from gtloc_forensics.correct.repairs import Subject, subject
from gtloc_forensics.errors import PlanError
from gtloc_forensics.records import Cause, CauseKind, Confidence, Finding, Outcome, Severity

SHA = "0" * 64
NOON = datetime(2024, 6, 15, 12)


def a_subject(name: str, local: datetime | None = NOON, **more) -> Subject:
    made = subject(name.encode("utf-8", "surrogateescape"), SHA, a_claim(name=name))
    return Subject(**{field: getattr(made, field) for field in made.__slots__} | {"local": local} | more)


def names(photos: list[Subject], *pattern: str) -> dict[str, str]:
    return {change.relative.decode(): change.new for change in renamed(photos, *pattern)[0]}


def test_a_photo_is_named_by_its_local_time_and_keeps_its_ending() -> None:
    assert names([a_subject("trip/IMG_1.JPG")]) == {"trip/IMG_1.JPG": "2024-06-15_12-00-00.JPG"}
    assert names([a_subject("IMG_1.JPG")], "%Y%m%d {name}") == {"IMG_1.JPG": "20240615 IMG_1.JPG"}


def test_photos_of_one_second_are_numbered_and_what_shares_a_stem_stays_together() -> None:
    burst = [a_subject(f"IMG_{number}.jpg") for number in range(3)]
    assert sorted(names(burst).values()) == [
        "2024-06-15_12-00-00-2.jpg",
        "2024-06-15_12-00-00-3.jpg",
        "2024-06-15_12-00-00.jpg",
    ]
    live = [a_subject("IMG_9.HEIC"), a_subject("IMG_9.MOV", NOON + timedelta(seconds=3)), a_subject("IMG_9.CR2")]
    assert {Path(name).stem for name in names(live).values()} == {"2024-06-15_12-00-00"}
    strangers = [a_subject("IMG_9.HEIC"), a_subject("IMG_9.MOV", NOON + timedelta(days=300))]
    assert len({Path(name).stem for name in names(strangers).values()}) == 2


def test_a_photo_whose_time_is_not_known_to_the_second_keeps_its_name_and_the_note_says_why() -> None:
    made, notes = renamed([a_subject("a.jpg", None), a_subject("b.jpg", local_resolution_s=86400.0)])
    assert not made
    assert sorted(notes) == [
        "--rename: a.jpg: no capture time is in the file, so that it keeps its name",
        "--rename: b.jpg: its capture time is not known to the second, so that it keeps its name",
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["jpg", "JPG", "cr2", "mov"]), st.integers(0, 4)),
        min_size=1,
        max_size=12,
        unique_by=lambda entry: (entry[0], entry[1].lower()),
    )
)
def test_no_two_files_of_a_folder_get_one_name_and_naming_again_changes_nothing(entries) -> None:
    photos = [a_subject(f"f/IMG_{n}.{ending}", NOON + timedelta(seconds=s)) for n, ending, s in entries]
    given_names = names(photos)
    held = [given_names.get(p.relative.decode(), p.relative.decode().rpartition("/")[2]).lower() for p in photos]
    assert len(set(held)) == len(held)
    again = [
        a_subject("f/" + given_names[p.relative.decode()], p.local)
        for p in photos
        if p.relative.decode() in given_names
    ]
    assert not names(again)


@pytest.mark.parametrize("pattern", ["holiday", "%Y/%m", "%c", "%Y:%m", "{camera} %Y", ".%Y", "%Y" * 70])
def test_a_pattern_that_would_give_one_name_or_one_that_no_file_can_have_is_refused(pattern: str) -> None:
    with pytest.raises(PlanError):
        renamed([a_subject("a.jpg")], pattern)


@pytest.mark.parametrize("name", ["../b.jpg", "b.png", "b/c.jpg", "con.jpg", "b.jpg ", "", "-rf.jpg", "a\n.jpg"])
def test_a_line_with_a_name_that_leaves_its_folder_or_ending_is_no_line(name: str) -> None:
    with pytest.raises(PlanError):
        Change(b"trip/a.jpg", SHA, Quantity.FILE_NAME, "a.jpg", name, "why", 1.0)


def test_a_name_is_by_the_clock_as_one_plan_sets_it(tmp_path: Path) -> None:
    evidence = a_case(tmp_path)
    done = run("correct", tmp_path / "case", "--offset", "+01:02:00", "--rename")
    assert done.exit_code == ExitCode.CLEAN, done.output
    assert "0.jpg  FileName: 0.jpg → 2024-06-15_13-02-30.jpg" in done.output
    applied = run("correct", tmp_path / "case", "--apply", "--copy", tmp_path / "copies")
    assert applied.exit_code == ExitCode.CLEAN, applied.output
    assert sorted(os.listdir(tmp_path / "copies")) == ["2024-06-15_13-02-30.jpg", "2024-06-15_13-03-30.jpg"]
    assert sorted(os.listdir(evidence)) == ["0.jpg", "1.jpg"]
    assert "put back" in run("correct", tmp_path / "case", "--undo").output
    assert not os.listdir(tmp_path / "copies")


def test_originals_are_renamed_with_their_sidecars_and_undone_to_the_byte(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "0.jpg.xmp").write_text("kept by another program", encoding="utf-8")
    (evidence / "1.xmp").write_text("kept by a third", encoding="utf-8")
    a_case(tmp_path)
    before = state(evidence)
    run("correct", tmp_path / "case", "--rename", "--name-pattern", "%Y%m%d-%H%M%S")
    applied = run("correct", tmp_path / "case", "--apply", "--in-place", "--yes-change-originals")
    assert applied.exit_code == ExitCode.CLEAN, applied.output
    stems = ["20240615-120030", "20240615-120130"]
    assert sorted(os.listdir(evidence)) == [
        f"{stems[0]}.jpg",
        f"{stems[0]}.jpg.xmp",
        f"{stems[1]}.jpg",
        f"{stems[1]}.xmp",
    ]
    assert "put back" in run("correct", tmp_path / "case", "--undo").output
    assert state(evidence) == before
    checked = run("verify", tmp_path / "case", "--sample", "0")
    assert checked.exit_code == ExitCode.CLEAN, checked.output


def test_a_name_that_is_another_files_is_left_and_said(tmp_path: Path) -> None:
    evidence = a_case(tmp_path)
    run("correct", tmp_path / "case", "--rename")
    (evidence / "2024-06-15_12-00-30.jpg").write_bytes(b"somebody else's")
    applied = run("correct", tmp_path / "case", "--apply", "--in-place", "--yes-change-originals")
    assert applied.exit_code == ExitCode.INCOMPLETE
    assert "LEFT  0.jpg: a file called '2024-06-15_12-00-30.jpg' is there already" in applied.output
    assert (evidence / "2024-06-15_12-00-30.jpg").read_bytes() == b"somebody else's"
    assert (evidence / "2024-06-15_12-01-30.jpg").exists()


def test_sidecars_cannot_rename_and_the_plan_says_what_can(tmp_path: Path) -> None:
    a_case(tmp_path)
    run("correct", tmp_path / "case", "--rename")
    refused = run("correct", tmp_path / "case", "--apply")
    assert refused.exit_code == ExitCode.FAILURE
    assert "add --copy FOLDER or --in-place" in " ".join(refused.output.split())


@pytest.mark.parametrize("outcome", [Outcome.CONTRADICTION, Outcome.EXPLAINED])
def test_a_photo_whose_time_was_found_wrong_or_is_a_factory_default_is_not_named_by_it(outcome: Outcome) -> None:
    shot = a_photo(name="a.jpg", local="2024-06-15 12:00:00", position=PARIS)
    finding = Finding(
        check_id="GF113",
        outcome=outcome,
        severity=Severity.HIGH,
        confidence=Confidence.STRONG,
        summary="Taken before its camera existed.",
        source_ids=(shot.source.source_id,),
        cause=Cause(CauseKind.CLOCK_RESET, shot.claim.device.key),
    )
    made = plan(Order(rename="%Y%m%d"), [shot], findings=[finding])
    assert not [change for change in made.changes if change.quantity is Quantity.FILE_NAME]
    assert (
        "--rename: a.jpg: its time is not that of the capture, and a name would repeat it; set it first" in made.notes
    )
    asked = plan(Order(rename="%Y%m%d", offset="+01:00:00"), [shot], findings=[finding])
    assert [change.new for change in asked.changes if change.quantity is Quantity.FILE_NAME] == ["20240615.jpg"]


def a_case(tmp_path: Path) -> Path:
    evidence = tmp_path / "evidence"
    for number in range(2):
        photo(evidence / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    with open_case(evidence, tmp_path / "case") as opened:
        opened.audit(INLINE)
    return evidence


def state(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in folder.iterdir()}


def run(*arguments: object):
    return CliRunner().invoke(gtloc, [str(argument) for argument in arguments])
