"""What workers examined is taken into PostgreSQL by the one writer, as into a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_case import INLINE, audit, hostile
from test_postgres import content, content_of_file, evidence, server, url

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.cluster.addresses import address_of
from gtloc_forensics.case.cluster.cluster import Cluster
from gtloc_forensics.case.cluster.shards import Most

pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]'")
pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(240)]
__all__ = ["evidence", "server", "url"]


def test_a_server_holds_what_the_inline_driver_writes_to_a_file(evidence: Path, tmp_path: Path, url: str) -> None:
    hostile(evidence / "bad")
    audit(evidence, tmp_path / "file")
    with open_case(evidence, tmp_path / "served", database_url=url) as case:
        case.audit(INLINE, cluster=Cluster(address_of("local:1"), most=Most(sources=3)))
        assert content(case.store) == content_of_file(tmp_path / "file")
