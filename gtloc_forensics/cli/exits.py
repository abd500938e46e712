"""What the shell is told: exit codes, and an error as one line instead of a traceback. Part of the command line."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any

import click

from gtloc_forensics.cli.output import say
from gtloc_forensics.errors import ForensicsError


class ExitCode(IntEnum):
    """What the shell is told."""

    CLEAN = 0
    FINDINGS = 1
    FAILURE = 2
    INCOMPLETE = 3
    UNCHECKED = 4  # intact, but nobody said whose signature is to be trusted


def says_what_went_wrong(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the library's errors into one line on stderr and exit code 2; Ctrl-C into a promise that holds."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        _write_what_cannot_be_encoded()
        try:
            return command(*args, **kwargs)
        except ForensicsError as error:
            say(f"gtloc: {error}", err=True)
        except (KeyboardInterrupt, click.Abort):
            click.echo("gtloc: stopped; the same command goes on from here", err=True)
        except BrokenPipeError:
            sys.stderr.close()
        except OSError as error:
            say(f"gtloc: {error.filename or ''}: {error.strerror or error}".replace(": :", ":"), err=True)
        except (click.ClickException, SystemExit):
            raise
        except Exception:
            # Python's own exit code for a traceback is 1, which here means "findings".
            traceback.print_exc()
            click.echo("gtloc: this is a fault of the program; please report the lines above", err=True)
        raise SystemExit(ExitCode.FAILURE)

    return wrapped


def _write_what_cannot_be_encoded() -> None:
    """Have characters that the terminal's encoding lacks written as escapes instead of ending in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
