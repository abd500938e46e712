"""Where corrections go: sidecars in a mirror tree, corrected copies, or — in so many words — the originals.

A destination only says which file is written for which photo and what it starts from;
the transaction writes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import Any, TypeAlias

from gtloc_forensics.correct import files
from gtloc_forensics.errors import UsageError
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
            raise UsageError("this case is marked as evidence: its originals are never changed; use sidecars or --copy")
        if self.words != WORDS:
            raise UsageError(f"changing originals needs the words {WORDS}; without them use sidecars or --copy")


Destination: TypeAlias = Sidecars | Copies | InPlace


def check(destination: Destination, evidence: Path, journal_folder: Path) -> None:
    """Refuse to write into the evidence tree.

    Raises:
        EvidenceTreeError: sidecars, copies or the journal would lie in it.
    """
    refuse_inside(journal_folder, evidence)
    if not isinstance(destination, InPlace):
        refuse_inside(destination.folder, evidence)


def root_of(destination: Destination, evidence: Path) -> Path:
    """Return the folder below which targets lie."""
    return evidence if isinstance(destination, InPlace) else destination.folder


def target_of(destination: Destination, evidence: Path, relative: bytes) -> Path:
    """Return the file to write for one photo."""
    root = root_of(destination, evidence)
    if isinstance(destination, Sidecars):
        style = destination.style or style_found(evidence, relative)
        return files.path_of(root, sidecar_name(relative, style))
    return files.path_of(root, relative)


def start_of(destination: Destination, evidence: Path, relative: bytes, target: Path) -> Path | None:
    """Return the file whose bytes the target starts from; None for a new sidecar."""
    if not isinstance(destination, Sidecars):
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
    owners = [one for one in sidecar.parent.iterdir() if one.stem == sidecar.stem and one.suffix.lower() != ".xmp"]
    return len(owners) > 1


def described(destination: Destination) -> dict[str, Any]:
    """Return a destination as the journal keeps it."""
    match destination:
        case Sidecars(folder, style):
            return {"kind": "sidecar", "folder": os.fsencode(folder).hex(), "style": style.value if style else ""}
        case Copies(folder):
            return {"kind": "copy", "folder": os.fsencode(folder).hex()}
        case InPlace():
            return {"kind": "in place"}


def from_description(facts: dict[str, Any]) -> Destination:
    """Return the destination that the journal kept; what was allowed then is finished now."""
    if facts["kind"] == "in place":
        return InPlace(WORDS, is_evidence=False)
    folder = Path(os.fsdecode(bytes.fromhex(facts["folder"])))
    if facts["kind"] == "copy":
        return Copies(folder)
    return Sidecars(folder, SidecarStyle(facts["style"]) if facts["style"] else None)
