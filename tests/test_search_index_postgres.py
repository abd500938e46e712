"""A case on a PostgreSQL server is searched by the same index as one in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE
from test_postgres import evidence, server, url

from gtloc_forensics.case import search
from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.search_index import opened
from gtloc_forensics.case.search_index.index import FOLDER
from gtloc_forensics.cli.main import gtloc

pytestmark = [pytest.mark.timeout(240)]
__all__ = ["evidence", "server", "url"]


def test_a_case_on_a_server_is_searched_by_the_index_too(
    evidence: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
        first = next(iter(case.view().records())).source.display_path
    asked = ["search", str(tmp_path / "case"), "--database", url, "--json"]
    questions = (["--months", "6"], ["--words", "acme"], ["--like", first], ["--near", "48,11"])
    before = [json.loads(CliRunner().invoke(gtloc, [*asked, *question]).stdout) for question in questions]
    assert any(answer["hits"] for answer in before)
    monkeypatch.setattr(opened, "LEAST_PHOTOS", 1)
    with monkeypatch.context() as made:
        made.setattr(opened, "answered", lambda *_, **__: None)
        CliRunner().invoke(gtloc, [*asked, "--months", "6"])
    assert list((tmp_path / "case" / FOLDER).glob("*.part"))
    monkeypatch.setattr(search, "search", lambda *_, **__: pytest.fail("photos were read one by one"))
    monkeypatch.setattr(search, "search_claims", lambda *_, **__: pytest.fail("photos were read one by one"))
    after = [json.loads(CliRunner().invoke(gtloc, [*asked, *question]).stdout) for question in questions]
    assert after == before
