"""Photos come out of the store by the hundred: what one more of them costs is no question of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import event

from gtloc_forensics.records import (
    Absent,
    FileStat,
    ImageFacts,
    Sentence,
    Source,
    Statement,
    Unexamined,
    source_id_of,
)
from gtloc_forensics.store.codec import pack, unpack
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import IMAGE, Stages, without_package
from gtloc_forensics.store.photos import PHOTOS_AT_ONCE, Album

STAGES = Stages(metadata="m", claim="c", image="i", vision="")


def source(number: int) -> Source:
    relative = f"{number:04}.jpg".encode()
    stat = FileStat(1, 0, 0, 0, 0o100644, 1, number, 1)
    return Source(source_id_of(relative), relative, f"{number:064x}", stat, "image/jpeg")


def filled(store: Store, count: int) -> list[int]:
    moment = datetime(2026, 11, 29)
    with store.writing() as session:
        rows = [
            store.add_source(session, source(number), sidecars={}, acquired_utc=moment).row_id
            for number in range(count)
        ]
        for number in range(0, count, 2):
            facts = ImageFacts(number + 1, 1, "RGB", 1, 7, None, None, 0.5, 0.5, "")
            store.add_result(session, source(number).sha256, IMAGE, "i", record=facts)
        lacking = without_package(IMAGE)
        store.add_failure(session, source(1).sha256, lacking, "i", reason="it needs a package")
    return rows


def test_many_photos_are_asked_for_with_two_questions_a_hundred(tmp_path: Path) -> None:
    store, asked = Store(tmp_path / "case.sqlite"), list[str]()
    rows = filled(store, 2 * PHOTOS_AT_ONCE + 1)
    event.listen(store.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    photos = [photo for photo, _ in Album(store, STAGES, "no model").photos(rows[::-1])]
    assert sum("SELECT" in statement for statement in asked) == 6
    assert [photo.source for photo in photos] == [source(number) for number in reversed(range(len(rows)))]
    store.close()


def test_each_photo_has_its_own_results_and_its_own_reasons(tmp_path: Path) -> None:
    store = Store(tmp_path / "case.sqlite")
    rows = filled(store, 4)
    album = Album(store, STAGES, "no model")
    first, second, third, fourth = (photo for photo, _ in album.photos(rows))
    widths = [photo.image.width for photo in (first, third) if isinstance(photo.image, ImageFacts)]
    assert widths == [1, 3]
    assert isinstance(second.image, Unexamined)
    assert isinstance(fourth.image, Unexamined)
    assert (second.image.reason, fourth.image.reason) == ("it needs a package", "it was never reached")
    assert first.sun is Absent.UNDERIVABLE
    assert album.photo(rows[2])[0] == third
    assert [claimed.source_id for claimed, _ in album.claims(rows)] == [source(number).source_id for number in range(4)]
    store.close()


def test_results_that_wait_to_be_written_are_seen_within_their_transaction(tmp_path: Path) -> None:
    store = Store(tmp_path / "case.sqlite")
    with store.writing() as session:
        store.add_result(session, "a", "claim", "key", record="first")
        store.add_result(session, "a", "claim", "key", record="second")
        assert store.result("a", "claim", "key", str, session=session) == "first"
        store.add_result(session, "b", "claim", "key", record="last")
    assert store.result("b", "claim", "key", str) == "last"
    store.close()


def test_sentences_that_many_photos_share_come_back_with_values_of_their_own_type() -> None:
    said = tuple(Sentence("{value:?one|many} {value:raw}", value=value) for value in (1, True))
    back = unpack(tuple[Statement, ...], pack(said))
    assert [type(told.values["value"]) for told in back if isinstance(told, Sentence)] == [int, bool]
    signs = tuple(Sentence("{value:.1f}", value=value) for value in (0.0, -0.0, 1.0))
    assert repr([told.values for told in unpack(tuple[Statement, ...], pack(signs)) if isinstance(told, Sentence)]) == (
        "[{'value': 0.0}, {'value': -0.0}, {'value': 1.0}]"
    )
    assert unpack(tuple[Statement, ...], pack(said * 50)) == said * 50
