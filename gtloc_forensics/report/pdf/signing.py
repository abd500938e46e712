"""Signatures on reports: PAdES B-B with pyHanko, made and checked without a network.

A signature covers every byte of the file but itself; the bytes in which it is kept
are checked here too, so that no single byte of a signed report can change unseen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, unique
from io import BytesIO
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import ToolMissing, UsageError
from gtloc_forensics.records import visible

_FIELD = "ReportSignature"
# What a signed PDF holds in clear; no single changed byte removes all of them.
_TRACES = (b"/ByteRange", b"ETSI.CAdES.detached", b"/Type /Sig", _FIELD.encode())
_GAP = re.compile(rb"<([0-9a-fA-F]+)>")


@dataclass(frozen=True, slots=True)
class SignWith:
    """A key to sign a report with: a PKCS#12 file and what opens it."""

    key: Path
    passphrase: bytes | None = None
    reason: str = ""
    place: str = ""


@unique
class Verdict(Enum):
    """What can be said of a file that may carry a signature."""

    VALID = "valid"
    ALTERED = "altered"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class PdfVerdict:
    """How the check of one PDF ended.

    ``trusted`` says that the signer's certificate leads to one the examiner trusts;
    a valid signature of an unknown signer shows only that nobody changed the file since.
    """

    path: Path
    verdict: Verdict
    sha256: str
    differences: tuple[str, ...] = ()  # one sentence each; empty unless altered
    signer: str = ""
    certificate_sha256: str = ""
    signed_utc: datetime | None = None  # naive, as the signer's clock said
    trusted: bool = False


def signed(path: Path, sign: SignWith) -> None:
    """Sign the PDF at *path* in place.

    Raises:
        ToolMissing: without pyHanko.
        UsageError: when the key cannot be opened.
    """
    _pyhanko()
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    meta = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        reason=sign.reason or None,
        location=sign.place or None,
    )
    out = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(path.read_bytes())), meta, signer=_signer(sign))
    path.write_bytes(out.getvalue())


def _signer(sign: SignWith) -> Any:
    from pyhanko.sign import signers

    try:
        load: Any = signers.SimpleSigner.load_pkcs12
        signer = load(str(sign.key), passphrase=sign.passphrase)
    except (OSError, ValueError) as problem:
        raise UsageError(f"the key {sign.key} cannot be read: {problem}; give a PKCS#12 file") from None
    if signer is None:
        raise UsageError(f"the key {sign.key} cannot be opened; give a PKCS#12 file and its passphrase")
    return signer


def _pyhanko() -> None:
    try:
        import pyhanko.sign  # noqa: F401
    except ModuleNotFoundError:
        raise ToolMissing("pyHanko", "install it with: pip install 'gtloc_forensics[sign]'") from None


# --------------------------------------------------------------------------- verification


def verify_pdf(path: Path, *, trust: Sequence[Path] = (), expected_sha256: str = "") -> PdfVerdict:
    """Say whether a report is as it was signed.

    Args:
        path: the PDF.
        trust: certificates (PEM or DER) whose signatures count as those of a known signer.
        expected_sha256: the hash of the file as the custody chain recorded it, when it did.

    Raises:
        OSError: when the file cannot be read.
        ToolMissing: without pyHanko.
    """
    _pyhanko()
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    differences = []
    if expected_sha256 and sha256 != expected_sha256:
        differences.append(f"the file's SHA-256 is {sha256}, recorded was {expected_sha256}")
    try:
        signatures = _signatures(data)
    except _unreadable() as problem:
        differences.append(f"the file is not readable as a PDF: {visible(str(problem))}")
        return PdfVerdict(path, Verdict.ALTERED, sha256, tuple(differences))
    if not signatures:
        if any(trace in data for trace in _TRACES):
            differences.append("the file holds parts of a signature but no signature that can be checked")
        verdict = Verdict.ALTERED if differences else Verdict.UNSIGNED
        return PdfVerdict(path, verdict, sha256, tuple(differences))
    return _checked(path, data, signatures[-1], tuple(trust), tuple(differences))


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what pyHanko and the parsers below it raise on damaged input."""
    from pyhanko.pdf_utils.misc import PdfError

    return (
        PdfError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
        NotImplementedError,
    )


def _signatures(data: bytes) -> list[Any]:
    from pyhanko.pdf_utils.reader import PdfFileReader

    return list(PdfFileReader(BytesIO(data), strict=True).embedded_signatures)


def _checked(path: Path, data: bytes, signature: Any, trust: tuple[Path, ...], found: tuple[str, ...]) -> PdfVerdict:
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        differences = [*found, *_signature_faults(signature), *_gap_faults(data, signature)]
        differences += _container_faults(signature)
        certificate = signature.signer_cert
        when = signature.self_reported_timestamp
    except _unreadable() as problem:
        return PdfVerdict(path, Verdict.ALTERED, sha256, (*found, f"the signature is damaged: {visible(str(problem))}"))
    return PdfVerdict(
        path=path,
        verdict=Verdict.ALTERED if differences else Verdict.VALID,
        sha256=sha256,
        differences=tuple(differences),
        signer=visible(certificate.subject.human_friendly),
        certificate_sha256=hashlib.sha256(certificate.dump()).hexdigest(),
        signed_utc=when.astimezone(UTC).replace(tzinfo=None) if when else None,
        trusted=bool(trust) and not differences and _trusted(signature, trust),
    )


def _signature_faults(signature: Any) -> list[str]:
    """Check digest, signature and coverage; whose certificate it is, is another question."""
    from pyhanko.sign.validation import SignatureCoverageLevel
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    signature.compute_integrity_info()
    intact, valid = validate_sig_integrity(
        signature.signer_info,
        cert=signature.signer_cert,
        expected_content_type="data",
        actual_digest=signature.compute_digest(),
    )
    faults = []
    if not intact:
        faults.append("the signed bytes have been changed since")
    if not valid:
        faults.append("the signature does not belong to these bytes and this certificate")
    if signature.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        faults.append("something was added to the file after it was signed")
    return faults


def _trusted(signature: Any, trust: tuple[Path, ...]) -> bool:
    from pyhanko import keys
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    load: Any = keys.load_cert_from_pemder
    roots = [load(str(one)) for one in trust]
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots, allow_fetching=False))
    return bool(status.trusted)


def _gap_faults(data: bytes, signature: Any) -> list[str]:
    """Check that what the signature leaves out is the signature itself and zeros, nothing else."""
    from asn1crypto.parser import peek  # type: ignore[import-untyped]

    start, length, resume, rest = (int(number) for number in signature.byte_range)
    gap = _GAP.fullmatch(data[start + length : resume])
    if start != 0 or resume + rest != len(data) or gap is None:
        return ["the signature does not cover the whole file"]
    digits = gap.group(1)
    kept = bytes.fromhex(digits.decode("ascii")) if len(digits) % 2 == 0 else b""
    regular = digits in (digits.lower(), digits.upper())  # one letter in the other case would read the same
    if kept and regular and not kept[peek(kept) :].strip(b"\0"):
        return []
    return ["the bytes that hold the signature have been changed"]


def _container_faults(signature: Any) -> list[str]:
    """Check the parts of the signature's container that the signature itself does not cover.

    All of them follow from what is signed, so they are written anew from that and
    compared; the certificate must be the one whose hash was signed.
    """
    from asn1crypto import cms  # type: ignore[import-untyped]

    attributes = {one["type"].native: one["values"][0] for one in signature.signer_info["signed_attrs"]}
    named = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    if named != hashlib.sha256(signature.signer_cert.dump()).digest():
        return ["the certificate is not the one that was signed with"]
    algorithms = attributes.get("cms_algorithm_protection", signature.signer_info)
    content = {
        "version": "v1",
        "digest_algorithms": [algorithms["digest_algorithm"]],
        "encap_content_info": {"content_type": "data"},
        "certificates": signature.signed_data["certificates"],
        "signer_infos": [_signer_info(signature, algorithms)],
    }
    whole = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)}).dump()
    same = bool(signature.pkcs7_content[: len(whole)] == whole)
    return [] if same else ["the container of the signature has been changed"]


def _signer_info(signature: Any, algorithms: Any) -> Any:
    from asn1crypto import cms, core

    certificate, info = signature.signer_cert, signature.signer_info
    whose = cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number})
    fields = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": whose}),
        "digest_algorithm": algorithms["digest_algorithm"],
        "signature_algorithm": algorithms["signature_algorithm"],
        "signed_attrs": info["signed_attrs"],
        "signature": info["signature"],
    }
    if info["unsigned_attrs"] is not core.VOID and not isinstance(info["unsigned_attrs"], core.Void):
        fields["unsigned_attrs"] = info["unsigned_attrs"]
    return cms.SignerInfo(fields)
