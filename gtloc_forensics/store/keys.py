"""Under which names and keys results are kept: stages, their fingerprints, products of an examination."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from gtloc_forensics.store.rows import StoredSource

METADATA, CLAIM, IMAGE, PREVIEW, VISION = "metadata", "claim", "image", "preview", "vision"
"""The stages that keep results, by what a result is called."""

READING, SEEING = "metadata:", "vision:"
"""How the names of the stages of plugged-in readers and models begin."""

CLOCKS, CAUSES, CONTROLS, REASONS, RULES = "clocks", "causes", "controls", "reasons", "rules"
CALIBRATION, CARD, FILMS = "calibration", "model card", "films"
"""The products of a whole examination."""

CODE_VERSIONS = {METADATA: "4", CLAIM: "11", IMAGE: "3", VISION: "2"}
"""Stage → the version of its code; raise it when the stage makes something else of the same input.

``metadata`` is how exiftool is asked and its answer parsed, ``claim`` everything that
interprets tags, ``image`` decoding, the previews and what is counted of the pixels,
``vision`` what is done around the model, which has a version of its own.
"""

_CLAIM_KEY = "2"
"""How :func:`claim_key` is made; never changed, or the claims of older cases could not be found."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The fingerprint of each stage: everything its result depends on beside the source."""

    metadata: str
    claim: str
    image: str
    vision: str  # "" without a model
    further: Mapping[str, str] = field(default_factory=dict)  # stage of a plugged-in reader or model → fingerprint


def claim_key(stages: Stages, known: StoredSource) -> str:
    """Return the fingerprint of one path's claim: content, file times and sidecars speak in it."""
    beside = ",".join(f"{name.hex()}={sha256}" for name, sha256 in sorted(known.sidecars.items()))
    return _digest(_CLAIM_KEY, stages.claim, known.sha256, ",".join(map(str, known.stat_key)), beside)


def fingerprint(stage: str, *uses: str) -> str:
    """Return the fingerprint of a stage: its code, and everything else that it *uses*, always in the same order."""
    return _digest(CODE_VERSIONS[stage], stage, *uses)


def without_package(stage: str) -> str:
    """Return under which name it is noted that a stage did nothing for want of a package.

    That is no result: the note is there to be told, and the work is tried again in every run.
    """
    return f"{stage}: a package is missing"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
