"""The content credentials of a photo as rules take them: their standing, who signed, and how much that weighs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Confidence, Sentence, Statement, Tags

GROUP = "Credentials"


@unique
class Standing(Enum):
    """What the check of a manifest store came to."""

    NONE = "none"
    UNREAD = "unread"  # exiftool saw a store, and nothing here could read it
    ELSEWHERE = "elsewhere"  # the file only says where its manifest lies
    DAMAGED = "damaged"
    INVALID = "invalid"
    VALID = "valid"  # as it was signed; by whom is not known
    TRUSTED = "trusted"  # valid, and the signer is on a list that the user gave


_STANDINGS = {
    "Elsewhere": Standing.ELSEWHERE,
    "Damaged": Standing.DAMAGED,
    "Valid": Standing.VALID,
    "Trusted": Standing.TRUSTED,
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is signed in one file, and what that is worth."""

    standing: Standing
    signer: str  # "" when it is not named
    tags: Tags

    @property
    def are_stated(self) -> bool:
        """Whether there is a manifest whose statements were read."""
        return self.standing in (Standing.INVALID, Standing.VALID, Standing.TRUSTED)

    @property
    def confidence(self) -> Confidence:
        """How much a statement weighs: one of a signer whom nobody vouches for is anybody's."""
        return Confidence.STRONG if self.standing is Standing.TRUSTED else Confidence.WEAK

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of one of their tags."""
        return tuple(value for _, value in tag_values.texts(self.tags, f"{GROUP}:{name}"))

    def text(self, name: str) -> str:
        """Return the first value of one of their tags, ``""`` where there is none."""
        return tag_values.text(self.tags, f"{GROUP}:{name}")

    def standing_said(self) -> Statement:
        """Return in one sentence what they are worth."""
        signer = self.signer or "?"
        if self.standing is Standing.TRUSTED:
            return Sentence("Signed by {signer}, who is on a list of trusted signers that was given.", signer=signer)
        if self.standing is Standing.VALID:
            return Sentence(
                "Signed by {signer}, whom no list that was given vouches for: valid is not trusted.", signer=signer
            )
        return Sentence("Signed by {signer}, but not valid for this file.", signer=signer)

    def limits(self) -> tuple[Statement, ...]:
        """Return what has to be said beside every finding that rests on them."""
        if self.standing is Standing.TRUSTED:
            return ()
        if self.standing is Standing.VALID:
            return (
                Sentence("anybody can sign with a certificate of their own; the signer is not known to be trusted"),
            )
        return (Sentence("the credentials are not valid for this file; they may be of another one"),)


def credentials_of(claim: Claim) -> Credentials:
    """Return the content credentials of a photo."""
    state = tag_values.text(claim.tags, f"{GROUP}:State")
    if state:
        standing = _STANDINGS.get(state, Standing.INVALID)
    else:
        labels = [label for _, label in tag_values.texts(claim.tags, "JUMBF:JUMDLabel")]
        standing = Standing.UNREAD if "c2pa" in labels else Standing.NONE
    names = [tag_values.text(claim.tags, f"{GROUP}:{name}") for name in ("Signer", "SignerOrganisation")]
    return Credentials(standing, ", ".join(dict.fromkeys(filter(None, names)))[:200], claim.tags)


def why_not(credentials: Credentials) -> Statement:
    """Return why nothing that is stated in credentials can be compared."""
    if credentials.standing is Standing.UNREAD:
        return Sentence("the file has content credentials, which were not read: the extra c2pa is not installed")
    if credentials.standing is Standing.ELSEWHERE:
        return Sentence("the content credentials lie elsewhere on the network, and nothing is fetched")
    if credentials.standing is Standing.DAMAGED:
        return Sentence("the content credentials cannot be read")
    return Sentence("the file has no content credentials")
