"""A file's first picture as it is stored: opened by the decoder of its kind alone, whole or refused, within limits.

Sizes are checked before anything of that size is allocated.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageFile

from gtloc_forensics.decode import films
from gtloc_forensics.decode.refusals import BAD_PICTURE, TOO_BIG, plainly, refuse_size
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import types
from gtloc_forensics.records import Sentence

SMALL_DRAFT = 336
"""Sides in px at least, for a JPEG that is decoded at a fraction: as gtloc-small asks, so that once is enough."""

Picture: TypeAlias = Image.Image

FORMATS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/webp": ("WEBP",),
    "image/avif": ("AVIF",),
}
_HEIF = ("image/heic", "image/heif")

# EXIF 2.32 §4.6.4: where the thumbnail lies in the block, and its length.
_THUMBNAIL_OFFSET = 0x0201
_THUMBNAIL_LENGTH = 0x0202
_EXIF_HEADER = b"Exif\0\0"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost. The last five bind only in the workers of a :class:`~gtloc_forensics.decode.Decoder`.

    Computing time is what refuses a slow picture, so that a busy machine gives the
    same results as an idle one; the time on the wall only ends what hangs.
    """

    pixels: int = 300_000_000  # as stored; a JPEG of this size is decoded at a fraction of it
    full_pixels: int = 128_000_000  # of what must be decoded whole; 4 bytes each, twice
    memory_bytes: int = 3 << 30  # address space of one worker
    cpu_seconds: float = 60.0
    wall_seconds: float = 900.0
    trouble_seconds: float = 1200.0  # of all pictures together that used up a limit; then each has only the next
    hasty_seconds: float = 10.0


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class Stored:
    """One picture as its file holds it, whole; notes gather what a person should know of it."""

    picture: Picture
    width: int  # as stored
    height: int
    mode: str
    frames: int = 1
    orientation: int = 1
    thumbnail: bytes | None = None  # as the metadata hold it
    notes: list[str] = field(default_factory=list)
    drafted: Drafted | None = None  # None where no other fraction can be had


@dataclass(frozen=True, slots=True)
class Drafted:
    """What Pillow opened, to be opened again and decoded at another fraction of its size."""

    content: Path | io.BytesIO
    formats: tuple[str, ...]

    def opened(self, least_px: int) -> Picture:
        """Return the first picture, to be decoded at the smallest fraction with sides of at least *least_px*."""
        if isinstance(self.content, io.BytesIO):
            self.content.seek(0)
        picture = Image.open(self.content, formats=self.formats)
        picture.draft(picture.mode, (least_px, least_px))  # JPEG only; others stay as they are
        return picture


def opened(path: Path, media_type: str, *, preview: bytes | None, orientation: int | None, limits: Limits) -> Stored:
    """Return the first picture of a file; a JPEG at a fraction of its size, no smaller than the small picture needs.

    Args:
        path: the working copy.
        media_type: by magic bytes.
        preview: the JPEG embedded in a RAW file, decoded in its place.
        orientation: EXIF orientation 1–8 for a *preview* that states none itself.
        limits: what it may cost.

    Raises:
        DecodeRefused: there is no whole picture within the limits.
        MissingExtra: an optional package would read it.
        whatever a decoder raises: see :func:`~gtloc_forensics.decode.refusals.refusals`.
    """
    if media_type == types.EMPTY:
        raise DecodeRefused(Sentence("the file is empty (0 bytes)"))
    if types.is_video(media_type):
        return _opened_film(path, media_type, limits)
    if media_type in _HEIF:
        return _opened_heif(path, limits)
    if types.is_raw(media_type):
        return _opened_raw(path, preview, orientation, limits=limits)
    if media_type not in FORMATS:
        raise DecodeRefused(
            Sentence(
                "its content is not a picture of a kind that is decoded ({media_type}), whatever its name",
                media_type=media_type,
            )
        )
    return _opened_by_pillow(Drafted(path, FORMATS[media_type]), limits=limits)


def _opened_by_pillow(drafted: Drafted, *, limits: Limits) -> Stored:
    picture = Image.open(drafted.content, formats=drafted.formats)
    width, height = picture.size
    stored = Stored(picture, width, height, picture.mode, drafted=drafted)
    refuse_size(width, height, limits.pixels)
    stored.frames = _frame_count(stored)
    picture.draft(picture.mode, (SMALL_DRAFT, SMALL_DRAFT))  # JPEG only; others stay as they are
    refuse_size(*picture.size, limits.full_pixels)
    stored.orientation = _stated_orientation(stored)
    stored.thumbnail = _embedded_thumbnail(picture)
    load_whole(picture, drafted)
    return stored


def _frame_count(stored: Stored) -> int:
    try:
        frames = int(getattr(stored.picture, "n_frames", 1))
        if frames > 1:
            stored.picture.seek(0)
    except BAD_PICTURE:
        frames = 1
        stored.notes.append("its further frames cannot be counted")
    if frames > 1:
        stored.notes.append(f"first frame of {frames}")
    return frames


def _stated_orientation(stored: Stored) -> int:
    try:
        stated = stored.picture.getexif().get(0x0112, 1)
    except BAD_PICTURE:
        stored.notes.append("its EXIF block is broken; taken as upright")
        return 1
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else 1


def _embedded_thumbnail(picture: Picture) -> bytes | None:
    """Return the JPEG that the second directory of the EXIF block points to, None when there is none."""
    block = picture.info.get("exif")
    if not isinstance(block, bytes):
        return None
    try:
        directory = picture.getexif().get_ifd(ExifTags.IFD.IFD1)
        start, length = int(directory[_THUMBNAIL_OFFSET]), int(directory[_THUMBNAIL_LENGTH])
    except BAD_PICTURE:  # most photos have no such directory
        return None
    start += len(_EXIF_HEADER) if block.startswith(_EXIF_HEADER) else 0
    found = block[max(start, 0) : start + length]
    return found if found.startswith(b"\xff\xd8") else None


def load_whole(picture: Picture, drafted: Drafted) -> None:
    """Decode all rows; where the file ends early, find out how much is missing.

    Raises:
        DecodeRefused: when the file ends early, be it by its last two bytes.
    """
    try:
        picture.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        missing = _what_is_missing(picture, drafted)
        raise DecodeRefused(Sentence("the file is truncated: {missing}", missing=missing)) from error


def _what_is_missing(picture: Picture, drafted: Drafted) -> Sentence:
    if picture.info.get("progression"):  # every row is there from the first scan on, in ever finer detail
        return Sentence("its last scans are missing")
    partial = _loaded_in_part(drafted)
    missing = 1.0 if partial is None else _missing_share(partial)
    if missing >= 1.0:
        return Sentence("nothing of the picture is there")
    if missing >= 0.005:
        return Sentence("about {missing_percent:.0f} % of its rows are missing", missing_percent=missing * 100)
    return Sentence("its end is missing")


def _loaded_in_part(drafted: Drafted) -> Picture | None:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # a switch of the whole process: decoding is one at a time in each
    try:
        picture = drafted.opened(SMALL_DRAFT)
        picture.load()
    except (*BAD_PICTURE, *TOO_BIG):
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    return picture


def _missing_share(picture: Picture) -> float:
    """Return the share of rows at the top or bottom that hold nothing but filling.

    Rows never reached stay zero; libjpeg fills what it lacks with middle grey.
    """
    rows = np.asarray(picture).reshape(picture.height, -1)
    there = np.flatnonzero(~((rows == 0).all(axis=1) | (rows == 128).all(axis=1)))
    return 1.0 if not there.size else 1.0 - (int(there[-1]) - int(there[0]) + 1) / picture.height


def _opened_heif(path: Path, limits: Limits) -> Stored:
    try:
        import pi_heif
    except ImportError as error:
        raise MissingExtra("HEIC", "heic") from error
    opened = pi_heif.open_heif(path, convert_hdr_to_8bit=True)
    width, height = opened.size
    refuse_size(width, height, limits.full_pixels)
    picture = opened.to_pillow()  # libheif has turned it upright by the container's own boxes
    stored = Stored(picture, width, height, picture.mode, frames=len(opened))
    if len(opened) > 1:
        stored.notes.append(f"primary picture of {len(opened)}")
    return stored


def _opened_film(path: Path, media_type: str, limits: Limits) -> Stored:
    frame = films.key_frame(path, media_type, most_pixels=limits.full_pixels)
    at = "" if frame.at_s is None else f" at {frame.at_s:.1f} s"
    # One picture stands for it: how many frames it has is no matter of the picture.
    return Stored(frame.picture, *frame.picture.size, frame.mode, notes=[f"key frame{at} of a video"])


def _opened_raw(path: Path, preview: bytes | None, orientation: int | None, *, limits: Limits) -> Stored:
    if preview is None:
        return _developed(path, limits)
    stored = _opened_by_pillow(Drafted(io.BytesIO(preview), FORMATS["image/jpeg"]), limits=limits)
    stored.notes.insert(0, "embedded preview of a RAW file")
    if stored.orientation == 1 and orientation is not None and 1 <= orientation <= 8:
        stored.orientation = orientation
    return stored


def _developed(path: Path, limits: Limits) -> Stored:
    try:
        import rawpy
    except ImportError as error:
        raise MissingExtra(Sentence("RAW without an embedded preview"), "raw") from error
    try:
        with rawpy.imread(str(path)) as raw:
            width, height = raw.sizes.width, raw.sizes.height
            refuse_size(width, height, limits.full_pixels)
            turned = raw.sizes.flip in (5, 6)
            rgb = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
    except rawpy.LibRawError as error:
        raise DecodeRefused(
            Sentence("the RAW data cannot be developed ({message})", message=plainly(str(error)))
        ) from error
    width, height = (height, width) if turned else (width, height)
    return Stored(Image.fromarray(rgb), width, height, "RAW", notes=["RAW data developed by LibRaw at half size"])
