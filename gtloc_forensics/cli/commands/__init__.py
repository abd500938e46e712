"""The commands of ``gtloc`` beside the audit, a file for each job; only ``cli`` uses them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from gtloc_forensics.cli import one_thread

_HOMES = {
    "report": "reporting",
    "export": "reporting",
    "config": "reporting",
    "verify": "reporting",
    "compare": "comparing",
    "seal": "reporting",
    "decide": "reviewing",
    "review": "reviewing",
    "watch": "watching",
    "correct": "correcting",
    "search": "searching",
    "database": "database",
    "immich": "immich",
    "model": "modelling",
    "train": "modelling",
    "evaluate": "modelling",
    "worker": "many_machines",
    "scheduler": "many_machines",
    "plugin": "plugin",
    "completion": "shell",
    "man": "shell",
}
"""Command → the module here that defines it under the same name."""

_ON_MANY_THREADS = "modelling"
"""Where products are large."""


class Commands(MutableMapping[str, click.Command]):
    """Commands by name, each loaded when it is asked for: an audit does not wait for twenty others."""

    def __init__(self) -> None:
        """Know the names."""
        self._loaded: dict[str, click.Command] = {}
        self._names = dict.fromkeys(_HOMES)

    def __getitem__(self, name: str) -> click.Command:
        """Return a command."""
        if name not in self._loaded:
            if name not in self._names:
                raise KeyError(name)
            if _HOMES[name] != _ON_MANY_THREADS:
                one_thread.before_numpy()
            self._loaded[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Add a command."""
        self._names[name] = None
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Leave a command out."""
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Yield the names; nothing is loaded for it."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._names)
