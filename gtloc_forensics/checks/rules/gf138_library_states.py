"""GF138 — How a telephone's library keeps the photo.

Shows: that the photo lies in the library's bin, is hidden, or was edited there: what a reader of the other findings
should know.

Cannot show: that anything is wrong. Hiding, throwing away and editing are what people do with photos.

Blind spots: states that a library keeps in places that are not read.

Threshold: none: context, never a finding against the photo.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable
from gtloc_forensics.records import Finding, Photo, Sentence, WitnessState, template

SPOKEN = {
    WitnessState.TRASHED: template("in its bin"),
    WitnessState.HIDDEN: template("hidden"),
    WitnessState.EDITED: template("with edits of the picture"),
}


@check("GF138", title="How a telephone's library keeps the photo", needs=("claim",))
def library_states(photo: Photo, context: Context) -> Iterator[Finding]:
    """Say in which states libraries keep the photo."""
    claim = claim_of(photo)
    kept = [witness for witness in context.witnesses.get(claim.source_id, ()) if witness.states]
    if not kept:
        why = Sentence("no library that was read keeps the photo in a state of its own")
        yield not_testable("GF138", claim.source_id, why)
        return
    said = tuple(
        Sentence(
            "{program} keeps the photo {states:and}.",
            program=witness.program,
            states=tuple(Sentence(SPOKEN[state]) for state in witness.states),
        )
        for witness in kept
    )
    yield consistent("GF138", claim.source_id, said[0], observed=said)
