"""A review to take away: a folder that opens from a file manager, without a service and without a network."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from gtloc_forensics.case import words
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.products import place_of
from gtloc_forensics.case.reviewing import asking, corrections, reading
from gtloc_forensics.case.reviewing.languages import shell_words
from gtloc_forensics.case.reviewing.pages import Pages, dumped, plain
from gtloc_forensics.case.reviewing.reading import Listing
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.hashing import sha256_of
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.report.html.shell import shell

FOLDER, MANIFEST = "review", "MANIFEST.sha256"
"""How the copy is called in a case folder, and what it lists its own files in, for ``sha256sum --check``."""

KIND = "review"

MOST_WORDS = 4_000
"""Characters of a photo's tags that the copy can be searched for; its page shows all of them."""

_COPIED = ("leaflet.js", "leaflet.css", "review.css", "LICENSE-leaflet", "LICENSE-world-atlas")


def write_folder(case: CaseFolder, target: Path | None = None, *, language: str = "en") -> Path:
    """Return the folder that was made: whole or not at all, its manifest noted in the custody chain.

    Everything that was decided is in it, by all examiners; nothing can be decided in it.

    Args:
        case: with a completed examination.
        target: a folder that is not there yet, or is empty; ``review`` in the case folder when left out.
        language: of the pages.

    Raises:
        UsageError: there is something in the folder, or there are no pages in that language.
        EvidenceTreeError: it would lie inside the evidence.
        CaseError: no examination was completed.
    """
    folder = target or case.folder / FOLDER
    refuse_inside(folder, case.evidence)
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already; name a new folder with --output, or move that one away")
    view = case.view()
    listing = reading.read(view)
    pages = Pages(listing, language)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".gtloc-{secrets.token_hex(8)}.draft"
    draft.mkdir()
    try:
        _fill(draft, pages, case, listing=listing)
        manifest = _listed(draft)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)  # made a moment ago, by us
        raise
    name, place = place_of(case, folder / MANIFEST)
    case.note("export", name, {"kind": KIND, "sha256": manifest, "place": place, "examination": view.fingerprint})
    return folder


def _fill(folder: Path, pages: Pages, case: CaseFolder, *, listing: Listing) -> None:
    shipped = files("gtloc_forensics.templates").joinpath("review")
    for name in _COPIED:
        (folder / name).write_bytes(shipped.joinpath(name).read_bytes())
    world = shipped.joinpath("world.json").read_bytes()
    (folder / "world.js").write_bytes(b"globalThis.GTLOC_WORLD=" + world.rstrip() + b";\n")
    code = shipped.joinpath("review.js").read_text(encoding="utf-8")
    page = shell(**shell_words(pages.language), code=code)
    (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
    shown = {
        "case": pages.case() | {"examiner": "", "may_write": False},
        "decisions": pages.decisions(examiner="", others=True),
        "custody": pages.custody(examiner="", others=True),
        "corrections": plain(corrections.shown(case, listing, pages.words)),
        "compare": _newest_change(case),
    }
    (folder / "case.js").write_bytes(b"globalThis.GTLOC_REVIEW=" + dumped(shown) + b";\n")
    texts = dict(words.texts(listing.view, most=MOST_WORDS))
    (folder / "words.js").write_bytes(b"globalThis.GTLOC_WORDS=" + dumped(plain(texts)) + b";\n")
    _fill_photos(folder, pages)


def _newest_change(case: CaseFolder) -> dict[str, Any] | None:
    """Return what the newest examination says otherwise than the one before it; None when there is but one."""
    known = list(case.view().examinations())
    if len(known) < 2:
        return None
    return dict(plain(asking.difference(asking.compared(case, known[1], known[0]))))


def _fill_photos(folder: Path, pages: Pages) -> None:
    for name in ("photos", "previews"):
        (folder / name).mkdir()
    for source_id, shown, picture in pages.photos():
        (folder / "photos" / f"{source_id}.js").write_bytes(b"gtlocPhoto(" + dumped(shown) + b");\n")
        if picture is not None:
            (folder / "previews" / f"{source_id}.jpg").write_bytes(picture)


def _listed(folder: Path) -> str:
    """Write the manifest; return its hash."""
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    manifest = folder / MANIFEST
    manifest.write_text("".join(lines), encoding="utf-8", newline="\n")
    return sha256_of(manifest)


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())
