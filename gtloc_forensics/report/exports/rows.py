"""One photo as the flat row that exports write: what it claims, what it shows, what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from gtloc_forensics.records import (
    Absent,
    CaseView,
    Claim,
    Indicated,
    PhotoEntry,
    Position,
    Stated,
    Status,
    Sun,
    Untold,
    visible,
)
from gtloc_forensics.report.exports.finding_facts import finding_line

Value: TypeAlias = str | int | float | bool | None
Progress: TypeAlias = Callable[[int], None] | None


def entries(
    view: CaseView, *, only: frozenset[Status] | None, progress: Progress, lean: bool = False
) -> Iterator[PhotoEntry]:
    """Yield the photos of the wanted outcomes in path order, telling *progress* how many were passed.

    Args:
        view: the case.
        only: outcomes; None for all.
        progress: told the number of photos that were passed.
        lean: nothing is read of them but what :meth:`CaseView.lean_photos` keeps.
    """
    for number, entry in enumerate(view.lean_photos() if lean else view.photos(), start=1):
        if only is None or entry.statuses & only:
            yield entry
        if progress:
            progress(number)


def identity(entry: PhotoEntry) -> dict[str, Value]:
    """Return which file a photo is: its path, hashes, size and kind."""
    source = entry.photo.source
    return {
        "path": source.display_path,
        "source_id": source.source_id,
        "sha256": source.sha256,
        "sha256_at_end": entry.sha256_at_end or None,
        "size_bytes": source.stat.size_bytes,
        "media_type": source.media_type,
    }


def row(entry: PhotoEntry) -> dict[str, Value]:
    """Return the columns of one photo; what is not there is None."""
    return {
        **identity(entry),
        "status": entry.status.value,
        **_claimed(entry.photo.claim),
        **_sun(entry.photo.sun),
        **_shown(entry.indicated),
        "log10_lr_time": entry.log10_lr_time,
        "log10_lr_place": entry.log10_lr_place,
        "findings": " | ".join(finding_line(finding) for finding in entry.findings if finding.is_found) or None,
        "not_examined": " | ".join(visible(f"{gap.stage}: {gap.reason}") for gap in entry.unexamined) or None,
    }


def stated(value: Stated[Any] | Absent) -> Any:
    """Return the stated value or None."""
    return value.value if isinstance(value, Stated) else None


def words(value: object) -> str | None:
    """Return visible text, or None where the file has none."""
    return visible(value) if isinstance(value, str) else None


def _claimed(claim: object) -> dict[str, Value]:
    known = claim if isinstance(claim, Claim) else None
    local, utc = (stated(known.local_time), stated(known.utc_time)) if known else (None, None)
    position = stated(known.position) if known else None
    ev100 = known.exposure.ev100 if known else None
    return {
        "claimed_local_time": local.isoformat() if local else None,
        "claimed_utc_offset_hours": stated(known.utc_offset_hours) if known else None,
        "claimed_utc_time": f"{utc.isoformat()}Z" if utc else None,
        "claimed_latitude_deg": rounded(position).latitude_deg if position else None,
        "claimed_longitude_deg": rounded(position).longitude_deg if position else None,
        "claimed_altitude_m": stated(known.altitude_m) if known else None,
        "make": words(known.device.make) if known else None,
        "model": words(known.device.model) if known else None,
        "serial": words(known.device.serial) if known else None,
        "software": words(known.device.software) if known else None,
        "ev100": float(ev100) if isinstance(ev100, float | int) else None,
    }


def _sun(sun: object) -> dict[str, Value]:
    known = sun if isinstance(sun, Sun) else None
    return {
        "sun_elevation_deg": round(known.elevation_deg, 3) if known else None,
        "sun_azimuth_deg": round(known.azimuth_deg, 3) if known else None,
    }


def _shown(indicated: Indicated) -> dict[str, Value]:
    """Return what the picture indicates; nothing where it was not measured that the model knows anything."""
    place = indicated.position if isinstance(indicated.position, Position) else None
    return {
        "indicated_local_hour": known(indicated.local_hour),
        "indicated_year_turn": known(indicated.year_turn),
        "indicated_latitude_deg": place.latitude_deg if place else None,
        "indicated_longitude_deg": place.longitude_deg if place else None,
        "indicated_radius_km": indicated.radius_km,
    }


def known(value: float | Untold) -> float | None:
    """Return a number that may be told, else None."""
    return None if isinstance(value, Untold) else round(value, 3)


def rounded(position: Position) -> Position:
    """Return a claimed position without digits below ten centimetres, which no receiver of a camera knows."""
    return Position(round(position.latitude_deg, 6), round(position.longitude_deg, 6))
