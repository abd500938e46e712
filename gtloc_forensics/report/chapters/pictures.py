"""Pictures small enough for a report, never the original bytes."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from gtloc_forensics.report.blocks import Picture
from gtloc_forensics.report.chapters.edition import Edition

THUMB_PX, _THUMB_BYTES = 150, 6_000
_THUMB_BOX = (57.0, 40.0)
_QUALITIES = (80, 70, 60, 50, 40, 30)


def thumbnail(edition: Edition, source_id: str) -> Picture | None:
    """Return the small picture of a photo, the same bytes wherever it stands; None where there is no picture."""
    if source_id not in edition.thumbnails:
        name = edition.words.line("photos.picture_alt", name=edition.name(source_id))
        edition.thumbnails[source_id] = reduced(
            edition.view.preview(source_id), longest_px=THUMB_PX, most_bytes=_THUMB_BYTES, box=_THUMB_BOX, alt=name
        )
    return edition.thumbnails[source_id]


def picture(edition: Edition, source_id: str, box: tuple[float, float]) -> Picture | None:
    """Return the picture of a photo as large as a report shows one; None where there is no picture."""
    return reduced(
        edition.view.preview(source_id),
        longest_px=edition.template.picture_px,
        most_bytes=edition.template.picture_bytes,
        box=box,
        alt=edition.words.line("photos.picture_alt", name=edition.name(source_id)),
    )


def reduced(
    preview: bytes | None, *, longest_px: int, most_bytes: int, box: tuple[float, float], alt: str
) -> Picture | None:
    """Encode a preview anew within a number of bytes, to be drawn inside *box* points; None when it is no picture."""
    if preview is None:
        return None
    try:
        with Image.open(BytesIO(preview), formats=["JPEG"]) as opened:
            opened.draft("RGB", (longest_px, longest_px))  # decodes no more than is needed
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    scale = min(box[0] / image.width, box[1] / image.height)
    return Picture(_encoded(image, most_bytes), image.width * scale, image.height * scale, alt)


def longest_of(image: Image.Image) -> int:
    """Return the longer side in pixels."""
    return max(image.size)


def _encoded(image: Image.Image, most_bytes: int) -> bytes:
    """Return the best JPEG that fits; a picture too busy for the lowest quality is halved."""
    for quality in _QUALITIES:
        out = BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=longest_of(image) > THUMB_PX)
        if out.tell() <= most_bytes:
            return out.getvalue()
    if min(image.size) < 32:
        return out.getvalue()
    return _encoded(image.reduce(2), most_bytes)
