"""The programs ``gtloc`` and ``gtloc-audit``: a command, and leaving the process when it is done."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from gtloc_forensics.cli.main import audit, gtloc


def run_gtloc() -> Any:
    """Run ``gtloc`` as the shell asks."""
    return _left_at_once(gtloc)


def run_audit() -> Any:
    """Run ``gtloc-audit`` as the shell asks."""
    return _left_at_once(audit)


def _left_at_once(command: Callable[[], Any]) -> Any:
    """Run a command and end the process, which does not take itself apart first.

    Python frees every module and object one by one before it ends, a quarter of a second after an audit. What has to
    be done is done: what was opened is closed, what was printed goes out, what asked to be called at the end is called.
    """
    try:
        return command()
    except SystemExit as end:
        code = 0 if end.code is None else end.code
        if not isinstance(code, int) or threading.active_count() > 1:  # a message to print, or somebody to wait for
            raise
        atexit._run_exitfuncs()
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except (OSError, ValueError):  # nobody reads any more: Python knows what to say of it
            raise end from None
        os._exit(code & 0xFF)
