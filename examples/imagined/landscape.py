"""What stands in a scene: trees by season, houses, lamps, posts and people, laid out before the camera.

Positions are first chosen as (ahead, to the right) of the camera, so that there is
always something in view, then turned to the compass. The layout depends on the
seed and the kind of ground alone; leaves and snow on the season.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagined.scenes import Climate, Scene, climate
from imagined.solids import Matter, Solid, beam, block, ellipsoid, house_roof

Point = tuple[float, float]

BARK = Matter((0.10, 0.075, 0.055), mottle=0.4)
IRON = Matter((0.06, 0.06, 0.065))
WOOD = Matter((0.20, 0.14, 0.09), mottle=0.3, snowy=0.6)
GLASS = Matter((0.6, 0.58, 0.5), mottle=0.0, glow_nits=9000.0)
WALLS = ((0.52, 0.44, 0.33), (0.42, 0.20, 0.14), (0.60, 0.57, 0.50), (0.50, 0.38, 0.20), (0.33, 0.36, 0.38))
ROOFS = ((0.24, 0.08, 0.05), (0.10, 0.10, 0.11), (0.17, 0.11, 0.08))
COATS = ((0.35, 0.04, 0.04), (0.05, 0.10, 0.30), (0.45, 0.38, 0.10), (0.04, 0.18, 0.10), (0.03, 0.03, 0.04))


@dataclass(frozen=True, slots=True)
class Landscape:
    """The solids of a scene and its lamps (positions [3] in metres)."""

    solids: tuple[Solid, ...]
    lamps: tuple[tuple[float, float, float], ...]


class Builder:
    """Collects solids; knows which way the camera looks."""

    def __init__(self, scene: Scene) -> None:
        self.rng = np.random.default_rng((scene.seed, 11))
        self.season: Climate = climate(scene)
        self.heading = math.radians(scene.heading_deg)
        self.solids: list[Solid] = []
        self.lamps: list[tuple[float, float, float]] = []

    def at(self, ahead: float, right: float) -> Point:
        """Return (east, north) of a point given as seen from the camera."""
        sine, cosine = math.sin(self.heading), math.cos(self.heading)
        return ahead * sine + right * cosine, ahead * cosine - right * sine

    @property
    def along(self) -> float:
        """The direction of view, counter-clockwise from east."""
        return math.pi / 2 - self.heading

    def uniform(self, low: float, high: float) -> float:
        """Return a number between."""
        return float(self.rng.uniform(low, high))

    def tree(self, ahead: float, right: float, height: float) -> None:
        """Plant what grows here."""
        kind = self.uniform(0, 1)
        if kind < self.season.palms * 0.7:
            self._palm(self.at(ahead, right), height)
        elif kind > 1 - self.season.conifers:
            self._conifer(self.at(ahead, right), height)
        else:
            self._broadleaf(self.at(ahead, right), height)

    def _broadleaf(self, foot: Point, height: float) -> None:
        trunk = height * 0.38
        self.solids.append(beam(BARK, (*foot, 0.0), (*foot, height * 0.62), height * 0.028, tip=0.45))
        self._branches(foot, trunk, height)
        leaf = self._leaf()
        spread = height * 0.27
        for _ in range(8):
            radius = height * self.uniform(0.13, 0.21)
            angle, out = self.uniform(0, 2 * math.pi), spread * math.sqrt(self.uniform(0, 1))
            up = self.uniform(trunk + radius * 0.8, height - radius)
            centre = (foot[0] + out * math.cos(angle), foot[1] + out * math.sin(angle), up)
            if leaf is not None:
                self.solids.append(ellipsoid(leaf, centre, (radius, radius, radius * 0.85)))

    def _branches(self, foot: Point, trunk: float, height: float) -> None:
        for _ in range(9 if self.season.leaf < 0.6 else 4):
            angle, start = self.uniform(0, 2 * math.pi), self.uniform(trunk * 0.9, height * 0.6)
            out, up = height * self.uniform(0.12, 0.3), start + height * self.uniform(0.15, 0.36)
            tip = (foot[0] + out * math.cos(angle), foot[1] + out * math.sin(angle), up)
            self.solids.append(beam(BARK, (*foot, start), tip, height * 0.011, tip=0.25))

    def _leaf(self) -> Matter | None:
        shade = self.uniform(0.8, 1.2)
        if self.season.leaf < 0.25:
            return Matter((0.13, 0.10, 0.085), mottle=0.3, density=0.2)  # twigs
        green = np.array([0.075, 0.15, 0.03]) * shade
        turned = np.array([(0.34, 0.17, 0.02), (0.33, 0.085, 0.02), (0.38, 0.27, 0.03)][int(self.rng.integers(3))])
        mixed = green * (1 - self.season.autumn) + turned * self.season.autumn
        red, part_green, blue = (float(value) for value in mixed)
        return Matter((red, part_green, blue), mottle=0.55, density=0.5 + 0.42 * self.season.leaf, snowy=0.5)

    def _conifer(self, foot: Point, height: float) -> None:
        shade = self.uniform(0.75, 1.2)
        needles = Matter((0.032 * shade, 0.065 * shade, 0.03 * shade), mottle=0.6, snowy=0.75)
        self.solids.append(beam(BARK, (*foot, 0.0), (*foot, height * 0.3), height * 0.02))
        for step in range(4):
            base, top = height * (0.12 + 0.2 * step), height * (0.46 + 0.18 * step)
            self.solids.append(beam(needles, (*foot, base), (*foot, top), height * (0.21 - 0.042 * step), tip=0.0))

    def _palm(self, foot: Point, height: float) -> None:
        lean = self.uniform(-0.08, 0.08) * height
        head = (foot[0] + lean, foot[1], height * 0.85)
        self.solids.append(beam(BARK, (*foot, 0.0), head, height * 0.022, tip=0.7))
        frond = Matter((0.07, 0.14, 0.03), mottle=0.4)
        for step in range(11):
            angle = step * 2 * math.pi / 11 + self.uniform(-0.1, 0.1)
            out, drop = height * 0.3, height * self.uniform(-0.2, 0.08)
            tip = (head[0] + out * math.cos(angle), head[1] + out * math.sin(angle), head[2] + drop)
            self.solids.append(beam(frond, head, tip, height * 0.022, tip=0.1))

    def bush(self, ahead: float, right: float, radius: float) -> None:
        """Plant a bush."""
        leaf = self._leaf()
        if leaf is not None:
            self.solids.append(ellipsoid(leaf, (*self.at(ahead, right), radius * 0.5), (radius, radius, radius * 0.8)))

    def house(self, ahead: float, right: float, size: tuple[float, float, float], *, gable: bool, turn: float) -> None:
        """Build a house: *size* is along, across, height of the walls."""
        wall = Matter(WALLS[int(self.rng.integers(len(WALLS)))], mottle=0.08, window=3.0 if size[2] > 7 else 2.6)
        roof = Matter(ROOFS[int(self.rng.integers(len(ROOFS)))], mottle=0.2, snowy=1.0)
        centre, direction = self.at(ahead, right), self.along + turn
        self.solids.append(block(wall, centre, size, direction))
        if gable:
            over = (size[0] + 0.8, size[1] + 1.0, size[1] * 0.42)
            self.solids.append(house_roof(roof, centre, over, direction, size[2]))

    def lamp(self, ahead: float, right: float, height: float = 5.0) -> None:
        """Put up a street lamp."""
        foot = self.at(ahead, right)
        self.solids.append(beam(IRON, (*foot, 0.0), (*foot, height), 0.07))
        self.solids.append(ellipsoid(GLASS, (*foot, height + 0.2), (0.28, 0.28, 0.3)))
        self.lamps.append((*foot, height))

    def person(self, ahead: float, right: float) -> None:
        """Let somebody stand there."""
        east, north = self.at(ahead, right)
        coat = Matter(COATS[int(self.rng.integers(len(COATS)))], mottle=0.1)
        self.solids.append(beam(IRON, (east, north, 0.0), (east, north, 0.85), 0.17))
        self.solids.append(ellipsoid(coat, (east, north, 1.15), (0.27, 0.27, 0.42)))
        self.solids.append(ellipsoid(Matter((0.36, 0.24, 0.17), mottle=0.0), (east, north, 1.66), (0.12, 0.12, 0.15)))

    def post(self, ahead: float, right: float, height: float = 1.4) -> None:
        """Drive in a wooden post."""
        foot = self.at(ahead, right)
        self.solids.append(beam(WOOD, (*foot, 0.0), (*foot, height), 0.09))

    def rock(self, ahead: float, right: float, radius: float) -> None:
        """Leave a boulder."""
        stone = Matter((0.26, 0.24, 0.21), mottle=0.5, snowy=0.7)
        radii = (radius, radius * self.uniform(0.6, 1.2), radius * 0.6)
        self.solids.append(ellipsoid(stone, (*self.at(ahead, right), radius * 0.15), radii))

    def cactus(self, ahead: float, right: float, height: float) -> None:
        """Grow a cactus with two arms."""
        flesh = Matter((0.10, 0.15, 0.06), mottle=0.35)
        east, north = self.at(ahead, right)
        self.solids.append(beam(flesh, (east, north, 0.0), (east, north, height), height * 0.07, tip=0.8))
        for side, level in ((1.0, 0.45), (-1.0, 0.6)):
            elbow = self.at(ahead, right + side * height * 0.22)
            low, high = height * level, height * (level + 0.28)
            self.solids.append(beam(flesh, (east, north, low), (*elbow, low), height * 0.045))
            self.solids.append(beam(flesh, (*elbow, low), (*elbow, high), height * 0.045))


def landscape(scene: Scene) -> Landscape:
    """Return what stands in a scene."""
    builder = Builder(scene)
    {
        "meadow": _meadow,
        "park": _park,
        "street": _street,
        "village": _village,
        "coast": _coast,
        "mountain": _mountain,
        "desert": _desert,
    }[scene.ground](builder)
    return Landscape(tuple(builder.solids), tuple(builder.lamps))


def _scatter(builder: Builder, count: int, near: float, far: float, width: float) -> list[Point]:
    spots = []
    for _ in range(count):
        ahead = near + (far - near) * builder.uniform(0, 1) ** 1.3
        spots.append((ahead, builder.uniform(-1, 1) * width * (0.25 + ahead / far)))
    return sorted(spots, reverse=True)


def _meadow(builder: Builder) -> None:
    for ahead, right in _scatter(builder, 9, 16, 110, 45):
        builder.tree(ahead, right, builder.uniform(7, 13))
    for step in range(9):
        builder.post(9 + step * 3.5, 4.2 - step * 0.5)
    for ahead, right in _scatter(builder, 5, 8, 40, 12):
        builder.bush(ahead, right, builder.uniform(0.5, 1.1))


def _park(builder: Builder) -> None:
    for step in range(5):
        for side in (-1, 1):
            builder.tree(13 + step * 13 + builder.uniform(-3, 3), side * builder.uniform(6, 15), builder.uniform(8, 14))
    for step in range(4):
        builder.lamp(9 + step * 14, 3.2)
    for ahead, right in _scatter(builder, 3, 9, 30, 5):
        builder.person(ahead, right)
    seat = builder.at(10, -3.6)
    builder.solids.append(block(WOOD, seat, (1.8, 0.5, 0.5), builder.along))


def _street(builder: Builder) -> None:
    height = builder.uniform(9, 17)
    for side in (-1, 1):
        ahead = 6.0
        while ahead < 130:
            length = builder.uniform(11, 19)
            size = (length, 11.0, max(6.5, height + builder.uniform(-3, 3)))
            builder.house(ahead + length / 2, side * 14.0, size, gable=builder.uniform(0, 1) < 0.5, turn=0.0)
            ahead += length + (0.0 if builder.uniform(0, 1) < 0.75 else 5.0)
    for step in range(6):
        builder.lamp(11 + step * 16, 5.2 if step % 2 else -5.2, 5.5)
    for ahead, right in ((builder.uniform(7, 14), 6.4), (builder.uniform(14, 30), -6.2), (builder.uniform(9, 22), 2.0)):
        builder.person(ahead, right)
    for step in range(3):
        builder.tree(20 + step * 22, 6.6 if step % 2 else -6.6, 6.5)
    for ahead, right in ((15.0, -3.6), (27.0, 3.6)):
        paint = Matter(COATS[int(builder.rng.integers(len(COATS)))], mottle=0.02, snowy=0.9)
        builder.solids.append(block(paint, builder.at(ahead, right), (4.2, 1.75, 0.95), builder.along))
        builder.solids.append(block(paint, builder.at(ahead + 0.2, right), (2.2, 1.6, 1.45), builder.along))


def _village(builder: Builder) -> None:
    for ahead, right in ((24, -12), (30, 13), (48, -3), (62, 21), (70, -24)):
        size = (builder.uniform(9, 13), builder.uniform(7, 9), builder.uniform(3.2, 5.6))
        builder.house(ahead, right, size, gable=True, turn=builder.uniform(-0.8, 0.8))
    for ahead, right in _scatter(builder, 6, 18, 80, 30):
        builder.tree(ahead, right, builder.uniform(5, 11))
    for step in range(3):
        builder.lamp(12 + step * 18, -3.4)
    for step in range(7):
        builder.post(8 + step * 2.6, 5.0)
    builder.person(builder.uniform(9, 16), builder.uniform(-1.5, 2))


def _coast(builder: Builder) -> None:
    for ahead, right in ((14, -7.5), (19, 10.5), (24, -13)):
        builder.tree(ahead, right, builder.uniform(6, 9))
    for ahead, right in _scatter(builder, 6, 9, 30, 9):
        builder.rock(ahead, right, builder.uniform(0.4, 1.3))
    for step in range(5):
        builder.post(9 + step * 4, 3.2, 1.1)
    builder.person(builder.uniform(9, 18), builder.uniform(-3, 1))
    builder.lamp(13, -3.0, 4.5)


def _mountain(builder: Builder) -> None:
    for ahead, right in _scatter(builder, 12, 20, 120, 55):
        builder.tree(ahead, right, builder.uniform(8, 15))
    for ahead, right in _scatter(builder, 6, 9, 40, 14):
        builder.rock(ahead, right, builder.uniform(0.5, 1.5))
    builder.house(34, 9, (8, 6, 3.2), gable=True, turn=0.5)


def _desert(builder: Builder) -> None:
    for ahead, right in _scatter(builder, 8, 10, 70, 28):
        builder.cactus(ahead, right, builder.uniform(2.5, 5))
    for ahead, right in _scatter(builder, 9, 7, 50, 20):
        builder.rock(ahead, right, builder.uniform(0.4, 1.4))
    for ahead, right in _scatter(builder, 8, 7, 30, 12):
        builder.solids.append(
            ellipsoid(
                Matter((0.16, 0.15, 0.07), mottle=0.5, density=0.7),
                (*builder.at(ahead, right), 0.2),
                (0.5, 0.5, 0.35),
            )
        )
