"""A review to take away is a folder that needs nothing else, says where it is from, and harms nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from test_case import photo, snapshot
from test_review_decisions import called

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.reviewing import portable, selecting
from gtloc_forensics.case.reviewing.decisions import Ruling
from gtloc_forensics.case.reviewing.languages import languages, page_words
from gtloc_forensics.cli.main import ExitCode
from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Judgement

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "case_folder"
TEMPLATES = ROOT / "reports" / "templates" / "review"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("taken")
    shutil.copytree(EXAMPLE / "nordvale", folder / "evidence")
    photo(folder / "evidence" / "<script>alert(1)<!--.jpg", make="</script><script>alert(2)</script>")
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        view = case.view()
        group, members = selecting.of_cause(view, 1)
        case.decide("A. Reader", Ruling(Judgement.CONFIRMED, members, view.fingerprint, cause=group.cause.kind))
    return folder


@pytest.fixture
def place(examined: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(examined / "case", tmp_path / "case"))


def held_in(path: Path) -> dict[str, object]:
    text = path.read_text(encoding="utf-8")
    return dict(json.loads(text[text.index("{") : text.rindex("}") + 1]))


def test_the_copy_holds_pages_pictures_decisions_and_no_original(place: Path, examined: Path, tmp_path: Path) -> None:
    before = snapshot(examined / "evidence")
    with Case(place) as case:
        folder = case.export_review(tmp_path / "taken")
        event = list(case.store.custody())[-1]
    assert snapshot(examined / "evidence") == before
    shown = held_in(folder / "case.js")
    photos = shown["case"]["photos"]
    assert len(photos) == 8 and not shown["case"]["may_write"]
    assert shown["decisions"]["made"][0]["examiner"] == "A. Reader"
    assert {path.stem for path in (folder / "photos").iterdir()} == {entry["id"] for entry in photos}
    originals = {path.read_bytes() for path in (examined / "evidence").iterdir()}
    assert not originals & {path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert (folder / "LICENSE-leaflet").is_file() and (folder / "LICENSE-world-atlas").is_file()
    assert event.action == "export" and event.subject.endswith("taken/MANIFEST.sha256")
    assert event.detail["sha256"] == hashlib.sha256((folder / portable.MANIFEST).read_bytes()).hexdigest()


def test_its_manifest_lists_every_file_as_sha256sum_reads_it(place: Path, tmp_path: Path) -> None:
    with Case(place) as case:
        folder = case.export_review(tmp_path / "taken")
    listed = dict(reversed(line.split("  ")) for line in (folder / portable.MANIFEST).read_text().splitlines())
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    del there[portable.MANIFEST]
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == listed
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--quiet", portable.MANIFEST], cwd=folder, check=True)


def test_nothing_of_the_case_can_end_the_script_that_it_stands_in(place: Path, tmp_path: Path) -> None:
    with Case(place) as case:
        folder = case.export_review(tmp_path / "taken")
    for path in [folder / "case.js", *(folder / "photos").iterdir()]:
        assert "<" not in path.read_text(encoding="utf-8")
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "alert(" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    code = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert policy and code and "unsafe" not in policy[1] and "http" not in policy[1]
    assert base64.b64encode(hashlib.sha256(code[1].encode()).digest()).decode() in policy[1]


def test_a_copy_goes_into_no_folder_that_holds_anything_and_never_into_the_evidence(place, examined, tmp_path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with Case(place) as case:
        with pytest.raises(UsageError, match="is there already"):
            case.export_review(tmp_path / "there")
        with pytest.raises(EvidenceTreeError):
            case.export_review(examined / "evidence" / "taken")
        with pytest.raises(UsageError, match="no review pages"):
            case.export_review(tmp_path / "taken", language="xx")
        (tmp_path / "empty").mkdir()
        assert case.export_review(tmp_path / "empty").is_dir()
    assert not list(tmp_path.glob(".gtloc-*")), "no draft is left"


def test_a_copy_in_the_case_folder_is_verified_with_it(place: Path) -> None:
    with Case(place) as case:
        case.export_review()
        settings = Settings(model="none", jobs=0)
        about = [item for item in case.verify(settings, sample=0).differences if "MANIFEST" in item.subject]
        assert about == []
        (picture, *_) = sorted((place / "review").rglob("*.jp*g"))
        whole = picture.read_bytes()
        picture.write_bytes(whole + b"x")
        (place / "review" / "more.txt").write_text("mine")
        told = [item.subject for item in case.verify(settings, sample=0).differences if "MANIFEST" in item.subject]
        inner = picture.relative_to(place / "review").as_posix()
        assert sorted(subject.rpartition(": ")[2] for subject in told) == sorted([inner, "more.txt"])
        picture.write_bytes(whole)
        (place / "review" / "more.txt").unlink()
        (place / "review" / portable.MANIFEST).write_text("altered")
        about = [item for item in case.verify(settings, sample=0).differences if "MANIFEST" in item.subject]
        assert len(about) == 1


def test_the_command_makes_it_in_german(place: Path, tmp_path: Path) -> None:
    done = called("export", place, "--format", "review", "--language", "de", "-o", tmp_path / "taken")
    assert done.exit_code == ExitCode.CLEAN, done.output
    assert done.output.strip() == str(tmp_path / "taken")
    shown = held_in(tmp_path / "taken" / "case.js")["case"]
    assert shown["language"] == "de" and shown["words"]["causes"] == "Ursachen"
    assert called("export", place, "--format", "review", "-o", tmp_path / "taken").exit_code == ExitCode.FAILURE


# --------------------------------------------------------------------------- words, licences, SQL


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    assert languages() == ("de", "en")
    english, german = page_words("en"), page_words("de")
    own = (TEMPLATES / "de.toml").read_text(encoding="utf-8")
    for key, text in english.items():
        assert re.search(rf"^{key} = ", own, re.MULTILINE), f"{key} is not said in German"
        assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", german[key])), key
    assert set(german) == set(english)


def test_every_sentence_that_the_pages_ask_for_is_there() -> None:
    code = (TEMPLATES / "review.js").read_text(encoding="utf-8")
    asked = set(re.findall(r"say\('(\w+)'", code)) | set(re.findall(r"say\(\w[^'()]*\? '(\w+)'", code))
    assert asked and asked <= set(page_words("en")), asked - set(page_words("en"))


def test_what_is_not_ours_comes_with_its_licence() -> None:
    assert "BSD 2-Clause" in (TEMPLATES / "LICENSE-leaflet").read_text() or "Redistribution" in (
        TEMPLATES / "LICENSE-leaflet"
    ).read_text(encoding="utf-8")
    assert (TEMPLATES / "LICENSE-world-atlas").is_file()
    assert "Leaflet 1.9.4" in (TEMPLATES / "leaflet.js").read_text(encoding="utf-8")[:200]


def test_no_outline_of_the_map_runs_across_the_date_line() -> None:
    world = json.loads((TEMPLATES / "world.json").read_text())
    for ring in [*world["land"], *world["borders"]]:
        x, y = ring[0], ring[1]
        for dx, dy in zip(ring[2::2], ring[3::2], strict=True):
            at_pole = abs(y) >= 89 * world["scale"] or abs(y + dy) >= 89 * world["scale"]
            assert abs(dx) < 180 * world["scale"] or at_pole
            x, y = x + dx, y + dy
            assert abs(x) <= 180 * world["scale"] and abs(y) <= 90 * world["scale"]


def test_the_questions_for_datasette_can_be_asked(place: Path) -> None:
    described = json.loads((ROOT / "examples" / "datasette.json").read_text())["databases"]["case"]
    with sqlite3.connect(f"file:{place / 'case.sqlite'}?mode=ro", uri=True) as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        assert set(described["tables"]) <= tables
        for name, table in described["tables"].items():
            columns = {row[1] for row in database.execute(f"pragma table_info({name})")}
            assert set(table.get("columns", {})) <= columns
        answers = {name: database.execute(query["sql"]).fetchall() for name, query in described["queries"].items()}
    database.close()
    assert answers["decisions"][0][2:4] == ("A. Reader", "confirmed")
    assert answers["findings_by_rule"] and answers["outcomes"]
