"""What is said of a clock: whole sentences, made from its numbers at the end; nobody takes them apart again."""

from __future__ import annotations

from collections.abc import Sequence

from gtloc_forensics.evidence.clocks.by_light import LightVerdict
from gtloc_forensics.records import ClockKind, Sentence, Statement, template

Interval = tuple[float, float]

REACH_DAYS = 31
"""So long before and after a photo its witness speaks of the clock: clocks are set, and run down, in between."""
MOST_ZONES_HOURS = 26.0  # from UTC+14 to UTC−12: no journey sets a clock back by more

_RAN = template(
    "The clock ran {offset_hours:length} {offset_hours:±ahead|behind}, "
    "for {photos:?its one photo|all # photos} ({interval_hours:range})."
)
_RAN_AS = {
    ClockKind.DST: template(
        "The clock ran {offset_hours:length} {offset_hours:±ahead|behind}, as of summer time or of the next zone, "
        "for {photos:?its one photo|all # photos} ({interval_hours:range})."
    ),
    ClockKind.WRONG_ZONE: template(
        "The clock ran {offset_hours:length} {offset_hours:±ahead|behind}, as of another zone, "
        "for {photos:?its one photo|all # photos} ({interval_hours:range})."
    ),
    ClockKind.AM_PM: template(
        "The clock ran {offset_hours:length} {offset_hours:±ahead|behind}, as if a.m. and p.m. were mixed up, "
        "for {photos:?its one photo|all # photos} ({interval_hours:range})."
    ),
    ClockKind.RESET: template(
        "The clock ran {offset_hours:length} {offset_hours:±ahead|behind}, counting on from a lost date, "
        "for {photos:?its one photo|all # photos} ({interval_hours:range})."
    ),
}


def kept_one_offset(
    kind: ClockKind, photos: int, *, offset_hours: float, interval_hours: Interval, near: int | None = None
) -> Sentence:
    """Return what is said of a clock that was right, or off by one known offset.

    Args:
        kind: of the clock.
        photos: of the device that have a time.
        offset_hours: by which it was ahead.
        interval_hours: that holds the offset.
        near: how many of them lie near enough in time to a witness for it to speak of them; None for all.
    """
    if near is not None and near < photos:
        said = (
            Sentence(
                "The clock was right for {photos:?1 photo|# photos} ({interval_hours:range}).",
                photos=near,
                interval_hours=interval_hours,
            )
            if kind is ClockKind.RIGHT
            else kept_one_offset(kind, near, offset_hours=offset_hours, interval_hours=interval_hours)
        )
        return Sentence("{said} {reach}", said=said, reach=of_photos_near(near, photos))
    if kind is ClockKind.RIGHT:
        return Sentence(
            "The clock was right for {photos:?its one photo|all # photos} ({interval_hours:range}).",
            photos=photos,
            interval_hours=interval_hours,
        )
    return Sentence(_RAN_AS.get(kind, _RAN), photos=photos, offset_hours=offset_hours, interval_hours=interval_hours)


def of_photos_near(near: int, photos: int) -> Sentence:
    """Return of how many photos the witnesses of a clock tell it, and of how many they do not."""
    return Sentence(
        "It is told of {near:?1 photo|# photos} within {days} days of one that shows it, not of "
        "{others:?1 other|# others}.",
        near=near,
        days=REACH_DAYS,
        others=photos - near,
    )


def wrong_by_light(*, photos: int, interval_hours: Interval) -> Sentence:
    """Return what is said of a clock that light alone shows to be wrong: by how much is left to others."""
    return Sentence(
        "The clock was wrong for {photos:?its one photo|all # photos}, by how much its light leaves open "
        "({interval_hours:span}; ahead is positive), unless the claimed places are.",
        photos=photos,
        interval_hours=interval_hours,
    )


def undetermined(photos: int) -> Sentence:
    """Return what is said of a clock that nothing decides."""
    if not photos:
        return Sentence("Its photos have no time of day, by which a clock could be judged.")
    return Sentence("How the clock ran cannot be told from {photos:?its one photo|all # photos}.", photos=photos)


def kept_home_zone(*, home_offset_hours: float, elsewhere: int, photos: int) -> Sentence:
    """Return what is said of a clock that kept one zone through places of several."""
    return Sentence(
        "The clock kept {home_offset_hours:civil} for {photos:?its one photo|all # photos}, "
        "{elsewhere} of them at places that keep another time.",
        home_offset_hours=home_offset_hours,
        photos=photos,
        elsewhere=elsewhere,
    )


def exchanged_dates(fits: int, told: int) -> Sentence:
    """Return what is said of a clock that had day and month exchanged."""
    return Sentence(
        "The clock wrote day and month the wrong way round in {fits:?1 photo|# photos} of {told} that can tell.",
        fits=fits,
        told=told,
    )


def drifted(*, hours_per_day: float, first_hours: float, last_hours: float) -> Sentence:
    """Return what is said of a clock that gained or lost steadily."""
    return Sentence(
        "The clock {hours_a_month:±gained|lost} {hours_a_month:length} a month, "
        "from {first_hours:signed} to {last_hours:signed}.",
        hours_a_month=30.0 * hours_per_day,
        first_hours=first_hours,
        last_hours=last_hours,
    )


def stepped(stretches: Sequence[tuple[int, float]], *, is_lost: bool) -> Sentence:
    """Return what is said of a clock that was set anew: (photos, offset in hours) of each stretch."""
    told = [
        Sentence("{offset_hours:signed} in {photos:?1 photo|# photos}", offset_hours=hours, photos=count)
        for count, hours in stretches
    ]
    if is_lost:
        return Sentence("The clock lost its date: {stretches:list}.", stretches=told)
    return Sentence("The clock was set anew: {stretches:list}.", stretches=told)


def set_back(fell_hours: float, first_after: str) -> Sentence:
    """Return what is said of a clock that a count shows to have been set back."""
    if fell_hours > MOST_ZONES_HOURS:
        return Sentence(
            "The clock was set back by at least {fell_hours:length} before {name}, by hand or by itself.",
            fell_hours=fell_hours,
            name=first_after,
        )
    return Sentence(
        "The clock was set back by at least {fell_hours:length} before {name}, "
        "by hand, by itself or for a zone further west.",
        fell_hours=fell_hours,
        name=first_after,
    )


# --------------------------------------------------------------------------- what speaks for it


def gps_differs(*, offset_hours: float, days: int, agreeing: int, photos: int) -> Sentence:
    """Return how far a clock was from GPS time: by hours of the day, and by whole days, 0 for none."""
    if not days:
        return Sentence(
            "The camera's time differs by {offset_hours:signed} from the civil time that GPS time gives, "
            "in {agreeing} of {photos:?1 photo|# photos} whose GPS time is heard.",
            offset_hours=offset_hours,
            agreeing=agreeing,
            photos=photos,
        )
    return Sentence(
        "The camera's time differs by {offset_hours:signed} from the civil time that GPS time gives, "
        "in {agreeing} of {photos:?1 photo|# photos} whose GPS time is heard, and by {days:?1 whole day|# whole days}.",
        offset_hours=offset_hours,
        agreeing=agreeing,
        photos=photos,
        days=days,
    )


def gps_grows(*, first_hours: float, last_hours: float, photos: int) -> Sentence:
    """Return how far a clock that gained or lost was from GPS time at either end."""
    return Sentence(
        "The camera's time differs from the civil time that GPS time gives by {first_hours:signed} at first and "
        "by {last_hours:signed} at last, over {photos} photos.",
        first_hours=first_hours,
        last_hours=last_hours,
        photos=photos,
    )


def companion_differs(camera: str, *, places: int, offset_hours: float, reach_hours: float) -> Sentence:
    """Return how far a clock was from that of another camera of the journey."""
    return Sentence(
        "{camera}, whose clock GPS time confirms, was at {places} of the same places; there the clock differs "
        "by {offset_hours:signed} from it, always to within {reach_hours:length}.",
        camera=camera,
        places=places,
        offset_hours=offset_hours,
        reach_hours=reach_hours,
    )


def zone_written(photos: int, difference_hours: float) -> Sentence:
    """Return how the zone in the files stands to the time kept at the place."""
    if difference_hours == 0.0:
        return Sentence("The zone written in {photos:?1 photo|# photos} is that of the place.", photos=photos)
    return Sentence(
        "The zone written in {photos:?1 photo|# photos} is {difference_hours:signed} from civil time at the place.",
        photos=photos,
        difference_hours=difference_hours,
    )


_LEAVES_OPEN = template(
    "The light of {photos:?1 photo|# photos} without flash ({outings:?1 outing|# outings}, worth "
    "{independent_photos:.1f} independent) leaves open {interval_hours:range}."
)
_SHUTS_OUT = template(
    "The light of {photos:?1 photo|# photos} without flash ({outings:?1 outing|# outings}, worth "
    "{independent_photos:.1f} independent) leaves much of the day open ({interval_hours:range}), "
    "but not the claimed time."
)


def light_says(found: LightVerdict, *, photos: int, outings: int, independent_photos: float) -> Sentence:
    """Return what the light of a camera's photos leaves open of its clock."""
    if not found.tells and not found.is_wrong:
        return Sentence(
            "The light of {photos:?1 photo|# photos} without flash ({outings:?1 outing|# outings}, worth "
            "{independent_photos:.1f} independent) does not tell the time.",
            photos=photos,
            outings=outings,
            independent_photos=independent_photos,
        )
    return Sentence(
        _LEAVES_OPEN if found.tells else _SHUTS_OUT,
        photos=photos,
        outings=outings,
        independent_photos=independent_photos,
        interval_hours=found.interval_hours,
    )


_COUNTER_RAN_ON = template(
    "Before {name} the counter runs on while the clock falls back. Up to there: {before} From there on: {after}"
)
_UPTIME_RAN_ON = template(
    "Before {name} time since power-on runs on while the clock falls back. Up to there: {before} From there on: {after}"
)


def ran_on(name: str, *, is_uptime: bool, before: Statement, after: Statement) -> Sentence:
    """Return where a count shows a clock set back, and what is said of it on either side."""
    return Sentence(_UPTIME_RAN_ON if is_uptime else _COUNTER_RAN_ON, name=name, before=before, after=after)
