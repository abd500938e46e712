"""Signatures on reports: PAdES B-B with pyHanko, made and checked without a network.

A signature covers every byte of the file but itself; the bytes in which it is kept
are checked here too, so that no single byte of a signed report can change unseen.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
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
_CHAIN = re.compile(rb"custody chain SHA-256 ([0-9a-f]{64}) of ([0-9]{1,12}) events")
"""How a report names its custody chain in the properties of the document; :mod:`.document` writes it."""

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
    """What can be said of a file that may carry a signature.

    ``VALID``: intact, and the signer's certificate leads to one that the examiner trusts.
    ``UNCHECKED``: intact, but nobody said whom to trust; anybody may have signed it.
    ``UNTRUSTED``: intact, but the signer is none of those that the examiner trusts.
    """

    VALID = "valid"
    UNCHECKED = "intact; the signer was not checked"
    UNTRUSTED = "intact; the signer is not trusted"
    ALTERED = "altered"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class PdfVerdict:
    """How the check of one PDF ended.

    ``differences`` holds a sentence for each thing that is wrong: with the bytes, or with the signer.
    """

    path: Path
    verdict: Verdict
    sha256: str
    differences: tuple[str, ...] = ()
    signer: str = ""
    certificate_sha256: str = ""
    signed_utc: datetime | None = None  # naive, as the signer's clock said

    @property
    def trusted(self) -> bool:
        """Whether the signer's certificate leads to one that the examiner trusts."""
        return self.verdict is Verdict.VALID


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
    out = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(path.read_bytes())), meta, signer=signer_of(sign))
    path.write_bytes(out.getvalue())


def signer_of(sign: SignWith) -> Any:
    """Return what signs with that key.

    Raises:
        ToolMissing: without pyHanko.
        UsageError: when the key cannot be opened.
    """
    _pyhanko()
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
    for name in ("pyhanko", "pyhanko_certvalidator"):  # what it would log is said in our words
        logging.getLogger(name).addHandler(logging.NullHandler())
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
        UsageError: one of *trust* is no certificate.
        ToolMissing: without pyHanko.
    """
    _pyhanko()
    roots = [certificate(reading) for reading in trust]
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
    return _checked(path, data, signatures[-1], roots, tuple(differences))


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


def _checked(path: Path, data: bytes, signature: Any, roots: Sequence[Any], found: tuple[str, ...]) -> PdfVerdict:
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        differences = [*found, *_signature_faults(signature), *_gap_faults(data, signature)]
        differences += _container_faults(signature)
        certificate = signature.signer_cert
        when = signature.self_reported_timestamp
        name = visible(certificate.subject.human_friendly)
    except _unreadable() as problem:
        return PdfVerdict(path, Verdict.ALTERED, sha256, (*found, f"the signature is damaged: {visible(str(problem))}"))
    if differences:
        verdict = Verdict.ALTERED
    elif not roots:
        verdict = Verdict.UNCHECKED
    else:
        differences = signer_faults(certificate, signature.other_embedded_certs, roots, signed=when)
        verdict = Verdict.UNTRUSTED if differences else Verdict.VALID
    return PdfVerdict(
        path=path,
        verdict=verdict,
        sha256=sha256,
        differences=tuple(differences),
        signer=name,
        certificate_sha256=hashlib.sha256(certificate.dump()).hexdigest(),
        signed_utc=when.astimezone(UTC).replace(tzinfo=None) if when else None,
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


def certificate(path: Path) -> Any:
    """Return the certificate in a PEM or DER file.

    Raises:
        UsageError: it holds none.
        ToolMissing: without pyHanko.
    """
    _pyhanko()
    from pyhanko import keys

    load: Any = keys.load_cert_from_pemder
    trouble: tuple[type[Exception], ...] = (OSError, *_unreadable())
    try:
        found = load(str(path))
        found.dump()
        _ = (found.subject.human_friendly, found.public_key)
    except trouble:
        raise UsageError(f"{path} is no certificate; --trust takes one in a PEM or DER file") from None
    return found


def signer_faults(signer: Any, others: Iterable[Any], roots: Sequence[Any], *, signed: datetime | None) -> list[str]:
    """Return why *signer* is not trusted, a sentence each; none when its certificate leads to one of *roots*.

    Its validity is looked at for today and for the moment that the signer's clock
    named; its usage must allow to sign documents.

    Args:
        signer: the certificate.
        others: certificates that lie beside it and may lead to a root.
        roots: the certificates that the examiner trusts.
        signed: when it signed, by its own word.
    """
    from pyhanko.sign.validation.settings import KeyUsageConstraints
    from pyhanko_certvalidator import CertificateValidator, ValidationContext
    from pyhanko_certvalidator.errors import PathError, ValidationError

    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    faults = _date_faults(signer, signed)
    try:
        if signer.key_usage_value is not None:  # without one a certificate is for every use
            usage.validate(signer)
        context = ValidationContext(trust_roots=list(roots), allow_fetching=False, moment=_within(signer))
        validator = CertificateValidator(signer, list(others), validation_context=context)
        asyncio.run(validator.async_validate_path())
    except (PathError, ValidationError, ValueError, TypeError) as problem:
        key = signer.public_key.dump()
        same = [root for root in roots if root.subject == signer.subject and root.public_key.dump() != key]
        if same:
            name = visible(signer.subject.human_friendly)
            sentence = f"a stranger signed it: one who calls himself {name}, as a trusted certificate does, "
            faults.append(sentence + "but holds another key; what it says need not be what was signed first")
        else:
            faults.append(f"its certificate leads to none that is trusted: {visible(str(problem))}")
    return faults


def _within(signer: Any) -> datetime:
    """Return a moment at which the certificate is valid, today if it can be: its dates are told apart."""
    now: datetime = datetime.now(UTC)
    first, last = signer.not_valid_before, signer.not_valid_after
    return min(max(now, first), last)  # type: ignore[no-any-return]


def _date_faults(signer: Any, signed: datetime | None) -> list[str]:
    first, last = signer.not_valid_before, signer.not_valid_after
    moments = {"today": datetime.now(UTC)}
    if signed is not None:
        moments[f"on {signed.date()}, when it says that it signed"] = signed
    period = f"its certificate is valid from {first.date()} to {last.date()}"
    return [f"{period}, not {name}" for name, moment in moments.items() if not first <= moment <= last]


def printed_chain(data: bytes) -> tuple[str, int] | None:
    """Return the hash of the custody chain that a report names, and how many events it had; None for none."""
    found = _CHAIN.search(data)
    return None if found is None else (found.group(1).decode(), int(found.group(2)))


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

    attributes = {
        attribute["type"].native: attribute["values"][0] for attribute in signature.signer_info["signed_attrs"]
    }
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
