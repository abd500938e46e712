"""Under which names and keys results are kept: stages, their fingerprints, products of an examination."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gtloc_forensics.store.rows import Known

METADATA, CLAIM, IMAGE, PREVIEW, VISION = "metadata", "claim", "image", "preview", "vision"
"""The stages that keep results, by what a result is called."""

CLOCKS, CAUSES, CONTROLS, REASONS, RULES = "clocks", "causes", "controls", "reasons", "rules"
"""The products of a whole examination."""

MODEL_ABSENCE = "model"
"""The environment entry that says why there is no model."""

CODE_VERSION = "2"
"""Part of every stage's fingerprint; raise it when a stage makes something else of the same input."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The fingerprint of each stage: everything its result depends on beside the source."""

    metadata: str
    claim: str
    image: str
    vision: str  # "" without a model


def claim_key(stages: Stages, known: Known) -> str:
    """Return the fingerprint of one path's claim: content, file times and sidecars speak in it."""
    beside = ",".join(f"{name.hex()}={sha256}" for name, sha256 in sorted(known.sidecars.items()))
    return digest(stages.claim, known.sha256, ",".join(map(str, known.stat_key)), beside)


def digest(*parts: str) -> str:
    """Return the fingerprint made of *parts*."""
    return hashlib.sha256("\x1f".join((CODE_VERSION, *parts)).encode()).hexdigest()[:32]
