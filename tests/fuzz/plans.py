"""Hostile GPX tracks and plans of corrections, and what the commands that read them may do with them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from test_case import photo

from fuzz.blocks import DATES, TEXTS
from fuzz.chance import Chance, damaged
from fuzz.examining import changes, command, snapshot, temporary

_MOMENTS = (
    *("2024-06-15T12:00:00Z", "2024-06-15T12:00:00", "2024-06-15T12:00:00.123456789Z", "2024-06-15T12:00:00+02:00"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-02-30T00:00:00Z", "", "now", "&e;", "2024-W01-1"),
)
_DEGREES = ("48.1", "11.5", "NaN", "INF", "-INF", "1e400", "91", "-181", "", "x", "48,1", "٤٨", "0x10", "9" * 400)


def gpx(chance: Chance) -> bytes:
    """Return a track as receivers write it, mostly."""
    points = "".join(
        f'<trkpt lat="{chance.one_of(("48.1", "48.2"), _DEGREES)}" lon="{chance.one_of(("11.5", "11.6"), _DEGREES)}">'
        f"<time>{chance.one_of((f'2024-06-15T12:{number % 60:02}:00Z',), _MOMENTS)}</time></trkpt>"
        for number in range(chance.one_of((3, 60), (0, 5000)))
    )
    depth = chance.one_of((0,), (2000, 100_000))
    nested = "<extensions>" * depth + "</extensions>" * depth
    head = chance.one_of(
        ('<?xml version="1.0" encoding="UTF-8"?>',),
        (
            '<!DOCTYPE x [<!ENTITY e "aaaa"><!ENTITY f "&e;&e;&e;&e;">]>',
            '<!DOCTYPE x SYSTEM "http://192.0.2.1/x">',
            '<?xml version="1.0" encoding="UTF-16"?>',
            '<?xml version="1.0" encoding="x-unknown"?>',
            "",
        ),
    )
    space = chance.one_of((' xmlns="http://www.topografix.com/GPX/1/1"',), ("", ' xmlns="x" xmlns="y"'))
    whole = f"{head}<gpx{space}><trk><trkseg>{nested}{points}</trkseg></trk></gpx>"
    data = whole.encode(chance.one_of(("utf-8",), ("utf-16", "utf-32", "latin-1")), "replace")
    return damaged(chance, data) if chance.strikes(2) else data


def plan(chance: Chance, usual: str) -> bytes:
    """Return the plan *usual*, its values replaced by hostile ones here and there."""
    lines = []
    for line in usual.splitlines():
        name, is_value, _ = line.partition(" = ")
        if is_value and not line.startswith("#") and chance.strikes(2):
            line = f"{name} = {chance.random.choice(_VALUES)}"
        if chance.strikes(0.4):
            line = chance.random.choice(
                ("[[change]]", "[change]", "x = 1", "", line + "\n" + line, '"', "a.b.c = 1", "\t]")
            )
        lines.append(line)
    data = "\n".join(lines).encode("utf-8", "replace")
    return damaged(chance, data) if chance.strikes(2) else data


def _toml(text: str) -> str:
    return '"' + "".join(f"\\u{ord(one):04X}" if ord(one) < 0xD800 else "?" for one in text) + '"'


_VALUES = (
    *(
        "1",
        "-1",
        "1e400",
        "nan",
        "inf",
        "true",
        "[]",
        "[1]",
        "{}",
        "{a = 1}",
        '""',
        "''",
        "2024-06-15",
        "12:00:00",
        "9" * 5000,
    ),
    *(
        '"../../etc/passwd"',
        '"/etc/passwd"',
        '"a.jpg/../a.jpg"',
        '"."',
        '"a.jpg\\u0000"',
        '"b.jpg"',
        '"A.JPG"',
        '"\\uD800"',
    ),
    *(
        '"DateTimeOriginal"',
        '"GPSPosition"',
        '"OffsetTimeOriginal"',
        '"GPSDateTime"',
        '"Keywords"',
        '"FileName"',
        '"-x"',
    ),
    *('"48.1,11.5"', '"48.1 11.5"', '"NaN NaN"', '"91,181"', '"+99:99"', '"+02:00"', "[" * 3000 + "]" * 3000),
    *(_toml(text[:200]) for text in (*DATES, *TEXTS)),
)


def faults_of(first_seed: int, count: int, *, plans_every: int = 2) -> Iterator[str]:
    """Have plans made of hostile tracks and hostile plans carried out; yield what does not hold, with its seed."""
    with temporary() as folder:
        evidence, case, track = folder / "evidence", folder / "case", folder / "track.gpx"
        photo(evidence / "a.jpg", 1, taken="2024:06:15 12:00:30")
        photo(evidence / "b.jpg", 2, taken="2024:06:15 12:10:30")
        yield from command(["audit", os.fspath(evidence), "-o", os.fspath(case), "--model", "none", "--no-report"])
        made = folder / "plan.toml"
        yield from command(["correct", os.fspath(case), "--plan", os.fspath(made), "--offset", "+01:00:00"])
        usual, before = made.read_text(encoding="utf-8"), snapshot(evidence)
        for seed in range(first_seed, first_seed + count):
            chance = Chance(f"{seed} plan", malice=(0.02, 0.1, 0.4)[seed % 3])
            track.write_bytes(gpx(chance))
            found = list(_tracked(case, track, folder / "tracked.toml"))
            if seed % plans_every == 0:
                made.write_bytes(plan(chance, usual))
                found += _applied(case, made, folder / "out")
            found += changes(before, snapshot(evidence))
            yield from (f"plan seed {seed}: {fault}" for fault in found)


def _tracked(case: Path, track: Path, path: Path) -> Iterator[str]:
    path.unlink(missing_ok=True)
    words = [
        "correct",
        os.fspath(case),
        "--plan",
        os.fspath(path),
        "--track",
        os.fspath(track),
        "--zone",
        "Europe/Berlin",
    ]
    yield from command(words, codes=(0, 2))


def _applied(case: Path, path: Path, out: Path) -> list[str]:
    start = ["correct", os.fspath(case)]
    found = list(command([*start, "--plan", os.fspath(path), "--apply", "--sidecars", os.fspath(out)], codes=(0, 2, 3)))
    found += command([*start, "--plan", os.fspath(path)], codes=(0, 2))  # planned anew over what stands in the file
    found += command([*start, "--undo"], codes=(0, 2, 3))
    left = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
    found += [f"undone, and {path} is still there" for path in left]
    shutil.rmtree(out, ignore_errors=True)
    return found
