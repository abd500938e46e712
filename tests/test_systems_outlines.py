"""Maps of cells: every cell has its border, drawn on the sphere, and none runs across the page at the date line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gtloc_forensics.earth import partitions
from gtloc_forensics.modelling import outlines
from gtloc_forensics.modelling.training import system_cells


def jumps(line: np.ndarray) -> np.ndarray:
    steps = np.abs(np.diff(line[:, 0]))
    return steps[np.isfinite(steps)]


def test_a_border_over_the_date_line_is_broken_there_and_nowhere_else() -> None:
    line = outlines.border(np.array([[10.0, 170.0], [10.0, -170.0], [-10.0, -170.0], [-10.0, 170.0]]))
    assert jumps(line).max() < 30
    assert np.isnan(line[:, 0]).sum() == 3  # twice over the line, and the end
    whole = outlines.border(np.array([[10.0, 0.0], [10.0, 20.0], [-10.0, 20.0], [-10.0, 0.0]]))
    assert np.isnan(whole[:, 0]).sum() == 1


def test_a_side_is_a_great_circle_and_not_a_parallel() -> None:
    line = outlines.border(np.array([[60.0, -40.0], [60.0, 40.0], [70.0, 40.0], [70.0, -40.0]]))
    assert np.nanmax(line[: len(line) // 4, 1]) > 65  # the way from 60° N to 60° N runs north of it


def test_the_coasts_are_those_of_the_earth() -> None:
    lines = outlines.coasts()
    assert jumps(lines).max() < 180
    near_gibraltar = np.hypot(lines[:, 0] + 5.6, lines[:, 1] - 36.0)
    assert np.nanmin(near_gibraltar) < 0.3


def test_every_partition_has_its_borders_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="maps need the extra systems")
    pytest.importorskip("s2geometry", reason="S2 cells need the extra systems")
    draw = np.random.default_rng(0)
    latitude, longitude = draw.uniform(-60, 70, 400), draw.uniform(-180, 180, 400)
    cells = {
        name: partitions.s2_partition(latitude, longitude, fewest=5, most=most)
        for name, most in (("coarse", 100), ("fine", 40))
    }
    drawn: list[np.ndarray] = []
    real = outlines.border
    monkeypatch.setattr(outlines, "border", lambda corners: drawn.append(corners) or real(corners))
    system_cells.draw(cells, tmp_path / "cells.png")
    assert len(drawn) == sum(map(len, cells.values()))
    assert (tmp_path / "cells.png").stat().st_size > 20_000
