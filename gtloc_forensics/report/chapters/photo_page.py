"""One photo in full: the picture, its claim beside what the pixels indicate, and its findings."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import (
    Claim,
    PhotoEntry,
    Prediction,
    Sentence,
    Statement,
)
from gtloc_forensics.report.blocks import (
    Block,
    Callout,
    Facts,
    Figure,
    Heading,
    Prose,
    Row,
    Span,
    Text,
    text_of,
)
from gtloc_forensics.report.chapters import recorded
from gtloc_forensics.report.chapters.comparison import comparison
from gtloc_forensics.report.chapters.edition import Edition, photo_anchor
from gtloc_forensics.report.chapters.figures import figures
from gtloc_forensics.report.chapters.findings import findings, silent
from gtloc_forensics.report.chapters.opinions import opinions
from gtloc_forensics.report.chapters.pictures import picture
from gtloc_forensics.report.chapters.strength import strength
from gtloc_forensics.report.text import plain

_PICTURE_BOX = (226.0, 152.0)


def photos(edition: Edition) -> Iterator[Block]:
    """Yield the pages of the photos that have one, in path order."""
    if not edition.survey.paged:
        return
    words = edition.words
    yield Heading(words("photos.title"), 1, "photos")
    yield Prose(words("photos.lead", count=len(edition.survey.paged)))
    yield Prose(words("photos.legend"), "small")
    yield Prose(words("photos.uncalibrated"), "small")
    if edition.survey.unpaged:
        yield Callout(
            words("photos.unpaged", shown=len(edition.survey.paged), left_out=edition.survey.unpaged), "warning"
        )
    first = True
    for entry in edition.view.photos():
        if entry.photo.source.source_id in edition.survey.paged:
            yield from photo_page(edition, entry, starts="" if first else "page")
            first = False


def photo_page(edition: Edition, entry: PhotoEntry, *, starts: str) -> Iterator[Block]:
    """Yield everything the report says of one photo."""
    source = entry.photo.source
    number = edition.exhibit(source.source_id)
    title = edition.words("photos.photo", number=number, name=plain(source.relative, limit=90))
    yield Heading(title, 2, photo_anchor(source.source_id), starts)
    yield Row((tuple(_picture(edition, entry)), tuple(_identity(edition, entry))), (0.47, 0.53))
    yield from findings(edition, entry)
    yield from _strengths(edition, entry)
    yield from comparison(edition, entry)
    yield from figures(edition, entry)
    yield from opinions(edition, entry)


def _picture(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    words = edition.words
    small = picture(edition, entry.photo.source.source_id, _PICTURE_BOX)
    if small is None:
        yield Callout(words("photos.no_picture"), "note")
    else:
        yield Figure(small, words("photos.picture_caption"))


def _identity(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    words, photo = edition.words, entry.photo
    rows: list[tuple[Text, Text]] = [
        (words("photos.result"), text_of(edition.result(entry.statuses), "bold")),
        (words("photos.file"), text_of(plain(photo.source.relative))),
        (words("photos.sha256"), text_of(photo.source.sha256, "hash")),
        (
            words("photos.size"),
            words("photos.bytes", bytes=words.number(photo.source.stat.size_bytes), kind=photo.source.media_type),
        ),
    ]
    rows += recorded.rows(edition, photo.source.stat)
    if isinstance(photo.claim, Claim):
        rows.append((words("photos.camera"), _camera(edition, photo.claim)))
        rows.append((words("photos.exposure"), _exposure(edition, photo.claim)))
        if isinstance(photo.claim.device.software, str):
            rows.append((words("photos.software"), text_of(plain(photo.claim.device.software))))
        rows += [_oddity(edition, warning) for warning in photo.claim.warnings[:2]]
    named = [plain(said.model) for said in photo.opinions if isinstance(said, Prediction)]
    if named:
        rows.append((words("photos.further"), words("photos.further_told", models=", ".join(named), count=len(named))))
    for gap in entry.unexamined[:4]:
        rows.append(
            (
                words("photos.not_examined", stage=edition.stage(gap.stage)),
                text_of(words.reason(gap.reason)),
            )
        )
    yield Facts((*rows, *silent(edition, entry)), 0.2)


def _oddity(edition: Edition, warning: Statement) -> tuple[Text, Text]:
    """Return what was odd in reading a file: in words of ours, or those of exiftool, quoted."""
    words = edition.words
    if isinstance(warning, Sentence):
        return words("photos.oddity"), text_of(words.reason(warning))
    return words("photos.warning"), words("photos.tool_said", said=plain(warning))


def _camera(edition: Edition, claim: Claim) -> Text:
    from gtloc_forensics.report.chapters.survey import device_label

    label = text_of(plain(device_label(claim.device)))
    doubt = claim.device.doubt
    return (*label, Span(f" – {edition.words.reason(doubt)}", "quiet")) if doubt else label


def _exposure(edition: Edition, claim: Claim) -> Text:
    exposure, words = claim.exposure, edition.words
    parts = []
    if isinstance(exposure.f_number, float | int):
        parts.append(f"f/{words.number(exposure.f_number, 1)}")
    if isinstance(exposure.exposure_s, float | int) and exposure.exposure_s > 0:
        seconds = exposure.exposure_s
        parts.append(f"1/{1 / seconds:.0f} s" if seconds < 0.4 else f"{words.number(seconds, 1)} s")
    if isinstance(exposure.iso, float | int):
        parts.append(f"ISO {exposure.iso:.0f}")
    if isinstance(exposure.ev100, float | int):
        parts.append(f"EV100 {words.number(exposure.ev100, 1)}")
    if isinstance(exposure.flash_fired, bool):
        parts.append(words.line("photos.flash" if exposure.flash_fired else "photos.no_flash"))
    return text_of(" · ".join(parts)) if parts else text_of(words.line("common.not_available"), "quiet")


def _strengths(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    for about, ratio in (("time", entry.log10_lr_time), ("place", entry.log10_lr_place)):
        if ratio is not None:
            yield Callout(strength(edition, ratio, about=about), "strength")
