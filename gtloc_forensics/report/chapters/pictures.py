"""Pictures small enough for a report, never the original bytes."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from gtloc_forensics.report.blocks import Picture

_QUALITIES = (80, 70, 60, 50, 40, 30)


def reduced(
    preview: bytes | None, *, longest_px: int, most_bytes: int, box: tuple[float, float], alt: str
) -> Picture | None:
    """Encode a preview anew within a number of bytes, to be drawn inside *box* points; None when it is no picture."""
    if preview is None:
        return None
    try:
        with Image.open(BytesIO(preview), formats=["JPEG"]) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None
    image.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    scale = min(box[0] / image.width, box[1] / image.height)
    return Picture(_encoded(image, most_bytes), image.width * scale, image.height * scale, alt)


def _encoded(image: Image.Image, most_bytes: int) -> bytes:
    """Return the best JPEG that fits; a picture too busy for the lowest quality is halved."""
    for quality in _QUALITIES:
        out = BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= most_bytes:
            return out.getvalue()
    if min(image.size) < 32:
        return out.getvalue()
    return _encoded(image.reduce(2), most_bytes)
