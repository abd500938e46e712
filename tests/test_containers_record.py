"""The record of the acquisition: who, when, from what, behind what, and the hashes, in chain, report and document."""

from __future__ import annotations

import hashlib
import html
import json
import re
import zipfile
from pathlib import Path

from click.testing import CliRunner
from test_archives import a_jpeg

from gtloc_forensics.case.case import Case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.files import reading
from gtloc_forensics.records import Skipped

SAID = {
    "acquired_by": "A. Examiner",
    "acquired_at": "2026-11-28 10:15, Vienna",
    "acquired_from": "Acme One, serial 0123",
    "write_blocker": "WB 3, firmware 1.2",
}


def test_an_archive_or_an_image_in_a_folder_is_told_as_what_was_not_opened(tmp_path: Path) -> None:
    for name in ("old.zip", "card.E01", "notes.txt"):
        (tmp_path / name).write_bytes(b"PK\x03\x04")
    told = {entry.relative: str(entry.reason) for entry in reading.entries(tmp_path) if isinstance(entry, Skipped)}
    for name in (b"old.zip", b"card.E01"):
        assert told[name].startswith("an image or an archive (")
        assert "gtloc audit it by itself" in told[name]
    assert told[b"notes.txt"].startswith("not a photo")


def invoke(*words: object) -> None:
    ran = CliRunner().invoke(gtloc, [str(word) for word in words])
    assert ran.exit_code in (0, 1, 3), ran.output


def test_who_acquired_when_from_what_and_behind_which_write_blocker_is_in_chain_report_and_document(
    tmp_path: Path,
) -> None:
    archive, case = tmp_path / "phone.zip", tmp_path / "case"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("DCIM/a.jpg", a_jpeg())
    options = [word for name, value in SAID.items() for word in (f"--{name.replace('_', '-')}", value)]
    invoke("audit", archive, "-o", case, "--model", "none", "--no-report", *options)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    invoke("export", case, "--format", "html", "-o", tmp_path / "report.html")
    page = re.sub(r"<[^>]*>", " ", html.unescape((tmp_path / "report.html").read_text()))
    document = json.loads((case / "findings.json").read_text())
    for told in (*SAID.values(), sha256):
        assert told in page
    assert document["acquisition"] == SAID
    assert sha256 in document["container"]["container_hashes"]
    with Case(case) as opened:
        custody = [dict(event.detail) for event in opened.store.custody()]
        assert opened.custody_faults() == ()
    assert any(SAID.items() <= detail.items() for detail in custody)
    assert any(sha256 in map(str, detail.values()) for detail in custody)
    invoke("report", case, "-o", tmp_path / "later.pdf", "--write-blocker", "WB 4")
    with Case(case) as opened:
        assert opened.view().mandate()["write_blocker"] == "WB 4"
        assert opened.view().mandate()["acquired_by"] == SAID["acquired_by"]
        said = [dict(event.detail).get("write_blocker") for event in opened.store.custody()]
    assert [name for name in said if name] == [SAID["write_blocker"], "WB 4"]  # what was said first stays in the chain
