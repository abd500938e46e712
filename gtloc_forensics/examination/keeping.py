"""What each stage's result becomes in the store: rows added in one transaction, remembered only after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gtloc_forensics.decode import Decoded
from gtloc_forensics.examination.work import Failure, Run, Work, undecoded
from gtloc_forensics.files.acquiring import Taken
from gtloc_forensics.records import TagsRead, Unread, visible
from gtloc_forensics.store.arrivals import Arrival
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Transaction
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, PREVIEW, VISION, Stages, claim_key, without_package
from gtloc_forensics.store.rows import StoredSource, state_of

_NUMBER_TO_COME = 0
"""Stands for the row of a source until that is written."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """One transaction under way, and what will be known once it has ended well."""

    run: Run
    session: Transaction
    sources: dict[str, StoredSource] = field(default_factory=dict)  # source id → its newest state
    results: set[tuple[str, str]] = field(default_factory=set)  # (stage, subject)
    claims: set[tuple[str, str]] = field(default_factory=set)  # (source id, key)
    arrivals: list[Arrival] = field(default_factory=list)  # whose rows are added together, in finish
    actor: str = field(default_factory=actor)

    @property
    def stages(self) -> Stages:
        """The fingerprints under which results are kept."""
        return self.run.kept.stages

    def add(self, subject: str, stage: str, fingerprint: str, made: object) -> None:
        """Add what a stage made of *subject*, or why it made nothing; a missing package is noted and no more."""
        if isinstance(made, Failure):
            if made.lacks_package:
                stage = without_package(stage)
            self.run.store.add_failure(
                self.session, subject, stage, fingerprint, reason=made.reason, detail=made.detail
            )
        else:
            self.run.store.add_result(self.session, subject, stage, fingerprint, record=made)
        self.results.add((stage, subject))

    def finish(self) -> None:
        """Add the rows of the sources, all at once; until then their numbers are not known."""
        stored = self.run.store.add_sources(self.session, self.arrivals)
        self.sources.update(
            {arrival.source.source_id: state for arrival, state in zip(self.arrivals, stored, strict=True)}
        )


def keep_source(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add the file as it was found, unless it is known in this very state, and say so in the custody chain."""
    source, sidecars = taken.source, work.sidecars()
    known = keeping.sources.get(source.source_id) or keeping.run.kept.source(source.source_id)
    if known is not None and known.is_state(source, sidecars):
        keeping.sources[source.source_id] = known
        return
    store, now = keeping.run.store, keeping.run.settings.instant()
    keeping.arrivals.append(Arrival(source, sidecars, now))
    keeping.sources[source.source_id] = state_of(_NUMBER_TO_COME, source, sidecars)
    store.append_event(
        keeping.session,
        utc_time=now,
        actor=keeping.actor,
        action="acquire",
        subject=source.display_path,
        detail={
            "sha256": source.sha256,
            "size_bytes": source.stat.size_bytes,
            **({} if source.stat.etag else {"access_time_kept": taken.access_time_kept}),  # a store of objects has none
            **({"etag": source.stat.etag} if source.stat.etag else {}),
            **({"version": source.stat.version} if source.stat.version else {}),
            **{f"sidecar {visible(name)}": sha256 for name, sha256 in sidecars.items()},
            **({"not_read": "; ".join(_unread(taken))} if taken.unread_sidecars else {}),
        },
    )


def _unread(taken: Taken) -> list[str]:
    return [f"the sidecar {visible(sidecar.relative)}: {sidecar.reason}" for sidecar in taken.unread_sidecars]


def keep_metadata(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add the tags that were read now, of the file and of its sidecars."""
    for sha256 in work.read:
        if sha256 in work.fresh:
            keeping.add(sha256, METADATA, keeping.stages.metadata, _kept_of(work.read[sha256]))


def keep_further_metadata(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add what plugged-in readers found in the file now."""
    for stage in work.fresh_further:
        keeping.add(taken.source.sha256, stage, keeping.stages.further[stage], _kept_of(work.read_further[stage]))


def _kept_of(read: TagsRead | Unread) -> TagsRead | Failure:
    return Failure(read.reason, read.detail) if isinstance(read, Unread) else read


def keep_claim(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add what the file claims, under a key in which its times and sidecars speak too."""
    source_id = taken.source.source_id
    key = claim_key(keeping.stages, keeping.sources[source_id])
    keeping.add(source_id, CLAIM, key, work.claim)
    if not (isinstance(work.claim, Failure) and work.claim.lacks_package):
        keeping.claims.add((source_id, key))


def keep_image(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add what the pixels are, or why they were not decoded."""
    if work.decoded is not None:
        made = work.decoded.image if isinstance(work.decoded, Decoded) else undecoded(work.decoded)
        keeping.add(taken.source.sha256, IMAGE, keeping.stages.image, made)


def keep_preview(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add the small picture for people."""
    if work.preview_jpeg is not None:
        keeping.add(taken.source.sha256, PREVIEW, keeping.stages.image, work.preview_jpeg)


def keep_prediction(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add what the model made of the pixels, or why it saw none."""
    if work.prediction is not None:
        keeping.add(taken.source.sha256, VISION, keeping.stages.vision, work.prediction)


def keep_opinions(keeping: Keeping, work: Work, taken: Taken) -> None:
    """Add what further models made of the pixels, each under its own key."""
    for stage, said in work.opinions.items():
        keeping.add(taken.source.sha256, stage, keeping.stages.further[stage], said)
