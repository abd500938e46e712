"""Numbers that the papers of the family print, each with where it stands: shown beside ours, never mixed with them.

Distances are shares of photos, %, within 1, 25, 200, 750 and 2500 km.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_KM = ("within 1 km, %", "within 25 km, %", "within 200 km, %", "within 750 km, %", "within 2500 km, %")

VO = "Vo, Jacobs, Hays, ICCV 2017, as quoted by Img2Loc (SIGIR 2024)"
PLANET = "Weyand et al., ECCV 2016, as quoted by later papers"
CPLANET = "Seo et al., ECCV 2018, as quoted by Img2Loc (SIGIR 2024)"
ISNS = "Müller-Budack et al., ECCV 2018"
TRANSLOCATOR = "Pramanick et al., ECCV 2022"
GEODECODER = "Clark et al., CVPR 2023, as quoted by later papers"
GEOCLIP = "Vivanco Cepeda et al., NeurIPS 2023"
PIGEOTTO = "Haas et al., CVPR 2024, as quoted by later papers"
GTLOC = "Shatwell et al., ICCV 2025, project page"
TIGER = "TIGeR, CVPR 2026"
PADILHA = "Padilha et al., TIFS 2022"


@dataclass(frozen=True, slots=True)
class Published:
    """What one paper prints of one system on one set."""

    system: str
    data: str
    figures: Mapping[str, float]
    source: str


def _places(system: str, data: str, source: str, *shares: float) -> Published:
    return Published(system, data, dict(zip(_KM, shares, strict=True)), source)


def _times(system: str, data: str, source: str, month: float, hour: float, score: float) -> Published:
    return Published(system, data, {"month error": month, "hour error": hour, "TPS": score}, source)


PUBLISHED: tuple[Published, ...] = (
    _places("knn", "Im2GPS3k", VO, 7.2, 19.4, 26.9, 38.9, 55.9),
    _places("knn", "YFCC4k", VO, 2.3, 5.7, 11.0, 23.5, 42.0),
    _places("knn", "Im2GPS", VO, 14.4, 33.3, 47.7, 61.6, 73.4),
    _places("planet", "Im2GPS3k", PLANET, 8.5, 24.8, 34.3, 48.4, 64.6),
    _places("planet", "YFCC4k", PLANET, 5.6, 14.3, 22.2, 36.4, 55.8),
    _places("planet", "YFCC26k", PLANET, 4.4, 11.0, 16.9, 28.5, 47.7),
    _places("planet", "Im2GPS", PLANET, 8.4, 24.5, 37.6, 53.6, 71.3),
    _places("cplanet", "Im2GPS3k", CPLANET, 10.2, 26.5, 34.6, 48.6, 64.6),
    _places("cplanet", "YFCC4k", CPLANET, 7.9, 14.8, 21.9, 36.4, 55.5),
    _places("cplanet", "Im2GPS", CPLANET, 16.5, 37.1, 46.4, 62.0, 78.5),
    _places("isns", "Im2GPS3k", ISNS, 10.5, 28.0, 36.6, 49.7, 66.0),
    _places("isns", "YFCC4k", ISNS, 6.5, 16.2, 23.8, 37.4, 55.0),
    _places("isns", "GWS15k", ISNS, 0.05, 0.6, 4.2, 15.5, 38.5),
    _places("isns", "Im2GPS", ISNS, 16.9, 43.0, 51.9, 66.7, 80.2),
    _places("translocator", "Im2GPS", TRANSLOCATOR, 19.9, 48.1, 64.6, 75.6, 86.7),
    _places("translocator", "Im2GPS3k", TRANSLOCATOR, 11.8, 31.1, 46.7, 58.9, 80.1),
    _places("translocator", "YFCC4k", TRANSLOCATOR, 8.4, 18.6, 27.0, 41.1, 60.4),
    _places("translocator", "YFCC26k", TRANSLOCATOR, 7.2, 17.8, 28.0, 41.3, 60.6),
    _places("translocator", "GWS15k", TRANSLOCATOR, 0.5, 1.1, 8.0, 25.5, 48.3),
    _places("geodecoder", "Im2GPS3k", GEODECODER, 12.8, 33.5, 45.9, 61.0, 76.1),
    _places("geodecoder", "YFCC4k", GEODECODER, 10.3, 24.4, 33.9, 50.0, 68.7),
    _places("geodecoder", "GWS15k", GEODECODER, 0.7, 1.5, 8.7, 26.9, 50.5),
    _places("geoclip", "Im2GPS3k", GEOCLIP, 14.11, 34.47, 50.65, 69.67, 83.82),
    _places("geoclip", "YFCC4k", GEOCLIP, 9.59, 19.31, 32.63, 55.0, 74.69),
    _places("geoclip", "GWS15k", GEOCLIP, 0.6, 3.1, 16.9, 45.7, 74.1),
    _places("pigeotto", "Im2GPS3k", PIGEOTTO, 11.3, 36.7, 53.8, 72.4, 85.3),
    _places("pigeotto", "YFCC4k", PIGEOTTO, 10.4, 23.7, 40.6, 62.2, 77.7),
    _places("pigeotto", "GWS15k", PIGEOTTO, 0.7, 9.2, 31.2, 65.7, 85.1),
    Published("gtloc", "Im2GPS3k", {"within 1 km, %": 14.41}, GTLOC),
    Published("gtloc", "GWS15k", {"within 1 km, %": 0.88}, GTLOC),
    _times("zhai", "SkyFinder", GTLOC, 2.46, 3.18, 65.48),
    _times("padilha", "SkyFinder", GTLOC, 1.62, 3.61, 71.42),
    _times("gtloc", "SkyFinder", GTLOC, 1.40, 2.72, 77.00),
    Published("zhai", "SkyFinder", {"R@1, %": 0.91, "R@5, %": 7.81, "R@10, %": 13.61}, GTLOC),
    Published("gtloc", "SkyFinder", {"R@1, %": 6.69, "R@5, %": 24.58, "R@10, %": 38.54}, GTLOC),
    Published("tiger", "TIGeR", {"hour error": 3.13, "within 200 km, %": 48.63, "within 750 km, %": 65.61}, TIGER),
    Published("tiger", "CVT", {"hour error": 2.73, "within 200 km, %": 51.90, "within 750 km, %": 66.53}, TIGER),
    Published("tiger", "TIGeR", {"R@1, %": 17.84, "R@5, %": 41.07, "R@10, %": 51.95}, TIGER),
    Published("tiger", "CVT", {"R@1, %": 31.61, "R@5, %": 56.43, "R@10, %": 65.63}, TIGER),
    Published("zhai", "TIGeR", {"hour error": 3.97, "R@1, %": 6.63, "R@5, %": 19.17, "R@10, %": 26.99}, TIGER),
    Published("zhai", "CVT", {"hour error": 3.28, "R@1, %": 2.14, "R@5, %": 6.30, "R@10, %": 9.81}, TIGER),
    Published("gtloc", "TIGeR", {"hour error": 3.52, "R@1, %": 3.18, "R@5, %": 12.11, "R@10, %": 19.08}, TIGER),
    Published("gtloc", "CVT", {"hour error": 2.68, "R@1, %": 23.33, "R@5, %": 49.07, "R@10, %": 60.86}, TIGER),
    Published("padilha", "CVT", {"verification AUC": 0.885, "verification accuracy, %": 81.1}, PADILHA),
    Published("padilha", "CVT, cameras apart", {"verification AUC": 0.749, "verification accuracy, %": 67.9}, PADILHA),
)


def of(system: str) -> tuple[Published, ...]:
    """Return what is published of a system, on every set."""
    return tuple(row for row in PUBLISHED if row.system == system)
