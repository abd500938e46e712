"""GF408 — The light of all photos of a device against its place, the clock trusted.

Shows: where on earth the sun moved as the exposures say, and whether that region holds the
claimed place; and whether a lost sign or a swap of latitude and longitude, once undone,
makes the light fit.

Cannot show: anything finer than some hundred kilometres, and nothing when the instants were
worked out from the claimed place itself. A clock wrong by hours looks like a longitude that
is wrong by 15° for each: the two are told apart only by other witnesses.

Blind spots: as for light and clock; journeys longer than 1,000 km are tested for the slips only.

Threshold: the claimed cell outside the region that holds 99.5 % of the mass and at most
1/300 as likely as the best; a slip undone must make the light 1,000 times likelier.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure import geolocation as light_places
from gtloc_forensics.evidence.exposure.geolocation import LightPlace
from gtloc_forensics.records import (
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    Statement,
)

OUTSIDE = 0.995
LEAST_RATIO = 1.0 / 300.0
SLIP_LOG10 = 3.0
NEARLY_BEST_LOG10 = 2.0


@check("GF408", title="Light of all photos against the place", scope=Scope.DEVICE, version="4")
def light_of_place(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Locate the device by light and look whether the claimed place is among the likely ones."""
    model = exposure.load()
    timed = receiver.with_clocks_only(group)  # a constant or an old fix is no instant to ask the light about
    slips = light_places.slips_by_light(timed, model=model)
    if not slips:
        few = Sentence("too few photos with exposure and an instant of their own")
        yield from pairs.silent("GF408", group.summaries, few)
        return
    used = _used(group)
    unlit = Sentence("no flashless exposure with place and instant")
    yield from pairs.silent("GF408", pairs.rest(group.summaries, used), unlit)
    place = light_places.locate_by_light(timed, model=model)
    # Under a far-off claim nearly every place fits better: the repaired one must be among the best of all.
    enough = max(SLIP_LOG10, place.behind_log10 - NEARLY_BEST_LOG10 if place else 0.0)
    if slips[0][1] >= enough:
        yield _slip(group, used, *slips[0])
    elif place is None:
        yield from pairs.silent("GF408", used, Sentence("a journey too long to be one place; no slip fits better"))
    elif place.rank >= OUTSIDE and place.ratio <= LEAST_RATIO:
        yield _elsewhere(group, used, place)
    else:
        summary = Sentence("The claimed place is among those the light allows.")
        yield from pairs.passed("GF408", used, summary)


def _used(group: DeviceGroup) -> list[PhotoSummary]:
    """Return the photos whose light was weighed, as far as place, instant and exposure say."""
    named = set(light_offsets.frames_of(group.summaries).source_ids)
    return [photo for photo in group.summaries if photo.source_id in named and photo.utc_time is not None]


def _slip(group: DeviceGroup, used: list[PhotoSummary], slip: Statement, gain_log10: float) -> Finding:
    return pairs.about(
        "GF408",
        used,
        Sentence("The light is 10^{gain_log10:.0f} times likelier with {slip}.", gain_log10=gain_log10, slip=slip),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-or-place",
        device_key=group.device_key,
        severity=Severity.HIGH,
        confidence=Confidence.WEAK,
        innocent=(Sentence("a clock that is hours off"),),
        limitations=(Sentence("Light alone cannot tell a wrong longitude from a wrong clock."),),
        facts={"slip": str(slip), "log10_gain": gain_log10},
    )


def _elsewhere(group: DeviceGroup, used: list[PhotoSummary], place: LightPlace) -> Finding:
    latitude, longitude = float(place.density.latitude_deg[0]), float(place.density.longitude_deg[0])
    return pairs.about(
        "GF408",
        used,
        Sentence(
            "By the light of {photos} photos the claimed place lies outside the region holding {rank_percent:.1f}% of "
            "the probability; likeliest is about {latitude_deg:.0f}°, {longitude_deg:.0f}°.",
            photos=place.photos,
            rank_percent=100.0 * OUTSIDE,
            latitude_deg=latitude,
            longitude_deg=longitude,
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-or-place",
        device_key=group.device_key,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK,
        innocent=(Sentence("a clock that is hours off"),),
        limitations=(Sentence("Light alone cannot tell a wrong longitude from a wrong clock."),),
        facts={"rank": place.rank, "ratio": place.ratio, "latitude_deg": latitude, "longitude_deg": longitude},
    )
