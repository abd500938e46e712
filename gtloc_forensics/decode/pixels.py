"""One file to pixels ready for a model: upright, sRGB, small; and to a small picture and what it is like.

The small picture is the same with and without a model, and whatever a model wants: whole blocks of pixels averaged.

Only the decoder that fits the file's magic bytes is tried, sizes are checked before allocation, and a picture that
is not whole is refused: half a picture is no evidence. :mod:`gtloc_forensics.decode` runs this in processes of their
own; alone it protects against huge pictures, not against a decoder that crashes or never ends.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gtloc_forensics.decode.colour import in_srgb, plain_mode
from gtloc_forensics.decode.likeness import perceptual_hash, thumbnail_hash, tones
from gtloc_forensics.decode.pictures import (
    DEFAULT_LIMITS,
    FORMATS,
    SMALL_DRAFT,
    Limits,
    Picture,
    Stored,
    load_whole,
    opened,
)
from gtloc_forensics.decode.refusals import BAD_PICTURE, TOO_BIG, refusals, refuse_size
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.records import ImageFacts, Pixels

SHORT_SIDE = 384
DRAFT_FACTOR = 1.5  # draft() stops at the smallest power of two above what is asked; 1.5 keeps a true resize to do
SMALL_SIDE = 256  # the short side of the small picture is at least this, and less than twice as much
TONES_SIDE = (
    128  # the same of the picture whose tones are counted; a hash needs it larger, or blocks cut off show in it
)
PREVIEW_SIDE = 640
PREVIEW_QUALITY = 80
THUMBNAIL_PIXELS = 4_000_000  # nothing larger is a thumbnail

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


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding gives: pixels for the model, facts for the rules, a small picture for people."""

    pixels: Pixels | None  # None where no model asked for them
    image: ImageFacts
    preview_jpeg: bytes  # short side from 256 to 511 where the picture has as much, long side at most 640; no metadata

    @property
    def shown(self) -> Pixels:
        """The pixels, for whoever asked for them.

        Raises:
            ValueError: nobody did.
        """
        if self.pixels is None:
            raise ValueError("the pixels of this picture were not asked for")
        return self.pixels


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
    """Decode the first picture of a file, no larger than a model and the small picture need it.

    Args:
        path: the working copy.
        source_id: passed through to the records.
        media_type: by magic bytes, as :attr:`Source.media_type` has it.
        short_side: of the pixels for the model; a smaller picture stays as it is.
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
        stored = opened(path, media_type, preview=preview, orientation=orientation, limits=limits)
        plain = plain_mode(stored.picture, stored.notes)
        small = _upright(in_srgb(_averaged(plain, SMALL_SIDE), stored.notes), stored.orientation)
        facts = _facts(small, stored, thumbnail or stored.thumbnail)
        seen = _pixels(stored, plain, short_side, limits=limits) if wants_pixels else None
        pixels = None if seen is None else Pixels(source_id, np.array(seen), facts.width, facts.height, facts.note)
        return Decoded(pixels, facts, _small_jpeg(small, PREVIEW_SIDE, PREVIEW_QUALITY))


def _pixels(stored: Stored, plain: Picture, short_side: int, *, limits: Limits) -> Picture:
    """Return what a model is shown: of the picture decoded already, unless it would be decoded larger for the model."""
    wanted = round(short_side * DRAFT_FACTOR)
    if stored.drafted is not None and wanted != SMALL_DRAFT:
        larger = stored.drafted.opened(wanted)
        if larger.size != stored.picture.size:
            refuse_size(*larger.size, limits.full_pixels)
            load_whole(larger, stored.drafted)
            plain = plain_mode(larger, [])
    return _upright(in_srgb(_shrunk(plain, short_side), []), stored.orientation)


# --------------------------------------------------------------------------- size, orientation


def _shrunk(picture: Picture, short_side: int) -> Picture:
    scale = short_side / min(picture.size)
    if scale >= 1.0:
        return picture
    size = (max(short_side, round(picture.width * scale)), max(short_side, round(picture.height * scale)))
    shrunk = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    shrunk.info = picture.info
    return shrunk


def _averaged(picture: Picture, least_side: int) -> Picture:
    """Return the picture by whole blocks of pixels, each its mean, as small as leaves the short side *least_side*."""
    factor = min(picture.size) // least_side
    if factor < 2:
        return picture
    averaged = picture.reduce(factor)
    averaged.info = picture.info
    return averaged


def _upright(picture: Picture, orientation: int) -> Picture:
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


# --------------------------------------------------------------------------- facts


def _facts(small: Picture, stored: Stored, thumbnail: bytes | None) -> ImageFacts:
    turned = stored.orientation >= 5
    own_hash = perceptual_hash(small)
    thumb_hash, thumb_size = _thumbnail_facts(thumbnail, stored, own_hash=own_hash, aspect=small.width / small.height)
    seen = tones(_averaged(small, TONES_SIDE))
    return ImageFacts(
        width=stored.height if turned else stored.width,
        height=stored.width if turned else stored.height,
        mode=stored.mode,
        frames=stored.frames,
        perceptual_hash=own_hash,
        thumbnail_hash=thumb_hash,
        thumbnail_size=thumb_size,
        mean_luminance=seen.mean_luminance,
        saturation=seen.saturation,
        note="; ".join(stored.notes),
        uniformity=seen.uniformity,
    )


def _thumbnail_facts(
    thumbnail: bytes | None, stored: Stored, *, own_hash: int, aspect: float
) -> tuple[int | None, tuple[int, int] | None]:
    if not thumbnail:
        return None, None
    try:
        small = Image.open(io.BytesIO(thumbnail), formats=FORMATS["image/jpeg"])
        refuse_size(*small.size, THUMBNAIL_PIXELS)
        as_stored = small.convert("RGB")
    except (*BAD_PICTURE, *TOO_BIG, DecodeRefused):
        stored.notes.append("its embedded thumbnail cannot be decoded")
        return None, None
    turned = _upright(as_stored, stored.orientation)
    views = (as_stored,) if turned is as_stored else (as_stored, turned)
    return thumbnail_hash(views, of=own_hash, aspect=aspect), small.size


def jpeg_of(pixels: Pixels, *, longest_px: int, quality: int) -> bytes:
    """Return a picture that was decoded as a JPEG without metadata, its long side at most *longest_px*."""
    return _small_jpeg(Image.fromarray(pixels.rgb), longest_px, quality)


def _small_jpeg(rgb: Picture, longest_px: int, quality: int) -> bytes:
    if max(rgb.size) > longest_px:
        rgb = rgb.copy()
        rgb.thumbnail((longest_px, longest_px), Image.Resampling.BICUBIC)
    rgb.info = {}  # nothing of the original's metadata travels along
    out = io.BytesIO()
    rgb.save(out, "JPEG", quality=quality)
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
