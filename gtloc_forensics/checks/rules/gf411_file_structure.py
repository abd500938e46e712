"""GF411 — How the file is built, against its siblings.

Shows: that one file among many of a camera and firmware was put together by another hand: tables, sampling,
order of the segments, layout of the EXIF block and thumbnail are none that its siblings have.

Cannot show: what was changed, or that anything of the picture was; who saved it, where no program is named.

Blind spots: cameras build other files in another mode (quality, panorama, burst, portrait), so that one trait
alone is only told as not enough; a folder that was saved again as a whole; fewer than eight siblings; a program
that changes values in place. Where siblings differ among themselves, the trait is left out.

Threshold: a trait speaks where at least nine in ten siblings share it, and eight of them or more. Told is what
differs in three traits or more, in the coding of the picture and in another part of the file (segments, EXIF
block, thumbnail). It is *explained* and no alarm by itself: how often untouched cameras come so far could be
measured for segments and EXIF block alone (docs/decisions/0048-file-structure.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gtloc_forensics.checks import Context, Scope, check, consistent, findings, not_testable, pairs
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.records import (
    DeviceGroup,
    FileStructure,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    template,
)

FEWEST_SIBLINGS = 8
SHARED = 0.9
FEWEST_TRAITS = 3
FEWEST_PARTS = 2

_PARTS = {
    "quantisation": "picture",
    "huffman": "picture",
    "sampling": "picture",
    "frame": "segments",
    "segments": "segments",
    "exif_order": "exif",
    "exif_blocks": "exif",
    "exif_tags": "exif",
    "maker_note": "exif",
    "thumbnail": "thumbnail",
}
"""Each trait and the part of the file that it belongs to: what one writer makes in one go."""

_NAMES = {
    "quantisation": template("quantisation tables"),
    "huffman": template("Huffman tables"),
    "sampling": template("colour sampling"),
    "frame": template("first segment"),
    "segments": template("order of the segments"),
    "exif_order": template("byte order of EXIF"),
    "exif_blocks": template("order of the EXIF directories and their values"),
    "exif_tags": template("tags of the first EXIF directory"),
    "maker_note": template("maker's note"),
    "thumbnail": template("build of the thumbnail"),
}
_CAUSE = template("The files were written by another program than their siblings, or by the camera in another mode.")
_SILENT = {trait: ("", "not there") if trait == "thumbnail" else ("",) for trait in _PARTS}
"""What says nothing: many cameras leave the thumbnail out in some modes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One trait in which a photo is alone: what it has, and what its siblings share."""

    trait: str
    own: str
    shared: str


@check("GF411", title="How the file is built, against its siblings", scope=Scope.DEVICE)
def file_structure(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Find the files that are built unlike the others of one device and firmware."""
    for siblings, photos in _by_firmware(group.summaries):
        counts = _counted(siblings)
        for photo in photos:
            yield _judged(photo, counts, len(siblings) - (siblings is photos))


def _by_firmware(
    summaries: Sequence[PhotoSummary],
) -> Iterator[tuple[Sequence[PhotoSummary], Sequence[PhotoSummary]]]:
    """Yield siblings and the photos to compare with them; what an editor saved is compared with the camera's all."""
    of_firmware: dict[str, list[PhotoSummary]] = {}
    for photo in summaries:
        if photo.structure is not None:
            own = "" if programs.is_editor(photo.software) else photo.software
            of_firmware.setdefault(own, []).append(photo)
    unnamed = of_firmware.pop("", [])
    cameras = [photo for photos in of_firmware.values() for photo in photos]
    yield from ((photos, photos) for photos in of_firmware.values())
    if unnamed:
        yield cameras or unnamed, unnamed
    without = [photo for photo in summaries if photo.structure is None]
    yield (), without


def _counted(siblings: Sequence[PhotoSummary]) -> Mapping[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {trait: Counter() for trait in _PARTS}
    for photo in siblings:
        if photo.structure is not None:
            for trait in _PARTS:
                counts[trait][getattr(photo.structure, trait)] += 1
    return counts


def _judged(photo: PhotoSummary, counts: Mapping[str, Counter[str]], siblings: int) -> Finding:
    if photo.structure is None:
        return not_testable("GF411", photo.source_id, Sentence("it is no JPEG file, whose build could be compared"))
    compared, differing = differences(photo.structure, counts)
    if not compared:
        few = Sentence("too few photos of the same camera and firmware are built alike")
        return not_testable("GF411", photo.source_id, few)
    if not differing:
        alike = Sentence("Built like {siblings:?the other photo|# other photos} of its camera.", siblings=siblings)
        return consistent("GF411", photo.source_id, alike)
    names = tuple(Sentence(_NAMES[item.trait]) for item in differing)
    parts = {_PARTS[item.trait] for item in differing}
    if len(differing) < FEWEST_TRAITS or len(parts) < FEWEST_PARTS or "picture" not in parts:
        why = Sentence(
            "it differs from its siblings in its {traits:and} alone, which a mode of the camera can explain",
            traits=names,
        )
        return not_testable("GF411", photo.source_id, why)
    return _told(photo, differing, names, siblings)


def differences(own: FileStructure, counts: Mapping[str, Counter[str]]) -> tuple[int, list[Difference]]:
    """Return how many traits could be compared, and those in which a file is alone.

    Args:
        own: the build of the file.
        counts: trait → how many siblings have which value, the file itself among them or not.
    """
    compared, found = 0, list[Difference]()
    for trait in _PARTS:
        value = getattr(own, trait)
        known = {text: many for text, many in counts[trait].items() if text not in _SILENT[trait]}
        shared, many = max(known.items(), key=lambda pair: pair[1], default=("", 0))
        if value in _SILENT[trait] or many - (value == shared) < FEWEST_SIBLINGS or many < SHARED * sum(known.values()):
            continue
        compared += 1
        if value != shared:
            found.append(Difference(trait, value, shared))
    return compared, found


def _told(photo: PhotoSummary, found: Sequence[Difference], names: tuple[Sentence, ...], siblings: int) -> Finding:
    kind = "exported" if programs.is_editor(photo.software) else "rewritten"
    return pairs.about(
        "GF411",
        (photo,),
        Sentence(
            "Built unlike {siblings:?the other photo|# other photos} of its camera in its {traits:and}.",
            siblings=siblings,
            traits=names,
        ),
        outcome=Outcome.EXPLAINED,
        kind=kind,
        severity=Severity.LOW,
        cause_summary=findings.file_cause(kind) if kind == "exported" else Sentence(_CAUSE),
        observed=tuple(
            Sentence(
                "{trait}: {own}; its siblings: {shared}.",
                trait=Sentence(_NAMES[item.trait]),
                own=item.own,
                shared=item.shared,
            )
            for item in found
        ),
        innocent=(
            Sentence("a program that turned, cropped or shared the photo saved it again"),
            Sentence("a mode of the camera in which it builds other files"),
        ),
        limitations=(Sentence("The build of a file says that another program wrote it, not what was changed."),),
    )
