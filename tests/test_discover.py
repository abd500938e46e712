"""Listing a folder of evidence: everything gets a row, nothing gets a mark."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.files import opening, types
from gtloc_forensics.files.listing import candidates_among, walk
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.records import Candidate, Skipped

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
XMP = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta/>'


def put(path: Path | bytes, content: bytes = JPEG) -> None:
    name = os.fsencode(path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as file:
        file.write(content)


def listed(root: Path) -> dict[bytes, Candidate | Skipped]:
    entries = list(walk(root))
    found = {entry.relative: entry for entry in entries}
    assert len(found) == len(entries), "no name is listed twice"
    return found


def candidates(root: Path) -> list[bytes]:
    return [entry.relative for entry in walk(root) if isinstance(entry, Candidate)]


def names_beneath(folder: bytes) -> list[bytes]:
    """List a tree, folders after what they hold, without itself moving an access time (os.walk follows links)."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOATIME", 0))
    names = []
    for name in sorted(map(os.fsencode, os.listdir(fd))):
        path = os.path.join(folder, name)
        if stat.S_ISDIR(os.lstat(path).st_mode):
            names += names_beneath(path)
        else:
            names.append(path)
    os.close(fd)
    return [*names, folder]


def trace(root: Path) -> dict[bytes, tuple[int, ...]]:
    """Everything a look at the tree could change, of every entry and of the root itself."""
    stats = {name: os.lstat(name) for name in names_beneath(os.fsencode(root))}
    return {
        name: (s.st_mode, s.st_size, s.st_ino, s.st_nlink, s.st_mtime_ns, s.st_ctime_ns, s.st_atime_ns)
        for name, s in stats.items()
    }


def age_access_times(root: Path) -> None:
    """Set every access time before its modification time: then ``relatime`` would move it at the first reading."""
    for name in names_beneath(os.fsencode(root)):
        found = os.lstat(name)
        os.utime(name, ns=(found.st_mtime_ns - 10**15, found.st_mtime_ns), follow_symlinks=False)


def test_photos_are_candidates_by_name_or_by_magic(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "no_extension")
    put(tmp_path / "renamed.txt", PNG)
    put(tmp_path / "empty.jpeg", b"")
    put(tmp_path / "text.JPG", b"hello")
    put(tmp_path / "clip.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
    assert candidates(tmp_path) == [b"a.jpg", b"clip.mov", b"empty.jpeg", b"no_extension", b"renamed.txt", b"text.JPG"]


def test_what_is_not_a_photo_is_passed_over_with_its_kind(tmp_path: Path) -> None:
    put(tmp_path / "notes.txt", b"hello\n")
    put(tmp_path / "paper.pdf", b"%PDF-1.7\n")
    put(tmp_path / "Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    found = listed(tmp_path)
    assert found[b"notes.txt"] == Skipped(b"notes.txt", "not a photo (text/plain)", blocks=False)
    assert found[b"paper.pdf"] == Skipped(b"paper.pdf", "not a photo (application/pdf)", blocks=False)
    assert found[b"Thumbs.db"] == Skipped(b"Thumbs.db", "not a photo (application/octet-stream)", blocks=False)


def test_entries_come_in_the_byte_order_of_their_paths(tmp_path: Path) -> None:
    for name in (
        "b.jpg",
        "a/z.jpg",
        "a.jpg",
        "a-b.jpg",
        "ä.jpg",
        "A/x.jpg",
        "a/b/c.jpg",
        "a0.jpg",
        "sub/.x",
        "sub.jpg",
    ):
        put(tmp_path / name)
    names = [entry.relative for entry in walk(tmp_path)]
    assert names == sorted(names)
    assert len(names) == 10


def test_hidden_litter_is_passed_over_and_a_hidden_photo_blocks(tmp_path: Path) -> None:
    put(tmp_path / "._a.jpg", b"\0\x05\x16\x07\0\x02")
    put(tmp_path / ".DS_Store", b"\0\0\0\x01Bud1")
    put(tmp_path / ".secret.jpg")
    put(tmp_path / ".git/x.jpg")
    put(tmp_path / ".private/x.jpg")
    found = listed(tmp_path)
    assert {name: entry.blocks for name, entry in found.items() if isinstance(entry, Skipped)} == {
        b"._a.jpg": False,
        b".DS_Store": False,
        b".secret.jpg": True,
        b".git": False,
        b".private": True,
    }
    assert len(found) == 5


def test_sidecars_belong_to_their_photo_and_are_not_listed(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "a.XMP", XMP)
    put(tmp_path / "A.JPG.xmp", XMP)
    put(tmp_path / "B.cr2", b"II*\0\x10\0\0\0CR\x02\0")
    put(tmp_path / "b.jpg")
    put(tmp_path / "b.xmp", XMP)
    put(tmp_path / "alone.xmp", XMP)
    put(tmp_path / "d/a.xmp", XMP)
    found = listed(tmp_path)
    assert found[b"a.jpg"] == Candidate(b"a.jpg", (b"a.XMP", b"A.JPG.xmp"))
    assert found[b"B.cr2"] == Candidate(b"B.cr2", (b"b.xmp",))
    assert found[b"b.jpg"] == Candidate(b"b.jpg", (b"b.xmp",)), "both halves of a RAW+JPEG pair share it"
    assert found[b"alone.xmp"] == Skipped(b"alone.xmp", "a sidecar without its photo (application/xml)", blocks=False)
    assert isinstance(found[b"d/a.xmp"], Skipped), "a sidecar in another folder is not this photo's"
    assert len(found) == 5


def test_a_photo_called_like_a_sidecar_is_a_photo(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "a.xmp")
    assert listed(tmp_path) == {b"a.jpg": Candidate(b"a.jpg"), b"a.xmp": Candidate(b"a.xmp")}


def test_links_are_never_followed(tmp_path: Path) -> None:
    put(tmp_path / "case/in.jpg")
    put(tmp_path / "outside/secret.jpg")
    (tmp_path / "case/loop").symlink_to(".")
    (tmp_path / "case/self").symlink_to("self")
    (tmp_path / "case/out").symlink_to("../outside")
    (tmp_path / "case/gone.jpg").symlink_to("nothing")
    found = listed(tmp_path / "case")
    assert [entry for entry in found.values() if isinstance(entry, Candidate)] == [Candidate(b"in.jpg")]
    assert set(found) == {b"in.jpg", b"loop", b"self", b"out", b"gone.jpg"}
    assert all(entry.blocks and "link" in entry.reason for entry in found.values() if isinstance(entry, Skipped))


def test_where_reading_leaves_no_trace_a_link_into_the_folder_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "reading_leaves_no_trace", lambda fd: True)
    put(tmp_path / "case/in.jpg")
    (tmp_path / "case/loop").symlink_to(".")
    (tmp_path / "case/self").symlink_to("self")
    (tmp_path / "case/out").symlink_to("../outside")
    (tmp_path / "outside").mkdir()
    found = listed(tmp_path / "case")
    assert {name: entry.blocks for name, entry in found.items() if isinstance(entry, Skipped)} == {
        b"loop": False,
        b"self": True,
        b"out": True,
    }


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real/a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert candidates(tmp_path / "link") == [b"a.jpg"]


def test_pipes_and_sockets_are_named_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(tmp_path, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{place}/socket" if os.path.exists("/proc/self/fd") else str(tmp_path / "socket"))
        os.close(place)
        found = listed(tmp_path)
    assert found[b"pipe"] == Skipped(b"pipe", "a named pipe, not a file", blocks=False)
    assert found[b"pipe.jpg"] == Skipped(b"pipe.jpg", "a named pipe, not a file", blocks=True)
    assert found[b"socket"] == Skipped(b"socket", "a socket, not a file", blocks=False)


def test_device_nodes_are_named_and_not_opened(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "camera.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: reading would not end
        os.mknod(tmp_path / "disk", stat.S_IFBLK | 0o600, os.makedev(7, 200))
    except OSError:
        pytest.skip("making device nodes is not allowed here")
    found = listed(tmp_path)
    assert found[b"camera.jpg"] == Skipped(b"camera.jpg", "a character device, not a file", blocks=True)
    assert found[b"disk"] == Skipped(b"disk", "a block device, not a file", blocks=False)


def test_names_are_bytes_whatever_they_are(tmp_path: Path) -> None:
    names = [
        b"new\nline.jpg",
        b"\xff\xfe not utf-8.jpg",
        "rtl \u202egpj.exe.jpg".encode(),
        b"-dash.jpg",
        b"#hash.jpg",
        b" space .jpg",
        b"tab\t.jpg",
        b"pipe|.jpg",
        b"$(x)`y`.jpg",
        b"n" * 246 + b".jpg",
    ]
    for name in names:
        put(os.fsencode(tmp_path) + b"/" + name)
    assert candidates(tmp_path) == sorted(names)


def test_a_tree_deeper_than_any_path_is_walked(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    name = "d" * 200
    for _ in range(40):  # 8,000 bytes: twice PATH_MAX
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    photo = os.open("deep.jpg", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(photo, JPEG)
    os.close(photo)
    os.close(here)
    (relative,) = candidates(tmp_path)
    assert relative == b"/".join([name.encode()] * 40 + [b"deep.jpg"])


def test_a_folder_that_vanishes_during_the_walk_is_a_row(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    (tmp_path / "b").mkdir()
    put(tmp_path / "c.jpg")
    entries = walk(tmp_path)
    assert next(entries) == Candidate(b"a.jpg")
    (tmp_path / "b").rmdir()
    passed, last = entries
    assert isinstance(passed, Skipped)
    assert passed.blocks
    assert passed.relative == b"b"
    assert last == Candidate(b"c.jpg")


def test_a_folder_swapped_for_a_link_during_the_walk_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path / "case/a.jpg")
    put(tmp_path / "case/b/x.jpg")
    put(tmp_path / "outside/x.jpg")
    entries = walk(tmp_path / "case")
    next(entries)
    (tmp_path / "case/b").rename(tmp_path / "moved")
    (tmp_path / "case/b").symlink_to(tmp_path / "outside")
    (passed,) = entries
    assert isinstance(passed, Skipped)
    assert passed.blocks


def test_what_is_not_a_folder_is_refused_in_words(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    for name, why in (("a.jpg", "not a folder"), ("nothing", "no such file or directory")):
        with pytest.raises(UsageError, match=why):
            list(walk(tmp_path / name))


def test_walking_leaves_no_trace(tmp_path: Path) -> None:
    root = tmp_path / "case"
    put(root / "a.jpg")
    put(root / "a.xmp", XMP)
    put(root / "unknown.bin", b"\0\1\2")
    put(root / "sub/.hidden", b"x")
    (root / "link").symlink_to("a.jpg")
    age_access_times(root)
    before = trace(root)
    assert len(list(walk(root))) == 4
    assert trace(root) == before


def test_the_trap_of_the_test_above_is_set(tmp_path: Path) -> None:
    put(tmp_path / "case/a.jpg")
    age_access_times(tmp_path / "case")
    with opening.directory(tmp_path, b"") as fd:
        if opening.reading_leaves_no_trace(fd):
            pytest.skip("this file system records no access times")
    before = trace(tmp_path / "case")
    (tmp_path / "case/a.jpg").read_bytes()
    assert trace(tmp_path / "case") != before


def test_some_files_of_a_folder_are_classified_as_the_walk_does(tmp_path: Path) -> None:
    for name in ("d/a.jpg", "d/b.jpg", "d/wrong.txt", "d/.hidden.jpg"):
        put(tmp_path / name)
    put(tmp_path / "d/note.txt", b"hello")
    put(tmp_path / "d/a.xmp", XMP)
    put(tmp_path / "d/alone.xmp", XMP)
    (tmp_path / "d/folder.jpg").mkdir()
    whole = listed(tmp_path)
    names = [b"a.jpg", b"wrong.txt", b".hidden.jpg", b"note.txt", b"alone.xmp", b"folder.jpg", b"gone.jpg"]
    found = {entry.relative: entry for entry in candidates_among(tmp_path, b"d", names=names)}
    assert found == {name: entry for name, entry in whole.items() if name != b"d/b.jpg"}


def test_a_sidecar_stands_for_its_photos(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.cr2", "b.jpg"):
        put(tmp_path / name)
    put(tmp_path / "a.xmp", XMP)
    put(tmp_path / "B.jpg.xmp", XMP)
    found = list(candidates_among(tmp_path, b"", names=[b"a.xmp"]))
    assert found == [Candidate(b"a.cr2", (b"a.xmp",)), Candidate(b"a.jpg", (b"a.xmp",))]
    assert list(candidates_among(tmp_path, b"", names=[b"B.jpg.xmp"])) == [Candidate(b"b.jpg", (b"B.jpg.xmp",))]


# --------------------------------------------------------------------------- output outside the evidence


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("output", [".", "out", "not/yet/there", "../evidence/out", "nothing/../out"])
def test_an_output_inside_the_evidence_is_refused(evidence: Path, output: str) -> None:
    with pytest.raises(EvidenceTreeError, match="never written to"):
        refuse_inside(evidence / output, evidence)


@pytest.mark.parametrize("output", ["..", "../evidence.audit", "../other/evidence", "../evidence2"])
def test_an_output_beside_the_evidence_is_fine(evidence: Path, output: str) -> None:
    refuse_inside(evidence / output, evidence)


def test_links_do_not_hide_that_an_output_is_inside(tmp_path: Path, evidence: Path) -> None:
    (tmp_path / "link").symlink_to(evidence)
    (tmp_path / "dangling").symlink_to(evidence / "later")
    for output, tree in (
        (tmp_path / "link/out", evidence),
        (evidence / "out", tmp_path / "link"),
        (tmp_path / "dangling", evidence),
        (tmp_path / "dangling/deeper", evidence),
    ):
        with pytest.raises(EvidenceTreeError):
            refuse_inside(output, tree)


def test_a_second_mount_does_not_hide_that_an_output_is_inside(tmp_path: Path, evidence: Path) -> None:
    (tmp_path / "second").mkdir()
    mounted = subprocess.run(["mount", "--bind", evidence, tmp_path / "second"], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(EvidenceTreeError):
            refuse_inside(tmp_path / "second/out", evidence)
    finally:
        subprocess.run(["umount", tmp_path / "second"], check=True)


def test_a_relative_output_is_judged_from_here(evidence: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(evidence)
    with pytest.raises(EvidenceTreeError):
        refuse_inside(Path("out"), Path())
    refuse_inside(Path("../out"), Path())


# --------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"\xff\xd8\xff\xdb", b"x.png", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", b"", "image/webp"),
        (b"II*\0\x08\0\0\0", b"x.tif", "image/tiff"),
        (b"MM\0*\0\0\0\x08", b"a/x.NEF", "image/x-nikon-nef"),
        (b"II*\0\x08\0\0\0", b"x.dng", "image/x-adobe-dng"),
        (b"II*\0\x10\0\0\0CR\x02\0", b"x.jpg", "image/x-canon-cr2"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01", b"", "image/x-canon-cr3"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", b"", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", b"", "image/avif"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", b"", "image/avif"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0mif1", b"", "image/heif"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", b"", "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", b"", "video/quicktime"),
        (b"\0\0\0\x14ftyp3gp4\0\0\0\0", b"", "video/3gpp"),
        (b"FUJIFILMCCD-RAW 0201", b"", "image/x-fuji-raf"),
        (b"IIRO\x08\0\0\0", b"", "image/x-olympus-orf"),
        (b"IIU\0\x18\0\0\0", b"", "image/x-panasonic-rw2"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"", "image/bmp"),
        (b"BMW drivers, a list", b"x.txt", "text/plain"),
        (b"GIF89a", b"", "image/gif"),
        (b"", b"x.jpg", "inode/x-empty"),
        ("Grüße".encode(), b"", "text/plain"),
        (b"\0\1\2\3", b"x.jpg", "application/octet-stream"),
    ],
)
def test_the_kind_comes_from_the_magic_bytes(head: bytes, name: bytes, kind: str) -> None:
    assert types.media_type(head, name=name) == kind


@given(head=st.binary(max_size=64), name=st.binary(max_size=20))
def test_any_bytes_have_a_kind_and_a_plain_extension(head: bytes, name: bytes) -> None:
    kind = types.media_type(head, name=name)
    assert "/" in kind
    extension = types.plain_extension(kind)
    assert extension.isascii() and extension.startswith(".") and extension[1:].isalnum()


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        (b"a.JPG", b".jpg"),
        (b"a", b""),
        (b".jpg", b""),
        (b"x.y/a", b""),
        (b"x/.jpg", b""),
        (b"a.b.Tif", b".tif"),
        (b"", b""),
    ],
)
def test_an_extension_is_what_follows_the_last_dot_of_a_name(name: bytes, extension: bytes) -> None:
    assert types.extension_of(name) == extension
