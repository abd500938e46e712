"""A report of a great many photos: packed lines, a table of what was found, all photos as a file, streamed findings."""

from __future__ import annotations

import csv
import subprocess
import tracemalloc
import weakref
from dataclasses import fields, replace
from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pikepdf
import pytest
from fake_case import FakeCase, a_chain, large_case, small_case
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.records import (
    Cause,
    CauseGroup,
    CauseKind,
    Confidence,
    CustodyEvent,
    Finding,
    Outcome,
    Position,
    Severity,
    Skipped,
    Status,
)
from gtloc_forensics.records.photo_ids import PhotoIds, packed_ids, unpacked_ids
from gtloc_forensics.report import write_html, write_pdf
from gtloc_forensics.report.chapters import lines as lines_
from gtloc_forensics.report.chapters import weighing
from gtloc_forensics.report.chapters.by_photo import ByPhoto
from gtloc_forensics.report.chapters.edition import label_runs
from gtloc_forensics.report.chapters.lines import PhotoLine, PhotoLines
from gtloc_forensics.report.chapters.weighing import weighed
from gtloc_forensics.store import codec

DAY = date(2026, 11, 21)
MOST = 20


@pytest.fixture
def template(tmp_path: Path) -> str:
    folder = tmp_path / "template"
    folder.mkdir()
    (folder / "template.toml").write_text(f"table_photos = {MOST}\n", encoding="utf-8")
    return str(folder)


def attached(path: Path) -> dict[str, bytes]:
    with pikepdf.open(path) as pdf:
        return {name: file.get_file().read_bytes() for name, file in pdf.attachments.items()}


def text_of(path: Path) -> str:
    return subprocess.run(["pdftotext", str(path), "-"], check=True, capture_output=True, text=True).stdout


def a_line(**changes: object) -> PhotoLine:
    line = PhotoLine(
        source_id="00000000000000af",
        exhibit="7",
        name="DCIM/ä\udcff\\x00.jpg",
        sha256="ab" * 32,
        statuses=frozenset({Status.FOUND, Status.NOT_EXAMINED}),
        device_key="serial:1",
        local=datetime(2024, 2, 29, 23, 59, 59, 999_999),
        utc=datetime(1, 1, 1),
        gps_utc=datetime(9999, 12, 31, 23, 59, 59, 1),
        rules=("GF201", "GF101"),
        position=Position(-33.9, 151.2),
        zones=("Australia/Sydney",),
    )
    return replace(line, **changes)


def test_a_packed_line_comes_out_as_it_went_in():
    lines, kept = (
        PhotoLines(),
        [
            a_line(),
            a_line(source_id="f" * 16, local=None, utc=None, gps_utc=None, position=None, zones=(), rules=()),
            a_line(source_id="0" * 16, exhibit="A\0 1", name="", sha256="", device_key="", statuses=frozenset()),
        ],
    )
    for line in kept:
        lines.append(line)
    assert list(lines.in_order()) == kept
    assert list(lines) == [line.source_id for line in kept]
    assert [lines[line.source_id] for line in kept] == kept
    assert [lines.number_of(name) for name in ("f" * 16, "00000000000000ae", "no id")] == [1, None, None]
    lines.append(a_line(source_id="1" * 16))
    assert lines.number_of("1" * 16) == 3, "one that came after something was asked for"


def test_a_packed_line_takes_little_room():
    lines = PhotoLines()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4_000):
            lines.append(a_line(source_id=f"{number:016x}", exhibit=str(number), name=f"DCIM/IMG_{number:06}.jpg"))
        each = (tracemalloc.get_traced_memory()[0] - before) / 4_000
    finally:
        tracemalloc.stop()
    assert each < 60, f"{each:.0f} bytes a photo; as objects they were 700, packed in memory 200"


def test_lines_that_lie_on_the_disk_come_out_in_any_order(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lines_, "_HELD_BYTES", 1_000)
    monkeypatch.setattr(lines_, "_PIECE_BYTES", 400)
    lines = PhotoLines()
    kept = [
        a_line(source_id=f"{7 * number:016x}", exhibit=str(number), name="n" * (number % 90)) for number in range(90)
    ]
    for line in kept:
        lines.append(line)
    assert list(lines.in_order()) == kept
    assert [lines.at(number) for number in reversed(range(90))] == kept[::-1]
    assert [lines.exhibit_at(number) for number in (89, 0, 45, 44, 88)] == ["89", "0", "45", "44", "88"]
    with pytest.raises(IndexError):
        lines.at(90)


photo_ids = st.integers(0, 2**64 - 1).map("{:016x}".format)


@given(st.lists(photo_ids, max_size=9).map(tuple), st.slices(9))
def test_packed_ids_are_the_tuple_that_they_stand_for(source_ids: tuple[str, ...], some: slice):
    packed = PhotoIds(packed_ids(source_ids) or b"")
    assert packed == source_ids and source_ids == packed and hash(packed) == hash(source_ids)
    assert tuple(packed) == unpacked_ids(packed.packed) == source_ids
    assert packed[some] == source_ids[some]
    assert packed != (*source_ids, "more") and packed != list(source_ids)


@given(st.lists(photo_ids | st.sampled_from(["0" * 15, "A" * 16, "ä"]), min_size=1), st.integers(0, 20))
def test_causes_come_back_as_the_converter_rebuilds_them(source_ids: list[str], more: int):
    group = a_group(tuple(source_ids + [f"{number:016x}" for number in range(more)]))
    kept = codec.pack((group,))
    (again,) = codec.unpack(tuple[CauseGroup, ...], kept)
    assert again == group
    assert codec.pack((again,)) == kept
    assert isinstance(again.source_ids, PhotoIds) is (len(group.source_ids) > 15 and bool(packed_ids(group.source_ids)))


def a_group(source_ids: tuple[str, ...]) -> CauseGroup:
    cause = Cause(CauseKind.ZONE, "serial:1", None, "a zone")
    return CauseGroup(cause, "", Outcome.SUSPICIOUS, Severity.LOW, source_ids, ("GF102",), 1, "a zone")


@given(st.lists(st.lists(photo_ids | st.sampled_from(["a", "0" * 15]), max_size=4).map(tuple), max_size=6))
def test_the_causes_of_a_photo_are_told_in_their_order(groups: list[tuple[str, ...]]):
    packed = ByPhoto(
        PhotoIds(kept) if (kept := packed_ids(names)) and number % 2 else names for number, names in enumerate(groups)
    )
    for name in {name for names in groups for name in names} | {"f" * 16, "no id"}:
        assert list(dict.fromkeys(packed.of(name))) == [at for at, names in enumerate(groups) if name in names]


@given(
    st.lists(st.integers(0, 12).map(str) | st.sampled_from(["A 1", "–", "0" * 20 + "7", "1" * 17, "1" * 18, "1" * 19]))
)
def test_numbers_that_follow_each_other_are_a_range(labels: list[str]):
    numbers = sorted({int(label) for label in labels if label.isdecimal()})
    runs = [
        [at for at in numbers if at - numbers.index(at) == gap]
        for gap in dict.fromkeys(at - numbers.index(at) for at in numbers)
    ]
    told = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    assert label_runs(labels) == told + list(dict.fromkeys(label for label in labels if not label.isdecimal()))


spoken = st.builds(
    lambda check_id, photo, severity, strength, scores: Finding(
        check_id,
        (f"{photo:016x}",),
        Outcome.SUSPICIOUS,
        severity,
        Confidence.WEAK,
        "so",
        facts={"scores": scores},
        log10_lr=strength,
    ),
    st.sampled_from(["GF201", "GF210", "GF305"]),
    st.integers(0, 4),
    st.sampled_from(list(Severity)),
    st.none() | st.sampled_from([-2.0, -1.0, 0.0, 1.0]),
    st.sampled_from(["", "light", "hour + sun"]),
)


@given(st.lists(spoken, max_size=12))
def test_what_carries_a_cause_is_chosen_as_if_all_findings_were_held(findings: list[Finding]):
    carried = weighing._Carried()
    for place, finding in enumerate(findings):
        carried.hear(finding, place)
    of_photo: dict[str, list[int]] = {}
    for place, finding in enumerate(findings):
        of_photo.setdefault(finding.source_ids[0], []).append(place)

    def rank(photo: str) -> tuple[object, ...]:
        mine = [findings[place] for place in of_photo[photo]]
        return (len({finding.check_id for finding in mine}), *max(map(weighing.weight_of, mine)))

    def whole(place: int) -> tuple[float, float]:
        return (str(findings[place].facts["scores"]).count("+"), -abs(findings[place].log10_lr or 0.0))

    rated = [[place for place in places if findings[place].log10_lr is not None] for places in of_photo.values()]
    rated.sort(key=lambda places: places[:1])
    best = [max(places, key=whole) for places in rated if places]
    strongest = max(best, key=lambda place: -whole(place)[1], default=-1)
    assert carried.told() == (max(of_photo, key=rank, default=""), strongest)


@pytest.mark.parametrize("language", ["en", "de"])
def test_of_a_large_case_the_table_has_the_found_and_a_file_has_all(template: str, tmp_path: Path, language: str):
    case = replace(large_case(3 * MOST, found_every=6), card="# A card\n")
    path = tmp_path / "x.pdf"
    write_pdf(case, path, report_date=DAY, template=template, language=language)
    files = attached(path)
    assert sorted(files) == ["custody.jsonl", "model-card.md", "photos.csv"]
    rows = list(csv.reader(StringIO(files["photos.csv"].decode())))
    assert len(rows) == 1 + 3 * MOST
    assert [row[2] for row in rows[1:]] == [entry.photo.source.sha256 for entry in case.entries]
    assert rows[1][5] == "GF201"
    printed = " ".join(text_of(path).split())
    found = [entry for entry in case.entries if entry.status is Status.FOUND]
    shown = [entry.photo.source.sha256 in printed.replace(" ", "") for entry in case.entries]
    assert sum(shown) == len(found) == 10
    assert ("the 10 with a finding are in it" if language == "en" else "die 10 mit Befund darin") in printed
    assert "findings.json" in printed


def test_of_a_case_with_many_findings_the_first_are_printed(template: str, tmp_path: Path):
    case = large_case(3 * MOST, found_every=2)
    write_html(case, tmp_path / "x.html", report_date=DAY, template=template)
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert f"the first {MOST} of 30 with a finding are in it" in page
    assert page.count('data-title="SHA-256 at intake"') == MOST


def test_a_separate_appendix_carries_the_table_and_a_restricted_one_what_it_lists(template: str, tmp_path: Path):
    case = large_case(3 * MOST, found_every=6)
    path, appendix = tmp_path / "x.pdf", tmp_path / "x-appendix.pdf"
    write_pdf(case, path, report_date=DAY, template=template, appendix=appendix)
    assert sorted(attached(path)) == ["custody.jsonl"]
    assert sorted(attached(appendix)) == ["photos.csv"]
    write_pdf(case, path, report_date=DAY, template=template, only=frozenset({Status.FOUND}))
    files = attached(path)
    assert sorted(files) == ["photos.csv"]
    assert len(files["photos.csv"].splitlines()) == 1 + 10


def test_a_case_that_is_not_large_is_printed_and_embedded_as_it_was(tmp_path: Path):
    path = tmp_path / "x.pdf"
    write_pdf(large_case(2 * MOST), path, report_date=DAY)
    assert sorted(attached(path)) == ["custody.jsonl", "findings.json"]
    assert "photos.csv" not in text_of(path)


def test_a_long_run_of_events_is_told_without_being_held(tmp_path: Path):
    (first, *_) = a_chain()
    alive: list[weakref.ref[CustodyEvent]] = []
    most = 0

    class Counted(CustodyEvent):
        """An event of which one can ask how many there are."""

        __slots__ = ("__weakref__",)

    class Long(FakeCase):
        def each_event(self):
            nonlocal most
            for number in range(1, 2_001):
                values = {each.name: getattr(first, each.name) for each in fields(CustodyEvent)}
                event = Counted(**(values | {"sequence": number}))
                alive[:] = [each for each in (*alive, weakref.ref(event)) if each() is not None]
                most = max(most, len(alive))
                yield event

        def chain_end(self) -> tuple[int, str]:
            return 2_000, first.event_hash

    write_html(Long([]), tmp_path / "x.html", report_date=DAY)
    assert "1,996" in (tmp_path / "x.html").read_text(encoding="utf-8"), "all but the first three and the last"
    assert most < 30


def test_findings_are_weighed_as_they_go_by():
    case = small_case()

    class Streamed(FakeCase):
        def case_findings(self):
            raise AssertionError("all findings at once")

        def each_finding(self):
            return case.each_finding()

    streamed = Streamed(case.entries, groups=case.groups)
    made = weighed(streamed, sections=40)
    told = [(cause.group.cause.kind, cause.exemplar, [each.check_id for each in cause.findings]) for cause in made]
    first, second = (group.source_ids[0] for group in case.groups)
    assert told == [
        (CauseKind.CLOCK_OFFSET, first, ["GF201", "GF301"]),
        (CauseKind.UNNAMED, made[1].exemplar, ["GF101"]),
        (CauseKind.EDIT, second, ["GF101"]),
    ]
    assert made[0].strongest == made[0].findings[0]
    assert {finding.source_ids[0] for cause in made for finding in cause.findings} == {cause.exemplar for cause in made}


def test_a_great_many_files_that_could_not_be_read_are_named_on_as_many_pages_as_it_takes(tmp_path: Path):
    names = [f"card/folder {number // 100}/picture {number}.jpg" for number in range(1_200)]
    passed = tuple(Skipped(name.encode(), "permission denied", blocks=True) for name in names)
    path = tmp_path / "x.pdf"
    write_pdf(FakeCase([], passed=passed), path, report_date=DAY)
    printed = "".join(text_of(path).split())
    assert all("".join(name.split()) in printed for name in names[::97])


def test_beyond_a_thousand_small_causes_the_rest_is_counted_by_kind(template: str, tmp_path: Path):
    (Path(template) / "template.toml").write_text("cause_sections = 1\nminor_causes = 3\n", encoding="utf-8")
    case = small_case()
    (group, *_) = case.groups
    groups = tuple(replace(group, source_ids=(source_id,)) for source_id in group.source_ids) * 2
    write_html(replace(case, groups=groups), tmp_path / "x.html", report_date=DAY, template=template)
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    chapter = page[page.index('id="minor"') :]
    told = chapter[: chapter.index("</table>")]
    left = 2 * len(group.source_ids) + 1 - 1 - 3  # one without a cause, one with a section, three rows
    assert told.count("<tr>") - 1 == 3 + 2
    assert f"The last rows count {left} more causes" in chapter
