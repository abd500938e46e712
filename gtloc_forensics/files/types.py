"""What a file is: by its magic bytes first, by its name only where the bytes leave a choice.

Names lie (``.jpg`` on a PNG is everyday life), so a media type always comes from
the bytes; the name decides only between formats that share a TIFF header. No
file is opened here.
"""

from __future__ import annotations

from collections.abc import Mapping

HEAD_BYTES = 64  # enough for every magic below

EMPTY = "inode/x-empty"
UNKNOWN = "application/octet-stream"

# TIFF 6.0 header, then what raw formats put in its place (libopenraw and exiftool's FileTypes agree on these).
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (0, b"IIRO", "image/x-olympus-orf"),
    (0, b"IIRS", "image/x-olympus-orf"),
    (0, b"MMOR", "image/x-olympus-orf"),
    (0, b"IIU\0", "image/x-panasonic-rw2"),
    (0, b"FOVb", "image/x-sigma-x3f"),
    (0, b"\0MRM", "image/x-minolta-mrw"),
    (6, b"HEAPCCDR", "image/x-canon-crw"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),  # a bare codestream, without the box around it
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!", "application/vnd.rar"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\0\x05\x16\x07", "application/applefile"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
)

# ISO 14496-12 brands. HEIF: ISO 23008-12; AVIF: AOM; crx: Canon CR3.
_BRANDS: Mapping[bytes, str] = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1", b"miaf"), "image/heif"),
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    b"crx ": "image/x-canon-cr3",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_OLD_QUICKTIME_ATOMS = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
_RIFF: Mapping[bytes, str] = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}

# Raw formats that begin with a plain TIFF header: only the name tells them apart.
_TIFF_BY_EXTENSION: Mapping[bytes, str] = {
    b".nef": "image/x-nikon-nef",
    b".nrw": "image/x-nikon-nrw",
    b".arw": "image/x-sony-arw",
    b".sr2": "image/x-sony-sr2",
    b".srf": "image/x-sony-srf",
    b".dng": "image/x-adobe-dng",
    b".pef": "image/x-pentax-pef",
    b".srw": "image/x-samsung-srw",
    b".erf": "image/x-epson-erf",
    b".dcr": "image/x-kodak-dcr",
    b".kdc": "image/x-kodak-kdc",
    b".3fr": "image/x-hasselblad-3fr",
    b".fff": "image/x-hasselblad-fff",
    b".iiq": "image/x-phaseone-iiq",
    b".mef": "image/x-mamiya-mef",
    b".mos": "image/x-leaf-mos",
    b".rwl": "image/x-leica-rwl",
    b".cr2": "image/x-canon-cr2",
}

_EXTENSIONS: Mapping[str, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "image/heif": ".heif",
    "image/avif": ".avif",
    "image/jp2": ".jp2",
    "image/jxl": ".jxl",
    "image/vnd.adobe.photoshop": ".psd",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "video/x-msvideo": ".avi",
    "video/mp2t": ".mts",
}
_VIDEOS = frozenset(("video/mp4", "video/quicktime", "video/3gpp", "video/x-msvideo", "video/mp2t"))

PHOTO_EXTENSIONS = frozenset(
    [extension.encode() for extension in _EXTENSIONS.values()]
    + list(_TIFF_BY_EXTENSION)
    + [b".jpeg", b".jpe", b".jfif", b".mpo", b".tiff", b".dib", b".hif", b".avifs", b".j2k", b".jpx", b".insp"]
    + [b".cr3", b".crw", b".raf", b".orf", b".rw2", b".raw", b".x3f", b".mrw"]
    + [b".m4v", b".qt", b".3g2", b".m2ts"]
)


def extension_of(name: bytes) -> bytes:
    """Return the lower-case extension of a file name with its dot; ``b""`` where there is none."""
    stem, dot, extension = name.rpartition(b"/")[2].rpartition(b".")
    return dot + extension.lower() if stem else b""


def has_photo_extension(name: bytes) -> bool:
    """Say whether the name promises a photo or a video of a kind we read."""
    return extension_of(name) in PHOTO_EXTENSIONS


def media_type(head: bytes, *, name: bytes = b"") -> str:
    """Name the kind of a file from its first bytes.

    Args:
        head: at least :data:`HEAD_BYTES` bytes of the beginning, fewer only when the file is shorter.
        name: its name; consulted only for raw formats that share the TIFF header.

    Returns:
        A media type; :data:`EMPTY` for no bytes at all, :data:`UNKNOWN` when nothing fits.
    """
    if not head:
        return EMPTY
    if head[:4] in _TIFF_MAGICS:
        return _tiff_kind(head, name)
    for offset, magic, kind in _MAGICS:
        if head.startswith(magic, offset):
            return kind
    return _riff_kind(head) or _iso_media_kind(head) or _bitmap_kind(head) or _stream_kind(head) or _text_kind(head)


def is_raw(kind: str) -> bool:
    """Say whether a media type is a camera's raw format."""
    return kind.startswith("image/x-")


def is_video(kind: str) -> bool:
    """Say whether a media type is a video of a kind whose metadata we read."""
    return kind in _VIDEOS


def is_photo(kind: str) -> bool:
    """Say whether a media type is one we list as a photo or video."""
    return kind in _EXTENSIONS or is_raw(kind)


def plain_extension(kind: str) -> str:
    """Return the extension that a working copy of this kind gets, ``.bin`` for a kind without one."""
    if is_raw(kind):
        return "." + kind.rpartition("-")[2]
    return _EXTENSIONS.get(kind, ".bin")


def _tiff_kind(head: bytes, name: bytes) -> str:
    if head[8:10] == b"CR":  # Canon CR2 marks itself after the TIFF header
        return "image/x-canon-cr2"
    return _TIFF_BY_EXTENSION.get(extension_of(name), "image/tiff")


def _riff_kind(head: bytes) -> str:
    return _RIFF.get(head[8:12], "") if head[:4] == b"RIFF" else ""


def _iso_media_kind(head: bytes) -> str:
    box = head[4:8]
    if box in _OLD_QUICKTIME_ATOMS:
        return "video/quicktime"
    if box != b"ftyp":
        return ""
    if head[8:11] in (b"3gp", b"3g2"):
        return "video/3gpp"
    major = _BRANDS.get(head[8:12], "")
    if major not in ("", "image/heif"):
        return major
    # "mif1" says only "an image": a compatible brand names the codec.
    length = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = [_BRANDS.get(head[at : at + 4], "") for at in range(16, length - 3, 4)]
    finer = [kind for kind in compatible if kind in ("image/avif", "image/heic")]
    return finer[0] if major and finer else major or "video/mp4"


def _bitmap_kind(head: bytes) -> str:
    # "BM" alone begins many a text: the header size that follows must be one of those in use.
    header_size = int.from_bytes(head[14:18], "little")
    return "image/bmp" if head[:2] == b"BM" and header_size in (12, 16, 40, 52, 56, 64, 108, 124) else ""


def _stream_kind(head: bytes) -> str:
    # MPEG transport stream: sync bytes 188 apart, or 192 with AVCHD's time code in front; the head shows the first.
    return "video/mp2t" if head[4:8] == b"G@\0\x10" else ""


def _text_kind(head: bytes) -> str:
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xpacket", b"<x:xmpmeta", b"<?xml", b"<rdf:RDF")):
        return "application/xml"
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # a character cut at the end of the head is no fault
            return UNKNOWN
    return UNKNOWN if controls else "text/plain"
