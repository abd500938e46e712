"""Conditions alone are held against what a list shows of each photo: the same hits as from the whole records."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_case import INLINE

from gtloc_forensics.case import retrieval, search
from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.retrieval import Query
from gtloc_forensics.records import Position

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    folder = tmp_path_factory.mktemp("search") / "case"
    with open_case(EXAMPLE, folder) as case:
        case.audit(INLINE)
    return CaseFolder(folder)


QUESTIONS: dict[str, dict[str, Any]] = {
    "everything": {},
    "summer": {"months": (6, 8)},
    "night": {"local_hours": (22.0, 4.0)},
    "a year": {"dates": (date(2023, 1, 1), date(2024, 12, 31))},
    "a maker": {"device": "a"},
    "a place": {"near": Position(48.0, 11.0), "within_km": 2000.0},
    "all at once": {"months": (1, 12), "device": "e", "near": Position(0.0, 0.0), "within_km": 20_000.0},
}


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_list_gives_the_hits_of_the_whole_records(example: CaseFolder, asked: dict[str, Any]) -> None:
    query = Query(**asked)
    whole = retrieval.search(example.view().records(), query, limit=None)
    assert search.find(example, query, limit=None) == whole
    assert whole.looked_at == example.view().count()


def test_conditions_alone_build_no_photo(example: CaseFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    view = example.view()
    monkeypatch.setattr(view, "records", lambda: pytest.fail("the records were read"))
    assert search.find(example, Query(months=(1, 12))).matching
    with Case(example.folder) as case:
        assert case.search(Query(device="e"), words="jpg").looked_at == view.count()
