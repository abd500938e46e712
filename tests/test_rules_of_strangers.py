"""Rules written elsewhere: what they do with photos, and what they give that is no finding."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_plugins_at_work import evidence, install, site

from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.records import PhotoSummary

__all__ = ["evidence", "site"]

STRANGE = '''
"""Rules that give what is no finding, beside one that says something after them."""
import copy, dataclasses, pickle, sys
from gtloc_forensics import check, consistent, hookimpl
from gtloc_forensics.checks import Scope

@check("EX300", title="Nothing in the middle", needs=("claim",))
def nothing(photo, context):
    """Give nothing between two findings."""
    yield consistent("EX300", photo.source.source_id, "One.")
    yield None
    yield consistent("EX300", photo.source.source_id, "Two.")

@check("EX301", title="Words", scope=Scope.CASE)
def words(photos, context):
    """Give a text."""
    yield consistent("EX301", photos[0].source_id, "One.")
    yield "all is well"

@check("EX302", title="Nobody", scope=Scope.CASE)
def nobody(photos, context):
    """Give a finding of a thing that is no id."""
    yield dataclasses.replace(consistent("EX302", "", "One."), source_ids=(None,))

@check("EX304", title="A long number", needs=("claim",))
def long(photo, context):
    """Give a number that no case can keep."""
    yield dataclasses.replace(consistent("EX304", photo.source.source_id, "One."), facts={"number": 2**70})

@check("EX305", title="A text for a number", scope=Scope.CASE)
def written(photos, context):
    """Give a text where a number belongs."""
    for photo in photos:
        yield dataclasses.replace(consistent("EX305", photo.source_id, "One."), p_value="0.01")

@check("EX303", title="All that can be done with a photo", scope=Scope.CASE)
def everything(photos, context):
    """Copy, pickle, sort, hash and compare photos."""
    for photo in sorted(set(photos), key=lambda photo: photo.name):
        named = dataclasses.replace(photo, name="x")
        same = photo == copy.deepcopy(photo) == pickle.loads(pickle.dumps(photo)) == copy.copy(photo)
        known = dataclasses.asdict(photo)["source_id"] == photo.source_id and named.name == "x" and photo in photos
        yield consistent("EX303", photo.source_id, f"{same} {known}")

@hookimpl
def checks():
    return [sys.modules[__name__]]
'''


def test_what_is_no_finding_is_a_fault_of_the_rule_and_of_it_alone(evidence: Path, site: Path, tmp_path: Path) -> None:
    install(site, "strange", STRANGE)
    case = tmp_path / "case"
    ran = CliRunner().invoke(
        gtloc, ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report", "--jobs", "0"]
    )
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    document = json.loads((case / "findings.json").read_text())
    assert document["photos"]
    for photo in document["photos"]:
        if any(said["stage"] == "metadata" for said in photo["not_examined"]):
            continue
        failed = {said["stage"] for said in photo["not_examined"]}
        assert {f"check:EX30{number}" for number in (0, 1, 2, 4, 5)} <= failed, "each failed, and says so"
        of_rules = {found["check"]: found["summary"] for found in photo["findings"]}
        assert not {"EX300", "EX301", "EX302", "EX304", "EX305"} & of_rules.keys(), "nothing of it counts"
        assert of_rules["EX303"] == "True True"


@pytest.mark.parametrize(
    "more", [{"software": "q\ud83d"}, {"device_key": "\udcff"}, {"uptime_s": 2**70}], ids=["half", "byte", "long"]
)
def test_a_summary_with_what_a_strangers_reader_may_give_is_kept_as_it_is(more: dict[str, Any]) -> None:
    fields = {"source_id": "1", "sha256": "2", "name": "a", "device_key": "b", "media_type": "image/jpeg"}
    photos = [PhotoSummary(**fields), PhotoSummary(**{**fields, **more}), PhotoSummary(**fields)]
    kept = OnDisk(photos, kind=PhotoSummary)
    assert list(kept) == photos
    assert kept[1] == photos[1] == kept.stand_ins()[1] == copy.copy(kept.stand_ins()[1])
    assert pickle.loads(pickle.dumps(kept.stand_ins()[1])) == photos[1]
    assert dataclasses.asdict(kept.stand_ins()[1]) == dataclasses.asdict(photos[1])
