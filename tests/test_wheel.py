"""The wheel works where the checkout is not: everything it needs travels in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_case import photo

from gtloc_forensics.cli.main import ExitCode

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it far from the checkout."""
    pytest.importorskip("setuptools", minversion="69", reason="building the wheel needs setuptools 69 or newer")
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    # The build leaves its own folders in the source tree, so it gets a copy of what git knows.
    source = place / "source"
    source.mkdir()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    if not names:
        pytest.skip("needs a git checkout to know which files belong to the package")
    for name in names.decode().split("\0")[:-1]:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(place), str(source)], check=True, cwd=place
    )
    (wheel,) = place.glob("*.whl")
    target = place / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True, cwd=place)
    return target


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gtloc_forensics", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_code_rules_templates_and_models(installed: Path) -> None:
    package = installed / "gtloc_forensics"
    assert (package / "py.typed").is_file()
    assert (package / "contrib" / "on_the_hour.py").is_file()
    assert list((package / "templates").rglob("*.toml"))
    assert list((package / "store" / "migrations" / "versions").glob("v*.py"))
    assert (package / "models" / "gtloc-small" / "weights.safetensors").is_file()
    assert (package / "models" / "gtloc-small" / "CARD.md").is_file()
    assert (package / "checks" / "alarms.json").is_file()
    review = {path.name for path in (package / "templates" / "review").iterdir()}
    assert {"index.html", "review.js", "review.css", "leaflet.js", "world.json", "en.toml", "de.toml"} <= review
    assert {"LICENSE-leaflet", "LICENSE-world-atlas"} <= review, "what is not ours comes with its licence"


def test_the_installed_program_audits_a_folder(installed: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "photos"
    photo(evidence / "one.jpg")
    done = run(installed, tmp_path, "audit", str(evidence), "--jobs", "1")
    assert done.returncode in (ExitCode.CLEAN, ExitCode.FINDINGS, ExitCode.INCOMPLETE), done.stderr
    assert (tmp_path / "photos.audit" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_the_installed_program_is_the_one_that_ran(installed: Path, tmp_path: Path) -> None:
    code = "import gtloc_forensics, sys; print(gtloc_forensics.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(installed))
