"""What a case was before and is again: the newest examination tells of the evidence as it is, with what was asked."""

from __future__ import annotations

from pathlib import Path

import tiny_models
from test_case import INLINE, evidence

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.settings import Settings

__all__ = ["evidence"]


def test_a_model_that_is_left_out_and_asked_again_has_looked(evidence: Path, tmp_path: Path) -> None:
    seeing = Settings(model=str(tiny_models.write(tmp_path / "models")), device="cpu", jobs=0)
    with open_case(evidence, tmp_path / "case") as case:
        told = []
        for settings in (seeing, INLINE, seeing, seeing, INLINE, seeing):
            case.audit(settings)
            reasons = {item.reason for entry in case.view().photos() for item in entry.unexamined}
            told.append(any("to go without one" in reason for reason in reasons))
            assert (case.view().examined_with.model_name == "") == told[-1]
        assert told == [False, True, False, False, True, False]
        assert len(case.examinations()) == 5, "the same again at once is no further examination"
        assert case.verify(INLINE, sample=0).is_valid


def test_a_folder_that_is_taken_out_and_put_back_is_told_as_it_is(evidence: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    with open_case(evidence, tmp_path / "case") as case:
        seen = []
        for step in ("there", "gone", "back", "back"):
            if step == "gone":
                (evidence / "day").rename(away)
            elif away.exists():
                away.rename(evidence / "day")
            seen.append(case.audit(INLINE).photos)
        assert seen[0] == seen[2] == seen[3] > seen[1]
        assert case.verify(INLINE, sample=0).is_valid
