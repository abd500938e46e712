"""What is said of files that cannot be read, or not whole, is said in another language too, down to the report."""

from __future__ import annotations

import io
import os
import pickle
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from builders import KASHGAR, PARIS, a_photo, an_image
from PIL import Image

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.checks import Context, Scope, plugins, unmet
from gtloc_forensics.decode import Decoder, Job
from gtloc_forensics.decode.worker import _parts, _told
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.files import acquiring
from gtloc_forensics.files.listing import walk
from gtloc_forensics.records import Finding, Sentence, Skipped
from gtloc_forensics.report import write_csv, write_html
from gtloc_forensics.report.template import load_words

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
NOW = datetime(2026, 1, 1)
GERMAN = load_words("default", "de")


def a_picture() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Acme", "One", "2024:06:15 12:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2024:06:15 12:00:00"
    out = io.BytesIO()
    Image.effect_noise((640, 480), 60).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


def make_bad_folder(folder: Path) -> None:
    whole = a_picture()
    tiff = whole.index(b"Exif\0\0") + 6
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("no picture at all")
    (folder / "damaged.jpg").write_bytes(whole[: tiff + 4] + b"\xff\xff\xff\x7f" + whole[tiff + 8 :])
    (folder / "whole.jpg").write_bytes(whole)
    (folder / "whole.xmp").write_bytes(b"\0" * 40)
    (folder / "film.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 200)
    (folder / "notes.txt").write_text("x")
    (folder / "lonely.xmp").write_text("<x/>")
    (folder / ".hidden.jpg").write_bytes(whole)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "link.jpg").symlink_to("nowhere")


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Case:
    evidence = tmp_path_factory.mktemp("evidence")
    make_bad_folder(evidence)
    with open_case(evidence, tmp_path_factory.mktemp("case")) as case:
        case.audit(Settings(model="none", jobs=0))
        yield case


def reasons(case: Case) -> list[str]:
    view = case.view()
    gaps = [gap.reason for entry in view.photos() for gap in entry.unexamined]
    return [*gaps, *(note.reason for note in view.reasons()), *(entry.reason for entry in view.passed_over())]


@needs_exiftool
def test_every_reason_survives_the_case_as_a_sentence_that_has_a_translation(bad: Case) -> None:
    said = reasons(bad)
    assert len(set(said)) > 10
    assert [text for text in said if not isinstance(text, Sentence)] == []
    assert [text for text in said if GERMAN.say(text) == text] == []


@needs_exiftool
def test_no_english_reason_stands_in_a_german_report_or_table(bad: Case, tmp_path: Path) -> None:
    write_csv(bad.view(), tmp_path / "photos.csv", language="de")
    write_html(bad.view(), tmp_path / "report.html", language="de", report_date=NOW)
    bad.write_report(tmp_path / "report.pdf", language="de")
    written = {name: (tmp_path / name).read_text(encoding="utf-8") for name in ("photos.csv", "report.html")}
    if shutil.which("pdftotext"):
        told = subprocess.run(["pdftotext", tmp_path / "report.pdf", "-"], capture_output=True, check=True).stdout
        written["report.pdf"] = told.decode()
    for name, text in written.items():
        plain = _squeezed(text)
        assert "die Datei ist leer (0 Bytes)" in plain, name
        assert "die Datei ist abgeschnitten" in plain, name
        for reason in reasons(bad):
            assert _squeezed(reason) not in plain, (name, reason)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@needs_exiftool
def test_the_rules_by_which_a_claim_was_made_are_sentences(bad: Case) -> None:
    claims = {entry.photo.source.display_path: entry.photo.claim for entry in bad.view().photos()}
    whole = claims["whole.jpg"]
    assert isinstance(whole.local_time.rule, Sentence)
    assert GERMAN.say(whole.local_time.rule) == "EXIF-Aufnahmezeit: Die Kamera trägt sie beim Auslösen ein"
    assert isinstance(whole.device.doubt, Sentence)


@needs_exiftool
def test_a_file_that_changes_during_the_examination_is_told_in_german_too(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "a.jpg").write_bytes(a_picture())

    def change(stage: str, done: int, total: int) -> None:
        if stage == "verify":
            (evidence / "a.jpg").write_bytes(a_picture() + b"more")

    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0), progress=change)
        (entry,) = case.view().photos()
    changed = next(gap.reason for gap in entry.unexamined if gap.stage == "integrity")
    assert changed.startswith("at the end of the run its content changed; its size went from ")
    assert GERMAN.say(changed).startswith(
        "am Ende des Durchgangs: ihr Inhalt hat sich geändert; ihre Größe änderte sich"
    )


def test_a_refusal_of_a_worker_is_a_sentence_here(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(a_picture()[:3000])
    with Decoder(1) as decoder:
        ((_, outcome),) = decoder.stream([Job(path, "a", "image/jpeg")], window=1)
    assert isinstance(outcome, DecodeRefused)
    assert isinstance(outcome.reason, Sentence)
    assert GERMAN.say(outcome.reason).startswith("die Datei ist abgeschnitten: etwa ")


def test_a_worker_that_was_taken_over_can_send_no_form_that_costs_memory() -> None:
    inner = Sentence("about {missing_percent:.0f} % of its rows are missing", missing_percent=3.2)
    refusal = Sentence("the file is truncated: {missing}", missing=inner)
    assert _told(_parts(refusal)) == refusal
    assert _told("plain") == "plain"
    for form in ("999999999d", ".999999999f", "spoken"):
        with pytest.raises(ValueError, match="no refusal"):
            _told({"say": f"{{a:{form}}}", "of": {"a": 1}})


def test_what_could_not_be_taken_in_keeps_its_reason_as_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(a_picture())
    (candidate,) = walk(tmp_path)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(acquiring.IntakeFailed) as failed:
        acquiring.take(tmp_path, candidate, into=tmp_path)
    reason = pickle.loads(pickle.dumps(failed.value.reason))
    assert reason == "it could not be read: no such file or directory"
    assert GERMAN.say(reason) == "sie konnte nicht gelesen werden: keine solche Datei und kein solches Verzeichnis"


def test_what_is_passed_over_says_so_in_german(tmp_path: Path) -> None:
    make_bad_folder(tmp_path)
    passed = {entry.relative: entry.reason for entry in walk(tmp_path) if isinstance(entry, Skipped)}
    assert GERMAN.say(passed[b"pipe.jpg"]) == "eine benannte Pipe, keine Datei"
    assert GERMAN.say(passed[b"notes.txt"]) == "kein Foto (text/plain)"


# --------------------------------------------------------------------------- rules of one file

SITUATIONS = {
    "below all land": {"altitude_m": -900.0, "position": PARIS},
    "above airliners": {"altitude_m": 20_000.0, "position": PARIS},
    "of a later camera": {"local": "2001-05-17 12:00", "tags": {"IFD0:Make": "Apple", "IFD0:Model": "iPhone 12"}},
    "of a later standard": {"local": "2005-05-17 12:00", "tags": {"ExifIFD:ExifVersion": "0232"}},
    "edited": {"tags": {"IFD0:Software": "Adobe Photoshop 21.0", "XMP-xmpMM:HistoryWhen": "2020:01:01 12:00:00"}},
    "generated": {"tags": {"IFD0:Software": "Midjourney", "PNG:Parameters": "Steps: 20, Sampler: x"}},
    "of a date changer": {"tags": {"IFD0:Software": "Exif Pilot"}},
    "of another size": {"tags": {"ExifIFD:ExifImageWidth": 4000, "ExifIFD:ExifImageHeight": 3000}},
    "of a factory date": {"local": "2000-01-01 00:00"},
    "of another country": {"position": PARIS, "tags": {"IPTC:Country-PrimaryLocationName": "Japan"}},
    "bare": {"local": None},
    "sunny at midnight": {"local": "2024-12-15 00:00", "offset": 1.0, "position": PARIS, "ev100": 15.0},
    "sunny at dusk": {"local": "2024-06-15 22:20", "offset": 2.0, "position": PARIS, "ev100": 15.0},
    "of the wrong zone": {"offset": -8.0, "position": KASHGAR},
    "dark": {"position": PARIS, "ev100": 15.0, "image": an_image(mean_luminance=0.1)},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_the_rules_of_one_file_say_is_german_in_german(situation: str) -> None:
    photo = a_photo(**SITUATIONS[situation])
    context = Context(now_utc=NOW)
    found: list[Finding] = []
    for rule in plugins.load(found=[]).registry.of(Scope.PHOTO):
        if "GF112" <= rule.check_id <= "GF305" and not unmet(rule, photo):
            found += rule.function(photo, context)
    for finding in found:
        told = (finding.summary, *finding.observed, *finding.derived, *finding.inferred)
        told += (*finding.limitations, *finding.innocent)
        assert [text for text in told if not isinstance(text, Sentence)] == []
        assert not re.search(r"\b(the|of|is|and|which|it)\b", " ".join(map(GERMAN.say, told)))
