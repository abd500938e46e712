"""numpy's matrix products on one thread, where they are too small to be shared.

OpenBLAS lets its threads compute nothing in a circle for some 25 ms after each product, ready for a next one. Where a
few pictures at a time are told their places, that is five times the telling, and it is taken from the net that looks
at the next pictures meanwhile: docs/decisions/0064-what-decoding-costs.md has figures.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Return the region in which the libraries that numpy multiplies with use one thread; torch's are left alone."""
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """Return what this process multiplies with; looking for it takes longer than telling a picture."""
    return ThreadpoolController()
