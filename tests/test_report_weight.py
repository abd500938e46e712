"""How long a report is, and in which order it speaks: by weight, each cause once, nothing grave hidden."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from builders import PARIS
from fake_case import RULES, FakeCase, a_chain, a_clock, a_finding, an_entry
from pypdf import PdfReader

from gtloc_forensics.checks import Registry, counted_alarms
from gtloc_forensics.checks.plugins import built_in_modules
from gtloc_forensics.evidence.calibration import load_calibration
from gtloc_forensics.records import (
    Cause,
    CauseGroup,
    CauseKind,
    CustodyEvent,
    Decision,
    Judged,
    Judgement,
    Outcome,
    RuleNote,
    Severity,
    Status,
    source_id_of,
)
from gtloc_forensics.report import write_pdf
from gtloc_forensics.report.chapters import weighing
from gtloc_forensics.report.chapters.edition import edition_of, numbers
from gtloc_forensics.report.chapters.weighing import weighed

DAY = date(2026, 11, 21)


def text_of(path: Path, *, first: int = 1, last: int = 0) -> str:
    """What a reader can select on these pages, with the layout's white space taken out."""
    asked = ["pdftotext", "-f", str(first), *(["-l", str(last)] if last else []), str(path), "-"]
    return re.sub(r"\s+", " ", subprocess.run(asked, capture_output=True, check=True).stdout.decode())


def pages_of(case: FakeCase, path: Path, **options) -> int:
    write_pdf(case, path, report_date=DAY, **options)
    return len(PdfReader(path).pages)


def acquired(count: int) -> tuple[CustodyEvent, ...]:
    """A chain as an audit leaves it: an acquisition for each photo, then a few other acts."""
    *acquisitions, last = a_chain(count + 1)
    return (*(replace(event, action="acquire") for event in acquisitions), last)


def wrong_clock(count: int, *, beside: int = 0) -> FakeCase:
    """A camera whose clock was 8 h ahead in all of *count* photos, and so many right photos of others."""
    entries = []
    for index in range(count + beside):
        name = f"DCIM/IMG_{index:05d}.jpg"
        local = datetime(2024, 5, 1, 9) + timedelta(hours=3 * index)
        wrong = index < count
        findings = [a_finding("GF401", name, Outcome.CONSISTENT)]
        if wrong:
            findings.append(a_finding("GF101", name, Outcome.CONTRADICTION))
            findings.append(a_finding("GF201", name, Outcome.SUSPICIOUS, p_value=0.01, log10_lr=-1.2))
        entries.append(
            an_entry(
                name,
                *findings,
                local=local,
                gps=local - timedelta(hours=10),
                offset=2.0,
                position=PARIS,
                make="Acme",
                model="One",
                serial="0123" if wrong else f"9{index % 4}",
            )
        )
    found = tuple(entry.photo.source.source_id for entry in entries[:count])
    group = CauseGroup(
        Cause("clock-offset", "serial:0123", 8.0, "clock 8 h ahead"),
        "Acme One (0123)",
        Outcome.CONTRADICTION,
        Severity.HIGH,
        found,
        ("GF101", "GF201"),
        2 * count,
        f"clock 8 h ahead for all {count} photos (7 h 24 min to 8 h 36 min, 95 %)",
        "a photo of this camera whose satellite time agrees with its clock",
    )
    clock = replace(a_clock(), photos=count)
    return FakeCase(entries, groups=(group,), models=(clock,), notes=RULES, events=acquired(count))


def many_causes(photos: int, causes: int) -> FakeCase:
    """*causes* different causes over *photos* photos, a third of them explained, some of several photos."""
    kinds = [kind for kind in CauseKind if kind.value]
    entries, groups = [], []
    for index in range(photos):
        name = f"a folder/IMG_{index:04d}.jpg"
        cause = index % causes
        outcome = (Outcome.CONTRADICTION, Outcome.SUSPICIOUS, Outcome.EXPLAINED)[cause % 3]
        rule = ("GF101", "GF201", "GF104", "GF404")[cause % 4]
        told = {"cause": Cause(kinds[cause % len(kinds)].value, f"serial:{cause}")}
        if outcome is Outcome.EXPLAINED:
            told["innocent"] = ("an explanation",)
        entries.append(
            an_entry(
                name,
                a_finding(rule, name, outcome, **told),
                local=datetime(2024, 5, 1, 9) + timedelta(hours=7 * index),
                position=PARIS,
                make="Acme",
                model="One",
                serial=str(cause),
                f_number=8.0,
                exposure_s=1 / 250,
                iso=100,
            )
        )
    for cause in range(causes):
        outcome = (Outcome.CONTRADICTION, Outcome.SUSPICIOUS, Outcome.EXPLAINED)[cause % 3]
        ids = tuple(entry.photo.source.source_id for entry in entries[cause::causes])
        groups.append(
            CauseGroup(
                Cause(kinds[cause % len(kinds)].value, f"serial:{cause}"),
                f"Acme One ({cause})",
                outcome,
                Severity.HIGH if cause % 2 else Severity.MEDIUM,
                ids,
                (("GF101", "GF201", "GF104", "GF404")[cause % 4],),
                len(ids),
                f"What cause {cause} says of its photos, in a sentence of the usual length.",
                "a record that says otherwise",
            )
        )
    notes = tuple(RuleNote(f"GF{number}", "a rule with a title of the usual length") for number in range(101, 141))
    return FakeCase(entries, groups=tuple(groups), notes=notes, events=acquired(photos))


MODEL = Path(__file__).parents[1] / "models" / "gtloc-small"


def as_audited(case: FakeCase) -> FakeCase:
    """The case with what an audit leaves beside its findings.

    Every rule with its alarms and what it said of each photo, card and calibration of the model that ships, and the
    environment.
    """
    counted = counted_alarms()
    notes = tuple(
        RuleNote(rule.check_id, rule.title, photo_set=counted["photo_set"], **counted["rules"].get(rule.check_id, {}))
        for rule in Registry(built_in_modules())
    )
    entries = []
    for entry in case.entries:
        name = entry.photo.source.display_path
        told = {finding.check_id for finding in entry.findings}
        half = [note.check_id for note in notes[::2] if note.check_id not in told]
        entries.append(
            replace(
                entry,
                findings=(*entry.findings, *(a_finding(check_id, name, Outcome.CONSISTENT) for check_id in half)),
            )
        )
    calibration = load_calibration(MODEL)
    assert calibration is not None
    return replace(
        case,
        entries=entries,
        notes=notes,
        card=(MODEL / "CARD.md").read_text(encoding="utf-8"),
        calibrated={**calibration.facts, "sha256": calibration.sha256},
        environment={**{f"library {number}": "1.2.3 (of some day)" for number in range(28)}, "command": "gtloc " * 8},
    )


@pytest.mark.parametrize("language", ["en", "de"])
def test_fifty_one_photos_with_twenty_two_causes_are_no_more_than_twenty_five_pages(tmp_path, language):
    assert pages_of(as_audited(many_causes(51, 22)), tmp_path / "x.pdf", language=language) <= 25


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_hundred_photos_of_one_wrong_clock_are_no_more_than_twelve_pages(tmp_path, language):
    assert pages_of(as_audited(wrong_clock(100)), tmp_path / "x.pdf", language=language) <= 12


def test_of_a_model_a_report_says_what_it_reached_where_it_fails_and_what_it_is_not_for(tmp_path):
    write_pdf(as_audited(wrong_clock(3)), tmp_path / "x.pdf", report_date=DAY)
    shown = text_of(tmp_path / "x.pdf")
    for told in ("What was aimed for and what was reached", "Failures, in words", "What it must not be used for"):
        assert told in shown
    assert "What was tried and what would be needed" not in shown, "the whole card is embedded"


def test_a_rule_that_could_be_applied_to_no_photo_has_no_row(tmp_path):
    write_pdf(as_audited(wrong_clock(3)), tmp_path / "x.pdf", report_date=DAY)
    shown = text_of(tmp_path / "x.pdf")
    named = shown.partition("Not testable in any photo of this case:")[2].partition("Uncalibrated:")[0]
    assert "GF102" in named and "GF101" not in named


def test_a_report_restricted_to_what_was_found_repeats_no_photo_that_its_cause_tells(tmp_path):
    whole = pages_of(wrong_clock(30), tmp_path / "whole.pdf")
    assert pages_of(wrong_clock(30), tmp_path / "only.pdf", only=frozenset({Status.FOUND})) <= whole


def test_three_thousand_photos_are_no_more_than_sixty_pages_before_the_appendix(tmp_path):
    case = wrong_clock(214, beside=586)
    groups = many_causes(2200, 300)
    both = replace(case, entries=[*case.entries, *groups.entries], groups=(*case.groups, *groups.groups))
    assert len(both.entries) == 3000
    assert pages_of(as_audited(both), tmp_path / "main.pdf", appendix=tmp_path / "tables.pdf") <= 60
    tables = text_of(tmp_path / "tables.pdf")
    assert all(f"IMG_{number:05d}.jpg" in tables for number in range(0, 800, 37))
    assert "tables.pdf" in text_of(tmp_path / "main.pdf", last=2)


def test_one_wrong_clock_of_two_hundred_photos_is_told_on_two_pages(tmp_path):
    write_pdf(wrong_clock(214), tmp_path / "x.pdf", report_date=DAY)
    reader = PdfReader(tmp_path / "x.pdf")
    titles = {item.title: reader.get_destination_page_number(item) for item in reader.outline if hasattr(item, "title")}
    following = min(page for page in titles.values() if page > titles["Findings by weight"])
    assert following - titles["Findings by weight"] <= 2
    told = text_of(tmp_path / "x.pdf", first=titles["Findings by weight"] + 1, last=following + 1)
    assert "194 more: 21–214" in told


def test_the_gravest_and_strongest_comes_first_whatever_its_path():
    mild = an_entry("a.jpg", a_finding("GF101", "a.jpg", Outcome.SUSPICIOUS, severity=Severity.LOW))
    strong = an_entry("y.jpg", a_finding("GF201", "y.jpg", Outcome.CONTRADICTION, log10_lr=-3.0))
    grave = an_entry("z.jpg", a_finding("GF401", "z.jpg", Outcome.CONTRADICTION))
    causes = weighed(FakeCase([mild, grave, strong]), sections=9)
    assert [cause.group.check_ids for cause in causes] == [("GF201",), ("GF401",), ("GF101",)]
    assert [cause.number for cause in causes] == [1, 2, 3]


def test_every_finding_without_a_cause_is_told_by_its_rule():
    entries = [an_entry(f"{n}.jpg", a_finding("X901", f"{n}.jpg", Outcome.SUSPICIOUS)) for n in range(30)]
    (cause,) = weighed(FakeCase(entries), sections=9)
    assert (cause.group.check_ids, len(cause.group.source_ids)) == (("X901",), 30)


def test_nothing_grave_is_left_off_page_one(tmp_path):
    case = many_causes(66, 66)
    write_pdf(case, tmp_path / "x.pdf", report_date=DAY)
    page = text_of(tmp_path / "x.pdf", last=1)
    edition = edition_of(case, template="default", language="en", report_date=DAY, only=None)
    told = re.findall(r"(\d+) × ", page)
    rows = len(re.findall(r"What cause \d+ says", page))
    assert rows + sum(map(int, told)) == len(edition.causes), "each cause has a row or is counted"
    assert "more, see" not in page


def test_page_one_names_photo_result_strength_false_alarms_and_page(tmp_path):
    case = wrong_clock(3)
    write_pdf(case, tmp_path / "x.pdf", report_date=DAY)
    page = text_of(tmp_path / "x.pdf", last=1)
    for sentence in (
        "What was asked",
        "0 of 3 photos could be opened",
        "1 IMG_00000.jpg, 2 IMG_00001.jpg",
        "Clock 8 h ahead for all 3 photos",
        *("Contradiction;", "moderate support", "(LR 16) that the"),  # beside the next, line by line
        *("GF101: 0.5 %", "(0.2–1.1) of 1,204"),
        "What was not testable, and what was not examined",
        "The pictures themselves were not examined",
        "What this report does not say",
    ):
        assert sentence in page, sentence
    assert len(PdfReader(tmp_path / "x.pdf").pages[0].images) == 1


def test_nothing_that_says_nothing_is_printed(tmp_path):
    write_pdf(wrong_clock(3), tmp_path / "x.pdf", report_date=DAY)
    assert "NOT AVAILABLE:" not in text_of(tmp_path / "x.pdf")


def test_numbers_that_follow_each_other_are_a_range():
    edition = edition_of(wrong_clock(9), template="default", language="en", report_date=DAY, only=None)
    ids = [source_id_of(f"DCIM/IMG_{index:05d}.jpg".encode()) for index in (0, 1, 2, 5, 7, 8)]
    assert numbers(edition, ids) == "1–3, 6, 8–9"


def test_what_is_told_of_another_photo_than_the_one_shown_names_it(tmp_path):
    case = wrong_clock(4)
    alone = a_finding("GF404", "DCIM/IMG_00002.jpg", Outcome.SUSPICIOUS, observed=("Seen in the third only.",))
    entries = list(case.entries)
    entries[2] = replace(entries[2], findings=(alone, *[f for f in entries[2].findings if f.check_id != "GF201"]))
    group = replace(case.groups[0], check_ids=("GF101", "GF201", "GF404"))
    write_pdf(replace(case, entries=entries, groups=(group,)), tmp_path / "x.pdf", report_date=DAY)
    shown = text_of(tmp_path / "x.pdf")
    assert "As read from photo 1, where no other is named:" in shown
    assert "Seen in the third only. (photo 3)" in shown
    assert "reads 2024:06:15 23:30:00. (photo" not in shown


def test_what_is_read_from_one_photo_is_not_said_of_all_that_one_cause_explains(tmp_path):
    names = [f"DCIM/IMG_{index:05d}.jpg" for index in range(3)]
    cause = Cause(CauseKind.RESIZED, "")
    told = [
        a_finding(
            "GF117", name, Outcome.EXPLAINED, cause=cause, observed=(f"Written 4032 × 302{index}, found 640 × 480.",)
        )
        for index, name in enumerate(names)
    ]
    group = CauseGroup(
        cause,
        "",
        Outcome.EXPLAINED,
        Severity.INFO,
        tuple(source_id_of(name.encode()) for name in names),
        ("GF117",),
        3,
        "The pictures were resized (3 photos).",
    )
    entries = [an_entry(name, finding) for name, finding in zip(names, told, strict=True)]
    write_pdf(replace(wrong_clock(3), entries=entries, groups=(group,)), tmp_path / "x.pdf", report_date=DAY)
    assert "Written 4032 × 3020, found 640 × 480. (photo 1)" in text_of(tmp_path / "x.pdf")


def test_a_hundred_photos_take_no_more_than_four_seconds_of_work(tmp_path):
    from time import process_time

    case = many_causes(100, 22)
    started = process_time()
    write_pdf(case, tmp_path / "x.pdf", report_date=DAY)
    assert process_time() - started <= 4.0


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Innocent: the camera kept home time – A. Reader, 2026-11-20 09:30:00 UTC, for 2 photos."),
        ("de", "Harmlos: the camera kept home time – A. Reader, 20.11.2026 09:30:00 UTC, für 2 Fotos."),
    ],
)
def test_what_an_examiner_decided_stands_beside_the_result_it_is_about(tmp_path, language, said):
    case = wrong_clock(4)
    (group,) = case.causes()
    keys = [(source_id, group.check_ids[0]) for source_id in group.source_ids[:2]]
    first = a_decision(7, Judgement.CONFIRMED, keys)
    last = a_decision(8, Judgement.INNOCENT, keys, because="the camera kept home time")
    undone = replace(a_decision(9, Judgement.DISMISSED, keys), undone_by=10)
    write_pdf(replace(case, decided=(first, last, undone)), tmp_path / "x.pdf", report_date=DAY, language=language)
    shown = text_of(tmp_path / "x.pdf")
    assert said in shown
    assert "Confirmed" not in shown and "Bestätigt" not in shown, "the last word of one examiner holds"
    assert "Dismissed" not in shown and "Verworfen" not in shown, "what was undone is no decision"


def a_decision(number: int, judgement: Judgement, keys: list[tuple[str, str]], *, because: str = "") -> Decision:
    members = tuple(Judged(source_id, "", check_id, "") for source_id, check_id in keys)
    made = datetime(2026, 11, 20, 9, 30)
    return Decision(number, made, "A. Reader", "reader", judgement, because, "", members, "this examination")


def test_the_strength_of_a_cause_is_never_the_largest_of_several_from_one_picture():
    name = "a.jpg"
    of_light, of_height, joint = (
        replace(a_finding(check_id, name, Outcome.SUSPICIOUS), log10_lr=ratio, facts={"scores": scores})
        for check_id, ratio, scores in (
            ("GF210", -1.0, ""),
            ("GF304", -1.3, "height_lit"),
            ("GF305", -1.1, "hour + sun + light"),
        )
    )
    assert strongest_of(of_light, of_height, joint).check_id == "GF305", "what combines them counts"
    assert strongest_of(of_light, of_height).check_id == "GF210", "else the weakest"
    elsewhere = replace(of_height, source_ids=(source_id_of(b"b.jpg"),), log10_lr=-1.2)
    assert strongest_of(of_light, elsewhere).source_ids == elsewhere.source_ids, "other photos are other witnesses"


def strongest_of(*findings):
    carried = weighing._Carried()
    for place, finding in enumerate(findings):
        carried.hear(finding, place)
    return findings[carried.told()[1]]


def test_a_long_report_says_how_far_it_is(tmp_path):
    told = []
    write_pdf(wrong_clock(100), tmp_path / "x.pdf", report_date=DAY, progress=lambda *said: told.append(said))
    assert [said for said in told if said[0] == "read"] == [("read", number, 100) for number in range(1, 101)]
    pages = [done for stage, done, total in told if stage == "pages" and total is None]
    assert pages == list(range(1, len(pages) + 1)) and len(pages) >= 5
