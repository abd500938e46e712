"""Indexes in the data exports of services: which photos each speaks of, and what is told of the index itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gtloc_forensics.examination.listing import Listing
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, export_indexes, opening, reading
from gtloc_forensics.records import Candidate, Scalar, Sentence, Skipped, visible
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Store

INDEX = "export index"
"""Action of the custody event that tells the hash of an index."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What lies in the evidence, with what indexes say given to their photos.

    Attributes:
        listing: a photo has what an index says of it among its sidecars.
        indexes: the indexes that were read → how many of the photos they speak of.
    """

    listing: Listing
    indexes: dict[bytes, int]


def indexed(evidence: Path, listing: Listing) -> Indexed:
    """Read every index that lies in the listing and give each photo what is said of it."""
    possible = [entry for entry in listing.passed_over if _may_be_index(entry)]
    if not possible:
        return Indexed(listing, {})
    photos = export_indexes.Photos(candidate.relative for candidate in listing.candidates)
    said_of: dict[bytes, list[bytes]] = {}
    told: dict[bytes, Skipped] = {}
    indexes: dict[bytes, int] = {}
    for entry in possible:
        try:
            uris = tuple(reading.index_of(evidence, entry.relative))
        except export_indexes.NotRead as error:
            if error.is_recognised:
                reason = Sentence("an index of an export that could not be read: {reason}", reason=error.reason)
                told[entry.relative] = replace(entry, reason=reason, blocks=True)
            continue
        except OSError as error:
            reason = Sentence("it could not be opened to see what it is: {said}", said=opening.words(error))
            told[entry.relative] = replace(entry, reason=reason, blocks=True)
            continue
        found = export_indexes.of_photos(entry.relative, uris, photos)
        for photo, within in found.items():
            said_of.setdefault(photo, []).append(within)
        indexes[entry.relative] = len(found)
        reason = Sentence(
            "an index of an export, read as what a service says of {photos} {photos:?photo|photos}", photos=len(found)
        )
        told[entry.relative] = replace(entry, reason=reason)
    return Indexed(Listing.of(_with(entry, said_of, told) for entry in listing.entries()), indexes)


def _may_be_index(entry: Skipped) -> bool:
    return not entry.blocks and export_indexes.may_be_index(entry.relative.rpartition(b"/")[2])


def _with(
    entry: Candidate | Skipped, said_of: dict[bytes, list[bytes]], told: dict[bytes, Skipped]
) -> Candidate | Skipped:
    if isinstance(entry, Skipped):
        return told.get(entry.relative, entry)
    further = said_of.get(entry.relative)
    return entry if further is None else replace(entry, sidecars=(*entry.sidecars, *further))


def note(store: Store, evidence: Path, found: Indexed, settings: Settings) -> None:
    """Tell the custody chain what each index that speaks of photos hashes to, unless that is what it said last."""
    for relative, photos in found.indexes.items():
        if not photos:
            continue
        subject = visible(relative)
        detail: dict[str, Scalar] = {"sha256": acquiring.rehash(evidence, relative), "photos": photos}
        last = store.last_event(INDEX, subject)
        if last is None or dict(last.detail) != detail:
            with store.writing() as session:
                store.append_event(
                    session, utc_time=settings.instant(), actor=actor(), action=INDEX, subject=subject, detail=detail
                )
