"""A correction killed at any moment: every file is old or new, and resuming or undoing settles it.

A child process takes the real steps and ends itself without any clean-up just before the n-th change to the
disk, for every n until it gets through. Tags lie behind the picture as JSON here: hundreds of exiftools would
take minutes, and what exiftool writes is the business of test_correct_apply.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.correct import (
    WORDS,
    Beside,
    Change,
    Copies,
    InPlace,
    Journal,
    Plan,
    Quantity,
    Sidecars,
    Workshop,
    apply,
    resume,
    undo,
)
from gtloc_forensics.errors import UsageError

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]

KILLED, FINISHED, BROKEN = 9, 0, 3
PHOTOS = ("a.jpg", "b.jpg")


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Trailing:
    """A tagger that keeps tags as JSON behind a picture (or as all of a sidecar)."""

    MARK = b"\nTAGS "

    def read(self, path: Path) -> dict[str, tuple]:
        tags = path.read_bytes().rpartition(self.MARK)[2]
        return {tag: tuple(values) for tag, values in json.loads(tags).items()}

    def write(self, path: Path, assignments) -> None:
        picture, tags = (path.read_bytes().rpartition(self.MARK)[0], self.read(path)) if path.exists() else (b"", {})
        path.write_bytes(with_tags(picture, {**tags, **{tag: (value,) for tag, value in assignments}}))


class DyingInside(Trailing):
    """Dies like exiftool killed while it writes: half of the new file lies there under exiftool's own name."""

    def write(self, path: Path, assignments) -> None:
        path.with_name(path.name + "_exiftool_tmp").write_bytes(b"half of it")
        os._exit(KILLED)


def with_tags(picture: bytes, tags) -> bytes:
    return picture + Trailing.MARK + json.dumps(tags, sort_keys=True).encode()


class World:
    """An evidence folder with two photos, a place to write to, a journal; can be set up again and again."""

    def __init__(self, root: Path, kind: str) -> None:
        self.root, self.kind = root, kind
        self.evidence, self.out, self.journal = root / "evidence", root / "out", root / "journal"

    def set_up(self, photo: bytes) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        self.evidence.mkdir(parents=True)
        self.out.mkdir()
        for name in PHOTOS:
            tags = {"ExifIFD:DateTimeOriginal": ["2022:04:02 15:10:51"], "IFD0:Artist": [name]}
            (self.evidence / name).write_bytes(with_tags(photo, tags))
            os.utime(self.evidence / name, ns=(10**18, 10**18))
        if self.is_renamed:
            (self.evidence / "a.jpg.xmp").write_bytes(b"what another program keeps of it")
        if self.kind == "sidecar":
            (self.out / "a.jpg.xmp").write_bytes(with_tags(b"", {"XMP-xmp:Rating": [3]}))

    @property
    def destination(self):
        return {
            "sidecar": lambda: Sidecars(self.out),
            "copy": lambda: Copies(self.out),
            "renamed copy": lambda: Copies(self.out),
            "renamed": lambda: InPlace(WORDS, is_evidence=False),
            "in place": lambda: InPlace(WORDS, is_evidence=False),
            "beside": lambda: Beside(is_evidence=False),
        }[self.kind]()

    @property
    def plan(self) -> Plan:
        return Plan(tuple(change for name in PHOTOS for change in self._changes(name)))

    def _changes(self, name: str) -> Iterator[Change]:
        digest = sha(self.evidence / name)
        old, new = "2022-04-02 15:10:51", "2022-04-02 09:10:51"
        yield Change(name.encode(), digest, Quantity.LOCAL_TIME, old, new, "a test", 1.0)
        if self.is_renamed:
            yield Change(name.encode(), digest, Quantity.FILE_NAME, name, f"2022-04-02_{name}", "a test", 1.0)

    @property
    def is_renamed(self) -> bool:
        return self.kind.startswith("renamed")

    def state(self) -> dict[str, str]:
        return {
            f"{folder.name}/{path.name}": sha(path)
            for folder in (self.evidence, self.out)
            for path in sorted(folder.iterdir())
        }

    def leftovers(self) -> list[Path]:
        places = (self.evidence, self.out, self.journal / "work")
        return [
            path
            for folder in places
            if folder.exists()
            for path in folder.iterdir()
            if path.name.startswith(".") or "_exiftool_tmp" in path.name or folder.name == "work"
        ]

    def apply(self, tagger=None) -> None:
        with Journal(self.journal) as journal:
            workshop = Workshop(journal, tagger or Trailing())
            apply(self.plan, evidence=self.evidence, destination=self.destination, workshop=workshop)

    def resume(self) -> None:
        with Journal(self.journal) as journal:
            resume(Workshop(journal, Trailing()))

    def undo(self) -> None:
        with Journal(self.journal) as journal:
            undo(Workshop(journal, Trailing()))


def killed_at(number: int, action) -> bool:
    """Run *action* in a child that ends just before its change *number* to the disk."""
    child = os.fork()
    if child == 0:
        try:
            die_at(number)
            action()
            os._exit(FINISHED)
        except BaseException:
            traceback.print_exc()
            os._exit(BROKEN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (KILLED, FINISHED), f"the child broke at {number}"
    return code == KILLED


def die_at(number: int) -> None:
    """Count what changes the disk from now on and end the process just before its turn."""
    count = 0

    def watched(honest):
        def step(*arguments, **more):
            nonlocal count
            count += 1
            if count == number:
                os._exit(KILLED)
            return honest(*arguments, **more)

        return step

    for name in ("fsync", "replace", "unlink", "utime", "truncate"):
        setattr(os, name, watched(getattr(os, name)))


@pytest.fixture
def ground(tmp_path):
    """Return a folder in memory where there is one: thousands of fsyncs wait for no disk then."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def photo() -> bytes:
    picture = BytesIO()
    Image.effect_noise((24, 16), 40).convert("RGB").save(picture, "JPEG")
    return picture.getvalue()


def killed_inside_exiftool(world) -> None:
    child = os.fork()
    if child == 0:
        try:
            world.apply(DyingInside())
        finally:
            os._exit(BROKEN)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


@pytest.mark.parametrize("kind", ["sidecar", "copy", "in place", "beside"])
def test_killed_inside_exiftools_write_the_evidence_stays_and_resuming_goes_on(ground, photo, kind):
    world = World(ground / "world", kind)
    world.set_up(photo)
    old = world.state()
    world.apply()
    new = world.state()
    for way_out in (world.resume, world.undo):
        world.set_up(photo)
        killed_inside_exiftool(world)
        assert world.state() == old
        assert [path.name for path in (world.journal / "work").iterdir() if "_exiftool_tmp" in path.name]
        way_out()
        assert world.state() == (new if way_out == world.resume else old)
        assert not world.leftovers()


def test_what_an_earlier_version_left_beside_a_photo_is_removed_by_the_name_that_it_journalled(ground, photo):
    world = World(ground / "world", "in place")
    world.set_up(photo)
    old = world.state()
    killed_inside_exiftool(world)
    with Journal(world.journal) as journal:
        temporary = Path(os.fsdecode(bytes.fromhex(journal.entries[-1].facts["temporary"])))
    left = temporary.with_name(temporary.name + "_exiftool_tmp")
    stranger = world.evidence / "another.jpg_exiftool_tmp"
    for path in (left, stranger):
        path.write_bytes(b"half")
    world.undo()
    assert stranger.exists()
    stranger.unlink()
    assert world.state() == old


@pytest.mark.parametrize("kind", ["sidecar", "copy", "in place", "beside", "renamed", "renamed copy"])
def test_killed_while_applying_every_file_is_old_or_new_and_both_ways_out_work(ground, photo, kind):
    world = World(ground / "world", kind)
    world.set_up(photo)
    old = world.state()
    world.apply()
    new = world.state()
    assert new != old
    number = 1
    while True:
        world.set_up(photo)
        was_killed = killed_at(number, world.apply)
        for name, digest in world.state().items():
            assert digest in (old.get(name), new.get(name)) or "/.gtloc-" in name, (number, name)
        if not was_killed:
            break
        settle(world, number, old, new)
        number += 1
    assert number > 25, "too few moments were tried for this to mean anything"


def settle(world, number: int, old, new) -> None:
    with Journal(world.journal) as journal:
        begun = bool(journal.transactions())
    if number % 2:
        world.resume()
        assert world.state() == (new if begun else old), number
    else:
        if begun:
            world.undo()
        assert world.state() == old, number
    assert not world.leftovers(), number


@pytest.mark.parametrize("kind", ["sidecar", "copy", "in place", "beside", "renamed", "renamed copy"])
def test_killed_while_undoing_undoing_again_gives_every_byte_back(ground, photo, kind):
    world = World(ground / "world", kind)
    world.set_up(photo)
    old = world.state()
    number = 1
    while True:
        world.set_up(photo)
        world.apply()
        new = world.state()
        if not killed_at(number, world.undo):
            break
        for name, digest in world.state().items():
            assert digest in (old.get(name), new.get(name)) or "/.gtloc-" in name, (number, name)
        with contextlib.suppress(UsageError):  # killed after its very last line: all is undone
            world.undo()
        assert world.state() == old, number
        number += 1
    assert world.state() == old
    assert number > 8


def test_killed_while_resuming_resuming_again_finishes(ground, photo):
    world = World(ground / "world", "in place")
    world.set_up(photo)
    world.apply()
    new = world.state()
    for first in (12, 15, 19, 23):  # once the first file is begun; before, resuming finds nothing begun
        for second in (2, 5, 8):
            world.set_up(photo)
            assert killed_at(first, world.apply)
            killed_at(second, world.resume)
            world.resume()
            assert world.state() == new, (first, second)
            assert not world.leftovers()
