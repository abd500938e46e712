"""Counts how many drawn date stamps are read right, how many are read wrong, and what untouched photos are told.

    python benchmarks/bench_visible_dates.py --stamps 60 --photos ../shared/photos/exif --sources 30

The stamps are made: fonts of this machine, notations of compact, trail and dash cameras, four places, three colours, on
drawn landscapes saved as JPEG. Real stamps are worse: LEDs burned on film, compressed films, blur. Of the photos the
first of each source is read. Intervals are of Clopper and Pearson.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.stats import beta

from gtloc_forensics.checks.visible_dates import dates_in
from gtloc_forensics.decode.visible_text import TextReader
from gtloc_forensics.records import TagsRead

NOTATIONS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M%p",
    "%d/%m/%Y",
    "%d.%m.'%y",
    "'%y %m %d",
    "%d %b %Y %H:%M",
)
COLOURS = {"orange": (255, 150, 30), "white": (255, 255, 255), "yellow": (255, 230, 60)}
PLACES = ("bottom right", "bottom left", "top left", "bar below")
FONTS = ("DejaVuSansMono-Bold.ttf", "DejaVuSans.ttf", "NimbusMonoPS-Bold.otf", "NimbusSansNarrow-Bold.otf")


def stamped(chance: random.Random, path: Path) -> tuple[datetime, dict[str, str]]:
    """Draw one picture with a stamp; return the moment and how it was written."""
    moment = datetime(1998, 1, 1) + timedelta(minutes=chance.randrange(28 * 525_600))
    notation, place = chance.choice(NOTATIONS), chance.choice(PLACES)
    font, colour = chance.choice(FONTS), chance.choice(list(COLOURS))
    noise = Image.effect_noise((1600, 1200), 60).filter(ImageFilter.GaussianBlur(3))
    ground = Image.merge("RGB", (noise.point(lambda grey: grey * 0.7), noise, noise.point(lambda grey: grey * 0.8)))
    draw = ImageDraw.Draw(ground)
    size = chance.choice((32, 44, 60))
    text, written = moment.strftime(notation), ImageFont.truetype(font, size)
    width = draw.textlength(text, font=written)
    x, y = {
        "bottom right": (1560 - width, 1180 - size * 1.5),
        "bottom left": (40, 1180 - size * 1.5),
        "top left": (40, 30),
        "bar below": (600, 1190 - size * 1.2),
    }[place]
    if place == "bar below":
        draw.rectangle((0, 1180 - size * 1.4, 1600, 1200), fill=(0, 0, 0))
        draw.text((30, y), "CAM 2  17C", font=written, fill=COLOURS[colour])
    draw.text((x, y), text, font=written, fill=COLOURS[colour])
    ground.save(path, quality=chance.choice((70, 85, 93)))
    return moment, {"notation": notation, "place": place, "font": font, "colour": colour, "size": str(size)}


def interval(hits: int, of: int) -> list[float]:
    """Return a share and its 95 % interval."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, of - hits + 1))
    return [hits / of, low, 1.0 if hits == of else float(beta.ppf(0.975, hits + 1, of - hits))] if of else []


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=19, help="The reading of dates was mended on what 18 drew.")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--sources", type=int, default=30)
    options = parser.parse_args()
    reader = TextReader()
    try:
        table = {"stamps": _of_stamps(reader, options.stamps, options.seed)}
        if options.photos:
            table["photos"] = _of_photos(reader, options.photos, options.sources)
    finally:
        reader.close()
    print(json.dumps(table, indent=1))


def _of_stamps(reader: TextReader, count: int, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    ends: Counter[str] = Counter()
    missed: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"{number}.jpg"
            moment, how = stamped(chance, path)
            (read,) = reader.read([os.fsencode(path)])
            lines = [str(line) for line in read.tags.get("Visible:Stamp", ())] if isinstance(read, TagsRead) else []
            seen = dates_in(lines)
            if not seen:
                end = "no date read"
            elif any(moment.date() in stamp.days for stamp in seen):
                end = "right day among the readings"
            else:
                end = "wrong day"
            ends[end] += 1
            if end != "right day among the readings":
                missed.append({**how, "read": " | ".join(lines), "end": end})
            print(number + 1, end, flush=True)
    return {end: [many, *interval(many, count)] for end, many in ends.items()} | {"missed": missed}


def _of_photos(reader: TextReader, folder: Path, sources: int) -> dict[str, object]:
    with folder.with_suffix(".csv").open(encoding="utf-8", newline="") as lines:
        source_of = {line["file"]: line["group"] for line in csv.DictReader(lines)}
    first: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name in source_of:
            first.setdefault(source_of[path.name], path)
    chosen = list(first.values())[:sources]
    dated = 0
    for path in chosen:
        (read,) = reader.read([os.fsencode(path)])
        if isinstance(read, TagsRead):
            dated += bool(dates_in(str(line) for line in read.tags.get("Visible:Stamp", ())))
    return {"read": len(chosen), "a date in the margin": [dated, *interval(dated, len(chosen))]}


if __name__ == "__main__":
    main()
