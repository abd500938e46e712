"""A spool is a mapping that keeps its values in a file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.examination.disk_map import Spool

CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(max_size=40))))


@given(changes=CHANGES)
def test_it_behaves_as_a_dict_does(changes: list[tuple[str, bytes | None]]) -> None:
    plain: dict[str, bytes] = {}
    with Spool() as spool:
        for name, value in changes:
            if value is not None:
                plain[name] = spool[name] = value
            elif name in plain:
                del plain[name], spool[name]
            assert list(spool.items()) == list(plain.items())
            assert len(spool) == len(plain)
