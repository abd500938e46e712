"""A finished case is checked against itself and the evidence, and every change is named."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, evidence, photo  # noqa: F401 - a fixture

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.exports import BUILT_IN
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.products import REPORT
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.decode import likeness, pixels
from gtloc_forensics.errors import EvidenceTreeError
from gtloc_forensics.store import keys


@pytest.fixture
def case(evidence: Path, tmp_path: Path):  # noqa: F811
    opened = open_case(evidence, tmp_path / "case")
    opened.audit(INLINE)
    yield opened
    opened.close()


def changes(case: Case) -> str:
    found = case.verify(INLINE, sample=0)
    return " | ".join(f"{difference.subject}: {difference.what}" for difference in found.differences)


def tamper(case: Case, *statements: str) -> None:
    with sqlite3.connect(case.folder / DATABASE) as connection:
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_case_is_valid_and_its_work_comes_out_the_same_again(case: Case) -> None:
    found = case.verify(INLINE, sample=2)
    assert found.is_valid, found.differences
    assert (found.sources, found.repeated) == (4, 2)


def test_a_changed_source_is_named(case: Case) -> None:
    victim = case.evidence / "day" / "2.jpg"
    data = bytearray(victim.read_bytes())
    data[-10] ^= 1
    victim.write_bytes(bytes(data))
    assert "day/2.jpg: " in changes(case)


def test_a_source_that_is_gone_is_named(case: Case) -> None:
    (case.evidence / "day" / "1.jpg").unlink()
    assert "day/1.jpg: it can no longer be read" in changes(case)


def test_a_photo_that_was_added_since_is_named(case: Case) -> None:
    photo(case.evidence / "late.jpg", 9)
    assert "late.jpg: it was not there when the case was examined" in changes(case)


def test_a_changed_custody_event_is_named(case: Case) -> None:
    tamper(case, "DROP TRIGGER custody_no_update", "UPDATE custody SET actor = 'x' WHERE sequence = 2")
    assert "custody event 2" in changes(case)
    assert "custody_no_update" in changes(case)


def test_a_changed_verdict_is_named(case: Case) -> None:
    tamper(case, "UPDATE member SET findings = (SELECT findings FROM member WHERE ordinal = 1) WHERE ordinal = 0")
    assert "what was concluded" in changes(case)


def test_a_changed_hash_in_the_source_table_is_named(case: Case) -> None:
    tamper(case, "UPDATE source SET sha256 = 'ff' WHERE id = 1")
    assert "day/0.jpg: the custody chain holds no acquisition" in changes(case)


def test_a_changed_report_is_named(case: Case) -> None:
    report = case.write_report()
    data = bytearray(report.read_bytes())
    data[len(data) // 2] ^= 1
    report.write_bytes(bytes(data))
    assert f"{REPORT}: it is not the file" in changes(case)


def test_the_report_of_an_unchanged_case_is_kept_not_made_again(case: Case) -> None:
    first = case.write_report().stat().st_mtime_ns
    assert case.write_report().stat().st_mtime_ns == first
    assert [event.action for event in case.store.custody()].count("report") == 1


def test_a_report_is_made_again_when_its_template_says_something_else(case: Case, tmp_path: Path) -> None:
    template = tmp_path / "mine"
    template.mkdir()
    (template / "template.toml").write_text("", encoding="utf-8")
    (template / "en.toml").write_text('[summary]\ntitle = "As it was"\n', encoding="utf-8")
    first = case.write_report(tmp_path / "r.pdf", template=str(template)).read_bytes()
    assert case.write_report(tmp_path / "r.pdf", template=str(template)).read_bytes() == first
    (template / "en.toml").write_text('[summary]\ntitle = "As it is"\n', encoding="utf-8")
    assert case.write_report(tmp_path / "r.pdf", template=str(template)).read_bytes() != first
    assert [event.action for event in case.store.custody()].count("report") == 2


@pytest.mark.parametrize("product", ["write_report", "write_findings"])
def test_what_another_program_wrote_is_made_again(case: Case, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that was updated says other sentences of the same examination."""
    getattr(case, product)()
    before = len(list(case.store.custody()))
    monkeypatch.setattr("gtloc_forensics.case.products.made_by", lambda template="": "another program")
    getattr(case, product)()
    getattr(case, product)()
    assert len(list(case.store.custody())) == before + 1


def test_the_command_says_valid_or_altered_by_its_exit_code(case: Case) -> None:
    good = CliRunner().invoke(gtloc, ["verify", str(case.folder), "--sample", "0"])
    (case.evidence / "day" / "0.jpg").write_bytes(b"other")
    bad = CliRunner().invoke(gtloc, ["verify", str(case.folder), "--sample", "0"])
    assert (good.exit_code, bad.exit_code) == (ExitCode.CLEAN, ExitCode.FINDINGS)
    assert good.output.startswith("valid")
    assert "DIFFERS  day/0.jpg" in bad.output


def test_the_exported_chain_can_be_recomputed_without_this_program(case: Case, tmp_path: Path) -> None:
    lines = case.export("custody", tmp_path / "chain.jsonl").read_text(encoding="utf-8").splitlines()
    previous = "0" * 64
    for line in lines:
        event = json.loads(line)
        fields = ("sequence", "utc_time", "actor", "action", "subject", "detail", "previous_hash")
        canonical = json.dumps([event[name] for name in fields], sort_keys=True, separators=(",", ":"))
        assert event["previous_hash"] == previous
        assert hashlib.sha256(canonical.encode()).hexdigest() == event["event_hash"]
        previous = event["event_hash"]
    # header, four times acquire, hash, analyse: what the examiner says of the case is an event, too
    assert len(lines) == 7


@pytest.mark.parametrize("kind", [export.kind for export in BUILT_IN])
def test_every_export_is_written_and_noted_in_the_custody_chain(case: Case, tmp_path: Path, kind: str) -> None:
    written = case.export(kind, tmp_path / f"out.{kind}")
    assert written.stat().st_size > 0
    assert list(case.store.custody())[-1].detail["kind"] == kind


def test_an_export_into_the_evidence_is_refused(case: Case) -> None:
    with pytest.raises(EvidenceTreeError):
        case.export("csv", case.evidence / "out.csv")


def test_what_another_version_counts_otherwise_is_told_and_is_no_change_of_the_case(
    evidence: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as older:  # one that hashed pictures in another way
        older.setitem(keys.CODE_VERSIONS, keys.IMAGE, "0")
        older.setattr(pixels, "perceptual_hash", lambda small: likeness.perceptual_hash(small) ^ 1)
        made = open_case(evidence, tmp_path / "older")
        made.audit(INLINE)
        made.close()
    with open_case(evidence, tmp_path / "older") as again:
        found = again.verify(INLINE, sample=2)
        assert found.is_valid, found.differences
        assert found.repeated == 2
        assert [said for said in found.not_repeated if "of the pixels, of 2 of the photos" in said]


def test_what_this_version_counts_otherwise_is_a_difference(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "perceptual_hash", lambda small: likeness.perceptual_hash(small) ^ 1)
    found = case.verify(INLINE, sample=1)
    assert [difference.what for difference in found.differences] == ["examined again, its image came out differently"]
