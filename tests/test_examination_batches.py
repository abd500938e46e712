"""What a batch is, and what keeps each lane busy: exiftool and the decoders shall both have work all the time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gtloc_forensics.examination import planning
from gtloc_forensics.examination.planning import STAGES, Lane
from gtloc_forensics.records import Candidate
from gtloc_forensics.store.keys import METADATA


@pytest.mark.parametrize(
    ("files", "batch", "sizes"),
    [(180, 50, [8, 16, 32, 50, 50, 24]), (7, 50, [7]), (10, 50, [8, 2]), (7, 3, [3, 3, 1]), (0, 50, [])],
)
def test_the_first_batches_are_small_and_none_is_larger_than_it_may_be(
    files: int, batch: int, sizes: list[int], tmp_path: Path
) -> None:
    candidates = [Candidate(f"{number:03}.jpg".encode()) for number in range(files)]
    run = cast(Any, SimpleNamespace(settings=SimpleNamespace(batch=batch), place=tmp_path))
    made = list(planning.batches(candidates, run))
    assert [len(works) for works in made] == sizes
    assert [work.candidate for works in made for work in works] == candidates
    assert len({work.folder for works in made for work in works}) == len(sizes)


def test_exiftool_waits_for_no_other_reader() -> None:
    assert [stage.name for stage in STAGES if stage.lane is Lane.READING] == [METADATA]
