"""Small whole files around the blocks: JPEG, PNG, WebP, TIFF, HEIF, QuickTime; lengths and places may lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO

from PIL import Image, features

from fuzz.blocks import ASCII, LONG, SHORT, date, exif, iptc, text, xmp
from fuzz.chance import Chance

Camera = tuple[str, str, str]


@lru_cache(maxsize=64)
def picture(form: str, shade: int) -> bytes:
    """Return a small picture, one of 32, in a file without any metadata."""
    drawn = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
    drawn = drawn.rotate(7 * shade).point(lambda value: (value * (shade + 1)) % 256)
    out = BytesIO()
    drawn.save(out, form)
    return out.getvalue()


def _shade(chance: Chance) -> int:
    return chance.number(0, 31)


# --------------------------------------------------------------------------- JPEG


def jpeg(chance: Chance, camera: Camera) -> bytes:
    whole = picture("JPEG", _shade(chance))
    thumbnail = picture("JPEG", _shade(chance)) if chance.happens(0.3) else b""
    segments = [(0xE1, b"Exif\0\0" + exif(chance, camera=camera, thumbnail=thumbnail))]
    if chance.happens(0.4):
        segments.append((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(chance)))
    if chance.happens(0.2):
        part = xmp(chance)
        guid = chance.one_of((b"A" * 32,), (b"", chance.noise(32)))
        sizes = struct.pack(">II", chance.length(len(part), 32), chance.length(0, 32))
        segments.append((0xE1, b"http://ns.adobe.com/xmp/extension/\0" + guid + sizes + part))
    if chance.happens(0.3):
        segments.append((0xED, iptc(chance)))
    if chance.strikes():
        segments.append(
            (0xE2, chance.one_of((b"ICC_PROFILE\0\1\1", b"MPF\0MM\0*\0\0\0\x08\xff\xff", b"FPXR\0")) + chance.noise(80))
        )
    if chance.strikes():
        segments.append((0xFE, text(chance, "a comment")))
    if chance.strikes():
        segments += segments[:1] * chance.number(1, 3)
    if chance.strikes(0.5):
        chance.random.shuffle(segments)
    out = bytearray(whole[:2])
    for marker, content in segments:
        content = content[:65_533]
        out += bytes((0xFF, marker)) + struct.pack(">H", chance.length(len(content) + 2, 16)) + content
    out += whole[2:]
    if chance.strikes():
        out += chance.one_of((b"MotionPhoto", picture("JPEG", 3), movie(chance, camera), b"\0" * 4096))
    return bytes(out)


# --------------------------------------------------------------------------- PNG, WebP, TIFF


def png(chance: Chance, camera: Camera) -> bytes:
    whole = picture("PNG", _shade(chance))
    chunks = []
    if chance.happens(0.7):
        chunks.append((b"eXIf", chance.one_of((b"",), (b"Exif\0\0",)) + exif(chance, camera=camera)))
    if chance.happens(0.5):
        packet, squeeze = xmp(chance), chance.happens(0.4)
        head = b"XML:com.adobe.xmp\0" + bytes((squeeze, chance.one_of((0,), (7,)))) + b"\0\0"
        chunks.append((b"iTXt", head + (zlib.compress(packet) if squeeze and not chance.strikes() else packet)))
    if chance.happens(0.4):
        stamp = date(chance).encode("utf-8", "surrogateescape")
        chunks.append((b"tEXt", chance.one_of((b"Creation Time", b"Software", b"Description")) + b"\0" + stamp))
    if chance.happens(0.3):
        chunks.append(
            (
                b"tIME",
                struct.pack(
                    ">HBBBBB",
                    *chance.one_of(((2024, 6, 15, 12, 0, 0),), ((0, 0, 0, 0, 0, 0), (65535, 99, 99, 99, 99, 99))),
                ),
            )
        )
    if chance.strikes():
        chunks.append(
            (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  8\n" + b"4578696600004949" * 30))
        )
    if chance.strikes():
        chunks.append((b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000))))
    made = b"".join(_chunk(chance, kind, content) for kind, content in chunks)
    at = 33 if not chance.strikes() else len(whole) - 12  # behind IHDR, or behind the picture
    return whole[:at] + made + whole[at:]


def _chunk(chance: Chance, kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content) if not chance.strikes() else chance.number(0, 2**32 - 1)
    return struct.pack(">I", chance.length(len(content), 32)) + kind + content + struct.pack(">I", check)


def webp(chance: Chance, camera: Camera) -> bytes:
    picture_chunk = picture("WEBP", _shade(chance))[12:]
    flags = chance.one_of((0x0C,), (0, 0xFF, 0x02))
    size = chance.one_of(((47, 31),), ((0, 0), (0xFFFFFF, 0xFFFFFF)))
    extended = struct.pack("<I", flags) + size[0].to_bytes(3, "little") + size[1].to_bytes(3, "little")
    chunks = _riff(chance, b"VP8X", extended) + picture_chunk
    chunks += _riff(chance, b"EXIF", chance.one_of((b"", b"Exif\0\0")) + exif(chance, camera=camera))
    if chance.happens(0.5):
        chunks += _riff(chance, b"XMP ", xmp(chance))
    return b"RIFF" + struct.pack("<I", chance.length(len(chunks) + 4, 32)) + b"WEBP" + chunks


def _riff(chance: Chance, kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", chance.length(len(content), 32)) + content + b"\0" * (len(content) % 2)


def tiff(chance: Chance, camera: Camera) -> bytes:
    pixels = chance.noise(48 * 32)
    strip = [
        (0x0100, SHORT, chance.one_of((48,), (0, 65535))),
        (0x0101, SHORT, chance.one_of((32,), (0, 65535))),
        (0x0102, SHORT, chance.one_of((8,), (0, 64))),
        (0x0103, SHORT, chance.one_of((1,), (5, 7, 8, 32773, 34892, 65535))),
        (0x0106, SHORT, chance.one_of((1,), (2, 32803, 6))),
        (0x0111, LONG, chance.one_of((8,), (0, 0xFFFFFFFF, 0x7FFFFFFF))),
        (0x0117, LONG, chance.one_of((len(pixels),), (0, 0xFFFFFFFF))),
        (0xC612, 1, [1, 4, 0, 0]),
        (0x014A, LONG, chance.one_of(([8],), ([8] * 500, [0xFFFFFFFF]))),
    ]
    kept = [entry for entry in strip if not chance.happens(0.2)]
    return exif(chance, camera=camera, more=[*kept, (0x010E, ASCII, pixels[:600])])


# --------------------------------------------------------------------------- boxes: HEIF and QuickTime


def box(chance: Chance, kind: bytes, *parts: bytes) -> bytes:
    """Return a box; its size may be 0 (to the end), 1 (64 bits follow), too large, or a lie."""
    content = b"".join(parts)
    if not chance.strikes(0.7):
        return struct.pack(">I", len(content) + 8) + kind + content
    if chance.happens(0.3):
        long = chance.one_of((len(content) + 16, 0, 1, 15, 2**63, 2**64 - 1))
        return struct.pack(">I", 1) + kind + struct.pack(">Q", long) + content
    return struct.pack(">I", chance.one_of((0, 1, 2, 7, 8, 9, len(content), 0x7FFFFFFF, 0xFFFFFFFF))) + kind + content


def full(chance: Chance, kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(chance, kind, struct.pack(">I", chance.one_of((version,), (0, 1, 2, 3, 255)) << 24), *parts)


def heif(chance: Chance, camera: Camera) -> bytes:
    brands = chance.one_of((b"heic\0\0\0\0mif1heic", b"mif1\0\0\0\0heicmif1", b"avif\0\0\0\0mif1avif"), (b"heic", b""))
    start = box(chance, b"ftyp", brands)
    block = struct.pack(">I", chance.one_of((6,), (0, 1, 0xFFFFFFFF))) + b"Exif\0\0" + exif(chance, camera=camera)
    items = [(1, b"hvc1", chance.noise(200)), (2, b"Exif", block)]
    if chance.happens(0.5):
        items.append((3, b"mime", xmp(chance)))
    if chance.strikes():
        items += [(chance.one_of((2, 2, 0, 0xFFFF)), b"Exif", block)] * chance.number(1, 60)
    length = len(_heif_meta(Chance(0, 0.0), items, 0))
    data = b"".join(content for _, _, content in items)
    return start + _heif_meta(chance, items, len(start) + length + 8) + box(chance, b"mdat", data)


def _heif_meta(chance: Chance, items: list[tuple[int, bytes, bytes]], first: int) -> bytes:
    entries, locations, at = b"", b"", first
    for number, kind, content in items:
        named = b"application/rdf+xml\0" if kind == b"mime" else b""
        entries += full(chance, b"infe", struct.pack(">HH", number, 0), kind, b"\0", named, version=2)
        place = at if not chance.strikes() else chance.one_of((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, at * 9))
        extents = chance.length(1, 16) if chance.strikes() else 1
        locations += struct.pack(">HHHII", number, 0, extents, place & 0xFFFFFFFF, chance.length(len(content), 32))
        at += len(content)
    widths = chance.one_of((0x44,), (0x00, 0x88, 0xFF, 0x40))
    size = struct.pack(">II", *chance.one_of(((48, 32),), ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF))))
    return full(
        chance,
        b"meta",
        full(chance, b"hdlr", bytes(4), b"pict", bytes(13)),
        full(chance, b"pitm", struct.pack(">H", chance.one_of((1,), (0, 2, 99)))),
        full(chance, b"iinf", struct.pack(">H", chance.length(len(items), 16)), entries),
        full(chance, b"iref", box(chance, b"cdsc", struct.pack(">HHH", 2, 1, chance.one_of((1,), (2, 0))))),
        box(
            chance,
            b"iprp",
            box(chance, b"ipco", full(chance, b"ispe", size)),
            full(chance, b"ipma", b"\0\0\0\1\0\1\1\1"),
        ),
        full(chance, b"iloc", bytes((widths, 0)), struct.pack(">H", chance.length(len(items), 16)), locations),
    )


_1904 = 2_082_844_800


def movie(chance: Chance, camera: Camera) -> bytes:
    made = _1904 + 1_718_445_600 + chance.number(0, 10**6)
    moment = chance.one_of((made,), (0, 1, 0xFFFFFFFF, _1904, 0x7FFFFFFF))
    version = int(chance.strikes())
    times = struct.pack(">QQIQ" if version else ">IIII", *(moment, moment, 600, 600))
    header = full(chance, b"mvhd", times, bytes(80), version=version)
    track = box(
        chance,
        b"trak",
        full(chance, b"tkhd", times, bytes(80)),
        box(chance, b"mdia", full(chance, b"mdhd", times, bytes(8))),
    )
    place = chance.one_of(
        (b"+48.1374+011.5755+520/",), (b"+99.9+999.9/", b"", b"+NaN-INF/", b"48.1,11.5", b"+48.1374+011.5755+99999999/")
    )
    user = box(
        chance,
        b"udta",
        _quicktime_text(chance, b"\xa9xyz", place),
        _quicktime_text(chance, b"\xa9mak", camera[0].encode()),
    )
    moov = box(chance, b"moov", header, track, user, _keys(chance, camera, place))
    start = box(chance, b"ftyp", chance.one_of((b"qt  \0\0\0\0qt  ", b"mp42\0\0\0\0isommp42"), (b"3gp4", b"")))
    nest = chance.one_of((0,), (10, 2000))
    for _ in range(nest):
        moov = struct.pack(">I", min(len(moov) + 8, 0xFFFFFFFF)) + b"moov" + moov
    data = box(chance, b"mdat", chance.noise(100))
    return start + (moov + data if chance.happens(0.5) else data + moov)


def _quicktime_text(chance: Chance, kind: bytes, content: bytes) -> bytes:
    return box(chance, kind, struct.pack(">HH", chance.length(len(content), 16), 0x15C7), content)


def _keys(chance: Chance, camera: Camera, place: bytes) -> bytes:
    stamp = f"2024-06-{chance.number(1, 28):02}T12:00:00+0200".encode()
    pairs = [
        (
            b"com.apple.quicktime.creationdate",
            chance.one_of((stamp,), (b"", b"2024", b"9999-99-99T99:99:99+9999", b"\xff" * 40)),
        ),
        (b"com.apple.quicktime.location.ISO6709", place),
        (b"com.apple.quicktime.make", camera[0].encode()),
        (b"com.apple.quicktime.model", text(chance, camera[1])),
    ]
    names = b"".join(struct.pack(">I", len(name) + 8) + b"mdta" + name for name, _ in pairs)
    values = b"".join(
        box(
            chance,
            struct.pack(">I", number),
            box(chance, b"data", struct.pack(">II", chance.one_of((1,), (0, 2, 21, 0xFFFFFFFF)), 0), value),
        )
        for number, (_, value) in enumerate(pairs, 1)
    )
    return box(
        chance,
        b"meta",
        full(chance, b"hdlr", bytes(4), b"mdta", bytes(12)),
        full(chance, b"keys", struct.pack(">I", chance.length(len(pairs), 32)), names),
        box(chance, b"ilst", values),
    )


def avif(chance: Chance, camera: Camera) -> bytes:
    """Return a picture that can be decoded, where Pillow can write one, with a box of ours at its end."""
    if not features.check("avif"):
        return heif(chance, camera)
    whole = picture("AVIF", _shade(chance))
    return whole + (box(chance, b"uuid", chance.noise(16), xmp(chance)) if chance.happens(0.5) else b"")


def gif(chance: Chance, camera: Camera) -> bytes:
    whole = picture("GIF", _shade(chance))
    trailer = bytes(range(255, -1, -1)) + b"\0"
    packet = b"!\xff\x0bXMP DataXMP" + xmp(chance) + b"\x01" + trailer
    return whole[:-1] + packet + whole[-1:]


KINDS: dict[str, Callable[[Chance, Camera], bytes]] = {
    "jpg": jpeg,
    "png": png,
    "webp": webp,
    "tif": tiff,
    "dng": tiff,
    "heic": heif,
    "avif": avif,
    "mov": movie,
    "gif": gif,
}
SHARES = ("jpg",) * 9 + ("heic",) * 3 + ("mov",) * 2 + ("avif", "png", "png", "webp", "tif", "dng", "gif")
