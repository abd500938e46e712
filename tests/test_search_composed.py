"""From files to hits: words, times, examples and counter-examples composed, across cases, and the sheet of pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw
from pypdf import PdfReader
from test_case import INLINE, audit
from test_case import photo as made_photo

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.composing import mean_of
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings

WITH_MODEL = Settings(model="gtloc-small", device="cpu", jobs=0)


def landscape(path: Path, *, sky: str, ground: str, local: str) -> None:
    picture = Image.new("RGB", (320, 240), sky)
    ImageDraw.Draw(picture).rectangle((0, 140, 320, 240), fill=ground)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769).update({0x9003: local})
    exif.get_ifd(0x8825).update({1: "N", 2: (60.0, 23.0, 0.0), 3: "E", 4: (5.0, 20.0, 0.0)})
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, exif=exif)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("composed")
    landscape(place / "first" / "day.jpg", sky="#4a90e2", ground="#3c7a2a", local="2024:06:15 12:00:00")
    landscape(place / "first" / "night.jpg", sky="#02030a", ground="#000000", local="2024:06:15 23:00:00")
    landscape(place / "second" / "dusk.jpg", sky="#e8722a", ground="#120a05", local="2024:06:15 21:00:00")
    for name in ("first", "second"):
        audit(place / name, place / f"{name}.audit", WITH_MODEL)
    return place / "first.audit", place / "second.audit"


def run(case: Path, *words: str) -> Result:
    return CliRunner().invoke(gtloc, ["search", str(case), *words])


def found(case: Path, *words: str) -> dict:
    result = run(case, "--json", *words)
    assert result.exit_code == ExitCode.CLEAN, result.output
    return json.loads(result.stdout)


def test_a_word_puts_what_shows_it_first_and_says_how_often_it_is_right(cases: tuple[Path, Path]) -> None:
    document = found(cases[0], "--text", "blue sky")
    assert document["hits"][0]["name"] == "day.jpg"
    (seen,) = document["hits"][0]["words"]
    assert seen["name"] == "blue sky"
    assert 0 < seen["precision"][1] < seen["precision"][0] < seen["precision"][2] <= 1
    assert len(document["word_heads"]) == 64
    assert document["read_as"] == [["blue sky", "“blue sky” in the picture"]]


def test_the_claim_and_its_town_stand_beside_each_hit(cases: tuple[Path, Path]) -> None:
    said = run(cases[0], "--text", "night").output
    assert "2024-06-15 23:00:00" in said
    assert "Bergen, Vestland, Norway" in said


def test_an_unknown_word_is_refused_with_the_reason_and_exit_code_2(cases: tuple[Path, Path]) -> None:
    result = run(cases[0], "--text", "zeppelin at night \x1b[31m")
    assert result.exit_code == ExitCode.FAILURE
    assert "'zeppelin'" in result.output
    assert "\x1b" not in result.output


def test_a_place_is_asked_by_name_and_how_it_was_read_is_said(cases: tuple[Path, Path]) -> None:
    document = found(cases[0], "--near", "Bergen")
    assert document["matching"] == 2
    assert document["read_as"][0][1].startswith("the place Bergen, Vestland, Norway")
    assert found(cases[0], "--near", "Bergen, DE")["matching"] == 0
    assert run(cases[0], "--near", "Norway").exit_code == ExitCode.FAILURE


def test_a_time_and_a_place_in_words_are_composed(cases: tuple[Path, Path]) -> None:
    document = found(cases[0], "--text", "Christmas evening in Norway")
    assert [len(entry) for entry in document["read_as"]] == [2, 2, 2]
    cosines = [hit["composed"] for hit in document["hits"]]
    assert cosines == sorted(cosines, reverse=True)
    assert all(-1 <= value <= 1 for value in cosines)


def test_like_and_not_like_turn_the_order(cases: tuple[Path, Path]) -> None:
    liked = found(cases[0], "--like", "day.jpg", "--not-like", "night.jpg")
    other = found(cases[0], "--like", "night.jpg", "--not-like", "day.jpg")
    assert [hit["name"] for hit in liked["hits"]] == ["day.jpg", "night.jpg"]
    assert [hit["name"] for hit in other["hits"]] == ["night.jpg", "day.jpg"]


def test_a_part_without_weight_counts_for_nothing(cases: tuple[Path, Path]) -> None:
    alone = found(cases[0], "--like", "day.jpg", "--like", "day.jpg")
    weighed = found(cases[0], "--like", "day.jpg", "--not-like", "night.jpg", "--weigh", "not-like=0")
    assert [hit["composed"] for hit in weighed["hits"]] == pytest.approx([hit["composed"] for hit in alone["hits"]])
    assert run(cases[0], "--like", "day.jpg", "--weigh", "taste=1").exit_code == ExitCode.FAILURE


def test_what_cancels_is_refused(cases: tuple[Path, Path]) -> None:
    assert "cancel each other" in run(cases[0], "--like", "day.jpg", "--not-like", "day.jpg").output


def test_time_alone_takes_a_time_alone(cases: tuple[Path, Path]) -> None:
    assert found(cases[0], "--time", "18:30")["hits"][0]["composed"] is not None
    assert "a time alone" in run(cases[0], "--time", "summer in Norway").output
    assert run(cases[0], "--time", "soon").exit_code == ExitCode.FAILURE


def test_several_cases_are_searched_at_once(cases: tuple[Path, Path]) -> None:
    document = found(cases[0], "--text", "sunset", "--across", str(cases[1]))
    assert document["looked_at"] == 3
    assert {Path(hit["case"]).name for hit in document["hits"]} == {"first.audit", "second.audit"}


def test_cases_that_different_models_looked_at_are_not_compared(cases: tuple[Path, Path], tmp_path: Path) -> None:
    made_photo(tmp_path / "evidence" / "0.jpg", 0, taken="2024:05:15 10:00:00")
    audit(tmp_path / "evidence", tmp_path / "blind", INLINE)
    assert "different models" in run(cases[0], "--text", "night", "--across", str(tmp_path / "blind")).output
    assert found(cases[0], "--months", "5-6", "--across", str(tmp_path / "blind"))["looked_at"] == 3
    said = run(tmp_path / "blind", "--text", "night")
    assert said.exit_code == ExitCode.FAILURE
    assert "no model looked at them" in said.output


def test_the_sheet_shows_the_pictures_with_their_claims_the_same_bytes_each_time(
    cases: tuple[Path, Path], tmp_path: Path
) -> None:
    sheets = [tmp_path / name for name in ("a.png", "b.png", "a.pdf", "b.pdf")]
    said = run(cases[0], "--text", "night", *(word for sheet in sheets for word in ("--sheet", str(sheet))))
    assert said.exit_code == ExitCode.CLEAN, said.output
    assert sheets[0].read_bytes() == sheets[1].read_bytes()
    assert sheets[2].read_bytes() == sheets[3].read_bytes()
    text = PdfReader(sheets[2]).pages[0].extract_text()
    assert "claims 2024-06-15 12:00:00" in text
    assert "Bergen, Vestland, Norway" in text
    assert "no evidence" in text
    with Image.open(sheets[0]) as sheet:
        blue = np.abs(np.asarray(sheet.convert("RGB")).astype(int) - (0x4A, 0x90, 0xE2)).sum(axis=2) < 24
    assert blue.sum() > 2000  # the sky of day.jpg


def test_a_sheet_is_never_written_into_the_evidence_nor_as_something_else(
    cases: tuple[Path, Path], tmp_path: Path
) -> None:
    inside = cases[0].parent / "first" / "sheet.png"
    assert run(cases[0], "--sheet", str(inside)).exit_code == ExitCode.FAILURE
    assert not inside.exists()
    also = cases[0].parent / "second" / "sheet.png"
    assert run(cases[0], "--across", str(cases[1]), "--sheet", str(also)).exit_code == ExitCode.FAILURE
    assert not also.exists()
    assert "neither" in run(cases[0], "--sheet", str(tmp_path / "sheet.gif")).output


def test_asking_in_words_changes_nothing_of_the_case(cases: tuple[Path, Path]) -> None:
    with Case(cases[0]) as opened:
        before = (opened.view().fingerprint, list(opened.store.custody()))
        run(cases[0], "--text", "night")
        assert (opened.view().fingerprint, list(opened.store.custody())) == before


def test_the_mean_is_weighted_and_of_unit_length() -> None:
    east, north = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)
    assert mean_of([(1.0, east), (1.0, north)]) == pytest.approx(np.array([0.5, 0.5]) ** 0.5)
    assert mean_of([(3.0, east), (-4.0, north)]) == pytest.approx([0.6, -0.8])
    with pytest.raises(UsageError, match="cancel"):
        mean_of([(0.0, east)])
