"""GF134 — How the content credentials say that the picture was made.

Shows: a picture, or a part of it, that its own credentials declare made by a generative model; edits that they declare.

Cannot show: that what they do not declare was not done.

Blind spots: a generator that signs nothing; credentials that were taken out; a signer who declares something else.

Threshold: none: what is declared is told. A declared generator is *suspicious* and strong even where the signer is not
trusted: a file seldom says to its own harm what is not so.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.credentials import Credentials, Standing, credentials_of, why_not
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.checks.reference.programs import GENERATED, PARTLY_GENERATED
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Sentence, Severity

NO_EDITS = ("c2pa.created", "c2pa.opened", "c2pa.published", "c2pa.transcoded", "c2pa.repackaged", "c2pa.converted")


@check("GF134", title="How the content credentials say that the picture was made", needs=("claim",))
def credentials_making(photo: Photo, context: Context) -> Iterator[Finding]:
    """Tell what the credentials declare of generators and edits."""
    claim = claim_of(photo)
    credentials = credentials_of(claim)
    own = _kinds(credentials, "SourceType")
    parts = _kinds(credentials, "IngredientSourceType")
    edits = tuple(dict.fromkeys(action for action in credentials.texts("Action") if action not in NO_EDITS))
    if not credentials.are_stated:
        yield not_testable("GF134", claim.source_id, why_not(credentials))
    elif declared := tuple(kind for kind in own if kind in GENERATED):
        summary = Sentence(
            "The content credentials declare that the picture was made by a generative model: {kinds:list}.",
            kinds=declared,
        )
        yield _generated(claim, credentials, summary, Severity.HIGH)
    elif declared := tuple(kind for kind in own if kind in PARTLY_GENERATED) or tuple(
        kind for kind in parts if kind in (*GENERATED, *PARTLY_GENERATED)
    ):
        summary = Sentence(
            "The content credentials declare that parts of the picture were made by a generative model: {kinds:list}.",
            kinds=declared,
        )
        yield _generated(claim, credentials, summary, Severity.MEDIUM)
    elif edits:
        summary = Sentence("The content credentials declare edits: {actions:list}.", actions=edits[:10])
        yield findings.explained(
            "GF134", claim, summary, kind="exported", observed=(credentials.standing_said(),), severity=Severity.INFO
        )
    elif own:
        summary = Sentence(
            "The content credentials declare {kinds:list} and no edit. {standing}",
            kinds=own,
            standing=credentials.standing_said(),
        )
        yield consistent("GF134", claim.source_id, summary)
    else:
        why = Sentence("the content credentials declare nothing of how the picture was made")
        yield not_testable("GF134", claim.source_id, why)


def _kinds(credentials: Credentials, name: str) -> tuple[str, ...]:
    """Return the last parts of the addresses that stand for kinds of making, each once."""
    return tuple(dict.fromkeys(programs.source_type(address) for address in credentials.texts(name)))


def _generated(claim: Claim, credentials: Credentials, summary: Sentence, severity: Severity) -> Finding:
    innocent = [Sentence("a photo to which a generating tool was applied in a corner")]
    if credentials.standing is Standing.INVALID:
        innocent.append(Sentence("the credentials were taken from another file"))
    return findings.suspicious(
        "GF134",
        claim,
        summary,
        kind="generated",
        severity=severity,
        confidence=Confidence.WEAK if credentials.standing is Standing.INVALID else Confidence.STRONG,
        observed=(credentials.standing_said(),),
        limitations=credentials.limits(),
        innocent=tuple(innocent),
    )
