"""GF118 — Stripped or rewritten by a platform.

Shows: that a messenger, a website or a screen recording made the file, or that nothing of a camera is left in it.

Cannot show: anything about the photo itself. That metadata are missing is no evidence against it.

Blind spots: platforms change their habits every year.

Threshold: the platforms' own marks (FBMD in IPTC, names of WhatsApp, Facebook and Telegram files,
screenshot names); or no capture time, no position and no device at once. Always *explained*: it
tells which other rules had nothing to go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Finding, Photo, Severity

_NAMES = (
    (re.compile(r"(IMG|VID)-\d{8}-WA\d+", re.I), "WhatsApp"),
    (re.compile(r"^WhatsApp Image ", re.I), "WhatsApp"),
    (re.compile(r"^\d{5,}_\d{8,}_\d+_[nob]\.", re.I), "Facebook or Instagram"),
    (re.compile(r"^FB_IMG_\d+", re.I), "Facebook"),
    (re.compile(r"^photo_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}", re.I), "Telegram"),
    (re.compile(r"^signal-\d{4}-\d{2}-\d{2}", re.I), "Signal"),
    (re.compile(r"^(screenshot|bildschirmfoto|capture d.écran|screen shot)", re.I), "a screenshot"),
)
_SOFTWARE = re.compile(r"instagram|whatsapp|facebook|snapchat|telegram|wechat|hipstamatic", re.I)
FACEBOOK_MARK = "FBMD"


@check("GF118", title="Stripped or rewritten by a platform", needs=("claim",))
def platform(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look for the marks of platforms and for what is missing."""
    claim = claim_of(photo)
    marks = list(dict.fromkeys(_marks(photo, claim)))
    if marks:
        summary = f"The file passed through {' and '.join(marks)}, which rewrite or remove metadata."
        yield findings.explained("GF118", claim, summary, kind="copy", severity=Severity.INFO)
    elif _is_bare(claim):
        summary = "No capture time, no position and no device: the metadata were removed or never written."
        yield findings.explained("GF118", claim, summary, kind="copy", severity=Severity.INFO)
    else:
        yield consistent("GF118", claim.source_id, "No mark of a platform that rewrites metadata.")


def _marks(photo: Photo, claim: Claim) -> Iterator[str]:
    name = photo.source.display_path.rsplit("/", 1)[-1]
    yield from (platform_name for pattern, platform_name in _NAMES if pattern.search(name))
    if tag_values.text(claim.tags, "IPTC:SpecialInstructions").startswith(FACEBOOK_MARK):
        yield "Facebook or Instagram"
    software = _SOFTWARE.search(tag_values.text(claim.tags, "IFD0:Software", "XMP-xmp:CreatorTool"))
    if software is not None:
        yield software[0].capitalize()


def _is_bare(claim: Claim) -> bool:
    return all(
        isinstance(value, Absent) for value in (claim.local_time, claim.position, claim.device.make, claim.device.model)
    )
