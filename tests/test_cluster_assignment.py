"""How work is shared out: shards, who gets them, what becomes of those that kill, results that are whole or none."""

from __future__ import annotations

import importlib.util
import random
import sqlite3
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.cluster import listing
from gtloc_forensics.case.cluster.addresses import Credentials, address_of, checked
from gtloc_forensics.case.cluster.assignment import Assignment, Rules
from gtloc_forensics.case.cluster.driver import ManyMachines, Patience
from gtloc_forensics.case.cluster.engine import Answer
from gtloc_forensics.case.cluster.examined import Examined
from gtloc_forensics.case.cluster.messages import Outfit, Reply, Request, State, died, unfit, used
from gtloc_forensics.case.cluster.shards import Listed, Most, Shard, cut
from gtloc_forensics.case.cluster.spool import Spool
from gtloc_forensics.errors import ClusterFailed, DamagedCase, UsageError
from gtloc_forensics.examination import on_disk
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.instruments import opened
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Candidate, FileStat
from gtloc_forensics.store.codec import pack, unpack
from gtloc_forensics.store.keys import Stages

MB = 1_000_000
STAGES = Stages(metadata="m", claim="c", image="i", vision="v")
KEY = "ab" * 32


def _simulation() -> ModuleType:
    path = Path(__file__).parents[1] / "benchmarks" / "simulate_scheduler.py"
    spec = importlib.util.spec_from_file_location("simulate_scheduler", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


simulation = _simulation()
Span = simulation.Span  # some numbers in a row: a shard without files


def file(number: int, size_bytes: int = 1000, *sidecars: bytes) -> Listed:
    stat = FileStat(size_bytes, number, 0, 0, 0o100644, number, 1, 1)
    return Listed(Candidate(b"%04d.jpg" % number, sidecars), stat)


# --------------------------------------------------------------------------- shards


def test_a_shard_holds_at_most_256_files_and_256_megabytes() -> None:
    assert [len(shard) for shard in cut(map(file, range(600)), Most(), together=8)] == [256, 256, 88]
    long = [file(number, 30 * MB) for number in range(20)]
    assert [len(shard) for shard in cut(long, Most(), together=1)] == [8, 8, 4]
    longest = [file(0), file(1, 900 * MB), file(2)]
    assert [len(shard) for shard in cut(longest, Most(), together=1)] == [1, 1, 1]


def test_a_shard_ends_where_a_group_for_the_model_does_and_loses_nothing() -> None:
    files = [file(number, size) for number, size in enumerate([30 * MB] * 23 + [1000] * 300)]
    shards = list(cut(files, Most(), together=8))
    assert [entry for shard in shards for entry in shard.files] == files
    assert all(len(shard) % 8 == 0 for shard in shards[:-1])
    assert [len(shard) for shard in cut(map(file, range(600)), Most(), together=50)] == [250, 250, 100]


def test_a_key_speaks_of_files_and_stages_and_not_of_access_times() -> None:
    shard = Shard((file(1, 1000, b"1.xmp"), file(2)))
    assert shard.key(STAGES) == shard.key(STAGES)
    read = Shard((Listed(shard.files[0].candidate, FileStat(1000, 1, 0, 77, 0o100644, 1, 1, 1)), file(2)))
    assert read.key(STAGES) == shard.key(STAGES)
    others = [
        Shard((file(1, 1000), file(2))),
        Shard((file(1, 1001, b"1.xmp"), file(2))),
        Shard((file(2), file(1, 1000, b"1.xmp"))),
    ]
    keys = {other.key(STAGES) for other in others} | {shard.key(Stages("m", "c", "i", "w")), shard.key(STAGES)}
    assert len(keys) == 5


# --------------------------------------------------------------------------- who gets what


def run(
    assignment: Assignment[Span],
    *,
    poison: frozenset[int] = frozenset(),
    seed: int = 0,
    loses: float = 0.0,
) -> tuple[Counter[int], list[int]]:
    """Drive an assignment to its end in random order; return how often each number came out, and those given up."""
    chance = random.Random(seed)
    done: Counter[int] = Counter()
    given_up: list[int] = []
    in_hand: list[tuple[int, Span]] = []
    now = 0.0
    for _ in range(100_000):
        now += 1
        for attempt in assignment.due(now):
            in_hand.append((attempt.number, attempt.shard))
        for _, leaves in assignment.finished():
            for leaf in leaves:
                numbers = range(leaf.shard.first, leaf.shard.first + leaf.shard.count)
                done.update(numbers)
                given_up += numbers if leaf.is_given_up else []
        if assignment.is_over:
            return done, given_up
        if in_hand:
            number, span = in_hand.pop(chance.randrange(len(in_hand)))
            if poison & set(range(span.first, span.first + span.count)):
                assignment.died(number)
            elif chance.random() < loses:
                assignment.lost(number)
            else:
                assignment.done(number, now)
    raise AssertionError("it does not end")


@pytest.mark.parametrize("seed", range(5))
def test_every_file_comes_out_once_and_in_order_whatever_dies(seed: int) -> None:
    chance = random.Random(seed)
    poison = frozenset(chance.sample(range(1000), 7))
    assignment = Assignment([Span(first, 40) for first in range(0, 1000, 40)], Rules(losses=50))
    for place in "abc":
        assignment.joined(place, 2)
    done, given_up = run(assignment, poison=poison, seed=seed, loses=0.1)
    assert done == Counter(range(1000))
    assert given_up == sorted(poison)
    assert assignment.done_files == 1000


def test_shards_come_out_in_the_order_of_the_listing_and_not_of_the_workers() -> None:
    assignment = Assignment([Span(0, 1), Span(1, 1)])
    assignment.joined("a", 2)
    first, second = assignment.due(0)
    assignment.done(second.number, 1)
    assert list(assignment.finished()) == []
    assignment.done(first.number, 2)
    assert [number for number, _ in assignment.finished()] == [0, 1]


def test_what_a_worker_had_that_is_gone_goes_to_another() -> None:
    assignment = Assignment([Span(0, 5), Span(5, 5)])
    assignment.joined("a", 1)
    (lost,) = assignment.due(0)
    assignment.joined("b", 1)
    (other,) = assignment.due(1)
    assert assignment.left("a") == (lost.number,)
    assignment.done(other.number, 2)
    (again,) = assignment.due(3)
    assert (again.place, again.shard) == ("b", lost.shard)
    assignment.done(lost.number, 4)  # too late: nobody waits for it
    assert not assignment.is_over


def test_a_shard_whose_workers_vanish_again_and_again_is_taken_for_the_reason() -> None:
    assignment = Assignment([Span(0, 2)], Rules(losses=2))
    for number in range(4):
        assignment.joined(f"worker {number}", 1)
    sizes = []
    for now in range(4):
        attempt = next(assignment.due(now))
        sizes.append(len(attempt.shard))
        assignment.left(attempt.place)
    assert sizes == [2, 2, 1, 1]


def test_a_late_shard_is_handed_to_a_second_worker_and_the_late_one_gets_nothing_new() -> None:
    rules = Rules(times=4, least_s=10, known_after=2)
    assignment = Assignment([Span(number, 1) for number in range(10)], rules)
    assignment.joined("slow", 2)
    assignment.joined("quick", 1)
    now, held = 0.0, {}
    for attempt in assignment.due(now):
        held[attempt.number] = attempt
    stuck = next(attempt for attempt in held.values() if attempt.place == "slow")
    handed: list[tuple[str, int]] = []
    for _ in range(40):
        now += 1
        for number, attempt in list(held.items()):
            if attempt.place == "quick" or (attempt is not stuck and attempt.place == "slow" and now < 5):
                assignment.done(number, now)
                del held[number]
        for attempt in assignment.due(now):
            held[attempt.number] = attempt
            handed.append((attempt.place, attempt.shard.first))
    assert ("quick", stuck.shard.first) in handed
    finished = [number for number, _ in assignment.finished()]
    assert finished == list(range(10)), "what the slow one holds was done by the other"


def test_a_second_result_of_a_shard_changes_nothing() -> None:
    assignment = Assignment([Span(0, 4)], Rules(first_s=5))
    for place in "ab":
        assignment.joined(place, 1)
    (one,) = assignment.due(0)
    (two,) = assignment.due(6)
    assert (one.shard, one.place) != (two.shard, two.place)
    assignment.done(two.number, 7)
    assert len(list(assignment.finished())) == 1
    assignment.done(one.number, 8)
    assignment.died(one.number)
    assert list(assignment.finished()) == []
    assert assignment.done_files == 4


# --------------------------------------------------------------------------- results


def test_a_result_is_kept_once_and_never_replaced(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cluster")
    spool.keep(KEY, [Examined(b"a.jpg")])
    before = (tmp_path / "cluster" / "ab" / f"{KEY}.examined").stat()
    spool.keep(KEY, [Examined(b"a.jpg"), Examined(b"b.jpg")])
    assert [entry.relative for entry in spool.read(KEY)] == [b"a.jpg"]
    after = (tmp_path / "cluster" / "ab" / f"{KEY}.examined").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in (tmp_path / "cluster" / "ab").iterdir()] == [f"{KEY}.examined"]


@pytest.mark.parametrize("harm", ["shorter", "other", "empty", "of another shard"])
def test_a_result_that_is_not_whole_is_none(harm: str, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cluster")
    spool.keep(KEY, [Examined(b"a.jpg")])
    path = tmp_path / "cluster" / "ab" / f"{KEY}.examined"
    whole = path.read_bytes()
    other = "ac" * 32
    if harm == "of another shard":
        spool.keep(other, [Examined(b"b.jpg")])
        whole = (tmp_path / "cluster" / "ac" / f"{other}.examined").read_bytes()
    path.write_bytes(
        {"shorter": whole[:-40], "other": whole[:-50] + b"x" + whole[-49:], "empty": b"", "of another shard": whole}[
            harm
        ]
    )
    with pytest.raises(DamagedCase, match="not whole"):
        spool.read(KEY)
    assert not spool.is_done(KEY)
    assert not path.exists()
    spool.keep(KEY, [Examined(b"a.jpg")])
    assert spool.is_done(KEY)


def test_a_name_that_is_no_key_reaches_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no shard"):
        Spool(tmp_path / "cluster").is_done("../" + KEY[3:])


def test_results_are_not_kept_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cluster").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="symbolic link"):
        Spool(tmp_path / "cluster")


# --------------------------------------------------------------------------- addresses


def test_addresses_are_read_and_nothing_else_is_one() -> None:
    for text in ("local:4", "tls://machine.example:8786", "tls://[fe80::1]:1", "tcp://127.0.0.1:8786", "tcp://[::1]:9"):
        assert str(address_of(text)) == text
    for text in ("local:0", "local:", "machine:8786", "http://127.0.0.1:1", "tls://a", "tls://a:70000", "tls://a@b:1"):
        with pytest.raises(UsageError, match="is no cluster"):
            address_of(text)


def test_tls_without_credentials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs --credentials"):
        checked(address_of("tls://machine:1"), None)
    with pytest.raises(UsageError, match=r"lacks ca\.pem, certificate\.pem, key\.pem"):
        checked(address_of("tls://machine:1"), Credentials(tmp_path))


# --------------------------------------------------------------------------- the driver, with an engine of our own


@dataclass
class HandMade:
    """An engine whose worker is this thread: it answers as it is told to, after doing the work in earnest."""

    work: ManyMachinesByHand
    asked: list[Request] = field(default_factory=list)
    waiting: list[tuple[int, Request]] = field(default_factory=list)

    def places(self) -> Mapping[str, int]:
        return {"here": 1}

    def submit(self, attempt: int, place: str, request: bytes) -> None:
        read = unpack(Request, request)
        self.asked.append(read)
        self.waiting.append((attempt, read))

    def poll(self, seconds: float) -> Sequence[Answer]:
        answers = [Answer(attempt, self.work.reply(request)) for attempt, request in self.waiting]
        self.waiting.clear()
        return answers

    def close(self) -> None:
        pass


class ManyMachinesByHand:
    """Answers of a worker: by default it says that a result is there which nobody wrote."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: Iterator[Reply] = iter(replies)

    def reply(self, request: Request) -> Reply:
        return next(self.replies, Reply(State.DONE))


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (32, 24), (number * 20, 9, 9)).save(folder / f"{number}.jpg")
    return folder


def gather(evidence: Path, case_folder: Path, engine: HandMade, told: list[str] | None = None) -> None:
    settings = Settings(model="none", jobs=0)
    driver = ManyMachines(
        lambda: engine,
        case_folder,
        lambda *_: None,
        told=([] if told is None else told).append,
        most=Most(sources=2),
        patience=Patience(alone_s=2, unfit_s=0.1, sight_s=0.3),
    )
    with (
        open_case(evidence, case_folder) as case,
        opened(settings) as instruments,
        case.locked(),
    ):
        work = case_folder / "work"
        work.mkdir(exist_ok=True)
        Gathering(
            case.store,
            evidence,
            instruments,
            settings=settings,
            work=work,
            progress=lambda *_: None,
            elsewhere=driver,
        ).run()


def rejected(case_folder: Path) -> int:
    with sqlite3.connect(case_folder / "case.sqlite") as database:
        return int(database.execute("SELECT count(*) FROM source").fetchone()[0])


def test_a_worker_that_does_not_fit_is_left_out_and_its_reason_told(evidence: Path, tmp_path: Path) -> None:
    engine = HandMade(ManyMachinesByHand(unfit("exiftool is missing")))
    told: list[str] = []
    with pytest.raises(ClusterFailed, match=r"no worker can examine this case \(here: exiftool is missing\)"):
        gather(evidence, tmp_path / "case", engine, told)
    assert "here is left out: exiftool is missing" in told


def test_files_over_which_every_process_dies_are_halved_and_given_up_with_the_reason(
    evidence: Path, tmp_path: Path
) -> None:
    engine = HandMade(ManyMachinesByHand(*[died("it was ended by signal 11")] * 100))
    gather(evidence, tmp_path / "case", engine)
    sizes = Counter(len(request.shard) for request in engine.asked)
    assert sizes == {2: 2, 1: 12}, "two shards once, four files three times each"
    assert rejected(tmp_path / "case") == 0
    assert [path.name for path in (tmp_path / "case" / "cluster").iterdir()] == [listing.FINISHED]


def test_a_result_that_nobody_sees_is_not_believed(evidence: Path, tmp_path: Path) -> None:
    engine = HandMade(ManyMachinesByHand(Reply(State.DONE), *[died("of this")] * 100))
    told: list[str] = []
    gather(evidence, tmp_path / "case", engine, told)
    assert any("which is not seen here" in line for line in told)


def test_a_worker_that_reads_other_files_is_noticed_and_nothing_of_it_kept(evidence: Path, tmp_path: Path) -> None:
    from gtloc_forensics.case.cluster.examined import Acquired
    from gtloc_forensics.records import Source, source_id_of

    class OtherFiles(ManyMachinesByHand):
        def reply(self, request: Request) -> Reply:
            sent = []
            for entry in request.shard.files:
                relative = entry.candidate.relative
                assert entry.stat is not None
                source = Source(source_id_of(relative), relative, "0" * 64, entry.stat, "image/jpeg")
                sent.append(Examined(relative, acquired=Acquired(source, (), True, ())))
            Spool(tmp_path / "case" / "cluster").keep(request.key, sent)
            return Reply(State.DONE)

    with pytest.raises(ClusterFailed, match="a worker read another file than the one here"):
        gather(evidence, tmp_path / "case", HandMade(OtherFiles()))
    assert rejected(tmp_path / "case") == 0


def test_a_worker_that_is_stopped_holds_nothing_against_its_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots_of = pytest.importorskip("gtloc_forensics.case.cluster.slots", reason="Dask is not installed")
    slots = slots_of.Slots(1, tmp_path, evidence=None, results=None)

    def ended(slot: object, request: Request) -> Reply:
        slots.teardown(None)
        return died("it was ended by signal 9")

    monkeypatch.setattr(slots_of._Slot, "do", ended)
    outfit = Outfit(b"/evidence", "none", "cpu", 50, (), (), False, 0)
    request = Request(KEY, Shard((file(1),)), outfit, used(STAGES), b"/results", 8, 1.0)
    with pytest.raises(RuntimeError, match="stopped"):
        slots.do(pack(request))


# --------------------------------------------------------------------------- the listing


def test_a_stopped_run_finds_its_shards_again_and_adds_what_came_behind_them(evidence: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()

    def asked() -> list[listing.Wanted]:
        found = [Candidate(path.name.encode()) for path in sorted(evidence.iterdir())]
        return listing.wanted(folder, evidence, found, most=Most(sources=2), together=1)

    first = asked()
    assert [len(wanted.shard) for wanted in first] == [2, 2]
    assert [wanted.shard.key(STAGES) for wanted in asked()] == [wanted.shard.key(STAGES) for wanted in first]
    (evidence / "0-new.jpg").write_bytes(b"new")
    (evidence / "3.jpg").write_bytes(b"changed")
    later = asked()
    assert [wanted.shard for wanted in later[:2]] == [wanted.shard for wanted in first]
    assert [sorted(wanted.left) for wanted in later] == [
        [b"0.jpg", b"1.jpg"],
        [b"2.jpg"],
        [b"0-new.jpg", b"3.jpg"],
    ]
    (folder / listing.OPEN).write_bytes(b"\x1f\x8b damaged")
    assert sum(len(wanted.shard) for wanted in asked()) == 5, "a listing that cannot be read is made anew"


def test_what_a_listing_holds_does_not_grow_with_the_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing.reading, "look", lambda evidence, relative: file(1).stat)
    monkeypatch.setattr(on_disk, "BUFFER_BYTES", 1 << 10)  # else how full a buffer is counts for more than the photos

    def held(photos: int) -> tuple[list[int], list[int]]:
        """Return what two listings one after the other hold, and the most they held while they were made."""
        folder = tmp_path / str(photos)
        folder.mkdir()
        names = (f"{number // 100:04}/IMG_{number:06}.jpg".encode() for number in range(photos))
        candidates = OnDisk(map(Candidate, names), kind=Candidate)
        after, most = [], []
        tracemalloc.start()
        try:
            for _ in range(2):  # the second time the listing is there
                before = tracemalloc.get_traced_memory()[0]
                tracemalloc.reset_peak()
                asked = listing.wanted(folder, folder, candidates, most=Most(), together=8)
                now, peak = tracemalloc.get_traced_memory()
                after.append(now - before)
                most.append(peak - before)
                assert sum(len(wanted.left) for wanted in asked) == photos
                del asked
        finally:
            tracemalloc.stop()
        return after, most

    held(600)  # what is loaded, and remembered, once
    few, many = held(700), held(2_300)
    for now, later in zip(few, many, strict=True):
        each = [(b - a) / 1_600 for a, b in zip(now, later, strict=True)]
        assert max(each) < 40, f"{each} bytes a photo, first and second time; it was 360"


# --------------------------------------------------------------------------- the simulation


@pytest.mark.parametrize("seed", [1, 2])
def test_the_simulation_gives_every_photo_out_once_whatever_happens(seed: int) -> None:
    world = simulation.World(
        shards=400, files=64, workers=8, slots=2, poison=2e-4, slow=0.3, crashes_a_day=100.0, lost_answers=0.05
    )
    came = simulation.simulate(world, seed)
    assert came["photos that came out exactly once"] == 400 * 64
    assert came["given up"] == came["of these photos that kill"] == 5
    assert came["workers gone"] and came["answers lost"] and came["processes that died"]
