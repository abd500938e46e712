"""What the case itself proposes, and why it proposes nothing where it does not.

Harm is worse than silence here: a true value overwritten is lost to whoever trusts the copy. So a line needs a
witness that says *by how much*, and nothing stronger may speak against it:

* the clock of a camera is moved by what the GPS clocks of several of its photos agree on
  (:mod:`witnesses`), or where none of its photos has one, by a clock model whose interval is minutes wide;
* a zone is replaced where GPS time and place agree with the clock and only the written zone does not;
* coordinates are exchanged, or a sign is put back, where the photos taken just before and after were there.

No instant that GPS time confirms is moved, no GPS time is written, a finding that was explained
brings no line. What is known to be wrong but not by how much becomes a note that names what would settle it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gtloc_forensics.correct import camera_clocks, photo_slips
from gtloc_forensics.correct.changes import DEFAULT_STRENGTH
from gtloc_forensics.correct.draft import Draft, Proposal
from gtloc_forensics.correct.repairs import Subject
from gtloc_forensics.records import ClockModel, Finding, Outcome, source_id_of


def propose(
    photos: Sequence[Subject],
    *,
    clocks: Iterable[ClockModel] = (),
    findings: Iterable[Finding] = (),
    least_strength: float = DEFAULT_STRENGTH,
) -> Proposal:
    """Return what clock models and findings propose, at least as strong as *least_strength*, and why not more."""
    draft = Draft()
    about = _by_photo(findings)
    models = {model.device_key: model for model in clocks}
    for device_key in dict.fromkeys([photo.device_key for photo in photos] + list(models)):
        mates = [photo for photo in photos if photo.device_key == device_key]
        camera_clocks.judge(mates, models.get(device_key), about, photos, draft)
    for photo in photos:
        if photo.relative not in draft.spoken:
            photo_slips.judge(photo, about.get(source_id_of(photo.relative), []), photos, draft)
    if not draft.changes and not draft.notes and not draft.reasons:
        draft.notes.append("no finding of this case is one that a correction of times or positions could put right")
    return draft.finished(least_strength)


def _by_photo(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    about: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.source_ids and (finding.is_found or finding.outcome is Outcome.EXPLAINED):
            about.setdefault(finding.source_ids[0], []).append(finding)
    return about


def keywords(photos: Iterable[Subject], findings: Iterable[Finding]) -> dict[bytes, tuple[str, ...]]:
    """Return for each photo with something found ``gtloc|OUTCOME|CAUSE`` keywords, strongest outcome first."""
    about = _by_photo(findings)
    out: dict[bytes, tuple[str, ...]] = {}
    for photo in photos:
        words = keywords_of(ranked(about.get(source_id_of(photo.relative), [])))
        out |= {photo.relative: words} if words else {}
    return out


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return what was found, contradictions first."""
    found = [finding for finding in findings if finding.is_found]
    return sorted(found, key=lambda finding: (finding.outcome is not Outcome.CONTRADICTION, finding.check_id))


def keywords_of(found: Iterable[Finding]) -> tuple[str, ...]:
    """Return ``gtloc|OUTCOME|CAUSE`` for findings, in their order, each once; the rule stands for a cause not named."""
    words = (
        f"gtloc|{finding.outcome.value}|{finding.cause.kind if finding.cause else finding.check_id}"
        for finding in found
    )
    return tuple(dict.fromkeys(words))
