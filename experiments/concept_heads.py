"""Learn which words a picture can be searched by, and measure how often each is right; writes ``words.json``.

    python experiments/concept_heads.py --photos ../shared/photos --sheets SHEETS
    python experiments/concept_heads.py --photos ../shared/photos --labels labels.csv  # or: make words LABELS=…

The first call draws contact sheets of pictures to look at, a few of each source at random, and ``order.csv``. Somebody
writes beside each id the letters of :data:`CONCEPTS` that hold (``id,flags``); those labels stay outside the
repository, as the pictures do. The second call learns one logistic regression a concept on the embedding that a case
keeps, and measures it cross-fitted by source: an embedding told by a model that did not see the source, scored by a
head that saw none of its photos. A head is kept only if the lower end of the interval of its area, over sources, is
above :data:`LEAST_AUC`; the others are listed with what was measured, so that they can be refused with the reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import crossfit
import drawn_pictures
import heads
import numpy as np
import photo_set
import picture_features
import torch
from numpy.typing import NDArray
from photo_set import PhotoSet
from picture_features import SHIPPED
from PIL import Image, ImageDraw
from sklearn.linear_model import LogisticRegression

from gtloc_forensics.evidence import resampling
from gtloc_forensics.vision import weights

Floats = NDArray[np.float64]

OUT = SHIPPED / "words.json"
LEAST_AUC = 0.75
LEAST_POSITIVES, LEAST_SOURCES = 15, 8  # fewer cannot be told from luck, whatever the area
RIDGE_C = 3.0  # 1 to 10 moved the mean area by less than 0.005
DRAWS, SEED = 400, 16
SIDE, ACROSS = 150, 10  # px of a picture on a sheet, pictures a row and rows a sheet
A_SOURCE = {"photo": 2, "time-only": 2, "place-only": 2, "webcam": 2, "weak": 6}


@dataclass(frozen=True)
class Concept:
    """What can be seen in a picture, and by which words it is asked for."""

    letter: str
    english: tuple[str, ...]  # the first names it
    german: tuple[str, ...]
    includes: str = ""  # letters of concepts that are always this one, too


CONCEPTS = (
    Concept("s", ("snow", "snowy", "ice"), ("Schnee", "verschneit", "Eis")),
    Concept("n", ("night", "at night", "nighttime"), ("Nacht", "nachts", "bei Nacht")),
    Concept(
        "u",
        ("sunset or twilight", "sunset", "sunrise", "dusk", "dawn", "twilight", "sundown"),
        ("Sonnenuntergang oder Dämmerung", "Sonnenuntergang", "Sonnenaufgang", "Dämmerung", "Abendrot", "Morgenrot"),
    ),
    Concept("k", ("blue sky",), ("blauer Himmel",)),
    Concept("y", ("clouds", "cloudy", "overcast"), ("Wolken", "bewölkt", "bedeckt")),
    Concept("g", ("fog", "foggy", "mist", "misty", "haze"), ("Nebel", "neblig", "Dunst")),
    Concept("e", ("sea", "ocean"), ("Meer", "Ozean")),
    Concept("w", ("water", "lake", "river"), ("Wasser", "Fluss"), "e"),
    Concept("h", ("beach", "shore"), ("Strand", "Ufer")),
    Concept("m", ("mountain", "mountains", "hills"), ("Berg", "Berge", "Gebirge")),
    Concept("f", ("forest", "woods"), ("Wald",)),
    Concept("t", ("trees", "tree"), ("Bäume", "Baum"), "fA"),
    Concept("o", ("flower", "flowers"), ("Blume", "Blumen"), "b"),
    Concept("b", ("blossom", "blossoms"), ("Baumblüte", "Blüte", "Blüten")),
    Concept("A", ("autumn leaves", "autumn foliage"), ("Herbstlaub",)),
    Concept("x", ("grass", "meadow", "field", "lawn"), ("Gras", "Wiese", "Feld", "Rasen")),
    Concept("j", ("bare ground", "desert", "sand", "rocks"), ("kahler Boden", "Wüste", "Sand", "Felsen")),
    Concept("r", ("road", "street"), ("Straße", "Strasse")),
    Concept("c", ("city", "skyline", "town"), ("Stadt", "Skyline")),
    Concept("l", ("building", "buildings", "house", "houses"), ("Gebäude", "Haus", "Häuser"), "c"),
    Concept("v", ("car", "cars", "vehicle"), ("Auto", "Autos", "Fahrzeug")),
    Concept("z", ("boat", "boats", "ship", "ships"), ("Boot", "Boote", "Schiff", "Schiffe")),
    Concept("i", ("indoors", "indoor", "inside", "room"), ("innen", "drinnen", "Innenraum", "Zimmer")),
    Concept("p", ("person", "people", "persons", "portrait"), ("Person", "Personen", "Menschen", "Leute")),
    Concept("a", ("animal", "animals", "dog", "cat", "bird"), ("Tier", "Tiere", "Hund", "Katze", "Vogel")),
    Concept("d", ("food", "meal", "dish"), ("Essen", "Speise", "Mahlzeit")),
    Concept("T", ("text", "document", "sign", "paper"), ("Text", "Dokument", "Schild", "Papier")),
    Concept("E", ("electronics", "computer", "screen"), ("Elektronik", "Computer", "Bildschirm")),
    Concept("q", ("from above", "aerial view"), ("von oben", "Luftbild")),
)
"""Letters that hold are noted of a picture when the thing is plainly in view at 150 px."""


@dataclass(frozen=True)
class Labelled:
    """The pictures that were looked at."""

    rows: NDArray[np.int64]  # of the manifest
    flags: Mapping[str, NDArray[np.bool_]]  # by letter, [rows]
    groups: NDArray[np.str_]
    fold: NDArray[np.int64]
    weights: Floats  # 1, less where a source has many


def main() -> None:
    """Draw sheets, or learn from labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with photos.csv and images/")
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "gtloc-small", help="what `make model` kept"
    )
    parser.add_argument("--sheets", type=Path, help="draw the pictures to look at into this folder, and stop")
    parser.add_argument("--labels", type=Path, help="id,flags of pictures that were looked at")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write")
    asked = parser.parse_args()
    photos = photo_set.load(asked.photos)
    if asked.sheets is not None:
        draw_sheets(photos, asked.photos, asked.sheets)
    if asked.labels is not None:
        embeddings = told_by_folds(photos, asked.photos, asked.cache)
        learn(labelled(photos, asked.labels), embeddings, asked.out)


# --------------------------------------------------------------------------- looking


def draw_sheets(photos: PhotoSet, folder: Path, out: Path) -> None:
    """Draw a few pictures of each source at random, and the order in which they stand."""
    out.mkdir(parents=True, exist_ok=True)
    taken: Counter[tuple[str, str]] = Counter()
    chosen = []
    draw = np.random.default_rng(SEED)
    for row in draw.permutation(len(photos)).tolist():
        source = (str(photos.group[row]), str(photos.kind[row]))
        if taken[source] < A_SOURCE[source[1]]:
            taken[source] += 1
            chosen.append(row)
    chosen = [chosen[place] for place in draw.permutation(len(chosen))]
    a_sheet = ACROSS * ACROSS
    for number, first in enumerate(range(0, len(chosen), a_sheet)):
        sheet = Image.new("RGB", (SIDE * ACROSS, SIDE * ACROSS), "white")
        pen = ImageDraw.Draw(sheet)
        for place, row in enumerate(chosen[first : first + a_sheet]):
            at = (place % ACROSS * SIDE, place // ACROSS * SIDE)
            with Image.open(folder / "images" / f"{photos.ids[row]}.jpg") as opened:
                sheet.paste(opened.convert("RGB").resize((SIDE - 2, SIDE - 2)), at)
            pen.text(at, str(place), fill="yellow", stroke_fill="black", stroke_width=2)
        sheet.save(out / f"sheet{number:02d}.jpg", quality=85)
    lines = ["id,flags", *(f"{photos.ids[row]}," for row in chosen)]
    (out / "order.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def labelled(photos: PhotoSet, path: Path) -> Labelled:
    """Read the labels; what a concept includes holds, too."""
    with path.open(newline="") as lines:
        told = {row["id"]: row["flags"] for row in csv.DictReader(lines)}
    rows = np.flatnonzero(np.isin(photos.ids, list(told)))
    found = [told[name] for name in photos.ids[rows].tolist()]
    flags = {
        concept.letter: np.array(
            [any(letter in text for letter in concept.letter + concept.includes) for text in found]
        )
        for concept in CONCEPTS
    }
    groups = photos.group[rows]
    trained = photos.split == "train"
    fold = np.where(trained, photo_set.folds(photos.group, count=crossfit.FOLDS, seed=1), -1)
    return Labelled(rows, flags, groups, fold[rows], photo_set.group_weights(groups, cap=4.0))


def told_by_folds(photos: PhotoSet, folder: Path, cache: Path) -> Mapping[int, NDArray[np.float32]]:
    """Return the embeddings of all pictures, by the model that did not see fold k, and by the shipped one (−1)."""
    kept = cache / "downloads"
    found = picture_features.features(photos, folder, downloads=kept, cache=cache, tell=print).pooled
    drawn = picture_features.drawn(downloads=kept, cache=cache)
    learned = np.concatenate([drawn[f"learned:{kind}"] for kind in drawn_pictures.KINDS])
    recipe = heads.Recipe()
    crossfit.fit(photos, found, learned, recipe=recipe, tell=print, cache=cache)  # makes what the cache lacks
    name = crossfit._identity(photos, found, learned, recipe)
    embeddings = {}
    with torch.inference_mode():
        shipped = weights.load(SHIPPED).module  # the very weights that cases are searched with
        pooled = torch.from_numpy(found)
        embeddings[-1] = shipped.image(shipped.image_head.balanced(pooled)).numpy()
        for number in range(crossfit.FOLDS):
            model = heads.new_model(found, np.arange(2), seed=0)
            model.load_state_dict(torch.load(cache / f"trained-{name}-{number}.pt", weights_only=True))
            embeddings[number] = model.image(model.image_head.balanced(pooled)).numpy()
    return embeddings


# --------------------------------------------------------------------------- learning


def learn(labels: Labelled, embeddings: Mapping[int, NDArray[np.float32]], out: Path) -> None:
    """Learn and measure every concept, print the table and write the file."""
    kept, refused, held = [], [], {}
    print(f"{len(labels.rows)} pictures of {len(set(labels.groups.tolist()))} sources")
    for concept in CONCEPTS:
        entry = _measured(concept, labels, embeddings, held)
        if entry["auc"][1] > LEAST_AUC and _is_enough(entry):
            head = _head(labels.flags[concept.letter], labels, embeddings[-1], np.ones(len(labels.rows), bool))
            kept.append(entry | {"weights": [round(float(value), 4) for value in head[0]], "bias": round(head[1], 4)})
        else:
            refused.append(entry)
        print(_line(entry, is_kept=bool(kept) and kept[-1]["name"] == entry["name"]), flush=True)
    _compose(labels, held)
    document = {
        "format": 1,
        "weights_sha256": weights.load(SHIPPED).weights_sha256,
        "made_from": {
            "photos": len(labels.rows),
            "sources": len(set(labels.groups.tolist())),
            "labels": "by eye, on pictures of 150 px, a few a source drawn at random",
            "least_auc": LEAST_AUC,
            "command": "make words LABELS=LABELS",
        },
        "concepts": kept,
        "refused": refused,
    }
    out.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")


def _is_enough(entry: Mapping[str, Any]) -> bool:
    return bool(entry["positives"] >= LEAST_POSITIVES and entry["positive_sources"] >= LEAST_SOURCES)


def _head(
    flags: NDArray[np.bool_], labels: Labelled, embedding: NDArray[np.float32], rows: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Return slope and intercept of the logistic regression on unit embeddings."""
    logistic = LogisticRegression(C=RIDGE_C, max_iter=2000)
    logistic.fit(embedding[labels.rows[rows]] * SCALE, flags[rows], labels.weights[rows])
    return logistic.coef_[0] * SCALE, float(logistic.intercept_[0])


SCALE = 4.0  # a unit vector of 128 numbers is small beside the ridge


def _measured(
    concept: Concept, labels: Labelled, embeddings: Mapping[int, NDArray[np.float32]], held: dict[str, Floats]
) -> dict[str, Any]:
    flags = labels.flags[concept.letter]
    logit = np.full(len(flags), np.nan)
    for number in [*range(crossfit.FOLDS), -1]:
        asked = labels.fold == number
        if not flags[~asked].any():
            continue
        slope, bias = _head(flags, labels, embeddings[number], ~asked)
        logit[asked] = embeddings[number][labels.rows[asked]] @ slope + bias
    held[concept.letter] = logit
    weights = labels.weights

    def area(rows: NDArray[np.int64]) -> float:
        true, false = rows[flags[rows]], rows[~flags[rows]]
        return resampling.auc(logit[true], logit[false], true_weight=weights[true], false_weight=weights[false])

    threshold = _threshold(logit, flags, weights)
    return {
        "name": concept.english[0],
        "name_de": concept.german[0],
        "words": sorted({word.casefold() for word in (*concept.english, *concept.german)}),
        "auc": _with_interval(area, labels.groups),
        "threshold": round(threshold, 4),
        "precision": _with_interval(lambda rows: _share(flags, logit >= threshold, weights, rows), labels.groups),
        "recall": _with_interval(lambda rows: _share(logit >= threshold, flags, weights, rows), labels.groups),
        "prevalence": round(float(np.average(flags, weights=weights)), 4),
        "positives": int(flags.sum()),
        "positive_sources": len(set(labels.groups[flags].tolist())),
        "photos": len(flags),
        "sources": len(set(labels.groups.tolist())),
    }


def _threshold(logit: Floats, flags: NDArray[np.bool_], weights: Floats) -> float:
    """Return the logit at which precision and recall, taken together (F1), are best."""
    order = np.argsort(-logit)
    right, all_of_it = np.cumsum((weights * flags)[order]), np.cumsum(weights[order])
    score = 2.0 * right / (all_of_it + (weights * flags).sum())
    return float(logit[order][int(np.argmax(score))])


def _share(of: NDArray[np.bool_], among: NDArray[np.bool_], weights: Floats, rows: NDArray[np.int64]) -> float:
    """Return the share of the rows *among* that are *of*, too; NaN where none is."""
    chosen = rows[among[rows]]
    return float(np.average(of[chosen], weights=weights[chosen])) if len(chosen) else float("nan")


def _with_interval(statistic: Any, groups: NDArray[np.str_]) -> list[float]:
    drawn = resampling.drawn_sources(statistic, groups, draws=DRAWS, seed=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all NaN: nothing of the kind was drawn
        low, high = np.nanquantile(drawn, (resampling.TAIL, 1.0 - resampling.TAIL))
    return [round(float(value), 3) for value in (statistic(np.arange(len(groups))), low, high)]


def _line(entry: Mapping[str, Any], *, is_kept: bool) -> str:
    auc, precision, recall = (
        "{:.2f} ({:.2f}–{:.2f})".format(*entry[figure]) for figure in ("auc", "precision", "recall")
    )
    count = f"{entry['positives']} of {entry['positive_sources']} sources"
    verdict = "kept" if is_kept else "refused"
    return f"| {entry['name']} | {count} | {entry['prevalence']:.2f} | {auc} | {precision} | {recall} | {verdict} |"


def _compose(labels: Labelled, held: Mapping[str, Floats]) -> None:
    """Print how well two concepts asked together are found: by summed logits, and by the worse of the two."""
    print("\npairs asked together: AUC of both holding, by the sum of log probabilities")
    for first, second in (("n", "c"), ("s", "t"), ("u", "w"), ("p", "i"), ("m", "w"), ("k", "l")):
        both = labels.flags[first] & labels.flags[second]
        logs = [-np.logaddexp(0.0, -held[letter]) for letter in (first, second)]
        ways = {"sum of logs": logs[0] + logs[1], "sum of logits": held[first] + held[second]}
        areas = {name: resampling.auc(score[both], score[~both]) for name, score in ways.items()}
        print(first, second, int(both.sum()), {name: round(value, 3) for name, value in areas.items()})


if __name__ == "__main__":
    main()
