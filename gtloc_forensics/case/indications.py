"""What of a prediction a report may tell: that of which a calibrated test knows something, in a scene that shows it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gtloc_forensics.earth.globe import EARTH_RADIUS_KM
from gtloc_forensics.evidence.calibration import Calibration
from gtloc_forensics.records import Finding, Indicated, Outcome, Position, Prediction, Unexamined, Untold

SCENE_RULE = "GF300"
MONTHS = 12
KM_PER_DEGREE = EARTH_RADIUS_KM * math.pi / 180.0


def indicated(
    prediction: Prediction | Unexamined, findings: Sequence[Finding], calibration: Calibration | None
) -> Indicated:
    """Return what is told of a prediction.

    Args:
        prediction: of one photo.
        findings: what the rules said of it; whether the scene can be dated at all is one of them.
        calibration: of the model that looked; None when there is none.
    """
    if isinstance(prediction, Unexamined):
        return Indicated()
    shows_sky = any(item.check_id == SCENE_RULE and item.outcome is Outcome.CONSISTENT for item in findings)
    why = {name: _untold(name, prediction, calibration, shows_sky=shows_sky) for name in ("hour", "year", "place")}
    radius_km = math.sqrt(prediction.region_area_km2.get(50, math.inf) / math.pi)
    return Indicated(
        local_hour=why["hour"] or round(prediction.local_hour) % 24.0,
        year_turn=why["year"] or (math.floor(prediction.year_turn * MONTHS) + 0.5) / MONTHS % 1.0,
        position=why["place"] or _rounded(prediction.position, radius_km),
        radius_km=None if why["place"] or not math.isfinite(radius_km) else float(f"{radius_km:.2g}"),
    )


def _untold(name: str, prediction: Prediction, calibration: Calibration | None, *, shows_sky: bool) -> Untold | None:
    if calibration is None or prediction.calibration != calibration.sha256 or name not in calibration.tests:
        return Untold.NOT_MEASURED
    if not calibration.tests[name].can_speak:
        return Untold.AT_CHANCE
    return None if shows_sky else Untold.NOT_DATABLE


def _rounded(position: Position, radius_km: float) -> Position:
    """Return a position without the digits that its region says nothing of."""
    digits = max(0, -math.floor(math.log10(max(radius_km, 1e-3) / KM_PER_DEGREE))) if math.isfinite(radius_km) else 0
    return Position(round(position.latitude_deg, digits), round(position.longitude_deg, digits))
