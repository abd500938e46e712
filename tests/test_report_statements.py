"""What an examiner gives a report: numbers that stay, the mandate, settings that are never silent; and its editions."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_case import small_case
from pypdf import PdfReader

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.correct.witnesses import ZONE_GRID_S
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.report import write_html, write_pdf
from gtloc_forensics.store.custody import verify_chain

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
DAY = date(2026, 11, 21)
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def text_of(path: Path) -> str:
    return re.sub(r"\s+", " ", subprocess.run(["pdftotext", str(path), "-"], capture_output=True).stdout.decode())


@pytest.fixture
def case(tmp_path) -> Case:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for name in ("KES_0441.JPG", "KES_0415.JPG"):
        shutil.copy(EXAMPLE / "kestrion" / name, evidence)
    with open_case(evidence, tmp_path / "case") as opened:
        opened.audit(Settings(model="none", jobs=0))
        yield opened


def numbers_in(case: Case) -> dict[str, str]:
    view = case.view()
    return {view.name_of(source_id): number for source_id, number in view.exhibits().items()}


@needs_exiftool
def test_photos_keep_their_numbers_when_others_join(case):
    assert numbers_in(case) == {"KES_0415.JPG": "1", "KES_0441.JPG": "2"}
    shutil.copy(EXAMPLE / "kestrion" / "KES_0420.JPG", case.evidence / "AAA.JPG")
    case.audit(Settings(model="none", jobs=0))
    assert numbers_in(case) == {"KES_0415.JPG": "1", "KES_0441.JPG": "2", "AAA.JPG": "3"}


@needs_exiftool
def test_given_numbers_are_printed_and_stand_in_the_chain(case, tmp_path):
    table = tmp_path / "numbers.csv"
    table.write_text("path,number\nKES_0441.JPG,E-7.1\n")
    assert case.give_exhibits(table) == 1
    assert case.give_exhibits(table) == 1, "the same again changes nothing"
    assert [event.action for event in case.store.custody()].count("exhibits") == 1
    assert numbers_in(case) == {"KES_0415.JPG": "1", "KES_0441.JPG": "E-7.1"}
    assert "E-7.1" in text_of(case.write_report(tmp_path / "r.pdf"))
    assert verify_chain(case.store.custody()) == ()


@needs_exiftool
def test_a_table_of_numbers_may_come_from_a_spreadsheet_that_parts_with_semicolons(case, tmp_path):
    (tmp_path / "numbers.csv").write_bytes(b"\xef\xbb\xbfPfad;Nummer\r\nKES_0441.JPG;E-7,1\r\n")
    assert case.give_exhibits(tmp_path / "numbers.csv") == 1
    assert numbers_in(case) == {"KES_0415.JPG": "1", "KES_0441.JPG": "E-7,1"}


@needs_exiftool
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("KES_0441.JPG,1\n", "would both be number 1"),
        ("KES_0441.JPG,7\nnowhere.jpg,8\n", "no photo of the case"),
        ("KES_0441.JPG,\n", "gives no number"),
    ],
)
def test_numbers_that_cannot_be_given_are_refused_and_change_nothing(case, tmp_path, rows, said):
    (tmp_path / "numbers.csv").write_text(rows)
    with pytest.raises(UsageError, match=said):
        case.give_exhibits(tmp_path / "numbers.csv")
    assert numbers_in(case) == {"KES_0415.JPG": "1", "KES_0441.JPG": "2"}


@needs_exiftool
def test_what_is_said_of_the_mandate_is_printed_kept_and_noted(case, tmp_path):
    case.say({"request": "Were they taken in August?", "write_blocker": "WB-1", "limits": "", "zone": "Europe/Berlin"})
    case.say({"request": "", "write_blocker": "WB-1"})
    assert [event.action for event in case.store.custody()].count("mandate") == 1
    shown = text_of(case.write_report(tmp_path / "r.pdf"))
    assert "What was asked Were they taken in August?" in shown
    assert "Write blocker WB-1" in shown
    assert "Not stated by the examiner: Examiner's qualification" in shown
    assert re.search(r"UTC \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0[12]:00\)", shown), "local time beside UTC"


@needs_exiftool
def test_a_report_is_made_anew_when_what_it_prints_was_said_anew(case, tmp_path):
    first = case.write_report(tmp_path / "r.pdf").read_bytes()
    case.say({"second_reader": "B. Reader"})
    assert case.write_report(tmp_path / "r.pdf").read_bytes() != first


@needs_exiftool
def test_an_appendix_of_its_own_is_named_and_noted(case, tmp_path):
    case.write_report(tmp_path / "r.pdf", separate=True)
    assert "r-appendix.pdf" in text_of(tmp_path / "r.pdf")
    assert "Table of photos" in text_of(tmp_path / "r-appendix.pdf")
    noted = [event.subject for event in case.store.custody() if event.action == "report"]
    assert [Path(subject).name for subject in noted] == ["r.pdf", "r-appendix.pdf"]


def test_settings_are_kept_shown_and_told_when_they_are_used(tmp_path, monkeypatch):
    monkeypatch.setenv("GTLOC_SETTINGS", str(tmp_path / "settings.toml"))
    run = CliRunner()
    assert run.invoke(gtloc, ["config", "--examiner", "A. Example"]).exit_code == 0
    assert "examiner        A. Example" in run.invoke(gtloc, ["config"]).output
    from gtloc_forensics.cli import doctor, preferences

    assert "examiner 'A. Example'" in doctor._settings().found
    assert preferences.filled({"examiner": ""})["examiner"] == "A. Example"
    assert preferences.filled({"examiner": "C. Other"})["examiner"] == "C. Other"
    assert preferences.filled({"examiner": ""}, already={"examiner": "D."})["examiner"] == ""
    assert run.invoke(gtloc, ["config", "--examiner", ""]).exit_code == 0
    assert preferences.kept() == {}


@pytest.mark.parametrize("arguments", [["--zone", "Nowhere/City"], ["--language", "xx"]])
def test_a_setting_that_cannot_be_used_is_not_kept(tmp_path, monkeypatch, arguments):
    monkeypatch.setenv("GTLOC_SETTINGS", str(tmp_path / "settings.toml"))
    assert CliRunner().invoke(gtloc, ["config", *arguments]).exit_code == 2
    assert not (tmp_path / "settings.toml").exists()


def test_a_spoiled_settings_file_is_said_and_not_used(tmp_path, monkeypatch):
    from gtloc_forensics.cli import preferences

    monkeypatch.setenv("GTLOC_SETTINGS", str(tmp_path / "settings.toml"))
    (tmp_path / "settings.toml").write_text("examinr = 'x'\n")
    with pytest.raises(UsageError, match="examinr"):
        preferences.kept()


# --------------------------------------------------------------------------- editions


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("edition", "most"), [("brief", 5), ("note", 1), ("archive", 2)])
def test_an_edition_is_as_short_as_it_says(tmp_path, edition, most, language):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template=edition, language=language)
    assert len(PdfReader(tmp_path / "x.pdf").pages) <= most
    write_html(small_case(), tmp_path / "x.html", report_date=DAY, template=edition, language=language)


def test_a_sheet_is_of_the_photo_that_was_named(tmp_path):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template="sheet", photo="4")
    shown = text_of(tmp_path / "x.pdf")
    assert "The sheet of one photo" in shown
    assert re.findall(r"Photo (\d+) · ", shown) == ["4"]
    with pytest.raises(UsageError, match="no photo of the case is called '99'"):
        write_pdf(small_case(), tmp_path / "y.pdf", report_date=DAY, template="sheet", photo="99")


def test_the_note_speaks_plainly_and_accuses_nobody(tmp_path):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template="note")
    shown = text_of(tmp_path / "x.pdf")
    for sentence in (
        "does not fit",
        "How sure:",
        "often such a finding is false",
        "It may be harmless:",
        "Ask for:",
        "does not say that a picture was",
    ):
        assert sentence in shown
    assert "log10" not in shown


def test_the_list_for_an_archive_names_the_time_of_a_right_clock(tmp_path):
    write_pdf(small_case(), tmp_path / "x.pdf", report_date=DAY, template="archive")
    shown = text_of(tmp_path / "x.pdf")
    assert "All times of this camera: −8 h 1 min 12 s." in shown
    assert f"differ from these by up to {ZONE_GRID_S:.0f} seconds" in shown, "a correction is rounded to the zones"
    assert "card0/IMG_0000.jpg 2024-06-15 23:30:05 2024-06-15 15:28:53" in shown
