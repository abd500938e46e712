"""Taking a file in: stat first, one pass that hashes and copies, and the original as it was."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_discover import JPEG, XMP, age_access_times, put, trace

from gtloc_forensics.errors import UsageError, WorkspaceFull
from gtloc_forensics.files import acquiring
from gtloc_forensics.files.acquiring import IntakeFailed, recheck, rehash, stat_key, take
from gtloc_forensics.files.listing import walk
from gtloc_forensics.records import Candidate

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="O_NOATIME is Linux's")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    (tmp_path / "case").mkdir()
    return tmp_path / "case"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def while_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Have something happen once, in the middle of the reading of a file."""

    def arrange(act: Callable[[], Any]) -> None:
        pending = [act]
        read = os.read

        def reading(fd: int, length: int) -> bytes:
            if pending and length == acquiring.BLOCK_BYTES:
                pending.pop()()
            return read(fd, length)

        monkeypatch.setattr(acquiring.os, "read", reading)

    return arrange


def test_the_record_says_what_was_found_and_the_copy_is_named_by_its_hash(case: Path, work: Path) -> None:
    put(case / "sub/wrong.txt")
    found = os.stat(case / "sub/wrong.txt")
    taken = take(case, Candidate(b"sub/wrong.txt"), into=work)
    assert taken.source.sha256 == sha256(JPEG)
    assert taken.source.media_type == "image/jpeg"
    assert taken.source.stat.size_bytes == len(JPEG)
    assert taken.source.stat.mtime_ns == found.st_mtime_ns
    assert taken.source.stat.inode == found.st_ino
    assert taken.working_copy == work / f"{sha256(JPEG)}.jpg"
    assert taken.working_copy.read_bytes() == JPEG
    assert [path.name for path in work.iterdir()] == [taken.working_copy.name], "no partial copy stays"


def test_sidecars_are_taken_along(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    put(case / "a.xmp", XMP)
    (candidate,) = walk(case)
    assert isinstance(candidate, Candidate)
    taken = take(case, candidate, into=work)
    ((relative, digest, copy),) = taken.sidecar_copies
    assert (relative, digest, copy.name, copy.read_bytes()) == (b"a.xmp", sha256(XMP), f"{sha256(XMP)}.xmp", XMP)
    assert taken.source.sidecars == (b"a.xmp",)


def test_a_sidecar_that_vanished_is_a_note_and_not_a_failure(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    taken = take(case, Candidate(b"a.jpg", (b"a.xmp",)), into=work)
    assert taken.source.sidecars == ()
    assert "a.xmp" in taken.notes[0]


def test_copies_of_one_content_share_a_working_copy(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    put(case / "b.jpg")
    one, other = (take(case, Candidate(name), into=work) for name in (b"a.jpg", b"b.jpg"))
    assert one.working_copy == other.working_copy
    assert one.source.source_id != other.source.source_id
    assert len(list(work.iterdir())) == 1


def test_a_hard_link_is_a_file_like_another(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    os.link(case / "a.jpg", case / "b.jpg")
    assert take(case, Candidate(b"b.jpg"), into=work).source.stat.links == 2


@needs_linux
def test_taking_in_and_hashing_again_leave_no_trace(case: Path, work: Path) -> None:
    put(case / "sub/a.jpg", JPEG * 30_000)  # several blocks
    put(case / "sub/a.xmp", XMP)
    put(case / "empty.jpg", b"")
    age_access_times(case)
    before = trace(case)
    for candidate in walk(case):
        assert isinstance(candidate, Candidate)
        taken = take(case, candidate, into=work)
        assert taken.access_time_kept
        assert recheck(case, taken.source) == acquiring.Rechecked(taken.source.sha256, "")
    assert trace(case) == before


def test_a_file_that_vanished_is_refused(case: Path, work: Path) -> None:
    with pytest.raises(IntakeFailed, match="no such file") as refused:
        take(case, Candidate(b"gone.jpg"), into=work)
    assert refused.value.source is None


def test_a_file_that_grows_while_it_is_read_is_refused(
    case: Path, work: Path, while_reading: Callable[[Callable[[], Any]], None]
) -> None:
    put(case / "a.jpg")

    def grow() -> None:
        with open(case / "a.jpg", "ab") as file:
            file.write(b"more")

    while_reading(grow)
    with pytest.raises(IntakeFailed, match=f"changed while it was read .{len(JPEG)} bytes at first, {len(JPEG) + 4}"):
        take(case, Candidate(b"a.jpg"), into=work)
    assert list(work.iterdir()) == []


def test_a_file_rewritten_while_it_is_read_is_refused_even_at_the_same_length(
    case: Path, work: Path, while_reading: Callable[[Callable[[], Any]], None]
) -> None:
    put(case / "a.jpg")
    while_reading(lambda: os.utime(case / "a.jpg", ns=(0, 12345)))
    with pytest.raises(IntakeFailed, match="changed while it was read"):
        take(case, Candidate(b"a.jpg"), into=work)


@pytest.mark.parametrize("special", ["link", "pipe", "folder"])
def test_a_file_swapped_for_something_else_since_the_walk_is_refused(case: Path, work: Path, special: str) -> None:
    put(case / "other.jpg")
    if special == "link":
        (case / "a.jpg").symlink_to("other.jpg")
    elif special == "pipe":
        os.mkfifo(case / "a.jpg")
    else:
        (case / "a.jpg").mkdir()
    with pytest.raises(IntakeFailed, match=r"symbolic link|named pipe|folder"):
        take(case, Candidate(b"a.jpg"), into=work)
    assert rehash(case, b"a.jpg") == ""


def test_a_folder_swapped_for_a_link_does_not_lead_outside(tmp_path: Path, case: Path, work: Path) -> None:
    put(tmp_path / "outside/a.jpg")
    (case / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(IntakeFailed):
        take(case, Candidate(b"sub/a.jpg"), into=work)
    assert rehash(case, b"sub/a.jpg") == ""
    assert stat_key(case, b"sub/a.jpg") == ()


def test_a_device_is_never_opened(case: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        os.mknod(case / "a.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except OSError:
        pytest.skip("making device nodes is not allowed here")
    monkeypatch.delattr("gtloc_forensics.files.opening.open_quietly")
    with pytest.raises(IntakeFailed, match="character device"):
        take(case, Candidate(b"a.jpg"), into=work)


def test_a_file_too_long_to_copy_is_refused_with_its_hash(case: Path, work: Path) -> None:
    put(case / "long.mp4", b"\0\0\0\x18ftypmp42" + bytes(2 << 20))
    with pytest.raises(IntakeFailed, match="2 MB is more than the 1 MB") as refused:
        take(case, Candidate(b"long.mp4"), into=work, copy_limit_bytes=1 << 20)
    source = refused.value.source
    assert source is not None
    assert source.sha256 == rehash(case, b"long.mp4")
    assert source.media_type == "video/mp4"
    assert list(work.iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_photo(case: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(case / "a.jpg")

    class Full:
        def __init__(self, path: Path) -> None:
            path.touch()

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None: ...

        def write(self, block: memoryview) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda path, *_, **__: Full(path))
    with pytest.raises(WorkspaceFull, match="free some and run again"):
        take(case, Candidate(b"a.jpg"), into=work)
    assert list(work.iterdir()) == []


def test_a_working_folder_that_is_not_there_is_no_fault_of_the_photo(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    with pytest.raises(UsageError, match="choose another output folder"):
        take(case, Candidate(b"a.jpg"), into=work / "nothing")


def test_a_change_since_intake_is_told_in_words(case: Path, work: Path) -> None:
    put(case / "a.jpg")
    source = take(case, Candidate(b"a.jpg"), into=work).source
    key = stat_key(case, b"a.jpg")
    put(case / "a.jpg", JPEG + b"!")
    changed = recheck(case, source)
    assert changed.sha256 == sha256(JPEG + b"!")
    assert "its content changed" in changed.reason
    assert f"from {len(JPEG)} to {len(JPEG) + 1} bytes" in changed.reason
    assert stat_key(case, b"a.jpg") != key
    os.unlink(case / "a.jpg")
    gone = recheck(case, source)
    assert gone.sha256 == ""
    assert "no longer be read" in gone.reason


# --------------------------------------------------------------------------- two users


@pytest.fixture
def public_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gtloc-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def as_nobody(program: str) -> str:
    """Run a program that has become another user after its imports (that user may not reach the interpreter)."""
    preamble = (
        "import os; from pathlib import Path; from gtloc_forensics.files.listing import *\n"
        "from gtloc_forensics.files.acquiring import *\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    )
    done = subprocess.run([sys.executable, "-c", preamble + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_root
@needs_linux
def test_what_may_not_be_read_is_a_row_that_blocks(public_folder: Path) -> None:
    put(public_folder / "case/locked/x.jpg")
    put(public_folder / "case/secret.bin")
    put(public_folder / "case/secret.jpg")
    (public_folder / "case/locked").chmod(0)
    (public_folder / "case/secret.bin").chmod(0)
    (public_folder / "case/secret.jpg").chmod(0)
    out = as_nobody(
        f"root = Path({str(public_folder)!r})\n"
        "entries = list(walk(root / 'case'))\n"
        "for entry in entries: print(entry)\n"
        "try: take(root / 'case', entries[-1], into=root)\n"
        "except IntakeFailed as error: print(error, error.source is not None)\n"
        "try: list(walk(root / 'case/locked'))\n"
        "except Exception as error: print(type(error).__name__, 'permission denied' in str(error))\n"
    ).splitlines()
    assert "locked" in out[0] and "permission denied" in out[0] and "blocks=True" in out[0]
    assert "secret.bin" in out[1] and "permission denied" in out[1] and "blocks=True" in out[1]
    assert "Candidate(relative=b'secret.jpg'" in out[2]
    assert out[3] == "it could not be read: permission denied True"
    assert out[4] == "UsageError True"


@needs_root
@needs_linux
def test_somebody_elses_file_is_read_and_its_moved_access_time_admitted(public_folder: Path) -> None:
    put(public_folder / "case/a.jpg")
    age_access_times(public_folder / "case")
    out = as_nobody(
        f"root = Path({str(public_folder)!r})\n"
        "(candidate,) = walk(root / 'case')\n"
        "taken = take(root / 'case', candidate, into=root)\n"
        "print(taken.source.sha256, taken.access_time_kept)\n"
    ).split()
    moved = os.stat(public_folder / "case/a.jpg").st_atime_ns > os.stat(public_folder / "case/a.jpg").st_mtime_ns
    assert out == [sha256(JPEG), str(not moved)]
