"""What is asked of a case on the review page: photos by words, place, time and example; two examinations compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gtloc_forensics.case import query_text, search, words
from gtloc_forensics.case.contrast import Contrast, contrast
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.retrieval import Answer, Hit, Query, search_claims
from gtloc_forensics.case.reviewing.reading import Listing
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.earth import countries
from gtloc_forensics.earth.gazetteer import NamedPlace
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import PhotoEntry, Sentence
from gtloc_forensics.report.template import Words

MOST_HITS = 2_000
"""Hits that are sent; all are counted."""

V = TypeVar("V")

_PLACE_FORM = Sentence("a place is LAT,LON in degrees, as 52.52,13.41, or the name of a town, as Bergen or Paris, US")
_FORMS: Mapping[str, tuple[str, Callable[[str], Any], Sentence]] = {
    "near": ("near", query_text.place_or_town, _PLACE_FORM),
    "within": ("within_km", float, Sentence("a distance is a number of kilometres")),
    "hours": ("local_hours", query_text.hours, Sentence("hours are two, as 22-4 or 9:30-11")),
    "dates": ("dates", query_text.dates, Sentence("dates are as 2024-01-01..2024-03-31, or one date")),
    "months": ("months", query_text.months, Sentence("months are as 6-8, or one month")),
    "shows_hour": ("shows_hour", query_text.hour, Sentence("an hour is 0 to 24, as 18 or 18:30")),
    "shows_month": ("shows_month", lambda text: query_text.months(text)[0], Sentence("a month is 1 to 12")),
    "shows_place": ("shows_place", query_text.place_or_town, _PLACE_FORM),
}
_ASKED = ("near", "hours", "dates", "months", "device", "words", "like", "shows_hour", "shows_month", "shows_place")


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a search with where words stand in them, and what could not be searched."""

    answer: Answer
    places: Mapping[str, tuple[words.Place, ...]]  # by source id
    refused: tuple[str, ...]
    named: Mapping[str, NamedPlace]  # what was asked for by name: by the field that it stands in


def found(case: CaseFolder, listing: Listing, asked: Mapping[str, str]) -> Found:
    """Search as ``gtloc search`` does; the example is a photo of the case and never a path.

    Raises:
        UsageError: nothing is asked, or what is asked cannot be searched; it says why.
    """
    said = {name: value.strip() for name, value in asked.items() if value.strip()}
    if not any(name in said for name in _ASKED):
        raise UsageError(Sentence("say what to look for: words, a place, a time or a photo to compare with"))
    _refuse_what_was_not_seen(listing.view, said)
    query = _query(said)
    like = said.get("like", "")
    if like and listing.row(like) is None:
        raise UsageError(Sentence("the example is no photo of this case"))
    places: Mapping[int, tuple[words.Place, ...]] = {}
    if "words" in said:
        places = listing.words().holding(words.terms(said["words"]))
    named = {name: place for name in ("near", "shows_place") if (place := query_text.town(said.get(name, "")))}
    refused: tuple[str, ...] = ("no_words",) if "words" in said and not places else ()
    answer = Answer((), 0, len(listing.rows), {})
    if not refused and not like and not query.shows:
        rows = [listing.rows[ordinal] for ordinal in sorted(places)] if "words" in said else listing.rows
        answer = search_claims((row.claimed for row in rows), query, limit=MOST_HITS)
        answer = replace(answer, looked_at=len(listing.rows))
    elif not refused:
        among = places if "words" in said else None
        answer = search.find_among(case, query, like=like, ordinals=among, limit=MOST_HITS, watched=listing.watched)
    return Found(answer, {listing.rows[ordinal].source_id: value for ordinal, value in places.items()}, refused, named)


def _query(said: Mapping[str, str]) -> Query:
    values: dict[str, Any] = {"device": said.get("device", "")}
    for name, (field, parse, form) in _FORMS.items():
        if name in said:
            try:
                values[field] = parse(said[name])
            except (ValueError, OverflowError) as error:
                why = Sentence("{text:quoted} cannot be searched: {form}", text=said[name][:60], form=form)
                raise UsageError(why) from error
    if not 0 <= values.get("within_km", 25.0) <= 20_100:
        raise UsageError(Sentence("a distance is 0 to {most} km", most=20_100))
    return Query(**values)


def _refuse_what_was_not_seen(view: StoredCase, said: Mapping[str, str]) -> None:
    if any(name.startswith("shows_") for name in said) and not view.examined_with.model_name:
        why = view.examined_with.model_absence or Sentence("the audit ran without a model")
        raise UsageError(Sentence("what pictures show cannot be searched: no model looked at them ({why})", why=why))


def told(found: Found, words: Words) -> dict[str, Any]:
    """Return what was found as the page shows it."""
    return {
        "hits": [_hit(hit, found.places.get(hit.source_id, ())) for hit in found.answer.hits],
        "matching": found.answer.matching,
        "looked_at": found.answer.looked_at,
        "unknown": [[words.say(reason), count] for reason, count in found.answer.unknown.items()],
        "refused": list(found.refused),
        "named": [
            [name, place_told(place, words.language), place.position.latitude_deg, place.position.longitude_deg]
            for name, place in found.named.items()
        ],
    }


def place_told(place: NamedPlace, language: str) -> str:
    """Return a place as people write it: its name, its area, its country."""
    country = countries.country_name(place.country_code, language)
    return ", ".join(dict.fromkeys(filter(None, (place.name, place.area, country))))


def _hit(hit: Hit, places: tuple[words.Place, ...]) -> dict[str, Any]:
    return {
        "id": hit.source_id,
        "distance_km": hit.distance_km,
        "likeness": hit.likeness,
        "shown": hit.shown,
        "places": [[place.term, place.field, place.text] for place in places],
    }


def compared(
    case: CaseFolder, first: str, second: str, *, watched: Callable[[Iterable[PhotoEntry]], Iterable[PhotoEntry]] = iter
) -> Contrast:
    """Return what differs between two examinations of a case, by their fingerprints.

    Raises:
        UsageError: one of them is not of the case.
    """
    known = case.view().examinations()
    if first not in known or second not in known:
        raise UsageError(Sentence("the case has no such examination"))
    before, after = (StoredCase(case.store, fingerprint=fingerprint) for fingerprint in (first, second))
    return contrast(before, after, watched=watched)


def difference(found: Contrast) -> dict[str, Any]:
    """Return a comparison as the page shows it."""
    return {
        "new": list(found.new),
        "gone": list(found.gone),
        "moved": [list(pair) for pair in found.moved],
        "other": [
            {
                "name": other.name,
                "before": other.before.name.lower(),
                "after": other.after.name.lower(),
                "rules": [list(rule) for rule in other.rules],
                "content_differs": other.content_differs,
            }
            for other in found.other
        ],
        "versions": [list(version) for version in found.versions],
        "same": found.same,
    }
