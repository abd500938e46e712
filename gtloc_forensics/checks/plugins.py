"""Where other people's code plugs in: hook specifications and their loading.

A plugin is found by the entry-point group ``gtloc_forensics`` and implements any
of the hooks below with ``gtloc_forensics.hookimpl``. The built-in rules come in
through the same hook. A plugin that does not load becomes a
:class:`PluginFailure`, a row in the case that the report names; it never stops
a run and is never silent.
"""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from gtloc_forensics import checks
from gtloc_forensics.checks import rules
from gtloc_forensics.errors import PluginError

GROUP = "gtloc_forensics"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class Hooks:
    """The hooks a plugin may implement, each with the signature it is called with."""

    @hookspec
    def checks(self) -> Iterable[ModuleType]:  # type: ignore[empty-body]
        """Give modules whose rules are marked with ``gtloc_forensics.check``."""


class BuiltIn:
    """The rules of this package, through the same door as everybody's."""

    @hookimpl
    def checks(self) -> Iterable[ModuleType]:
        """Give the rule modules ``gtloc_forensics.checks.rules.gf*``."""
        return built_in_modules()


def built_in_modules() -> list[ModuleType]:
    """Import and return every rule module of this package, in the order of their names."""
    names = sorted(info.name for info in pkgutil.iter_modules(rules.__path__) if info.name.startswith("gf"))
    return [importlib.import_module(f"{rules.__name__}.{name}") for name in names]


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be used, and why."""

    name: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rules of a run, which plugins gave them, and which plugins failed."""

    registry: checks.Registry
    plugins: tuple[str, ...]  # "name version"
    failures: tuple[PluginFailure, ...]


def load(*, found: Sequence[EntryPoint] | None = None) -> Loaded:
    """Load the built-in rules and every installed plugin.

    Args:
        found: the entry points to load; those installed in the group when left out.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.register(BuiltIn(), "built-in")
    failures: list[PluginFailure] = []
    names = []
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda item: item.name):
        failure = _register(manager, entry)
        if failure is None:
            names.append(f"{entry.name} {entry.dist.version}" if entry.dist is not None else entry.name)
        else:
            failures.append(failure)
    registry = checks.Registry()
    for name, plugin in sorted(manager.list_name_plugin(), key=lambda pair: (pair[0] != "built-in", pair[0])):
        failures.extend(_collect(registry, name, plugin))
    return Loaded(registry, tuple(names), tuple(failures))


def _register(manager: pluggy.PluginManager, entry: EntryPoint) -> PluginFailure | None:
    # Importing a stranger's module may raise anything at all; it becomes a row, not an end.
    try:
        plugin = entry.load()
        manager.register(plugin, entry.name)
        manager.check_pending()
    except Exception as error:
        if manager.has_plugin(entry.name):
            manager.unregister(name=entry.name)
        return PluginFailure(entry.name, f"it could not be loaded: {error}", traceback.format_exc())
    return None


def _collect(registry: checks.Registry, name: str, plugin: Any) -> list[PluginFailure]:
    give = getattr(plugin, "checks", None)
    if give is None:
        return []
    try:
        modules = list(give())
    except Exception as error:
        return [PluginFailure(name, f"its checks() hook failed: {error}", traceback.format_exc())]
    failures = []
    for module in modules:
        try:
            registry.add(module)
        except PluginError as error:
            failures.append(PluginFailure(name, str(error), ""))
    return failures
