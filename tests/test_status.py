"""Found, clean, not testable, not examined: what carries each word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import consistent, not_testable, plugins
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.records import CLEARS_NOTHING, PhotoResult, Status, Unexamined, is_test, status_of

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
NO_PIXELS = Unexamined("s", "vision", "no model")


def agreed(check_id: str, **more: float):
    return consistent(check_id, "s", "It agrees.", **more)


def test_a_rule_that_held_the_claim_against_a_witness_makes_a_photo_clean():
    assert status_of([agreed("GF101"), not_testable("GF102", "s", "no position")], []) is Status.CLEAN


@pytest.mark.parametrize("check_id", sorted(CLEARS_NOTHING))
def test_a_rule_that_merely_found_no_sign_of_anything_makes_no_photo_clean(check_id):
    assert status_of([agreed(check_id)], []) is Status.NOT_TESTABLE
    assert check_id in {rule.check_id for rule in plugins.load().registry}


def test_a_photo_of_which_nothing_could_be_tested_is_not_clean():
    assert status_of([not_testable("GF101", "s", "no time")], []) is Status.NOT_TESTABLE
    assert status_of([], []) is Status.NOT_TESTABLE


def test_pixels_clear_a_photo_only_where_they_could_have_accused_it():
    assert not is_test(agreed("GF301"))
    assert is_test(agreed("GF301", p_value=0.4))


def test_a_stage_that_did_not_run_is_never_clean_and_never_merely_untestable():
    assert status_of([agreed("GF101")], [NO_PIXELS]) is Status.NOT_EXAMINED
    assert status_of([], [NO_PIXELS]) is Status.NOT_EXAMINED


@needs_exiftool
def test_files_without_metadata_and_with_every_stage_done_are_not_testable(tmp_path: Path, monkeypatch) -> None:
    """The whole way, with a model's absence taken out: what is left of a messenger's file clears nothing."""
    for name in ("IMG-20220810-WA0001.jpg", "IMG-20220811-WA0002.jpg"):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.effect_noise((96, 64), len(name)).convert("RGB").save(tmp_path / "in" / name, "JPEG")
    with open_case(tmp_path / "in", tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        for entry in case.view().photos():
            verdict = PhotoResult(entry.findings, tuple(gap for gap in entry.unexamined if gap.stage != "vision"))
            assert verdict.status is Status.NOT_TESTABLE, entry.findings
