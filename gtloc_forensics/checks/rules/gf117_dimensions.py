"""GF117 — The size that the metadata tell against the picture's own.

Shows: that the picture was resized or cropped after the camera had written its size.

Cannot show: what was cut away; anything where the editor rewrote the size.

Blind spots: enlarging back to the old size; cameras that write the sensor's size.

Threshold: 2 % in aspect ratio, in either orientation, tells a crop from a resizing (rounding and borders
of raw converters stay within). Both are everyday acts and *explained*: 12 of 253 real files were cropped, none
by a program that gave its name. But neither makes a picture larger: one that exceeds the stated size by more than
16 pixels and 2 % is *suspicious*, its metadata may be those of another picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Finding, ImageFacts, Photo, Sentence

SAME_ASPECT = 0.02
SAME_PX = 16  # raw converters cut a border, codecs round to blocks

WIDTH_TAGS = ("ExifIFD:ExifImageWidth", "XMP-exif:ExifImageWidth")
HEIGHT_TAGS = ("ExifIFD:ExifImageHeight", "XMP-exif:ExifImageHeight")


@check("GF117", title="The size that the metadata tell against the picture's own", needs=("claim", "image"))
def dimensions(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare stated and real width and height."""
    claim, image = claim_of(photo), photo.image
    width, height = tag_values.first_number(claim.tags, *WIDTH_TAGS), tag_values.first_number(claim.tags, *HEIGHT_TAGS)
    if not isinstance(image, ImageFacts) or not width or not height or min(width, height) < 1:
        yield not_testable("GF117", claim.source_id, Sentence("no size in the metadata, or no picture"))
        return
    real, stated = sorted((image.width, image.height)), sorted((width, height))
    observed = (
        Sentence(
            "Stated {width_px:raw} × {height_px:raw}, found {found_width_px:raw} × {found_height_px:raw}.",
            width_px=round(width),
            height_px=round(height),
            found_width_px=image.width,
            found_height_px=image.height,
        ),
    )
    if all(abs(one - other) <= SAME_PX for one, other in zip(real, stated, strict=True)):
        yield consistent("GF117", claim.source_id, Sentence("The picture has the size its metadata tell."))
    elif any(one > SAME_PX + (1.0 + SAME_ASPECT) * other for one, other in zip(real, stated, strict=True)):
        yield findings.suspicious(
            "GF117",
            claim,
            Sentence("The picture is larger than its metadata tell: they may be those of another picture."),
            kind="edit",
            observed=observed,
            innocent=(
                Sentence("enlarged by a program that left the old size"),
                Sentence("stitched from several frames"),
            ),
        )
    elif abs(real[1] / real[0] / (stated[1] / stated[0]) - 1.0) <= SAME_ASPECT:
        summary = Sentence(
            "The picture was resized to {share_percent:.0f}% of the size its metadata tell.",
            share_percent=100.0 * real[0] / stated[0],
        )
        yield findings.explained("GF117", claim, summary, kind="resized", observed=observed)
    else:
        summary = Sentence("The picture was cropped since the camera wrote its size.")
        yield findings.explained("GF117", claim, summary, kind="cropped", observed=observed)
