"""How far a wall clock is from UTC, and which offsets make sense: shared by the rules about clocks and zones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.earth import claims, zones
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Sentence, Stated, durations

GRID_HOURS = 0.25
DAY_S = 86_400.0
# No civil clock has been more than 12 h behind or 14 h ahead of UTC since time zones settled (tz database).
LEAST_HOURS = -12.0
GREATEST_HOURS = 14.0

# A camera clock that nobody set for months: 92–146 s were measured on nine genuine files of one model, and
# quartz clocks lose or gain about a second a day.
SLOW_CLOCK_S = 300.0
# A telephone's clock and its receiver agree to a second or two; leap seconds that a receiver has not yet
# learnt make up to 18 s.
AGREE_S = 60.0

# Offsets in use somewhere since 1970 that are not whole hours (tz database).
BROKEN_OFFSETS = (-9.5, -4.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.5, 8.75, 9.5, 10.5, 12.75, 13.75)


@dataclass(frozen=True, slots=True)
class Slip:
    """How a difference of two clocks relates to one offset: ``residual_s`` is what the offset leaves over."""

    offset_hours: float
    residual_s: float


def closest(difference_s: float, offsets: tuple[float, ...]) -> Slip:
    """Return the offset that leaves the least of *difference_s* over; *offsets* must not be empty."""
    return min((Slip(hours, difference_s - 3600.0 * hours) for hours in offsets), key=lambda slip: abs(slip.residual_s))


def nearest_civil(difference_s: float) -> Slip | None:
    """Return the offset in use somewhere that is nearest to *difference_s*, None outside −12 h to +14 h."""
    hours = difference_s / 3600.0
    if not LEAST_HOURS - 0.1 <= hours <= GREATEST_HOURS + 0.1:
        return None
    whole = tuple(float(hour) for hour in range(int(LEAST_HOURS), int(GREATEST_HOURS) + 1))
    return closest(difference_s, (*whole, *BROKEN_OFFSETS))


def from_whole_days_s(seconds: float) -> float:
    """Return how far a difference is from the nearest whole number of days, in seconds."""
    return abs(seconds - DAY_S * round(seconds / DAY_S))


def is_civil(hours: float) -> bool:
    """Return whether some civil clock keeps, or since 1970 kept, this offset."""
    return LEAST_HOURS <= hours <= GREATEST_HOURS and (float(hours).is_integer() or hours in BROKEN_OFFSETS)


def stated(claim: Claim) -> Stated[float] | None:
    """Return the offset that the file itself writes, None when it is absent, absurd or was worked out."""
    offset = claim.utc_offset_hours
    if not isinstance(offset, Stated) or claims.is_derived(offset):
        return None
    return offset if abs(offset.value) < 24.0 else None


def legal(claim: Claim) -> tuple[float, ...]:
    """Return the offsets legal at the claimed place and time; empty without a place or a time."""
    if not isinstance(claim.local_time, Stated):
        return ()
    return zones.legal_offsets(claim.zones, claim.local_time.value)


def legal_in_year(claim: Claim) -> tuple[float, ...]:
    """Return every offset that the zones of the claimed place keep at some time of that year."""
    if not isinstance(claim.local_time, Stated):
        return ()
    year = claim.local_time.value.year
    return tuple(sorted({hours for zone in claim.zones for hours in zones.offsets_of_year(zone, year)}))


def gps_instant(claim: Claim) -> tuple[datetime, bool] | None:
    """Return the GPS time and whether its date was written.

    A receiver's time without its date is given the day that brings it nearest to the camera's clock.
    It comes before XMP's copy, to which editors attach the offset of their own computer.
    """
    gps = claim.gps_utc_time
    copied = isinstance(gps, Stated) and gps.tag.startswith("XMP") and tag_values.text(claim.tags, "GPS:GPSTimeStamp")
    if isinstance(gps, Stated) and not copied:
        return gps.value, True
    if gps is Absent.DEFAULT:
        return None  # its time of day is that of a clock's zero too
    written = tag_values.text(claim.tags, "GPS:GPSTimeStamp")
    clock = tag_values.full_date(f"2000:01:01 {written}") if written else None
    if clock is None or not isinstance(claim.local_time, Stated):
        return None
    if not 1 < claim.local_time.value.year < 9999:  # no day before the first, none after the last
        return None
    local = claim.local_time.value
    offset = stated(claim)
    usual = offset.value if offset is not None else next(iter(legal(claim)), 0.0)
    expected = local - timedelta(hours=usual)
    candidates = (datetime.combine(expected.date() + timedelta(days=day), clock.wall.time()) for day in (-1, 0, 1))
    return min(candidates, key=lambda moment: abs(moment - expected)), False


def exposure_s(claim: Claim) -> float:
    """Return how long the frame was exposed, in seconds; 0 where the file does not say."""
    return claim.exposure.exposure_s if not isinstance(claim.exposure.exposure_s, Absent) else 0.0


def implied_foreign(compared: Comparison) -> float | None:
    """Return the civil offset that GPS time gives where the file writes none and the place keeps another."""
    if compared.stated_hours is not None or not compared.dated or not compared.legal:
        return None
    slip = nearest_civil(compared.difference_s)
    if slip is None or abs(slip.residual_s) > AGREE_S or slip.offset_hours in compared.legal:
        return None
    return slip.offset_hours


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two clocks of one file; ``residual_s`` is camera minus GPS after the offset that fits best."""

    claim: Claim
    local: datetime
    gps: datetime
    dated: bool
    stated_hours: float | None
    legal: tuple[float, ...]
    slip: Slip | None
    examined_utc: datetime | None = None  # when the case is examined, where the reader is to know

    @property
    def difference_s(self) -> float:
        """The local wall clock minus GPS time."""
        return durations.gap_seconds(self.local, self.gps)

    @property
    def residual_s(self) -> float:
        """What remains after the best offset; the plain difference when no offset is known."""
        return self.difference_s if self.slip is None else self.slip.residual_s

    @property
    def is_confirmed(self) -> bool:
        """Whether a dated GPS time confirms clock, offset and the zone of the claimed place together."""
        if not self.dated or not self.legal or (abs(self.difference_s) < 1.0 and 0.0 not in self.legal):
            return False
        return abs(closest(self.difference_s, self.legal).residual_s) <= SLOW_CLOCK_S

    def after(self, shift_s: float) -> float:
        """Return what remains of the difference once *shift_s* is taken off it, after the best offset.

        A clock that is off by days may stand on the other side of summer time: the offsets of the day that it
        would show without the shift count as well.
        """
        rest_s = self.difference_s - shift_s
        known = (*self.legal, *(() if self.stated_hours is None else (self.stated_hours,)))
        if known and abs(shift_s) < (self.local - datetime(2, 1, 1)).total_seconds():
            known += zones.legal_offsets(self.claim.zones, self.local - timedelta(seconds=shift_s))
        slip = closest(rest_s, known) if known else nearest_civil(rest_s)
        return rest_s if slip is None else slip.residual_s


def compare(claim: Claim) -> Comparison | Sentence:
    """Put camera time and GPS time side by side; a sentence says why that cannot be done."""
    if not isinstance(claim.local_time, Stated):
        return Sentence("no camera time, {reason}", reason=Sentence(claim.local_time.value))
    gps = gps_instant(claim)
    if gps is None:
        if isinstance(claim.gps_utc_time, Absent):
            return Sentence("no GPS time, {reason}", reason=Sentence(claim.gps_utc_time.value))
        return Sentence("no GPS time that can be compared")
    offset = stated(claim)
    hours = None if offset is None else offset.value
    allowed = legal(claim)
    candidates = allowed if hours is None else (hours, *allowed)
    local = claim.local_time.value
    difference_s = durations.gap_seconds(local, gps[0])
    slip = closest(difference_s, candidates) if candidates else nearest_civil(difference_s)
    return Comparison(claim, local, gps[0], gps[1], hours, allowed, slip)
