"""An installed plugin behind every door: found by its entry point, at work in an audit, harmless in a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_models
from click.testing import CliRunner
from PIL import Image
from pypdf import PdfReader

from gtloc_forensics.case import exports, notify
from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.checks import plugins
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import PluginError, UsageError
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.records import Claim, Prediction, Unexamined

GOOD = '''
"""A plugin behind every door."""
import json, sys
from pathlib import Path
import numpy as np
from gtloc_forensics import check, consistent, hookimpl
from gtloc_forensics.checks.hooks import Export, NotifierKind
from gtloc_forensics.records import (
    Candidate, Skipped, PlaceDensity, Position, Prediction, TagsRead, TimeDensity, Unread,
)

@check("EX100", title="Always content", needs=("claim",))
def content(photo, context):
    """Say so."""
    yield consistent("EX100", photo.source.source_id, "It is content.")

@hookimpl
def checks():
    return [sys.modules[__name__]]

def _write(view, path):
    path.write_text("\\n".join(entry.photo.source.display_path for entry in view.photos()))

@hookimpl
def exports():
    return [Export("names", "names.txt", _write)]

@hookimpl
def sources(evidence):
    yield Candidate(b"odd.bin")
    yield Skipped(b"b.jpg", "a derivative", blocks=False)

class Reader:
    name, version = "second-reader", "7"
    def read(self, paths):
        return [
            TagsRead({"Second:Found": (1,), "IFD0:Make": ("Otherwise",)}, ("it was dusty",)) for path in paths
        ]

@hookimpl
def metadata_readers():
    return [Reader()]

class Model:
    name, fingerprint, short_side, facts = "even", "even-1", 64, {"licence": "none"}
    def prepare(self, pixels): return pixels
    def embed(self, prepared): return prepared
    def predict(self, embeddings, source_ids):
        even = TimeDensity(np.full((12, 24), 1 / 288, np.float32))
        one = np.ones(1, np.float32)
        there = Position(1.0, 2.0)
        place = PlaceDensity(one, one, one, 1.0)
        return [
            Prediction(name, "even", "none", "", even, place, 12.0, 0.5, 12.0, 0.5, there, there, {50: 1.0}, 1.0)
            for name in source_ids
        ]
    def close(self): pass

@hookimpl
def estimators(device):
    return [Model()]

class Post:
    def __init__(self, target): self.name, self.target = "post", target
    def deliver(self, message): Path(self.target).write_text(json.dumps(dict(message)))

@hookimpl
def notifiers():
    return [NotifierKind("post", Post)]
'''

BAD = '''
"""A plugin that crashes behind every door, each time in another way."""
import sys
from gtloc_forensics import check, hookimpl
from gtloc_forensics.checks.hooks import Export, NotifierKind
from gtloc_forensics.records import Candidate

@check("EX200", title="Never well", needs=("claim",))
def never(photo, context):
    """Crash."""
    raise RuntimeError("the rule broke")

@hookimpl
def checks():
    return [sys.modules[__name__]]

def _write(view, path):
    path.write_text("half")
    raise RuntimeError("the export broke")

@hookimpl
def exports():
    return [Export("broken", "txt", _write), Export("csv", "txt", _write)]

@hookimpl
def sources(evidence):
    yield Candidate(b"../outside.jpg")
    yield Candidate(b"made-up.jpg")
    raise RuntimeError("the listing broke")

class Reader:
    name, version = "broken-reader", "1"
    def read(self, paths):
        raise RuntimeError("the reader broke")

@hookimpl
def metadata_readers():
    return [Reader(), "no reader at all"]

class Model:
    name, fingerprint, short_side, facts = "broken-model", "1", 64, {}
    def prepare(self, pixels): return pixels
    def embed(self, prepared): raise RuntimeError("the model broke")
    def predict(self, embeddings, source_ids): return []
    def close(self): raise RuntimeError("it cannot be closed")

@hookimpl
def estimators():
    return [Model()]

class Post:
    name = "broken-post"
    def deliver(self, message): sys.exit(5)

@hookimpl
def notifiers():
    return [NotifierKind("broken-post", lambda target: Post()), NotifierKind("webhook", lambda target: Post())]
'''


def install(folder: Path, name: str, source: str) -> None:
    """Lay a package down as pip would: a module and the metadata that names it as a plugin."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{name} = {module}\n")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name, colour in (("a.jpg", "red"), ("b.jpg", "blue")):
        picture = Image.linear_gradient("L").convert("RGB").resize((96, 64))
        picture.paste(colour, (0, 0, 20, 20))
        exif = Image.Exif()
        exif[0x010F], exif[0x0110], exif[0x0132] = "Maker", "Model", "2024:06:15 12:00:00"
        picture.save(folder / name, exif=exif)
    (folder / "odd.bin").write_bytes(b"what only the plugin takes for a photo")
    return folder


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(model=str(tiny_models.write(tmp_path / "models")), device="cpu", jobs=0)


def audited(evidence: Path, settings: Settings) -> Case:
    case = open_case(evidence, evidence.with_name("case"))
    case.audit(settings)
    return case


def test_a_plugin_behind_every_door_takes_part_in_an_audit(
    evidence: Path, site: Path, settings: Settings, tmp_path: Path
) -> None:
    install(site, "good-plugin", GOOD)
    with audited(evidence, settings) as case:
        view = case.view()
        entries = {entry.photo.source.display_path: entry for entry in view.photos()}
        # sources: one more candidate than our own listing, and one of ours passed over in the plugin's name
        assert sorted(entries) == ["a.jpg", "odd.bin"]
        said = {entry.relative: entry.reason for entry in view.passed_over()}
        assert said[b"b.jpg"] == "a derivative (says the plugin good-plugin)"
        entry = entries["a.jpg"]
        # checks
        assert "It is content." in [finding.summary for finding in entry.findings]
        # metadata_readers: a new tag joins the claim; where exiftool read it too, exiftool's stands and both are named
        claim = entry.photo.claim
        assert isinstance(claim, Claim)
        assert claim.tags["Second:Found"] == (1,)
        assert claim.tags["IFD0:Make"] == ("Maker",)
        assert "second-reader reads IFD0:Make as 'Otherwise', exiftool as 'Maker'" in claim.warnings
        assert "second-reader: it was dusty" in claim.warnings
        # estimators: beside the first, under a key of its own
        first, (second,) = entry.photo.prediction, entry.photo.opinions
        assert isinstance(first, Prediction) and isinstance(second, Prediction)
        assert (first.model, second.model) == ("tiny", "even")
        assert second.source_id == first.source_id == entry.photo.source.source_id
        # and it leaves the case as what it is: told, and nothing rests on it
        written = json.loads(case.export("json").read_text())
        (opinion,) = next(photo for photo in written["photos"] if photo["path"] == "a.jpg")["further_opinions"]
        assert (opinion["model"], opinion["calibrated"]) == ("even", False)
        assert opinion["local_hour"] == pytest.approx(second.local_hour, abs=1e-3)
        assert len(opinion["hour_mass"]) == 24
        sheet = PdfReader(case.write_report(template="sheet", photo="1"))
        shown = " ".join(" ".join(page.extract_text() for page in sheet.pages).split())
        assert "even looked at the picture too. Nobody measured here how often it is right" in shown
        # what was used is told
        assert view.environment["plugins"] == "good-plugin 1.0"
        assert view.environment["metadata reader second-reader"] == "7"
        assert view.environment["second opinion even licence"] == "none"
        # exports
        written = case.export("names")
        assert written == case.folder / "findings.names.txt"
        assert written.read_text().split() == ["a.jpg", "odd.bin"]
        assert list(case.store.custody())[-1].detail["kind"] == "names"
    # notifiers: off unless asked for by name
    assert notify.chosen([]) == []
    notify.Notifier(notify.chosen([("post", str(tmp_path / "told.json"))])).tell({"summary": "something"})
    assert json.loads((tmp_path / "told.json").read_text())["summary"] == "something"


def test_a_second_opinion_that_comes_later_joins_what_is_there_and_repeats_nothing_else(
    evidence: Path, site: Path, settings: Settings
) -> None:
    with audited(evidence, settings) as case:
        before = {entry.photo.source.relative: entry.photo for entry in case.view().photos()}
        assert all(photo.opinions == () for photo in before.values())
    install(site, "good-plugin", GOOD)
    with audited(evidence, settings) as case:
        photo = next(entry.photo for entry in case.view().photos())
        first, was = photo.prediction, before[photo.source.relative].prediction
        assert isinstance(first, Prediction) and isinstance(was, Prediction)
        assert (first.time.mass == was.time.mass).all(), "the first model says what it said"
        assert [said.model for said in photo.opinions if isinstance(said, Prediction)] == ["even"]


def test_a_plugin_that_crashes_behind_every_door_stops_nothing_and_is_named(
    evidence: Path, site: Path, settings: Settings
) -> None:
    with audited(evidence, settings) as case:
        alone = {entry.photo.source.display_path: entry for entry in case.view().photos()}
    install(site, "bad-plugin", BAD)
    install(site, "good-plugin", GOOD)
    evidence.with_name("case").rename(evidence.with_name("earlier"))
    with audited(evidence, settings) as case:
        view = case.view()
        entries = {entry.photo.source.display_path: entry for entry in view.photos()}
        assert sorted(entries) == ["a.jpg", "odd.bin"], "of a listing that crashed nothing is used"
        entry = entries["a.jpg"]
        by_photo = [finding for finding in alone["a.jpg"].findings if finding.check_id < "GF4"]
        assert [finding for finding in entry.findings if finding in by_photo] == by_photo, "the rest is as it was"
        assert "It is content." in [finding.summary for finding in entry.findings]
        reasons = {missing.stage: missing.reason for missing in entry.unexamined}
        assert "the rule failed" in reasons["check:EX200"]
        (broken,) = (missing for missing in entry.unexamined if missing.stage == "check:EX200")
        assert "the rule broke" in broken.detail, "what Python says is for whoever mends the rule"
        assert "the reader broke" in reasons["metadata:broken-reader"]
        assert "the model broke" in reasons["vision:broken-model"]
        assert [type(said) for said in entry.photo.opinions] == [Unexamined, Prediction]
        told = view.environment["plugin bad-plugin"]
        assert "the listing broke" in told and "str, which is no MetadataReader" in told
        with pytest.raises(PluginError, match=r"bad-plugin could not write broken .*the export broke"):
            case.export("broken")
        assert not list(case.folder.glob("*findings.txt*")), "a half-written file is none"
        assert exports.chosen("csv").suffix == "csv", "ours is not displaced"
    (line,) = notify.Notifier(notify.chosen([("broken-post", "")])).tell({"summary": "something"})
    assert "broken-post: SystemExit: 5" in line
    assert isinstance(notify.chosen([("webhook", "http://localhost/")])[0], notify.Webhook), "ours is not displaced"


def test_a_name_that_nobody_offers_is_refused_with_those_there_are(site: Path) -> None:
    with pytest.raises(UsageError, match=r"choose one of case-uco, csv, .*timesketch"):
        exports.chosen("nothing")
    with pytest.raises(UsageError, match="choose one of desktop, program, webhook"):
        notify.chosen([("pigeon", "")])


def test_the_command_line_knows_the_export_of_a_plugin(evidence: Path, site: Path, tmp_path: Path) -> None:
    install(site, "good-plugin", GOOD)
    with audited(evidence, Settings(model="none", jobs=0)) as case:
        folder = case.folder
    done = CliRunner().invoke(gtloc, ["export", str(folder), "--format", "names", "-o", str(tmp_path / "out.txt")])
    assert (done.exit_code, done.output.strip()) == (0, str(tmp_path / "out.txt"))
