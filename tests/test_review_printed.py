"""What readers decided is printed in report, document and table when it is asked for, and never dropped."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pypdf import PdfReader
from test_case import photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.reviewing import selecting
from gtloc_forensics.case.reviewing.decisions import Ruling
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Judgement

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
HOSTILE = "B. <script>alert(1)</script> **Second**"


def called(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(gtloc, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audit, have two readers decide, add a photo, audit again, decide again; return the folder of the case."""
    folder = tmp_path_factory.mktemp("printed")
    shutil.copytree(EXAMPLE / "nordvale", folder / "evidence" / "nordvale")
    shutil.copytree(EXAMPLE / "copies", folder / "evidence" / "copies")
    photo(folder / "evidence" / "IMG_20190105_120000.jpg", taken="2099:01:01 12:00:00")
    last = sorted((folder / "evidence" / "nordvale").iterdir())[-1]
    later = Path(shutil.move(last, folder / "later.jpg"))
    place = folder / "case"
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("SOURCE_DATE_EPOCH", raising=False)
        with open_case(folder / "evidence", place) as case:
            case.audit(Settings(model="none", jobs=0))
        first = ("decide", place, "--examiner", "A. First")
        called(*first, "--as", "innocent", "--because", "the clock stood on home time", "--cause", 1)
        called("decide", place, "--examiner", HOSTILE, "--as", "confirmed", "--note", "see | page 3", "--cause", 1)
        called(*first, "--as", "dismissed", "--note", "a slip", "--photo", a_found(place)[0])
        shutil.copy2(later, last)
        with open_case(folder / "evidence", place) as case:
            case.audit(Settings(model="none", jobs=0))
        number = called(*first, "--as", "second-reader", "--cause", 2).split()[1]
        called("decide", place, "--examiner", "A. First", "--undo", number)
    return folder


def a_found(place: Path) -> tuple[str, str]:
    """Return path and rule of the first photo with a finding that belongs to no cause of the first number."""
    with Case(place) as case:
        first = set(case.view().causes()[0].source_ids)
        return next(
            (source.display_path, finding.check_id)
            for source, _, verdict in case.view().outlines()
            for finding in verdict.findings
            if finding.is_found and source.source_id not in first
        )


@pytest.fixture
def place(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path(shutil.copytree(judged / "case", tmp_path / "case"))


def exported(place: Path, kind: str, *options: str) -> str:
    target = place.parent / f"exported.{kind}"
    called("export", place, "--format", kind, "-o", target, *options)
    return target.read_text(encoding="utf-8-sig")


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S))).split())


def pdf_words(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


# --------------------------------------------------------------------------- the report


def test_the_page_prints_both_readers_with_reasons_and_notes_and_the_examination_each_judged(place: Path) -> None:
    with Case(place) as case:
        made = case.view().decisions().made
        now = case.view().fingerprint
    told = words_of(page := exported(place, "html", "--reviewed"))
    assert "<script>" not in page
    assert "Decisions of the readers" in told and "4 decisions of 2 examiners are kept" in told
    assert "A. First: Innocent" in told and f"{HOSTILE}: Confirmed" in told
    assert "Because: the clock stood on home time" in told and "Note: see | page 3" in told
    assert "the readers differ" in told
    earlier = {decision.examination[:12] for decision in made} - {now[:12]}
    assert len(earlier) == 1 and f"it judged the earlier examination {earlier.pop()}" in told
    assert f"it judged this examination, {now[:12]}" in told
    assert "stands: it judged the examination" in told
    assert f"Taken back by event {made[-1].undone_by}" in told
    assert "a whole cause at once" in told


def test_what_was_found_innocent_is_told_as_decided_and_not_dropped(place: Path) -> None:
    plain, reviewed = (words_of(exported(place, "html", *options)) for options in ((), ("--reviewed",)))
    summary = reviewed.partition("Decisions of the readers")[0]
    assert "Decided – A. First: Innocent, of an earlier examination" in summary
    with Case(place) as case:
        told = case.view().causes()[0].summary[:60]
        tally = case.view().tally
    assert told in plain and told in reviewed
    assert f"{tally.found}" in reviewed.partition("Case number")[2]


def test_without_it_the_report_says_how_many_decisions_there_are(place: Path) -> None:
    told = words_of(exported(place, "html"))
    assert "4 decisions of 2 examiners on findings of this case are kept in the chain of custody." in told
    assert "--reviewed prints every one of them" in told
    assert "Decisions of the readers" not in told
    german = words_of(exported(place, "html", "--language", "de"))
    assert "4 Entscheidungen von 2 Prüfern zu Befunden dieses Falls stehen in der Beweiskette" in german


def test_the_pdf_prints_them_in_both_languages_and_carries_them_as_data(place: Path, tmp_path: Path) -> None:
    english, german = tmp_path / "en.pdf", tmp_path / "de.pdf"
    called("report", place, "-o", english, "--reviewed")
    called("report", place, "-o", german, "--reviewed", "--language", "de")
    told = pdf_words(english)
    assert "Decisions of the readers" in told and "A. First: Innocent" in told and "the readers differ" in told
    told = pdf_words(german)
    assert "Entscheidungen der Leser" in told and "A. First: Harmlos" in told and "die Leser sind uneins" in told
    assert "Zurückgenommen durch Ereignis" in told and "the clock stood on home time" in told
    attached = PdfReader(english).attachments["findings.json"][0]
    assert json.loads(attached)["review"]["undecided"] >= 0


@pytest.mark.parametrize("edition", ["brief", "note", "archive"])
def test_a_short_edition_prints_them_too_when_asked_and_else_says_that_they_are_there(
    place: Path, tmp_path: Path, edition: str
) -> None:
    path = tmp_path / "short.pdf"
    called("report", place, "-o", path, "--edition", edition)
    assert "4 decisions of 2 examiners" in pdf_words(path)
    called("report", place, "-o", path, "--edition", edition, "--reviewed")
    assert "Decisions of the readers" in pdf_words(path)


def test_a_sheet_of_one_photo_prints_what_was_decided_of_it_alone(place: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    called("report", place, "-o", path, "--edition", "sheet", "--photo", a_found(place)[0], "--reviewed")
    told = pdf_words(path)
    assert "A. First: Dismissed" in told and "A. First: Innocent" not in told


def test_a_case_without_decisions_says_that_nothing_was_decided(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "copies", tmp_path / "evidence")
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    assert "Nothing was decided in this case" in words_of(exported(tmp_path / "case", "html", "--reviewed"))
    assert "kept in the chain of custody" not in words_of(exported(tmp_path / "case", "html"))
    assert json.loads(exported(tmp_path / "case", "json", "--reviewed"))["review"]["findings"] == []


# --------------------------------------------------------------------------- document and table


def test_the_document_holds_each_reader_of_each_finding_and_what_became_of_each_event(place: Path) -> None:
    assert "review" not in json.loads(exported(place, "json"))
    document: dict[str, Any] = json.loads(exported(place, "json", "--reviewed"))
    review = document["review"]
    both = [finding for finding in review["findings"] if len(finding["readers"]) == 2]
    assert both and {finding["agreement"] for finding in both} <= {"differ", "open"}
    assert {reader["standing"] for finding in both for reader in finding["readers"]} <= {"stale", "overtaken"}
    assert {reader["decision"] for finding in both for reader in finding["readers"]} == {"innocent", "confirmed"}
    with Case(place) as case:
        undecided, standings = selecting.progress(case.view())
        made = case.view().decisions().made
    assert review["undecided"] == undecided
    told = [reader["standing"] for finding in review["findings"] for reader in finding["readers"]]
    assert {standing.value: count for standing, count in standings.items()}.items() <= {
        name: told.count(name) for name in told
    }.items()
    assert [event["event"] for event in review["events"]] == [decision.number for decision in made]
    assert all(
        sum(event["fate"].values()) == len(decision.members)
        for event, decision in zip(review["events"], made, strict=True)
    )
    assert set(review["events"][-1]["fate"]) == {"taken back"}


def test_a_decision_on_what_is_found_no_more_is_told_and_to_be_judged_again(place: Path) -> None:
    path, check = a_found(place)
    with Case(place) as case:
        members = selecting.of_photos(case.view(), [path], [check])
        gone = [type(member)(member.source_id, member.sha256, "GF999", member.says) for member in members]
        away = [type(member)("f" * 16, member.sha256, check, member.says) for member in members]
        case.decide("C", Ruling(Judgement.DISMISSED, (*gone, *away), case.view().fingerprint))
    told = words_of(exported(place, "html", "--reviewed"))
    assert "GF999 (nothing is found there any more)" in told
    assert "1 photo no longer in the case" in told
    review = json.loads(exported(place, "json", "--reviewed"))["review"]
    assert [finding["said_now"] for finding in review["findings"] if finding["check"] == "GF999"] == [False]


def test_the_table_says_who_decided_what_of_a_photo_and_what_nobody_did(place: Path) -> None:
    plain = next(csv.reader(exported(place, "csv").splitlines()))
    assert "decisions" not in plain
    rows = list(csv.DictReader(exported(place, "csv", "--reviewed").splitlines()))
    told = [row["decisions"] for row in rows if row["decisions"]]
    assert any("Innocent: the clock stood on home time – A. First" in text for text in told)
    assert any("(see | page 3)" in text and "event" in text and "stands: it judged" in text for text in told)
    open_rules = [row["undecided"] for row in rows if row["undecided"]]
    with Case(place) as case:
        assert sum(len(rules.split()) for rules in open_rules) == selecting.progress(case.view())[0]
    german = list(csv.DictReader(exported(place, "csv", "--reviewed", "--language", "de").splitlines()))
    assert any("Harmlos: the clock stood on home time" in row["Entscheidungen"] for row in german)


@pytest.mark.parametrize("kind", ["geojson", "kml", "timesketch", "case-uco"])
def test_a_form_that_has_no_place_for_decisions_refuses_instead_of_leaving_them_out(place: Path, kind: str) -> None:
    told = called("export", place, "--format", kind, "-o", place.parent / "x", "--reviewed", code=2)
    assert f"an export as {kind} prints no decisions" in told and not (place.parent / "x").exists()


def test_an_audit_that_is_asked_to_writes_them_into_report_and_document(judged: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(judged / "case", tmp_path / "case"))
    quick = ("audit", judged / "evidence", "-o", place, "--model", "none", "--jobs", 0)
    done = CliRunner().invoke(gtloc, [str(word) for word in (*quick, "--reviewed")])
    assert "A. First" in done.output
    assert "Decisions of the readers" in pdf_words(place / "report.pdf")
    assert "review" in json.loads((place / "findings.json").read_text())
    CliRunner().invoke(gtloc, [str(word) for word in quick])
    assert "Decisions of the readers" not in pdf_words(place / "report.pdf"), "asked for anew, it is written anew"
    assert "review" not in json.loads((place / "findings.json").read_text())
