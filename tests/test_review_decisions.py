"""What examiners decide is in the chain, outlives the next audit visibly, and is never anybody else's."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fake_case import a_finding
from test_case import snapshot

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.reviewing import decisions, selecting
from gtloc_forensics.case.reviewing.decisions import ExaminedSince, Ruling
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import CaseBusy, CaseError, DamagedCase, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Cause, CauseKind, Judgement, Outcome, Standing
from gtloc_forensics.records.decisions import what_is_said

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
INLINE = Settings(model="none", jobs=0)


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audit some photos of the example case, the wrong clock among them; return the folder of evidence and case."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("decided")
    for camera in ("nordvale", "copies"):
        shutil.copytree(EXAMPLE / camera, folder / "evidence" / camera)
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(INLINE)
    return folder


@pytest.fixture
def place(examined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the examined case, which still points at the first evidence."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path(shutil.copytree(examined / "case", tmp_path / "case"))


@pytest.fixture
def case(place: Path) -> Iterator[Case]:
    with Case(place) as opened:
        yield opened


def called(*arguments: object) -> Result:
    return CliRunner().invoke(gtloc, [str(argument) for argument in arguments])


def a_found(case: Case) -> tuple[str, str]:
    """Return path and rule of the first photo with a finding."""
    return next(
        (source.display_path, finding.check_id)
        for source, _, verdict in case.view().outlines()
        for finding in verdict.findings
        if finding.is_found
    )


def ruling(case: Case, judgement: Judgement = Judgement.DISMISSED, **more: str) -> Ruling:
    path, check = a_found(case)
    view = case.view()
    return Ruling(judgement, selecting.of_photos(view, [path], [check]), view.fingerprint, **more)


def reviewed(case: Case) -> list[tuple[str, str, str]]:
    """Return examiner, decision and standing of all that is in force."""
    view = case.view()
    return [
        (item.decision.examiner, item.decision.judgement.value, item.standing.value)
        for source, _, verdict in view.outlines()
        for item in view.decisions().of(source.source_id, source.sha256, verdict.findings)
    ]


def test_outlines_are_what_the_whole_photos_say(case: Case) -> None:
    whole = [(entry.photo.source, entry.photo.claim, entry.findings) for entry in case.view().photos()]
    assert [(source, claim, verdict.findings) for source, claim, verdict in case.view().outlines()] == whole


def test_briefs_say_the_same_of_status_findings_and_claims_with_less(case: Case) -> None:
    view = case.view()
    for (source, claim, whole), (same, brief_claim, brief) in zip(view.outlines(), view.briefs(), strict=True):
        assert source == same and brief.status is whole.status
        assert what_is_said(brief.findings) == what_is_said(whole.findings)
        assert (brief_claim.local_time, brief_claim.position) == (claim.local_time, claim.position)
        assert not brief_claim.tags and claim.tags
    assert [claim.tags for _, claim, _ in view.briefs(tags=True)] == [claim.tags for _, claim, _ in view.outlines()]


# --------------------------------------------------------------------------- what is kept


def test_a_decision_is_an_event_of_the_chain_with_who_what_why_and_which_examination(case: Case) -> None:
    wanted = ruling(case, Judgement.INNOCENT, because="clock of home", note="see page 3")
    made = case.decide("A. Reader", wanted)
    event = list(case.store.custody())[-1]
    assert (event.action, event.sequence) == ("decide", made.number)
    assert event.detail["examiner"] == "A. Reader" and event.detail["because"] == "clock of home"
    assert event.detail["examination"] == case.view().fingerprint
    assert made.members == wanted.members and made.members[0].sha256
    assert case.custody_faults() == ()
    assert reviewed(case) == [("A. Reader", "innocent", "current")]


def test_a_whole_cause_is_one_event_with_all_its_findings(case: Case) -> None:
    group, members = selecting.of_cause(case.view(), 1)
    assert len(group.source_ids) > 2
    before = len(list(case.store.custody()))
    made = case.decide("A", Ruling(Judgement.CONFIRMED, members, case.view().fingerprint, cause=group.cause.kind))
    assert len(list(case.store.custody())) == before + 1
    assert {member.source_id for member in made.members} == set(group.source_ids)
    assert {member.check_id for member in made.members} <= set(group.check_ids)


def test_undo_is_an_event_and_what_was_decided_before_holds_again(case: Case) -> None:
    case.decide("A", ruling(case, Judgement.CONFIRMED))
    second = case.decide("A", ruling(case, Judgement.DISMISSED))
    assert reviewed(case) == [("A", "dismissed", "current")]
    undone = case.undo_decision("A", second.number)
    assert undone.undone_by == list(case.store.custody())[-1].sequence
    assert reviewed(case) == [("A", "confirmed", "current")]
    assert len(case.view().decisions().made) == 2, "nothing is ever taken out"
    with pytest.raises(UsageError, match="taken back already"):
        case.undo_decision("A", second.number)


def test_two_readers_stand_beside_each_other_and_neither_takes_back_the_others(case: Case) -> None:
    first = case.decide("A", ruling(case, Judgement.CONFIRMED))
    case.decide("B", ruling(case, Judgement.DISMISSED))
    assert reviewed(case) == [("A", "confirmed", "current"), ("B", "dismissed", "current")]
    with pytest.raises(UsageError, match="only who made it"):
        case.undo_decision("B", first.number)


@pytest.mark.parametrize(
    ("examiner", "changes", "said"),
    [
        ("", {}, "name who decides"),
        ("A\nB", {}, "name who decides"),
        ("A" * 300, {}, "name who decides"),
        ("A", {"judgement": Judgement.INNOCENT}, "why it is innocent"),
        ("A", {"because": "no reason"}, "only what is innocent"),
        ("A", {"note": "x" * 5000}, "at most"),
    ],
)
def test_what_lacks_a_name_or_a_reason_is_refused_and_nothing_is_written(case, examiner, changes, said) -> None:
    before = len(list(case.store.custody()))
    with pytest.raises(UsageError, match=said):
        case.decide(examiner, ruling(case, **changes))
    assert len(list(case.store.custody())) == before


def test_a_decision_on_an_examination_that_is_not_the_newest_is_refused(case: Case) -> None:
    wanted = ruling(case)
    with pytest.raises(ExaminedSince):
        case.decide("A", Ruling(wanted.judgement, wanted.members, "an older one"))


def test_a_decision_waits_for_another_and_is_refused_while_the_case_is_held(place: Path, monkeypatch) -> None:
    with Case(place) as holder, Case(place) as other:
        wanted = ruling(other)
        hold = holder.locked()
        hold.__enter__()
        release = threading.Timer(0.3, lambda: hold.__exit__(None, None, None))
        release.start()
        assert other.decide("A", wanted).number
        release.join()
        monkeypatch.setattr(decisions, "PATIENCE_S", 0.1)
        with holder.locked(), pytest.raises(CaseBusy):
            other.decide("A", wanted)


def test_many_readers_at_once_lose_no_decision(place: Path) -> None:
    def decides(name: str) -> None:
        with Case(place) as opened:
            for _ in range(3):
                opened.decide(name, ruling(opened))

    readers = [threading.Thread(target=decides, args=(f"reader {number}",)) for number in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    with Case(place) as opened:
        assert len(opened.view().decisions().made) == 12
        assert opened.custody_faults() == ()


def test_an_event_that_only_calls_itself_a_decision_is_said_to_be_damage(case: Case) -> None:
    case.note("decide", "x", {"examiner": "A", "judgement": "maybe", "members": "[]", "examination": ""})
    with pytest.raises(DamagedCase, match="no decision"):
        case.view().decisions()


# --------------------------------------------------------------------------- the next audit


def test_what_was_dismissed_stays_dismissed_and_stale_after_a_new_examination(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "nordvale", tmp_path / "evidence")
    photos = sorted((tmp_path / "evidence").iterdir())
    later = shutil.move(photos[-1], tmp_path / "later.jpg")
    before = snapshot(tmp_path / "evidence")
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(INLINE)
        path, _ = a_found(case)
        members = selecting.of_photos(case.view(), [path], [])
        case.decide("A", Ruling(Judgement.DISMISSED, members, case.view().fingerprint))
        assert snapshot(tmp_path / "evidence") == before, "deciding never touches the evidence"
        shutil.copy2(later, photos[-1])
        case.audit(INLINE)
        standings = {standing for _, _, standing in reviewed(case)}
        assert standings <= {"stale", "overtaken"} and "stale" in standings
        assert path in {source.display_path for source, _, verdict in case.view().outlines() if verdict.findings}
        document = json.loads(case.write_findings().read_text())
        entry = next(photo for photo in document["photos"] if photo["path"] == path)
        assert {item["standing"] for item in entry["reviewed"]} == standings
        assert entry["status"] == "found", "a decision hides nothing"


def test_a_finding_that_says_something_else_now_is_to_be_judged_again(case: Case) -> None:
    case.decide("A", ruling(case))
    made = case.view().decisions().made
    member = made[0].members[0]
    book = type(case.view().decisions())(made, "a newer examination")
    finding = next(
        finding
        for source, _, verdict in case.view().outlines()
        if source.source_id == member.source_id
        for finding in verdict.findings
        if finding.check_id == member.check_id
    )
    of = {"source_id": member.source_id, "sha256": member.sha256}
    (same,) = book.of(**of, findings=[finding])
    assert same.standing is Standing.STALE and same.counts
    words = a_finding(member.check_id, "x", Outcome.CONTRADICTION, summary="It says something else.")
    (other,) = book.of(**of, findings=[words])
    assert other.standing is Standing.OVERTAKEN and not other.counts
    (bytes_changed,) = book.of(member.source_id, "0" * 64, [finding])
    assert bytes_changed.standing is Standing.OVERTAKEN


def test_a_second_opinion_that_is_asked_for_settles_nothing(case: Case) -> None:
    case.decide("A", ruling(case, Judgement.SECOND_READER))
    source, _, verdict = next(outline for outline in case.view().outlines() if outline[2].findings)
    assert not any(
        item.counts for item in case.view().decisions().of(source.source_id, source.sha256, verdict.findings)
    )


# --------------------------------------------------------------------------- the document


def test_the_document_tells_decisions_once_there_are_any_and_is_written_anew(case: Case) -> None:
    path = case.write_findings()
    assert "decisions" not in json.loads(path.read_text())
    made = case.decide("A <b>", ruling(case, note="a note"))
    document = json.loads(case.write_findings().read_text())
    assert [entry["event"] for entry in document["decisions"]] == [made.number]
    told = [item for photo in document["photos"] for item in photo.get("reviewed", [])]
    assert [(item["examiner"], item["decision"], item["standing"]) for item in told] == [
        ("A <b>", "dismissed", "current")
    ]
    case.undo_decision("A <b>", made.number)
    document = json.loads(case.write_findings().read_text())
    assert document["decisions"][0]["undone_by"] and not any(photo["reviewed"] for photo in document["photos"])


def test_a_case_with_decisions_is_verified(examined: Path, tmp_path: Path) -> None:
    shutil.copytree(examined / "case", tmp_path / "case")
    with Case(tmp_path / "case") as case:
        case.decide("A", ruling(case))
        case.write_findings()
        found = case.verify(INLINE, sample=0)
        assert not [item for item in found.differences if "custody" in item.subject or "findings" in item.subject]


# --------------------------------------------------------------------------- the command


def test_the_command_decides_lists_and_takes_back(place: Path) -> None:
    with Case(place) as case:
        path, check = a_found(case)
    done = called("decide", place, "--examiner", "A", "--as", "dismissed", "--photo", path, "--check", check)
    assert done.exit_code == ExitCode.CLEAN, done.output
    assert "dismissed · 1 finding of 1 photo" in done.output
    number = done.output.split()[1]
    listed = called("decide", place, "--list")
    assert f"decision {number}" in listed.output and "cause 1" in listed.output and "undecided" in listed.output
    document = json.loads(called("decide", place, "--list", "--json").output)
    assert [made["event"] for made in document["decisions"]] == [int(number)]
    assert called("decide", place, "--examiner", "A", "--undo", number).exit_code == ExitCode.CLEAN
    assert "taken back" in called("decide", place, "--list").output


def test_the_next_audit_says_how_far_the_case_was_reviewed(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "nordvale", tmp_path / "evidence")
    last = sorted((tmp_path / "evidence").iterdir())[-1]
    last.rename(tmp_path / "later.jpg")
    quick = ("audit", tmp_path / "evidence", "-o", tmp_path / "case", "--model", "none", "--jobs", 0, "--no-report")
    assert "reviewed" not in called(*quick).output
    called("decide", tmp_path / "case", "--examiner", "A", "--as", "dismissed", "--cause", 1)
    shutil.copy2(tmp_path / "later.jpg", last)
    line = next(line for line in called(*quick).output.splitlines() if line.startswith("reviewed"))
    assert re.search(r"\d findings? undecided · decisions: .*\d+ stale", line), line


def test_the_command_decides_a_whole_cause(place: Path) -> None:
    done = called("decide", place, "--examiner", "A", "--as", "innocent", "--because", "home", "--cause", 1)
    assert done.exit_code == ExitCode.CLEAN, done.output
    with Case(place) as case:
        (made,) = case.view().decisions().made
        assert made.cause and len(made.members) > 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--as", "dismissed"),
        ("--as", "dismissed", "--photo", "no such"),
        ("--as", "dismissed", "--cause", 99),
        ("--as", "dismissed", "--cause", 1, "--check", "GF101"),
        ("--list", "--undo", 1),
        ("--undo", 1),
        ("--as", "innocent", "--cause", 1),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_a_line(place: Path, arguments) -> None:
    done = called("decide", place, "--examiner", "A", *arguments)
    assert done.exit_code == ExitCode.FAILURE
    assert done.output.startswith("gtloc: ") and done.output.count("\n") == 1


def test_nothing_is_decided_on_a_case_that_cannot_be_written(place: Path, monkeypatch) -> None:
    with Case(place) as case:
        wanted = ruling(case)
        monkeypatch.setattr(type(case.store), "is_read_only", property(lambda self: True))
        with pytest.raises(CaseError, match="cannot be written"):
            case.decide("A", wanted)


def test_a_cause_leaves_out_what_another_cause_names_as_its_own(case: Case) -> None:
    groups = case.view().causes()
    source = next(source for source, _, _ in case.view().outlines() if source.source_id in groups[0].source_ids)
    check = groups[0].check_ids[0]
    other = type(groups[0])(
        Cause(CauseKind.EDIT, ""), "", Outcome.SUSPICIOUS, groups[0].severity, (source.source_id,), (check,), 1, "x"
    )
    edited = a_finding(check, "x", Outcome.SUSPICIOUS, cause=Cause(CauseKind.EDIT, ""))
    assert selecting.explained(groups[0], [groups[0], other], source, findings=[edited]) == ()
    assert selecting.explained(other, [groups[0], other], source, findings=[edited])


def test_decisions_of_a_killed_program_are_on_the_disk(place: Path) -> None:
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        with Case(place) as case:
            case.decide("A", ruling(case))
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with Case(place) as case:
        assert len(case.view().decisions().made) == 1
        assert case.custody_faults() == ()
