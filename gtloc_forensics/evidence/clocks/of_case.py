"""The clocks of all cameras of a case: each alone, then beside those that GPS time confirms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from gtloc_forensics.evidence.clocks import companions
from gtloc_forensics.evidence.clocks.model import fit
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.records import ClockKind, ClockModel, ClockWitness, DeviceGroup


class Each(Protocol):
    """Applies a function to each of some things, as :func:`map` does; in which process is its own affair."""

    def __call__(self, function: Callable[[Any], ClockModel], of: Sequence[Any], /) -> Iterable[ClockModel]:
        """Return what *function* gives for each, in order."""


def fit_all(
    groups: Sequence[DeviceGroup], *, light_model: LightModel | None = None, each: Each = map
) -> tuple[ClockModel, ...]:
    """Return how the clock of each camera of a case ran; cameras that GPS time confirms speak for those beside them.

    Args:
        groups: all photos of each device.
        light_model: p(EV100 | sun elevation); by default the one that comes with the program.
        each: what goes through the cameras, where it shall not be this process alone.
    """
    alone = list(each(lambda group: fit(group, light_model=light_model), groups))
    confirmed = [
        companions.Reference.of(group)
        for group, model in zip(groups, alone, strict=True)
        if model.kind is ClockKind.RIGHT and model.decided_by is ClockWitness.GPS
    ]

    def beside_others(number: int) -> ClockModel:
        model = alone[number]
        if model.decided_by is ClockWitness.GPS:
            return model
        met = companions.meetings(groups[number], confirmed)
        return model if met is None else fit(groups[number], light_model=light_model, met=met)

    return tuple(each(beside_others, range(len(alone))))
