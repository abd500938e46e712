"""A finding about many photos names them once in a case, not with each of them; whoever reads it sees no difference."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import sys
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.evidence import false_discovery
from gtloc_forensics.examination import sayings
from gtloc_forensics.examination.results import Places, Said, Told, concluded_of
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Confidence,
    Finding,
    Outcome,
    PhotoResult,
    Sentence,
    Severity,
)
from gtloc_forensics.records.photo_ids import packed_ids, unpacked_ids
from gtloc_forensics.store import codec, named, verdicts

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import bench_memory

KEPT_WITHIN = Path(__file__).with_name("named_within.sqlite.gz")
"""A case that was examined when each photo's result named all photos of its findings: twelve of one place, made up.

Its files hold three bytes of a JPEG and their number; a finding of GF405 and one of GF408 name all of them.
"""

NAMES = [f"{number:06}.jpg" for number in range(0, 240, 20)]
CONTENT = b"\xff\xd8\xff"
INLINE = Settings(model="none", jobs=0)


def finding(source_ids: tuple[str, ...], *, outcome: Outcome = Outcome.EXPLAINED) -> Finding:
    summary = Sentence("{photos} photos claim one position.", photos=len(source_ids))
    cause = Cause(CauseKind.POSITION_SET, "", None, summary)
    return Finding("GF405", source_ids, outcome, Severity.LOW, Confidence.WEAK, summary, cause=cause, p_value=0.001)


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number in range(1, count + 1))


def concluded(
    findings: list[Finding], photos: tuple[str, ...]
) -> tuple[list[PhotoResult], list[list[Finding]], list[bytes], list[bytes]]:
    """Return what a case keeps of photos of which *findings* were said: read, told once, as stored, and the lists."""
    numbers = array("Q", (int(source_id, 16) for source_id in photos))
    said, tested, alone = Said(Places(numbers)), false_discovery.Tested(), sayings.Verdicts()
    told = Told(said)
    for each in findings:
        told.hear(each)
    told.join(tested)
    for source_id in photos:
        alone.append(alone.told(PhotoResult((), ()), source_id))
    kept = list(concluded_of(range(len(numbers)), numbers, alone, said, false_discovery.Cautions(tested.controls())))
    lists = list(said.lists)
    read = [codec.unpack(PhotoResult, one.stored, names=lambda number: unpacked_ids(lists[number])) for one in kept]
    return read, [list(one.told) for one in kept], [one.stored for one in kept], lists


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30), st.sampled_from([*Outcome][:4])), min_size=1, max_size=6)
)
def test_each_photo_is_read_with_all_photos_that_its_findings_name(asked: list[tuple[int, int, Outcome]]) -> None:
    photos = ids(40)
    said = [finding(photos[first : first + count], outcome=outcome) for first, count, outcome in asked]
    read, told, _, lists = concluded(said, photos)
    for source_id, result, once in zip(photos, read, told, strict=True):
        mine = [of.source_ids for of in said if source_id in of.source_ids]
        assert [of.source_ids for of in result.findings] == mine
        assert [of.source_ids for of in once] == [
            of.source_ids
            for of in said
            if of.source_ids[0] == source_id and (of.is_found or of.outcome is Outcome.EXPLAINED)
        ]
    assert len(lists) == sum(len(of.source_ids) > verdicts.MOST_NAMED for of in said)


def test_bytes_a_photo_do_not_grow_with_the_photos_that_a_finding_names() -> None:
    def bytes_a_photo(count: int) -> float:
        photos = ids(count)
        _, _, stored, lists = concluded([finding(photos)], photos)
        return (sum(map(len, stored)) + sum(map(len, lists))) / count

    assert bytes_a_photo(1000) <= 1.05 * bytes_a_photo(20)


def test_few_photos_are_named_where_they_were() -> None:
    photos = ids(verdicts.MOST_NAMED)
    _, _, stored, lists = concluded([finding(photos, outcome=Outcome.CONSISTENT)], photos)
    whole = PhotoResult((finding(photos, outcome=Outcome.CONSISTENT),), ())
    assert stored == [codec.pack(whole)] * len(photos)
    assert lists == []


def test_names_that_are_no_photos_of_a_case_are_kept_as_a_rule_gave_them() -> None:
    photos = (*ids(20), "a name \udcff of a stranger", "0123456789ABCDEF")
    assert packed_ids(photos) is None
    assert unpacked_ids(packed_ids(ids(20)) or b"") == ids(20)


def test_a_rule_that_fails_half_way_leaves_no_list() -> None:
    photos = ids(12)
    said = Said(Places(array("Q", (int(source_id, 16) for source_id in photos))))
    told = Told(said)
    told.hear(finding(photos))
    told.forget()
    assert list(said.lists) == [b""]


def test_a_result_that_names_a_list_cannot_be_read_without_it() -> None:
    photos = ids(12)
    _, _, stored, _ = concluded([finding(photos)], photos)
    for read in (lambda: codec.unpack(PhotoResult, stored[0]), lambda: codec.tested(stored[0])):
        with pytest.raises(DamagedCase):
            read()
    assert codec.ended(stored[0])


# --------------------------------------------------------------------------- a whole case


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Case]:
    """Lend a case that names all photos with each."""
    (tmp_path / "files").mkdir()
    for name in NAMES:
        (tmp_path / "files" / name).write_bytes(CONTENT + int(name[:6]).to_bytes(8, "big"))
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / DATABASE).write_bytes(gzip.decompress(KEPT_WITHIN.read_bytes()))
    with Case(tmp_path / "case") as case:
        case._place.evidence = tmp_path / "files"  # it was examined where it lay then
        yield case


def test_a_case_of_before_is_valid_and_read_as_it_was(older: Case) -> None:
    assert older.verify(INLINE, sample=0).differences == ()
    every = {source.source_id for source, _, _ in older.view().outlines()}
    assert len(every) == len(NAMES)
    for _, _, result in older.view().outlines():
        assert [set(of.source_ids) for of in result.findings if of.check_id in ("GF405", "GF408")] == [every, every]


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take in the same photos anew."""
    folder = tmp_path_factory.mktemp("gathered")
    (folder / "files").mkdir()
    (folder / bench_memory.ASKED).write_text(json.dumps({"devices": 1, "is_one_place": True}))
    for name in NAMES:
        (folder / "files" / name).write_bytes(CONTENT + int(name[:6]).to_bytes(8, "big"))
    bench_memory.gather(folder)
    (folder / "case").rename(folder / "taken in")
    return folder


@pytest.fixture
def concluded_case(gathered: Path) -> Iterator[Callable[[], Case]]:
    """Return what concludes them, each time from the same case."""
    with ExitStack() as stack:

        def conclude() -> Case:
            shutil.rmtree(gathered / "case", ignore_errors=True)
            shutil.copytree(gathered / "taken in", gathered / "case")
            bench_memory.conclude(gathered)
            return stack.enter_context(Case(gathered / "case"))

        yield conclude


def products(case: Case) -> tuple[bytes, bytes, list[object]]:
    """Return findings.json, the table and what is read of each photo."""
    read = [list(map(repr, entries)) for entries in (case.view().outlines(), case.view().briefs())]
    return case.write_findings().read_bytes(), case.export("csv").read_bytes(), read


def test_products_and_readers_see_no_difference(
    concluded_case: Callable[[], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = products(case := concluded_case())
    rows, length = kept(case)
    assert rows == [f"{named.NAMED}{0:09}"]
    with monkeypatch.context() as patch:
        patch.setattr(sayings, "MOST_NAMED", len(NAMES))
        before = products(case := concluded_case())
    assert kept(case)[0] == []
    assert now == before
    assert length < kept(case)[1]


def kept(case: Case) -> tuple[list[str], int]:
    """Return the rows that hold lists of photos, and how many bytes are kept with the photos."""
    with closing(sqlite3.connect(case.folder / DATABASE)) as connection:
        rows = connection.execute("SELECT name FROM examination_extra WHERE name LIKE 'named %'").fetchall()
        (length,) = connection.execute("SELECT sum(length(findings)) FROM member").fetchone()
    return [name for (name,) in rows], length


def test_an_altered_list_is_named_and_no_photo_is_told_without_its_finding(
    concluded_case: Callable[[], Case],
) -> None:
    case = concluded_case()
    assert case.verify(INLINE, sample=0).differences == ()
    with closing(sqlite3.connect(case.folder / DATABASE)) as connection:
        connection.execute("UPDATE examination_extra SET payload = x'00' WHERE name LIKE 'named %'")
        connection.commit()
    found = case.verify(INLINE, sample=0).differences
    assert any("name=named 000000000" in repr(difference) for difference in found), found
    with pytest.raises(DamagedCase):
        list(case.view().photos())
    with closing(sqlite3.connect(case.folder / DATABASE)) as connection:
        connection.execute("DELETE FROM examination_extra WHERE name LIKE 'named %'")
        connection.commit()
    with pytest.raises(DamagedCase):
        list(case.view().lean_photos())
