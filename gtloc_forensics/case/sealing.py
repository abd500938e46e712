"""Giving out the hash of a case's custody chain, and reading it from what was given out: receipts, reports, a hash."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.case.comparing import Anchor, Chain
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.errors import CaseError, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.records import CaseHeader, visible

if TYPE_CHECKING:
    from gtloc_forensics.report import SignWith

RECEIPT = "receipt.json"

_HASH = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class ReadAnchor:
    """A hash that was given out, and what is wrong with, or to be said of, what it was given out in."""

    anchor: Anchor
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def seal(case: CaseFolder, path: Path | None = None, *, sign: SignWith | None = None) -> Path:
    """Write a receipt of the custody chain as it is now; return where.

    Sealing is an event itself, and the hash is that of this event.

    Args:
        case: any case.
        path: the file, outside the evidence; ``receipt.json`` in the case folder when left out. It is of use elsewhere.
        sign: a key to sign it with.

    Raises:
        CaseError: the chain does not hold.
        EvidenceTreeError: the file would lie inside the evidence.
        UsageError: the key cannot be opened.
    """
    from gtloc_forensics.report.receipts import Sealed, write_receipt

    target = path or case.folder / RECEIPT
    refuse_inside(target, case.evidence)
    with case.locked():
        case.note("seal", "case", {"signed": sign is not None})
    chain = Chain()
    faults = list(chain.check(case.store))
    if faults:
        raise CaseError(f"the custody chain does not hold ({faults[0].what}); `gtloc verify` names everything")
    moment = Settings().instant().isoformat()
    header = case.store.header() or CaseHeader()
    sealed = Sealed(
        chain_hash=chain.last_hash,
        events=chain.events,
        utc_time=moment,
        case_number=header.case_number,
        exhibit=header.exhibit,
        program=f"gtloc_forensics {version('gtloc_forensics')}",
    )
    write_receipt(target, sealed, sign=sign)
    return target


def read_anchor(given: str, *, trust: Sequence[Path] = ()) -> ReadAnchor:
    """Return the hash that was given out as *given*: 64 hexadecimal digits, a report (PDF), or a receipt.

    Raises:
        UsageError: it is none of them, or a report without the hash of a chain.
        OSError: the file cannot be read.
    """
    if _HASH.fullmatch(given):
        return ReadAnchor(Anchor("the hash given", given.lower()))
    path = Path(given)
    if not path.is_file():
        raise UsageError(f"--anchor takes a hash of 64 hexadecimal digits, a report or a receipt, not {given!r}")
    with path.open("rb") as stream:
        is_pdf = stream.read(1024).lstrip().startswith(b"%PDF")
    return _from_report(path) if is_pdf else _from_receipt(path, trust)


def _from_report(path: Path) -> ReadAnchor:
    from gtloc_forensics.report.pdf.signing import printed_chain

    printed = printed_chain(path.read_bytes())
    if printed is None:
        raise UsageError(
            f"{path} names no hash of a custody chain; a report of an older program only prints it: copy it"
        )
    chain_hash, events = printed
    return ReadAnchor(Anchor(f"the report {visible(str(path))}", chain_hash, events))


def _from_receipt(path: Path, trust: Sequence[Path]) -> ReadAnchor:
    from gtloc_forensics.report.receipts import check_receipt

    found = check_receipt(path, trust=trust)
    sealed = found.sealed
    name = f"the receipt {visible(str(path))}"
    anchor = Anchor(name, sealed.chain_hash, sealed.events)
    return ReadAnchor(
        anchor, tuple(f"{name}: {fault}" for fault in found.faults), tuple(f"{name}: {note}" for note in found.notes)
    )
