"""Records on the disk: a list that grows in a file, and stand-ins that act as the records do."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks import consistent, not_testable
from gtloc_forensics.evidence import false_discovery
from gtloc_forensics.examination import on_disk
from gtloc_forensics.examination.at_end import AtEnd, digest_with
from gtloc_forensics.examination.judging import OUTCOME_RANK, strength_of
from gtloc_forensics.examination.listing import Listing
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.results import ById, Places, Ranking, Said, Told
from gtloc_forensics.examination.sayings import mark_of
from gtloc_forensics.files.acquiring import Rechecked
from gtloc_forensics.records import (
    Candidate,
    Confidence,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    Skipped,
    Unexamined,
    source_id_of,
    visible_throughout,
)
from gtloc_forensics.report.exports.findings_json import _written
from gtloc_forensics.store.codec import from_plain

TAKEN = datetime(2024, 5, 17, 10, 3)


def summary(number: int, **more: Any) -> PhotoSummary:
    name = f"{number:06}.jpg"
    taken = TAKEN + timedelta(minutes=number)
    return PhotoSummary(source_id_of(name.encode()), f"{number:064x}", name, "camera", "image/jpeg", taken, **more)


# --------------------------------------------------------------------------- a list in a file


@given(records=st.lists(st.tuples(st.binary(max_size=40), st.integers())), asked=st.data())
def test_it_reads_as_a_list_does(records: list[tuple[bytes, int]], asked: st.DataObject) -> None:
    kept = OnDisk[tuple[bytes, int]]()
    for record in records:
        kept.append(record)
        assert kept[-1] == record, "also what still waits to be written"
    assert list(kept) == records
    assert len(kept) == len(records)
    assert kept[1:] == records[1:]
    for index in asked.draw(st.lists(st.integers(0, len(records) - 1))) if records else ():
        assert kept[index] == records[index]
    with pytest.raises(IndexError):
        kept[len(records)]


def test_records_longer_than_what_is_read_at_a_time_come_back_whole() -> None:
    records = [bytes([number]) * (number * 50_000) for number in range(6)]
    assert list(OnDisk(records, kind=bytes)) == records


def test_it_gives_its_room_back() -> None:
    kept = OnDisk([b"x"], kind=bytes)
    file = kept.close
    assert file.alive
    del kept
    assert not file.alive


# --------------------------------------------------------------------------- what stands in for a record


def test_a_stand_in_acts_as_the_record_does() -> None:
    light = np.arange(4, dtype=np.float16)
    records = [summary(number, embedding=light, zone="Europe/Berlin") for number in range(3)]
    first, second, _ = OnDisk(records, kind=PhotoSummary).stand_ins()
    assert isinstance(second, PhotoSummary)
    assert is_dataclass(second)
    assert (second.name, second.local_time, second.zone) == (
        "000001.jpg",
        TAKEN + timedelta(minutes=1),
        "Europe/Berlin",
    )
    assert second.embedding is not None
    assert second.embedding.dtype == np.float16
    assert second.embedding.tolist() == light.tolist()
    changed = replace(second, zone="", embedding=None)
    assert changed == replace(records[1], zone="", embedding=None)
    assert type(changed) is PhotoSummary
    assert asdict(second)["sha256"] == records[1].sha256
    for copied in (copy.copy(first), pickle.loads(pickle.dumps(first))):
        assert (type(copied), copied.name) == (PhotoSummary, "000000.jpg")
    with pytest.raises(AttributeError):
        _ = first.colour  # type: ignore[attr-defined]


def test_stand_ins_are_equal_as_their_records_are_and_one_only_with_themselves() -> None:
    records = [consistent("GF405", "00", Sentence("so")), consistent("GF405", "00", Sentence("so"))]
    first, second = OnDisk[Finding](records).stand_ins()
    assert first == second == records[0]
    assert records[0] == first
    assert first is not second
    assert repr(first) == repr(records[0])


def test_stand_ins_made_on_demand_read_as_a_list_of_them() -> None:
    records = [summary(number) for number in range(600)]
    made = OnDisk(records, kind=PhotoSummary).stand_ins_on_demand()
    assert len(made) == 600
    assert [photo.name for photo in made] == [photo.name for photo in records]
    assert made[599].sha256 == made[-1].sha256 == records[599].sha256
    assert [photo.name for photo in made[255:258]] == [photo.name for photo in records[255:258]]
    with pytest.raises(IndexError):
        made[600]


def test_a_number_of_numpy_comes_back_as_a_number() -> None:
    (told,) = OnDisk([summary(1, ev100=np.float64(12.5))], kind=PhotoSummary)
    assert (told.ev100, type(told.ev100)) == (12.5, float)


# --------------------------------------------------------------------------- listings


def test_a_listing_is_in_path_order_and_the_later_of_two_entries_counts() -> None:
    entries = [
        Candidate(b"b.jpg"),
        Candidate(b"a.jpg"),
        Skipped(b"c", Sentence("no photo"), False),
        Candidate(b"b.jpg", (b"x",)),
    ]
    listing = Listing.of(entries)
    assert [entry.relative for entry in listing.entries()] == [b"a.jpg", b"b.jpg", b"c"]
    assert list(listing.candidates) == [Candidate(b"a.jpg"), Candidate(b"b.jpg", (b"x",))]
    assert [entry.relative for entry in listing.among({b"c", b"a.jpg"}).entries()] == [b"a.jpg", b"c"]


# --------------------------------------------------------------------------- what was said, in which order

CHECKS = ("GF401", "GF404", "GF405")
PHOTOS = tuple(source_id_of(bytes([number])) for number in range(4))


def numbers(source_ids: tuple[str, ...] = PHOTOS) -> Any:
    from array import array

    return array("Q", (int(source_id, 16) for source_id in source_ids))


def suspicious(check_id: str, *source_ids: str, said: str, p_value: float | None = None) -> Finding:
    more = {"p_value": p_value}
    return Finding(check_id, source_ids, Outcome.SUSPICIOUS, Severity.HIGH, Confidence.WEAK, Sentence(said), **more)


def findings_of(check_id: str) -> st.SearchStrategy[Finding]:
    photo, words = st.sampled_from(PHOTOS), st.sampled_from(("one", "two"))
    return st.one_of(
        st.builds(lambda name, said: not_testable(check_id, name, Sentence(said)), photo, words),
        st.builds(lambda name, said: consistent(check_id, name, Sentence(said)), photo, words),
        st.builds(lambda name, said: consistent(check_id, name, Sentence(said), facts={"n": 1}), photo, words),
        st.builds(
            lambda names, said: suspicious(check_id, *names, said=said),
            st.lists(photo, min_size=1, max_size=3, unique=True),
            words,
        ),
    )


def test_a_silence_of_a_photo_that_there_is_not_is_of_nobody() -> None:
    said = Said(Places(numbers(PHOTOS)))
    rule = Told(said)
    for name in ("no id", "half a character \udc80", "0" * 16):
        rule.hear(not_testable("GF404", name, Sentence("no counter")))
    rule.hear(not_testable("GF404", PHOTOS[1], Sentence("no counter")))
    rule.join(false_discovery.Tested())
    told = [said_of(said, place, name)[0] for place, name in enumerate(PHOTOS)]
    assert [len(found) for found in told] == [0, 1, *[0] * (len(PHOTOS) - 2)]


def said_of(said: Said, place: int, name: str) -> tuple[list[Finding], list[Unexamined]]:
    """Return what was said of a photo as records, its marks being those of the records."""
    sayings, failed = said.of(place, name)
    found = [from_plain(Finding, plain) for plain, _ in sayings]
    assert [mark for _, mark in sayings] == [mark_of(finding) for finding in found]
    return found, [from_plain(Unexamined, plain) for plain in failed]


def test_what_a_rule_says_first_stays_first_though_another_failed_in_between() -> None:
    said = Said(Places(numbers(PHOTOS)))
    first = consistent("GF401", PHOTOS[0], Sentence("one"), facts={"n": 1})
    second = consistent("GF401", PHOTOS[0], Sentence("two"))
    place = said.places.of(PHOTOS[0])
    assert place is not None
    for finding in (first, second):
        told = Told(said)
        told.hear(finding)
        told.join(false_discovery.Tested())
        said.join_failure(Unexamined("", "check:x", "it failed"), [replace(summary(1), source_id=PHOTOS[0])])
    assert said_of(said, place, PHOTOS[0])[0] == [first, second]


RULES = st.lists(st.sampled_from(CHECKS), max_size=4).flatmap(
    lambda checks: st.tuples(*(st.tuples(st.lists(findings_of(check), max_size=6), st.booleans()) for check in checks))
)


@given(rules=RULES)
def test_what_rules_said_of_a_photo_is_told_by_rule_bare_silence_last(rules: Any) -> None:
    """As a table in memory would tell it: findings in the order they were said, then what could not be tested."""
    said, tested = Said(Places(numbers())), false_discovery.Tested()
    found: dict[str, list[Finding]] = {name: [] for name in PHOTOS}
    silent: dict[str, list[Finding]] = {name: [] for name in PHOTOS}
    failed: dict[str, list[Unexamined]] = {name: [] for name in PHOTOS}
    for findings, crashes in rules:
        told = Told(said)
        for finding in findings:
            told.hear(finding)
        if crashes:
            said.join_failure(Unexamined("", "check:x", "it failed"), [replace(summary(1), source_id=PHOTOS[0])])
            failed[PHOTOS[0]].append(Unexamined(PHOTOS[0], "check:x", "it failed"))
            continue
        told.join(tested)
        for finding in findings:
            for name in finding.source_ids:
                (silent if finding.outcome is Outcome.NOT_TESTABLE else found)[name].append(finding)
    for place, name in enumerate(PHOTOS):
        wanted = sorted([*found[name], *silent[name]], key=lambda finding: finding.check_id)
        assert said_of(said, place, name) == (wanted, failed[name])


def test_more_bare_sentences_than_a_byte_can_tell_apart_are_kept_all_the_same() -> None:
    said = Said(Places(numbers()))
    for number in range(600):
        told = Told(said)
        told.hear(consistent("GF404", PHOTOS[number % 4], Sentence("sentence {number}", number=number)))
        told.join(false_discovery.Tested())
    found, _ = said_of(said, 1, PHOTOS[1])
    assert [finding.summary for finding in found] == [f"sentence {number}" for number in range(1, 600, 4)]


def test_nothing_of_a_rule_that_crashed_is_weighed() -> None:
    said, tested = Said(Places(numbers())), false_discovery.Tested()
    Told(said).hear(suspicious("GF404", PHOTOS[0], said="so", p_value=0.001))
    assert tested.controls() == ()
    assert said.of(0, PHOTOS[0]) == ([], [])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(CHECKS),
            st.integers(0, 3),
            st.sampled_from((Outcome.SUSPICIOUS, Outcome.CONTRADICTION, Outcome.EXPLAINED)),
            st.sampled_from(Severity),
            st.sampled_from(Confidence),
            st.one_of(st.none(), st.floats(-9, 9)),
        )
    )
)
def test_findings_are_ranked_as_by_their_keys(told: list[tuple[Any, ...]]) -> None:
    ranking, kept = Ranking(), []
    for number, (check_id, place, outcome, severity, confidence, ratio) in enumerate(told):
        finding = Finding(check_id, (PHOTOS[place],), outcome, severity, confidence, str(number), log10_lr=ratio)
        ranking.add(finding, place)
        kept.append(((*strength_of(finding), place, check_id), finding))
    assert list(ranking.ranked()) == [finding for _, finding in sorted(kept, key=lambda pair: pair[0])]
    assert set(OUTCOME_RANK) >= {finding.outcome for _, finding in kept}


def test_photos_are_found_by_their_ids() -> None:
    photos = [summary(number) for number in range(50)]
    known = ById(OnDisk(photos, kind=PhotoSummary).stand_ins())
    assert all(known[photo.source_id].name == photo.name for photo in photos)
    assert [*known] == [photo.source_id for photo in photos]
    assert [photo.name for photo in known.values()] == [photo.name for photo in photos]
    assert known.get("00" * 8) is None
    assert "no id at all" not in known


def test_records_that_are_few_are_held_and_others_stood_in_for(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [summary(number) for number in range(7)]
    for few, kind in ((7, PhotoSummary), (6, on_disk._StandIn)):
        monkeypatch.setattr(on_disk, "FEW", few)
        records = OnDisk(photos, kind=PhotoSummary)
        held, on_demand = records.held(), records.held_on_demand()
        kept = on_disk.kept(iter(photos), PhotoSummary)
        assert all(type(record) is kind for some in (held, on_demand, kept) for record in some)
        assert [*held] == [*on_demand] == [*kept] == photos
        assert records.in_order([3, 0, 6])[1:] == [photos[0], photos[6]]
        some = on_disk.at_hand(records.stand_ins([4, 5, 1]))
        assert [type(record) for record in some] == [PhotoSummary] * 3
        assert [*some] == [photos[4], photos[5], photos[1]]
        assert on_disk.at_hand(held) is held


# --------------------------------------------------------------------------- the end of a run


@given(
    st.dictionaries(st.sampled_from(("a", "rules", "sources2", "zz")), st.lists(st.text())),
    st.lists(st.tuples(st.integers(), st.text())),
)
def test_a_digest_of_entries_written_one_by_one_is_that_of_all_at_once(
    facts: dict[str, Any], entries: list[Any]
) -> None:
    import hashlib

    whole = json.dumps({**facts, "sources": entries}, sort_keys=True)
    assert digest_with(facts, "sources", iter(entries)) == hashlib.sha256(whole.encode()).hexdigest()


def test_only_files_that_changed_are_remembered() -> None:
    at_end = AtEnd()
    at_end.take(1, "aa", Rechecked("aa", ""))
    at_end.take(2, "bb", Rechecked("cc", "it has other bytes"))
    at_end.take(3, "dd", Rechecked("", "it is gone"))
    assert [at_end.sha256_of(row, sha256) for row, sha256 in ((1, "aa"), (2, "bb"), (3, "dd"))] == ["aa", "cc", ""]
    assert [at_end.change_of(row) for row in (1, 2, 3)] == ["", "it has other bytes", "it is gone"]
    assert at_end.changed == 2


# --------------------------------------------------------------------------- a document


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.lists(st.text()), st.floats(allow_nan=False), st.none())))
def test_a_photo_of_a_document_is_written_with_everything_visible(photo: dict[str, Any]) -> None:
    assert _written(photo) == json.dumps(visible_throughout(photo), ensure_ascii=False)


@pytest.mark.parametrize(
    "text", ["plain", "a\nb", "a\tb", '"quoted"', "back\\slash", "\\n", "\x7f", "\u202e", "é", "\udc80"]
)
def test_whatever_could_hide_is_written_out(text: str) -> None:
    assert _written({"text": text, text: 1}) == json.dumps(
        visible_throughout({"text": text, text: 1}), ensure_ascii=False
    )


# --------------------------------------------------------------------------- memory


def held_bytes(make: Any) -> float:
    """Return how many bytes a further photo makes what is kept of them all hold."""
    held = []
    for photos in (500, 5_000):
        tracemalloc.start()
        kept = make(photos)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del kept
    return (held[1] - held[0]) / 4_500


def told(photos: int) -> Said:
    source_ids = tuple(source_id_of(str(number).encode()) for number in range(photos))
    said = Said(Places(numbers(source_ids)))
    for check_id in (f"GF4{number:02}" for number in range(12)):
        rule = Told(said)
        for source_id in source_ids:
            rule.hear(not_testable(check_id, source_id, Sentence("no counter")))
        rule.join(false_discovery.Tested())
    return said


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda photos: Listing.of(Candidate(f"DCIM/{number:06}.jpg".encode()) for number in range(photos)), 24),
        (lambda photos: OnDisk((summary(number) for number in range(photos)), kind=PhotoSummary).stand_ins(), 90),
        (told, 64),
    ],
    ids=["listing", "summaries", "what rules said"],
)
def test_a_further_photo_costs_some_bytes(make: Any, most: int) -> None:
    assert held_bytes(make) < most
