"""Weak labels as soft regions of the torus: what "winter" or "night" says of a time.

A region is a product of two soft windows, one over the year and one over the day; a
label that says nothing of an axis leaves it flat. Seasons are the northern ones and are
turned by half a year where the photo's latitude is known to be southern. Edges are wide,
because the labels are stereotypes: in ``../shared/photos`` about 90 % of day and night are right.
"""

from __future__ import annotations

import torch
from torch import Tensor

# label → (start, end) in turns; a window may run across the seam.
YEAR_WINDOWS = {
    "season:spring": (59 / 365, 151 / 365),
    "season:summer": (151 / 365, 243 / 365),
    "season:autumn": (243 / 365, 334 / 365),
    "season:fall": (243 / 365, 334 / 365),
    "season:winter": (334 / 365, 59 / 365),
}
DAY_WINDOWS = {
    "daynight:day": (6.5 / 24, 18.5 / 24),
    "daynight:night": (19.5 / 24, 5.5 / 24),
    "daypart:evening": (17.5 / 24, 21.0 / 24),
    "daypart:night": (19.5 / 24, 5.5 / 24),
    "daypart:morning": (5.0 / 24, 10.0 / 24),
}
# The sun low over the horizon; morning and evening are not told apart reliably.
LOW_SUN = ("daypart:sunrise", "daypart:sunset", "daypart:sunrise/sunset", "weather:sunrise")
LOW_SUN_WINDOWS = ((4.5 / 24, 8.5 / 24), (16.5 / 24, 21.0 / 24))

YEAR_EDGE = 0.04  # about two weeks
DAY_EDGE = 1.0 / 24.0
FLOOR = 0.02  # what lies outside keeps this much: labels are wrong now and then


def says_something(label: str) -> bool:
    """Return whether *label* is one that is understood."""
    return label in YEAR_WINDOWS or label in DAY_WINDOWS or label in LOW_SUN


def region(label: str, turns: Tensor, *, southern: bool = False) -> Tensor:
    """Return how well each time fits a label.

    Args:
        label: one of which :func:`says_something` is true.
        turns: ``[C, 2]`` (turn of the year, turn of the day).
        southern: whether the photo is known to be from south of the equator.

    Returns:
        ``[C]`` in [FLOOR, 1].
    """
    year, day = turns.unbind(-1)
    fit = torch.ones_like(year)
    if label in YEAR_WINDOWS:
        fit = fit * _window(year + 0.5 * southern, YEAR_WINDOWS[label], edge=YEAR_EDGE)
    if label in DAY_WINDOWS:
        fit = fit * _window(day, DAY_WINDOWS[label], edge=DAY_EDGE)
    if label in LOW_SUN:
        fit = fit * torch.maximum(*(_window(day, window, edge=DAY_EDGE) for window in LOW_SUN_WINDOWS))
    return FLOOR + (1.0 - FLOOR) * fit


def _window(turn: Tensor, window: tuple[float, float], *, edge: float) -> Tensor:
    """Return 1 inside, 0 outside, a smooth step of width *edge* at both ends."""
    start, end = window
    length = (end - start) % 1.0
    from_middle = torch.abs((turn - (start + length / 2.0) + 0.5) % 1.0 - 0.5)
    return torch.sigmoid((length / 2.0 - from_middle) / (edge / 4.0))
