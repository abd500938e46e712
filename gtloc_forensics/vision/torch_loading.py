"""torch, loaded so that its threads sleep while they wait for one another.

Its OpenMP has a waiting thread compute nothing in a circle until the others are there. Where decoding processes work on
the same cores, that is most of what a model seems to compute: docs/decisions/0064-what-decoding-costs.md has figures.
OpenMP asks the environment once, when torch is loaded; afterwards the environment is as it was.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from contextlib import suppress

_WAITING = "OMP_WAIT_POLICY"


def load_torch() -> None:
    """Import torch, unless somebody has; what the environment says of waiting stands.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    if _WAITING in os.environ:
        importlib.import_module("torch")
        return
    os.environ[_WAITING] = "PASSIVE"
    try:
        importlib.import_module("torch")
    finally:
        os.environ.pop(_WAITING, None)


def keep_memory_between_layers() -> None:
    """Have glibc keep what one layer's result leaves for the next one's, until :func:`give_back_memory`.

    Left alone it gives large blocks back at once, and the system fills the next one with zeros before anything is
    written there: one in forty of a forward pass. Other C libraries have no such function, or keep it anyway.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_FROM_THE_SYSTEM, _LARGEST_RESULT)
        library.mallopt(_GIVEN_BACK, _LEFT_BY_A_PASS)


_GIVEN_BACK, _FROM_THE_SYSTEM = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of <malloc.h>
_LARGEST_RESULT = 32 << 20  # as much as glibc takes
_LEFT_BY_A_PASS = 512 << 20


def give_back_memory() -> None:
    """Return to the system what loading held and no longer needs: glibc keeps it, other C libraries do not."""
    with suppress(OSError, AttributeError):  # no such function, so nothing to ask for
        ctypes.CDLL(None).malloc_trim(0)
