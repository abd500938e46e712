"""Runs the commands over a hostile folder and returns what does not hold of the result, a sentence each."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fuzz.folders import lay
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.files import listing
from gtloc_forensics.records import Candidate, visible

CLEAN_CODES = (0, 1, 3)
SECONDS_PER_FILE = 10.0
"""One file may cost one time-out; a folder of them together not many."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PYTHON = re.compile(
    r"Traceback|NoneType|\b(?!GPSH)[A-Z][A-Za-z]*(Error|Exception)\b|<class|object at 0x|\bNone\b|\bnan\b|\bAbsent\."
    r"|datetime\.|\[Errno|\bb'|\bdtype|codec can't|a fault of (the|this)|0x[0-9a-f]{6,}",
)
"""What a sentence for people does not hold; nothing that the generator writes looks like it."""

_FOR_PEOPLE = frozenset(
    (
        "reason",
        "summary",
        "observed",
        "derived",
        "inferred",
        "limitations",
        "innocent",
        "text",
        "refutable_by",
        "warnings",
    )
)


def faults_of(first_seed: int, files: int, *, model: str = "none", report: bool = False) -> list[str]:
    """Audit the files of consecutive seeds as one case and return everything that does not hold."""
    with temporary() as folder:
        evidence, case = folder / "evidence", folder / "case"
        evidence.mkdir()
        for seed in range(first_seed, first_seed + files):
            lay(evidence, seed)
        return list(examine(evidence, case, model=model, report=report))


def examine(evidence: Path, case: Path, *, model: str = "none", report: bool = False) -> Iterator[str]:
    before, begun = snapshot(evidence), time.monotonic()
    files = len(before)
    words = ["audit", os.fspath(evidence), "-o", os.fspath(case), "--model", model, "--jobs", "1"]
    yield from command([*words, *([] if report else ["--no-report"])])
    if time.monotonic() - begun > 60 + SECONDS_PER_FILE * files:
        yield f"the audit took {time.monotonic() - begun:.0f} s for {files} files"
    yield from _document(evidence, case)
    yield from command(["verify", os.fspath(case), "--sample", "2"], codes=(0,))
    for kind in ("csv", "html") if report else ():
        yield from command(["export", os.fspath(case), "--format", kind], codes=(0,))
    yield from changes(before, snapshot(evidence))


def command(words: list[str], codes: tuple[int, ...] = CLEAN_CODES) -> Iterator[str]:
    """Run a command and yield what is wrong with how it ended and with what it printed."""
    result = CliRunner().invoke(gtloc, words)
    said = result.output
    if "gtloc: stopped" in said:
        raise KeyboardInterrupt
    if result.exit_code not in codes:
        yield f"{words[0]} ended with {result.exit_code}: {said[-1500:]!r}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        yield f"{words[0]} raised {result.exception!r}"
    if "Traceback" in said:
        yield f"{words[0]} printed a traceback: {said[said.index('Traceback') :][:3000]}"
    hidden = _CONTROL.search(said)
    if hidden:
        yield f"{words[0]} printed a control character: {said[max(0, hidden.start() - 80) : hidden.end() + 20]!r}"
    word = _PYTHON.search(said)
    if word:
        yield f"{words[0]} printed a word of Python: {said[max(0, word.start() - 150) : word.end() + 80]!r}"


def _document(evidence: Path, case: Path) -> Iterator[str]:
    try:
        whole = json.loads((case / "findings.json").read_text(encoding="utf-8"), parse_constant=_refused)
    except (OSError, ValueError) as error:
        yield f"findings.json cannot be read: {error}"
        return
    if len(whole["photos"]) != whole["counts"]["photos"]:
        yield f"{whole['counts']['photos']} photos are counted, {len(whole['photos'])} listed"
    listed = Counter(entry["path"] for part in ("photos", "passed_over") for entry in whole[part])
    lying = Counter(visible(relative) for relative in _files(evidence))
    for path in lying - listed:
        yield f"{path!r} has no row"
    for photo in whole["photos"]:
        if photo["status"] not in ("found", "clean", "not_testable", "not_examined"):
            yield f"{photo['path']!r} has the status {photo['status']!r}"
    yield from sentences(whole, "findings.json")


def _files(evidence: Path) -> Iterator[bytes]:
    """Yield the path of everything that lies in the folder and is no sidecar of a photo that lies there too."""
    entries = list(listing.walk(evidence))
    beside = {name for entry in entries if isinstance(entry, Candidate) for name in entry.sidecars}
    root = os.fsencode(evidence)
    for place, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        for name in (*names, *links):
            relative = os.path.relpath(os.path.join(place, name), root)
            if relative not in beside:
                yield relative


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def sentences(value: Any, where: str) -> Iterator[str]:
    """Yield what is written for people and is no sentence, or holds what hides."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _FOR_PEOPLE or where.endswith(("not_testable", "untold")):
                yield from _for_people(item, f"{where}.{name}")
            yield from sentences(item, f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from sentences(item, where)
    elif isinstance(value, str) and _CONTROL.search(value):
        yield f"{where} holds a control character: {value[:200]!r}"


def _for_people(value: Any, where: str) -> Iterator[str]:
    for sentence in value if isinstance(value, list) else [value]:
        if isinstance(sentence, str) and (found := _PYTHON.search(sentence)):
            yield f"{where} speaks Python ({found[0]!r}): {sentence[:300]!r}"


# --------------------------------------------------------------------------- what must stay as it was


def snapshot(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return everything about a tree that a careless program would change, content too."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, folders, files in os.walk(os.fsencode(folder)):
        for name in (b".", *folders, *files):
            path = os.path.join(place, name)
            now = os.lstat(path)
            digest = ""
            if stat.S_ISREG(now.st_mode):
                with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOATIME", 0)), "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            times = (now.st_mtime_ns, now.st_ctime_ns, now.st_atime_ns if digest else 0)
            found[repr(path)] = (now.st_mode, now.st_size, now.st_ino, *times, digest)
    return found


def changes(before: dict[str, tuple[Any, ...]], after: dict[str, tuple[Any, ...]]) -> Iterator[str]:
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield f"the evidence changed at {path}: {before.get(path)} → {after.get(path)}"


@contextmanager
def temporary() -> Iterator[Path]:
    """Lend a folder in which the temporary files of the program lie too; what stays of those is a fault."""
    folder = Path(tempfile.mkdtemp(prefix="gtloc-fuzz-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
