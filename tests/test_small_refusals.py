"""What would pass in silence and mean nothing is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, evidence, photo  # noqa: F401 - fixtures

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.main import ExitCode, gtloc


@pytest.fixture
def case(evidence: Path, tmp_path: Path) -> Path:  # noqa: F811
    folder = tmp_path / "case"
    with open_case(evidence, folder) as opened:
        opened.audit(INLINE)
    return folder


@pytest.mark.parametrize("text", ["", "\n\n", "path,number\n"])
def test_a_table_of_numbers_without_a_number_is_refused(case: Path, tmp_path: Path, text: str) -> None:
    table = tmp_path / "numbers.csv"
    table.write_text(text, encoding="utf-8")
    ran = CliRunner().invoke(gtloc, ["report", str(case), "--exhibits", str(table)])
    assert ran.exit_code == ExitCode.FAILURE
    assert "gives no photo a number" in ran.output


@pytest.mark.parametrize("name", ["A. Examiner\nsecond line", "A.\x1bExaminer", "A\u202eB"])
def test_a_setting_of_more_than_one_visible_line_is_refused(tmp_path: Path, name: str, monkeypatch) -> None:
    monkeypatch.setenv("GTLOC_SETTINGS", str(tmp_path / "settings.toml"))
    ran = CliRunner().invoke(gtloc, ["config", "--examiner", name])
    assert ran.exit_code == ExitCode.FAILURE
    assert "give it as one line" in ran.output
    assert not (tmp_path / "settings.toml").exists()


def test_a_report_is_not_older_than_what_it_reports(case: Path) -> None:
    ran = CliRunner().invoke(gtloc, ["report", str(case), "--report-date", "2001-01-01"])
    assert ran.exit_code == ExitCode.FAILURE
    assert "cannot bear the date 2001-01-01" in ran.output
    assert not (case / "report.pdf").exists()
