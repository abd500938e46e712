"""The calibration of a model, as far as densities need it: one temperature per modality.

The rest of ``calibration.json`` belongs to ``evidence.py``. Without the file the
model's own scale stands in and predictions are marked uncalibrated.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision.density import Sharpness
from gtloc_forensics.vision.manifest import CALIBRATION, read_within


@dataclass(frozen=True, slots=True)
class Calibration:
    """Sharpness per modality and the sha256 of the file it came from, "" when there is none."""

    time: Sharpness
    place: Sharpness
    sha256: str


def read(folder: Path, *, log_scale_time: float, log_scale_place: float) -> Calibration:
    """Read ``calibration.json`` of a model folder, or take the model's own scales.

    Raises:
        WeightsError: when the file is there but cannot be understood.
    """
    own = (Sharpness(math.exp(-log_scale_time)), Sharpness(math.exp(-log_scale_place)))
    path = folder / CALIBRATION
    try:
        text = read_within(folder, CALIBRATION)
    except FileNotFoundError:
        return Calibration(*own, sha256="")
    try:
        entries = json.loads(text).get("temperature", {})
        time, place = (
            Sharpness(**entries[kind]) if kind in entries else fallback
            for kind, fallback in zip(("time", "place"), own, strict=True)
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is not a calibration ({error}); docs/models.md says what it holds") from error
    return Calibration(time, place, hashlib.sha256(text).hexdigest())
