"""The modules for Autopsy, in Jython against classes with the documented signatures: photos out, results back.

Autopsy itself is not run: it needs a desktop, and its builds are on no package index.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.cli.plugging import PLUGINS, install, uninstall
from gtloc_forensics.cli.plugin_lines import encoded
from gtloc_forensics.cli.progress_file import kept_in

HERE = Path(__file__).parent
PLUGIN = HERE.parent / "plugins" / "autopsy" / "gtloc"
EXAMPLE = HERE.parent / "examples" / "case_folder"
JYTHON, JAVAC = shutil.which("jython"), shutil.which("javac")

needs_jython = pytest.mark.skipif(
    not (JYTHON and JAVAC), reason="needs jython and a JDK (Debian: apt-get install jython default-jdk-headless)"
)

_spec = importlib.util.spec_from_file_location("gtloc_lines", PLUGIN / "gtloc_lines.py")
assert _spec is not None and _spec.loader is not None
gtloc_lines = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gtloc_lines)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("classes")
    sources = [str(path) for path in (HERE / "autopsy" / "stubs").rglob("*.java")]
    subprocess.run([str(JAVAC), "-nowarn", "-d", str(out), *sources], check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the modules as they are installed."""
    root = tmp_path_factory.mktemp("autopsy")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(root / "data"))
        list(install(PLUGINS["autopsy"], root / "user"))
    folder = root / "user" / "python_modules" / "gtloc"
    (folder / "audit.options").write_text("--model\nnone\n")
    return folder


def drive(classes: Path, modules: Path, case: Path, folder: Path, how: str = "") -> dict:
    case.mkdir(exist_ok=True)
    arguments = [str(path) for path in (classes, modules, case, folder)]
    command = [str(JYTHON), str(HERE / "autopsy" / "drive.py"), *arguments, *([how] if how else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@needs_jython
def test_photos_of_a_data_source_are_audited_and_what_was_found_is_posted_with_its_sentence(classes, modules, tmp_path):
    photos = tmp_path / "card"
    shutil.copytree(EXAMPLE, photos)
    (photos / "notes.txt").write_text("no photo")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.rglob("*") if path.is_file()}
    said = drive(classes, modules, tmp_path / "case", photos)
    assert said["result"] == "OK"
    assert said["is_of_data_sources"]
    assert said["posted"], said
    for item in said["posted"]:
        assert item["file"].startswith("/img_card.dd/vol2/")
        assert item["type"] == "TSK_INTERESTING_FILE_HIT"
        assert item["score"] == "likely notable"
        assert item["conclusion"].endswith((".", ")")) and item["attributes"]["TSK_COMMENT"] == item["conclusion"]
        assert item["justification"].startswith(("suspicious: ", "contradiction: "))
    kind, text = said["messages"][-1]
    assert kind == "DATA"
    assert f"something found in {len(said['posted'])}" in text
    assert said["progress"][0].startswith("copying photos: ")
    assert said["progress"][-1].startswith("laying out pages")
    status, _, reports = said["report"]
    assert status == "COMPLETE"
    assert Path(reports[0]).read_bytes().startswith(b"%PDF")
    assert before == {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in photos.rglob("*") if path.is_file()
    }


@needs_jython
def test_a_second_ingest_of_the_same_data_source_posts_nothing_twice(classes, modules, tmp_path):
    said = drive(classes, modules, tmp_path / "case", EXAMPLE, "twice")
    assert said["result"] == "OK"
    told = [(item["file"], item["conclusion"], item["justification"]) for item in said["posted"]]
    assert told
    assert len(told) == len(set(told))
    first, second = [text for kind, text in said["messages"] if kind == "DATA"]
    assert first == second


@needs_jython
def test_a_cancelled_ingest_stops_the_program_and_posts_nothing(classes, modules, tmp_path):
    said = drive(classes, modules, tmp_path / "case", EXAMPLE, "cancel")
    assert said["result"] == "OK"
    assert not said["posted"]
    assert said["report"][0] == "ERROR"


@needs_jython
def test_a_data_source_without_photos_says_so_and_a_missing_program_is_an_error(classes, modules, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("x")
    said = drive(classes, modules, tmp_path / "case", tmp_path / "empty")
    assert said["messages"] == [["INFO", "no photos or films in card.dd"]]
    broken = tmp_path / "broken"
    shutil.copytree(modules, broken)
    (broken / "program.path").write_text("/nowhere/gtloc\n")
    said = drive(classes, broken, tmp_path / "case2", EXAMPLE)
    assert said["result"] == "ERROR"
    assert "/nowhere/gtloc could not be started" in said["messages"][-1][1]


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_place_lies_below_the_folder_whatever_a_file_is_called(parent: str, name: str) -> None:
    taken: set = set()
    first = gtloc_lines.place_of(parent, name, taken)
    second = gtloc_lines.place_of(parent, name, taken)
    assert first != second
    for place in (first, second):
        assert all(part not in ("", ".", "..") and not set(part) & set('/\\\0<>:"|?*') for part in place)
    assert first[-1] == second[-1]


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"])))
def test_a_field_is_read_as_it_was_written(text: str) -> None:
    assert gtloc_lines.decoded(encoded(text)) == text


def test_progress_is_what_the_program_said_last_though_it_is_writing_more(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    assert gtloc_lines.progress_of(str(path)) is None
    tell = kept_in(path, lambda stage, done, total: None)
    assert gtloc_lines.progress_of(str(path)) is None
    for number in range(2000):  # more than is read from the end
        tell(f"stage {number}", number, None if number % 2 else 2000)
    assert gtloc_lines.progress_of(str(path)) == ("stage 1999", 1999, None)
    with path.open("ab") as file:
        file.write(b"report\t7")
    assert gtloc_lines.progress_of(str(path)) == ("stage 1999", 1999, None)
    with path.open("ab") as file:
        file.write(b"\t9\n")
    assert gtloc_lines.progress_of(str(path)) == ("report", 7, 9)


def test_what_an_earlier_run_said_is_not_told_and_what_this_one_said_last_is(tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    progress.write_text("report\t9\t9\n")
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('open\\t1\\t\\ncheck\\t3\\t4\\n')"
    told: list[tuple[str, int, int | None]] = []
    command = [sys.executable, "-c", code, str(progress)]
    assert gtloc_lines.run(command, str(progress), lambda: False, lambda *said: told.append(said)) == 0
    assert told
    assert set(told) == {("check", 3, 4)}


def test_lines_that_are_not_whole_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"gtloc-lines/1\nphoto\ta.jpg\t\tfine.\n")
    with pytest.raises(gtloc_lines.Failed):
        list(gtloc_lines.photos(str(path)))


def test_it_is_installed_and_goes_without_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    root = tmp_path / "user"
    list(install(PLUGINS["autopsy"], root))
    folder = root / "python_modules" / "gtloc"
    assert {path.name for path in folder.iterdir()} == {
        "gtloc_ingest.py",
        "gtloc_lines.py",
        "gtloc_report.py",
        "program.path",
    }
    list(uninstall(PLUGINS["autopsy"]))
    assert not folder.exists()
