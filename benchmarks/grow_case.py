"""Makes a large case out of a small one, by repeating its photos under other names: for measuring alone.

    python benchmarks/grow_case.py CASE TARGET --photos 100000 [--findings]

Without --findings what is repeated belongs to no cause. With it each photo takes its findings, its causes and its
event of the custody chain along: a cause of more than fifty photos grows, another is repeated; what rules or clocks say
of how many photos there are stays as it was. Nothing in a grown case can be examined again or verified.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from gtloc_forensics.store.codec import decoded, pack_plain

FEW = 50  # a cause of so few photos is repeated, not grown
_ID = re.compile(rb"\xb0([0-9a-f]{16})")  # a source id, as a record holds it: sixteen characters of text


def grow(case: Path, target: Path, photos: int, *, findings: bool = False) -> None:
    """Write a copy of *case* to *target* whose newest examination has so many photos."""
    target.mkdir()
    shutil.copyfile(case / "case.sqlite", target / "case.sqlite")
    kept = sqlite3.connect(target / "case.sqlite")
    examination = kept.execute("SELECT max(id) FROM examination").fetchone()[0]
    members = kept.execute(
        "SELECT m.status, m.sha256_at_end, m.findings, s.id, s.source_id FROM member m "
        "JOIN source s ON s.id = m.source_row WHERE m.examination_id = ? ORDER BY m.ordinal",
        (examination,),
    ).fetchall()
    row_id = kept.execute("SELECT max(id) FROM source").fetchone()[0]
    copies: list[dict[bytes, bytes]] = []
    for ordinal in range(len(members), photos):
        status, ended, found, old, old_name = members[ordinal % len(members)]
        row_id, name = row_id + 1, f"{ordinal:016x}"
        if ordinal % len(members) == 0:
            copies.append({})
        copies[-1][old_name.encode()] = name.encode()
        kept.execute(
            "INSERT INTO source SELECT ?, ?, 0, ?, sha256, media_type, stat, sidecars, acquired_utc FROM source "
            "WHERE id = ?",
            (row_id, name, f"long/{ordinal:06}.jpg".encode(), old),
        )
        kept.execute(
            "INSERT INTO result SELECT ?, stage, fingerprint, failed, payload FROM result "
            "WHERE stage = 'claim' AND subject = (SELECT source_id FROM source WHERE id = ?)",
            (name, old),
        )
        if not findings:
            member = (examination, ordinal, row_id, status, ended, found)
            kept.execute("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?)", member)
    if findings:
        _lists(kept, examination, copies)
        _members(kept, examination, members, copies)
        _findings(kept, examination, copies)
        _causes(kept, examination, copies)
        _events(kept, members, photos)
    kept.commit()
    kept.close()


def _renamed(payload: bytes, copy: dict[bytes, bytes]) -> bytes:
    """Return a stored record that speaks of the photos of a copy."""
    plain = zlib.decompress(payload[1:]) if payload[:1] == b"z" else payload[1:]
    made = _ID.sub(lambda found: b"\xb0" + copy.get(found[1], found[1]), plain)
    return b"z" + zlib.compress(made, 1) if payload[:1] == b"z" else payload[:1] + made


def _lists(kept: sqlite3.Connection, examination: int, copies: list[dict[bytes, bytes]]) -> None:
    """Repeat the lists of photos that findings name by number, those of a copy behind those of the one before."""
    from gtloc_forensics.store.named import NAMED

    of_it = (examination, f"{NAMED}%")
    rows = kept.execute(f"SELECT payload FROM examination_extra WHERE {_LIKE} ORDER BY name", of_it).fetchall()
    lists = [names for (payload,) in rows for names in decoded(payload, list[bytes])]
    for copy in copies:
        copy[_LISTS] = b"%d" % len(lists)
    kept.execute(f"DELETE FROM examination_extra WHERE {_LIKE}", of_it)
    for number, copy in enumerate(({}, *copies)):
        made = [b"".join(_names_of(names, copy)) for names in lists]
        row = (examination, f"{NAMED}{number * len(lists):09}", pack_plain(msgspec.msgpack.encode(made)))
        if lists:
            kept.execute("INSERT INTO examination_extra VALUES (?, ?, ?)", row)


def _names_of(names: bytes, copy: dict[bytes, bytes]) -> Iterator[bytes]:
    for first in range(0, len(names), 8):
        old = names[first : first + 8].hex().encode()
        yield bytes.fromhex(copy.get(old, old).decode())


_LIKE = "examination_id = ? AND name LIKE ?"
_LISTS = b"lists"  # no photo is called so: how many lists a copy has


def _with_lists_of(payload: bytes, shift: int) -> bytes:
    """Return what was concluded of a photo, each list that it names so many further on."""
    result = decoded(payload, dict)
    for finding in result["findings"]:
        if isinstance(finding["source_ids"], int):
            finding["source_ids"] += shift
    return pack_plain(msgspec.msgpack.encode(result))


def _members(kept: sqlite3.Connection, examination: int, members: list[Any], copies: list[dict[bytes, bytes]]) -> None:
    (first,) = kept.execute("SELECT id FROM source ORDER BY id LIMIT 1 OFFSET ?", (len(members),)).fetchone()
    for number, copy in enumerate(copies, start=1):
        for place, (status, ended, found, _, old_name) in enumerate(members):
            if old_name.encode() in copy:
                ordinal = number * len(members) + place
                found_then = _with_lists_of(_renamed(found, copy), number * int(copy[_LISTS]))
                member = (examination, ordinal, first + ordinal - len(members), status, ended, found_then)
                kept.execute("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?)", member)


def _findings(kept: sqlite3.Connection, examination: int, copies: list[dict[bytes, bytes]]) -> None:
    """Repeat the findings in their ranks: those of all copies that have one rank together."""
    asked = "SELECT ordinal, check_id, outcome, severity, source_id, payload FROM finding WHERE examination_id = ?"
    found = kept.execute(f"{asked} ORDER BY ordinal", (examination,)).fetchall()
    kept.execute("DELETE FROM finding WHERE examination_id = ?", (examination,))
    ordinal = 0
    for _, check_id, outcome, severity, source_id, payload in found:
        for copy in ({}, *copies):
            new = copy.get(source_id.encode(), b"").decode() if copy else source_id
            if new:
                row = (examination, ordinal, check_id, outcome, severity, new, _renamed(payload, copy))
                kept.execute("INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                ordinal += 1


def _causes(kept: sqlite3.Connection, examination: int, copies: list[dict[bytes, bytes]]) -> None:
    from gtloc_forensics.records import CauseGroup
    from gtloc_forensics.store.codec import pack, unpack
    from gtloc_forensics.store.keys import CAUSES

    where = (examination, CAUSES)
    asked = "SELECT payload FROM examination_extra WHERE examination_id = ? AND name = ?"
    (payload,) = kept.execute(asked, where).fetchone()
    groups: list[CauseGroup] = []
    for group in unpack(tuple[CauseGroup, ...], payload):
        of_each = [
            [copy[name.encode()].decode() for name in group.source_ids if name.encode() in copy] for copy in copies
        ]
        if len(group.source_ids) > FEW:
            every = (*group.source_ids, *(name for names in of_each for name in names))
            groups.append(replace(group, source_ids=every, findings=group.findings * (1 + len(copies))))
        else:
            groups += [group, *(replace(group, source_ids=tuple(names)) for names in of_each if names)]
    packed = pack(tuple(groups))
    kept.execute("UPDATE examination_extra SET payload = ? WHERE examination_id = ? AND name = ?", (packed, *where))


def _events(kept: sqlite3.Connection, members: list[Any], photos: int) -> None:
    from gtloc_forensics.store.custody import canonical_json, event_of

    asked = "SELECT sequence, utc_time, event_hash FROM custody ORDER BY sequence DESC LIMIT 1"
    sequence, when, previous = kept.execute(asked).fetchone()
    moment = datetime.fromisoformat(when)
    always = {"access_time_kept": True, "size_bytes": 11}
    for ordinal in range(len(members), photos):
        sequence += 1
        said = always | {"sha256": members[ordinal % len(members)][1]}
        made = event_of(sequence, moment, "root (user id 0)", "acquire", f"long/{ordinal:06}.jpg", said, previous)
        previous = made.event_hash
        row = (
            sequence,
            when,
            made.actor,
            made.action,
            made.subject,
            canonical_json(said),
            made.previous_hash,
            previous,
        )
        kept.execute("INSERT INTO custody VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def main() -> None:
    """Grow what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--findings", action="store_true")
    options = parser.parse_args()
    grow(options.case, options.target, options.photos, findings=options.findings)


if __name__ == "__main__":
    main()
