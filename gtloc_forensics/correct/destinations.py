"""Where corrections go: sidecars in a mirror tree or beside the photos, corrected copies, or the originals themselves.

A destination only says which file is written for which photo and what it starts from;
the transaction writes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum, unique
from pathlib import Path
from typing import Any, TypeAlias

from gtloc_forensics.correct import files
from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.files.writing import refuse_inside

WORDS = "--yes-change-originals"
"""What a person must say before an original is touched."""


@unique
class SidecarStyle(Enum):
    """How a sidecar is named after its photo."""

    APPENDED = "a.jpg.xmp"  # darktable, digiKam, Immich
    REPLACED = "a.xmp"  # Lightroom, Bridge


@dataclass(frozen=True, slots=True)
class Sidecars:
    """XMP sidecars in a mirror tree. Without a style: that of the one beside the photo, else a.jpg.xmp."""

    folder: Path
    style: SidecarStyle | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """XMP sidecars beside the photos, where darktable and others look. Refused for a case marked as evidence."""

    is_evidence: bool
    style: SidecarStyle | None = None

    def __post_init__(self) -> None:
        """Refuse evidence: its folder is never written to."""
        if self.is_evidence:
            raise UsageError(
                "this case is marked as evidence: nothing is written into its folder; leave --beside out, and the "
                "sidecars lie in CASE/sidecars"
            )


@dataclass(frozen=True, slots=True)
class Copies:
    """Corrected copies in a tree that mirrors the evidence."""

    folder: Path


@dataclass(frozen=True, slots=True)
class InPlace:
    """The originals themselves. Refused without :data:`WORDS`, and for a case marked as evidence."""

    words: str
    is_evidence: bool

    def __post_init__(self) -> None:
        """Refuse what was not said, and evidence in any case."""
        if self.is_evidence:
            raise UsageError(
                "this case is marked as evidence: its originals are never changed; leave --in-place out for sidecars, "
                "or use --copy FOLDER"
            )
        if self.words != WORDS:
            raise UsageError(
                f"changing originals needs the words {WORDS}; leave --in-place out for sidecars, or use --copy FOLDER"
            )


Destination: TypeAlias = Sidecars | Beside | Copies | InPlace

REMEDY = "name a folder outside it with --sidecars or --copy, or leave both out for CASE/sidecars"


def anchored(destination: Destination) -> Destination:
    """Return a destination with its folder as an absolute path: a transaction is finished and undone from anywhere."""
    if isinstance(destination, Sidecars | Copies):
        return replace(destination, folder=destination.folder.absolute())
    return destination


def writes_sidecars(destination: Destination) -> bool:
    """Return whether photos get a sidecar and stay as they are."""
    return isinstance(destination, Sidecars | Beside)


def writes_into_evidence(destination: Destination) -> bool:
    """Return whether a person asked, in so many words, for something in the folder of the photos."""
    return isinstance(destination, InPlace | Beside)


def check(destination: Destination, evidence: Path, journal_folder: Path) -> None:
    """Refuse to write into the evidence tree.

    Raises:
        EvidenceTreeError: sidecars, copies or the journal would lie in it.
    """
    refuse_inside(journal_folder, evidence)
    if isinstance(destination, Sidecars | Copies):
        refuse_target(destination.folder, evidence)


def refuse_target(target: Path, evidence: Path) -> None:
    """Refuse a target in the evidence tree, also by way of a link or a second mount.

    Raises:
        EvidenceTreeError: with the options that name another place.
    """
    try:
        refuse_inside(target, evidence)
    except EvidenceTreeError as error:
        raise EvidenceTreeError(target, evidence, remedy=REMEDY) from error


def root_of(destination: Destination, evidence: Path) -> Path:
    """Return the folder below which targets lie."""
    return destination.folder if isinstance(destination, Sidecars | Copies) else evidence


def target_of(destination: Destination, evidence: Path, relative: bytes) -> Path:
    """Return the file to write for one photo."""
    root = root_of(destination, evidence)
    if isinstance(destination, Sidecars | Beside):
        style = destination.style or style_found(evidence, relative)
        return files.path_of(root, sidecar_name(relative, style))
    return files.path_of(root, relative)


def start_of(destination: Destination, evidence: Path, relative: bytes, target: Path) -> Path | None:
    """Return the file whose bytes the target starts from; None for a new sidecar."""
    if not writes_sidecars(destination):
        return files.path_of(evidence, relative)
    return target if target.exists() else sidecar_beside(evidence, relative)


def sidecar_name(relative: bytes, style: SidecarStyle) -> bytes:
    """Return the path of a photo's sidecar."""
    if style is SidecarStyle.APPENDED:
        return relative + b".xmp"
    folder, slash, name = relative.rpartition(b"/")
    return folder + slash + (os.path.splitext(name)[0] + b".xmp")  # noqa: PTH122 - names are bytes


def style_found(evidence: Path, relative: bytes) -> SidecarStyle:
    """Return the style of the sidecar that lies beside the photo already."""
    beside = sidecar_beside(evidence, relative)
    replaced = files.path_of(evidence, sidecar_name(relative, SidecarStyle.REPLACED))
    return SidecarStyle.REPLACED if beside == replaced else SidecarStyle.APPENDED


def sidecar_beside(evidence: Path, relative: bytes) -> Path | None:
    """Return the sidecar of a photo in the evidence. ``a.xmp`` counts only while one photo could own it."""
    appended = files.path_of(evidence, sidecar_name(relative, SidecarStyle.APPENDED))
    if files.is_regular(appended):
        return appended
    replaced = files.path_of(evidence, sidecar_name(relative, SidecarStyle.REPLACED))
    if files.is_regular(replaced) and not _is_shared(replaced):
        return replaced
    return None


def _is_shared(sidecar: Path) -> bool:
    owners = [path for path in sidecar.parent.iterdir() if path.stem == sidecar.stem and path.suffix.lower() != ".xmp"]
    return len(owners) > 1


def described(destination: Destination) -> dict[str, Any]:
    """Return a destination as the journal keeps it."""
    match destination:
        case Sidecars(folder, style):
            return {"kind": "sidecar", "folder": os.fsencode(folder).hex(), "style": style.value if style else ""}
        case Beside(_, style):
            return {"kind": "beside", "style": style.value if style else ""}
        case Copies(folder):
            return {"kind": "copy", "folder": os.fsencode(folder).hex()}
        case InPlace():
            return {"kind": "in place"}


def from_description(facts: dict[str, Any]) -> Destination:
    """Return the destination that the journal kept; what was allowed then is finished now."""
    if facts["kind"] == "in place":
        return InPlace(WORDS, is_evidence=False)
    style = SidecarStyle(facts["style"]) if facts.get("style") else None
    if facts["kind"] == "beside":
        return Beside(is_evidence=False, style=style)
    folder = files.absolute(os.fsdecode(bytes.fromhex(facts["folder"])))
    return Copies(folder) if facts["kind"] == "copy" else Sidecars(folder, style)
