"""The partitions each system is cut into, from the places of its own training photos; and a map of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import partitions as earth
from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.errors import MissingExtra, UsageError
from gtloc_forensics.modelling import outlines
from gtloc_forensics.vision.systems import cplanet, geodecoder, isns, pigeotto, planet, tiger

Thresholds = tuple[tuple[int, int], ...]

FEWEST = 5
SHARES = (20, 50, 100)
"""A cell is split when it holds more than one photo in so many; on MP-16 the published ones are 944, 2360 and 4720."""
PAGE_INCHES = (12.0, 6.0)


def thresholds(photos: int, given: Thresholds = ()) -> Thresholds:
    """Return fewest and most photos of a cell, coarse to fine: as given, else by how many photos there are."""
    return given or tuple((FEWEST, max(2 * FEWEST, photos // share)) for share in SHARES)


def parsed(text: str) -> Thresholds:
    """Read thresholds such as ``50:5000,50:2000,50:1000``, coarse to fine.

    Raises:
        UsageError: it is written otherwise.
    """
    try:
        pairs = [tuple(int(number) for number in pair.split(":")) for pair in text.split(",") if pair]
        found = tuple((fewest, most) for fewest, most in pairs)
    except ValueError as error:
        raise UsageError(f"{text!r} are no thresholds; write FEWEST:MOST, coarse to fine, parted by commas") from error
    if any(not 0 < fewest <= most for fewest, most in found):
        raise UsageError(f"{text!r}: a cell holds at least one photo and at most no fewer than it must")
    return found


def partitions_of(
    kind: str, latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64], *, given: Thresholds = ()
) -> dict[str, Partition]:
    """Return the partitions that a system of one kind wants.

    Raises:
        UsageError: there are too few photos for any cell.
        MissingExtra: the package that cuts them is not installed.
    """
    limits = thresholds(len(latitude_deg), given)
    where = (latitude_deg, longitude_deg)
    if kind in ("planet", "knn", "zhai"):
        return {planet.CELLS: earth.s2_partition(*where, fewest=limits[-1][0], most=limits[-1][1])}
    if kind == "pigeotto":
        return {pigeotto.CELLS: earth.semantic_partition(*where, fewest=4 * limits[-1][0], most=limits[-1][1])}
    if kind == "tiger":
        return {tiger.CELLS: _whole_healpix(tiger.NSIDE)}
    if kind == "cplanet":
        return _turned(where, limits)
    if kind == "geodecoder":
        return _levels(where, limits)
    if kind in ("isns", "translocator"):
        names = isns.LEVELS
        if len(limits) != len(names):
            raise UsageError(f"{kind} has three partitions; give three thresholds")
        found = [earth.s2_partition(*where, fewest=fewest, most=most) for fewest, most in limits]
        return dict(zip(names, found, strict=True))
    return {}


def _turned(where: tuple[NDArray[np.float64], NDArray[np.float64]], limits: Thresholds) -> dict[str, Partition]:
    """Return partitions of differently turned earths, and their intersections that hold photos."""
    fewest, most = limits[-2] if len(limits) > 1 else limits[-1]
    found = {
        f"turned{k}": earth.s2_partition(*where, fewest=fewest, most=most, turn=earth.random_turn(k) if k else None)
        for k in range(cplanet.PARTITIONS)
    }
    return found | {cplanet.FINE: intersected(found, *where)[0]}


def intersected(
    coarse: dict[str, Partition], latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]
) -> tuple[Partition, NDArray[np.int64]]:
    """Return the intersections of partitions that hold photos, and ``[C, K]`` which coarse cells each lies in.

    Raises:
        UsageError: no photo lies in a cell of every partition.
    """
    own = np.column_stack([cells.cells_of(latitude_deg, longitude_deg) for cells in coarse.values()])
    rows = np.flatnonzero((own >= 0).all(axis=1))
    if not len(rows):
        raise UsageError("no photo lies in a cell of every partition; give more photos or lower thresholds")
    members, inverse = np.unique(own[rows], axis=0, return_inverse=True)
    groups = {k: rows[inverse.ravel() == k].tolist() for k in range(len(members))}
    return earth.gathered("semantic", groups, latitude_deg, longitude_deg), members.astype(np.int64)


def _levels(where: tuple[NDArray[np.float64], NDArray[np.float64]], limits: Thresholds) -> dict[str, Partition]:
    """Return up to seven levels, halving the most photos of a cell while that makes more cells."""
    fewest = limits[0][0]
    most = limits[0][1] * 2
    found: list[Partition] = []
    while len(found) < geodecoder.MOST_LEVELS and most >= max(limits[-1][1], 2 * fewest):
        cells = earth.s2_partition(*where, fewest=fewest, most=most)
        if not found or len(cells) > len(found[-1]):
            found.append(cells)
        most //= 2
    return {f"level{k}": cells for k, cells in enumerate(found)}


def _whole_healpix(nside: int) -> Partition:
    latitude, longitude = earth.healpix_centres(nside)
    ids = np.arange(len(latitude), dtype=np.int64)
    return Partition("healpix", ids, latitude, longitude, np.zeros(len(ids), dtype=np.int64), np.eye(3), nside)


def draw(partitions: dict[str, Partition], path: Path) -> None:
    """Draw every partition as a map: coasts, borders of S2 and HEALPix cells, and the mean of each cell's photos.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("a map of the cells", "train") from error
    width, height = PAGE_INCHES
    page = Figure(figsize=(width, height * len(partitions)), layout="constrained")
    FigureCanvasAgg(page)
    for number, (name, cells) in enumerate(partitions.items()):
        axes = page.add_subplot(len(partitions), 1, number + 1)
        outlines.draw_world(axes)
        if cells.kind != "semantic":  # those are gathered photos and have no border of their own
            lines = np.concatenate([outlines.border(earth.corners_deg(cells, row)) for row in range(len(cells))])
            axes.plot(lines[:, 0], lines[:, 1], color="0.5", linewidth=0.6)
        axes.scatter(cells.longitude_deg, cells.latitude_deg, s=4, c="tab:blue")
        title = f"{name}: {len(cells)} cells ({cells.kind})"
        axes.set(title=title, xlabel="°E", ylabel="°N")
    page.savefig(path, dpi=100, metadata={"Software": None})
