"""Make models/gtloc-small from the photo set: features, heads, calibration, card. One command, seeded.

    python experiments/make_small_model.py --photos ../shared/photos --out models/gtloc-small

Nothing of the photo set but weights and statistics is written below ``--out``; features
and downloads go to ``--cache``, which lies outside the repository.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import card
import crossfit
import curves
import drawn_pictures
import gate
import heads
import held_out
import judgement
import numpy as np
import photo_set
import picture_features
import sky
import torch
from torch import Tensor

from gtloc_forensics import vision
from gtloc_forensics.evidence.calibration import CALIBRATION
from gtloc_forensics.modelling import phototable, scorecard
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import weights
from gtloc_forensics.vision.density import PlaceTeller

CHECKED_PHOTOS = 24
EVALUATED_STEP = 3
TOLERANCE = 0.02  # of a probability: features learned from were taken in bfloat16, the program takes them in float32


def main() -> None:
    """Make the model and say how long each part took."""
    asked = _arguments()
    if asked.card:
        write_card(asked)
        return
    started = time.monotonic()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", flush=True)

    photos = photo_set.load(asked.photos)
    tell(f"{len(photos)} pictures of {len(set(photos.group.tolist()))} sources in the manifest")
    found = picture_features.features(
        photos, asked.photos, downloads=asked.cache / "downloads", cache=asked.cache, tell=tell
    )
    features = found.pooled
    drawn = picture_features.drawn(downloads=asked.cache / "downloads", cache=asked.cache)
    tell("features of drawn pictures")
    learned = np.concatenate([drawn[f"learned:{kind}"] for kind in drawn_pictures.KINDS])
    fitted = crossfit.fit(photos, features, learned, recipe=heads.Recipe(), tell=tell, cache=asked.cache)
    standard = crossfit.standardised(fitted.model, features)
    drawn_standard = {name: crossfit.standardised(fitted.model, rows) for name, rows in drawn.items()}
    seen = sky.heights(photos, standard, datable=fitted.datable, fold=fitted.fold)
    scene, scene_layer = sky.scenes(
        photos, standard, {kind: drawn_standard[f"learned:{kind}"] for kind in drawn_pictures.KINDS}, fold=fitted.fold
    )
    crossfit.put_densities(fitted.model, {"sun_height": seen.layer, "scene": scene_layer})
    tell("heads of the sun's height and of the scene")
    rows = judgement.examined(photos, fitted)
    sharp = crossfit.sharpness(fitted, photos, rows)
    shown = crossfit.shown(fitted, photos, sharp, rows | (photos.kind == "photo"), seen)
    teller = PlaceTeller(fitted.places, cells=heads.MANIFEST.output.place_cells)
    usual = judgement.usual_of(photos, shown, rows, teller)
    judged = judgement.judge(photos, shown, usual, rows)
    tell(f"scored {len(judged.scored.kind)} claims about {int(rows.sum())} photos")
    facts = _figures(photos, fitted, shown, judged, rows, teller)
    facts["gate"] = {
        "drawn": gate.drawn_figures(
            photos, features, standard, drawn, drawn_standard, threshold=judgement.DATABLE_THRESHOLD
        ),
        "photos": gate.photo_figures(photos, fitted.datable, scene, threshold=judgement.DATABLE_THRESHOLD),
        "kinds": gate.kinds(photos, scene),
    }
    held = held_out.HeldOut(photos, found, fitted, shown, standard, rows)
    facts["curves"] = curves.figures(held, judged, asked.photos)
    tell("figures counted")
    manifest = weights.write(asked.out, heads.MANIFEST, _tensors(fitted, asked.cache / "downloads"))
    (asked.out / "weights.safetensors").chmod(0o644)  # safetensors writes for its owner alone
    made_from = {"photos": int(rows.sum()), "sources": len(set(photos.group[rows].tolist())), "set": facts["set"]}
    calibration = {
        "temperature": {name: dataclasses.asdict(sharpness) for name, sharpness in sharp.items()},
        "made_from": made_from,
        "weights_sha256": manifest.files["weights.safetensors"],
        "evidence": judgement.evidence_entry(judged, card.report_facts(facts), seen.table),
    }
    (asked.out / CALIBRATION).write_text(json.dumps(calibration, ensure_ascii=False) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        model = vision.load(str(asked.out.resolve()), device="cpu", cache_dir=Path(scratch))
        facts["largest_difference"] = _check(model, asked.photos, photos, fitted, shown)
        tell(f"loaded again: held-out and shipped densities differ by at most {facts['largest_difference']:.1e}")
        facts["evaluate"] = _evaluated(model, asked.photos)
        model.close()
    tell("evaluated by the published metrics")
    facts["seconds"] = round(time.monotonic() - started + found.seconds)
    card.write(asked.out, facts, judged)
    tell("done")


def write_card(asked: argparse.Namespace) -> None:
    """Write the card of the model as it is, with its curves and words anew; weights and calibration stay."""
    held = held_out.load(asked.photos, asked.cache)
    teller = PlaceTeller(held.fitted.places, cells=heads.MANIFEST.output.place_cells)
    usual = judgement.usual_of(held.photos, held.shown, held.rows, teller)
    judged = judgement.judge(held.photos, held.shown, usual, held.rows)
    facts = json.loads((asked.out / "card.json").read_text(encoding="utf-8"))
    facts["curves"] = curves.figures(held, judged, asked.photos)
    card.write(asked.out, facts, judged)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with photos.csv and images/")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "gtloc-small", help="features and downloads"
    )
    parser.add_argument("--card", action="store_true", help="write the card of the model that is there anew")
    return parser.parse_args()


def _figures(
    photos: photo_set.PhotoSet,
    fitted: crossfit.Fitted,
    shown: judgement.Shown,
    judged: judgement.Judged,
    rows: judgement.Rows,
    teller: PlaceTeller,
) -> dict[str, Any]:
    return {
        "set": f"photo set of {len(photos)} pictures, {len(set(photos.group.tolist()))} sources",
        "data": card.counts(photos),
        "tests": judgement.test_figures(judged),
        "joints": [_joint(joint) for joint in judged.joints],
        "verification": judgement.time_swap_auc(judged, photos),
        "gains": judgement.gains(judged, photos),
        "slices": judgement.verification_slices(judged, photos),
        "shifts": judgement.by_shift(photos, shown, judged, rows),
        "points": judgement.point_figures(photos, shown, fitted),
        "place": judgement.place_figures(photos, shown, rows, teller),
        "day_night": judgement.day_night(photos, shown, fitted),
        "datable": judgement.datable_figures(photos, fitted),
    }


def _joint(one: Any) -> dict[str, Any]:
    return {"names": one.names, "coefficients": [round(value, 3) for value in one.coefficients]}


def _tensors(fitted: crossfit.Fitted, downloads: Path) -> dict[str, Tensor]:
    """Return every tensor of the shipped file: the backbone in half precision, the heads in full."""
    _, backbone = picture_features.extractor(downloads)
    name = picture_features.SPEC.name
    return weights.outer_state(fitted.model) | {f"extractors.{name}.{key}": value for key, value in backbone.items()}


def _check(
    model: vision.Model,
    folder: Path,
    photos: photo_set.PhotoSet,
    fitted: crossfit.Fitted,
    shown: judgement.Shown,
) -> float:
    """Compare what the written model says of photos of ``val`` with what the calibration was made from."""
    chosen = np.flatnonzero((photos.split == "val") & ~photos.streetview & photos.timed)[:CHECKED_PHOTOS]
    views = [picture_features.picture(folder / "images" / f"{photos.ids[row]}.jpg", streetview=False) for row in chosen]
    pixels = [Pixels(str(photos.ids[row]), view, *view.shape[1::-1]) for row, view in zip(chosen, views, strict=True)]
    told = model.predict(model.embed([model.prepare(pixel) for pixel in pixels]), [pixel.source_id for pixel in pixels])
    largest = 0.0
    for row, prediction in zip(chosen, told, strict=True):
        largest = max(largest, float(np.abs(prediction.time.mass - shown.time[row]).max()))
        largest = max(largest, abs(prediction.datable - float(fitted.datable[row])))
        assert prediction.sun_height is not None
        largest = max(largest, float(np.abs(prediction.sun_height.mass - shown.height[row]).max()))
    if not math.isfinite(largest) or largest > TOLERANCE or not model.calibration.sha256:
        raise RuntimeError(f"the written model differs from the calibrated one by {largest:.2g}")
    return largest


def _evaluated(model: vision.Model, folder: Path) -> dict[str, Any]:
    """Return the figures of ``gtloc evaluate`` on every third timed photo of ``val``: the net runs on each."""
    table = phototable.read(folder / "photos.csv", split="val")
    training = phototable.read(folder / "photos.csv", split="train")
    evaluated = scorecard.evaluated(
        model,
        table.rows(np.flatnonzero(table.timed)[::EVALUATED_STEP]),
        training=training.rows(training.timed),
        resamples=200,
    )
    return {"text": scorecard.as_text(evaluated)} | json.loads(scorecard.as_json(evaluated))


if __name__ == "__main__":
    main()
