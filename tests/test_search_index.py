"""A large case is searched by an index beside it, which answers as a search of all photos does, and shows no more."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageDraw
from test_case import audit

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.search_index import building, opened, quick, vectors
from gtloc_forensics.case.search_index.asking import COMPARED_AGAIN
from gtloc_forensics.case.search_index.index import FOLDER
from gtloc_forensics.case.search_index.parts import _MAGIC, Part, write
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.store import addresses

WITH_MODEL = Settings(model="gtloc-small", device="cpu", jobs=0)
SKIES = ("#4a90e2", "#02030a", "#e8722a", "#88a0b0", "#2244cc", "#f0d0a0")


def picture(path: Path, number: int, *, local: str = "", place: bool = True, maker: str = "Acme") -> None:
    made = Image.new("RGB", (160, 120), SKIES[number % len(SKIES)])
    ImageDraw.Draw(made).rectangle((0, 60 + 5 * number % 40, 160, 120), fill=SKIES[(number + 2) % len(SKIES)])
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = maker, f"Model {number % 2}"
    if local:
        exif.get_ifd(0x8769).update({0x9003: local})
    if place:
        exif.get_ifd(0x8825).update({1: "N", 2: (60.0, 2.0 * number, 0.0), 3: "E", 4: (5.0, 20.0, 0.0)})
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path, exif=exif)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("indexed")
    for number in range(5):
        picture(place / "evidence" / f"{number}.jpg", number, local=f"2024:0{number + 4}:15 {5 * number:02}:30:00")
    picture(place / "evidence" / "no time ÄÖ.jpg", 5, place=False, maker="Straße")
    (place / "evidence" / "torn.jpg").write_bytes((place / "evidence" / "1.jpg").read_bytes()[:600])
    audit(place / "evidence", place / "case", WITH_MODEL)
    return place


@pytest.fixture
def case(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made / "case", tmp_path / "case")


@pytest.fixture
def indexed(case: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    assert run(case, "--months", "6").exit_code == ExitCode.CLEAN
    assert parts(case)
    return case


def run(case: Path, *words: str) -> Result:
    return CliRunner().invoke(gtloc, ["search", str(case), *words])


def found(case: Path, *words: str) -> dict:
    result = run(case, "--json", *words)
    assert result.exit_code == ExitCode.CLEAN, result.output
    return json.loads(result.stdout)


def parts(case: Path) -> list[Path]:
    return sorted((case / FOLDER).glob("*.part"))


def answers_by(monkeypatch: pytest.MonkeyPatch, *, quickly: bool) -> list[bool]:
    """Note whether the case answers without being opened, or never let it."""
    told: list[bool] = []
    whole = quick.answered

    def noted(*arguments: object, **named: object) -> object:
        answer = whole(*arguments, **named) if quickly else None
        told.append(answer is not None)
        return answer

    monkeypatch.setattr(quick, "answered", noted)
    return told


QUESTIONS = (
    ("--months", "5-7"),
    ("--months", "11-4"),
    ("--dates", "2024-05-01..2024-06-30"),
    ("--local-hours", "22-6"),
    ("--local-hours", "5:30-10:30"),
    ("--near", "60.05,5.33", "--within-km", "6"),
    ("--near", "60.05,5.33", "--within-km", "6", "--months", "5-7"),
    ("--device", "model 1"),
    ("--device", "nobody"),
    ("--words", "model 1"),
    ("--words", "STRASSE"),
    ("--words", "'no time' äö"),
    ("--words", "acme '2024:06'", "--local-hours", "0-12"),
    ("--words", "norway"),
    ("--words", "nichts"),
    ("--like", "2.jpg"),
    ("--like", "2.jpg", "--limit", "2"),
    ("--like", "2.jpg", "--months", "5-7"),
    ("--like", "3.jpg", "--words", "acme"),
    ("--limit", "3"),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_the_index_answers_as_a_search_of_all_photos(
    case: Path, question: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found(case, *question)
    assert not parts(case)
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    told = answers_by(monkeypatch, quickly=True)
    assert found(case, *question) == before  # the case was opened and the index made
    assert parts(case)
    assert found(case, *question) == before
    assert told == [False, True]


def test_the_opened_case_answers_by_the_index_too(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = found(indexed, "--like", "2.jpg", "--months", "5-7")
    answers_by(monkeypatch, quickly=False)
    asked: list[int] = []
    monkeypatch.setattr("gtloc_forensics.case.search.search", lambda *_, **__: asked.append(1))
    assert found(indexed, "--like", "2.jpg", "--months", "5-7") == whole
    assert not asked


def test_two_examples_are_composed_and_found_by_the_index(
    case: Path, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_index = found(indexed, "--like", "2.jpg", "--like", "3.jpg")
    shutil.rmtree(indexed / FOLDER)
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1_000)
    assert found(indexed, "--like", "2.jpg", "--like", "3.jpg") == by_index


def test_new_photos_are_added_and_the_rest_is_kept(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    evidence = shutil.copytree(made / "evidence", tmp_path / "evidence")
    audit(evidence, tmp_path / "case", WITH_MODEL)
    found(tmp_path / "case", "--months", "6")
    kept = {path.name: path.stat().st_mtime_ns for path in parts(tmp_path / "case") if path.name.startswith("photos")}
    assert len(kept) == 1
    picture(evidence / "0a.jpg", 4, local="2024:06:01 12:00:00")
    (evidence / "3.jpg").unlink()
    audit(evidence, tmp_path / "case", WITH_MODEL)
    now = found(tmp_path / "case", "--months", "6")
    assert [hit["name"] for hit in now["hits"]] == ["0a.jpg", "2.jpg"]
    assert "3.jpg" not in [hit["name"] for hit in found(tmp_path / "case", "--like", "0a.jpg")["hits"]]
    after = {path.name: path.stat().st_mtime_ns for path in parts(tmp_path / "case") if path.name.startswith("photos")}
    assert kept.items() < after.items()
    assert len(after) == 2


@pytest.mark.parametrize("harm", ["a byte", "the end", "gone", "another case's"])
def test_an_index_that_is_not_what_was_written_is_made_anew(
    indexed: Path, harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found(indexed, "--months", "5-7")
    (segment,) = (path for path in parts(indexed) if path.name.startswith("photos"))
    if harm == "a byte":
        whole = bytearray(segment.read_bytes())
        whole[whole.index("äö".encode())] ^= 1
        segment.write_bytes(whole)
    elif harm == "the end":
        segment.write_bytes(segment.read_bytes()[:-64])
    elif harm == "gone":
        segment.unlink()
    else:
        segment.write_bytes(parts(indexed)[0].read_bytes())
    question = ("--words", "äö")
    told = answers_by(monkeypatch, quickly=True)
    assert [hit["name"] for hit in found(indexed, *question)["hits"]] == ["no time ÄÖ.jpg"]
    assert found(indexed, "--months", "5-7") == before
    found(indexed, *question)
    assert told[0] is False
    assert told[-1] is True


def test_an_example_is_found_though_the_order_of_the_photos_is_damaged(indexed: Path) -> None:
    before = found(indexed, "--like", "0.jpg")
    (order,) = (path for path in parts(indexed) if path.name.startswith("order"))
    whole = bytearray(order.read_bytes())
    whole[Part(order)._begin + Part(order)._arrays["source_row"]["at"]] ^= 1
    order.write_bytes(whole)
    assert found(indexed, "--like", "0.jpg") == before
    assert found(indexed, "--like", "0.jpg") == before, "also by the one that was made anew"


@pytest.mark.parametrize("which", ["order", "photos"])
@pytest.mark.parametrize("form", ["a list", "no text", "facts alone", "no facts"])
def test_parts_of_another_form_with_right_hashes_are_not_used(indexed: Path, which: str, form: str) -> None:
    questions = (("--months", "5-7"), ("--words", "acme"), ("--like", "0.jpg"))
    before = [found(indexed, *question) for question in questions]
    (order,) = (path for path in parts(indexed) if path.name.startswith("order"))
    path = next(path for path in parts(indexed) if path.name.startswith(which))
    facts = Part(path).facts
    head = {
        "a list": b"[1]",
        "no text": b"{no",
        "facts alone": json.dumps({"facts": dict(facts), "arrays": {}, "bytes": 0}).encode(),
        "no facts": json.dumps({"facts": {}, "arrays": {}, "bytes": 0}).encode(),
    }[form]
    digest = hashlib.sha256(head)
    text = _MAGIC + len(head).to_bytes(8, "little") + digest.digest() + head
    path.write_bytes(text + b"\0" * (-len(text) % 64))
    if which == "photos":
        kept = {name: Part(order).array(name) for name in Part(order).names}
        write(order, {**Part(order).facts, "segments": [[path.name, digest.hexdigest()]]}, kept)
    assert [found(indexed, *question) for question in questions] == before


def test_the_index_of_another_case_in_the_same_folder_is_not_used(
    indexed: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(made / "evidence", tmp_path / "other", WITH_MODEL)
    shutil.copytree(indexed / FOLDER, tmp_path / "other" / FOLDER)
    told = answers_by(monkeypatch, quickly=True)
    assert found(tmp_path / "other", "--months", "5")["matching"] == 2
    assert told == [False]


def test_what_is_shown_is_what_the_case_says_and_not_what_an_index_does(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hash protects from damage, not from somebody who writes an index of their own."""
    shutil.rmtree(indexed / FOLDER)
    with monkeypatch.context() as forged:
        forged.setattr(building, "microseconds", lambda local: 0 if local else building.NO_TIME)
        found(indexed, "--months", "6")
    assert found(indexed, "--dates", "1970-01-01")["hits"] == []


def test_where_nothing_can_be_written_all_photos_are_read(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert [hit["name"] for hit in found(case, "--months", "6")["hits"]] == ["2.jpg"]
    assert not (case / FOLDER).exists()


def test_a_small_case_gets_no_index(case: Path) -> None:
    found(case, "--months", "6")
    assert not (case / FOLDER).exists()


def test_a_verified_case_stays_verified_with_an_index_beside_it(indexed: Path) -> None:
    result = CliRunner().invoke(gtloc, ["verify", str(indexed)])
    assert result.exit_code == ExitCode.CLEAN, result.output


def test_a_search_by_the_index_loads_nothing_that_opens_a_case_for_work(indexed: Path) -> None:
    code = (
        "import sys\n"
        "from gtloc_forensics.cli.main import gtloc\n"
        "try:\n"
        f"    gtloc(['search', {str(indexed)!r}, '--words', 'acme'])\n"
        "except SystemExit:\n"
        "    print(*sorted({'sqlalchemy', 'faiss', 'torch', 'jinja2', 'alembic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["6 of 7 photos", ""], done.stdout + done.stderr


def test_the_names_are_those_of_the_store() -> None:
    assert (quick.DATABASE, quick.ADDRESS) == (addresses.DATABASE, addresses.ADDRESS)


@pytest.mark.parametrize("count", [3_000, 30_000])
def test_of_made_embeddings_the_nearest_are_among_those_compared_again(count: int) -> None:
    rng = np.random.default_rng(3)
    made = rng.normal(size=(60, 48))[rng.integers(0, 60, count)] + rng.normal(size=(count, 48))
    table = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    code = vectors.learned(vectors.kind_of(count, 48), table[: vectors.MOST_TO_LEARN_FROM])
    halves = np.array_split(code.coded(table), 2)
    found = []
    for number in range(0, count, count // 20):
        order = np.argsort(-(table @ table[number]))
        near = set(vectors.best(code, halves, table[number], COMPARED_AGAIN).tolist())
        assert order[0] in near
        found.append(len(near & set(order[:20].tolist())) / 20)
    assert np.mean(found) >= 0.98


def test_a_reader_elsewhere_does_not_make_a_search_slow_and_a_writer_makes_it_ask_the_open_case(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = answers_by(monkeypatch, quickly=True)
    with Case(indexed) as reading:
        assert reading.said() is not None
        assert (indexed / "case.sqlite-wal").exists()
        assert found(indexed, "--months", "6")["matching"] == 1
    with Case(indexed) as writing:
        writing._place.note("note", "case", {})
        assert (indexed / "case.sqlite-wal").stat().st_size
        assert found(indexed, "--months", "6")["matching"] == 1
    assert told == [True, False]


def test_without_a_model_the_hashes_are_compared_exactly(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit(made / "evidence", tmp_path / "open")
    shutil.copytree(tmp_path / "open", tmp_path / "case")
    before = found(tmp_path / "case", "--like", "2.jpg", "--limit", "5")
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    told = answers_by(monkeypatch, quickly=True)
    assert found(tmp_path / "case", "--like", "2.jpg", "--limit", "5") == before
    assert found(tmp_path / "case", "--like", "2.jpg", "--limit", "5") == before
    assert told == [False, True]
    assert before["hits"][0]["likeness"] == 1.0
