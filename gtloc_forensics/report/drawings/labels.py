"""Labels on a map that do not lie upon each other: what comes first has the first choice."""

from __future__ import annotations

from typing import TypeAlias

from gtloc_forensics.report.drawings.marks import Point

Box: TypeAlias = tuple[float, float, float, float]  # left, low, right, high

_WIDE, _TALL = 0.56, 0.76  # of a letter to its size: a little more than the fonts that ship need


class Labels:
    """The room on a sheet that is taken."""

    def __init__(self, width: float, height: float) -> None:
        """Begin with an empty sheet."""
        self._sheet = (1.5, 1.5, width - 1.5, height - 1.5)
        self._taken: list[Box] = []

    def keep_free(self, box: Box) -> None:
        """Let no label lie on *box*."""
        self._taken.append(box)

    def beside(self, x: float, y: float, text: str, *, size: float, gap: float) -> Point | None:
        """Return where *text* begins beside a spot, right of it first, and take the room; None where there is none."""
        wide, tall = _WIDE * size * len(text), _TALL * size
        for left, low in (
            (x + gap, y - tall / 2),
            (x - gap - wide, y - tall / 2),
            (x - wide / 2, y + gap),
            (x - wide / 2, y - gap - tall),
            (x + gap * 0.7, y + gap * 0.7),
            (x + gap * 0.7, y - gap * 0.7 - tall),
            (x - gap * 0.7 - wide, y + gap * 0.7),
            (x - gap * 0.7 - wide, y - gap * 0.7 - tall),
        ):
            box = (left - 0.6, low - 0.8, left + wide + 0.6, low + tall + 0.8)
            if self._is_free(box):
                self._taken += [box, (x - gap * 0.7, y - gap * 0.7, x + gap * 0.7, y + gap * 0.7)]
                return round(left, 2), round(low, 2)
        return None

    def _is_free(self, box: Box) -> bool:
        left, low, right, high = self._sheet
        if box[0] < left or box[1] < low or box[2] > right or box[3] > high:
            return False
        return all(
            box[2] <= taken[0] or box[0] >= taken[2] or box[3] <= taken[1] or box[1] >= taken[3]
            for taken in self._taken
        )
