"""A watch session leaves nothing in its folders without a row, and tells each thing once over all its starts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.notify import HookFailed, Message, Notifier
from gtloc_forensics.case.telling import Telling
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.store.database import Store


class Listening:
    """A hook that keeps what it is told, or refuses it."""

    name = "listening"

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.is_deaf = False

    def deliver(self, message: Message) -> None:
        if self.is_deaf:
            raise HookFailed("it is deaf")
        self.heard.append(message)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "case.sqlite")


def test_what_was_told_is_not_told_again_after_a_restart(store: Store) -> None:
    hook = Listening()
    for _ in range(3):
        list(Telling(store, Notifier([hook])).tell("photo", {"summary": "odd"}))
    assert len(hook.heard) == 1
    list(Telling(store, Notifier([hook])).tell("photo", {"summary": "odder"}))
    assert len(hook.heard) == 2


def test_what_a_hook_did_not_take_is_told_until_it_does_and_to_no_other_again(store: Store) -> None:
    deaf, other, seconds = Listening(), Listening(), [0.0]
    deaf.is_deaf, other.name = True, "other"
    telling = Telling(store, Notifier([deaf, other], clock=lambda: seconds[0]))
    assert "it is deaf" in next(telling.tell("photo", {"summary": "odd"}))
    deaf.is_deaf, seconds[0] = False, 100.0
    assert list(telling.again()) == []
    assert (len(deaf.heard), len(other.heard)) == (1, 1)
    list(Telling(store, Notifier([deaf, other])).tell("photo", {"summary": "odd"}))
    assert (len(deaf.heard), len(other.heard)) == (1, 1)


def watched(card: Path, case: Path, *more: str) -> list[dict[str, Any]]:
    words = ["watch", str(card), "--case", str(case), "--once", "--model", "none", "--no-report", "--json"]
    result = CliRunner().invoke(gtloc, [*words, "--stable", "0.1", *more])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines() if line.startswith("{")]


def test_a_watch_gives_rows_to_what_an_audit_gives_rows_to(tmp_path: Path) -> None:
    card = tmp_path / "card"
    photo(card / "a.jpg", 1)
    photo(card / "b.jpg", 2).replace(card / ".hidden.jpg")
    (card / "link.jpg").symlink_to("nowhere")
    os.mkfifo(card / "pipe.jpg")
    (card / "note.txt").write_text("no photo")
    events = watched(card, tmp_path / "case")
    with open_case(card, tmp_path / "audited") as audited, open_case(card, tmp_path / "case") as case:
        audited.audit(INLINE)
        assert case.view().passed_over() == audited.view().passed_over()
        assert case.view().tally == audited.view().tally
    told = {event["photo"] for event in events if event["event"] == "not examined" and "text" in event}
    assert told == {".hidden.jpg", "link.jpg", "pipe.jpg"}


def test_a_photo_that_was_renamed_or_deleted_is_told_and_not_called_clean(tmp_path: Path) -> None:
    card = tmp_path / "card"
    for number in range(3):
        photo(card / f"{number}.jpg", number)
    watched(card, tmp_path / "case")
    (card / "0.jpg").rename(card / "new.jpg")
    (card / "1.jpg").unlink()
    told = {event["photo"]: event["text"] for event in watched(card, tmp_path / "case") if event["event"] == "missing"}
    assert told == {
        "0.jpg": "it is no longer there: deleted, moved or renamed; the same content is there as new.jpg",
        "1.jpg": "it is no longer there: deleted, moved or renamed",
    }
    with open_case(card, tmp_path / "case") as case:
        unread = {entry.photo.source.display_path: entry.unexamined for entry in case.view().photos()}
    assert "it is no longer there" in " ".join(item.reason for item in unread["1.jpg"])


def test_a_hook_is_told_once_over_three_starts_and_times_are_local_too(tmp_path: Path) -> None:
    card, log = tmp_path / "card", tmp_path / "log"
    photo(card / "a.jpg", 1, taken="2060:06:15 12:00:00")  # later than it can have been taken
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ncat >> {log}\n")
    hook.chmod(0o755)
    for _ in range(3):
        events = watched(card, tmp_path / "case", "--on-finding", str(hook))
    photos = [line for line in log.read_text().splitlines() if '"photo"' in line]
    assert len(photos) == 1
    assert all("local" in event and "utc" in event for event in events)
