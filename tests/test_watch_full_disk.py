"""A disk that fills up, wherever it is: no photo is lost, no finding is told twice, nothing ends in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo, snapshot

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.notify import Message, Notifier
from gtloc_forensics.case.telling import Telling
from gtloc_forensics.case.watching import WatchSettings
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import WorkspaceFull
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.store.database import Store

QUICK = WatchSettings(quiet_s=0.3, report_every_s=60.0, report=False)
SIZE = "12m"


class Listening:
    """A hook that counts what it is told of photos."""

    name = "listening"

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()

    def deliver(self, message: Message) -> None:
        if message["event"] != "cause":
            self.told[str(message["photo"])] += 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small", place], check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here: a small disk cannot be made")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=False)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; return the file that does it."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 512):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    assert os.statvfs(disk).f_bavail == 0
    return ballast


class Session:
    """A watch session in a thread, what it logged and whom it told."""

    def __init__(self, card: Path, case: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self.hook, self.stop, self.failure = Listening(), threading.Event(), None
        self._case = open_case(card, case, watched=[card])
        self._thread = threading.Thread(target=self._run, args=(card,))
        self._thread.start()

    def _run(self, card: Path) -> None:
        try:
            self._case.watch(
                [card],
                INLINE,
                watch_settings=QUICK,
                notifier=Notifier([self.hook], most_per_minute=1000),
                log=self.events.append,
                stop=self.stop,
                stable_s=0.1,
            )
        except BaseException as error:
            self.failure = error

    def until(self, condition: Callable[[], bool], seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert self.failure is None, self.failure
            assert time.monotonic() < end, self.events[-10:]
            time.sleep(0.05)

    def count(self, event: str) -> int:
        return sum(one["event"] == event for one in list(self.events))

    def end(self) -> None:
        self.stop.set()
        self._thread.join(60)
        self._case.close()
        assert self.failure is None, self.failure


def arrive(card: Path, *numbers: int) -> None:
    for number in numbers:
        photo(card / f"{number:02}.jpg", number, taken="2060:06:15 12:00:00")  # later than it can have been taken


@pytest.mark.parametrize("full", ["the disk of the case", "the disk of temporary files"])
def test_a_full_disk_costs_no_photo_and_nobody_is_told_twice(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.RETRY_S", 0.5)
    card, case = tmp_path / "card", tmp_path / "case"
    card.mkdir()
    if full == "the disk of the case":
        case = small_disk / "case"
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
        monkeypatch.setenv("TMPDIR", str(small_disk))
    session = Session(card, case)
    try:
        arrive(card, 0, 1, 2)  # before
        session.until(lambda: session.hook.told.total() >= 3)
        ballast = fill(small_disk)
        arrive(card, *range(3, 8))  # while there is no room
        session.until(lambda: session.count("disk full") >= 2)
        ballast.unlink()
        arrive(card, 8, 9)  # after
        session.until(lambda: len(session.hook.told) == 10)
        importing = threading.Thread(target=arrive, args=(card, *range(10, 24)))
        importing.start()
        ballast = fill(small_disk)  # in the middle of an import
        importing.join()
        session.until(lambda: session.count("disk full") >= 3)
        ballast.unlink()
        session.until(lambda: len(session.hook.told) == 24)
        concluded = session.count("concluded")
        session.until(lambda: session.count("concluded") > concluded or session.events[-1]["event"] != "disk full")
    finally:
        session.end()
    before = snapshot(card)
    again = Session(card, case)
    again.until(lambda: again.count("concluded") >= 1)
    again.end()
    assert set((session.hook.told + again.hook.told).values()) == {1}
    assert len(session.hook.told) == 24
    assert snapshot(card) == before
    result = CliRunner().invoke(gtloc, ["verify", str(case), "--sample", "0"])
    assert result.exit_code == 0, result.output
    assert "24 sources" in result.output


def test_without_room_to_keep_that_it_was_told_a_hook_is_not_told_and_later_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hook = Store(tmp_path / "case.sqlite"), Listening()
    telling = Telling(store, Notifier([hook]))
    honest, full_at = Store.writing, iter([1])

    def writing(self: Store) -> Any:
        if next(full_at, None):
            raise WorkspaceFull(tmp_path)
        return honest(self)

    monkeypatch.setattr(Store, "writing", writing)
    with pytest.raises(WorkspaceFull):
        list(telling.tell("photo", {"event": "found", "photo": "a"}))
    assert not hook.told
    assert list(telling.again()) == []
    assert hook.told == {"a": 1}
    list(Telling(store, Notifier([hook])).tell("photo", {"event": "found", "photo": "a"}))
    assert hook.told == {"a": 1}


def test_a_disk_that_fills_up_while_a_hook_is_told_leaves_it_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hook = Store(tmp_path / "case.sqlite"), Listening()
    telling = Telling(store, Notifier([hook]))
    honest, full_at = Store.writing, iter([0, 1])

    def writing(self: Store) -> Any:
        if next(full_at, None):
            raise WorkspaceFull(tmp_path)
        return honest(self)

    monkeypatch.setattr(Store, "writing", writing)
    with pytest.raises(WorkspaceFull):
        list(telling.tell("photo", {"event": "found", "photo": "a"}))
    assert hook.told == {"a": 1}
    assert list(telling.tell("photo", {"event": "found", "photo": "a"})) == []
    assert list(telling.again()) == []
    list(Telling(store, Notifier([hook])).tell("photo", {"event": "found", "photo": "a"}))
    assert hook.told == {"a": 1}


def test_a_full_folder_for_temporary_files_is_told_as_one(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    with pytest.raises(WorkspaceFull, match=str(small_disk)):
        kept = OnDisk[bytes](kind=bytes)
        for _ in range(1000):
            kept.append(bytes(1 << 16))


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from click.testing import CliRunner
from gtloc_forensics.cli.main import gtloc
result = CliRunner().invoke(gtloc, sys.argv[2:])
sys.stdout.write(result.output)
raise SystemExit(result.exit_code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what exceeding it does is told of Linux")
@pytest.mark.parametrize("most_bytes", [0, 4096, 100_000, 200_000, 400_000])
def test_a_limit_on_the_length_of_files_is_told_in_a_sentence_and_the_next_run_goes_on(
    tmp_path: Path, most_bytes: int
) -> None:
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    for number in range(3):
        photo(evidence / f"{number}.jpg", number)
    before = snapshot(evidence)
    words = ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report", "--jobs", "0"]
    command = [sys.executable, "-c", LIMITED, str(most_bytes), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (2, 3), done.stdout
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.returncode == 3 or "gtloc: " in done.stdout
    assert snapshot(evidence) == before
    result = CliRunner().invoke(gtloc, words)
    assert result.exit_code == 3, result.output
    assert CliRunner().invoke(gtloc, ["verify", str(case), "--sample", "0"]).exit_code == 0


def test_a_case_on_a_full_disk_is_no_other_case_to_be_named(small_disk: Path, tmp_path: Path) -> None:
    """Opening it needs room beside it; what is wrong is the disk, not the case."""
    photo(tmp_path / "evidence" / "1.jpg", 1)
    words = ["audit", str(tmp_path / "evidence"), "-o", str(small_disk / "case"), "--model", "none", "--no-report"]
    CliRunner().invoke(gtloc, words)
    (small_disk / "case" / "last-audit.json").unlink()  # or nothing would be opened
    filling = fill(small_disk)
    told = CliRunner().invoke(gtloc, words)
    assert told.exit_code == 2
    assert "no space left in" in told.output and "name another case" not in told.output
    filling.unlink()
    assert CliRunner().invoke(gtloc, words).exit_code == 3
