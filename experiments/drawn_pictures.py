"""Pictures that show no scene, drawn by rule: what a gate must stay silent on.

Cards, documents, screens, charts, maps, codes, drawings, bare and blown frames, the moon and a lit
stage, each in as many versions as are asked for. They are made from numbers alone, so they can be
made again anywhere, and each kind can be kept out of training to see whether the others cover it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Draw = np.random.Generator
Colour = tuple[int, int, int]
VERSION = "1"
"""Raised when the same seed gives another picture."""

_TEXT = (
    "the of and to in is that for it with as on be at by this from or an are not have was but all can your "
    "which we more other time page total date number report invoice order price name address meeting notes "
    "agenda budget station open closed menu coffee chapter section figure table result value please thank you"
)
WORDS = tuple(_TEXT.split())


def picture(kind: str, *, seed: int) -> NDArray[np.uint8]:
    """Return one picture ``[H, W, 3]`` of a kind of :data:`KINDS`; the same seed gives the same picture."""
    chance = np.random.default_rng([seed, list(KINDS).index(kind)])
    size = [(320, 240), (240, 320), (299, 224), (398, 224), (224, 224), (224, 485)][int(chance.integers(6))]
    image = KINDS[kind](chance, size)
    if chance.random() < 0.5:  # as a camera would see it: not quite sharp, not quite even
        image = image.filter(ImageFilter.GaussianBlur(float(chance.uniform(0.3, 1.2))))
        image = _shaded(chance, image)
    return np.asarray(image.convert("RGB"))


def _shaded(chance: Draw, image: Image.Image) -> Image.Image:
    values = np.asarray(image.convert("RGB"), dtype=np.float32)
    height, width = values.shape[:2]
    slope = (
        np.linspace(1.0, float(chance.uniform(0.7, 1.0)), width)[None, :]
        * np.linspace(1.0, float(chance.uniform(0.7, 1.0)), height)[:, None]
    )
    tint = 1.0 + chance.uniform(-0.12, 0.05, 3)
    noisy = values * slope[..., None] * tint + chance.normal(0.0, float(chance.uniform(1.0, 8.0)), values.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _light(chance: Draw) -> Colour:
    grey = float(chance.uniform(190, 255))
    return tuple(int(np.clip(grey + shift, 0, 255)) for shift in chance.uniform(-20, 10, 3))  # type: ignore[return-value]


def _dark(chance: Draw) -> Colour:
    return tuple(int(value) for value in chance.integers(0, 70, 3))  # type: ignore[return-value]


def _any(chance: Draw) -> Colour:
    return tuple(int(value) for value in chance.integers(0, 256, 3))  # type: ignore[return-value]


def _text(chance: Draw, count: int) -> str:
    return " ".join(str(word) for word in chance.choice(WORDS, count))


def _lines(chance: Draw, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], *, ink: Colour, px: int) -> None:
    font = ImageFont.load_default(px)
    for top in range(box[1], box[3] - px, int(px * 1.4)):
        if chance.random() < 0.9:
            draw.text((box[0], top), _text(chance, max(1, (box[2] - box[0]) // (px * 4))), fill=ink, font=font)


def _blank(size: tuple[int, int], colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, colour)
    return image, ImageDraw.Draw(image)


def _card(chance: Draw, size: tuple[int, int]) -> Image.Image:
    dark = chance.random() < 0.5
    image, draw = _blank(size, _any(chance) if chance.random() < 0.5 else (_dark if dark else _light)(chance))
    ink = _light(chance) if np.mean(image.getpixel((0, 0))) < 128 else _dark(chance)
    for _ in range(int(chance.integers(1, 5))):
        where = (int(chance.integers(5, size[0] // 2)), int(chance.integers(5, size[1] - 30)))
        draw.text(
            where,
            _text(chance, int(chance.integers(1, 4))),
            fill=ink,
            font=ImageFont.load_default(int(chance.integers(12, 40))),
        )
    return image


def _document(chance: Draw, size: tuple[int, int]) -> Image.Image:
    image, draw = _blank(size, _light(chance))
    margin = int(chance.integers(8, 40))
    columns = int(chance.integers(1, 3))
    width = (size[0] - 2 * margin) // columns
    for column in range(columns):
        left = margin + column * width
        _lines(
            chance,
            draw,
            (left, margin, left + width - 8, size[1] - margin),
            ink=_dark(chance),
            px=int(chance.integers(6, 13)),
        )
    if chance.random() < 0.3:  # a page that lies on a desk
        turned = image.rotate(float(chance.uniform(-12, 12)), expand=True, fillcolor=_any(chance))
        image = turned.resize(size)
    return image


def _screen(chance: Draw, size: tuple[int, int]) -> Image.Image:
    dark = chance.random() < 0.5
    image, draw = _blank(size, _dark(chance) if dark else _light(chance))
    ink = _light(chance) if dark else _dark(chance)
    draw.rectangle((0, 0, size[0], int(chance.integers(10, 28))), fill=_any(chance))
    for _ in range(int(chance.integers(3, 12))):
        left, top = int(chance.integers(0, size[0] - 40)), int(chance.integers(20, size[1] - 30))
        box = (left, top, left + int(chance.integers(20, size[0] // 2 + 21)), top + int(chance.integers(10, 70)))
        draw.rounded_rectangle(
            box, radius=int(chance.integers(0, 9)), fill=_any(chance) if chance.random() < 0.4 else None, outline=ink
        )
        draw.text(
            (left + 4, top + 2), _text(chance, 2), fill=ink, font=ImageFont.load_default(int(chance.integers(7, 14)))
        )
    return image


def _chart(chance: Draw, size: tuple[int, int]) -> Image.Image:
    image, draw = _blank(size, _light(chance))
    width, height = size
    draw.line((30, 10, 30, height - 20, width - 10, height - 20), fill=_dark(chance), width=2)
    for _ in range(int(chance.integers(1, 5))):
        if chance.random() < 0.5:
            ys = np.cumsum(chance.normal(0, 8, 30)) + height / 2
            draw.line(
                [(30 + i * (width - 40) / 29, float(np.clip(y, 5, height - 22))) for i, y in enumerate(ys)],
                fill=_any(chance),
                width=int(chance.integers(1, 4)),
            )
        else:
            for left in range(40, width - 20, int(chance.integers(14, 40))):
                draw.rectangle((left, int(chance.integers(20, height - 25)), left + 10, height - 20), fill=_any(chance))
    draw.text((40, 4), _text(chance, 3), fill=_dark(chance), font=ImageFont.load_default(11))
    return image


def _map(chance: Draw, size: tuple[int, int]) -> Image.Image:
    image, draw = _blank(size, (240, 238, 230))
    for _ in range(int(chance.integers(4, 12))):
        centre = chance.uniform((0, 0), size)
        around = [
            (float(centre[0] + r * np.cos(t)), float(centre[1] + r * np.sin(t)))
            for t, r in zip(np.linspace(0, 6.1, 9), chance.uniform(10, 80, 9), strict=True)
        ]
        draw.polygon(around, fill=[(170, 210, 230), (200, 225, 180), (225, 220, 210)][int(chance.integers(3))])
    for _ in range(int(chance.integers(6, 20))):
        draw.line(
            [tuple(point) for point in chance.uniform((0, 0), size, (4, 2)).tolist()],
            fill=[(255, 255, 255), (250, 210, 120), (200, 200, 200)][int(chance.integers(3))],
            width=int(chance.integers(1, 6)),
        )
    _scattered(chance, draw, size)
    return image


def _scattered(chance: Draw, draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
    for _ in range(int(chance.integers(3, 9))):
        draw.text(
            tuple(chance.uniform((0, 0), size).tolist()),
            _text(chance, 1),
            fill=_dark(chance),
            font=ImageFont.load_default(int(chance.integers(7, 13))),
        )


def _code(chance: Draw, size: tuple[int, int]) -> Image.Image:
    cells = int(chance.integers(12, 40))
    if chance.random() < 0.5:
        black = chance.random((cells, cells)) < 0.5
    else:
        black = np.repeat(chance.random((1, cells * 2)) < 0.5, cells, axis=0)
    inner = Image.fromarray((255 * ~black).astype(np.uint8)).resize((min(size) * 2 // 3,) * 2, Image.Resampling.NEAREST)
    image, _ = _blank(size, _light(chance))
    image.paste(inner.convert("RGB"), (size[0] // 6, size[1] // 6))
    return image


def _drawing(chance: Draw, size: tuple[int, int]) -> Image.Image:
    """Flat colours and outlines: a cartoon, some of them with a drawn sky, hills and a sun."""
    image, draw = _blank(size, _any(chance))
    width, height = size
    if chance.random() < 0.5:
        horizon = int(chance.uniform(0.4, 0.8) * height)
        draw.rectangle(
            (0, 0, width, horizon), fill=[(135, 206, 250), (255, 180, 120), (30, 30, 80)][int(chance.integers(3))]
        )
        draw.rectangle(
            (0, horizon, width, height), fill=[(90, 170, 80), (230, 210, 150), (120, 120, 120)][int(chance.integers(3))]
        )
        x, y, r = float(chance.uniform(0, width)), float(chance.uniform(0, horizon)), float(chance.uniform(8, 30))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 235, 90))
    for _ in range(int(chance.integers(3, 14))):
        x, y = chance.uniform((0, 0), size)
        w, h = chance.uniform(10, 100, 2)
        shape = [draw.rectangle, draw.ellipse][int(chance.integers(2))]
        shape(
            (float(x), float(y), float(x + w), float(y + h)),
            fill=_any(chance),
            outline=(0, 0, 0),
            width=int(chance.integers(1, 4)),
        )
    return image


def _sketch(chance: Draw, size: tuple[int, int]) -> Image.Image:
    image, draw = _blank(size, _light(chance))
    for _ in range(int(chance.integers(5, 40))):
        walk = np.cumsum(chance.normal(0, 12, (12, 2)), axis=0) + chance.uniform((0, 0), size)
        draw.line([tuple(point) for point in walk.tolist()], fill=_dark(chance), width=int(chance.integers(1, 4)))
    return image


def _black(chance: Draw, size: tuple[int, int]) -> Image.Image:
    values = chance.normal(float(chance.uniform(2, 22)), float(chance.uniform(1, 9)), (size[1], size[0], 3))
    return Image.fromarray(np.clip(values + chance.uniform(-3, 8, 3), 0, 255).astype(np.uint8))


def _blown(chance: Draw, size: tuple[int, int]) -> Image.Image:
    values = chance.normal(float(chance.uniform(235, 255)), float(chance.uniform(0, 6)), (size[1], size[0], 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _even(chance: Draw, size: tuple[int, int]) -> Image.Image:
    first, last = np.array(_any(chance), dtype=np.float64), np.array(_any(chance), dtype=np.float64)
    share = np.linspace(0.0, 1.0, size[1])[:, None, None] * np.ones((1, size[0], 1))
    values = first + (last - first) * (share if chance.random() < 0.5 else 0.0)
    return Image.fromarray(np.clip(values + 0.0 * share, 0, 255).astype(np.uint8))


def _moon(chance: Draw, size: tuple[int, int]) -> Image.Image:
    values = chance.normal(float(chance.uniform(2, 14)), 2.0, (size[1], size[0], 3))
    radius = float(chance.uniform(6, 90))
    x, y = chance.uniform((radius, radius), np.maximum(np.array(size) - radius, radius + 1))
    rows, columns = np.mgrid[: size[1], : size[0]]
    inside = np.hypot(columns - x, rows - y) < radius
    shade = (
        np.clip(1.0 + (columns - x) / radius * float(chance.uniform(-1.5, 1.5)), 0, 1)
        if chance.random() < 0.6
        else np.ones(rows.shape)
    )
    coarse = Image.fromarray(chance.integers(120, 255, (9, 9), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    lit = np.asarray(coarse, dtype=np.float64) * shade * inside
    return Image.fromarray(np.clip(values + lit[..., None] * np.array([1.0, 0.97, 0.88]), 0, 255).astype(np.uint8))


def _stage(chance: Draw, size: tuple[int, int]) -> Image.Image:
    values = np.full((size[1], size[0], 3), float(chance.uniform(3, 20)))
    rows, columns = np.mgrid[: size[1], : size[0]]
    for _ in range(int(chance.integers(2, 7))):
        x, lean, wide = (
            float(chance.uniform(0, size[0])),
            float(chance.uniform(-0.7, 0.7)),
            float(chance.uniform(0.05, 0.3)),
        )
        across = np.abs(columns - x - lean * rows) / (4.0 + wide * rows)
        values += (
            np.exp(-(across**2))[..., None]
            * np.array(_any(chance))
            * np.exp(-rows / size[1] * float(chance.uniform(0, 2)))[..., None]
        )
    floor = rows > size[1] * 0.8
    values[floor] *= 0.5
    image = Image.fromarray(np.clip(values + chance.normal(0, 4, values.shape), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(chance.integers(1, 7))):
        x, top = float(chance.uniform(0, size[0])), float(chance.uniform(0.45, 0.7)) * size[1]
        draw.ellipse((x - 6, top, x + 6, top + 14), fill=_dark(chance))
        draw.rectangle((x - 10, top + 14, x + 10, size[1]), fill=_dark(chance))
    return image


KINDS: dict[str, Callable[[Draw, tuple[int, int]], Image.Image]] = {
    "card": _card,
    "document": _document,
    "screen": _screen,
    "chart": _chart,
    "map": _map,
    "code": _code,
    "drawing": _drawing,
    "sketch": _sketch,
    "black": _black,
    "blown": _blown,
    "even": _even,
    "moon": _moon,
    "stage": _stage,
}
"""Kind → how it is drawn."""
