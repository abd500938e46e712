"""Partitions of the earth into cells that hold about as many photos each, from any table of places.

S2 partitions are made as the literature makes them (PlaNet, ISNs, TransLocator): a cell
that holds more than τ_max photos is split into its four children, one that holds fewer
than τ_min is given up. HEALPix cells have equal areas whatever they hold. Semantic
cells follow zones of legal time, large ones split where photos crowd together (after
PIGEON, whose administrative borders are not here). A cell is told as the mean of its photos.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.sphere import unit_vectors
from gtloc_forensics.earth.zones import zones_at
from gtloc_forensics.errors import MissingExtra, UsageError
from gtloc_forensics.records import Position

Floats = NDArray[np.float64]
Kind = Literal["s2", "healpix", "semantic"]

PUBLISHED_THRESHOLDS = {"coarse": (50, 5000), "middle": (50, 2000), "fine": (50, 1000)}
"""Fewest and most photos of a cell; on MP-16 they make 3298, 7202 and 12893 cells (papers.md §2)."""
PUBLISHED_CELLS = {"coarse": 3298, "middle": 7202, "fine": 12893}

_DEEPEST_S2 = 20
_EXTRA = "systems"
_CROWD = 5  # photos that make a crowd when a semantic cell is split


@dataclass(frozen=True, slots=True)
class Partition:
    """Cells of the earth and the photos they were made from.

    Attributes:
        kind: what the ids are.
        ids: ``[C]`` S2 cell ids (the 64 bits as a signed number), HEALPix pixels, or numbers of semantic cells.
        latitude_deg: ``[C]`` of the mean of the photos in each cell.
        longitude_deg: ``[C]`` likewise.
        photos: ``[C]`` how many there were.
        turn: ``[3, 3]`` the rotation by which the earth was turned before it was cut; the identity for most.
        nside: of HEALPix, 0 for the others.
    """

    kind: Kind
    ids: NDArray[np.int64]
    latitude_deg: Floats
    longitude_deg: Floats
    photos: NDArray[np.int64]
    turn: Floats
    nside: int = 0

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.ids)

    def cells_of(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.int64]:
        """Return the cell each place lies in, −1 where there is none (semantic: that of the nearest centre).

        Raises:
            MissingExtra: the package that knows these cells is not installed.
        """
        latitude, longitude = np.atleast_1d(latitude_deg).astype(float), np.atleast_1d(longitude_deg).astype(float)
        if self.kind == "semantic":
            return _nearest(latitude, longitude, self.latitude_deg, self.longitude_deg)
        known = {int(value): row for row, value in enumerate(self.ids)}
        if self.kind == "healpix":
            return np.array([known.get(int(pixel), -1) for pixel in _pixels(latitude, longitude, self.nside)])
        leaves = _leaves(latitude, longitude, self.turn)
        return np.array([_ancestor_in(leaf, known) for leaf in leaves], dtype=np.int64)

    def parents_in(self, coarser: Partition) -> NDArray[np.int64]:
        """Return, for each cell, the cell of a coarser S2 partition that holds it, −1 where there is none.

        Raises:
            UsageError: the two were not cut from the same sphere.
        """
        if self.kind != "s2" or coarser.kind != "s2" or not np.allclose(self.turn, coarser.turn):
            raise UsageError("only S2 partitions of the same sphere lie within one another")
        known = {int(value): row for row, value in enumerate(coarser.ids)}
        return np.array([_ancestor_in(_s2().S2CellId(_unsigned(value)), known) for value in self.ids], dtype=np.int64)


# --------------------------------------------------------------------------- S2


def s2_partition(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, fewest: int, most: int, turn: Floats | None = None
) -> Partition:
    """Return the adaptive S2 partition of a table of places.

    Args:
        latitude_deg: ``[N]``.
        longitude_deg: ``[N]``.
        fewest: photos of a cell that is kept (τ_min).
        most: photos of a cell that is not split further (τ_max).
        turn: rotation of the earth before it is cut, so that borders fall elsewhere.

    Raises:
        UsageError: no cell holds enough photos, or a threshold makes no sense.
        MissingExtra: s2geometry is not installed.
    """
    if not 0 < fewest <= most:
        raise UsageError(f"cells of at least {fewest} and at most {most} photos do not exist; 0 < fewest ≤ most")
    latitude, longitude = np.asarray(latitude_deg, dtype=float), np.asarray(longitude_deg, dtype=float)
    turned = np.eye(3) if turn is None else np.asarray(turn, dtype=float)
    waiting = [(0, _s2_groups(list(enumerate(_leaves(latitude, longitude, turned))), 0))]
    kept: dict[int, list[int]] = {}
    while waiting:
        level, groups = waiting.pop()
        for cell, members in groups.items():
            if len(members) < fewest:
                continue
            if len(members) > most and level < _DEEPEST_S2:
                waiting.append((level + 1, _s2_groups(members, level + 1)))
            else:
                kept[cell] = [row for row, _ in members]
    return gathered("s2", kept, latitude, longitude, turn=turned)


def _s2_groups(members: list[tuple[int, Any]], level: int) -> dict[int, list[tuple[int, Any]]]:
    groups: dict[int, list[tuple[int, Any]]] = {}
    for row, leaf in members:
        groups.setdefault(_signed(leaf.parent(level).id()), []).append((row, leaf))
    return groups


def _leaves(latitude: Floats, longitude: Floats, turn: Floats) -> list[Any]:
    s2 = _s2()
    points = unit_vectors(latitude, longitude) @ turn.T
    places = np.column_stack([np.arcsin(np.clip(points[:, 2], -1.0, 1.0)), np.arctan2(points[:, 1], points[:, 0])])
    return [s2.S2CellId(s2.S2LatLng.FromRadians(*place)) for place in places.tolist()]


def _ancestor_in(cell: Any, known: dict[int, int]) -> int:
    for level in range(cell.level(), -1, -1):
        row = known.get(_signed(cell.parent(level).id()))
        if row is not None:
            return row
    return -1


def corners_deg(partition: Partition, row: int) -> Floats:
    """Return the corners of an S2 or HEALPix cell, ``[4, 2]`` latitude and longitude, for a map."""
    if partition.kind == "healpix":
        healpix = _healpix()
        grid = healpix.HEALPix(nside=partition.nside, order="nested")
        longitude, latitude = grid.boundaries_lonlat(int(partition.ids[row]), step=1)
        return np.column_stack([latitude.deg.ravel(), (longitude.deg.ravel() + 180.0) % 360.0 - 180.0])
    s2 = _s2()
    cell = s2.S2Cell(s2.S2CellId(_unsigned(partition.ids[row])))
    corners = [s2.S2LatLng(cell.GetVertex(k)) for k in range(4)]
    places = np.array([[corner.lat().degrees(), corner.lng().degrees()] for corner in corners])
    points = unit_vectors(places[:, 0], places[:, 1]) @ partition.turn
    return np.asarray(np.degrees(np.column_stack([np.arcsin(points[:, 2]), np.arctan2(points[:, 1], points[:, 0])])))


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _unsigned(value: int) -> int:
    return int(value) % (1 << 64)


def random_turn(seed: int) -> Floats:
    """Return a rotation of the earth drawn evenly, the same for the same seed."""
    drawn, triangle = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn = drawn * np.sign(np.diag(triangle))
    turn[:, 0] *= np.sign(np.linalg.det(turn))
    return np.asarray(turn)


# --------------------------------------------------------------------------- HEALPix


def healpix_partition(latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, nside: int, fewest: int = 1) -> Partition:
    """Return the HEALPix cells (nested order) that hold at least *fewest* of the places.

    Raises:
        UsageError: none does.
        MissingExtra: astropy-healpix is not installed.
    """
    latitude, longitude = np.asarray(latitude_deg, dtype=float), np.asarray(longitude_deg, dtype=float)
    groups: dict[int, list[int]] = {}
    for row, pixel in enumerate(_pixels(latitude, longitude, nside)):
        groups.setdefault(int(pixel), []).append(row)
    kept = {pixel: rows for pixel, rows in groups.items() if len(rows) >= fewest}
    return gathered("healpix", kept, latitude, longitude, nside=nside)


def healpix_centres(nside: int) -> tuple[Floats, Floats]:
    """Return latitude and longitude of the centres of all ``12 · nside²`` cells, in nested order.

    Raises:
        MissingExtra: astropy-healpix is not installed.
    """
    grid = _healpix().HEALPix(nside=nside, order="nested")
    longitude, latitude = grid.healpix_to_lonlat(np.arange(12 * nside**2))
    return np.asarray(latitude.deg), (np.asarray(longitude.deg) + 180.0) % 360.0 - 180.0


def _pixels(latitude: Floats, longitude: Floats, nside: int) -> NDArray[np.int64]:
    from astropy import units

    grid = _healpix().HEALPix(nside=nside, order="nested")
    return np.asarray(grid.lonlat_to_healpix(longitude * units.deg, latitude * units.deg), dtype=np.int64)


# --------------------------------------------------------------------------- semantic cells


def semantic_partition(latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, fewest: int, most: int) -> Partition:
    """Return cells along zones of legal time: small ones joined to the nearest, large ones split at crowds (OPTICS).

    Raises:
        UsageError: there are no places.
        MissingExtra: scikit-learn is not installed.
    """
    latitude, longitude = np.asarray(latitude_deg, dtype=float), np.asarray(longitude_deg, dtype=float)
    groups: dict[str, list[int]] = {}
    for row, place in enumerate(zip(latitude.tolist(), longitude.tolist(), strict=True)):
        groups.setdefault(zones_at(Position(*place))[0], []).append(row)
    whole = _joined(list(groups.values()), latitude, longitude, fewest=fewest)
    kept: list[list[int]] = []
    while whole:
        rows = whole.pop()
        parts = _split(rows, latitude, longitude, fewest=fewest) if len(rows) > most else []
        if len(parts) > 1:
            whole += parts
        else:
            kept.append(rows)
    return gathered("semantic", dict(enumerate(sorted(kept))), latitude, longitude)


def _joined(groups: list[list[int]], latitude: Floats, longitude: Floats, *, fewest: int) -> list[list[int]]:
    """Join every group that is too small to the one whose centre is nearest."""
    groups = sorted(groups, key=len)
    while len(groups) > 1 and len(groups[0]) < fewest:
        small, *groups = groups
        centres = np.array([_centre(rows, latitude, longitude) for rows in groups])
        nearest = int(np.argmax(centres @ _centre(small, latitude, longitude)))
        groups[nearest] = groups[nearest] + small
        groups.sort(key=len)
    return groups


def _split(rows: list[int], latitude: Floats, longitude: Floats, *, fewest: int) -> list[list[int]]:
    """Split a cell at its crowds; the rest goes to the nearest (Voronoi). One part when it has one crowd."""
    try:
        from sklearn.cluster import OPTICS
    except ImportError as error:
        raise MissingExtra("semantic cells (scikit-learn)", _EXTRA) from error
    points = np.radians(np.column_stack([latitude[rows], longitude[rows]]))
    distinct, inverse = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    if len(distinct) < 2 * _CROWD:
        return [rows]
    crowd = (
        OPTICS(min_samples=_CROWD, metric="haversine", min_cluster_size=max(_CROWD, min(fewest, len(distinct) // 2)))
        .fit(distinct)
        .labels_
    )
    counts = Counter(crowd[inverse.ravel()].tolist())
    names = [name for name, count in counts.items() if name >= 0 and count >= fewest]
    if len(names) < 2:
        return [rows]
    vectors = unit_vectors(latitude[rows], longitude[rows])
    label = crowd[inverse.ravel()]
    centres = np.array([vectors[label == name].mean(axis=0) for name in sorted(names)])
    home = np.argmax(vectors @ centres.T, axis=1)
    parts = [[row for row, own in zip(rows, home.tolist(), strict=True) if own == k] for k in range(len(centres))]
    return [part for part in parts if part] if min(map(len, parts)) >= fewest else [rows]


# --------------------------------------------------------------------------- shared


def gathered(
    kind: Kind,
    kept: dict[int, list[int]],
    latitude: Floats,
    longitude: Floats,
    *,
    turn: Floats | None = None,
    nside: int = 0,
) -> Partition:
    """Return the partition whose cells hold these rows of a table, by id; each is told as the mean of its photos.

    Raises:
        UsageError: there is no cell.
    """
    if not kept:
        raise UsageError("no cell holds enough photos; give more photos, or a lower threshold")
    ids = sorted(kept)
    centres = np.array([_centre(kept[cell], latitude, longitude) for cell in ids])
    return Partition(
        kind=kind,
        ids=np.array(ids, dtype=np.int64),
        latitude_deg=np.degrees(np.arcsin(np.clip(centres[:, 2], -1.0, 1.0))),
        longitude_deg=np.degrees(np.arctan2(centres[:, 1], centres[:, 0])),
        photos=np.array([len(kept[cell]) for cell in ids], dtype=np.int64),
        turn=np.eye(3) if turn is None else turn,
        nside=nside,
    )


def _centre(rows: list[int], latitude: Floats, longitude: Floats) -> Floats:
    mean = unit_vectors(latitude[rows], longitude[rows]).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12))


def _nearest(latitude: Floats, longitude: Floats, to_latitude: Floats, to_longitude: Floats) -> NDArray[np.int64]:
    cosine = unit_vectors(latitude, longitude) @ unit_vectors(to_latitude, to_longitude).T
    return np.asarray(np.argmax(cosine, axis=1), dtype=np.int64)


def _s2() -> Any:
    try:
        import s2geometry
    except ImportError as error:
        raise MissingExtra("S2 cells (s2geometry)", _EXTRA) from error
    return s2geometry


def _healpix() -> Any:
    try:
        import astropy_healpix
    except ImportError as error:
        raise MissingExtra("HEALPix cells (astropy-healpix)", _EXTRA) from error
    return astropy_healpix
