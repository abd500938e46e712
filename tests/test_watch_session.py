"""A watched folder feeds its case: each photo once, none missed, whatever stops the watcher."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo, snapshot

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.notify import Notifier
from gtloc_forensics.case.products import FINDINGS
from gtloc_forensics.case.watching import WatchSettings
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import CaseBusy, WorkspaceFull
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring
from gtloc_forensics.records import Candidate, Status

take = acquiring.take
QUICK = WatchSettings(quiet_s=0.3, report_every_s=60.0, report=False)


class Watched:
    """A watch session in a thread, and what it logged."""

    def __init__(
        self, roots: list[Path], case: Path, watch_settings: WatchSettings = QUICK, *, settings: Settings = INLINE
    ) -> None:
        self._settings = settings
        self.events: list[dict[str, Any]] = []
        self.stop = threading.Event()
        evidence = Path(os.path.commonpath(roots))
        self._case = open_case(evidence, case, watched=roots)
        self._thread = threading.Thread(target=self._run, args=(roots, watch_settings))

    def _run(self, roots: list[Path], watch_settings: WatchSettings) -> None:
        self._case.watch(
            roots,
            self._settings,
            watch_settings=watch_settings,
            notifier=Notifier([]),
            log=self.events.append,
            stop=self.stop,
            stable_s=0.2,
        )

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(60)
        self._case.close()

    def until(self, condition: Callable[[list[dict[str, Any]]], bool], seconds: float = 40.0) -> None:
        end = time.monotonic() + seconds
        while not condition(list(self.events)):
            assert time.monotonic() < end, self.events
            time.sleep(0.05)


def examined(events: list[dict[str, Any]]) -> int:
    return sum(event["photos"] for event in events if event["event"] == "examined")


def analysed(case: Path) -> list[str]:
    with sqlite3.connect(case / DATABASE) as connection:
        return [row[0] for row in connection.execute("SELECT relative FROM source ORDER BY id")]


def test_a_photo_that_arrives_is_examined_and_concluded_and_nothing_is_touched(tmp_path: Path) -> None:
    card = tmp_path / "card"
    photo(card / "before.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
        photo(card / "DCIM" / "after.jpg", 2)
        watched.until(lambda events: examined(events) == 2)
        before = snapshot(card)
        watched.until(lambda events: any(event["event"] == "concluded" for event in events[-1:]))
        assert snapshot(card) == before
    assert analysed(tmp_path / "case") == [b"before.jpg", b"DCIM/after.jpg"]
    assert len(json.loads((tmp_path / "case" / FINDINGS).read_text(encoding="utf-8"))["photos"]) == 2


def test_two_cards_share_one_case(tmp_path: Path) -> None:
    for name in ("one", "two"):
        photo(tmp_path / "cards" / name / "a.jpg", len(name) + ord(name[0]))
    roots = [tmp_path / "cards" / "one", tmp_path / "cards" / "two"]
    with Watched(roots, tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 2)
    assert sorted(analysed(tmp_path / "case")) == [b"one/a.jpg", b"two/a.jpg"]


def test_started_again_it_examines_nothing_twice(tmp_path: Path) -> None:
    card = tmp_path / "card"
    for number in range(3):
        photo(card / f"{number}.jpg", number)
    for _ in range(2):
        with Watched([card], tmp_path / "case") as watched:
            watched.until(lambda events: any(event["event"] == "concluded" for event in events))
    assert len(analysed(tmp_path / "case")) == 3


def test_a_card_taken_out_leaves_its_photos_in_the_case(tmp_path: Path) -> None:
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
        card.rename(tmp_path / "gone")
        watched.until(lambda events: any(event["event"] == "gone" for event in events))
        watched.until(lambda events: any(event["event"] == "concluded" and event["photos"] for event in events))
    (entry,) = json.loads((tmp_path / "case" / FINDINGS).read_text(encoding="utf-8"))["photos"]
    assert not any(item["stage"] == "integrity" for item in entry["not_examined"])


def test_a_full_disk_is_news_and_the_photo_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.RETRY_S", 0.5)
    whole = Gathering.examine
    failures = iter([True])

    def examine(self: Gathering, candidates: Any) -> Any:
        if next(failures, False):
            raise WorkspaceFull(tmp_path)
        return whole(self, candidates)

    monkeypatch.setattr(Gathering, "examine", examine)
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
    assert [event["event"] for event in watched.events].count("disk full") == 1


def test_a_disk_that_fills_up_while_copying_is_outlived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.RETRY_S", 0.3)
    failures = iter([True, True])

    def fills_up(root: Path, candidate: Candidate, *, into: Path) -> acquiring.Taken:
        if next(failures, False):
            (into / "half.partial").touch()
            raise WorkspaceFull(into)
        return take(root, candidate, into=into)

    monkeypatch.setattr("gtloc_forensics.files.acquiring.take", fills_up)
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
        assert not list((tmp_path / "case").glob("work-*/*"))
    assert [event["event"] for event in watched.events].count("disk full") == 2


class StillWriting:
    """An intake to which a file seems to change while it is read, as often as said."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.taken = 0

    def __call__(self, root: Path, candidate: Candidate, *, into: Path) -> acquiring.Taken:
        self.taken += 1
        self.left -= 1
        found = take(root, candidate, into=into)
        if self.left < 0:
            return found
        reading = pytest.MonkeyPatch()
        with reading.context() as patch:
            # Between the two looks that intake takes, the file grows.
            patch.setattr("gtloc_forensics.files.acquiring._hash_and_copy", lambda fd, partial: ("0" * 64, 1))
            return take(root, candidate, into=into)


def test_a_file_that_changes_while_it_is_read_is_tried_again_without_another_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.FIRST_PATIENCE_S", 0.1)
    monkeypatch.setattr("gtloc_forensics.files.acquiring.take", StillWriting(2))
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
    refusals = [event for event in watched.events if event["event"] == "not examined" and "again_in_s" in event]
    assert [event["again_in_s"] for event in refusals] == [0.1, 0.2]
    assert all(event["text"].startswith("it changed while it was read") for event in refusals)


def test_a_file_that_never_stands_still_is_given_up_after_some_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtloc_forensics.case.watching.FIRST_PATIENCE_S", 0.05)
    monkeypatch.setattr("gtloc_forensics.case.watching.MOST_TRIES", 2)
    writing = StillWriting(1000)
    monkeypatch.setattr("gtloc_forensics.files.acquiring.take", writing)
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: [event["event"] for event in events].count("not examined") == 3)
        watched.until(lambda events: events[-1]["event"] == "concluded")
        assert writing.taken == 3
    (entry,) = json.loads((tmp_path / "case" / FINDINGS).read_text(encoding="utf-8"))["photos"]
    assert "it changed while it was read" in entry["not_examined"][0]["reason"]


def test_every_event_and_its_fields_are_documented() -> None:
    root = Path(__file__).parents[1]
    docs = (root / "docs" / "watching.md").read_text(encoding="utf-8")
    source = "".join(
        (root / "gtloc_forensics" / name).read_text("utf-8")
        for name in ("case/watching.py", "files/watching/watcher.py")
    )
    written = set(re.findall(r'"event": "([a-z ]+)"', source)) | set(re.findall(r'Notice\([^"\n]*"([a-z]+)"', source))
    assert written >= {"examined", "concluded", "disk full", "hook failed", "gone", "rescanned"}
    for event in [*written, *(status.value for status in Status), "watching", "polling", "back"]:
        assert f"`{event}`" in docs, event
    for name in ("utc", "event", "photo", "folder", "text", "sha256", "findings", "again_in_s", "photos", "seconds"):
        assert f"`{name}`" in docs, name


def test_a_second_watcher_on_the_same_case_is_refused(tmp_path: Path) -> None:
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    with Watched([card], tmp_path / "case") as watched:
        watched.until(lambda events: examined(events) == 1)
        second = open_case(card, tmp_path / "case")
        with pytest.raises(CaseBusy, match="in use"):
            second.watch([card], INLINE, watch_settings=QUICK, notifier=Notifier([]), log=print, stop=threading.Event())
        second.close()


def command(card: Path, case: Path, *more: str) -> list[str]:
    return ["watch", str(card), "--case", str(case), "--model", "none", "--jobs", "0", "--no-report", "--json", *more]


def test_once_examines_what_lies_there_and_leaves(tmp_path: Path) -> None:
    card = tmp_path / "card"
    for number in range(3):
        photo(card / f"{number}.jpg", number)
    result = CliRunner().invoke(gtloc, command(card, tmp_path / "case", "--once"))
    assert result.exit_code == ExitCode.CLEAN, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert examined(events) == 3
    assert events[-1]["event"] == "concluded"


@pytest.mark.timeout(240)
def test_killed_and_started_again_it_misses_nothing_and_sigterm_finishes_what_is_in_hand(tmp_path: Path) -> None:
    card, case = tmp_path / "card", tmp_path / "case"
    for number in range(40):
        photo(card / f"{number:02}.jpg", number)

    def start() -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "gtloc_forensics", *command(card, case, "--stable", "0.2")]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    first = start()
    assert first.stdout is not None
    first.stdout.readline()
    time.sleep(0.5)
    first.kill()
    first.communicate()
    photo(card / "late.jpg", 50)
    second = start()
    assert second.stdout is not None
    seen: list[dict[str, Any]] = []
    for line in second.stdout:
        seen.append(json.loads(line))
        if (case / DATABASE).exists() and len(set(analysed(case))) == 41:
            break
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=60)
    assert second.returncode == ExitCode.CLEAN
    assert len(analysed(case)) == len(set(analysed(case))) == 41
