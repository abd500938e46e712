"""Ex01 (EWF 2), made after the description of the format, is read like the older kind."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import made_ex01
import made_images
import pytest
from click.testing import CliRunner

pytest.importorskip("pytsk3", reason="needs the extra images")
pytest.importorskip("pyewf", reason="needs the extra images")

from test_images import INLINE, audited, comparable, corpus, photo, trace

from gtloc_forensics.case.case import Case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import reading
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.containers.media import EwfMedia, blocks, opened_files

__all__ = ["corpus"]  # the sixty photos as a folder and as an image

pytestmark = pytest.mark.xdist_group("images")


@pytest.mark.parametrize("segments", [1, 3])
def test_packed_plain_and_patterned_chunks_of_ex01_give_the_medium_back(tmp_path: Path, segments: int) -> None:
    content = bytes(70_000) + os.urandom(100_000) + b"abcdefgh" * 30_000 + b"text " * 30_000
    content += bytes(-len(content) % made_ex01.SECTOR)
    first = made_ex01.ex01(tmp_path / "card", content, segments=segments)
    medium = EwfMedia("card.Ex01", lambda stack: opened_files(kinds.parts_of(first), stack))
    assert b"".join(blocks(medium)) == content
    assert medium.stored["MD5"] == hashlib.md5(content).hexdigest()
    assert medium.stored["SHA1"] == hashlib.sha1(content).hexdigest()
    assert medium.said["examiner_name"] == "An Examiner"
    medium.close()


def test_an_ex01_image_of_sixty_photos_gives_what_the_raw_image_gives(corpus: dict[str, Path], tmp_path: Path) -> None:
    raw = comparable(audited(corpus["dd"], tmp_path / "of dd"))
    image = made_ex01.ex01(tmp_path / "card", corpus["dd"].read_bytes(), segments=2)
    before = trace(image)
    document = audited(image, tmp_path / "of Ex01")
    assert trace(image) == before
    told = {name.replace("card.Ex01!/", ""): found for name, found in comparable(document).items()}
    assert {name: found[:2] for name, found in told.items()} == {name: found[:2] for name, found in raw.items()}
    assert [len(found[2]) for found in told.values()] == [len(found[2]) for found in raw.values()]
    with Case(tmp_path / "of Ex01") as case:
        (event,) = [event for event in case.store.custody() if event.action == "container"]
        assert case.view().mandate()["container_check"] == "MD5 and SHA1 of its content as stated in it"
        assert case.verify(INLINE, sample=2).differences == ()
    assert event.detail["said examiner_name"] == "An Examiner"


def test_an_ex01_image_that_states_another_hash_is_told_loudly(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    content = made_images.fat(tmp_path / "fat.dd", tmp_path / "card").read_bytes()
    image = made_ex01.ex01(tmp_path / "card", content, md5=b"\1" * 16)
    ran = CliRunner().invoke(
        gtloc, ["audit", str(image), "-o", str(tmp_path / "case"), "--model", "none", "--no-report"]
    )
    assert ran.exit_code == ExitCode.INCOMPLETE
    assert "THE HASH DOES NOT MATCH" in (tmp_path / "case/findings.json").read_text()


def test_an_ex01_and_an_e01_image_of_one_name_beside_each_other_are_two(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    content = made_images.fat(tmp_path / "fat.dd", tmp_path / "card")
    older = made_images.ewf(tmp_path / "card", content, "-c", "deflate:fast")
    newer = made_ex01.ex01(tmp_path / "card", content.read_bytes())
    (tmp_path / "card.exe").write_bytes(b"MZ")
    for image in (older, newer):
        found = reading.identity_of(image)
        assert found is not None
        assert [part.name for part in found.parts] == [os.fsencode(image.name)]
        assert found.mismatch is None


@pytest.mark.parametrize("kept", [[1], [1, 2]])
def test_an_ewf_image_of_which_the_last_segments_are_missing_is_told(tmp_path: Path, kept: list[int]) -> None:
    photo(tmp_path / "card/a.jpg")
    content = made_images.fat(tmp_path / "fat.dd", tmp_path / "card").read_bytes()
    image = made_ex01.ex01(tmp_path / "card", content, segments=3)
    for number in {1, 2, 3} - set(kept):
        (tmp_path / f"card.Ex{number:02}").unlink()
    try:
        found = reading.identity_of(image)
        assert found is not None
        assert found.compared == ()
        said = str(found.mismatch)
    except UsageError as refusal:  # a file system whose end is missing is not even opened
        said = str(refusal)
    assert "COULD NOT BE READ TO ITS END" in said
    assert "missing segment" in said


@pytest.mark.parametrize(("ending", "following"), [("E", "EAA EAB"), ("Ex", "ExAA ExAB"), ("s", "saa sab")])
def test_behind_segment_99_the_letters_follow(tmp_path: Path, ending: str, following: str) -> None:
    numbered = [f"{ending}{number:02}" for number in range(1, 100)]
    for name in (*numbered, *following.split(), f"{ending[0]}ZB"):
        (tmp_path / f"card.{name}").touch()
    for named in ("01", "50"):
        parts = kinds.parts_of(tmp_path / f"card.{ending}{named}")
        assert [part.name.partition(".")[2] for part in parts] == [*numbered, *following.split()]
    (tmp_path / f"card.{ending}07").unlink()
    with pytest.raises(UsageError, match="segment 7 is missing"):
        kinds.first_part(tmp_path / f"card.{ending}01")


def test_behind_ezz_the_next_letter_follows(tmp_path: Path) -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    endings = [f"E{number:02}" for number in range(1, 100)]
    endings += [f"{first}{tens}{ones}" for first in "EF" for tens in letters for ones in letters][: 26 * 26 + 2]
    for ending in endings:
        (tmp_path / f"card.{ending}").touch()
    assert [part.name.partition(".")[2] for part in kinds.parts_of(tmp_path / "card.E01")] == endings
    assert endings[-1] == "FAB"
