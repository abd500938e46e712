"""Counts how many drawn digital clocks are read right, and how often a real photo holds a line that reads as a clock.

    python benchmarks/bench_visible_clocks.py --clocks 60 --photos ../shared/photos/exif --sources 60

The clocks are made: screens of telephones, lamps of seven segments, boards; sizes, angles, fonts of this machine, on
blurred noise saved as JPEG. Of the photos the first of each source is read; one that holds a single line that is a time
of day is compared with its claim. Intervals are of Clopper and Pearson.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import tempfile
from collections import Counter
from datetime import datetime, time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.stats import beta

from gtloc_forensics.checks.visible_dates import clocks_in, dates_in
from gtloc_forensics.decode.visible_text import TextReader
from gtloc_forensics.records import TagsRead

FONTS = ("DejaVuSans.ttf", "DejaVuSansMono-Bold.ttf", "NimbusSansNarrow-Bold.otf", "NotoSansMono-Regular.ttf")
SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
SAME_TIME_S = 300.0


def lamps(text: str, height: int) -> Image.Image:
    """Return the digits as lamps of seven segments."""
    wide, thick = height // 2, max(3, height // 9)
    picture = Image.new("RGB", (int(len(text) * wide * 1.45) + wide, height + 2 * thick), (12, 8, 8))
    draw, x = ImageDraw.Draw(picture), wide // 2
    for letter in text:
        if letter == ":":
            for y in (height // 3, 2 * height // 3):
                draw.rectangle((x, y, x + thick, y + thick), fill=(255, 50, 30))
            x += 2 * thick + wide // 4
            continue
        top, middle, bottom, right = thick, thick + height // 2, height, x + wide
        lines = {
            "a": (x, top, right, top), "b": (right, top, right, middle), "c": (right, middle, right, bottom),
            "d": (x, bottom, right, bottom), "e": (x, middle, x, bottom), "f": (x, top, x, middle),
            "g": (x, middle, right, middle),
        }  # fmt: skip
        for segment in SEGMENTS[letter]:
            draw.line(lines[segment], fill=(255, 50, 30), width=thick)
        x += int(wide * 1.4)
    return picture


def screen(text: str, height: int, font: str, *, dark: bool) -> Image.Image:
    """Return a screen or a board with a time on it."""
    written = ImageFont.truetype(font, height)
    wide = int(written.getlength(text))
    ground, ink = ((20, 24, 34), (250, 250, 250)) if dark else ((245, 245, 240), (10, 10, 10))
    picture = Image.new("RGB", (wide + 2 * height, height * 3), ground)
    ImageDraw.Draw(picture).text((height, height * 0.8), text, font=written, fill=ink)
    return picture


def drawn(chance: random.Random, path: Path) -> tuple[time, dict[str, object]]:
    """Draw one picture with a clock; return its time and how it was drawn."""
    at = time(chance.randrange(24), chance.randrange(60))
    kind, height = chance.choice(("lamps", "telephone", "board")), chance.choice((36, 60, 100, 160))
    angle, font = chance.choice((0, 0, 5, -8, 15)), chance.choice(FONTS)
    text = f"{at:%H:%M}"
    clock = lamps(text, height) if kind == "lamps" else screen(text, height, font, dark=kind == "telephone")
    noise = Image.effect_noise((1600, 1200), 60).filter(ImageFilter.GaussianBlur(3))
    ground = Image.merge("RGB", (noise.point(lambda grey: grey * 0.7), noise, noise.point(lambda grey: grey * 0.8)))
    turned = clock.convert("RGBA").rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    place = chance.randrange(50, 1550 - min(1400, turned.width)), chance.randrange(300, 850 - min(500, turned.height))
    ground.paste(turned, place, turned)
    ground.filter(ImageFilter.GaussianBlur(chance.choice((0, 0.8)))).save(path, quality=chance.choice((75, 90)))
    return at, {"kind": kind, "height": height, "angle": angle, "font": font if kind != "lamps" else ""}


def interval(hits: int, of: int) -> list[float]:
    """Return a share and its 95 % interval."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, of - hits + 1))
    return [hits / of, low, 1.0 if hits == of else float(beta.ppf(0.975, hits + 1, of - hits))] if of else []


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clocks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--sources", type=int, default=60)
    options = parser.parse_args()
    reader, table = TextReader(), dict[str, object]()
    try:
        if options.clocks:
            table["clocks"] = _of_clocks(reader, options.clocks, options.seed)
        if options.photos:
            table["photos"] = _of_photos(reader, options.photos, options.sources)
    finally:
        reader.close()
    print(json.dumps(table, indent=1))


def _lines(reader: TextReader, path: Path) -> list[str]:
    (read,) = reader.read([os.fsencode(path)])
    tags = read.tags if isinstance(read, TagsRead) else {}
    return [str(line) for tag in ("Visible:Stamp", "Visible:Text") for line in tags.get(tag, ())]


def _of_clocks(reader: TextReader, count: int, seed: int) -> dict[str, object]:
    chance, ends, by_kind = random.Random(seed), Counter[str](), Counter[str]()
    missed: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            path = Path(folder) / f"{number}.jpg"
            at, how = drawn(chance, path)
            lines = _lines(reader, path)
            clocks = clocks_in(lines)
            end = "none or several" if len(clocks) != 1 else "right" if at in clocks[0].times else "wrong"
            ends[end] += 1
            by_kind[f"{how['kind']}: {end}"] += 1
            if end != "right":
                missed.append({**how, "at": f"{at:%H:%M}", "read": " | ".join(lines), "end": end})
            print(number + 1, end, flush=True)
    told: dict[str, object] = {end: [many, *interval(many, count)] for end, many in ends.items()}
    return told | {"by kind": dict(sorted(by_kind.items())), "missed": missed}


def _of_photos(reader: TextReader, folder: Path, sources: int) -> dict[str, object]:
    with folder.with_suffix(".csv").open(encoding="utf-8", newline="") as rows:
        row_of = {row["file"]: row for row in csv.DictReader(rows)}
    first: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name in row_of and row_of[path.name]["datetime_original"]:
            first.setdefault(row_of[path.name]["group"], path)
    chosen, ends = list(first.values())[:sources], Counter[str]()
    for number, path in enumerate(chosen):
        local = datetime.strptime(row_of[path.name]["datetime_original"][:19], "%Y:%m:%d %H:%M:%S")
        lines = _lines(reader, path)
        clocks = clocks_in(lines)
        end = (
            "no line that is a time"
            if not clocks
            else "several"
            if len(clocks) > 1
            else _compared(clocks[0].times, local)
        )
        ends[end] += 1
        ends["a date anywhere"] += bool(dates_in(lines))
        print(number + 1, end, flush=True)
    return {"read": len(chosen)} | {end: [many, *interval(many, len(chosen))] for end, many in ends.items()}


def _compared(times: tuple[time, ...], local: datetime) -> str:
    gaps = [abs((datetime.combine(local.date(), at) - local).total_seconds()) for at in times]
    agrees = min(min(gap, 86_400.0 - gap) for gap in gaps) <= SAME_TIME_S
    return "one, as claimed" if agrees else "one, another than claimed"


if __name__ == "__main__":
    main()
