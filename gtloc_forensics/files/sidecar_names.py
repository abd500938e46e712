"""Which file beside a photo describes it, by the names of one folder: XMP sidecars, JSON files of photo services.

Only names are looked at, so that a listing of an archive serves as well as a folder.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gtloc_forensics.files import types
from gtloc_forensics.records import Sentence, visible

SUFFIXES = (b".xmp", b".json")

_MARK = ".supplemental-metadata"
"""Exports since 2024 put it before ``.json`` and cut it where the whole name grows too long, down to its full stop."""

CUT_AT = 46
"""Characters after which an export cuts what stands before ``.json``; the names of photos it cuts after 47 and more."""

_NUMBER = re.compile(r"(?P<rest>.+)\((?P<number>[0-9]{1,4})\)")
_EDITED = (
    "-edited", "-bearbeitet", "-modifié", "-ha editado", "-editado", "-modificato", "-bewerkt", "-edytowane", "-editat",
    "-編集済み",
)  # fmt: skip
"""What an export puts behind the stem of a changed copy, by the account's language; no copy has a JSON of its own."""

_SHORTEST_PART = 3
"""Characters that have to be left of an edited copy's mark where its whole name was cut."""

_FILMS = frozenset((b".mp4", b".mov", b".m4v", b".3gp", b".mp"))
"""Extensions of the moving half of a live photo."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which files of one folder describe which photos."""

    of_photo: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)  # photo → its sidecars, by name
    ambiguous: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)  # sidecar → photos it may be of


@dataclass(frozen=True, slots=True)
class _Title:
    """What the name of a photo service's JSON file tells of the photo's name."""

    text: str
    number: str  # of the copy, "" for the first
    is_cut: bool  # only the beginning of the photo's name is there

    @property
    def photo(self) -> str:
        stem, extension = _parted(self.text)
        return f"{stem}({self.number}){extension}" if self.number else self.text


def is_sidecar(name: bytes) -> bool:
    """Return whether a file may describe a photo, by its own name."""
    if name.startswith(b"."):
        return False
    return types.extension_of(name) == b".xmp" or _title(name) is not None


def paired(names: Iterable[bytes]) -> Pairing:
    """Return which of the files of one folder describe which photos; a JSON file is given to no photo but its own.

    ``a.xmp`` is of every photo called ``a``, ``a.jpg.xmp`` of ``a.jpg``. ``a.jpg.json``,
    ``a.jpg.supplemental-metadata.json`` and its cut forms are of ``a.jpg``, of ``a-edited.jpg`` and of the film
    ``a.mp4`` that belongs to a live photo; ``a.jpg(1).json`` is of ``a(1).jpg``. Where a long name was cut and
    its beginning fits several photos the file is ambiguous and given to none.
    """
    listed = sorted(names)
    sidecars = [name for name in listed if is_sidecar(name)]
    if not sidecars:
        return Pairing()
    photos = [name for name in listed if not name.startswith(b".") and may_be_photo(name)]
    services = [name for name in sidecars if types.extension_of(name) != b".xmp"]
    of_photo, ambiguous = _Services(photos, services).paired()
    beside = _by_stem([name for name in sidecars if types.extension_of(name) == b".xmp"])
    for photo in photos:
        stem = photo[: -len(types.extension_of(photo))].lower()
        of_photo[photo] = [*beside.get(stem, []), *beside.get(photo.lower(), []), *of_photo.get(photo, [])]
    found = {photo: tuple(group) for photo, group in of_photo.items() if group}
    return Pairing(found, ambiguous)


def changed_by(names: Iterable[bytes], present: Iterable[bytes]) -> frozenset[bytes]:
    """Return the photos whose sidecars came, went or were written anew, when *names* of a folder changed.

    Args:
        names: what changed: it is new, gone or written anew.
        present: every name in the folder now.
    """
    touched, now = {*names}, {*present}
    after = paired(now).of_photo
    others = (paired(now - touched).of_photo, paired(now | touched).of_photo)
    found = {photo for photo, group in (*after.items(), *others[1].items()) if touched & {*group}}
    for before in others:
        found |= {photo for photo in {*before, *after} if before.get(photo) != after.get(photo)}
    return frozenset(found & now)


def ambiguous(photos: Iterable[bytes]) -> Sentence:
    """Return why a file is given to none of the photos that it may describe."""
    names = tuple(map(visible, photos))
    return Sentence("a file that may describe any of {photos:and}: it is given to none of them", photos=names)


def may_be_photo(name: bytes) -> bool:
    """Return whether a name is that of a photo or a film, or of the moving half of a live photo."""
    return types.has_photo_extension(name) or types.extension_of(name) in _FILMS


def _by_stem(sidecars: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name in sidecars:
        found.setdefault(name.lower()[: -len(b".xmp")], []).append(name)
    return found


class _Services:
    """Gives the JSON files of photo services to the photos of one folder."""

    def __init__(self, photos: Sequence[bytes], sidecars: Sequence[bytes]) -> None:
        self._texts = {photo: _text(photo) for photo in photos}
        self._exact = _grouped((text, photo) for photo, text in self._texts.items())
        self._folded = _grouped((text.casefold(), photo) for photo, text in self._texts.items())
        self._sorted = sorted((_without_number(text)[0], photo) for photo, text in self._texts.items())
        films = [photo for photo in photos if _is_film(photo)]
        self._films = _grouped((stem, film) for film in films for stem in _stills_of(self._texts[film]))
        stills = [photo for photo in photos if not _is_film(photo)]
        self._copies = _grouped((stem, copy) for copy in stills for stem in _originals(_parted(self._texts[copy])[0]))
        self._stems = {_parted(self._texts[photo])[0] for photo in stills}
        self._titles = {name: title for name in sidecars if (title := _title(name)) is not None}
        self._given: dict[bytes, list[bytes]] = {}
        self._ambiguous: dict[bytes, tuple[bytes, ...]] = {}

    def paired(self) -> tuple[dict[bytes, list[bytes]], dict[bytes, tuple[bytes, ...]]]:
        owners: dict[bytes, bytes] = {}
        for is_cut, of_title in ((False, self._named), (True, self._begun)):  # those named in full come first
            found = {name: of_title(title) for name, title in self._titles.items() if title.is_cut == is_cut}
            owners |= self._give(found)
        for sidecar, title in self._titles.items():
            if sidecar in owners:
                self._give_to_copies(sidecar, self._texts[owners[sidecar]])
            elif not title.is_cut and sidecar not in self._ambiguous:
                self._give_to_copies(sidecar, title.photo)
        return self._given, self._ambiguous

    def _give(self, found: Mapping[bytes, Sequence[bytes]]) -> dict[bytes, bytes]:
        """Give each sidecar that may be of one photo only to it; return which photo that is."""
        owners = {sidecar: photos[0] for sidecar, photos in found.items() if len(photos) == 1}
        self._ambiguous |= {sidecar: tuple(photos) for sidecar, photos in found.items() if len(photos) > 1}
        for sidecar, photo in owners.items():
            self._given.setdefault(photo, []).append(sidecar)
        return owners

    def _named(self, title: _Title) -> list[bytes]:
        """Return the photos of exactly that name; of any case where none has it to the letter."""
        return self._exact.get(title.photo) or self._folded.get(title.photo.casefold(), [])

    def _begun(self, title: _Title) -> list[bytes]:
        """Return the photos whose long names begin so and that no other JSON file names in full.

        A changed copy and the film of a live photo stand for the picture they belong to, where that is there.
        """
        begun = []
        for text, photo in self._sorted[bisect_left(self._sorted, (title.text, b"")) :]:
            if not text.startswith(title.text):
                break
            begun += [photo] if photo not in self._given else []
        numbered = [photo for photo in begun if _without_number(self._texts[photo])[1] == title.number]
        originals = [photo for photo in numbered or begun if not self._is_copy(photo)]
        return originals or numbered or begun

    def _is_copy(self, photo: bytes) -> bool:
        """Whether a photo belongs to another one of the folder: as its film, or as its changed copy."""
        text = self._texts[photo]
        belongs_to = _stills_of(text) if _is_film(photo) else _originals(_parted(text)[0])
        return bool(belongs_to & self._stems)

    def _give_to_copies(self, sidecar: bytes, photo: str) -> None:
        """Give a photo's JSON file to its changed copies and to its film, which have none of their own."""
        stem, extension = _parted(photo)
        films = [] if extension.lower().encode("utf-8", "surrogatepass") in _FILMS else self._films.get(stem, [])
        for copy in (*films, *self._copies.get(stem, [])):
            self._given.setdefault(copy, [sidecar])


def _stills_of(film: str) -> set[str]:
    """Return which stems the picture of a film may have: ``a`` of ``a.mp4``, and ``a.MP`` where it is ``a.MP.jpg``."""
    return {_parted(film)[0], film}


def _grouped(pairs: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for text, name in pairs:
        found.setdefault(text, []).append(name)
    return found


@lru_cache(maxsize=4096)
def _title(name: bytes) -> _Title | None:
    """Return what a JSON file's name tells of its photo; None when it is no file of a photo service's."""
    if name.startswith(b".") or types.extension_of(name) != b".json":
        return None
    whole = _text(name)[: -len(".json")]
    text, number = whole, ""
    if found := _NUMBER.fullmatch(whole):
        text, number = found["rest"], found["number"]
    stem, dot, mark = text.rpartition(".")
    if stem and _MARK.startswith((dot + mark).lower()) and _promises_photo(stem):
        return _Title(stem, number, is_cut=False)
    if _promises_photo(text):
        return _Title(text, number, is_cut=False)
    if max(len(whole), len(whole.encode("utf-8", "surrogatepass"))) >= CUT_AT:
        return _Title(text.rstrip("."), number, is_cut=True)
    return None


def _promises_photo(text: str) -> bool:
    return may_be_photo(text.encode("utf-8", "surrogatepass"))


def _text(name: bytes) -> str:
    """Return a name as text in one form: systems differ in how they write an é."""
    return unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape"))


def _parted(text: str) -> tuple[str, str]:
    stem, dot, extension = text.rpartition(".")
    return (stem, dot + extension) if stem else (text, "")


def _without_number(text: str) -> tuple[str, str]:
    """Return a photo's name without the number of the copy, and that number."""
    stem, extension = _parted(text)
    found = _NUMBER.fullmatch(stem)
    return (text, "") if found is None else (found["rest"] + extension, found["number"])


def _is_film(photo: bytes) -> bool:
    return types.extension_of(photo) in _FILMS


def _originals(stem: str) -> set[str]:
    """Return what the photo may be called of which a stem names the changed copy; empty where it names none."""
    plain, number = stem, ""
    if found := _NUMBER.fullmatch(stem):
        plain, number = found["rest"], f"({found['number']})"
    found_stems = {plain[: -len(mark)] + number for mark in _EDITED if plain.lower().endswith(mark)}
    if len(plain) > CUT_AT:  # the whole name was cut, and its mark with it
        for mark in _EDITED:
            parts = (mark[:length] for length in range(_SHORTEST_PART, len(mark)))
            found_stems |= {plain[: -len(part)] + number for part in parts if plain.lower().endswith(part)}
    return found_stems
