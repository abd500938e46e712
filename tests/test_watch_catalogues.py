"""A watched folder is held against catalogues and trusted signers as an audited one is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_case import photo
from test_metadata_catalogues import digikam, lightroom
from test_watch_session import Watched

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.watching import WatchSettings
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.examination.settings import Settings

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

QUICK = WatchSettings(quiet_s=0.3, report_every_s=60.0, report=False)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(2):
        photo(folder / "trip" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


def run(*arguments: object) -> str:
    done = CliRunner().invoke(gtloc, [*map(str, arguments), "--model", "none", "--jobs", "0", "--no-report"])
    assert done.exit_code in (0, 1, 3), done.output
    return done.output


def told(case: Path) -> list[tuple[str, str, str, str]]:
    """Return (photo, rule, outcome, sentence) of every finding of the rules that need a witness."""
    with Case(case) as opened:
        return [
            (entry.photo.source.display_path, finding.check_id, finding.outcome.value, str(finding.summary))
            for entry in opened.view().photos()
            for finding in entry.findings
            if finding.check_id in ("GF123", "GF131")
        ]


def test_a_watch_finds_in_named_and_lying_catalogues_what_an_audit_finds(evidence: Path, tmp_path: Path) -> None:
    digikam(evidence / "digikam4.db", ("trip/0.jpg", "2024-06-15T11:00:30"), ("trip/1.jpg", "2024-06-15T12:01:30"))
    named = lightroom(tmp_path / "a.lrcat", "2024-06-15T09:00:30")
    run("audit", evidence, "-o", tmp_path / "audited", "--catalogue", named)
    run("watch", evidence, "--case", tmp_path / "watched", "--once", "--catalogue", named)
    found = told(tmp_path / "watched")
    assert {sentence.partition(":")[0] for *_, outcome, sentence in found if outcome == "suspicious"} == {
        "digiKam keeps a time 1 h earlier than the file has",
        "Lightroom Classic keeps a time 3 h earlier than the file has",
    }
    assert found == told(tmp_path / "audited")
    with Case(tmp_path / "watched") as case:
        assert f"catalogue {named}" in case.view().environment
        assert case.custody_faults() == ()


def test_a_catalogue_that_is_none_is_told_before_anything_is_watched(evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no catalogue")
    done = CliRunner().invoke(
        gtloc,
        ["watch", str(evidence), "--case", str(tmp_path / "c"), "--once", "--catalogue", str(tmp_path / "notes.txt")],
    )
    assert done.exit_code == 2
    assert "cannot be read as a catalogue" in done.output


def test_a_watch_trusts_the_signers_that_an_audit_trusts(tmp_path: Path) -> None:
    pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
    from made_credentials import Signer, manifest

    evidence, anchors, signer = tmp_path / "signed", tmp_path / "trusted.pem", Signer()
    plain = photo(tmp_path / "plain.jpg", 1, taken="2024:06:15 12:00:30")
    evidence.mkdir()
    (evidence / "a.jpg").write_bytes(signer.signed(plain.read_bytes(), manifest(captured="2024-06-15T12:00:30")))
    anchors.write_bytes(signer.root)
    run("audit", evidence, "-o", tmp_path / "audited", "--trust-anchors", anchors)
    run("watch", evidence, "--case", tmp_path / "watched", "--once", "--trust-anchors", anchors)
    run("watch", evidence, "--case", tmp_path / "without", "--once")
    assert told(tmp_path / "watched") == told(tmp_path / "audited")
    (trusted,) = [entry for entry in told(tmp_path / "watched") if entry[1] == "GF131"]
    (valid,) = [entry for entry in told(tmp_path / "without") if entry[1] == "GF131"]
    assert "on a list of trusted signers" in trusted[3]
    assert "valid is not trusted" in valid[3]


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


def test_what_a_program_changes_in_its_catalogue_meanwhile_is_read_at_the_next_conclusion(
    evidence: Path, tmp_path: Path
) -> None:
    named = digikam(tmp_path / "digikam4.db", ("trip/0.jpg", "2024-06-15T12:00:30"))
    settings = Settings(model="none", jobs=0, catalogues=(named,))
    with Watched([evidence], tmp_path / "case", QUICK, settings=settings) as watched:
        watched.until(lambda events: bool(of(events, "concluded")))
        named.unlink()
        digikam(named, ("trip/0.jpg", "2024-06-15T11:00:30"))
        photo(evidence / "trip" / "2.jpg", 2, taken="2024:06:15 12:02:30")
        watched.until(lambda events: any(event["photos"] == 3 for event in of(events, "concluded")))
    (found,) = [entry for entry in told(tmp_path / "case") if entry[0] == "trip/0.jpg" and entry[1] == "GF123"]
    assert found[2] == "suspicious"


def test_a_catalogue_that_goes_away_ends_no_watch_and_what_it_held_stands(evidence: Path, tmp_path: Path) -> None:
    named = digikam(tmp_path / "digikam4.db", ("trip/0.jpg", "2024-06-15T11:00:30"))
    settings = Settings(model="none", jobs=0, catalogues=(named,))
    with Watched([evidence], tmp_path / "case", QUICK, settings=settings) as watched:
        watched.until(lambda events: bool(of(events, "concluded")))
        named.unlink()
        photo(evidence / "trip" / "2.jpg", 2, taken="2024:06:15 12:02:30")
        watched.until(lambda events: any(event["photos"] == 3 for event in of(events, "concluded")))
        (trouble,) = of(watched.events, "not read")
    assert "what it held before stands" in trouble["text"]
    json.dumps(trouble)
    (found,) = [entry for entry in told(tmp_path / "case") if entry[0] == "trip/0.jpg" and entry[1] == "GF123"]
    assert found[2] == "suspicious"
