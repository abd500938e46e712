"""What is told to the custody chain of the container or the store that the photos come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import reading
from gtloc_forensics.files.containers.identity import Identity
from gtloc_forensics.files.reading import LISTED, Reach
from gtloc_forensics.records import Scalar, visible
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Store

CONTAINER = "container"
"""Action of the custody event that says what the evidence is as an image or an archive."""

NESTED, FREE_SPACE = "containers within", "free space"
"""Fields of that event, where the container was looked into beyond what it lists."""

STORE = "object store"
"""Action of the custody event that says from which store the evidence comes."""

LONGEST = 300  # characters of what the acquiring program wrote


def note(store: Store, evidence: Path, settings: Settings) -> None:
    """Tell the chain what the evidence is, unless that is what it said last; of a folder there is nothing to tell.

    Of a store it is told how much of it was listed, so it is listed before.

    Raises:
        UsageError, ToolMissing, ServerFailed: the container or the store cannot be opened.
    """
    identity, of_store = reading.identity_of(evidence), reading.facts_of_store(evidence)
    if identity is not None:
        action, subject, detail = CONTAINER, visible(identity.parts[0].name), facts(identity, settings.reach)
    elif of_store is not None:
        action, subject = STORE, visible(os.fsencode(of_store.address))
        detail = {"objects": of_store.objects, "size_bytes": of_store.size_bytes, "read with": of_store.libraries}
    else:
        return
    last = store.last_event(action, subject)
    if last is not None and dict(last.detail) == detail:
        return
    with store.writing() as session:
        store.append_event(
            session, utc_time=settings.instant(), actor=actor(), action=action, subject=subject, detail=detail
        )


def facts(identity: Identity, reach: Reach = LISTED) -> dict[str, Scalar]:
    """Return what the chain keeps of a container: kind, files, what it holds and states, how far it was looked into."""
    kept: dict[str, Scalar] = {"kind": identity.kind, "media_bytes": identity.media_bytes}
    kept |= {f"sha256 of {visible(part.name)}": part.sha256 for part in identity.parts}
    kept |= {f"content {name}": value for name, value in identity.media.items()}
    kept |= {f"stated {name}": value for name, value in identity.stored.items()}
    kept["check"] = check(identity)
    if identity.unread:
        kept["unread"] = identity.unread
    kept |= {f"said {name}": visible(value)[:LONGEST] for name, value in identity.said.items()}
    if identity.libraries:
        kept["read with"] = identity.libraries
    kept |= {NESTED: "opened"} if reach.nested else {}
    kept |= {FREE_SPACE: "searched for photos"} if reach.carved else {}
    return kept


def reach_of(detail: Mapping[str, Scalar]) -> Reach:
    """Return how far a container was looked into, by what the chain keeps of it."""
    return Reach(nested=NESTED in detail, carved=FREE_SPACE in detail)


def check(identity: Identity) -> str:
    """Return how the hashes that a container states compare with those of its content."""
    if identity.mismatch is not None:
        return str(identity.mismatch)
    if identity.compared:
        return f"{' and '.join(identity.compared)} as stated in the container"
    return "the container states no hash of its content"
