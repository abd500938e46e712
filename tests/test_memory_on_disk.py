"""A disk map is a mapping that keeps its values in a file."""

from __future__ import annotations

from gtloc_forensics.examination.disk_map import DiskMap
from hypothesis import given
from hypothesis import strategies as st

CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.binary(max_size=40))))


@given(changes=CHANGES)
def test_it_behaves_as_a_dict_does(changes: list[tuple[str, bytes | None]]) -> None:
    plain: dict[str, bytes] = {}
    with DiskMap() as disk_map:
        for name, value in changes:
            if value is not None:
                plain[name] = disk_map[name] = value
            elif name in plain:
                del plain[name], disk_map[name]
            assert list(disk_map.items()) == list(plain.items())
            assert len(disk_map) == len(plain)
