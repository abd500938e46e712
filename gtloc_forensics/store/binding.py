"""What binds a finished examination to the custody chain: a digest of every field that a report prints.

The digests of one examination are rows of it (``bound 000001``, …), and one hash over
them stands in the custody event that ends it. So an altered byte is seen, and the
table, row and field it is in can be named, without keeping anything twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import BindParameter, Connection, bindparam, select, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from gtloc_forensics.records import visible
from gtloc_forensics.store.codec import pack_plain, unpack
from gtloc_forensics.store.keys import (
    CLAIM,
    IMAGE,
    METADATA,
    PREVIEW,
    VISION,
    Stages,
    claim_key,
    without_package,
)
from gtloc_forensics.store.rows import StoredSource, both_of
from gtloc_forensics.store.schema import SQLITE, SourceRow

CHUNK = "bound "
"""How the names of the rows that hold the digests begin."""

ROWS_IN_A_CHUNK = 2000
_DIGEST_BYTES = 16
_PAGE = 200
_MEMBERS_AT_ONCE = 50
"""Members whose rows, small pictures and all, are held at a time."""

_Key: TypeAlias = tuple[int | str, ...]

_KEYS: Mapping[str, tuple[str, ...]] = {
    "examination": ("id",),
    "member": ("examination_id", "ordinal"),
    "source": ("id",),
    "result": ("subject", "stage", "fingerprint"),
    "rejected": ("source_id", "examination"),
    "finding": ("examination_id", "ordinal"),
    "examination_extra": ("examination_id", "name"),
}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "examination": ("fingerprint", "environment", "stages", "finished_utc"),
    "member": ("source_row", "status", "sha256_at_end", "findings"),
    "source": (
        *("source_id", "generation", "relative", "sha256"),
        *("media_type", "stat", "sidecars", "acquired_utc"),
    ),
    "result": ("failed", "payload"),
    "rejected": ("relative", "reason", "blocks"),
    "finding": ("check_id", "outcome", "severity", "source_id", "payload"),
    "examination_extra": ("payload",),
}
_OF_ONE_EXAMINATION = {"member": "ordinal", "finding": "ordinal", "rejected": "source_id", "examination_extra": "name"}
"""Table → which part of its key tells the rows of one examination apart."""

_PHOTO_OF = {
    "member": "SELECT s.relative FROM member m JOIN source s ON s.id = m.source_row "
    "WHERE m.examination_id = :examination_id AND m.ordinal = :ordinal",
    "source": "SELECT relative FROM source WHERE id = :id",
    "result": "SELECT relative FROM source WHERE sha256 = :subject OR source_id = :subject LIMIT 1",
    "rejected": "SELECT relative FROM rejected WHERE source_id = :source_id AND examination = :examination",
    "finding": "SELECT s.relative FROM finding f JOIN source s ON s.source_id = f.source_id "
    "WHERE f.examination_id = :examination_id AND f.ordinal = :ordinal LIMIT 1",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """One row as it was: a digest of each field; none when there was no such row."""

    table: str
    key: tuple[int | str, ...]
    fields: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Altered:
    """One row of the case database that is not as it was bound."""

    table: str
    key: tuple[int | str, ...]
    photo: str  # which one it is about; "" for none
    what: str

    @property
    def row(self) -> str:
        """Table, key and photo in words."""
        columns = _KEYS.get(self.table, ())
        named = " ".join(f"{name}={value}" for name, value in zip(columns, self.key, strict=False))
        return f"{self.table} {named}".rstrip() + (f" ({self.photo})" if self.photo else "")


def bind(connection: Connection, examination_id: int, fingerprint: str, stages: Stages) -> tuple[str, int]:
    """Keep a digest of every field of an examination; return one hash over all of them, and how many rows.

    Inside the transaction that writes the examination, when everything else of it is written.
    """
    whole, count, number = hashlib.sha256(), 0, 0
    chunk: list[Bound] = []

    def put() -> None:
        nonlocal number
        number += 1
        payload = pack_plain(msgspec.msgpack.encode(chunk))
        whole.update(hashlib.sha256(payload).digest())
        connection.execute(
            text("INSERT INTO examination_extra (examination_id, name, payload) VALUES (:number, :name, :payload)"),
            {"number": examination_id, "name": f"{CHUNK}{number:06}", "payload": payload},
        )
        chunk.clear()

    for bound in _rows(connection, examination_id, fingerprint, stages):
        chunk.append(bound)
        count += 1
        if len(chunk) == ROWS_IN_A_CHUNK:
            put()
    if chunk:
        put()
    return whole.hexdigest(), count


def _rows(connection: Connection, examination_id: int, fingerprint: str, stages: Stages) -> Iterator[Bound]:
    yield _as_it_is(connection, "examination", (examination_id,))
    for table, owner in (("examination_extra", examination_id), ("rejected", fingerprint)):
        keys = _keys_of(connection, table, owner)
        for key in list(keys) if table == "examination_extra" else keys:  # which grows meanwhile
            yield _as_it_is(connection, table, key)
    for findings in _pages(connection, "finding", examination_id):
        yield from findings
    for members in _pages(connection, "member", examination_id):
        yield from _with_what_they_rest_on(connection, members, stages)


def _pages(connection: Connection, table: str, examination_id: int) -> Iterator[list[Bound]]:
    """Yield the rows of an examination in a table that numbers them, some at a time."""
    last = -1
    while page := _many_as_they_are(connection, table, _NUMBERED, {"owner": examination_id, "last": last}):
        yield page
        last = int(page[-1].key[1])


def _keys_of(connection: Connection, table: str, owner: int | str) -> Iterator[_Key]:
    columns = _KEYS[table]
    owned_by = "examination" if table == "rejected" else "examination_id"
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {owned_by} = :owner ORDER BY {_OF_ONE_EXAMINATION[table]}"
    for row in connection.execute(text(query), {"owner": owner}):
        if table != "examination_extra" or not str(row[1]).startswith(CHUNK):
            yield tuple(row)


def _with_what_they_rest_on(connection: Connection, members: Sequence[Bound], stages: Stages) -> Iterator[Bound]:
    """Yield each member, then its source and the results of its stages; asked for together."""
    numbers = _source_rows(connection, members)
    row_ids = list(dict.fromkeys(numbers))
    sources = {bound.key: bound for bound in _many_as_they_are(connection, "source", _SOURCES, {"ids": row_ids})}
    table = SourceRow.__table__
    found = connection.execute(select(*table.c).where(table.c.id.in_(row_ids)))
    keys = {row.id: _result_keys(row.source_id, both_of(row)[1], stages) for row in found}
    every = [key for of_source in keys.values() for key in of_source]
    asked = {"subjects": sorted({key[0] for key in every}), "fingerprints": sorted({key[2] for key in every})}
    results = {bound.key: bound for bound in _many_as_they_are(connection, "result", _RESULTS, asked)}
    for member, number in zip(members, numbers, strict=True):
        yield member
        yield sources.get((number,), Bound("source", (number,), {}))
        for subject, stage, fingerprint in keys[number]:
            bound = results.get((subject, stage, fingerprint))
            yield bound or Bound("result", (subject, stage, fingerprint), {})
            if bound is None and stage in (CLAIM, IMAGE, VISION):
                key = (subject, without_package(stage), fingerprint)
                yield results.get(key, Bound("result", key, {}))


def _source_rows(connection: Connection, members: Sequence[Bound]) -> list[int]:
    """Return the rows of the sources of *members*, which follow each other."""
    asked = {"owner": members[0].key[0], "first": members[0].key[1], "last": members[-1].key[1]}
    return [int(number) for number in connection.scalars(_SOURCE_ROWS, asked)]


def _result_keys(source_id: str, known: StoredSource, stages: Stages) -> list[tuple[str, str, str]]:
    """Return the keys of all that an examination rests on, of one source."""
    keys = [
        (known.sha256, METADATA, stages.metadata),
        *((sha256, METADATA, stages.metadata) for _, sha256 in sorted(known.sidecars.items())),
        (source_id, CLAIM, claim_key(stages, known)),
        (known.sha256, IMAGE, stages.image),
        (known.sha256, PREVIEW, stages.image),
        (known.sha256, VISION, stages.vision),
    ]
    return [key for key in keys if key[2]]


_NUMBERED = f"examination_id = :owner AND ordinal > :last ORDER BY ordinal LIMIT {_MEMBERS_AT_ONCE}"
_SOURCE_ROWS = text(
    "SELECT source_row FROM member WHERE examination_id = :owner AND ordinal >= :first AND ordinal <= :last "
    "ORDER BY ordinal"
)
_SOURCES = "id IN :ids"
_RESULTS = "subject IN :subjects AND fingerprint IN :fingerprints"


def _many_as_they_are(
    connection: Connection, table: str, condition: str, asked: Mapping[str, int | str | Sequence[int | str]]
) -> list[Bound]:
    """Return all rows that a *condition* holds of, each as :func:`_as_it_is` returns one."""
    columns, fields = _KEYS[table], _FIELDS[table]
    own = len(columns)
    wanted = ", ".join((*columns, *map(_raw(connection), fields)))
    several: list[BindParameter[Any]] = [
        bindparam(name, expanding=True) for name, value in asked.items() if isinstance(value, list)
    ]
    query = text(f"SELECT {wanted} FROM {table} WHERE {condition}").bindparams(*several)
    return [
        Bound(table, tuple(row[:own]), dict(zip(fields, map(_digest, row[own:]), strict=True)))
        for row in connection.execute(query, asked)
    ]


def _as_it_is(connection: Connection, table: str, key: _Key) -> Bound:
    columns, fields = _KEYS[table], _FIELDS[table]
    wanted = ", ".join(map(_raw(connection), fields))
    where = " AND ".join(f"{name} = :{name}" for name in columns)
    query = text(f"SELECT {wanted} FROM {table} WHERE {where}")
    row = connection.execute(query, dict(zip(columns, key, strict=True))).first()
    digests = {} if row is None else {name: _digest(value) for name, value in zip(fields, row, strict=True)}
    return Bound(table, key, digests)


def _raw(connection: Connection) -> Any:
    """Return how a column is asked for so that its bytes come back whatever they are."""
    return "CAST({} AS BLOB)".format if connection.dialect.name == SQLITE else "{}".format


def _digest(value: Any) -> bytes:
    if isinstance(value, bool):
        value = int(value)
    if type(value) is not bytes and not isinstance(value, memoryview):
        value = b"\0nothing" if value is None else str(value).encode()
    return hashlib.sha256(value).digest()[:_DIGEST_BYTES]


# --------------------------------------------------------------------------- comparing


def altered(connection: Connection, examination_id: int, fingerprint: str, stated_sha256: str) -> Iterator[Altered]:
    """Yield every row of an examination that is not as it was bound; what cannot be read is named and passed by.

    Args:
        connection: to the case database.
        examination_id: of the examination.
        fingerprint: of the examination.
        stated_sha256: the hash over all digests, as the custody chain has it.
    """
    whole = hashlib.sha256()
    there: dict[str, set[int | str]] = {table: set() for table in _OF_ONE_EXAMINATION}
    for name, payload in _chunks(connection, examination_id):
        whole.update(hashlib.sha256(payload).digest())
        try:
            bounds = unpack(list[Bound], payload)
        except ValueError:
            yield Altered("examination_extra", (examination_id, name), "", "it cannot be read")
            continue
        for bound in bounds:
            if bound.table in there:
                there[bound.table].add(_apart(bound.table, bound.key))
            yield from _compared(connection, bound)
    if whole.hexdigest() != stated_sha256:
        sentence = "the digests that the custody chain binds were altered: what they say of a row proves nothing"
        yield Altered("examination_extra", (examination_id, f"{CHUNK.strip()} …"), "", sentence)
    for table, bound_keys in there.items():
        yield from _added(connection, table, fingerprint if table == "rejected" else examination_id, bound_keys)


def _chunks(connection: Connection, examination_id: int) -> Iterator[tuple[str, bytes]]:
    query = "SELECT name FROM examination_extra WHERE examination_id = :number ORDER BY name"
    names = [str(name) for name in connection.scalars(text(query), {"number": examination_id})]
    for name in names:
        if name.startswith(CHUNK):
            query = "SELECT payload FROM examination_extra WHERE examination_id = :number AND name = :name"
            payload = connection.scalar(text(query), {"number": examination_id, "name": name})
            yield name, payload if isinstance(payload, bytes) else bytes(payload or b"")


def _compared(connection: Connection, bound: Bound) -> Iterator[Altered]:
    try:
        now = _as_it_is(connection, bound.table, bound.key)
    except (SQLAlchemyError, KeyError, ValueError) as error:
        yield Altered(bound.table, bound.key, "", f"it cannot be read: {_said(error)}")
        return
    if now.fields == bound.fields:
        return
    photo = _photo_of(connection, bound)
    if not now.fields:
        yield Altered(bound.table, bound.key, photo, "it is gone")
    elif not bound.fields:
        sentence = (
            "it was added after the examination ended (an audit that was stopped adds some; let one run to its end)"
        )
        yield Altered(bound.table, bound.key, photo, sentence)
    else:
        for field, digest in bound.fields.items():
            if now.fields.get(field) != digest:
                yield Altered(bound.table, bound.key, photo, f"its {field} was altered")


def _apart(table: str, key: _Key) -> int | str:
    return key[_KEYS[table].index(_OF_ONE_EXAMINATION[table])]


def _added(connection: Connection, table: str, owner: int | str, bound: set[int | str]) -> Iterator[Altered]:
    try:
        keys = [key for key in _keys_of(connection, table, owner) if _apart(table, key) not in bound]
    except SQLAlchemyError as error:
        yield Altered(table, (), "", f"it cannot be read: {_said(error)}")
        return
    for key in keys:
        yield Altered(table, key, "", "it was added: it was not there when the examination ended")


def _photo_of(connection: Connection, bound: Bound) -> str:
    query = _PHOTO_OF.get(bound.table)
    if query is None:
        return ""
    try:
        found = connection.scalar(text(query), dict(zip(_KEYS[bound.table], bound.key, strict=True)))
    except SQLAlchemyError:
        return ""
    return visible(bytes(found)) if isinstance(found, bytes | memoryview) else ""


def _said(error: Exception) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]


# --------------------------------------------------------------------------- reading what may be damaged


def raw_custody(connection: Connection) -> Iterator[Sequence[Any]]:
    """Stream the custody table in order as it is stored, whatever it holds: text where it is text."""
    fields = ("utc_time", "actor", "action", "subject", "detail", "previous_hash", "event_hash")
    wanted = ", ".join(map(_raw(connection), fields))
    last = -(2**62)
    query = text(f"SELECT sequence, {wanted} FROM custody WHERE sequence > :last ORDER BY sequence LIMIT {_PAGE}")
    while rows := list(connection.execute(query, {"last": last})):
        for row in rows:
            yield (row[0], *(_text(value) for value in row[1:]))
        last = rows[-1][0]


def raw_header(connection: Connection, names: Iterable[str]) -> dict[str, str] | None:
    """Return the fields of the case header as they are stored; None when there is no header."""
    wanted = tuple(names)
    query = f"SELECT {', '.join(map(_raw(connection), wanted))} FROM case_header WHERE id = 1"
    row = connection.execute(text(query)).first()
    return None if row is None else dict(zip(wanted, map(_text, row), strict=True))


def damage(connection: Connection) -> Iterator[str]:
    """Yield what SQLite itself finds wrong with its file; nothing for a server."""
    if connection.dialect.name == SQLITE:
        try:
            sentences = list(connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars())
        except DatabaseError as error:
            sentences = [f"it is damaged so that SQLite cannot check it ({error.orig})"]
        yield from (str(sentence) for sentence in sentences if sentence != "ok")


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", errors="surrogateescape")
    return "" if value is None else str(value)
