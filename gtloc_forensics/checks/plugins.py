"""Finds plugins, calls their hooks, and turns every failure of theirs into a row.

A plugin is found by the entry-point group ``gtloc_forensics``. Hooks are called by
pluggy, one plugin at a time: the crash of one loses nothing that another gave. A
plugin that does not load, crashes, or gives what does not fit becomes a
:class:`PluginFailure`, which the report names; it never stops a run and is never
silent. What this package registers itself is trusted: its errors are raised.
"""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from gtloc_forensics import checks
from gtloc_forensics.checks import rules
from gtloc_forensics.checks.hooks import GROUP, Hooks, hookimpl
from gtloc_forensics.errors import PluginError
from gtloc_forensics.records import Sentence, Statement

T = TypeVar("T")

__all__ = ["GROUP", "Given", "Hooks", "Loaded", "PluginFailure", "built_in_modules", "hookimpl", "load"]


MOST_CHARACTERS = 200
"""Of what an error says, in a report."""

_OURS = "= "
"""How the names of our own begin: no entry point can be called so, hence nobody can take one of them."""


class BuiltInRules:
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
    reason: Statement
    detail: str


@dataclass(frozen=True, slots=True)
class Given:
    """One thing that came through a door, and who gave it; ``is_built_in`` for what this package ships."""

    plugin: str
    value: Any
    is_built_in: bool


class Loaded:
    """What is plugged in: the rules, the plugins' names, their failures so far, and the other doors to ask.

    Attributes:
        registry: the rules of the run.
        plugins: name and version of each installed plugin that loaded.
    """

    def __init__(self) -> None:
        """Make a house with no plugin in it but the built-in rules; :func:`load` fills it."""
        self.registry = checks.Registry()
        self.plugins: tuple[str, ...] = ()
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(Hooks)
        self._failures: dict[tuple[str, str], PluginFailure] = {}
        self.add_built_in("rules", BuiltInRules())

    @property
    def failures(self) -> tuple[PluginFailure, ...]:
        """What went wrong with plugins so far, each thing once."""
        return tuple(self._failures.values())

    @property
    def troubles(self) -> dict[str, Statement]:
        """The failures as the environment of a case names them: plugin → what went wrong."""
        said: dict[str, list[Statement]] = {}
        for failure in self.failures:
            said.setdefault(failure.name, []).append(failure.reason)
        return {name: Sentence("failed: {reasons:list}", reasons=reasons) for name, reasons in said.items()}

    def add_built_in(self, name: str, plugin: object) -> None:
        """Register something of this package, once; it is asked before every plugin, and its errors are raised."""
        if not self._manager.has_plugin(f"{_OURS}{name}"):
            self._manager.register(plugin, f"{_OURS}{name}")

    def note(self, plugin: str, reason: Statement, detail: str = "") -> None:
        """Keep that a plugin failed."""
        self._failures.setdefault((plugin, reason), PluginFailure(plugin, reason, detail))

    def ask(self, hook: str, **arguments: object) -> Iterator[Given]:
        """Call a hook of every plugin, one after the other, ours first; yield what they give.

        A plugin that crashes, even half-way through what it gives, has failed: nothing of it is used. What we
        give ourselves is not gathered first, however much it is.
        """
        implementers = {implementation.plugin_name for implementation in self._caller(hook).get_hookimpls()}
        for name in sorted(implementers, key=lambda each: (not each.startswith(_OURS), each)):
            if name.startswith(_OURS):
                yield from (Given(name, value, True) for value in self._call(hook, name, arguments))
                continue
            try:
                given = list(self._call(hook, name, arguments))
            except (Exception, SystemExit) as error:  # the border: a stranger's code may raise anything, or end it all
                reason = Sentence("its {hook}() hook failed: {message}", hook=hook, message=_first_line(error))
                self.note(name, reason, traceback.format_exc())
                continue
            yield from (Given(name, value, False) for value in given)

    def ask_for(self, kind: type[T], hook: str, **arguments: object) -> Iterator[tuple[str, T]]:
        """Call a hook as :meth:`ask` does; yield (plugin, what is a *kind*), and keep what is not as a failure."""
        for given in self.ask(hook, **arguments):
            if isinstance(given.value, kind):
                yield given.plugin, given.value
            else:
                reason = Sentence(
                    "its {hook}() gave a {given}, which is no {kind}",
                    hook=hook,
                    given=type(given.value).__name__,
                    kind=kind.__name__,
                )
                self.note(given.plugin, reason)

    def _caller(self, hook: str) -> pluggy.HookCaller:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller

    def _call(self, hook: str, name: str, arguments: dict[str, object]) -> Iterator[Any]:
        """Let pluggy call one plugin's implementation, and yield what it gives."""
        others = [plugin for other, plugin in self._manager.list_name_plugin() if other != name and plugin is not None]
        answers = self._manager.subset_hook_caller(hook, others)(**arguments)
        for answer in answers:
            yield from answer

    def install(self, entry: EntryPoint) -> None:
        """Load and register one plugin, or keep why it cannot be."""
        if self._manager.has_plugin(entry.name):
            self.note(entry.name, Sentence("it was left out: another plugin has its name"))
            return
        # Importing a stranger's module may raise anything at all; it becomes a row, not an end.
        try:
            self._manager.register(entry.load(), entry.name)
            self._manager.check_pending()
        except (Exception, SystemExit) as error:
            if self._manager.has_plugin(entry.name):
                self._manager.unregister(name=entry.name)
            reason = Sentence("it could not be loaded: {message}", message=_first_line(error))
            self.note(entry.name, reason, traceback.format_exc())
        else:
            version = f" {entry.dist.version}" if entry.dist is not None else ""
            self.plugins = (*self.plugins, f"{entry.name}{version}")

    def collect_rules(self) -> None:
        """Ask for rules and put them into the registry."""
        for given in self.ask("checks"):
            try:
                self.registry.add(given.value)
            except (PluginError, TypeError) as error:  # TypeError: what was given is no module
                if given.is_built_in:
                    raise
                self.note(given.plugin, error.args[0] if isinstance(error, PluginError) else str(error))


def _first_line(error: BaseException) -> str:
    """Return what an error says, fit for a report; the whole of it is in the detail."""
    said = str(error).splitlines() or [type(error).__name__]
    return said[0][:MOST_CHARACTERS]


def is_ours(plugin: str) -> bool:
    """Whether a name that :meth:`Loaded.ask` gives is of this package."""
    return plugin.startswith(_OURS)


def load(*, found: Sequence[EntryPoint] | None = None) -> Loaded:
    """Load the built-in rules and every installed plugin.

    Args:
        found: the entry points to load; those installed in the group when left out.
    """
    loaded = Loaded()
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda item: item.name):
        loaded.install(entry)
    loaded.collect_rules()
    return loaded
