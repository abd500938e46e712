"""GF116 — The embedded thumbnail against the picture.

Shows: that the small picture inside the file shows something else than the large one, which was replaced,
or cut down, without it.

Cannot show: small retouching; anything where the program made a new thumbnail, as good editors do.

Blind spots: a picture cropped by a fifth or more looks as different to this measure as another picture.

Threshold: 64-bit perceptual hashes. Of 300 real photos with a fresh thumbnail none differed by more than 6 bits,
after strong changes of light and contrast by 14, after cropping a tenth by 30 (95 %: 20); of 299 wrong thumbnails
none by fewer than 22. So up to 14 bits are the same picture, 22 and more another one or a much wider view.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.records import Claim, Confidence, Finding, ImageFacts, Photo, Sentence, Severity

SAME_BITS = 14
OTHER_BITS = 22


@check("GF116", title="The embedded thumbnail against the picture", needs=("claim", "image"))
def thumbnail(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the hashes of thumbnail and picture."""
    claim, image = claim_of(photo), photo.image
    if not isinstance(image, ImageFacts) or image.thumbnail_hash is None:
        yield not_testable("GF116", claim.source_id, Sentence("no thumbnail in the file"))
        return
    bits = (image.perceptual_hash ^ image.thumbnail_hash).bit_count()
    if bits <= SAME_BITS:
        summary = Sentence("The thumbnail shows the picture ({bits} of 64 bits differ).", bits=bits)
        yield consistent("GF116", claim.source_id, summary)
    else:
        yield _judge(claim, bits)


def _judge(claim: Claim, bits: int) -> Finding:
    facts = {"bits": bits}
    edited = programs.editors(claim)
    if bits < OTHER_BITS or edited:
        summary = (
            Sentence(
                "The thumbnail is older than the picture ({bits} of 64 bits differ): an editor is named.", bits=bits
            )
            if edited
            else Sentence(
                "The thumbnail is older than the picture ({bits} of 64 bits differ): "
                "as after a crop or a strong change of light.",
                bits=bits,
            )
        )
        return findings.explained("GF116", claim, summary, kind="older-thumbnail", facts=facts)
    return findings.suspicious(
        "GF116",
        claim,
        Sentence(
            "The thumbnail shows another picture, or a much wider view of it ({bits} of 64 bits differ).", bits=bits
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG,
        facts=facts,
        innocent=(Sentence("cropped by a program that kept the old thumbnail"),),
    )
