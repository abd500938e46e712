"""Images and archives within one another: opened on request, with their whole path, and bounded whatever they claim."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import made_images
import pytest
from click.testing import CliRunner
from PIL import Image

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import WorkspaceFull
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.files.containers import container, members, nesting
from gtloc_forensics.records import Candidate, Skipped, visible

pytestmark = pytest.mark.xdist_group("images")


@cache
def a_photo(number: int = 0) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769)[0x9003] = f"2024:06:{number % 28 + 1:02} 12:00:00"
    Image.effect_noise((64, 48), 40 + number).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def zipped(**content: bytes) -> bytes:
    """Pack files, whose names' underscores stand for full stops."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name.replace("_", "."), data)
    return file.getvalue()


def tarred(mode: str, **content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def listed(evidence: Path, *, nested: bool = True) -> dict[str, Candidate | Skipped]:
    reach = reading.Reach(nested=nested)
    return {
        visible(entry.relative).removeprefix(f"{evidence.name}!/"): entry for entry in reading.entries(evidence, reach)
    }


def photos(evidence: Path) -> list[str]:
    return [name for name, entry in listed(evidence).items() if isinstance(entry, Candidate)]


def reason(evidence: Path, name: str) -> str:
    entry = listed(evidence)[name]
    assert isinstance(entry, Skipped)
    assert entry.blocks
    return str(entry.reason)


def test_what_lies_within_is_told_and_opened_only_on_request(tmp_path: Path) -> None:
    inner = zipped(c_jpg=a_photo(1), notes_txt=b"x")
    outer = write(
        tmp_path / "a.zip", zipped(b_zip=inner, top_jpg=a_photo(2), d_tar_gz=tarred("w:gz", e_jpg=a_photo(3)))
    )
    closed = listed(outer, nested=False)
    assert [name for name, entry in closed.items() if isinstance(entry, Candidate)] == ["top.jpg"]
    for name in ("b.zip", "d.tar.gz"):
        entry = closed[name]
        assert isinstance(entry, Skipped)
        assert entry.blocks
        assert str(entry.reason).endswith("which was not opened; gtloc audit --nested opens it")
    opened = listed(outer)
    assert photos(outer) == ["top.jpg", "b.zip!/c.jpg", "d.tar.gz!/e.jpg"]
    assert str(opened["b.zip"].reason).endswith("opened as was asked: 1 photos in it")  # type: ignore[union-attr]
    assert not opened["b.zip"].blocks  # type: ignore[union-attr]
    assert "b.zip!/notes.txt" in opened
    assert acquiring.rehash(outer, b"a.zip!/b.zip!/c.jpg") == hashlib.sha256(a_photo(1)).hexdigest()


def test_an_archive_in_an_image_in_an_archive_is_reached_and_a_process_that_listed_nothing_finds_it(
    tmp_path: Path,
) -> None:
    pytest.importorskip("pytsk3", reason="needs the extra images")
    folder = tmp_path / "card"
    folder.mkdir()
    write(folder / "x.zip", zipped(deep_jpg=a_photo(4)))
    write(folder / "live.jpg", a_photo(5))
    image = made_images.ext4(tmp_path / "card.dd", folder, size_mb=4)
    outer = write(tmp_path / "all.zip", zipped(card_dd=image.read_bytes()))
    assert photos(outer) == ["card.dd!/p0/live.jpg", "card.dd!/p0/x.zip!/deep.jpg"]
    container._open.clear()
    deep = b"all.zip!/card.dd!/p0/x.zip!/deep.jpg"
    assert acquiring.rehash(outer, deep) == hashlib.sha256(a_photo(4)).hexdigest()
    for wrong in (
        b"all.zip!/card.dd!/p0/none.jpg",
        b"all.zip!/none.zip!/a.jpg",
        b"all.zip!/card.dd!/p0/live.jpg!/a",
        b"x!/a",
    ):
        with pytest.raises(FileNotFoundError):
            reading.look(outer, wrong)


def test_an_ewf_image_and_a_7z_archive_within_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pyewf", reason="needs the extra images")
    pytest.importorskip("py7zr", reason="needs the extra images")
    made_images.needs("7z", "ewfacquire")
    folder = tmp_path / "card"
    folder.mkdir()
    write(folder / "a.jpg", a_photo(6))
    system = made_images.ext4(tmp_path / "card.dd", folder, size_mb=4)
    image = made_images.ewf(tmp_path / "card", system, "-c", "none")
    (tmp_path / "s").mkdir()
    image.rename(tmp_path / "s/card.E01")
    write(tmp_path / "s/z.zip", zipped(i_jpg=a_photo(7)))
    subprocess.run(["7z", "a", "-bd", str(tmp_path / "s.7z"), "."], cwd=tmp_path / "s", check=True, capture_output=True)
    assert photos(tmp_path / "s.7z") == ["card.E01!/p0/a.jpg", "z.zip!/i.jpg"]
    # one whose content is not what it states is not opened, with that reason
    data = bytearray((tmp_path / "s/card.E01").read_bytes())
    data[data.index(a_photo(6)) + 600] ^= 1
    bad = write(tmp_path / "bad.zip", zipped(card_E01=bytes(data)))
    assert "could not be opened" in reason(bad, "card.E01")


def test_a_case_with_nested_archives_is_audited_verified_and_corrected(tmp_path: Path) -> None:
    outer = write(tmp_path / "a.zip", zipped(b_zip=zipped(c_jpg=a_photo(1)), top_jpg=a_photo(2)))
    before = outer.read_bytes(), outer.stat().st_mtime_ns
    runner = CliRunner()
    ran = runner.invoke(gtloc, ["audit", str(outer), "-o", str(tmp_path / "case"), "--model", "none", "--nested"])
    assert ran.exit_code == 3, ran.output  # without a model
    document = json.loads((tmp_path / "case/findings.json").read_text())
    assert [photo["path"] for photo in document["photos"]] == ["a.zip!/b.zip!/c.jpg", "a.zip!/top.jpg"]
    with Case(tmp_path / "case") as case:
        assert case.verify(Settings(model="none", jobs=0), sample=4).differences == ()
        assert case.view().mandate()["container_paths"] == (
            "after !/ stands the path within it; a further !/ leads into an image or archive within"
        )
    planned = runner.invoke(
        gtloc, ["correct", str(tmp_path / "case"), "--offset", "+01:00:00", "--only", "a.zip!/b.zip!/c.jpg"]
    )
    assert planned.exit_code == 0, planned.output
    written = runner.invoke(gtloc, ["correct", str(tmp_path / "case"), "--apply"])
    assert written.exit_code == 0, written.output
    assert (tmp_path / "case/sidecars/a.zip!/b.zip!/c.jpg.xmp").is_file()
    assert (outer.read_bytes(), outer.stat().st_mtime_ns) == before


def test_without_the_option_the_case_says_what_was_not_opened(tmp_path: Path) -> None:
    outer = write(tmp_path / "a.zip", zipped(b_zip=zipped(c_jpg=a_photo(1)), top_jpg=a_photo(2)))
    ran = CliRunner().invoke(
        gtloc, ["audit", str(outer), "-o", str(tmp_path / "case"), "--model", "none", "--no-report"]
    )
    assert ran.exit_code == 3
    assert "which was not opened; gtloc audit --nested opens it" in " ".join(
        ran.output.replace("a.zip!/b.zip", "").split()
    )
    with open_case(outer, tmp_path / "case") as case:
        assert case.verify(Settings(model="none", jobs=0), sample=0).differences == ()


# --------------------------------------------------------------------------- bounds


def test_archives_within_archives_end_at_a_depth(tmp_path: Path) -> None:
    data = zipped(a_jpg=a_photo(1))
    for _ in range(nesting.DEEPEST + 2):
        data = zipped(n_zip=data, a_jpg=a_photo(1))
    outer = write(tmp_path / "a.zip", data)
    assert max(name.count("!/") for name in photos(outer)) == nesting.DEEPEST
    deepest = "!/".join(["n.zip"] * (nesting.DEEPEST + 1))
    assert "deeper than 4 within one another" in reason(outer, deepest)


def test_archives_within_an_archive_are_bounded_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nesting, "MOST_CONTAINERS", 3)
    monkeypatch.setattr(nesting, "MOST_OPEN", 2)
    content = {f"n{number}_zip": zipped(a_jpg=a_photo(number)) for number in range(5)}
    outer = write(tmp_path / "a.zip", zipped(**content))
    assert photos(outer) == [f"n{number}.zip!/a.jpg" for number in range(3)]
    assert "3 were opened before it" in reason(outer, "n4.zip")
    # those that were closed to make room are opened again
    assert acquiring.rehash(outer, b"a.zip!/n0.zip!/a.jpg") == hashlib.sha256(a_photo(0)).hexdigest()


def test_what_is_put_down_and_what_is_claimed_within_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that would fill the disk, and many small ones that together claim too much."""
    for module in (members, nesting):
        monkeypatch.setattr(module, "FREE_BYTES", 1 << 20)
        monkeypatch.setattr(module, "MOST_GROWTH", 2)
    outer = write(tmp_path / "a.zip", zipped(big_zip=zipped(a_jpg=a_photo(1)) + bytes(2 << 20)))
    assert "bytes, more than 2 times the archive" in reason(outer, "big.zip")
    inner = zipped(a_jpg=a_photo(1), b_bin=bytes(700_000))
    many = write(tmp_path / "many.zip", zipped(m1_zip=inner, m2_zip=inner))
    found = listed(many)
    assert isinstance(found["m1.zip!/a.jpg"], Candidate)
    entry = found["m2.zip!/b.bin"]
    assert isinstance(entry, Skipped)
    assert entry.blocks
    assert "bytes, more than 2 times the archive" in entry.reason


def test_what_is_no_archive_in_spite_of_its_name_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pytsk3", reason="needs the extra images")
    outer = write(
        tmp_path / "a.zip",
        zipped(
            no_zip=b"no archive at all" * 100, l_rar=b"Rar!" + bytes(100), cut_zip=zipped(a_jpg=a_photo())[:200],
            own_zip=zipped(a_jpg=a_photo(3)),
        ),
    )  # fmt: skip
    assert photos(outer) == ["own.zip!/a.jpg"]
    assert "could not be opened" in reason(outer, "no.zip")
    assert "RAR" in reason(outer, "l.rar")
    assert "could not be opened" in reason(outer, "cut.zip")


def test_a_name_in_an_archive_within_that_leads_out_is_not_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../evil.jpg", a_photo())
    outer = write(tmp_path / "a.zip", zipped(b_zip=file.getvalue()))
    assert "leads out of the folder" in reason(outer, "b.zip!/%2E%2E/%2E%2E/evil.jpg")


def test_a_folder_whose_name_looks_like_a_container_is_a_folder(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("b.zip!/c.jpg", a_photo(1))
        archive.writestr("wow!/d.jpg", a_photo(2))
    outer = write(tmp_path / "a.zip", file.getvalue())
    assert photos(outer) == ["b.zip!/c.jpg", "wow!/d.jpg"]
    assert acquiring.rehash(outer, b"a.zip!/b.zip!/c.jpg") == hashlib.sha256(a_photo(1)).hexdigest()


def test_a_full_disk_ends_the_run_and_is_not_told_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = write(tmp_path / "a.zip", zipped(b_zip=zipped(c_jpg=a_photo(1))))
    reading.identity_of(outer)

    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(WorkspaceFull):
        listed(outer)
