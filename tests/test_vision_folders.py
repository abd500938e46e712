"""A model folder from anybody: it reaches no network, no other folder, and no more memory than a large model needs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tiny_models import write

from gtloc_forensics import vision
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import PlanError, UsageError, WeightsError
from gtloc_forensics.vision import library, manifest, weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


def changed(folder: Path, path: str, value: Any) -> None:
    """Set one value of the manifest, named as ``extractors.0.architecture``."""
    described = json.loads((folder / "manifest.json").read_bytes())
    *way, last = path.split(".")
    place = described
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    (folder / "manifest.json").write_text(json.dumps(described))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    tried: list[object] = []

    def refuse(*asked: object, **_: object) -> None:
        tried.append(asked)
        raise OSError("a test has no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("extractors.0.architecture", "hf_hub:a/b", "plain name"),
        ("extractors.0.architecture", "hf-hub:a/b", "plain name"),
        ("extractors.0.architecture", "local-dir:/etc", "plain name"),
        ("extractors.0.architecture", "../vit", "plain name"),
        ("extractors.0.architecture", "no_such_net", "knows no net"),
        ("extractors.0.options", {"checkpoint_path": "/etc/hostname"}, "checkpoint_path"),
        ("extractors.0.options", {"pretrained_cfg": "x"}, "pretrained_cfg"),
        ("extractors.0.options", {"cache_dir": "/tmp"}, "cache_dir"),
        ("extractors.0.options", {"embed_dim": 8192, "depth": 128}, "more than is loaded"),
        ("extractors.0.options", {"embed_dim": 1_000_000}, "embed_dim is out of range"),
        ("extractors.0.options", {"img_size": 10**9}, "img_size is out of range"),
        ("extractors.0.options", {"depth": True}, "depth is out of range"),
        ("extractors.0.options", {"num_heads": 7, "embed_dim": 24}, "cannot build"),
        ("extractors.0.input_px", 10**9, "input_px"),
        ("image_head.widths", [1_000_000, 1_000_000], "widths"),
        ("image_head.widths", [65_536, 65_536], "widths"),
        ("image_head.widths", [24, 8192, 8192, 16], "cannot hold"),
        ("image_head.widths", [2] * 1000, "widths"),
        ("location_encoder.width", 10**8, "location_encoder"),
        ("location_encoder.sigmas", [1.0] * 1000, "location_encoder"),
        ("time_encoder.frequencies", -1, "time_encoder"),
        ("place_gallery.points", 10**10, "place_gallery.points"),
        ("time_gallery", {"year_cells": 36_000, "day_cells": 48_000}, "time_gallery"),
        ("files", {"../../etc/passwd": "0"}, "leaves the folder"),
    ],
)
def test_what_a_manifest_may_not_ask_is_refused_in_words(
    folder: Path, no_network: list[object], path: str, value: Any, words: str
) -> None:
    changed(folder, path, value)
    with pytest.raises(WeightsError, match=words):
        weights.load(folder)
    result = CliRunner().invoke(gtloc, ["model", "show", str(folder)])
    assert result.exit_code == 2
    assert words in result.output
    assert not no_network


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors", "calibration.json"])
def test_a_link_out_of_the_model_folder_is_not_followed(folder: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / f"outside-{name}"
    content = (folder / name).read_bytes() if (folder / name).exists() else b"{}"
    outside.write_bytes(content)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(outside)
    with pytest.raises(WeightsError, match="link out of the model folder"):
        vision.load(str(folder), device="cpu")


@pytest.mark.parametrize("name", ["manifest.json", "calibration.json"])
def test_json_nested_without_end_is_an_error_in_words(folder: Path, name: str) -> None:
    (folder / name).write_text('{"temperature":' + "[" * 20_000 + "]" * 20_000 + "}")
    with pytest.raises(WeightsError) as caught:
        vision.load(str(folder), device="cpu")
    assert name in str(caught.value)


def test_toml_nested_without_end_is_an_error_in_words(tmp_path: Path) -> None:
    from gtloc_forensics.correct import planfile
    from gtloc_forensics.report.template import load_template

    deep = "a = " + "[" * 20_000 + "]" * 20_000
    with pytest.raises(PlanError, match="nested too deeply"):
        planfile.loads(deep)
    (tmp_path / "template").mkdir()
    for name in ("template.toml", "style.toml", "en.toml"):
        (tmp_path / "template" / name).write_text(deep)
    with pytest.raises(UsageError):
        load_template(str(tmp_path / "template"))


def test_a_file_longer_than_any_manifest_is_not_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="longer than"):
        manifest.read_within(folder, "manifest.json", most_bytes=10)


def test_what_a_case_names_is_never_the_path_of_a_model(folder: Path) -> None:
    with pytest.raises(WeightsError, match="never a path"):
        library.find_by_name(str(folder))


def test_a_whole_model_loads_without_a_network(folder: Path, no_network: list[object]) -> None:
    loaded = vision.load(str(folder), device="cpu")
    loaded.close()
    assert not no_network


CUT_OFF = """
import sys
from click.testing import CliRunner
from gtloc_forensics.cli.main import gtloc
for words in (["model", "show", sys.argv[1]], ["doctor"]):
    result = CliRunner().invoke(gtloc, words)
    assert "Traceback" not in result.output, result.output
    print(words[0], result.exit_code)
"""


def test_cut_off_from_every_network_it_does_the_same(folder: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("cutting a process off from the network is not allowed here")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", CUT_OFF, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "model 0" in done.stdout
