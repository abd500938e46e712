"""One file to pixels ready for a model: upright, sRGB, small; and what those pixels are.

Only the decoder that fits the file's magic bytes is tried, sizes are checked before allocation, and a picture that
is not whole is refused: half a picture is no evidence. :mod:`gtloc_forensics.decode` runs this in processes of their
own; alone it protects against huge pictures, not against a decoder that crashes or never ends.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageFile

from gtloc_forensics.decode import films
from gtloc_forensics.decode.colour import in_srgb, plain_mode
from gtloc_forensics.decode.likeness import light, perceptual_hash, thumbnail_hash, uniformity
from gtloc_forensics.decode.refusals import BAD_PICTURE, TOO_BIG, plainly, refusals, refuse_size
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import types
from gtloc_forensics.records import ImageFacts, Pixels, Sentence

SHORT_SIDE = 384
PREVIEW_SIDE = 640
PREVIEW_QUALITY = 80
DRAFT_FACTOR = 1.5  # draft() stops at the smallest power of two above what is asked; 1.5 keeps a true resize to do
THUMBNAIL_PIXELS = 4_000_000  # nothing larger is a thumbnail

Picture: TypeAlias = Image.Image

_FORMATS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG", "MPO"),
    "image/png": ("PNG",),
    "image/gif": ("GIF",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/webp": ("WEBP",),
    "image/avif": ("AVIF",),
}
_HEIF = ("image/heic", "image/heif")

# EXIF orientation 2–8 → what turns the stored picture upright (EXIF 2.32, tag 0x0112).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding gives: pixels for the model, facts for the rules, a small picture for people."""

    pixels: Pixels | None  # None where no model asked for them
    image: ImageFacts
    preview_jpeg: bytes  # long side at most 640, quality 80, no metadata

    @property
    def shown(self) -> Pixels:
        """The pixels, for whoever asked for them.

        Raises:
            ValueError: nobody did.
        """
        if self.pixels is None:
            raise ValueError("the pixels of this picture were not asked for")
        return self.pixels


@dataclass(slots=True)
class _Work:
    """One picture on its way; notes gather what a person should know of it."""

    picture: Picture
    width: int  # as stored
    height: int
    mode: str
    frames: int = 1
    orientation: int = 1
    thumbnail: bytes | None = None  # as the metadata hold it
    notes: list[str] = field(default_factory=list)


def decode(
    path: Path,
    source_id: str,
    media_type: str,
    *,
    short_side: int = SHORT_SIDE,
    limits: Limits = DEFAULT_LIMITS,
    thumbnail: bytes | None = None,
    preview: bytes | None = None,
    orientation: int | None = None,
    wants_pixels: bool = True,
) -> Decoded:
    """Decode the first picture of a file, no larger than a model needs it.

    Args:
        path: the working copy.
        source_id: passed through to the records.
        media_type: by magic bytes, as :attr:`Source.media_type` has it.
        short_side: of the result in pixels; a smaller picture stays as it is.
        limits: what it may cost.
        thumbnail: the thumbnail embedded in the metadata, to be hashed beside the picture; the one of the
            file's own EXIF block when left out.
        preview: the JPEG embedded in a RAW file, decoded in its place.
        orientation: EXIF orientation 1–8 for a *preview* that states none itself.
        wants_pixels: whether a model looks; without one they are not copied out of the picture.

    Raises:
        DecodeRefused: when there is no whole picture within the limits; the reason says why.
        MissingExtra: when an optional package would read it.
    """
    with refusals(), _pixel_ceiling(limits):
        work = _opened(path, media_type, preview=preview, orientation=orientation, limits=limits, short_side=short_side)
        rgb = _upright(in_srgb(_shrunk(plain_mode(work.picture, work.notes), short_side), work.notes), work.orientation)
        facts = _facts(rgb, work, thumbnail or work.thumbnail)
        width, height = facts.width, facts.height
        pixels = Pixels(source_id, np.array(rgb), width, height, facts.note) if wants_pixels else None
        return Decoded(pixels, facts, _preview(rgb))


# --------------------------------------------------------------------------- opening


def _opened(
    path: Path, media_type: str, *, preview: bytes | None, orientation: int | None, limits: Limits, short_side: int
) -> _Work:
    if media_type == types.EMPTY:
        raise DecodeRefused(Sentence("the file is empty (0 bytes)"))
    if types.is_video(media_type):
        return _opened_film(path, media_type, limits)
    if media_type in _HEIF:
        return _opened_heif(path, limits)
    if types.is_raw(media_type):
        return _opened_raw(path, preview, orientation, limits=limits, short_side=short_side)
    if media_type not in _FORMATS:
        raise DecodeRefused(
            Sentence(
                "its content is not a picture of a kind that is decoded ({media_type}), whatever its name",
                media_type=media_type,
            )
        )
    return _opened_by_pillow(path, _FORMATS[media_type], limits=limits, short_side=short_side)


def _opened_by_pillow(
    content: Path | io.BytesIO, formats: tuple[str, ...], *, limits: Limits, short_side: int
) -> _Work:
    picture = Image.open(content, formats=formats)
    width, height = picture.size
    work = _Work(picture, width, height, picture.mode)
    refuse_size(width, height, limits.pixels)
    work.frames = _frame_count(work)
    wanted = round(short_side * DRAFT_FACTOR)
    picture.draft(picture.mode, (wanted, wanted))  # JPEG only; others stay as they are
    refuse_size(*picture.size, limits.full_pixels)
    work.orientation = _stated_orientation(work)
    work.thumbnail = _embedded_thumbnail(picture)
    _load_whole(picture, content, formats)
    return work


def _frame_count(work: _Work) -> int:
    try:
        frames = int(getattr(work.picture, "n_frames", 1))
        if frames > 1:
            work.picture.seek(0)
    except BAD_PICTURE:
        frames = 1
        work.notes.append("its further frames cannot be counted")
    if frames > 1:
        work.notes.append(f"first frame of {frames}")
    return frames


def _stated_orientation(work: _Work) -> int:
    try:
        stated = work.picture.getexif().get(0x0112, 1)
    except BAD_PICTURE:
        work.notes.append("its EXIF block is broken; taken as upright")
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


def _load_whole(picture: Picture, content: Path | io.BytesIO, formats: tuple[str, ...]) -> None:
    """Decode all rows; where the file ends early, find out how much is missing.

    Raises:
        DecodeRefused: when the file ends early, be it by its last two bytes.
    """
    try:
        picture.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        missing = _what_is_missing(picture, content, formats)
        raise DecodeRefused(Sentence("the file is truncated: {missing}", missing=missing)) from error


def _what_is_missing(picture: Picture, content: Path | io.BytesIO, formats: tuple[str, ...]) -> Sentence:
    if picture.info.get("progression"):  # every row is there from the first scan on, in ever finer detail
        return Sentence("its last scans are missing")
    partial = _loaded_in_part(content, formats, picture.size)
    missing = 1.0 if partial is None else _missing_share(partial)
    if missing >= 1.0:
        return Sentence("nothing of the picture is there")
    if missing >= 0.005:
        return Sentence("about {missing_percent:.0f} % of its rows are missing", missing_percent=missing * 100)
    return Sentence("its end is missing")


def _loaded_in_part(
    content: Path | io.BytesIO, formats: tuple[str, ...], draft_size: tuple[int, int]
) -> Picture | None:
    if isinstance(content, io.BytesIO):
        content.seek(0)
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # a switch of the whole process: decoding is one at a time in each
    try:
        picture = Image.open(content, formats=formats)
        picture.draft(picture.mode, draft_size)
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


def _opened_heif(path: Path, limits: Limits) -> _Work:
    try:
        import pi_heif
    except ImportError as error:
        raise MissingExtra("HEIC", "heic") from error
    opened = pi_heif.open_heif(path, convert_hdr_to_8bit=True)
    width, height = opened.size
    refuse_size(width, height, limits.full_pixels)
    picture = opened.to_pillow()  # libheif has turned it upright by the container's own boxes
    work = _Work(picture, width, height, picture.mode, frames=len(opened))
    if len(opened) > 1:
        work.notes.append(f"primary picture of {len(opened)}")
    return work


def _opened_film(path: Path, media_type: str, limits: Limits) -> _Work:
    frame = films.key_frame(path, media_type, most_pixels=limits.full_pixels)
    at = "" if frame.at_s is None else f" at {frame.at_s:.1f} s"
    # One picture stands for it: how many frames it has is no matter of the picture.
    return _Work(frame.picture, *frame.picture.size, frame.mode, notes=[f"key frame{at} of a video"])


def _opened_raw(
    path: Path, preview: bytes | None, orientation: int | None, *, limits: Limits, short_side: int
) -> _Work:
    if preview is None:
        return _developed(path, limits)
    work = _opened_by_pillow(io.BytesIO(preview), _FORMATS["image/jpeg"], limits=limits, short_side=short_side)
    work.notes.insert(0, "embedded preview of a RAW file")
    if work.orientation == 1 and orientation is not None and 1 <= orientation <= 8:
        work.orientation = orientation
    return work


def _developed(path: Path, limits: Limits) -> _Work:
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
    return _Work(Image.fromarray(rgb), width, height, "RAW", notes=["RAW data developed by LibRaw at half size"])


# --------------------------------------------------------------------------- size, orientation


def _shrunk(picture: Picture, short_side: int) -> Picture:
    scale = short_side / min(picture.size)
    if scale >= 1.0:
        return picture
    size = (max(short_side, round(picture.width * scale)), max(short_side, round(picture.height * scale)))
    shrunk = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    shrunk.info = picture.info
    return shrunk


def _upright(picture: Picture, orientation: int) -> Picture:
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


# --------------------------------------------------------------------------- facts


def _facts(rgb: Picture, work: _Work, thumbnail: bytes | None) -> ImageFacts:
    turned = work.orientation >= 5
    own_hash = perceptual_hash(rgb)
    thumb_hash, thumb_size = _thumbnail_facts(thumbnail, work, own_hash=own_hash, aspect=rgb.width / rgb.height)
    luminance, saturation = light(rgb)
    return ImageFacts(
        width=work.height if turned else work.width,
        height=work.width if turned else work.height,
        mode=work.mode,
        frames=work.frames,
        perceptual_hash=own_hash,
        thumbnail_hash=thumb_hash,
        thumbnail_size=thumb_size,
        mean_luminance=luminance,
        saturation=saturation,
        note="; ".join(work.notes),
        uniformity=uniformity(np.asarray(rgb)),
    )


def _thumbnail_facts(
    thumbnail: bytes | None, work: _Work, *, own_hash: int, aspect: float
) -> tuple[int | None, tuple[int, int] | None]:
    if not thumbnail:
        return None, None
    try:
        small = Image.open(io.BytesIO(thumbnail), formats=_FORMATS["image/jpeg"])
        refuse_size(*small.size, THUMBNAIL_PIXELS)
        stored = small.convert("RGB")
    except (*BAD_PICTURE, *TOO_BIG, DecodeRefused):
        work.notes.append("its embedded thumbnail cannot be decoded")
        return None, None
    turned = _upright(stored, work.orientation)
    views = (stored,) if turned is stored else (stored, turned)
    return thumbnail_hash(views, of=own_hash, aspect=aspect), small.size


def jpeg_of(pixels: Pixels, *, longest_px: int, quality: int) -> bytes:
    """Return a picture that was decoded as a JPEG without metadata, its long side at most *longest_px*."""
    return _small_jpeg(Image.fromarray(pixels.rgb), longest_px, quality)


def _preview(rgb: Picture) -> bytes:
    return _small_jpeg(rgb, PREVIEW_SIDE, PREVIEW_QUALITY)


def _small_jpeg(rgb: Picture, longest_px: int, quality: int) -> bytes:
    small = rgb.copy()
    small.thumbnail((longest_px, longest_px), Image.Resampling.BICUBIC)
    small.info = {}  # nothing of the original's metadata travels along
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality)
    return out.getvalue()


# --------------------------------------------------------------------------- borders


@contextmanager
def _pixel_ceiling(limits: Limits) -> Iterator[None]:
    """Set Pillow's own bomb check to our limit; its warning becomes an error."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
