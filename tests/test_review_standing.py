"""A decision stands while the same is said, whatever version said it first, and what is ignored stays visible."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_case import a_finding

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.reviewing import selecting
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.records import Cause, CauseKind, Finding, Judged, Judgement, Outcome, Sentence, Standing
from gtloc_forensics.records.decisions import Decision, Decisions, what_is_said

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"


def standing(judged_then: str, now: Finding) -> Standing:
    """Return how a decision whose digest was *judged_then* stands in a later examination that finds *now*."""
    member = Judged("x", "0" * 64, now.check_id, judged_then)
    made = Decision(1, None, "A", "a", Judgement.DISMISSED, "", "", (member,), "the first")  # type: ignore[arg-type]
    (item,) = Decisions([made], "the second").of("x", "0" * 64, [now])
    return item.standing


def as_older_versions_kept_it(finding: Finding, words: str) -> str:
    why = (
        f"{finding.cause.kind}|{finding.cause.device_key}|{round(finding.cause.offset_hours)}" if finding.cause else ""
    )
    gist = f"{finding.outcome.value}|{finding.severity.name}|{finding.confidence.value}|{why}|{words}"
    return hashlib.sha256(gist.encode()).hexdigest()[:16]


def said(template: str, **values: object) -> Finding:
    return a_finding("GF101", "x", Outcome.CONTRADICTION, summary=Sentence(template, **values))


def test_a_decision_of_a_version_that_kept_only_words_stands_when_they_are_still_said() -> None:
    now = said("Found in {photos} photos of the device.", photos=7)
    kept = as_older_versions_kept_it(now, re.sub(r"\d[\d.,:]*", "#", "Found in 6 photos of the device."))
    assert standing(kept, now) is Standing.STALE
    assert standing(as_older_versions_kept_it(now, now.summary.template), now) is Standing.STALE
    assert standing(as_older_versions_kept_it(now, "Found elsewhere."), now) is Standing.OVERTAKEN


def test_other_numbers_say_the_same_and_other_names_do_not() -> None:
    template = "The same picture as {other}, {days} days apart."
    kept = what_is_said([said(template, other="a.jpg", days=3)])["GF101"]
    assert standing(kept, said(template, other="a.jpg", days=4)) is Standing.STALE
    assert standing(kept, said(template, other="b.jpg", days=3)) is Standing.OVERTAKEN


def test_an_offset_beside_half_an_hour_is_the_same_offset() -> None:
    def at(hours: float) -> Finding:
        return replace(said("The clock is off."), cause=Cause(CauseKind.CLOCK_OFFSET, "d", offset_hours=hours))

    kept = what_is_said([at(5.49)])["GF101"]
    assert standing(kept, at(5.51)) is Standing.STALE
    assert standing(kept, at(6.4)) is Standing.OVERTAKEN


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_what_is_ignored_is_told_by_the_next_audit_in_the_terminal_and_in_the_document(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "nordvale", tmp_path / "evidence")
    photos = sorted((tmp_path / "evidence").iterdir())
    later = shutil.move(photos[-1], tmp_path / "later.jpg")

    def audited() -> str:
        quick = ("audit", tmp_path / "evidence", "-o", tmp_path / "case", "--model", "none", "--jobs", 0, "--no-report")
        return CliRunner().invoke(gtloc, [str(word) for word in quick]).output

    assert not [line for line in audited().splitlines() if line.startswith("ignored")]
    done = CliRunner().invoke(
        gtloc, ["decide", str(tmp_path / "case"), "--examiner", "A", "--as", "dismissed", "--cause", "1"]
    )
    assert done.exit_code == 0, done.output
    shutil.copy2(later, photos[-1])
    line = next(line for line in audited().splitlines() if line.startswith("ignored"))
    assert "dismissed by A" in line and "on the examination of 20" in line, line
    document = json.loads((tmp_path / "case" / "findings.json").read_text())
    told = [item for photo in document["photos"] for item in photo["reviewed"]]
    assert told and all(item["ignored"] == (item["standing"] != "overtaken") for item in told)
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        ignored = selecting.ignored(case.view())
        (made,) = case.view().decisions().made
        case.undo_decision("A", made.number)
        assert ignored and not selecting.ignored(case.view()), "taken back, it is ignored no more"
