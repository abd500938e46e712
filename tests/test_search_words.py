"""A question in words is understood by learned words, the calendar and the gazetteer, or refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from builders import a_photo
from fake_case import a_prediction
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.case import calendar_words, query_text
from gtloc_forensics.case.composing import merged
from gtloc_forensics.case.query_words import MOST_CHARACTERS, Meaning, Sought, understood
from gtloc_forensics.case.retrieval import Answer, Query, search
from gtloc_forensics.earth import gazetteer
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.records import Photo
from gtloc_forensics.report.template import load_words
from gtloc_forensics.vision import words
from gtloc_forensics.vision.words import Concept, WordHeads

FOLDER = Path(__file__).parents[1] / "models" / "gtloc-small"
WEIGHTS = json.loads((FOLDER / "manifest.json").read_text())["files"]["weights.safetensors"]


@pytest.fixture(scope="module")
def heads() -> WordHeads:
    found = words.read(FOLDER, weights_sha256=WEIGHTS)
    assert found is not None
    return found


def names(meaning: Meaning) -> list[str]:
    return [("-" if sought.absent else "") + sought.concept.name for sought in meaning.sought]


# --------------------------------------------------------------------------- words that are understood


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("snow at dusk", ["snow", "sunset or twilight"]),
        ("Schnee in der Dämmerung", ["snow", "sunset or twilight"]),
        ("a BEACH without people", ["beach", "-person"]),
        ("Strand ohne Menschen", ["beach", "-person"]),
        ("fog in the forest, no cars", ["fog", "forest", "-car"]),
        ("blue sky", ["blue sky"]),
    ],
)
def test_what_is_seen_is_asked_in_english_and_german(heads: WordHeads, text: str, seen: list[str]) -> None:
    meaning = understood(text, heads)
    assert names(meaning) == seen
    assert (meaning.when, meaning.there) == (None, None)


@pytest.mark.parametrize("text", ["Christmas evening in Norway", "Weihnachten abends in Norwegen"])
def test_a_feast_an_hour_and_a_country_are_a_time_and_a_place(heads: WordHeads, text: str) -> None:
    meaning = understood(text, heads)
    assert meaning.when is not None
    assert meaning.there is not None
    assert [round(365 * turn) for turn in meaning.when.year or ()] == [357, 360]  # 24 to 26 December
    assert meaning.when.hours == (18, 22)
    assert meaning.there.name == "Norway"
    assert all(57 < point.latitude_deg < 72 for point in meaning.there.points)


@pytest.mark.parametrize(
    ("text", "days", "hours"),
    [
        ("2024-12-25 18:00", (358, 359), (17.5, 18.5)),
        ("7 pm on 12 May", (131, 132), (18.5, 19.5)),
        ("12. Mai um 19 Uhr", (131, 132), None),
        ("December", (334, 0), None),
        ("Silvester Mitternacht", (364, 0), (23, 1)),
        ("summer", (151, 243), None),
        ("foggy mornings in May", (120, 151), (6, 10)),
    ],
)
def test_dates_and_hours_are_read(heads: WordHeads, text: str, days: tuple[int, int], hours: object) -> None:
    when = understood(text, heads).when
    assert when is not None
    assert tuple(round(365 * turn) for turn in when.year or ()) == days
    assert hours is None or when.hours == hours


def test_a_season_is_that_of_the_place(heads: WordHeads) -> None:
    north, south = understood("summer in Norway", heads).when, understood("Sommer in Australien", heads).when
    assert north is not None and north.year is not None
    assert south is not None and south.year is not None
    assert (south.year[0] - north.year[0]) % 1 == pytest.approx(0.5)


def test_a_year_in_a_date_is_said_to_be_left_aside(heads: WordHeads) -> None:
    assert "the year 2024 cannot be seen" in dict(understood("2024-12-25", heads).read_as)["2024-12-25"]


def test_a_town_is_told_with_its_country_and_its_namesakes(heads: WordHeads) -> None:
    told = dict(understood("night in Bergen", heads).read_as)["Bergen"]
    assert told.startswith("the place Bergen, Vestland, Norway (")
    assert "smaller places bear the name" in told


def test_a_word_that_is_a_small_town_too_is_the_word(heads: WordHeads) -> None:
    assert understood("people in fog", heads).there is None
    essen = understood("in Essen", heads).there
    assert essen is not None
    assert essen.name.startswith("Essen, North Rhine")


@pytest.mark.parametrize(
    ("text", "first", "hours", "seen"),
    [
        ("Sommerabend in Norwegen", 151, (18, 22), []),
        ("Weihnachtsmorgen", 357, (6, 10), []),
        ("Ostermorgen", 80, (6, 10), []),
        ("Dezembernachmittag", 334, (13, 18), []),
        ("Winternacht", 334, None, ["night"]),
        ("Herbstdämmerung", 243, None, ["sunset or twilight"]),
    ],
)
def test_a_german_compound_of_season_and_hour_is_both(
    heads: WordHeads, text: str, first: int, hours: tuple[float, float] | None, seen: list[str]
) -> None:
    meaning = understood(text, heads)
    assert meaning.when is not None and meaning.when.year is not None
    assert round(365 * meaning.when.year[0]) == first
    assert meaning.when.hours == hours
    assert names(meaning) == seen


@pytest.mark.parametrize("word", ["Abend", "Nacht", "evening", "midnight", "morgens"])
def test_a_word_that_is_no_compound_stays_whole(word: str) -> None:
    assert calendar_words.parts(word) == (word,)


# --------------------------------------------------------------------------- words that are refused


def refusal(text: str, heads: WordHeads | None, **more: str) -> str:
    with pytest.raises(UsageError) as said:
        understood(text, heads, **more)
    return str(said.value)


def test_a_word_nobody_learned_is_refused_by_name_and_nothing_is_searched(heads: WordHeads) -> None:
    said = refusal("a purple zeppelin at dusk", heads)
    assert said.startswith("nothing was searched")
    assert "'purple': no installed model reads text" in said
    assert "'zeppelin'" in said
    assert "'dusk'" not in said


def test_a_word_learned_too_badly_is_refused_with_what_was_measured(heads: WordHeads) -> None:
    assert heads.refused
    concept = heads.refused[0]
    said = refusal(concept.name, heads)
    assert f"{concept.name} is not among the words that were learned well enough" in said
    assert f"{concept.positive_sources} sources" in said


def test_a_year_alone_is_refused_since_no_picture_shows_it(heads: WordHeads) -> None:
    assert "'2019': a picture does not show the year" in refusal("people 2019", heads)


@pytest.mark.parametrize("text", ["25:99", "31 February", "2024-13-01", "13 pm"])
def test_what_looks_like_a_time_and_is_none_is_refused(heads: WordHeads, text: str) -> None:
    assert f"'{text}'" in refusal(f"snow {text}", heads)


def test_a_time_and_a_place_are_asked_once(heads: WordHeads) -> None:
    assert "cannot be asked twice" in refusal("Christmas in June", heads)
    assert "one place" in refusal("in Norway, in Peru", heads)


def test_without_words_for_the_model_the_reason_is_said() -> None:
    assert "no model looked at them" in refusal("snow", None, why_none="no model looked at them")
    assert understood("Christmas in Norway", None).there is not None


@pytest.mark.parametrize("text", ["", "   ", "the of a", ",;", "no"])
def test_a_question_without_a_word_that_counts_is_refused(heads: WordHeads, text: str) -> None:
    assert "no word of the question" in refusal(text, heads)


def test_a_question_has_an_end(heads: WordHeads) -> None:
    assert "characters" in refusal("snow " * MOST_CHARACTERS, heads)
    assert "words" in refusal("a " * 100, heads)


@given(st.text(max_size=40))
def test_hostile_text_is_understood_or_refused_and_never_repeated_raw(text: str) -> None:
    heads = words.read(FOLDER, weights_sha256=WEIGHTS)
    try:
        understood(text, heads)
    except UsageError as error:
        assert not any(mark in str(error) for mark in "\x1b\u202e\x00\r\n")


# --------------------------------------------------------------------------- the weights


def test_every_word_that_ships_is_learned_as_well_as_was_asked_and_says_how_often_it_is_right(heads: WordHeads) -> None:
    docs = (Path(__file__).parents[1] / "docs" / "search.md").read_text(encoding="utf-8")
    assert len(heads.concepts) >= 20
    for concept in heads.concepts:
        assert concept.auc[1] > 0.75, concept.name
        assert concept.positive_sources >= 8, concept.name
        for figure in (concept.auc, concept.precision, concept.recall):
            shown = f"{figure[0]:.2f} ({figure[1]:.2f}–{figure[2]:.2f})"
            assert shown in docs, (concept.name, shown)
    for concept in heads.refused:
        assert f"| {concept.name} |" in docs
        assert not concept.weights


def test_words_of_other_weights_and_damaged_words_are_refused(tmp_path: Path) -> None:
    assert words.read(tmp_path, weights_sha256=WEIGHTS) is None
    (tmp_path / words.WORDS).write_bytes((FOLDER / words.WORDS).read_bytes())
    with pytest.raises(WeightsError, match="other weights"):
        words.read(tmp_path, weights_sha256="0" * 64)
    for content in (b"", b"[" * 10_000, b'{"format": 1}', b"\xff\xfe"):
        (tmp_path / words.WORDS).write_bytes(content)
        with pytest.raises(WeightsError, match="holds no words"):
            words.read(tmp_path, weights_sha256=WEIGHTS)


# --------------------------------------------------------------------------- the order


def concept(name: str, *weights: float) -> Concept:
    figure = (0.8, 0.7, 0.9)
    return Concept(name, name, (name,), figure, 0.0, figure, figure, 0.1, 20, 10, 100, 50, tuple(weights), -0.5)


def embedded(name: str, *vector: float) -> Photo:
    made = replace(a_photo(name=name), prediction=a_prediction(name, hour=12.0, season=0.5, place=(48.0, 2.0)))
    unit = np.asarray(vector, np.float32) / np.float32(np.linalg.norm(vector))
    return replace(made, prediction=replace(made.prediction, embedding=unit))


PHOTOS = [embedded("both", 1, 1), embedded("snow", 1, -0.2), embedded("night", -0.2, 1), embedded("none", -1, -1)]
SNOW, NIGHT = concept("snow", 4.0, 0.0), concept("night", 0.0, 4.0)


def order(answer: Answer) -> list[str]:
    return [hit.name for hit in answer.hits]


def test_what_shows_all_that_is_sought_comes_first() -> None:
    answer = search(PHOTOS, Query(sought=(Sought(SNOW), Sought(NIGHT))))
    assert order(answer)[0] == "both"
    assert order(answer)[-1] == "none"


def test_what_is_not_to_be_seen_goes_to_the_end() -> None:
    assert order(search(PHOTOS, Query(sought=(Sought(SNOW), Sought(NIGHT, absent=True)))))[0] == "snow"


def test_each_hit_says_how_surely_a_word_is_seen_and_how_often_that_is_right() -> None:
    first = search(PHOTOS, Query(sought=(Sought(SNOW),))).hits[0]
    (seen,) = first.words
    assert (seen.name, seen.is_told, seen.precision) == ("snow", True, (0.8, 0.7, 0.9))
    assert seen.probability > 0.5


def test_a_photo_no_model_looked_at_is_counted_and_not_called_a_miss() -> None:
    answer = search([*PHOTOS, a_photo(name="unseen")], Query(sought=(Sought(SNOW),)))
    assert answer.unknown == {"no model looked at its pixels": 1}


def test_a_word_that_is_seen_outweighs_any_likeness_to_a_place() -> None:
    query = Query(sought=(Sought(SNOW),), composed=np.array([-1.0, 0.0], np.float32))
    assert set(order(search(PHOTOS, query))[:2]) == {"both", "snow"}


def test_several_cases_give_one_order_and_each_hit_says_whose_it_is() -> None:
    query = Query(sought=(Sought(SNOW),))
    each = {"a": search(PHOTOS[2:], query, limit=None), "b": search(PHOTOS[:2], query, limit=None)}
    answer = merged(each, query, limit=3)
    assert [(hit.name, hit.case) for hit in answer.hits][:2] == [("snow", "b"), ("both", "b")]
    assert (answer.matching, answer.looked_at, len(answer.hits)) == (4, 4, 3)


def test_the_same_photo_in_two_cases_is_two_hits() -> None:
    query = Query(sought=(Sought(SNOW),))
    each = {name: search(PHOTOS[:1], query, limit=None) for name in ("a", "b")}
    assert [hit.case for hit in merged(each, query).hits] == ["a", "b"]


# --------------------------------------------------------------------------- places by name


def test_a_place_is_a_pair_of_degrees_or_the_name_of_a_town() -> None:
    assert query_text.place_or_town("48.9,2.3").latitude_deg == 48.9
    assert query_text.place_or_town("bergen").latitude_deg == pytest.approx(60.39, abs=0.05)
    assert query_text.place_or_town("Bergen, DE").latitude_deg == pytest.approx(52.8, abs=0.1)
    assert query_text.place_or_town("Singapore").longitude_deg == pytest.approx(103.85, abs=0.1)


@pytest.mark.parametrize("text", ["Norway", "nowhereatall", "91,0", "", "x" * 500, "\x1b[31m", "nan,nan"])
def test_a_country_and_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        query_text.place_or_town(text)


def test_the_towns_of_a_country_lie_in_it_the_greatest_first() -> None:
    towns = gazetteer.of_country("NO", most=5)
    assert towns[0].name == "Oslo"
    assert {town.country_code for town in towns} == {"NO"}
    assert gazetteer.told(towns[0]) == "Oslo, Norway"


def test_the_form_of_the_file_is_strict() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"format": 1, "weights_sha256": 3, "concepts": []}', type=WordHeads)


# --------------------------------------------------------------------------- what a text tower reads


def read(text: str, heads: WordHeads | None) -> Meaning:
    return understood(text, heads, why_no_tower=lambda: "")


@pytest.mark.parametrize(
    ("text", "phrases", "seen"),
    [
        ("a purple zeppelin at dusk", ["purple zeppelin at dusk"], ["sunset or twilight"]),
        ("zeppelin, dusk", ["zeppelin"], ["sunset or twilight"]),
        ("a red car in Norway at Christmas", ["red car"], ["car"]),
        ("red bus on a bridge in Norway, a tram", ["red bus on a bridge", "tram"], []),
        ("fog without a purple zeppelin", ["-purple zeppelin"], ["fog"]),
        ("no red car, snow", ["-red car"], ["snow"]),
        ("without people snow zeppelin", ["snow zeppelin"], ["-person", "snow"]),
        ("no zeppelin in Norway", ["-zeppelin"], []),
        ("snow", [], ["snow"]),
    ],
)
def test_what_nobody_learned_goes_to_the_text_tower_with_the_words_around_it(
    heads: WordHeads, text: str, phrases: list[str], seen: list[str]
) -> None:
    meaning = read(text, heads)
    assert [("-" if phrase.absent else "") + phrase.text for phrase in meaning.phrases] == phrases
    assert names(meaning) == seen


def test_a_word_learned_too_badly_goes_to_the_text_tower(heads: WordHeads) -> None:
    assert [phrase.text for phrase in read("a dog", heads).phrases] == ["dog"]
    assert [phrase.text for phrase in read("a dog in snow", None).phrases] == ["dog in snow"]


def test_a_year_is_refused_by_whatever_model(heads: WordHeads) -> None:
    with pytest.raises(UsageError, match="does not show the year"):
        read("a zeppelin 2019", heads)


def test_a_tower_is_looked_for_only_where_a_word_needs_it(heads: WordHeads) -> None:
    def asked() -> str:
        raise AssertionError("no word needs a tower")

    assert understood("snow in Norway at Christmas", heads, why_no_tower=asked).there is not None


def test_why_no_tower_reads_it_is_said_of_each_word(heads: WordHeads) -> None:
    with pytest.raises(UsageError) as said:
        understood("purple zeppelin", heads, why_no_tower=lambda: "it has no such half")
    assert str(said.value).count("it has no such half, and it is none of the words") == 2


def test_a_refusal_can_be_said_in_german(heads: WordHeads) -> None:
    with pytest.raises(UsageError) as said:
        understood("a zeppelin in 2019", heads)
    german = load_words("default", "de").sentence(said.value.args[0])
    assert german.startswith("Nichts wurde gesucht")
    assert "kein installiertes Modell liest Text" in german
    assert "ein Bild zeigt das Jahr nicht" in german
