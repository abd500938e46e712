"""A folder of hostile photos: one seed, one file with what lies beside it."""

from __future__ import annotations

import os
from pathlib import Path

from fuzz.blocks import CAMERAS, service_json, xmp
from fuzz.chance import Chance, damaged
from fuzz.containers import KINDS, SHARES, picture

ODD_NAMES = (
    *(
        "\x1b[31mred {}",
        "\u202egpj.{}",
        "a\nb {}",
        "{} \udcff\udcfe",
        "-o {}",
        "{}%d%s",
        "'{}'\"",
        "{} ;id",
        "é{}",
        "e\u0301{}",
    ),
    *("{}\u200b", "@{}", "#{}", "{}" + "x" * 180, "$({})", "{}\\", "IMG_99999999_999999_{}", "VID_20240230_256161_{}"),
)
ODD_MOMENTS_NS = (-(10**18), 0, 1, 4_000_000_000 * 10**9, -1, 2**62)


def content(seed: int) -> tuple[str, bytes]:
    """Return the kind and the bytes of one hostile file."""
    chance = Chance(seed)
    kind = chance.random.choice(SHARES)
    made = KINDS[kind](chance, chance.random.choice(CAMERAS))
    if chance.happens(0.25):
        made = damaged(chance, made)
    if chance.happens(0.01):
        made = b""
    return kind, made


def lay(folder: Path, seed: int) -> None:
    """Put the file of one seed into *folder*, perhaps with a sidecar, an odd name, an odd time, or a companion."""
    kind, made = content(seed)
    chance = Chance(f"{seed} around")
    name = f"IMG_202406{chance.number(1, 28):02}_{chance.number(0, 23):02}0000_{seed}"
    if chance.happens(0.08):
        name = chance.random.choice(ODD_NAMES).format(seed)
    ending = (
        kind if chance.happens(0.95) else chance.random.choice(("jpg", "JPG", "txt", "", "jpg.part", "heic", "cr2"))
    )
    place = folder / chance.random.choice((".", ".", "DCIM/100ACME", "day 2"))
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}.{ending}"
    path.write_bytes(made)
    if chance.happens(0.2):
        beside = chance.random.choice((path.with_name(path.name + ".xmp"), place / f"{name}.xmp"))
        _sidecar(chance, beside, xmp(Chance(f"{seed} sidecar")))
    if chance.happens(0.04):
        path.with_name(path.name + ".json").write_bytes(service_json(Chance(f"{seed} service")))
    if chance.happens(0.02):
        (place / f"copy of {name}.{ending}").write_bytes(made)
    if chance.happens(0.03):
        _oddity(chance, place / f"odd_{seed}.jpg")
    moment = chance.random.choice(ODD_MOMENTS_NS) if chance.happens(0.05) else 1_718_445_600 * 10**9 + seed
    try:
        os.utime(path, ns=(moment, moment))
    except (OSError, OverflowError):  # a file system that has no such time
        os.utime(path, ns=(10**18, 10**18))


def _sidecar(chance: Chance, path: Path, packet: bytes) -> None:
    match chance.number(0, 30):
        case 0:
            path.mkdir()
        case 1:
            path.write_bytes(b"")
        case 2:
            path.symlink_to("/etc/hostname")
        case 3:
            path.write_bytes(damaged(chance, packet))
        case _:
            path.write_bytes(packet)


def _oddity(chance: Chance, path: Path) -> None:
    match chance.number(0, 5):
        case 0:
            path.symlink_to("/nowhere")
        case 1:
            path.mkdir()
        case 2:
            os.mkfifo(path)
        case 3:
            path.write_bytes(chance.noise(chance.number(0, 3000)))
        case 4:
            os.link(_any(path.parent, path), path)
        case _:
            path.write_bytes(b"BM" + picture("BMP", 1)[2:])


def _any(folder: Path, path: Path) -> Path:
    files = [entry for entry in sorted(folder.iterdir()) if entry.is_file() and not entry.is_symlink()]
    if not files:
        path.with_suffix(".txt").write_text("x")
        return path.with_suffix(".txt")
    return files[0]
