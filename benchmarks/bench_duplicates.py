"""How far hash and embedding tell copies from look-alikes (rule GF406, docs/decisions/0013-near-duplicates.md).

    python benchmarks/bench_duplicates.py --photos ../shared/photos [--edited 150]

Pairs of all pictures that are neither street views nor webcams, sources apart, and edits of
validation photos. Counts only; no picture leaves the set.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from gtloc_forensics import vision
from gtloc_forensics.checks.look_alikes import near_pairs
from gtloc_forensics.checks.rules.gf406_duplicates import (
    DIFFERENT_BITS,
    FLATTEST_BITS,
    LIKE_BITS,
    LIKE_COSINE,
    SAME_BITS,
)
from gtloc_forensics.decode import pixels
from gtloc_forensics.records import Pixels


def _jpeg(picture: Image.Image) -> Image.Image:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=20)
    return Image.open(written).convert("RGB")


def _cropped(picture: Image.Image, share: float) -> Image.Image:
    width, height = picture.size
    return picture.crop((int(share * width), int(share * height), int((1 - share) * width), int((1 - share) * height)))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG quality 20": _jpeg,
    "half the size": lambda one: one.resize((one.width // 2, one.height // 2)),
    "a tenth cropped": lambda one: _cropped(one, 0.05),
    "30 % cropped": lambda one: _cropped(one, 0.15),
    "40 % brighter": lambda one: ImageEnhance.Brightness(one).enhance(1.4),
    "turned by 3°": lambda one: _cropped(one.rotate(3, resample=Image.Resampling.BICUBIC), 0.05),
    "grey": lambda one: one.convert("L").convert("RGB"),
    "mirrored": lambda one: one.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def hash_of(picture: Image.Image) -> int:
    """Return the hash that an audit would keep of a picture: through a file, as every photo goes."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        picture.save(file, "PNG", compress_level=1)
        file.flush()
        return pixels.decode(Path(file.name), "", "image/png", wants_pixels=False).image.perceptual_hash


class Looking:
    """The shipped model, one picture at a time."""

    def __init__(self) -> None:
        self.model = vision.load("gtloc-small", device="cpu")

    def __call__(self, picture: Image.Image) -> np.ndarray:
        pixels = Pixels("benchmark", np.asarray(picture), picture.width, picture.height)
        row = np.asarray(self.model.embed([self.model.prepare(pixels)]))[0, : self.model.embedding_size]
        return row / np.linalg.norm(row)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--edited", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with (chosen.photos / "photos.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    looking = Looking()

    def opened(row: dict[str, str]) -> Image.Image:
        return Image.open(chosen.photos / "images" / f"{row['id']}.jpg").convert("RGB")

    kept = [
        row for row in rows if row["kind"] in ("photo", "time-only", "place-only") and "streetview" not in row["flags"]
    ]
    _pairs(kept, opened, looking)
    own = [row for row in rows if row["kind"] == "photo" and row["split"] == "val" and not row["flags"]]
    order = np.random.default_rng(chosen.seed).permutation(len(own))[: chosen.edited]
    _edits([opened(own[index]) for index in order], looking)


def _pairs(rows: list[dict[str, str]], opened: Callable[[dict[str, str]], Image.Image], looking: Looking) -> None:
    hashes = [hash_of(opened(row)) for row in rows]
    has_structure = [FLATTEST_BITS <= value.bit_count() <= 64 - FLATTEST_BITS for value in hashes]
    sizes = Counter(row["group"] for row in rows)
    total = (len(rows) ** 2 - sum(size**2 for size in sizes.values())) // 2
    counts: Counter[tuple[str, bool]] = Counter()
    for first, second in near_pairs(hashes, LIKE_BITS):
        if not (has_structure[first] and has_structure[second]):
            continue
        is_one_source = rows[first]["group"] == rows[second]["group"]
        bits = (hashes[first] ^ hashes[second]).bit_count()
        cosine = float(looking(opened(rows[first])) @ looking(opened(rows[second])))
        counts[f"hash ≤ {SAME_BITS}", is_one_source] += bits <= SAME_BITS
        counts[f"hash ≤ {LIKE_BITS}", is_one_source] += 1
        counts[f"hash ≤ {LIKE_BITS}, cosine ≥ {LIKE_COSINE}", is_one_source] += cosine >= LIKE_COSINE
    print(f"{len(rows)} pictures of {len(sizes)} sources, {total:,} pairs of different sources\n")
    print("| pairs with | of different sources | of one source |\n|---|---|---|")
    for name in dict.fromkeys(name for name, _ in counts):
        print(f"| {name} | {counts[name, False]} | {counts[name, True]} |")


def _edits(pictures: list[Image.Image], looking: Looking) -> None:
    before = [(hash_of(picture), looking(picture)) for picture in pictures]
    print(f"\n{len(pictures)} validation photos, edited\n")
    print(f"| edit | hash ≤ {SAME_BITS} | hash ≤ {LIKE_BITS} | found (hash and cosine) | taken for another picture |")
    print("|---|---|---|---|---|")
    for name, edit in EDITS.items():
        edited = [edit(picture) for picture in pictures]
        bits = np.array(
            [(hash_of(picture) ^ own).bit_count() for picture, (own, _) in zip(edited, before, strict=True)]
        )
        cosine = np.array([float(looking(picture) @ own) for picture, (_, own) in zip(edited, before, strict=True)])
        is_found = (bits <= SAME_BITS) | ((bits <= LIKE_BITS) & (cosine >= LIKE_COSINE))
        shares = (bits <= SAME_BITS, bits <= LIKE_BITS, is_found, bits >= DIFFERENT_BITS)
        print(f"| {name} | {' | '.join(f'{100 * float(np.mean(share)):.0f} %' for share in shares)} |")


if __name__ == "__main__":
    main()
