"""What an examiner decides, written into the custody chain: one event for each decision, one for each undoing.

Nothing is ever taken out. A decision names the examination that it judged and what was
said there; after a new examination it shows as stale, and as overtaken where a finding now
says something else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.reviewing.replay import DECIDE, UNDO
from gtloc_forensics.errors import CaseBusy, CaseError, UsageError
from gtloc_forensics.records import Decision, Judged, Judgement, Scalar, Sentence

PATIENCE_S = 5.0
"""How long a decision waits for somebody else's to be written."""

LONGEST_NAME, LONGEST_TEXT = 200, 4_000


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be decided.

    Attributes:
        judgement: what the examiner made of it.
        members: the findings, as :class:`Judged` at the examination that was looked at.
        examination: its fingerprint.
        because: why it is innocent; needed for that, and for that alone.
        note: anything else.
        cause: the kind of the cause, when it is decided as a whole; with the camera's key.
        device_key: see *cause*.
        replaces: the event that this takes the place of, if any.
    """

    judgement: Judgement
    members: tuple[Judged, ...]
    examination: str
    because: str = ""
    note: str = ""
    cause: str = ""
    device_key: str = ""
    replaces: int | None = None


class ExaminedSince(CaseError):
    """The case was examined again since the examiner looked; look again, then decide."""


def decide(case: CaseFolder, examiner: str, ruling: Ruling) -> Decision:
    """Return the decision once it is in the custody chain and on the disk.

    Raises:
        UsageError: nobody is named, there is nothing to decide on, or an innocent cause is missing.
        ExaminedSince: the newest examination is not the one that was looked at.
        CaseBusy: another process holds the case.
        CaseError: the case cannot be written.
    """
    name = _named(examiner)
    _insist(ruling)
    photos = {member.source_id for member in ruling.members}
    detail: dict[str, Scalar] = {
        "examiner": name,
        "judgement": ruling.judgement.value,
        "because": ruling.because.strip(),
        "note": ruling.note.strip(),
        "examination": ruling.examination,
        "cause": ruling.cause,
        "device": ruling.device_key,
        "replaces": ruling.replaces,
        "members": json.dumps(
            [[member.source_id, member.sha256, member.check_id, member.says] for member in ruling.members],
            separators=(",", ":"),
        ),
    }
    subject = f"{len(ruling.members)} of {len(photos)} photos" if len(photos) > 1 else _one(case, ruling.members)
    with held(case):
        newest = case.view().fingerprint
        if newest != ruling.examination:
            raise ExaminedSince(Sentence("the case was examined again since; look at it anew, then decide"))
        return _written(case, DECIDE, subject, detail)


def undo(case: CaseFolder, examiner: str, number: int) -> Decision:
    """Return the decision that was taken back; it stays in the chain, and so does this.

    Raises:
        UsageError: there is no such decision, it was taken back before, or somebody else made it.
        CaseBusy, CaseError: as for :func:`decide`.
    """
    name = _named(examiner)
    with held(case):
        made = next((decision for decision in case.view().decisions().made if decision.number == number), None)
        if made is None:
            raise UsageError(
                Sentence(
                    "custody event {number:raw} is no decision; `gtloc decide CASE --list` shows them", number=number
                )
            )
        if made.examiner != name:
            raise UsageError(
                Sentence(
                    "decision {number:raw} is {examiner}'s; only who made it takes it back",
                    number=number,
                    examiner=made.examiner,
                )
            )
        if made.undone_by is not None:
            raise UsageError(
                Sentence(
                    "decision {number:raw} was taken back already, by event {event:raw}",
                    number=number,
                    event=made.undone_by,
                )
            )
        return _written(case, UNDO, f"decision {number}", {"examiner": name, "replaces": number})


def _written(case: CaseFolder, action: str, subject: str, detail: dict[str, Scalar]) -> Decision:
    case.note(action, subject, detail)
    number = detail["replaces"] if action == UNDO else None
    made = case.view().decisions().made
    return made[-1] if number is None else next(decision for decision in made if decision.number == number)


def _named(examiner: str) -> str:
    name = examiner.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError("name who decides, in at most 200 plain characters, with --examiner")
    return name


def _insist(ruling: Ruling) -> None:
    if not ruling.members:
        raise UsageError(Sentence("there is no finding to decide on; name a photo or a cause that has one"))
    if ruling.judgement is Judgement.INNOCENT and not ruling.because.strip():
        raise UsageError(Sentence("say why it is innocent with --because"))
    if ruling.judgement is not Judgement.INNOCENT and ruling.because.strip():
        raise UsageError(Sentence("only what is innocent has a --because; put other words into --note"))
    if max(len(ruling.because), len(ruling.note)) > LONGEST_TEXT:
        raise UsageError(Sentence("a note has at most {most} characters; shorten it", most=LONGEST_TEXT))


def _one(case: CaseFolder, members: Sequence[Judged]) -> str:
    rules = ", ".join(member.check_id for member in members)
    return f"{case.view().name_of(members[0].source_id)}: {rules}"


@contextmanager
def held(case: CaseFolder) -> Iterator[None]:
    """Hold the case, waiting a little: another reviewer's decision takes no longer.

    Raises:
        CaseBusy: it is held for longer.
        CaseError: it cannot be written.
    """
    if case.store.is_read_only:
        raise CaseError(f"{case.folder} cannot be written, so nothing can be decided; copy it to where it can")
    until = time.monotonic() + PATIENCE_S
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(case.locked())
                break
            except CaseBusy:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield
