"""What :mod:`gtloc_forensics.case.verifying` compares: the chain, the database, the header, the products, the evidence.

Everything streams: of a photo nothing stays in memory but two short digests.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gtloc_forensics.case import exports
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.products import ELSEWHERE, FINDINGS, IN_CASE, REPORT
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import DamagedCase, ForensicsError
from gtloc_forensics.examination import acquisition
from gtloc_forensics.examination.acquisition import CONTAINER
from gtloc_forensics.examination.results import digest_of
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.files.hashing import sha256_of
from gtloc_forensics.records import Candidate, CustodyEvent, Skipped, Source, visible
from gtloc_forensics.store.binding import altered, damage, raw_custody, raw_header
from gtloc_forensics.store.custody import ChainCheck, read_event
from gtloc_forensics.store.database import Store

HEADER_FIELDS = (
    *("case_number", "exhibit", "examiner", "agency", "legal_authority"),
    *("evidence_folder", "opened_utc"),
)

LISTED_IN = "MANIFEST.sha256"
"""What a product that is a folder keeps the hashes of its files in; the chain records the hash of that."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A hash of the chain that was given out earlier.

    Attributes:
        name: where it comes from, in words.
        chain_hash: the hash of the event that was the last one then.
        events: how many events the chain had then; None when that is not known.
    """

    name: str
    chain_hash: str
    events: int | None = None


def read_through(subject: str, differences: Iterable[Difference]) -> Iterator[Difference]:
    """Yield *differences*; that one part of a case cannot be read is a difference, and the other parts go on."""
    try:
        yield from differences
    except DamagedCase as error:
        yield Difference(subject, error.what)
    except (ForensicsError, OSError, sqlite3.Error) as error:
        yield Difference(subject, f"it could not be checked: {error}")


@dataclass(slots=True)
class Chain:
    """The custody chain, gone through once: what is wrong with it, and what it says of everything else."""

    anchors: Sequence[Anchor] = ()
    events: int = 0
    last_hash: str = ""
    anchored_events: int | None = None
    examinations: dict[str, CustodyEvent] = field(default_factory=dict)  # fingerprint → its event
    newest: str = ""  # the fingerprint that was concluded last
    header: dict[str, str] = field(default_factory=dict)  # as its events leave it
    begins_with_header: bool = False  # then a field that no event names was never filled in
    containers: dict[str, CustodyEvent] = field(default_factory=dict)  # name → what was said of it last
    products: dict[tuple[str, str], list[CustodyEvent]] = field(default_factory=dict)  # (place, name)
    _acquired: set[bytes] = field(default_factory=set)

    def check(self, store: Store) -> Iterator[Difference]:
        """Go through the chain and yield what is wrong with it."""
        checking, found = ChainCheck(), dict[str, int]()
        with store.engine.connect() as connection:
            for row in raw_custody(connection):
                for sentence in checking.faults(row):
                    yield Difference("custody chain", visible(sentence))
                self.events += 1
                self.last_hash = row[-1]
                if any(anchor.chain_hash == row[-1] for anchor in self.anchors):
                    found[row[-1]] = self.events
                try:
                    self._take(read_event(row))
                except ValueError:
                    continue  # the faults above name it
        for anchor in self.anchors:
            yield from self._compare(anchor, found.get(anchor.chain_hash))

    def _compare(self, anchor: Anchor, place: int | None) -> Iterator[Difference]:
        if place is None:
            sentence = f"the hash {anchor.chain_hash} of {anchor.name} is not in it: it was cut, or written anew since"
            yield Difference("custody chain", sentence)
            return
        if anchor.events is not None and anchor.events != place:
            yield Difference(
                "custody chain", f"{anchor.name} counted {anchor.events} events up to its hash, now there are {place}"
            )
        self.anchored_events = max(place, self.anchored_events or 0)

    def _take(self, event: CustodyEvent) -> None:
        if event.action == "acquire":
            self._acquired.add(_short(event.subject, event.detail.get("sha256")))
            sidecars = {name: value for name, value in event.detail.items() if name.startswith("sidecar ")}
            self._acquired |= {_short(event.subject, name, value) for name, value in sidecars.items()}
            if sidecars:
                self._acquired.add(_short(event.subject, event.detail.get("sha256"), "with sidecars"))
        elif event.action == "analyse":
            self.newest = str(event.detail.get("examination"))
            self.examinations[self.newest] = event
        elif event.action == CONTAINER:
            self.containers[event.subject] = event
        elif event.action == "header":
            self.begins_with_header |= self.events == 1
            self.header.update({name: str(value) for name, value in event.detail.items()})
        elif event.action in ("report", "export"):
            place = str(event.detail.get("place", ""))
            self.products.setdefault((place, event.subject), []).append(event)

    def acquired(self, source: Source) -> bool:
        """Whether the chain holds an acquisition of that path with that hash."""
        return _short(source.display_path, source.sha256) in self._acquired

    def acquired_sidecar(self, source: Source, relative: bytes, sha256: str) -> bool:
        """Whether the chain holds an acquisition of that sidecar of that path with that hash.

        An older event names no sidecars, and so contradicts none.
        """
        if _short(source.display_path, source.sha256, "with sidecars") not in self._acquired:
            return True
        return _short(source.display_path, f"sidecar {visible(relative)}", sha256) in self._acquired

    @property
    def binds_all(self) -> bool:
        """Whether the newest examination binds everything that a report prints of it."""
        event = self.examinations.get(self.newest)
        return event is not None and "bound_sha256" in event.detail

    def not_bound(self, has_examination: bool) -> tuple[str, ...]:
        """Return what nothing binds, a sentence each: an older program made it."""
        said = []
        if has_examination and not self.binds_all:
            said.append(
                "statuses, causes, clocks, reasons, environment, claims, predictions, previews, sidecars, file times, "
                "passed-over files: an older program concluded this examination and bound its findings alone"
            )
        if not self.begins_with_header:
            said.append("what of the header no event names: an older program began this case")
        unplaced = sorted({name for place, name in self.products if not place})
        said += [f"{name}: its event names no folder; an older program wrote it" for name in unplaced]
        return tuple(said)


def _short(*words: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, words)).encode(errors="surrogateescape"), digest_size=12).digest()


# --------------------------------------------------------------------------- the database


def database(case: CaseFolder, chain: Chain) -> Iterator[Difference]:
    """Yield what of the database is not as the chain says."""
    store = case.store
    with store.engine.connect() as connection:
        for sentence in damage(connection):
            yield Difference("case database", sentence)
    for sentence in store.trigger_faults():
        yield Difference("case database", sentence)
    if chain.newest and store.examination(chain.newest) is None:
        yield Difference("case database", f"the examination {chain.newest} that the chain records is gone")
    row = store.examination()
    if row is None:
        return
    stated = chain.examinations.get(row.fingerprint)
    with store.reading() as session:
        now = digest_of(store.verdicts(session, row.id))
    if stated is None or stated.detail.get("verdicts_sha256") != now:
        yield Difference("case database", "what was concluded of the photos is not what the custody chain recorded")
    # The chain's own word on which examination is bound, whatever the row calls itself now.
    event = stated or chain.examinations.get(chain.newest)
    if event is None or "bound_sha256" not in event.detail:
        return
    fingerprint = str(event.detail["examination"])
    with store.engine.connect() as connection:
        for item in altered(connection, row.id, fingerprint, str(event.detail["bound_sha256"])):
            yield Difference(item.row, item.what)


def header(store: Store, chain: Chain) -> Iterator[Difference]:
    """Yield which fields of the case header are not as the chain's events leave them."""
    if not chain.header:
        return
    with store.engine.connect() as connection:
        now = raw_header(connection, HEADER_FIELDS)
    if now is None:
        yield Difference("case_header id=1", "it is gone")
        return
    for name in HEADER_FIELDS:
        is_bound = name in chain.header or chain.begins_with_header
        if is_bound and now[name] != chain.header.get(name, ""):
            yield Difference("case_header id=1", f"its {name} was altered")


# --------------------------------------------------------------------------- the products


def products(case: CaseFolder, chain: Chain) -> Iterator[Difference]:
    """Yield which reports and exports are not the files that the chain records."""
    for (place, name), events in chain.products.items():
        path = Path(name) if place == ELSEWHERE else case.folder / name
        if not path.is_file():
            if place == IN_CASE:
                moment = f"{events[-1].utc_time.isoformat()} UTC"
                yield Difference(name, f"it is gone: the custody chain says that it was written at {moment}")
            continue
        # An older event does not say in which folder: any file of that name may be the one that lies here.
        recorded = {event.detail.get("sha256") for event in (events if not place else events[-1:])}
        newer = chain.products.get((IN_CASE, name)) if not place else None
        if newer is None and sha256_of(path.resolve()) not in recorded:
            yield Difference(name, "it is not the file that the custody chain recorded")
        elif path.name == LISTED_IN:
            yield from _not_as_listed(path, name)
    known = {name for place, name in chain.products if place != ELSEWHERE}
    for name in (FINDINGS, REPORT, *(f"findings.{form.suffix}" for form in exports.BUILT_IN)):
        if name not in known and (case.folder / name).is_file():
            known.add(name)
            yield Difference(name, "it is there, and the custody chain does not say that it was written")


def _not_as_listed(manifest: Path, name: str) -> Iterator[Difference]:
    """Yield the files of a folder that are not those its manifest lists, and those it does not list."""
    listed = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        digest, _, inner = line.partition("  ")
        listed[inner] = digest
        path = manifest.parent / inner
        if not path.is_file():
            yield Difference(f"{name}: {inner}", "it is gone, and its manifest lists it")
        elif sha256_of(path.resolve()) != digest:
            yield Difference(f"{name}: {inner}", "it is not the file that its manifest lists")
    for path in sorted(path for path in manifest.parent.rglob("*") if path.is_file() and path != manifest):
        if (inner := path.relative_to(manifest.parent).as_posix()) not in listed:
            yield Difference(f"{name}: {inner}", "it is there, and its manifest does not list it")


# --------------------------------------------------------------------------- the evidence


class Evidence:
    """The folder of photos against what the case holds of it."""

    def __init__(self, case: CaseFolder, chain: Chain) -> None:
        """Compare with what *case* holds, under what *chain* says."""
        self._case = case
        self._chain = chain
        self._known: dict[bytes, tuple[bytes, ...]] = {}  # digest of the path → its sidecars, of which few have any
        self.members = 0

    def check(self, view: StoredCase) -> Iterator[Difference]:
        """Yield what differs: changed, gone, new."""
        yield from self._container()
        passed_over = {entry.relative: entry for entry in view.passed_over()}
        for member in self._case.store.members(view.examination_id):
            self.members += 1
            try:
                source, known, _ = self._case.store.source(member.source_row)
            except DamagedCase as error:
                yield Difference(f"source id={member.source_row}", f"it cannot be read: {error.what}")
                continue
            yield from self._source(source, known.sidecars)
        yield from self._arrived(passed_over)

    def _container(self) -> Iterator[Difference]:
        """Hash the image or archive again, and compare it with what the chain says of it."""
        identity = reading.identity_of(self._case.evidence)
        if identity is None:
            return
        name = visible(identity.parts[0].name)
        stated = self._chain.containers.get(name)
        if stated is None:
            yield Difference(name, "the custody chain holds no word of this container")
            return
        now = acquisition.facts(identity)
        for field_name in sorted({*now, *stated.detail}):
            if field_name.startswith(("sha256", "content", "stated", "media")):
                before, after = stated.detail.get(field_name), now.get(field_name)
                if before != after:
                    yield Difference(
                        name, f"its {field_name} was {before or 'not there'} and is {after or 'not there'}"
                    )
        if identity.mismatch is not None:
            yield Difference(name, str(identity.mismatch))

    def _source(self, source: Source, sidecars: Mapping[bytes, str]) -> Iterator[Difference]:
        name = source.display_path
        if not self._chain.acquired(source):
            yield Difference(name, "the custody chain holds no acquisition of it with this hash")
        now = acquiring.recheck(self._case.evidence, source)
        if now.sha256 != source.sha256:
            yield Difference(name, now.reason or "its content changed")
        for change in acquiring.sidecar_changes(self._case.evidence, sidecars):
            yield Difference(name, change)
        for relative, sha256 in sidecars.items():
            if not self._chain.acquired_sidecar(source, relative, sha256):
                sentence = f"the custody chain holds no acquisition of its sidecar {visible(relative)} with this hash"
                yield Difference(name, sentence)
        self._known[_path(source.relative)] = tuple(sidecars)

    def _arrived(self, passed_over: Mapping[bytes, Skipped]) -> Iterator[Difference]:
        evidence = self._case.evidence
        for entry in reading.entries(evidence, self._reach()) if reading.is_there(evidence) else ():
            name, known = visible(entry.relative), self._known.get(_path(entry.relative))
            before = passed_over.get(entry.relative)
            if known is None and before is None:
                yield Difference(name, "it was not there when the case was examined")
            elif known is not None and isinstance(entry, Skipped):
                yield Difference(name, f"it was examined as a photo and is none any more: {entry.reason}")
            elif before is not None and not before.blocks and (isinstance(entry, Candidate) or entry.blocks):
                yield Difference(name, f"it was passed over ({before.reason}) and is something else now")
            elif isinstance(entry, Candidate) and known is not None:
                yield from self._sidecars(entry, known)

    def _reach(self) -> reading.Reach:
        """Return how far the container was looked into when it was examined; for a folder it means nothing."""
        stated = self._chain.containers.get(visible(os.fsencode(self._case.evidence.name)))
        return reading.LISTED if stated is None else acquisition.reach_of(stated.detail)

    def _sidecars(self, candidate: Candidate, known: Sequence[bytes]) -> Iterator[Difference]:
        """Name the sidecars that came later; those that are gone were named with the photo."""
        for relative in candidate.sidecars:
            if relative not in known and self._could_be_read(relative):
                sentence = f"its sidecar {visible(relative)} was not there when the case was examined"
                yield Difference(visible(candidate.relative), sentence)

    def _could_be_read(self, relative: bytes) -> bool:
        """Whether a sidecar is one that an examination reads: one too large was left out then too."""
        stat = acquiring.stat_key(self._case.evidence, relative)
        is_short = bool(stat) and stat[0] <= acquiring.SIDECAR_LIMIT_BYTES
        return is_short and bool(acquiring.rehash(self._case.evidence, relative))


def _path(relative: bytes) -> bytes:
    return hashlib.blake2b(relative, digest_size=12).digest()
