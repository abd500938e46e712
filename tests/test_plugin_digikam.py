"""The script for digiKam's batch queue: a picture goes on unchanged, with the sidecar that is its own and no other."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "plugins" / "digikam" / "batch-queue.sh"

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")


def queue(picture: Path, target: Path, *, folder: Path, case: Path) -> None:
    said = {**os.environ, "GTLOC_FOLDER": str(folder), "GTLOC_CASE": str(case)}
    subprocess.run(["sh", str(SCRIPT), str(picture), str(target)], check=True, env=said)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("photos/0 a.jpg", "photos/trip/0 a.jpg", "case/sidecars/0 a.jpg.xmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_picture_is_handed_on_with_its_own_sidecar(place: Path) -> None:
    queue(place / "photos/0 a.jpg", place / "out.jpg", folder=place / "photos", case=place / "case")
    assert (place / "out.jpg").read_text() == "photos/0 a.jpg"
    assert (place / "out.jpg.xmp").read_text() == "case/sidecars/0 a.jpg.xmp"


@pytest.mark.parametrize("folder", ["photos", "elsewhere"])
def test_the_sidecar_of_another_picture_of_that_name_is_not_its_own(place: Path, folder: str) -> None:
    queue(place / "photos/trip/0 a.jpg", place / "out.jpg", folder=place / folder, case=place / "case")
    assert (place / "out.jpg").read_text() == "photos/trip/0 a.jpg"
    assert not (place / "out.jpg.xmp").exists()
