"""numpy's matrix products on one thread: those of a command are too small to be shared. Part of the command line."""

from __future__ import annotations

import os

_SAID_BY = "OPENBLAS_NUM_THREADS"


def before_numpy() -> None:
    """Have numpy multiply on one thread from its import on, unless the environment says how many.

    OpenBLAS starts a thread for each further core as it is loaded, which costs as much as half of loading numpy, and
    lets them compute nothing in a circle after each product. It reads the environment once; torch has threads of its
    own and reads something else.
    """
    os.environ.setdefault(_SAID_BY, "1")
