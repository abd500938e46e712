"""Circles of garbage are looked for less often during an audit, and as often as before after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gtloc_forensics.examination.seldom_collected import OBJECTS, seldom_collected


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_is_less_often_meanwhile_and_as_before_afterwards_whatever_happened() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(ValueError, match="odd"), seldom_collected():
        assert gc.get_threshold() == (OBJECTS, 10, 10)
        raise ValueError("odd")
    assert gc.get_threshold() == (700, 10, 10)


def test_who_looks_less_often_still_or_never_is_left_to_it() -> None:
    for own in (0, 2 * OBJECTS):
        gc.set_threshold(own, 5, 5)
        with seldom_collected():
            assert gc.get_threshold() == (own, 5, 5)
