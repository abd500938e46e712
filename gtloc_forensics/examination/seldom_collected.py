"""Garbage of circles is looked for less often while many records are made that hold none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 50_000
"""Made since the last look before the youngest are looked at again; Python takes 700, and 6 % of a first audit for it.

What holds itself waits no longer than for some MiB of it, so that a long audit stays as small as before.
"""


def collect_less_often() -> None:
    """Have this process look less often from now on: for a program that runs once."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have Python look for circles less often meanwhile: it looked through all that is loaded, for a fifth of the time.

    Records, and the tuples of their tags, are freed as soon as nobody holds them; circles are few, and wait a little.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
