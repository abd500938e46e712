"""From an audit to a plan, from the plan to corrected copies, and what an audit says of those."""

# ruff: noqa: E402 — examples/ is no package; its folder joins the path first

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))

import make_case
import roster

from gtloc_forensics import metadata
from gtloc_forensics.case.case import open_case
from gtloc_forensics.correct import (
    Change,
    ClientTagger,
    Copies,
    Journal,
    Plan,
    Quantity,
    Workshop,
    apply,
    merged,
    planfile,
    proof,
    undo,
)
from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct.proposals import propose
from gtloc_forensics.correct.repairs import (
    GpsRepair,
    Subject,
    day_month_swapped,
    from_reference,
    gps_repaired,
    relabelled,
    subject,
    subjects,
)
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import PlanError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata.exiftool import ExifTool
from gtloc_forensics.records import FileStat, Finding, Outcome, Source, source_id_of

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
SHARED = Path(os.environ.get("GTLOC_SHARED", ROOT / ".." / "shared")) / "photos"


@pytest.fixture(scope="module")
def client():
    with ExifTool() as tool:
        yield tool


class Audit:
    """What an audit of a folder found, in memory."""

    def __init__(self, folder: Path, output: Path) -> None:
        with open_case(folder, output) as case:
            case.audit(Settings(model="none", jobs=0))
            entries = list(case.view().photos())
            self.clocks = case.view().clocks()
            self.case_findings = case.view().case_findings()
        self.subjects = subjects(entry.photo for entry in entries)
        self.findings: list[Finding] = [finding for entry in entries for finding in entry.findings]
        self.speaking = {
            entry.photo.source.relative.decode(): {
                finding.check_id
                for finding in entry.findings
                if finding.is_found or finding.outcome is Outcome.EXPLAINED
            }
            for entry in entries
        }
        self.found = {
            (entry.photo.source.relative.decode(), finding.check_id)
            for entry in entries
            for finding in entry.findings
            if finding.is_found
        }


def carry_out(client, plan: Plan, evidence: Path, out: Path, journal: Path):
    with Journal(journal) as book:
        shop = Workshop(book, ClientTagger(client))
        return apply(plan, evidence=evidence, destination=Copies(out), workshop=shop)


# ----------------------------------------------------------------- the example case


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    root = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "examples" / "case_folder", root / "photos")
    entries = make_case.plan()
    return root, entries, Audit(root / "photos", root / "case")


def test_the_audit_finds_without_pixels_what_the_readme_of_the_example_says_it_finds(example):
    _, entries, audit = example
    promised = {
        roster.CLOCK_AHEAD: {"GF101", "GF407"},
        roster.ZONE_FORGOTTEN: {"GF102"},
        roster.FACTORY_DATE: {"GF120"},
        roster.NOON_AT_MIDNIGHT: {"GF201"},
        roster.POSITION_FAR: {"GF102", "GF201"},
        roster.COPY_REDATED: {"GF406"},
        roster.JANUARY_GREEN: set(),
    }
    for entry in entries:
        assert promised.get(entry.fault, set()) <= audit.speaking[entry.path], entry.path
    alarms = {(entry.path, check) for entry in entries if not entry.fault for check in audit.speaking[entry.path]}
    assert alarms <= {("quillmark/IMG_20240912_100502.jpg", "GF406")}  # the original of the copy


def test_the_case_itself_proposes_to_set_the_clock_that_ran_ahead_and_nothing_that_was_explained(example):
    _, entries, audit = example
    plan = merged(Plan(), propose(audit.subjects, clocks=audit.clocks, findings=audit.findings).changes)
    proposed = {change.relative.decode() for change in plan.changes}
    assert proposed == {entry.path for entry in entries if entry.fault == roster.CLOCK_AHEAD}
    truth = {entry.path: entry.scene.local_time for entry in entries}
    for change in plan.changes:
        assert change.quantity is Quantity.LOCAL_TIME
        assert abs(lines.read_time(change.new) - truth[change.relative.decode()]) <= timedelta(seconds=1)


def test_every_other_fault_is_left_with_a_reason(example):
    _, entries, audit = example
    proposal = propose(audit.subjects, clocks=audit.clocks, findings=audit.findings)
    said = "\n".join(proposal.notes)
    for fault, why in {
        roster.POSITION_FAR: "in doubt",
        roster.ZONE_FORGOTTEN: "explained and stays",
        roster.FACTORY_DATE: "the clock had been reset",
        roster.NOON_AT_MIDNIGHT: "in doubt",
    }.items():
        for path in (entry.path for entry in entries if entry.fault == fault):
            assert [note for note in proposal.notes if path in note and why in note], (path, said)


def test_asking_for_weaker_proposals_moves_no_more_than_the_witnesses_say(example):
    _, _, audit = example
    weak = propose(audit.subjects, clocks=audit.clocks, findings=audit.findings, least_strength=0.2).changes
    strong = propose(audit.subjects, clocks=audit.clocks, findings=audit.findings, least_strength=0.95).changes
    assert weak == strong


def by_hand(entry, subject: Subject) -> list[Change]:
    """Lines as a person writes them who knows the truth of a photo."""
    local = lines.write_time(entry.scene.local_time.replace(microsecond=subject.local.microsecond))
    out = [subject.line(Quantity.LOCAL_TIME, lines.write_time(subject.local), local, "a witness", 1.0)]
    if subject.written_offset is not None and subject.written_offset != entry.scene.offset_hours:
        old, new = lines.write_offset(subject.written_offset), lines.write_offset(entry.scene.offset_hours)
        out.append(subject.line(Quantity.OFFSET, old, new, "a witness", 1.0))
    if entry.fault == roster.POSITION_FAR:
        place = f"{entry.scene.latitude_deg:.7f}, {entry.scene.longitude_deg:.7f}"
        out.append(subject.line(Quantity.POSITION, lines.write_position(subject.position), place, "a witness", 1.0))
    return [change for change in out if change.old != change.new]


def test_corrected_copies_of_the_example_case_show_no_cause_and_nothing_new(client, example, tmp_path):
    root, entries, audit = example
    proposal = propose(audit.subjects, clocks=audit.clocks, findings=audit.findings)
    spoken = {change.relative for change in proposal.changes}
    known = {photo.relative.decode(): photo for photo in audit.subjects}
    written = [
        line
        for entry in entries
        if entry.fault and entry.path.encode() not in spoken
        for line in by_hand(entry, known[entry.path])
    ]
    plan = planfile.loads(planfile.dumps(merged(Plan(), [*proposal.changes, *written])))
    result = carry_out(client, plan, root / "photos", tmp_path / "fixed", tmp_path / "journal")
    assert not result.refused
    assert {photo.relative.decode() for photo in result.corrected} == {entry.path for entry in entries if entry.fault}
    for entry in entries:
        if not entry.fault:
            (tmp_path / "fixed" / entry.path).parent.mkdir(exist_ok=True)
            shutil.copy2(root / "photos" / entry.path, tmp_path / "fixed" / entry.path)
    again = Audit(tmp_path / "fixed", tmp_path / "case")
    # File names are never corrected: two were forged along with the time in them and still state it.
    forged = {
        (entry.path, "GF106") for entry in entries if entry.fault in (roster.NOON_AT_MIDNIGHT, roster.COPY_REDATED)
    }
    assert again.found - audit.found == forged
    left = {path for path, check in again.found if check in ("GF101", "GF102", "GF201", "GF406", "GF407")}
    assert not left
    # The camera without a receiver has light alone, which bounds a clock and calls none right.
    assert sorted(model.kind for model in again.clocks) == ["right", "right", "undetermined"]
    truth = {entry.path: entry.scene for entry in entries}
    for photo in again.subjects:
        scene = truth[photo.relative.decode()]
        assert abs(photo.local - scene.local_time) <= timedelta(seconds=2)


# ----------------------------------------------------------------- real photos, faults put in


def real_files(pick: dict[str, str]) -> list[Path]:
    import csv

    if not (SHARED / "exif.csv").exists():
        pytest.skip("the shared photo set is not here")
    with (SHARED / "exif.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if all(row[name] == value for name, value in pick.items())]
    return [SHARED / "exif" / row["file"] for row in rows]


def claims(client, folder: Path, names: list[str]) -> tuple[Subject, ...]:
    out = []
    for name, read in zip(names, client.read([os.fsencode(folder / name) for name in names]), strict=True):
        data = (folder / name).read_bytes()
        relative, digest = os.fsencode(name), hashlib.sha256(data).hexdigest()
        stat = FileStat(len(data), 0, 0, 0, 0, 0, 0, 1)
        source = Source(source_id_of(relative), relative, digest, stat, "image/jpeg")
        claim = metadata.claim(source, read.tags, warnings=read.warnings, zones_at=zones.zones_at)
        out.append(subject(relative, digest, claim))
    return tuple(out)


def faulted(client, tmp_path: Path, originals: list[Path], fault) -> tuple[Path, list[str]]:
    """Copy photos and put a fault into each; what cannot take it is left out."""
    folder = tmp_path / "faulted"
    folder.mkdir()
    names = []
    truths = claims(client, originals[0].parent, [path.name for path in originals])
    tags = [read.tags for read in client.read([os.fsencode(path) for path in originals])]
    for path, truth, held in zip(originals, truths, tags, strict=True):
        assignments = fault(truth, held)
        shutil.copy(path, folder / path.name)
        if not assignments or not client.write(os.fsencode(folder / path.name), assignments).done:
            (folder / path.name).unlink()
        else:
            names.append(path.name)
    assert names, "no photo could take the fault"
    return folder, names


def clock_ahead(truth: Subject, tags, by=timedelta(hours=6)):
    moment = tags.get("ExifIFD:DateTimeOriginal")
    stamp = moment and lines.read_time(str(moment[0]).replace(":", "-", 2))
    wrong = (stamp + by).strftime("%Y:%m:%d %H:%M:%S") if stamp else ""
    return (
        [
            (f"ExifIFD:{tag}", wrong)
            for tag in ("DateTimeOriginal", "CreateDate")
            if tags.get(f"ExifIFD:{tag}") == moment
        ]
        if stamp
        else []
    )


def same_again(client, original: Path, fixed: Path, *, but: tuple[str, ...] = ()) -> list[str]:
    before, after = (client.read([os.fsencode(path)])[0].tags for path in (original, fixed))
    return [fault for fault in proof.differences(before, after, ()) if not fault.startswith(but or ("\0",))]


@pytest.mark.shared
@pytest.mark.parametrize("model", ["iPhone 13 Pro Max", "iPhone 13"])
def test_a_clock_put_wrong_in_real_photos_is_put_right_by_one_reference(client, tmp_path, model):
    originals = real_files({"model": model, "time_trust": "gps-confirmed"})[:8]
    if not originals:
        pytest.skip(f"no {model} in the set")
    folder, names = faulted(client, tmp_path, originals, clock_ahead)
    truth = {claim.relative: claim for claim in claims(client, originals[0].parent, names)}
    wrong = claims(client, folder, names)
    assert all(photo.local - truth[photo.relative].local == timedelta(hours=6) for photo in wrong)
    reference = wrong[0].relative
    plan = merged(Plan(), from_reference(wrong, reference, truth[reference].local.replace(microsecond=0)))
    result = carry_out(client, plan, folder, tmp_path / "fixed", tmp_path / "journal")
    assert len(result.corrected) == len(names)
    assert not result.refused
    for claim in claims(client, tmp_path / "fixed", names):
        assert claim.local == truth[claim.relative].local
        assert claim.utc == truth[claim.relative].utc
    for name in names:
        assert not same_again(client, originals[0].parent / name, tmp_path / "fixed" / name)


@pytest.mark.shared
def test_every_real_photo_with_a_time_can_be_shifted_and_shifted_back_tag_by_tag(client, tmp_path):
    originals = real_files({})[::15]
    names = [path.name for path in originals]
    folder = originals[0].parent
    known = claims(client, folder, names)
    there = merged(Plan(), [line for photo in known if photo.local for line in _shift(photo, 86_400 + 3_720)])
    first = carry_out(client, there, folder, tmp_path / "there", tmp_path / "journal")
    assert not first.refused
    moved = claims(client, tmp_path / "there", [result.relative.decode() for result in first.corrected])
    before = {photo.relative: photo.local for photo in known}
    for result in moved:
        assert (result.local - before[result.relative]).total_seconds() == 86_400 + 3_720
    back = merged(Plan(), [line for photo in moved for line in _shift(photo, -86_400 - 3_720)])
    second = carry_out(client, back, tmp_path / "there", tmp_path / "back", tmp_path / "journal")
    assert not second.refused
    for result in second.corrected:
        name = result.relative.decode()
        assert not same_again(client, folder / name, tmp_path / "back" / name), name


def _shift(photo: Subject, seconds: int):
    from gtloc_forensics.correct.repairs import shifted

    return shifted([photo], seconds, keep_zone=True)


@pytest.mark.shared
def test_a_zone_put_wrong_in_real_photos_is_relabelled_without_moving_the_clock(client, tmp_path):
    originals = real_files({"offset_time_original": "-05:00", "time_trust": "gps-confirmed"})[:6]
    zone_tags = ("OffsetTimeOriginal", "OffsetTimeDigitized", "OffsetTime")

    def fault(truth, tags):
        return [(f"ExifIFD:{tag}", "+02:00") for tag in zone_tags if f"ExifIFD:{tag}" in tags]

    folder, names = faulted(client, tmp_path, originals, fault)
    truth = {claim.relative: claim for claim in claims(client, originals[0].parent, names)}
    plan = merged(Plan(), relabelled(claims(client, folder, names), truth[os.fsencode(names[0])].zones[0]))
    carry_out(client, plan, folder, tmp_path / "fixed", tmp_path / "journal")
    for claim in claims(client, tmp_path / "fixed", names):
        assert claim.utc == truth[claim.relative].utc
        assert claim.written_offset == -5.0
    for name in names:
        assert not same_again(client, originals[0].parent / name, tmp_path / "fixed" / name)


@pytest.mark.shared
def test_slips_of_position_and_date_in_real_photos_are_undone(client, tmp_path):
    originals = real_files({"time_trust": "gps-confirmed"})[:40:4]

    def fault(truth, tags):
        place = truth.position
        if place is None or not tags.get("GPS:GPSLatitudeRef"):
            return []
        return [("GPS:GPSLatitudeRef", "S" if place.latitude_deg > 0 else "N")]

    folder, names = faulted(client, tmp_path, originals, fault)
    truth = {claim.relative: claim for claim in claims(client, originals[0].parent, names)}
    plan = merged(Plan(), gps_repaired(claims(client, folder, names), GpsRepair.NORTH_SOUTH))
    result = carry_out(client, plan, folder, tmp_path / "fixed", tmp_path / "journal")
    assert len(result.corrected) == len(names)
    for claim in claims(client, tmp_path / "fixed", names):
        assert claim.position.latitude_deg == pytest.approx(truth[claim.relative].position.latitude_deg, abs=1e-5)
        assert claim.position.longitude_deg == pytest.approx(truth[claim.relative].position.longitude_deg, abs=1e-5)
    swapped = [claim for claim in claims(client, originals[0].parent, names) if claim.local.day <= 12]
    for change in day_month_swapped(swapped):
        if change.quantity is Quantity.LOCAL_TIME:
            old, new = lines.read_time(change.old), lines.read_time(change.new)
            assert (old.day, old.month, old.time()) == (new.month, new.day, new.time())


@pytest.mark.shared
def test_undoing_the_correction_of_real_photos_removes_the_copies_and_nothing_else(client, tmp_path):
    originals = real_files({"time_trust": "gps-confirmed"})[:3]
    names = [path.name for path in originals]
    known = claims(client, originals[0].parent, names)
    plan = merged(Plan(), [line for photo in known for line in _shift(photo, 60)])
    carry_out(client, plan, originals[0].parent, tmp_path / "fixed", tmp_path / "journal")
    (tmp_path / "fixed" / "mine.txt").write_text("kept")
    with Journal(tmp_path / "journal") as journal:
        undo(Workshop(journal, ClientTagger(client)))
    assert os.listdir(tmp_path / "fixed") == ["mine.txt"]


def test_a_reference_that_is_not_in_the_case_is_refused(example):
    _, entries, audit = example
    with pytest.raises(PlanError, match="not a photo"):
        from_reference(audit.subjects, b"nowhere.jpg", entries[0].scene.local_time)
