"""Progress between the program and its plugins: they know each stage that it says, and their bars only go forward."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.cli.progress import DONE_BEFORE, STAGES

ROOT = Path(__file__).parents[1]
WITH_WORKERS = {"workers"}
"""Stages that only an audit with --cluster has; no plugin asks for one."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the stages of a whole audit, in the order in which each was said first."""
    place = tmp_path_factory.mktemp("said")
    told = place / "progress"
    words = ["audit", str(ROOT / "examples" / "case_folder"), "--model", "none", "--progress", str(told)]
    assert CliRunner().invoke(gtloc, [*words, "-o", str(place / "case")]).exit_code in (0, 1, 3)
    stages = [line.split("\t")[0] for line in told.read_text("ascii").splitlines()]
    assert len(stages) > 5
    return list(dict.fromkeys(stages))


def test_the_command_line_has_a_name_for_every_stage(said: list[str]) -> None:
    assert set(said) <= {*STAGES, DONE_BEFORE}


def test_the_bar_of_darktable_only_goes_forward_through_every_stage(said: list[str]) -> None:
    source = (ROOT / "plugins" / "darktable" / "gtloc" / "lib" / "lines.lua").read_text("utf-8")
    pairs = re.findall(
        r"(\w+) = \{ ([\d.]+), ([\d.]+) \}", source[source.index("local shares") :].split("\n  local")[0]
    )
    shares = {stage: (float(start), float(end)) for stage, start, end in pairs}
    assert {*STAGES, DONE_BEFORE} - WITH_WORKERS == set(shares)
    edges = [edge for stage in said for edge in shares[stage]]
    assert edges == sorted(edges)
    assert edges[-1] < 1


def test_autopsy_has_a_name_for_every_stage(said: list[str]) -> None:
    tree = ast.parse((ROOT / "plugins" / "autopsy" / "gtloc" / "gtloc_ingest.py").read_text("utf-8"))
    (names,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STAGES"
    )
    assert {*STAGES, DONE_BEFORE} - WITH_WORKERS == set(names)
    assert set(said) <= set(names)
