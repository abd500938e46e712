"""Hours, days of the year and longitudes: differences, means and densities on circles.

Everything here is measured in *turns*: 0 is midnight, or 1 January 00:00, and 1 is
the same point again. Nothing on a circle is averaged as a plain number. Signed
differences lie in [−½, ½) of a turn, distances in [0, ½]. Time of year and time of
day together are a point on a flat torus. All functions are vectorised; no module
of ours is imported, so every module may import this one.
"""

from __future__ import annotations

import calendar
import math
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

HOURS_PER_DAY = 24.0
MONTHS_PER_YEAR = 12.0

# GT-Loc's time encoder places a date at (month − 1) + (day − 1) / (365 / 12) months; its metric at
# month + (day − 1) / 31 (papers.md §1.2 and §1.6). They differ by up to half a day and must not be mixed.
ENCODER_DAYS_PER_MONTH = 365.0 / 12.0
METRIC_DAYS_PER_MONTH = 31.0

Floats = NDArray[np.float64]


# --------------------------------------------------------------------------- differences


def wrap_turn(turn: ArrayLike) -> Floats:
    """Return *turn* in [0, 1)."""
    wrapped = np.mod(np.asarray(turn, dtype=np.float64), 1.0)
    # np.mod(-1e-18, 1.0) is 1.0 after rounding, which is 0 on the circle.
    return np.where(wrapped >= 1.0, 0.0, wrapped)


def turn_difference(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return ``first − second`` the short way round, in [−½, ½) turns.

    Exactly half a turn apart is −½: there is no shorter way.
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return np.asarray(wrap_turn(difference + 0.5) - 0.5, dtype=np.float64)


def turn_distance(first: ArrayLike, second: ArrayLike) -> Floats:
    """Return how far two points are apart the short way round, in [0, ½] turns."""
    return np.asarray(np.abs(turn_difference(first, second)), dtype=np.float64)


def hour_difference(first_hour: ArrayLike, second_hour: ArrayLike) -> Floats:
    """Return ``first − second`` as times of day, in [−12, 12) hours."""
    return HOURS_PER_DAY * turn_difference(
        np.asarray(first_hour, dtype=np.float64) / HOURS_PER_DAY,
        np.asarray(second_hour, dtype=np.float64) / HOURS_PER_DAY,
    )


def hour_distance(first_hour: ArrayLike, second_hour: ArrayLike) -> Floats:
    """Return the distance of two times of day, in [0, 12] hours."""
    return np.asarray(np.abs(hour_difference(first_hour, second_hour)), dtype=np.float64)


def longitude_difference(first_deg: ArrayLike, second_deg: ArrayLike) -> Floats:
    """Return ``first − second`` across the date line where that is shorter, in [−180, 180) degrees."""
    return 360.0 * turn_difference(
        np.asarray(first_deg, dtype=np.float64) / 360.0, np.asarray(second_deg, dtype=np.float64) / 360.0
    )


def wrap_longitude(longitude_deg: ArrayLike) -> Floats:
    """Return *longitude_deg* in [−180, 180)."""
    return np.asarray(360.0 * (wrap_turn(np.asarray(longitude_deg, dtype=np.float64) / 360.0 + 0.5) - 0.5))


def torus_distance(
    first_year_turn: ArrayLike, first_day_turn: ArrayLike, *, second_year_turn: ArrayLike, second_day_turn: ArrayLike
) -> Floats:
    """Return the flat-torus distance of two (time of year, time of day) points, in [0, √½].

    Both axes count in turns, as GT-Loc's temporal metric does (papers.md §1.3).
    """
    return np.hypot(turn_distance(first_year_turn, second_year_turn), turn_distance(first_day_turn, second_day_turn))


# --------------------------------------------------------------------------- calendar


def day_turn(local: datetime) -> float:
    """Return the time of day of *local* as a turn in [0, 1)."""
    seconds = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond * 1e-6
    return seconds / 86400.0


def year_turn(local: datetime) -> float:
    """Return the time of year of *local* as a turn in [0, 1), by the length its year really has.

    29 February moves the rest of a leap year by a day, as the seasons see it.
    """
    days = 366.0 if calendar.isleap(local.year) else 365.0
    return (local.timetuple().tm_yday - 1 + day_turn(local)) / days


def encoder_year_turn(month: ArrayLike, day: ArrayLike) -> Floats:
    """Return the time of year as GT-Loc's time encoder counts it, in [0, 1).

    Args:
        month: 1–12.
        day: day of the month, 1–31.
    """
    months = (np.asarray(month, dtype=np.float64) - 1.0) + (
        np.asarray(day, dtype=np.float64) - 1.0
    ) / ENCODER_DAYS_PER_MONTH
    return np.asarray(months / MONTHS_PER_YEAR, dtype=np.float64)


def metric_month(month: ArrayLike, day: ArrayLike) -> Floats:
    """Return the month with its fraction as GT-Loc's published metric counts it, in [1, 13)."""
    return np.asarray(
        np.asarray(month, dtype=np.float64) + (np.asarray(day, dtype=np.float64) - 1.0) / METRIC_DAYS_PER_MONTH,
        dtype=np.float64,
    )


def month_distance(first_month: ArrayLike, second_month: ArrayLike) -> Floats:
    """Return the cyclic distance of two months (with fractions), in [0, 6] months."""
    return MONTHS_PER_YEAR * turn_distance(
        np.asarray(first_month, dtype=np.float64) / MONTHS_PER_YEAR,
        np.asarray(second_month, dtype=np.float64) / MONTHS_PER_YEAR,
    )


# --------------------------------------------------------------------------- means


def circular_mean(turns: ArrayLike, weights: ArrayLike | None = None) -> tuple[float, float]:
    """Return the mean direction of *turns* and how much they agree.

    Args:
        turns: any shape, at least one element.
        weights: same shape, not negative, not all zero; equal when left out.

    Returns:
        ``(mean in [0, 1), resultant length in [0, 1])``. A length near 0 says that
        the points cancel and the mean means nothing.

    Raises:
        ValueError: when there is nothing to average.
    """
    angles = 2.0 * math.pi * np.asarray(turns, dtype=np.float64).ravel()
    weight = np.ones_like(angles) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    total = float(weight.sum())
    if angles.size == 0 or not total > 0.0:
        raise ValueError("a circular mean needs at least one point of positive weight")
    sine = float(np.sin(angles) @ weight) / total
    cosine = float(np.cos(angles) @ weight) / total
    return float(wrap_turn(math.atan2(sine, cosine) / (2.0 * math.pi))), min(1.0, math.hypot(sine, cosine))


# --------------------------------------------------------------------------- densities


def cell_centres(cells: int) -> Floats:
    """Return the centres of *cells* equal cells of a turn; cell *i* covers [i/cells, (i+1)/cells)."""
    return (np.arange(cells, dtype=np.float64) + 0.5) / cells


def cell_of(turn: ArrayLike, *, cells: int) -> NDArray[np.int64]:
    """Return the index of the cell that holds *turn*."""
    return np.minimum((wrap_turn(turn) * cells).astype(np.int64), cells - 1)


def wrapped_normal(turns: ArrayLike, mean_turn: float, *, sd_turns: float) -> Floats:
    """Return the density per turn of a normal wrapped round the circle.

    Args:
        turns: where to evaluate, any shape.
        mean_turn: centre.
        sd_turns: standard deviation before wrapping, > 0.
    """
    if not sd_turns > 0.0:
        raise ValueError("a wrapped normal needs a positive standard deviation")
    # Six standard deviations hold all but 2e-9 of the mass.
    windings = np.arange(-math.ceil(6.0 * sd_turns) - 1, math.ceil(6.0 * sd_turns) + 2)
    offset = turn_difference(turns, mean_turn)[..., None] + windings
    density = np.exp(-0.5 * (offset / sd_turns) ** 2).sum(axis=-1) / (sd_turns * math.sqrt(2.0 * math.pi))
    return np.asarray(density, dtype=np.float64)


def smooth_mass(mass: ArrayLike, *, sd_turns: float) -> Floats:
    """Blur a mass on a circle with a wrapped normal; the sum and the mean direction stay.

    Args:
        mass: ``[..., C]``, the circle along the last axis.
        sd_turns: standard deviation of the blur, > 0.
    """
    values = np.asarray(mass, dtype=np.float64)
    cells = values.shape[-1]
    kernel = wrapped_normal(np.arange(cells) / cells, 0.0, sd_turns=sd_turns)
    kernel /= kernel.sum()
    blurred = np.fft.irfft(np.fft.rfft(values, axis=-1) * np.fft.rfft(kernel), n=cells, axis=-1)
    return np.asarray(np.maximum(blurred, 0.0), dtype=np.float64)


def mass_at(mass: ArrayLike, turn: ArrayLike) -> Floats:
    """Return the mass per cell at *turn*, linear between cell centres and across the seam.

    Args:
        mass: ``[C]``.
        turn: any shape.
    """
    values = np.asarray(mass, dtype=np.float64)
    cells = values.shape[-1]
    place = wrap_turn(turn) * cells - 0.5
    left = np.floor(place).astype(np.int64)
    share = place - left
    return np.asarray((1.0 - share) * values[left % cells] + share * values[(left + 1) % cells], dtype=np.float64)


def expected_distances(mass: ArrayLike) -> Floats:
    """Return, for each cell centre, its expected distance to a point drawn from *mass*, in turns.

    The cell of least expected distance is the circular median, the best single answer
    when the error is counted as a cyclic distance.

    Args:
        mass: ``[..., C]``, sums to 1 along the last axis.
    """
    values = np.asarray(mass, dtype=np.float64)
    cells = values.shape[-1]
    distance = turn_distance(np.arange(cells) / cells, 0.0)
    expected = np.fft.irfft(np.fft.rfft(values, axis=-1) * np.fft.rfft(distance), n=cells, axis=-1)
    return np.asarray(np.maximum(expected, 0.0), dtype=np.float64)


def shortest_arc(mass: ArrayLike, *, share: float) -> tuple[float, float]:
    """Return the shortest arc of whole cells that holds at least *share* of the mass.

    Args:
        mass: ``[C]``, not negative, positive sum.
        share: in (0, 1].

    Returns:
        ``(start turn in [0, 1), length in turns)``.
    """
    values = np.asarray(mass, dtype=np.float64)
    cells = values.size
    doubled = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values]))])
    needed = share * values.sum() * (1.0 - 1e-12)
    starts = np.arange(cells)
    ends = np.searchsorted(doubled, doubled[starts] + needed, side="left")
    lengths = np.minimum(ends - starts, cells)
    best = int(np.argmin(lengths))
    return best / cells, int(lengths[best]) / cells
