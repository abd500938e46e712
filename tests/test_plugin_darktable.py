"""The darktable module in the real darktable: what it finds, writes, takes back, and what it never touches."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.records import CaseHeader

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "plugins" / "darktable" / "gtloc"
SPECS = ROOT / "tests" / "darktable"
HOSTILE = "it's $(touch x); a %41 b.JPG"


def needs(*programs: str):
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


# ----------------------------------------------------------------- without darktable


@needs("lua5.4", "busted")
@pytest.mark.parametrize(("spec", "promises"), [("lines_spec.lua", 21), ("start_spec.lua", 6)])
def test_what_needs_no_darktable_keeps_its_promises(spec: str, promises: int):
    done = subprocess.run(
        ["busted", "--lua=lua5.4", "--output=TAP", str(SPECS / spec)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") + done.stdout.startswith("ok ") >= promises


@needs("luacheck")
def test_the_lua_is_clean():
    done = subprocess.run(
        ["luacheck", "--no-color", "plugins", "tests/darktable"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_the_module_frees_darktable_and_copies_nobody():
    for path in PLUGIN.rglob("*.lua"):
        text = path.read_text(encoding="utf-8")
        assert "SPDX-License-Identifier: Apache-2.0" in text, path
        assert "popen" not in text, f"{path}: io.popen holds darktable up"
        assert "dtutils" not in text.replace("lib/dtutils", ""), f"{path}: that library is GPL"


def test_every_text_of_the_module_is_in_the_german_catalogue():
    sources = "".join(path.read_text(encoding="utf-8") for path in PLUGIN.rglob("*.lua"))
    asked = set(re.findall(r'\b_\("((?:[^"\\]|\\.)*)"\)', sources))
    told = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', (PLUGIN / "locale" / "de.po").read_text("utf-8"), re.M))
    assert asked == set(told)
    assert all(told.values())
    for text, german in told.items():
        assert re.findall(r"%[ds]", text) == re.findall(r"%[ds]", german), text


@needs("msgfmt")
def test_the_catalogue_that_ships_is_the_one_that_is_written(tmp_path: Path):
    made = tmp_path / "gtloc.mo"
    subprocess.run(["msgfmt", "-o", str(made), str(PLUGIN / "locale" / "de.po")], check=True, timeout=60)
    assert made.read_bytes() == (PLUGIN / "locale" / "de" / "LC_MESSAGES" / "gtloc.mo").read_bytes()


# ----------------------------------------------------------------- without its window


@needs("darktable-cli")
def test_darktable_keeps_the_contract_that_the_module_relies_on(tmp_path: Path):
    photo = tmp_path / "a.jpg"
    shutil.copy(ROOT / "examples" / "case_folder" / "nordvale" / "NV000120.JPG", photo)
    before = photo.read_bytes()
    settings = tmp_path / "settings"
    settings.mkdir()
    answers = tmp_path / "answers"
    command = ["darktable-cli", str(photo), str(tmp_path / "out.jpg"), "--core", "--disable-opencl"]
    folders = ["--configdir", str(settings), "--cachedir", str(settings), "--library", ":memory:"]
    places = {"DRIVE_OUT": str(answers), "DRIVE_PHOTO": str(photo), "PLUGIN": str(PLUGIN), "LANGUAGE": "de"}
    subprocess.run(
        [*command, *folders, "--luacmd", f'dofile("{SPECS / "contract.lua"}")'],
        env={**os.environ, **places},
        check=True,
        capture_output=True,
        timeout=120,
    )
    said = {name: rest for name, *rest in (line.split("\t") for line in answers.read_text("utf-8").splitlines())}
    assert "done" in said, said.get("error")
    # what makes the care necessary
    assert said["own time"] == ["2024:06:15 12:00:00"]
    assert said["own nonsense"] == [""]
    assert said["own zero"] == ["nil", "10.0"]
    # what the care comes to
    assert said["time"] == ["true", "2022:04:02 09:10:51"]
    assert said["bad time"] == ["false", "2022:04:02 09:10:51"]
    assert said["position"] == ["true", "-33.8688000, 151.2093000"]
    assert said["bad position"] == said["zero"] == ["false", "-33.8688000, 151.2093000"]
    assert said["no position"] == ["true", ""]
    assert said["marked"] == ["gtloc|contradiction|zone", "true", "my own|[gtloc] First. [/gtloc]"]
    assert said["marked again"] == [
        "gtloc|not examined;gtloc|suspicious|a b",
        "false",
        "true",
        "my own|[gtloc] Second. [/gtloc]",
    ]
    assert said["marked clean"] == ["gtloc|clean", "false", "my own"]
    assert said["module"] == ["table", "nil"]
    assert said["translated"] == ["Auswahl prüfen"]
    assert photo.read_bytes() == before


# ----------------------------------------------------------------- in its window

WANTED = ("nordvale", "copies")


class Session:
    """What one session with the real program came to."""

    def __init__(self, folder: Path) -> None:
        self.photos, self.settings = folder / "photos", folder / "settings"
        self.rows = [
            [unquote(field) for field in line.split("\t")]
            for line in (folder / "out").read_text("utf-8", errors="surrogateescape").splitlines()
        ]
        self.said = [row[1:] for row in self.rows if row[0] == "said"]

    def images(self, moment: str) -> dict[str, list[str]]:
        """Return what darktable held of each photo: keywords, time, latitude, longitude, red, yellow, line, note."""
        return {row[2]: row[3:] for row in self.rows if row[:2] == ["image", moment]}

    def times(self, moment: str) -> dict[str, str]:
        return {name: fields[1] for name, fields in self.images(moment).items()}

    def first(self, name: str) -> str:
        return next(row[1] for row in self.said if row[0] == name)


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.[jJ][pP][gG]")}


def case_name(folder: Path) -> str:
    """Return how the module calls the case of a folder: FNV-1a with 64 bits tells folders of one name apart."""
    digest = 0xCBF29CE484222325
    for byte in os.fsencode(folder):
        digest = (digest ^ byte) * 0x100000001B3 % 2**64
    return f"{folder.name}-{digest:016x}"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    for program in ("darktable", "xvfb-run", "exiftool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("darktable")
    for name in WANTED:
        shutil.copytree(ROOT / "examples" / "case_folder" / name, folder / "photos" / name)
    shutil.copy(folder / "photos" / "nordvale" / "NV000120.JPG", folder / "photos" / "nordvale" / HOSTILE)
    exhibit = folder / "photos" / "exhibit"
    exhibit.mkdir()
    shutil.copy(folder / "photos" / "nordvale" / "NV000120.JPG", exhibit / "exhibit.jpg")
    with open_case(exhibit, folder / "settings" / "gtloc-cases" / case_name(exhibit), header=CaseHeader(exhibit="7")):
        pass
    before = bytes_of(folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        done = CliRunner().invoke(gtloc, ["plugin", "install", "darktable", "--into", str(folder / "settings")])
        assert done.exit_code == 0, done.output
    with (folder / "settings" / "luarc").open("a", encoding="utf-8") as luarc:
        luarc.write(f'dofile("{SPECS / "drive.lua"}")\n')
    chosen = ("plugins/lighttable/gtloc/expanded=TRUE", "ui_last/window_w=1500", "ui_last/window_h=950")
    (folder / "settings" / "darktablerc").write_text("".join(f"{line}\n" for line in chosen), encoding="utf-8")
    _run_darktable(folder)
    told = Session(folder)
    assert ["done", ""] in told.rows, told.rows[-3:] or (folder / "log").read_text("utf-8")[-2000:]
    assert bytes_of(folder / "photos") == before, "a photo was changed"
    yield told


UNTIL_LUARC_S = 120
"""Seconds within which darktable comes to the user's luarc, or has stood still in its own: see starts.py."""


def _run_darktable(folder: Path) -> None:
    for _ in range(3):
        if _one_session(folder):
            return
        for lock in folder.rglob("*.lock"):  # it is gone, and another process may have its number by now
            lock.unlink()
    pytest.fail("darktable stood still in its own luarc, three times of three")


def _one_session(folder: Path) -> bool:
    """Run darktable until the steps are done; return whether it came to the user's luarc at all."""
    places = {
        "DRIVE": str(SPECS / "steps.lua"),
        "DRIVE_OUT": str(folder / "out"),
        "DRIVE_PHOTOS": str(folder / "photos"),
    }
    browser = folder / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{folder}/browsed"\n', encoding="utf-8")
    browser.chmod(0o755)
    places["BROWSER"] = str(browser)
    command = ["xvfb-run", "-a", "-s", "-screen 0 1500x950x24", "darktable", "--disable-opencl"]
    folders = ["--configdir", str(folder / "settings"), "--cachedir", str(folder / "cache")]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*command, *folders, "--library", str(folder / "library.db")],
            env={**os.environ, **{name: str(place) for name, place in places.items()}},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        began, out = time.monotonic(), folder / "out"
        while running.poll() is None and time.monotonic() < began + 480:
            if out.is_file() and re.search(rb"^(done|error)\t", out.read_bytes(), re.MULTILINE):
                break
            if not out.is_file() and time.monotonic() > began + UNTIL_LUARC_S:
                break
            time.sleep(0.5)
        os.killpg(running.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)  # darktable may outlive the program that started it
        running.wait(20)
    return out.is_file()


pytestmark = [pytest.mark.xdist_group("darktable"), pytest.mark.timeout(600)]


def test_an_audit_marks_each_photo_with_outcome_cause_sentence_and_colour(session: Session):
    assert session.first("audit_selection") == "no photo is selected"
    assert session.first("audit_collection") == "photos audited: 8, of which found: 8"
    for name, (words, _, _, _, red, yellow, line, note) in session.images("audited").items():
        assert "gtloc|contradiction|clock-offset" in words.split(";"), name
        assert (red, yellow) == ("true", "false"), name
        assert line == "gtloc: contradiction, clock-offset"
        assert re.fullmatch(r"\[gtloc\] .* \(GF\d+: .*false alarm.*\)\. \[/gtloc\]", note), note
        assert note.count(". ") <= 1, "one sentence"
    assert HOSTILE in session.images("audited")


def test_darktable_goes_on_during_an_audit_and_can_stop_it(session: Session):
    assert session.first("cancelled") == "stopped; the same audit goes on from here"
    (ticks,) = [int(row[1]) for row in session.rows if row[0] == "ticks"]
    assert ticks >= 10, "another coroutine stood still"


def test_what_was_found_is_selected(session: Session):
    assert session.first("select_found") == "photos selected: 8"
    assert ["selected", "8"] in session.rows


def test_the_review_is_opened_in_the_browser_and_darktable_does_not_wait_for_its_end(session: Session):
    assert session.first("review") == "the review is open in the browser"
    opened = (session.settings.parent / "browsed").read_text("utf-8")
    assert re.match(r"http://127\.0\.0\.1:\d+/", opened), opened


def test_the_clock_of_a_camera_is_put_right_in_darktable_and_nothing_that_a_person_wrote_is(session: Session):
    assert ["group", "Nordvale Compact G4 (serial NV4-118205)", "8"] in session.rows
    assert session.first("apply").startswith("values written: 7, left: 1 (NV000139.JPG: darktable holds another value")
    assert "state no zone" in session.first("apply")
    times = session.times("applied")
    assert times["NV000120.JPG"] == times[HOSTILE] == "2022:04:02 09:10:51"
    assert times["NV000139.JPG"] == "2022:04:20 20:00:00"


def test_undo_gives_back_what_was_there_and_only_once(session: Session):
    undos = [text for name, text in session.said if name == "undo"]
    assert undos == ["values put back: 7, left: 0", "there is nothing to undo"]
    before = session.times("audited") | {"NV000139.JPG": "2022:04:20 20:00:00"}
    assert session.times("undone") == before


def test_reset_gives_photos_what_their_files_hold(session: Session):
    assert session.first("reset").startswith("values set to what the files hold: 8, left: 0")
    assert session.times("reset") == session.times("audited")


def test_a_second_audit_replaces_the_marks_of_the_first(session: Session):
    for name, (words, *_, note) in session.images("audited again").items():
        assert note.count("[gtloc]") == 1, name
        assert len(words.split(";")) == len(set(words.split(";")))


def test_an_import_is_audited_when_asked_for(session: Session):
    (words, *_) = session.images("imported")["IMG_20241016_100502.jpg"]
    assert words.startswith("gtloc|")


def test_nothing_is_written_for_photos_that_are_evidence(session: Session):
    assert [text for name, text in session.said if name == "audit_selection"][1].startswith("marked as evidence")
    words, *_, note = session.images("exhibit")["exhibit.jpg"]
    assert (words, note) == ("", "")


def test_a_program_that_cannot_be_started_is_told(session: Session):
    assert "/no/such program" in [text for name, text in session.said if name == "audit_selection"][2]


def test_corrections_in_darktable_are_in_the_journal_and_in_the_chain_of_custody(session: Session):
    (folder,) = (session.settings / "gtloc-cases").glob("nordvale-*")
    with Case(folder) as case:
        assert case.custody_faults() == ()
        events = [
            event for event in case.view().custody() if event.action == "correct" and event.subject == "darktable"
        ]
        told = [(event.detail["step"], event.detail["transaction"], event.detail["values"]) for event in events]
        assert told[:2] == [("written into its library", "T0001", 7), ("undone in its library", "T0001", 7)]
        journal = (folder / "darktable-T0001.lines").read_bytes()
        assert events[1].detail["journal_sha256"] == hashlib.sha256(journal).hexdigest()
    assert not list((folder / "sidecars").rglob("NV000120*")) or (folder / "darktable-T0002.lines").is_file()


def test_the_sidecars_of_darktable_hold_the_marks_and_no_zone(session: Session):
    sidecar = (session.photos / "nordvale" / "NV000120.JPG.xmp").read_text("utf-8")
    assert "gtloc|contradiction|clock-offset" in sidecar
    assert re.search(r'exif:DateTimeOriginal="2022:04:02 15:10:51(\.000)?"', sidecar), "darktable states a zone now?"
