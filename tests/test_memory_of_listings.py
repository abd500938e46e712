"""A folder of a great many files is listed some hundred at a time, and lists the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gtloc_forensics.files import listing
from gtloc_forensics.records import Candidate, Skipped

JPEG = b"\xff\xd8\xff\xd9"


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for place in ("", "a", "a.d", "a/b", ".git"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for name in ("1.jpg", "2.jpg", "2.jpg.xmp", "3.xmp", "no name", "notes.txt", ".hidden.jpg"):
            (folder / place / name).write_bytes(JPEG if name != "notes.txt" else b"words")
        (folder / place / "2.jpg.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    (folder / "link.jpg").symlink_to("1.jpg")
    return folder


def test_a_large_folder_lists_what_a_small_one_does(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = list(listing.walk(evidence))
    assert [entry.relative for entry in at_once] == sorted(entry.relative for entry in at_once)
    assert Candidate(b"a/2.jpg", (b"a/2.jpg.xmp",)) in at_once
    monkeypatch.setattr(listing, "NAMES_AT_ONCE", 2)
    assert list(listing.walk(evidence)) == at_once


def test_a_large_folder_that_goes_away_meanwhile_is_told(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "NAMES_AT_ONCE", 2)
    walked = listing.walk(evidence)
    first = next(entry for entry in walked if entry.relative.startswith(b"a/"))
    assert isinstance(first, Skipped | Candidate)
    shutil.rmtree(evidence / "a")
    told = {entry.relative: entry for entry in walked}
    gone = told[b"a"]
    assert isinstance(gone, Skipped)
    assert gone.blocks
    assert "could not be read" in gone.reason
    assert b"notes.txt" in told, "what lies beside it is listed all the same"
