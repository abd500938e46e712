"""``gtloc correct``: nothing changes before --apply, everything comes back with --undo, evidence stays evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_case import INLINE, photo, snapshot

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.records import CaseHeader


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for number in range(2):
        photo(folder / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


@pytest.fixture
def case(evidence: Path, tmp_path: Path) -> Path:
    with open_case(evidence, tmp_path / "case") as opened:
        opened.audit(INLINE)
    return tmp_path / "case"


def correct(case: Path, *arguments: str) -> Result:
    return CliRunner().invoke(gtloc, ["correct", str(case), *arguments])


def test_planning_writes_the_plan_and_nothing_else(evidence: Path, case: Path) -> None:
    before = snapshot(evidence)
    done = correct(case, "--offset", "+01:02:00")
    assert done.exit_code == ExitCode.CLEAN, done.output
    assert "2024-06-15 12:00:30 → 2024-06-15 13:02:30" in done.output
    plan = (case / "corrections.toml").read_text(encoding="utf-8").splitlines()
    assert plan.count("[[change]]") == 2
    assert snapshot(evidence) == before


def test_copies_are_corrected_and_undone_and_the_custody_chain_knows(
    evidence: Path, case: Path, tmp_path: Path
) -> None:
    before = snapshot(evidence)
    correct(case, "--offset", "+01:02:00")
    applied = correct(case, "--apply", "--copy", str(tmp_path / "copies"))
    assert applied.exit_code == ExitCode.CLEAN, applied.output
    with open_case(tmp_path / "copies", tmp_path / "again") as again:
        again.audit(INLINE)
        times = [entry.photo.claim.local_time.value.isoformat() for entry in again.view().photos()]
    assert times == ["2024-06-15T13:02:30", "2024-06-15T13:03:30"]
    assert "put back" in correct(case, "--undo").output
    assert not list((tmp_path / "copies").rglob("*.jpg"))
    assert snapshot(evidence) == before
    assert CliRunner().invoke(gtloc, ["verify", str(case), "--sample", "0"]).exit_code == ExitCode.CLEAN


def test_sidecars_are_the_default_and_lie_outside_the_evidence(evidence: Path, case: Path) -> None:
    before = snapshot(evidence)
    correct(case, "--zone", "Europe/Berlin")
    assert correct(case, "--apply").exit_code == ExitCode.CLEAN
    assert sorted(path.name for path in (case / "sidecars").rglob("*.xmp")) == ["0.jpg.xmp", "1.jpg.xmp"]
    assert snapshot(evidence) == before


def test_originals_need_the_words_and_evidence_is_never_changed(evidence: Path, case: Path) -> None:
    before = snapshot(evidence)
    correct(case, "--offset", "+01:00:00")
    assert correct(case, "--apply", "--in-place").exit_code == ExitCode.FAILURE
    with open_case(evidence, case, header=CaseHeader(case_number="7")):
        pass
    refused = correct(case, "--apply", "--in-place", "--yes-change-originals")
    assert refused.exit_code == ExitCode.FAILURE
    assert "marked as evidence" in refused.output
    assert snapshot(evidence) == before


@pytest.mark.parametrize(
    "arguments", [("--offset", "3"), ("--from-reference", "0.jpg"), ("--zone", "Mars/Base"), ("--camera", "nobody")]
)
def test_what_cannot_be_understood_is_refused_in_one_line(case: Path, arguments: tuple[str, ...]) -> None:
    done = correct(case, *arguments)
    assert done.exit_code == ExitCode.FAILURE
    assert done.output.startswith("gtloc: ")
    assert len(done.output.splitlines()) == 1


def test_a_line_is_one_line_and_a_plan_without_lines_says_why(case: Path) -> None:
    one = correct(case, "--offset", "+01:02:00", "--only", "0.jpg")
    assert "1 line in " in one.output
    none = correct(case)
    assert "0 lines in " in none.output
    assert "note: " in none.output


def test_two_places_to_write_to_are_refused(case: Path, tmp_path: Path) -> None:
    correct(case, "--offset", "+01:02:00")
    done = correct(case, "--apply", "--copy", str(tmp_path / "a"), "--beside")
    assert done.exit_code == ExitCode.FAILURE
    assert "--beside and --copy name several places" in done.output


def test_sidecars_beside_the_photos_need_an_option_and_no_evidence(evidence: Path, case: Path) -> None:
    correct(case, "--offset", "+01:02:00")
    assert correct(case, "--apply", "--beside").exit_code == ExitCode.CLEAN
    assert (evidence / "0.jpg.xmp").is_file()
    assert correct(case, "--undo").exit_code == ExitCode.CLEAN
    with open_case(evidence, case, header=CaseHeader(case_number="7")):
        pass
    refused = correct(case, "--apply", "--beside")
    assert refused.exit_code == ExitCode.FAILURE
    assert "marked as evidence" in refused.output
    assert not (evidence / "0.jpg.xmp").exists()
