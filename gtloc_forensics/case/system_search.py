"""A case asked by a system that looked at it as a second opinion: TIGeR, which sees a time and a place together.

Early fusion, as published: the tokens of a time and of a place pass through one layer together, and what comes of them
is compared with the vectors of pictures (papers.md §6.1). Of a picture and a time together the published losses compare
places, not pictures: so examples are put into the mean beside the fused vector, as everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.errors import MissingExtra, UsageError, WeightsError
from gtloc_forensics.records import Environment, Photo, Prediction, Sentence, Unexamined

if TYPE_CHECKING:
    from gtloc_forensics.vision.systems.opinion import SecondOpinion


class AskedSystem:
    """One system, and what it saw in the photos of some cases.

    Attributes:
        name: under which it looked at them.
    """

    def __init__(self, name: str, environments: Sequence[Environment]) -> None:
        """Refuse a system that did not look at every case with the same weights.

        Raises:
            UsageError: naming those that did.
        """
        self.name = name
        weights = [environment.opinions.get(f"{name} weights", "") for environment in environments]
        if not all(weights):
            calibrated = " calibration"
            known = {
                key.removesuffix(calibrated) for each in environments for key in each.opinions if calibrated in key
            }
            raise UsageError(
                Sentence(
                    "{name:quoted} did not look at the case as a second opinion (those that did: {known}); "
                    "audit it with --second-opinion",
                    name=name[:60],
                    known=tuple(sorted(known)) or Sentence("none"),
                )
            )
        if len(set(weights)) > 1:
            raise UsageError(
                Sentence("{name} looked at the cases with different weights, which cannot be compared", name=name)
            )
        self._weights = weights[0]
        self._loaded: SecondOpinion | None = None

    def told(self) -> tuple[str, str]:
        """Return that this system was asked, as a pair for the answer."""
        return self.name, Sentence(
            "the system that is asked; it sees a time and a place together, calibrated by nobody"
        )

    def seen(self, photos: Iterable[Photo]) -> Iterator[Photo]:
        """Yield photos with what the system saw in the place of what the first model saw."""
        for photo in photos:
            said = [item for item in photo.opinions if isinstance(item, Prediction) and item.model == self.name]
            silent = Unexamined(photo.source.source_id, "vision", Sentence("the system said nothing of it"))
            yield replace(photo, prediction=said[0] if said else silent)

    def fused(self, turns: NDArray[np.float64] | None, places_deg: NDArray[np.float64] | None) -> NDArray[np.float32]:
        """Return ``[N, D]`` unit vectors: every time with every place, or of the one that is asked alone.

        Args:
            turns: ``[T, 2]`` of the year and of the day.
            places_deg: ``[P, 2]`` latitude, longitude.

        Raises:
            UsageError: the system has no such space, or is not installed with the same weights.
        """
        if turns is not None and places_deg is not None:
            count = len(places_deg)
            places_deg = np.tile(places_deg, (len(turns), 1))
            turns = np.repeat(turns, count, axis=0)
        found = self._system().fused(turns, places_deg)
        if found is None:
            raise UsageError(
                Sentence("the system {name} has no space in which times, places and pictures meet", name=self.name)
            )
        return found

    def _system(self) -> SecondOpinion:
        from gtloc_forensics import vision
        from gtloc_forensics.vision.systems.opinion import SecondOpinion

        if self._loaded is None:
            try:
                found = vision.second_opinion(self.name, device="cpu")
            except (WeightsError, MissingExtra) as error:
                raise UsageError(error.args[0]) from error
            if not isinstance(found, SecondOpinion) or found.weights_sha256 != self._weights:
                raise UsageError(
                    Sentence("no system {name} is installed with the weights that looked at the case", name=self.name)
                )
            self._loaded = found
        return self._loaded
