"""Watching folders: what is complete is announced once, whatever happens to cards, clocks and names."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_discover import JPEG, PNG, XMP, put
from watchdog.events import DirCreatedEvent, DirMovedEvent

from gtloc_forensics.files import mounts
from gtloc_forensics.files.watching import Arrival, News, Notice, Watcher
from gtloc_forensics.files.watching import watcher as watch_module
from gtloc_forensics.files.watching.events import Report, Sign, _Translator
from gtloc_forensics.files.watching.files import Seen, is_temporary
from gtloc_forensics.records import Candidate

STABLE = 2.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeObservation:
    """An observation whose news a test makes up."""

    def __init__(self, root: Path, report: Report, *, poll_s: float | None) -> None:
        self.root, self.report, self.poll_s = root, report, poll_s
        self.is_alive = True
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


class Bench:
    """A watcher on a fake clock with made-up notices, over real files."""

    def __init__(self, *roots: Path, **options: object) -> None:
        self.clock = Clock()
        self.observations: list[FakeObservation] = []
        self.watcher = Watcher(roots, stable_s=STABLE, clock=self.clock, observes=self._observe, poll=False, **options)  # type: ignore[arg-type]

    def _observe(self, root: Path, report: Report, *, poll_s: float | None) -> FakeObservation:  # type: ignore[override]
        self.observations.append(FakeObservation(root, report, poll_s=poll_s))
        return self.observations[-1]

    def tell(self, name: bytes, sign: Sign) -> None:
        self.observations[-1].report(name, sign)

    def after(self, seconds: float) -> list[News]:
        """Let time pass in small steps and return all news of it."""
        news: list[News] = []
        end = self.clock.now + seconds
        while True:
            for _ in range(1000):
                more = self.watcher.look()
                news += more
                if not more:
                    break
            if self.clock.now >= end:
                return news
            self.clock.now = min(end, self.clock.now + 0.5)

    def names_after(self, seconds: float) -> list[bytes]:
        return names(self.after(seconds))

    def kinds_after(self, seconds: float) -> list[str]:
        return [notice.kind for notice in self.after(seconds) if isinstance(notice, Notice)]


def names(news: list[News]) -> list[bytes]:
    return [new.candidate.relative for new in news if isinstance(new, Arrival)]


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "card").mkdir()
    return tmp_path / "card"


@pytest.fixture
def bench(card: Path) -> Bench:
    made = Bench(card)
    made.after(0)
    return made


# --------------------------------------------------------------------------- complete files


def test_what_lies_there_at_the_start_is_announced_in_order(card: Path) -> None:
    for name in ("b.jpg", "a/z.jpg", "a.jpg", "notes.txt"):
        put(card / name)
    put(card / "notes.txt", b"hello")
    bench = Bench(card)
    assert bench.names_after(STABLE / 2) == []
    assert bench.names_after(STABLE) == [b"a.jpg", b"a/z.jpg", b"b.jpg"]
    assert bench.names_after(1000) == [], "and never again while nothing changes, through several rescans"


def test_a_closed_file_is_announced_at_once(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.APPEARED)
    bench.tell(b"a.jpg", Sign.WRITTEN)
    assert bench.names_after(0) == []
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.after(0) == [Arrival(card, Candidate(b"a.jpg"))]


def test_a_file_that_grows_slowly_is_announced_when_it_is_closed(card: Path, bench: Bench) -> None:
    for _ in range(20):
        with open(card / "a.jpg", "ab") as file:
            file.write(JPEG)
        bench.tell(b"a.jpg", Sign.WRITTEN)
        assert bench.names_after(3 * STABLE) == [], "longer than the stable time between two pieces"
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]


def test_without_a_close_a_file_is_complete_when_it_stood_still(card: Path, bench: Bench) -> None:
    for number in range(5):
        put(card / "a.jpg", JPEG * (number + 1))
        bench.tell(b"a.jpg", Sign.APPEARED)
        assert bench.names_after(STABLE * 0.75) == []
    assert bench.names_after(STABLE * 2) == [b"a.jpg"]


def test_a_change_nobody_told_of_is_noticed_while_waiting(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.APPEARED)
    bench.after(STABLE)  # first look: its state is known now
    put(card / "a.jpg", JPEG * 2)
    assert bench.names_after(STABLE * 0.75) == []
    assert bench.names_after(STABLE * 1.5) == [b"a.jpg"]


def test_an_empty_file_closed_is_waited_for(card: Path, bench: Bench) -> None:
    """Many a program creates a file, closes it, and opens it again to write."""
    put(card / "a.jpg", b"")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(STABLE * 3) == []
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]
    put(card / "empty.jpg", b"")
    bench.tell(b"empty.jpg", Sign.COMPLETE)
    assert bench.names_after(STABLE * 12) == [b"empty.jpg"]


def test_a_file_changed_later_is_announced_again(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(STABLE * 2) == [], "closed again, but not changed"
    put(card / "a.jpg", JPEG * 2)
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]


def test_a_sidecar_brings_its_photo_back(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    bench.after(0)
    put(card / "a.xmp", XMP)
    bench.tell(b"a.xmp", Sign.COMPLETE)
    assert bench.after(0) == [Arrival(card, Candidate(b"a.jpg", (b"a.xmp",)))]


def test_a_sidecar_does_not_bring_a_photo_that_is_still_written(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.WRITTEN)
    put(card / "a.xmp", XMP)
    bench.tell(b"a.xmp", Sign.COMPLETE)
    assert bench.names_after(STABLE) == []
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.after(0) == [Arrival(card, Candidate(b"a.jpg", (b"a.xmp",)))]


def test_a_file_that_vanished_is_no_news(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    os.unlink(card / "a.jpg")
    assert bench.names_after(STABLE * 2) == []


def test_what_could_not_be_worked_on_is_announced_again(card: Path, bench: Bench) -> None:
    put(card / "a.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    (arrival,) = bench.after(0)
    assert isinstance(arrival, Arrival)
    bench.watcher.again(arrival, after_s=30)
    assert bench.names_after(29) == []
    assert bench.names_after(1 + STABLE * 2) == [b"a.jpg"]


# --------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    "name",
    [
        *(b"a.jpg.part", b"a.crdownload", b"a.TMP", b"a.jpg~", b"a.jpg.filepart", b"~$a.jpg", b".a.jpg.Xy12Zq"),
        *(b".hidden/a.jpg", b"a/.b/c.jpg", b"x/~syncthing~a.jpg.tmp"),
    ],
)
def test_names_of_unfinished_files_are_known(name: bytes) -> None:
    assert is_temporary(name)


@pytest.mark.parametrize("name", [b"a.jpg", b"part.jpg", b"tmp/a.jpg", b"a.tmp.jpg", b"a~/b.jpg", b"x~y.jpg"])
def test_names_of_photos_are_not_mistaken_for_them(name: bytes) -> None:
    assert not is_temporary(name)


def test_a_temporary_file_is_ignored_until_it_gets_its_name(card: Path, bench: Bench) -> None:
    put(card / "a.jpg.part")
    bench.tell(b"a.jpg.part", Sign.COMPLETE)
    assert bench.names_after(400) == [], "not even by a rescan"
    (card / "a.jpg.part").rename(card / "a.jpg")
    bench.tell(b"a.jpg.part", Sign.GONE)
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]


def test_a_folder_moved_in_is_looked_through(card: Path, bench: Bench, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere/sub/a.jpg")
    put(tmp_path / "elsewhere/b.jpg")
    (tmp_path / "elsewhere").rename(card / "new")
    bench.tell(b"new", Sign.FOLDER)
    assert bench.names_after(STABLE * 1.5) == [b"new/b.jpg", b"new/sub/a.jpg"]


def test_files_of_a_renamed_folder_are_new_files(card: Path) -> None:
    put(card / "old/a.jpg")
    bench = Bench(card)
    assert bench.names_after(STABLE * 1.5) == [b"old/a.jpg"]
    (card / "old").rename(card / "new")
    bench.tell(b"old", Sign.GONE)
    bench.tell(b"new", Sign.FOLDER)
    assert bench.names_after(STABLE * 1.5) == [b"new/a.jpg"]


# --------------------------------------------------------------------------- lost notices, many files


def test_what_no_notice_told_of_is_found_by_the_next_full_look(card: Path, bench: Bench) -> None:
    assert bench.names_after(10) == []
    put(card / "silent.jpg")
    assert bench.names_after(200) == []
    assert bench.names_after(110 + STABLE * 2) == [b"silent.jpg"]


def test_five_thousand_files_at_once_are_each_announced_once(card: Path, bench: Bench) -> None:
    wanted = [f"{number // 1000}/IMG_{number:05}.jpg".encode() for number in range(5000)]
    for name in wanted:
        put(os.fsencode(card) + b"/" + name, b"\xff\xd8\xff")
        bench.tell(name, Sign.APPEARED)
        bench.tell(name, Sign.COMPLETE)
    found = bench.names_after(STABLE)
    assert sorted(found) == wanted
    assert bench.names_after(700) == [], "two rescans later"


def test_more_changes_than_can_be_kept_lead_to_a_full_look(
    card: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "MOST_WAITING", 20)
    wanted = [f"{number:03}.jpg".encode() for number in range(200)]
    for name in wanted:
        put(os.fsencode(card) + b"/" + name, b"\xff\xd8\xff")
        bench.tell(name, Sign.COMPLETE)
    assert len(bench.watcher._waiting) <= 20
    news = bench.after(STABLE * 60)
    assert sorted(names(news)) == wanted
    assert "overflow" in [new.kind for new in news if isinstance(new, Notice)]
    assert len(bench.watcher._waiting) == 0


def test_a_scan_goes_on_where_it_paused(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "SCAN_SLICE", 3)
    wanted = [f"{number:03}.jpg".encode() for number in range(20)]
    for name in wanted:
        put(os.fsencode(card) + b"/" + name)
    assert sorted(Bench(card).names_after(STABLE * 10)) == wanted


def test_the_memory_for_what_was_announced_does_not_grow(tmp_path: Path) -> None:
    seen = Seen(rows=1 << 5)
    before = sys.getsizeof(seen._names)
    for number in range(10_000):
        seen.put((0, b"%d" % number), (1, 2, 3))
        assert seen.holds((0, b"%d" % number), (1, 2, 3))
        assert not seen.holds((0, b"%d" % number), (1, 2, 4))
        assert not seen.holds((1, b"%d" % number), (1, 2, 3))
    assert sys.getsizeof(seen._names) == before
    seen.forget((0, b"9999"))
    assert not seen.holds((0, b"9999"), (1, 2, 3))


def test_a_hundred_thousand_files_are_remembered() -> None:
    seen = Seen()
    keys = [(0, f"DCIM/{number}.jpg".encode()) for number in range(100_000)]
    for key in keys:
        seen.put(key, (1, 2, 3))
    assert sum(not seen.holds(key, (1, 2, 3)) for key in keys) < 50


def test_what_was_forgotten_is_announced_again_and_nothing_is_missed(
    card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "Seen", lambda: Seen(rows=1))
    wanted = {f"{number:03}.jpg".encode() for number in range(50)}
    for name in wanted:
        put(os.fsencode(card) + b"/" + name)
    bench = Bench(card)
    assert set(bench.names_after(STABLE * 2)) == wanted
    assert set(bench.names_after(310)) <= wanted


# --------------------------------------------------------------------------- cards and clocks


def test_a_card_pulled_out_and_put_back_is_followed(card: Path, bench: Bench, tmp_path: Path) -> None:
    put(card / "a.jpg")
    put(card / "half.jpg")
    bench.tell(b"a.jpg", Sign.COMPLETE)
    assert bench.names_after(0) == [b"a.jpg"]
    bench.tell(b"half.jpg", Sign.WRITTEN)
    card.rename(tmp_path / "pulled")
    (gone,) = bench.after(1)
    assert isinstance(gone, Notice)
    assert (gone.kind, "1 files were not complete" in gone.text) == ("gone", True)
    assert bench.observations[0].stopped
    assert not bench.watcher._waiting
    assert bench.after(1000) == []
    put(tmp_path / "pulled/b.jpg")
    (tmp_path / "pulled").rename(card)
    news = bench.after(1 + STABLE * 2)
    assert [new.kind for new in news if isinstance(new, Notice)] == ["back", "rescanned"]
    assert names(news) == [b"b.jpg", b"half.jpg"], "what was announced before is not announced again"
    assert len(bench.observations) == 2


def test_another_card_in_the_same_place_is_another_folder(card: Path, bench: Bench, tmp_path: Path) -> None:
    card.rename(tmp_path / "pulled")
    put(card / "new.jpg")
    news = bench.after(1 + STABLE * 2)
    assert [new.kind for new in news if isinstance(new, Notice)] == ["gone", "back", "rescanned"]
    assert names(news) == [b"new.jpg"]


def test_an_observation_that_died_is_begun_again(card: Path, bench: Bench) -> None:
    bench.observations[0].is_alive = False
    put(card / "a.jpg")
    assert bench.names_after(1 + STABLE * 2) == [b"a.jpg"]
    assert len(bench.observations) == 2


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "later")
    assert bench.kinds_after(10) == ["absent"]
    put(tmp_path / "later/a.jpg")
    assert bench.names_after(1 + STABLE * 2) == [b"a.jpg"]


def test_a_folder_that_cannot_be_watched_is_looked_at(card: Path) -> None:
    put(card / "a.jpg")
    asked = []

    def no_watches_left(root: Path, report: Report, *, poll_s: float | None) -> FakeObservation:
        asked.append(poll_s)
        if poll_s is None:
            raise OSError(28, "No space left on device")
        return FakeObservation(root, report, poll_s=poll_s)

    watcher = Watcher([card], clock=Clock(), observes=no_watches_left)  # type: ignore[arg-type]
    (notice, *_) = watcher.look()
    assert isinstance(notice, Notice)
    assert notice.kind == "polling"
    assert asked == [None, watch_module.POLL_SECONDS]


def test_setting_the_clock_of_the_computer_changes_nothing(
    card: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files from tomorrow and from 1970, and a wall clock that jumps by years in between."""
    put(card / "future.jpg")
    put(card / "past.jpg")
    os.utime(card / "future.jpg", (4e9, 4e9))
    os.utime(card / "past.jpg", (0, 0))
    wall = itertools.cycle([0.0, 4e9, 1.0])
    monkeypatch.setattr(time, "time", lambda: next(wall))
    for name in (b"future.jpg", b"past.jpg"):
        bench.tell(name, Sign.APPEARED)
    assert bench.names_after(STABLE * 0.9) == []
    assert bench.names_after(STABLE * 1.5) == [b"future.jpg", b"past.jpg"]


def test_two_folders_are_watched_side_by_side(tmp_path: Path) -> None:
    put(tmp_path / "one/a.jpg")
    put(tmp_path / "two/a.jpg", PNG)
    bench = Bench(tmp_path / "one", tmp_path / "two")
    arrivals = [event for event in bench.after(STABLE * 2) if isinstance(event, Arrival)]
    assert [arrival.root.name for arrival in arrivals] == ["one", "two"]
    shutil.rmtree(tmp_path / "one")
    assert bench.kinds_after(1) == ["gone"]


# --------------------------------------------------------------------------- single runs


def test_a_single_run_ends_when_everything_was_announced(card: Path) -> None:
    for number in range(120):
        put(card / f"{number:03}.jpg")
    with Watcher([card], stable_s=0.1, once=True) as watcher:
        found = names([arrival for batch in watcher.batches(most=50) for arrival in batch])
    assert found == [f"{number:03}.jpg".encode() for number in range(120)]


def test_a_single_run_does_not_wait_for_ever(card: Path) -> None:
    put(card / "a.jpg")
    bench = Bench(card, once=True)
    news: list[News] = []
    for number in range(100):
        put(card / "growing.jpg", JPEG * (number + 1))
        news += bench.after(STABLE * 0.9)
        if bench.watcher.is_done:
            break
    assert names(news) == [b"a.jpg"]
    assert "growing.jpg keeps changing" in next(
        new.text for new in news if isinstance(new, Notice) and new.kind == "unfinished"
    )
    assert bench.watcher.is_done


def test_a_single_run_over_a_folder_that_is_not_there_ends(tmp_path: Path) -> None:
    with Watcher([tmp_path / "nothing"], once=True) as watcher:
        kinds = [event.kind for event in watcher if isinstance(event, Notice)]
    assert kinds == ["absent"]


# --------------------------------------------------------------------------- the real thing


class Running:
    """A watcher in a thread of its own, on the real clock and the real system."""

    def __init__(self, *roots: Path, **options: object) -> None:
        self.stop = threading.Event()
        self.news: list[tuple[float, News]] = []
        options = {"stable_s": 0.4, **options}
        self.watcher = Watcher(roots, stop=self.stop, **options)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for event in self.watcher:
            self.news.append((time.monotonic(), event))

    def names(self) -> list[bytes]:
        return names([new for _, new in self.news])

    def kinds(self) -> list[str]:
        return [new.kind for _, new in self.news if isinstance(new, Notice)]

    def until(self, true: Callable[[], bool], *, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"{self.names()[-5:]} {self.kinds()}"
            time.sleep(0.02)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def running(card: Path) -> Iterator[Running]:
    made = Running(card)
    made.until(lambda: "rescanned" in made.kinds())
    yield made
    made.end()


def test_a_copied_file_arrives(card: Path, running: Running) -> None:
    put(card / "a.jpg", JPEG * 1000)
    running.until(lambda: running.names() == [b"a.jpg"])


def test_names_that_are_no_text_arrive(card: Path, running: Running) -> None:
    put(os.fsencode(card) + b"/\xff\xfe\n.jpg")
    running.until(lambda: running.names() == [b"\xff\xfe\n.jpg"])


def test_a_download_arrives_under_its_final_name_only(card: Path, running: Running) -> None:
    with open(card / "a.jpg.part", "wb") as file:
        for _ in range(5):
            file.write(JPEG)
            file.flush()
            time.sleep(0.05)
    (card / "a.jpg.part").rename(card / "a.jpg")
    running.until(lambda: running.names() == [b"a.jpg"])


def test_files_moved_in_from_elsewhere_arrive(card: Path, running: Running, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "roll/sub/b.jpg")
    (tmp_path / "a.jpg").rename(card / "a.jpg")
    (tmp_path / "roll").rename(card / "roll")
    running.until(lambda: sorted(running.names()) == [b"a.jpg", b"roll/sub/b.jpg"])
    put(card / "roll/sub/later.jpg")
    running.until(lambda: b"roll/sub/later.jpg" in running.names())


def test_a_file_renamed_into_the_folder_is_complete_at_once(card: Path, tmp_path: Path) -> None:
    running = Running(card, stable_s=60.0)
    try:
        running.until(lambda: "rescanned" in running.kinds())
        put(tmp_path / "a.jpg")
        (tmp_path / "a.jpg").rename(card / "a.jpg")
        running.until(lambda: running.names() == [b"a.jpg"])
    finally:
        running.end()


def test_the_content_of_a_folder_made_or_moved_is_looked_for(tmp_path: Path) -> None:
    signs: list[tuple[bytes, Sign]] = []
    translator = _Translator(tmp_path, lambda relative, sign: signs.append((relative, sign)), tells_closing=True)
    translator.on_any_event(DirCreatedEvent(f"{tmp_path}/new"))
    translator.on_any_event(DirMovedEvent(f"{tmp_path}/new", f"{tmp_path}/newer"))
    translator.on_any_event(DirCreatedEvent(f"{tmp_path}x/elsewhere"))
    assert signs == [(b"new", Sign.FOLDER), (b"new", Sign.GONE), (b"newer", Sign.FOLDER)]


def test_files_moved_into_a_folder_made_in_the_same_moment_arrive(card: Path, running: Running) -> None:
    put(card / "a.jpg")
    (card / "sub").mkdir()
    (card / "a.jpg").rename(card / "sub/c.jpg")
    running.until(lambda: b"sub/c.jpg" in running.names())


def test_a_file_being_written_does_not_arrive_before_it_is_closed(card: Path, running: Running) -> None:
    with open(card / "a.jpg", "wb") as file:
        for _ in range(4):
            file.write(JPEG)
            file.flush()
            time.sleep(0.6)  # longer than the stable time of 0.4 s
            assert running.names() == []
    running.until(lambda: running.names() == [b"a.jpg"])


def test_many_files_at_once_each_arrive_once(card: Path, running: Running) -> None:
    wanted = [f"DCIM/{number // 500}/IMG_{number:05}.jpg".encode() for number in range(5000)]
    for name in wanted:
        put(os.fsencode(card) + b"/" + name, b"\xff\xd8\xff")
    running.until(lambda: len(running.names()) >= 5000, seconds=120)
    assert sorted(running.names()) == wanted


def test_our_own_reading_is_no_news(card: Path, running: Running) -> None:
    put(card / "a.jpg")
    running.until(lambda: running.names() == [b"a.jpg"])
    time.sleep(0.3)
    signs: list[Sign] = []
    running.watcher._notice = lambda number, relative, sign: signs.append(sign)  # type: ignore[method-assign]
    (card / "a.jpg").read_bytes()
    time.sleep(0.3)
    assert signs == []


def test_a_folder_removed_and_made_again_is_followed(card: Path, running: Running) -> None:
    put(card / "a.jpg")
    running.until(lambda: running.names() == [b"a.jpg"])
    shutil.rmtree(card)
    running.until(lambda: "gone" in running.kinds())
    put(card / "b.jpg")
    running.until(lambda: running.names() == [b"a.jpg", b"b.jpg"])
    put(card / "c.jpg")
    running.until(lambda: b"c.jpg" in running.names())


def mounted(card: Path) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "card", card], capture_output=True, check=False)
    return done.returncode == 0


def test_a_card_mounted_unmounted_and_mounted_again_is_followed(card: Path) -> None:
    if not mounted(card):
        pytest.skip("mounting is not allowed here")
    running = Running(card)
    try:
        put(card / "a.jpg")
        running.until(lambda: running.names() == [b"a.jpg"])
        subprocess.run(["umount", card], check=True)  # fails if the watcher holds it busy
        running.until(lambda: running.kinds()[-2:] == ["back", "rescanned"])  # the bare mount point
        assert mounted(card)
        put(card / "b.jpg")
        running.until(lambda: running.names() == [b"a.jpg", b"b.jpg"])
    finally:
        running.end()
        subprocess.run(["umount", card], check=False)


def test_polling_finds_what_watching_does(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.2)
    running = Running(card, poll=True)
    try:
        running.until(lambda: "rescanned" in running.kinds())
        assert "polling" in running.kinds()
        put(card / "a.jpg")
        put(card / "sub/b.jpg")
        put(card / "c.jpg.part")
        running.until(lambda: sorted(running.names()) == [b"a.jpg", b"sub/b.jpg"])
        (card / "c.jpg.part").rename(card / "c.jpg")
        running.until(lambda: b"c.jpg" in running.names())
    finally:
        running.end()


def test_stopping_leaves_within_a_batch(card: Path) -> None:
    for number in range(200):
        put(card / f"{number:03}.jpg")
    stop = threading.Event()
    taken = 0
    for batch in Watcher([card], stable_s=0.1, stop=stop).batches(most=10):
        taken += len(names(list(batch)))
        if taken:
            stop.set()
    assert taken == 10


# --------------------------------------------------------------------------- file systems


MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 22 0:40 / /mnt/nas rw,relatime - nfs4 server:/export rw
41 22 0:41 / /mnt/my\\040card rw - vfat /dev/sdb1 rw
42 22 0:42 / /mnt/phone rw - fuse.simple-mtpfs mtp rw
43 41 0:43 / /mnt/my\\040card rw - cifs //server/share rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind", "remote"),
    [
        ("/home/x", "ext4", False),
        ("/mnt/nas/photos", "nfs4", True),
        ("/mnt/nas", "nfs4", True),
        ("/mnt/nas2", "ext4", False),
        ("/mnt/my card/DCIM", "cifs", True),
        ("/mnt/phone/x", "fuse.simple-mtpfs", True),
    ],
)
def test_the_file_system_of_a_folder_decides_how_it_is_watched(folder: str, kind: str, remote: bool) -> None:
    assert mounts.file_system_type(Path(folder), mountinfo=MOUNTINFO) == kind
    assert mounts.is_remote(kind) == remote


def test_a_share_is_polled_without_being_asked(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mounts, "file_system_type", lambda root: "cifs")
    asked: list[float | None] = []

    def observe(root: Path, report: Report, *, poll_s: float | None) -> FakeObservation:
        asked.append(poll_s)
        return FakeObservation(root, report, poll_s=poll_s)

    (notice, *_) = Watcher([card], clock=Clock(), observes=observe).look()  # type: ignore[arg-type]
    assert asked == [watch_module.POLL_SECONDS]
    assert isinstance(notice, Notice)
    assert "cifs" in notice.text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_file_system_here_is_known() -> None:
    assert mounts.file_system_type(Path("/proc")) == "proc"
