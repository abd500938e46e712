"""A case is searched by what its photos claim and by what they show, and says what it could not compare."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from builders import LONDON, PARIS, SYDNEY, a_photo, an_image
from click.testing import CliRunner
from fake_case import a_prediction
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from test_case import audit, photo

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.retrieval import Answer, Example, Hit, Query, cosines, hamming, search
from gtloc_forensics.cli.commands import searching
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.records import Photo, Position

DOCS = (Path(__file__).parents[1] / "docs" / "search.md").read_text(encoding="utf-8")


def photo_of(name: str, **claimed) -> Photo:
    return a_photo(name=name, **claimed)


def shown(name: str, *, hour: float = 12.0, season: float = 0.5, place: tuple[float, float] = PARIS, **more) -> Photo:
    """Return a photo that claims what *more* says and shows the rest."""
    made = photo_of(name, **more)
    return replace(made, prediction=a_prediction(name, hour=hour, season=season, place=place))


def embedded(name: str, *vector: float) -> Photo:
    made = shown(name)
    unit = np.asarray(vector, np.float32) / np.float32(np.linalg.norm(vector))
    return replace(made, prediction=replace(made.prediction, embedding=unit))


def hashed(name: str, bits: int) -> Photo:
    return photo_of(name, image=an_image(perceptual_hash=bits))


def names(answer: Answer) -> list[str]:
    return [hit.name for hit in answer.hits]


def position(pair: tuple[float, float]) -> Position:
    return Position(*pair)


# --------------------------------------------------------------------------- the indexes

VECTORS = st.lists(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8), min_size=1, max_size=30)


@given(VECTORS, st.data())
def test_the_index_gives_the_inner_products_that_numpy_gives(vectors: list[list[float]], data: st.DataObject) -> None:
    table = [np.array(vector, np.float32) for vector in vectors]
    known = [vector if data.draw(st.booleans()) else None for vector in table]
    query = table[0]
    for vector, found in zip(known, cosines(known, query), strict=True):
        assert (found is None) == (vector is None)
        if vector is not None:
            assert found == pytest.approx(float(vector @ query), abs=1e-5)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.integers(0, 2**64 - 1))
def test_the_index_counts_the_bits_that_differ(hashes: list[int], query: int) -> None:
    assert hamming(hashes, query) == [(value ^ query).bit_count() for value in hashes]


# --------------------------------------------------------------------------- conditions


def test_the_nearest_come_first_and_the_far_are_left_out() -> None:
    photos = [
        photo_of("london", position=LONDON),
        photo_of("sydney", position=SYDNEY),
        photo_of("paris", position=PARIS),
    ]
    answer = search(photos, Query(near=position(PARIS), within_km=400))
    assert names(answer) == ["paris", "london"]
    assert answer.hits[1].distance_km == pytest.approx(343.6, abs=1.0)  # any great-circle calculator


@pytest.mark.parametrize(("span", "found"), [((22, 4), ["late", "early"]), ((4, 22), ["noon"]), ((0, 24), 3)])
def test_hours_may_run_over_midnight(span: tuple[float, float], found: object) -> None:
    photos = [
        photo_of("late", local="2024-06-15 23:30"),
        photo_of("early", local="2024-06-16 03:59"),
        photo_of("noon", local="2024-06-16 12:00"),
    ]
    hits = names(search(photos, Query(local_hours=span)))
    assert hits == found or len(hits) == found


@given(first=st.integers(0, 23), last=st.integers(0, 23), hour=st.integers(0, 23))
def test_an_hour_lies_in_a_span_or_in_the_rest_of_the_day(first: int, last: int, hour: int) -> None:
    photos = [photo_of("a", local=f"2024-06-15 {hour:02}:30")]
    there = [len(search(photos, Query(local_hours=span)).hits) for span in ((first, last), (last, first))]
    assert sum(there) == (2 if first == last else 1)


def test_months_may_run_over_the_new_year_and_dates_include_their_ends() -> None:
    photos = [photo_of(f"{month:02}", local=f"2024-{month:02}-10 12:00") for month in range(1, 13)]
    assert names(search(photos, Query(months=(11, 2)))) == ["01", "02", "11", "12"]
    assert names(search(photos, Query(dates=(date(2024, 3, 10), date(2024, 5, 10))))) == ["03", "04", "05"]


def test_a_device_is_found_by_any_part_of_its_names() -> None:
    photos = [photo_of("a", serial="X77"), photo_of("b", make="Other", model="Two")]
    assert names(search(photos, Query(device="x7"))) == ["a"]
    assert names(search(photos, Query(device="acme one"))) == ["a"]


def test_what_is_not_claimed_is_counted_and_not_called_a_miss() -> None:
    photos = [photo_of("silent", local=None), photo_of("noon", local="2024-06-15 12:00", position=PARIS)]
    answer = search(photos, Query(local_hours=(11, 13)))
    assert (names(answer), answer.looked_at, answer.unknown) == (["noon"], 2, {"it claims no time": 1})
    # It fails no condition that can be held against it ...
    assert search(photos[:1], Query(near=position(PARIS), months=(1, 2))).unknown == {"it claims no position": 1}
    # ... and one that fails another is a plain miss.
    night = [photo_of("night", local="2024-06-15 23:00")]
    assert search(night, Query(near=position(PARIS), local_hours=(11, 13))).unknown == {}


# --------------------------------------------------------------------------- likenesses


def test_the_most_alike_come_first_by_cosine() -> None:
    photos = [embedded("far", 0, 1), embedded("same", 1, 0), embedded("near", 1, 0.5), photo_of("unseen")]
    answer = search(photos, Query(like=Example("x", np.array([1.0, 0.0], np.float32), 0)))
    assert names(answer) == ["same", "near", "far"]
    assert answer.hits[0].likeness == pytest.approx(1.0)
    assert answer.unknown == {"no model looked at its pixels": 1}


def test_without_a_model_the_hashes_are_compared() -> None:
    photos = [hashed("far", (1 << 64) - 1), hashed("near", 0b111), hashed("same", 0)]
    answer = search(photos, Query(like=Example("x", None, 0)))
    assert [(hit.name, hit.likeness) for hit in answer.hits] == [("same", 1.0), ("near", 1 - 3 / 64), ("far", 0.0)]


@pytest.mark.parametrize(
    "query",
    [
        Query(shows_hour=7.0),
        Query(shows_month=1),
        Query(shows_place=Position(60.17, 24.94)),
        Query(shows_hour=7.0, shows_month=1),
        Query(shows_hour=7.0, shows_month=1, shows_place=Position(60.17, 24.94)),
    ],
)
def test_what_looks_as_asked_comes_first(query: Query) -> None:
    photos = [
        shown("summer noon in Paris", hour=13, season=0.5, place=PARIS),
        shown("winter morning in Helsinki", hour=7, season=0.04, place=(60.17, 24.94)),
    ]
    answer = search(photos, query)
    assert names(answer)[0] == "winter morning in Helsinki"
    assert answer.hits[0].shown > 0 > answer.hits[1].shown


def test_an_even_density_says_nothing_of_any_hour_or_month() -> None:
    made = shown("even")
    even = replace(made.prediction.time, mass=np.full((36, 48), 1 / (36 * 48), np.float32))
    made = replace(made, prediction=replace(made.prediction, time=even))
    for query in (Query(shows_hour=24.0), Query(shows_month=2), Query(shows_hour=3.5, shows_month=12)):
        assert search([made], query).hits[0].shown == pytest.approx(0.0, abs=1e-5)


def test_in_the_joint_space_the_cosine_with_the_query_decides() -> None:
    photos = [embedded("far", 0, 1), embedded("near", 1, 0.1)]
    query = Query(shows_hour=7.0, joint=np.array([1.0, 0.0], np.float32))
    assert names(search(photos, query)) == ["near", "far"]


def test_two_likenesses_are_joined_by_their_ranks() -> None:
    # By ranks: a is 1st and 3rd, b 2nd and 1st, c 3rd and 2nd.
    vectors = {"a": (1.0, 0.0), "b": (0.9, 0.9), "c": (0.0, 1.0)}
    photos = [embedded(name, *vector) for name, vector in vectors.items()]
    seen = {"a": 20.0, "b": 7.0, "c": 10.0}
    photos = [
        replace(
            member,
            prediction=replace(member.prediction, time=a_prediction("x", hour=hour, season=0.5, place=PARIS).time),
        )
        for member, hour in zip(photos, seen.values(), strict=True)
    ]
    answer = search(photos, Query(like=Example("x", np.array([1.0, 0.0], np.float32), 0), shows_hour=7.0))
    assert names(answer) == ["b", "a", "c"]


def test_the_limit_cuts_the_list_and_not_the_count() -> None:
    photos = [photo_of(f"{number}", local=f"2024-06-{number + 1:02} 12:00") for number in range(9)]
    answer = search(photos, Query(), limit=3)
    assert (names(answer), answer.matching) == (["0", "1", "2"], 9)


# --------------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("searched")
    for number in range(4):
        photo(place / "evidence" / f"{number}.jpg", number * 3, taken=f"2024:0{number + 5}:15 1{number}:00:00")
    audit(place / "evidence", place / "case")
    return place / "case"


def run(case: Path, *words: str) -> dict:
    result = CliRunner().invoke(gtloc, ["search", str(case), "--json", *words])
    assert result.exit_code == ExitCode.CLEAN, result.output
    return json.loads(result.stdout)


def test_the_command_finds_by_claim_and_writes_a_documented_document(case: Path) -> None:
    document = run(case, "--local-hours", "11-13", "--months", "6-8", "--device", "acme")
    assert [hit["name"] for hit in document["hits"]] == ["1.jpg", "2.jpg"]
    assert document["schema"] == "gtloc-search/1"
    for name in [*document, *(field.name for field in fields(Hit))]:
        assert f"`{name}`" in DOCS or name == "schema", name


def test_an_example_is_a_photo_of_the_case_or_any_file(case: Path, tmp_path: Path) -> None:
    assert run(case, "--like", "2.jpg")["hits"][0]["name"] == "2.jpg"
    outside = tmp_path / "copy.jpg"
    Image.open(case.parent / "evidence" / "2.jpg").resize((192, 128)).save(outside, quality=60)
    best = run(case, "--like", str(outside))["hits"][0]
    assert best["name"] == "2.jpg"
    assert best["likeness"] > 0.9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--near", "91,0"], "is not LAT,LON"),
        (["--local-hours", "25-3"], "is not 22-4"),
        (["--dates", "2024-03-01..2024-01-01"], "is not 2024"),
        (["--months", "0-3"], "is not 6-8"),
        (["--like", "nothing.jpg"], "neither a photo of the case nor a file"),
        (["--like", __file__], "cannot be decoded"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(case: Path, words: list[str], said: str) -> None:
    result = CliRunner().invoke(gtloc, ["search", str(case), *words])
    assert result.exit_code == ExitCode.FAILURE
    assert said in result.output


def test_in_the_terminal_what_could_not_be_compared_is_said(case: Path) -> None:
    result = CliRunner().invoke(gtloc, ["search", str(case), "--near", "48,2"])
    assert "0 of 4 photos" in result.output
    assert "4 could not be compared: it claims no position" in result.output


def test_searching_changes_nothing(case: Path) -> None:
    with Case(case) as opened:
        before = list(opened.store.custody())
        run(case, "--months", "6")
        assert list(opened.store.custody()) == before


def test_every_option_is_documented() -> None:
    for option in searching.search.params:
        for name in option.opts:
            assert not name.startswith("--") or f"`{name}`" in DOCS, name
