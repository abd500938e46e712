"""Blocks of metadata built from their structure: Exif (TIFF), XMP, IPTC; each decision may turn hostile."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fuzz.chance import Chance

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL = 1, 2, 3, 4, 5, 7, 10
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}

CAMERAS = (
    ("Acme", "One", "0001"),
    ("Apple", "iPhone 13", ""),
    ("NIKON CORPORATION", "NIKON D750", "6012345"),
    ("Canon", "Canon EOS R5", "012345678901"),
    ("Google", "Pixel 7", ""),
    ("SONY", "ILCE-7M3", "3456789"),
)
SOFTWARE = ("", "16.5", "Adobe Photoshop 23.0 (Windows)", "GIMP 2.10.30", "HDR+ 1.0.518", "darktable 4.2.1")

DATES = (
    *(
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2024:02:30 25:61:61",
        "9999:12:31 23:59:59",
        "0001:01:01 00:00:00",
    ),
    *(
        "2024-06-15T12:00:00Z",
        "2024:06:15",
        "2024",
        "1970:01:01 00:00:00",
        "2038:01:19 03:14:08",
        "-2024:06:15 12:00:00",
    ),
    *(
        "2024:06:15 12:00:60",
        "2024:06:15 24:00:00",
        "2024:13:01 00:00:00",
        "１２３４:０６:１５ 12:00:00",
        "",
        "\0" * 19,
    ),
    *("2024:06:15 12:00:00+99:99", "2024:06:15 12:00:00.99999999999999999999", "99999999999999:01:01 00:00:00"),
    *("2024:06:15 12:00:00\n2024:06:16", "2024:06:15 12:00:00\x1b[2J\x1b[31m", "2024:06:15 12:00:00 \u202egpj", "NaN"),
    *("2024:06:15 -1:00:00", "1e9:06:15 12:00:00", "15/06/2024 12:00", "٢٠٢٤:٠٦:١٥ ١٢:٠٠:٠٠", "2024:06:15 12:00:00 AM"),
)
OFFSETS = ("+99:99", "-24:00", "Z", "+14:00", "-12:45", "+5", "05:30", "", "+05:30\0junk", "UTC+3", "+NaN:00", "−03:00")
TEXTS = (
    *("", " " * 200, "A" * 70_000, "\x1b]0;owned\x07", "\r\n", "\t", "\u202eevil\u202c", "\u2028", "\ufffd", "\udc80"),
    *("{{7*7}}", "<b>bold</b>", "<script>alert(1)</script>", "=1+1", "%s%n%d", "\\u0000", "${HOME}", "`id`", "../../x"),
    *("'; DROP TABLE source;--", "&amp;&lt;", "]]>", "-->", "}{", "𝕏" * 300, "e\u0301" * 300, "\u0600" * 64, "مرحبا"),
)


def date(chance: Chance) -> str:
    """Return when a photo was taken, as Exif writes it: within some weeks, so that photos can be compared."""
    day, hour, minute, second = chance.number(1, 28), chance.number(0, 23), chance.number(0, 59), chance.number(0, 59)
    usual = f"2024:06:{day:02} {hour:02}:{minute:02}:{second:02}"
    return chance.one_of((usual,), DATES)


def text(chance: Chance, *usual: str) -> bytes:
    return chance.one_of(usual or ("words",), TEXTS).encode("utf-8", "surrogateescape")


# --------------------------------------------------------------------------- Exif


@dataclass
class Directory:
    """Entries ``(tag, type, values)``; values are bytes, numbers, pairs of numbers, or a directory."""

    entries: list[tuple[int, int, Any]]
    following: Directory | None = None
    thumbnail: bytes = b""


@dataclass
class Tiff:
    """Writes a TIFF file; hostile decisions change counts, types, offsets, order and the chain of directories."""

    chance: Chance
    order: str = "<"
    out: bytearray = field(default_factory=bytearray)
    places: list[int] = field(default_factory=list)

    def write(self, first: Directory) -> bytes:
        magic = self.chance.one_of((42,), (43, 0, 0x55, 0x4352))
        self.out += (b"II" if self.order == "<" else b"MM") + struct.pack(self.order + "HI", magic, 0)
        place = self._directory(first)
        struct.pack_into(self.order + "I", self.out, 4, self._offset(place))
        if self.chance.strikes():
            self.out[:2] = self.chance.one_of((b"MM", b"II", b"XX"))
        return bytes(self.out)

    def _offset(self, true: int) -> int:
        """Return where something lies, or a place that is none: outside, odd, within the header, a directory again."""
        if not self.chance.strikes(0.5):
            return true
        again = [*self.places, 8]
        wrong = (0, 1, 4, true + 1, true - 2, len(self.out), len(self.out) * 7, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFF0)
        return self.chance.one_of((*wrong, *again)) & 0xFFFFFFFF

    def _directory(self, directory: Directory) -> int:
        entries = [(tag, kind, self._encoded(kind, value)) for tag, kind, value in directory.entries]
        if directory.thumbnail:
            at = self._append(directory.thumbnail)
            entries += [(0x0201, LONG, self._encoded(LONG, self._offset(at)))]
            entries += [(0x0202, LONG, self._encoded(LONG, self.chance.length(len(directory.thumbnail), 32)))]
        if self.chance.strikes() and entries:
            entries += [self.chance.random.choice(entries)] * self.chance.number(1, 40)
        if not self.chance.strikes():
            entries.sort(key=lambda entry: entry[0])
        fields = b"".join(self._field(*entry) for entry in entries)
        if len(self.out) % 2:
            self.out += b"\0"
        place = len(self.out)
        self.places.append(place)
        self.out += struct.pack(self.order + "H", self.chance.length(len(entries), 16)) + fields
        link = len(self.out)
        self.out += bytes(4)
        following = self._directory(directory.following) if directory.following else 0
        if self.chance.strikes():
            following = self._offset(following)
        struct.pack_into(self.order + "I", self.out, link, following)
        return place

    def _encoded(self, kind: int, value: Any) -> tuple[int, bytes]:
        if isinstance(value, Directory):
            return 1, struct.pack(self.order + "I", self._offset(self._directory(value)))
        if isinstance(value, bytes):
            ends = kind == ASCII and not self.chance.strikes()  # an ASCII without its NUL is a classic
            content = value + b"\0" * ends
            return len(content), content
        numbers = value if isinstance(value, Sequence) else [value]
        if kind in (RATIONAL, SRATIONAL):
            parts = [int(part) for pair in numbers for part in self._rational(pair)]
            signs = "i" if kind == SRATIONAL else "I"
            top = 0x7FFFFFFF if kind == SRATIONAL else 0xFFFFFFFF
            return len(numbers), struct.pack(f"{self.order}{len(parts)}{signs}", *(min(part, top) for part in parts))
        letter = {BYTE: "B", SHORT: "H", LONG: "I"}.get(kind, "I")
        top = {BYTE: 0xFF, SHORT: 0xFFFF}.get(kind, 0xFFFFFFFF)
        return len(numbers), struct.pack(f"{self.order}{len(numbers)}{letter}", *(int(one) & top for one in numbers))

    def _rational(self, pair: tuple[int, int]) -> tuple[int, int]:
        return self.chance.one_of((pair,), ((0, 0), (1, 0), (pair[0], 0), (0xFFFFFFFF, 1), (1, 0xFFFFFFFF), (0, 1)))

    def _field(self, tag: int, kind: int, value: tuple[int, bytes]) -> bytes:
        count, content = value
        said_kind = self.chance.one_of((kind,), (*range(14), 99, 129, 0xFFFF))
        said_count = self.chance.length(count, 32)
        tag = tag if not self.chance.strikes(0.3) else tag ^ (1 << self.chance.number(0, 15))
        if len(content) <= 4 and not self.chance.strikes(0.3):
            where = content.ljust(4, b"\0")
        else:
            where = struct.pack(self.order + "I", self._offset(self._append(content)))
        return struct.pack(self.order + "HHI", tag & 0xFFFF, said_kind, said_count) + where

    def _append(self, content: bytes) -> int:
        if len(self.out) % 2:
            self.out += b"\0"
        at = len(self.out)
        self.out += content
        return at


def exif(chance: Chance, *, camera: tuple[str, str, str], thumbnail: bytes = b"", more: Iterable[Any] = ()) -> bytes:
    """Return a TIFF with what a camera writes, mostly."""
    taken = date(chance)
    entries = [
        (0x010F, ASCII, text(chance, camera[0])),
        (0x0110, ASCII, text(chance, camera[1])),
        (0x0112, SHORT, chance.one_of((1, 1, 6, 8), (0, 9, 65535))),
        (0x011A, RATIONAL, [(72, 1)]),
        (0x0131, ASCII, text(chance, *SOFTWARE)),
        (0x0132, ASCII, (taken if chance.happens(0.8) else date(chance)).encode("utf-8", "surrogateescape")),
        (0x013B, ASCII, text(chance, "An Author")),
        (0x8769, LONG, _taken(chance, taken, camera[2])),
        *more,
    ]
    if chance.happens(0.6):
        entries.append((0x8825, LONG, _gps(chance)))
    if chance.strikes():
        entries.append((0x02BC, BYTE, xmp(chance)))
    second = Directory([(0x0103, SHORT, 6)], thumbnail=thumbnail) if thumbnail or chance.happens(0.2) else None
    kept = [entry for entry in entries if not chance.happens(0.05)]
    return Tiff(chance, chance.one_of(("<", "<", ">"))).write(Directory(kept, second))


def _taken(chance: Chance, taken: str, serial: str) -> Directory:
    stamp = taken.encode("utf-8", "surrogateescape")
    zone = chance.one_of(("+02:00", "+02:00", "-05:00", "+00:00"), OFFSETS).encode()
    entries = [
        (0x829A, RATIONAL, [(1, chance.number(1, 8000))]),
        (0x829D, RATIONAL, [(chance.number(10, 220), 10)]),
        (0x8827, SHORT, chance.one_of((100, 400, 3200), (0, 65535))),
        (0x9000, UNDEFINED, b"0232"),
        (0x9003, ASCII, stamp),
        (0x9004, ASCII, stamp if chance.happens(0.8) else date(chance).encode("utf-8", "surrogateescape")),
        (0x9010, ASCII, zone),
        (0x9011, ASCII, zone if chance.happens(0.8) else chance.one_of(OFFSETS).encode()),
        (0x9209, SHORT, chance.one_of((0, 1, 16, 24), (0xFFFF,))),
        (
            0x9286,
            UNDEFINED,
            chance.one_of((b"ASCII\0\0\0note",), (b"UNICODE\0\xd8\x00", b"JIS\0", b"\0", chance.noise(64))),
        ),
        (0x9291, ASCII, chance.one_of((b"12", b"123456"), (b"", b"-1", b"9" * 400, b"1e9", b"NaN"))),
        (0xA002, LONG, chance.one_of((32, 6000), (0, 0xFFFFFFFF))),
        (0xA003, LONG, chance.one_of((24, 4000), (0, 0xFFFFFFFF))),
        (0xA420, ASCII, text(chance, "0" * 32)),
        (0xA431, ASCII, text(chance, serial)),
        (0xA434, ASCII, text(chance, "Lens 50mm f/1.8")),
    ]
    if chance.happens(0.4):
        entries.append((0x927C, UNDEFINED, _maker_note(chance)))
    if chance.strikes():
        entries.append((0xA005, LONG, Directory([(1, ASCII, b"R98")])))
    if chance.strikes():
        entries.append((0x8769, LONG, Directory(list(entries))))
    return Directory([entry for entry in entries if not chance.happens(0.08)])


def _maker_note(chance: Chance) -> bytes:
    inner = Tiff(chance, ">").write(
        Directory([(n, LONG, chance.number(0, 1 << 31)) for n in range(chance.number(1, 20))])
    )
    beginnings = (
        b"Apple iOS\0\0\1MM",
        b"Nikon\0\2\x11\0\0",
        b"SONY DSC \0\0\0",
        b"",
        b"OLYMPUS\0II\3\0",
        b"FUJIFILM\x0c\0\0\0",
    )
    return chance.one_of(beginnings) + (inner if chance.happens(0.7) else chance.noise(chance.number(0, 900)))


def _gps(chance: Chance) -> Directory:
    latitude = [(chance.number(40, 52), 1), (chance.number(0, 59), 1), (chance.number(0, 5999), 100)]
    longitude = [(chance.number(0, 15), 1), (chance.number(0, 59), 1), (chance.number(0, 5999), 100)]
    wild = (
        [(91, 1), (0, 1), (0, 1)],
        [(4000, 1), (61, 1), (61, 1)],
        [(0, 1)],
        [(1, 1)] * 9,
        [(0, 0)] * 3,
        [(0, 1)] * 3,
    )
    entries = [
        (0, BYTE, [2, 3, 0, 0]),
        (1, ASCII, chance.one_of((b"N",), (b"S", b"", b"X", b"\0\0", b"N\x1b"))),
        (2, RATIONAL, chance.one_of((latitude,), wild)),
        (3, ASCII, chance.one_of((b"E",), (b"W", b"", b"\xff"))),
        (4, RATIONAL, chance.one_of((longitude,), wild)),
        (5, BYTE, chance.one_of((0,), (1, 2, 255))),
        (6, RATIONAL, [chance.one_of(((300, 1),), ((9_000_000, 1), (1, 0), (0xFFFFFFFF, 1)))]),
        (
            7,
            RATIONAL,
            chance.one_of(([(12, 1), (0, 1), (0, 1)],), ([(99, 1), (99, 1), (99, 1)], [(1, 0)] * 3, [(24, 1)])),
        ),
        (0x0D, RATIONAL, [chance.one_of(((0, 1), (5, 1)), ((0xFFFFFFFF, 1), (1, 0)))]),
        (0x11, RATIONAL, [chance.one_of(((90, 1),), ((9000, 1), (0, 0)))]),
        (0x12, ASCII, text(chance, "WGS-84", "TOKYO")),
        (0x1B, UNDEFINED, chance.one_of((b"ASCII\0\0\0GPS",), (b"", b"UNICODE\0\xd8"))),
        (
            0x1D,
            ASCII,
            chance.one_of((b"2024:06:15",), (b"0000:00:00", b"9999:99:99", b"2024", b"", b"2024:06:15 12:00:00")),
        ),
        (0x1F, RATIONAL, [chance.one_of(((5, 1), (30, 1)), ((0, 0), (0xFFFFFFFF, 1), (10_000_000, 1)))]),
    ]
    return Directory([entry for entry in entries if not chance.happens(0.1)])


# --------------------------------------------------------------------------- XMP

_SPACES = {
    "exif": "http://ns.adobe.com/exif/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}
_PROLOGUES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">',
    '<?xml version="1.0" encoding="UTF-7"?>',
    '<?xml version="1.1" encoding="UTF-16"?>',
)


def xmp(chance: Chance) -> bytes:
    """Return an XMP packet as programs write them, mostly."""
    stamp = f"2024-06-{chance.number(1, 28):02}T{chance.number(0, 23):02}:{chance.number(0, 59):02}:10"
    stamps = tuple(stamp + zone for zone in ("", "Z", "+02:00", "-05:00"))
    hostile = (
        "2024",
        "2024-02-30T99:99",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "&a;&b;&c;",
        "&e;",
        "NaN",
    )
    properties = {
        "exif:DateTimeOriginal": chance.one_of(stamps, hostile),
        "xmp:CreateDate": chance.one_of(stamps, hostile),
        "xmp:ModifyDate": chance.one_of(stamps, hostile),
        "xmp:MetadataDate": chance.one_of(stamps, hostile),
        "photoshop:DateCreated": chance.one_of(stamps, hostile),
        "xmp:CreatorTool": chance.one_of(
            ("Adobe Photoshop 23.0", "Picasa"), ("&#27;[31m", "&#x202e;", "x" * 9000, "&lt;b&gt;")
        ),
        "exif:GPSLatitude": chance.one_of(
            ("48,8.25N",), ("99,99.99X", "48,8.25", "", "NaN,INFN", "1e400,0N", "48,-8N", "0,0N")
        ),
        "exif:GPSLongitude": chance.one_of(("11,34.5E",), ("999,0E", "181,0W", "", "11,34.5EE", "0,0E")),
        "exif:GPSTimeStamp": chance.one_of(stamps, hostile),
        "exif:GPSAltitude": chance.one_of(("3000/10",), ("1/0", "0/0", "-1/-1", "9" * 500 + "/1", "1e999", "x")),
        "tiff:Make": chance.one_of(("Acme",), ("", "&#0;", "&#xFFFF;", "A" * 5000)),
        "tiff:Orientation": chance.one_of(("1",), ("99", "-1", "one")),
        "aux:SerialNumber": chance.one_of(("0001",), ("&#10;", " ", "0" * 3000)),
        "crs:HasCrop": chance.one_of(("True", "False"), ("maybe",)),
    }
    chosen = [(name, value) for name, value in properties.items() if chance.happens(0.6)]
    if chance.strikes():
        chosen += chosen[:3]  # an attribute twice is no XML
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in _SPACES.items() if not chance.strikes(0.2))
    if chance.happens(0.5):
        body = (
            f"<rdf:Description rdf:about='' {spaces} "
            + " ".join(f'{n}="{v}"' for n, v in chosen)
            + f">{_history(chance)}"
        )
    else:
        body = (
            f"<rdf:Description rdf:about='' {spaces}>"
            + "".join(f"<{n}>{v}</{n}>" for n, v in chosen)
            + _history(chance)
        )
    depth = chance.one_of((0,), (20, 200))
    nested = "<rdf:Bag><rdf:li>" * depth + "deep" + "</rdf:li></rdf:Bag>" * depth if depth else ""
    subject = f"<dc:subject>{nested}</dc:subject>" if nested else ""
    end = "" if chance.strikes() else "</rdf:Description></rdf:RDF></x:xmpmeta>"
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{body}{subject}{end}"
    )
    head = chance.one_of(_PROLOGUES) if chance.strikes(2) else ""
    whole = f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{head}{packet}<?xpacket end="w"?>'
    return _in_letters(chance, whole)


def _in_letters(chance: Chance, whole: str) -> bytes:
    encoding = chance.one_of(("utf-8",), ("utf-16-le", "utf-16-be", "utf-32-be", "latin-1", "utf-8"))
    data = whole.encode(encoding, "replace")
    if chance.strikes():
        at = chance.number(0, len(data) - 1)
        data = (
            data[:at] + chance.one_of((b"\xff\xfe", b"\0", b"\xed\xa0\x80", b"<", b"&", b"]]>", b"\x1b[2J")) + data[at:]
        )
    if chance.strikes():
        data = data * 2 if chance.happens(0.5) else data[: chance.number(0, len(data))]
    return data


def _history(chance: Chance) -> str:
    if not chance.happens(0.4):
        return ""
    events = "".join(
        f'<rdf:li stEvt:action="{chance.one_of(("saved", "derived", "created"), ("", "&#9;", "a" * 3000))}" '
        f'stEvt:when="2024-06-{chance.number(1, 28):02}T10:00:00+02:00" stEvt:softwareAgent="Adobe Lightroom 6.1"/>'
        for _ in range(chance.one_of((1, 3), (0, 400)))
    )
    return f"<xmpMM:History><rdf:Seq>{events}</rdf:Seq></xmpMM:History>"


# --------------------------------------------------------------------------- IPTC


def iptc(chance: Chance) -> bytes:
    """Return a Photoshop resource block with IPTC records, some of them again and again."""
    usual = [
        (1, 90, b"\x1b%G"),
        (2, 55, b"202406%02d" % chance.number(1, 28)),
        (2, 60, b"%02d0000+0200" % chance.number(0, 23)),
        (2, 62, b"20240615"),
        (2, 63, b"120000+0200"),
        (2, 65, b"Picasa"),
        (2, 90, text(chance, "Lyon")),
        (2, 101, text(chance, "France")),
        (2, 120, text(chance, "A caption")),
    ]
    hostile = (
        (2, 55, b"20249999"),
        (2, 60, b"996199+9999"),
        (2, 55, b""),
        (2, 60, b"12"),
        (2, 120, b"\x1b[2J" * 40),
        (9, 9, b"?"),
    )
    records = [record for record in usual if chance.happens(0.7)]
    if chance.strikes(2):
        records += [chance.random.choice(hostile) for _ in range(chance.number(1, 30))]
    data = bytearray()
    for record, number, value in records:
        data += bytes((0x1C if not chance.strikes(0.5) else 0x1B, record, number))
        if chance.strikes():  # an extended length, which says how many bytes its own length has
            data += struct.pack(">HI", 0x8000 | chance.one_of((4,), (0, 1, 0x7FFF)), chance.length(len(value), 32))
        else:
            data += struct.pack(">H", chance.length(len(value), 15))
        data += value
    block = (
        b"8BIM\x04\x04\0\0" + struct.pack(">I", chance.length(len(data), 32)) + bytes(data) + b"\0" * (len(data) % 2)
    )
    digest = b"8BIM\x04\x25\0\0" + struct.pack(">I", 16) + chance.noise(16) if chance.strikes() else b""
    return b"Photoshop 3.0\0" + block + digest


def squeezed(content: bytes) -> bytes:
    return zlib.compress(content)


def service_json(chance: Chance) -> bytes:
    """Return the sidecar that a photo service exports beside a photo."""
    seconds = chance.one_of(("1718445600",), ("-1", "99999999999999999999", "NaN", "", "1e99", "0"))
    latitude = chance.one_of(("48.1",), ("NaN", "Infinity", "1e400", "999", '"x"', "null", "[]", "{}"))
    whole = (
        f'{{"title":"a.jpg","photoTakenTime":{{"timestamp":"{seconds}","formatted":"x"}},'
        f'"geoData":{{"latitude":{latitude},"longitude":11.5,"altitude":0.0}}}}'
    ).encode()
    if chance.strikes():
        return chance.one_of(
            (b"", b"[" * 50_000, b"null", b'"x"', whole[:-4], b"\xff\xfe" + whole, base64.b64encode(whole))
        )
    return whole
