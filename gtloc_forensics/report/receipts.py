"""Receipts of a custody chain: its last hash, given out, so that a chain cut or written anew later is seen.

A receipt is a JSON document. Its part ``sealed`` may be signed (CMS, detached, with
the key that signs reports) and time-stamped (RFC 3161), both over the canonical JSON
of that part. Nothing here uses a network: a request is written, a response read.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import visible
from gtloc_forensics.report.pdf.signing import SignWith, certificate, signer_faults, signer_of

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a receipt vouches for: a chain as it was at one moment."""

    chain_hash: str
    events: int
    utc_time: str
    case_number: str
    exhibit: str
    program: str


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """A receipt, and what can be said of it.

    Attributes:
        sealed: what it vouches for.
        faults: what is wrong with it, a sentence each.
        notes: who signed and stamped it.
        is_signed: whether it carries a signature.
    """

    sealed: Sealed
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    is_signed: bool


def write_receipt(path: Path, sealed: Sealed, *, sign: SignWith | None = None) -> None:
    """Write a receipt to *path*.

    Raises:
        ToolMissing: a signature is wanted and pyHanko is not there.
        UsageError: the key cannot be opened.
    """
    document: dict[str, Any] = {"format": FORMAT, "sealed": asdict(sealed)}
    if sign is not None:
        signer = signer_of(sign)
        made = asyncio.run(signer.async_sign_general_data(_canonical(sealed), "sha256", detached=True))
        document["signature"] = base64.b64encode(made.dump()).decode()
    _write(path, document)


def write_timestamp_request(receipt: Path, request: Path) -> None:
    """Write an RFC 3161 request for a receipt to *request*, to be sent to a time-stamping authority."""
    from asn1crypto import algos, tsp  # type: ignore[import-untyped]

    document = _document(receipt)
    nonce = secrets.randbits(63)
    imprint = {
        "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
        "hashed_message": hashlib.sha256(_canonical(_sealed(receipt, document))).digest(),
    }
    wanted = tsp.TimeStampReq(
        {"version": 1, "message_imprint": tsp.MessageImprint(imprint), "nonce": nonce, "cert_req": True}
    )
    _write(receipt, {**document, "timestamp_nonce": str(nonce)})
    with replaced(request) as draft:
        draft.write_bytes(wanted.dump())


def attach_timestamp(receipt: Path, response: Path) -> datetime:
    """Check the answer of a time-stamping authority, attach it to the receipt and return the time that it states.

    Raises:
        UsageError: it is no answer, a refusal, or the stamp of something else.
    """
    from asn1crypto import tsp

    document = _document(receipt)
    try:
        answer = tsp.TimeStampResp.load(response.read_bytes(), strict=True)
        status = answer["status"]["status"].native
        token = answer["time_stamp_token"]
        granted = status in ("granted", "granted_with_mods")
        stamp = token.dump() if granted else b""
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{response} is no answer of a time-stamping authority: {visible(str(error))}") from None
    if not granted:
        raise UsageError(f"the time-stamping authority refused ({status}); ask again")
    faults, moment, _ = _stamp(stamp, _sealed(receipt, document), document.get("timestamp_nonce"), ())
    if faults or moment is None:
        raise UsageError(f"{response} does not stamp {receipt}: {'; '.join(faults)}")
    _write(receipt, {**document, "timestamp": base64.b64encode(stamp).decode()})
    return moment


def check_receipt(path: Path, *, trust: Sequence[Path] = ()) -> ReceiptCheck:
    """Return what a receipt vouches for, and what is wrong with its signature and its time stamp.

    Args:
        path: the receipt.
        trust: certificates (PEM or DER); when given, signer and authority must lead to one of them.

    Raises:
        UsageError: it is no receipt, or one of *trust* no certificate.
        ToolMissing: it is signed and pyHanko is not there.
    """
    roots = [certificate(reading) for reading in trust]
    document = _document(path)
    sealed = _sealed(path, document)
    faults: list[str] = []
    notes: list[str] = []
    if "signature" in document:
        found, name = _guarded(lambda: _signature(document["signature"], sealed, roots), "its signature")
        faults += found
        notes.append(f"signed by {name}" + ("" if roots else "; the signer was not checked"))
    elif roots:
        faults.append("it is not signed")
    if "timestamp" in document:
        stamp = base64.b64decode(document["timestamp"])
        nonce = document.get("timestamp_nonce")
        found, moment, name = _guarded_stamp(lambda: _stamp(stamp, sealed, nonce, roots))
        faults += found
        if moment is not None:
            notes.append(f"time-stamped {moment.astimezone(UTC).isoformat()} by {name}")
    return ReceiptCheck(sealed, tuple(faults), tuple(notes), "signature" in document)


def _guarded(check: Callable[[], tuple[list[str], str]], what: str) -> tuple[list[str], str]:
    try:
        return check()
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return [f"{what} cannot be read: {visible(str(error))}"], "nobody"


def _guarded_stamp(
    check: Callable[[], tuple[list[str], datetime | None, str]],
) -> tuple[list[str], datetime | None, str]:
    try:
        return check()
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return [f"its time stamp cannot be read: {visible(str(error))}"], None, ""


def _signature(text: str, sealed: Sealed, roots: Sequence[Any]) -> tuple[list[str], str]:
    from asn1crypto import cms

    content = cms.ContentInfo.load(base64.b64decode(text), strict=True)
    digest = hashlib.sha256(_canonical(sealed)).digest()
    signer, others, faults = _integrity(content["content"], "data", digest, "its signature does not belong to it")
    if roots and not faults:
        faults = signer_faults(signer, others, roots, signed=None)
    return faults, visible(signer.subject.human_friendly)


def _stamp(
    stamp: bytes, sealed: Sealed, nonce: str | None, roots: Sequence[Any]
) -> tuple[list[str], datetime | None, str]:
    from asn1crypto import cms

    signed_data = cms.ContentInfo.load(stamp, strict=True)["content"]
    content = signed_data["encap_content_info"]["content"]
    info, raw = content.parsed, content.contents
    algorithm = signed_data["signer_infos"][0]["digest_algorithm"]["algorithm"].native
    digest = hashlib.new(algorithm, bytes(content)).digest() if raw else b""
    authority, others, faults = _integrity(signed_data, "tst_info", digest, "its time stamp was altered")
    imprint = info["message_imprint"]
    wanted = hashlib.new(imprint["hash_algorithm"]["algorithm"].native, _canonical(sealed)).digest()
    if imprint["hashed_message"].native != wanted:
        faults.append("its time stamp is that of something else")
    if nonce is not None and str(info["nonce"].native) != nonce:
        faults.append("its time stamp answers another request")
    moment: datetime = info["gen_time"].native
    usage = authority.extended_key_usage_value
    if usage is None or "time_stamping" not in usage.native:
        faults.append("the certificate of its time stamp is none of a time-stamping authority")
    if roots and not faults:
        faults += [f"its time stamp: {fault}" for fault in signer_faults(authority, others, roots, signed=moment)]
    return faults, moment, visible(authority.subject.human_friendly)


def _integrity(signed_data: Any, kind: str, digest: bytes, fault: str) -> tuple[Any, list[Any], list[str]]:
    """Return the signer's certificate, the others, and *fault* when the signature is not one of that digest."""
    from pyhanko.sign.general import extract_certificate_info, extract_signer_info
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    certificates = extract_certificate_info(signed_data)
    signer = certificates.signer_cert
    intact, valid = validate_sig_integrity(
        extract_signer_info(signed_data), cert=signer, expected_content_type=kind, actual_digest=digest
    )
    return signer, list(certificates.other_certs), [] if intact and valid else [fault]


# --------------------------------------------------------------------------- the document


def _canonical(sealed: Sealed) -> bytes:
    return json.dumps(asdict(sealed), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{path} cannot be read as a receipt; `gtloc seal` writes one") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"{path} is no receipt that this program knows; `gtloc seal` writes one")
    return document


def _sealed(path: Path, document: Mapping[str, Any]) -> Sealed:
    try:
        sealed = Sealed(**document["sealed"])
    except (KeyError, TypeError):
        raise UsageError(f"{path} is no receipt that this program knows; `gtloc seal` writes one") from None
    return sealed


def _write(path: Path, document: Mapping[str, Any]) -> None:
    with replaced(path) as draft:
        draft.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
