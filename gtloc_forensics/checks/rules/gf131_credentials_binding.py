"""GF131 — Content credentials against the file.

Shows: that the file is no longer what was signed (its hard binding fails), that the signed statements themselves were
changed, or that the store is damaged. Where all is as it was signed, it says by whom, and whether a list of trusted
signers that was given vouches for them.

Cannot show: what was changed, or why; and nothing of what was done before the signature. Valid is not trusted: anybody
can sign with a certificate of their own.

Blind spots: credentials that were taken out leave nothing; a manifest that lies elsewhere is not fetched; whether a
certificate was revoked is not asked of anybody.

Threshold: none: a hash fits or does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.credentials import Credentials, Standing, credentials_of, why_not
from gtloc_forensics.records import Claim, Finding, Photo, Sentence, Severity, Statement

FILE_CHANGED = ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.boxesHash.mismatch")

STATEMENTS_CHANGED = (
    "claimSignature.mismatch",
    "assertion.hashedURI.mismatch",
    "claim.signature.mismatch",
    "assertion.missing",
)


@check("GF131", title="Content credentials against the file", needs=("claim",))
def credentials_binding(photo: Photo, context: Context) -> Iterator[Finding]:
    """Say whether the file is what was signed."""
    claim = claim_of(photo)
    credentials = credentials_of(claim)
    if credentials.standing in (Standing.VALID, Standing.TRUSTED):
        yield consistent(
            "GF131",
            claim.source_id,
            Sentence("The file is as it was signed. {standing}", standing=credentials.standing_said()),
            observed=_observed(credentials),
        )
    elif credentials.standing is Standing.INVALID:
        yield _invalid(claim, credentials)
    elif credentials.standing is Standing.DAMAGED:
        yield findings.suspicious(
            "GF131",
            claim,
            Sentence("The file holds content credentials that cannot be read: {said}.", said=_problems(credentials)),
            kind="content-credentials",
            innocent=(Sentence("the file was cut off, or copied by a program that keeps only parts of it"),),
        )
    else:
        yield not_testable("GF131", claim.source_id, why_not(credentials))


def _invalid(claim: Claim, credentials: Credentials) -> Finding:
    problems = credentials.texts("Problem")
    if any(code in STATEMENTS_CHANGED for code in problems):
        summary = Sentence("The statements in the content credentials were changed after they were signed.")
        severity = Severity.HIGH
        innocent: tuple[Statement, ...] = (Sentence("the file was damaged in storage or transfer"),)
    elif any(code in FILE_CHANGED for code in problems):
        summary = Sentence("The file is not what was signed: it was changed after its content credentials were made.")
        severity = Severity.MEDIUM
        innocent = (
            Sentence("a program wrote metadata, a rating or a rotation into the file and kept the credentials"),
            Sentence("a platform compressed the picture again and kept the credentials"),
        )
    else:
        summary = Sentence("The content credentials are not valid: {said}.", said=_problems(credentials))
        severity = Severity.LOW
        innocent = (
            Sentence("the certificate had run out, or is of a kind that the standard does not allow"),
            Sentence("the credentials were written by an early version of a program"),
        )
    return findings.suspicious(
        "GF131",
        claim,
        summary,
        kind="content-credentials",
        severity=severity,
        observed=(*_observed(credentials), Sentence("The check says: {said}.", said=_problems(credentials))),
        innocent=innocent,
    )


def _problems(credentials: Credentials) -> str:
    return ", ".join(credentials.texts("Problem")[:5])[:200] or "?"


def _observed(credentials: Credentials) -> tuple[Statement, ...]:
    """Return what the credentials state of themselves."""
    said: list[Statement] = [Sentence("Signer: {signer}.", signer=credentials.signer or "?")]
    if generator := credentials.text("Generator"):
        said.append(Sentence("Made by: {program}.", program=generator[:120]))
    if stamped := credentials.text("SignedAt"):
        said.append(
            Sentence("Time stamp: {moment}, checked.", moment=stamped[:40])
            if credentials.text("TimeStamp")
            else Sentence("Time stamp: {moment}, not checked.", moment=stamped[:40])
        )
    if actions := credentials.texts("Action"):
        said.append(Sentence("Actions: {actions:list}.", actions=tuple(dict.fromkeys(actions))[:10]))
    if ingredients := credentials.texts("Ingredient"):
        said.append(Sentence("Made out of: {names:list}.", names=tuple(name[:80] for name in ingredients[:10])))
    return tuple(said)
