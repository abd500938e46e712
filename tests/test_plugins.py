"""Other people's rules: they load through entry points, and their failures become rows."""

from __future__ import annotations

import inspect
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from gtloc_forensics.checks import Context, Registry, Scope, check, plugins
from gtloc_forensics.checks.hooks import Hooks
from gtloc_forensics.errors import PluginError
from gtloc_forensics.records import Outcome

EXAMPLE = EntryPoint("on-the-hour", "gtloc_forensics.contrib.on_the_hour", plugins.GROUP)
DOCS = Path(__file__).parents[1] / "docs" / "plugins.md"


def module_with(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(source, module.__dict__)
    return EntryPoint(name, name, plugins.GROUP)


def test_the_shipped_example_adds_its_rule_to_the_built_in_ones() -> None:
    alone = plugins.load(found=[])
    together = plugins.load(found=[EXAMPLE])
    assert {rule.check_id for rule in together.registry} - {rule.check_id for rule in alone.registry} == {"EX001"}
    assert together.plugins == ("on-the-hour",)
    assert together.failures == ()


def test_a_plugin_that_cannot_be_imported_is_a_row_and_the_rest_goes_on() -> None:
    loaded = plugins.load(found=[EntryPoint("gone", "no.such.module", plugins.GROUP), EXAMPLE])
    assert [failure.name for failure in loaded.failures] == ["gone"]
    assert "could not be loaded" in loaded.failures[0].reason
    assert loaded.registry["EX001"].title


def test_a_plugin_whose_hook_crashes_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from gtloc_forensics import hookimpl\n@hookimpl\ndef checks():\n    raise RuntimeError('no luck')\n"
    loaded = plugins.load(found=[module_with("crashing_plugin", source, monkeypatch)])
    assert [failure.name for failure in loaded.failures] == ["crashing_plugin"]
    assert "no luck" in loaded.failures[0].reason
    assert len(loaded.registry) == len(plugins.load(found=[]).registry)


def test_a_plugin_that_takes_an_existing_id_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "import sys\nfrom gtloc_forensics import check, hookimpl\n"
        "@check('GF101', title='mine')\ndef mine(photo, context):\n    return []\n"
        "@hookimpl\ndef checks():\n    return [sys.modules[__name__]]\n"
    )
    loaded = plugins.load(found=[module_with("greedy_plugin", source, monkeypatch)])
    assert "exists already" in loaded.failures[0].reason


def test_of_two_plugins_of_one_name_the_first_stays_and_the_second_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    second = module_with("another_module", "X = 1\n", monkeypatch)
    loaded = plugins.load(found=[EXAMPLE, EntryPoint(EXAMPLE.name, second.value, plugins.GROUP)])
    assert loaded.troubles == {"on-the-hour": "failed: it was left out: another plugin has its name"}
    assert loaded.registry["EX001"].title


def test_a_plugin_that_ends_the_program_while_it_loads_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "leaving_module.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    loaded = plugins.load(found=[EntryPoint("leaving", "leaving_module", plugins.GROUP)])
    assert "could not be loaded: 3" in loaded.failures[0].reason


def test_marking_a_function_has_no_side_effect() -> None:
    before = len(plugins.load(found=[]).registry)

    @check("XX999", title="never collected", scope=Scope.CASE)
    def rule(summaries, context):
        return []

    assert rule.check_id == "XX999"
    assert len(plugins.load(found=[]).registry) == before


def test_one_registry_refuses_the_same_id_twice() -> None:
    from gtloc_forensics.contrib import on_the_hour

    registry = Registry([on_the_hour])
    with pytest.raises(PluginError, match="EX001"):
        registry.add(on_the_hour)


def signature_of(name: str) -> str:
    """Return a hook as docs/plugins.md has to name it: ``estimators(model, device)``."""
    arguments = [argument for argument in inspect.signature(getattr(Hooks, name)).parameters if argument != "self"]
    return f"{name}({', '.join(arguments)})"


HOOKS = sorted(name for name in vars(Hooks) if not name.startswith("_"))


def test_every_hook_is_documented_with_its_signature_and_no_other_is() -> None:
    documented = re.findall(r"^### `([^`]+)`$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [signature_of(name) for name in vars(Hooks) if not name.startswith("_")]


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_asked_by_somebody_of_ours(name: str) -> None:
    package = Path(plugins.__file__).parents[1]
    asked = re.compile(rf'ask(_for)?\((\w+, )?"{name}"')
    assert [path for path in package.rglob("*.py") if asked.search(path.read_text(encoding="utf-8"))], name


@pytest.mark.parametrize("name", HOOKS)
def test_what_this_package_ships_comes_through_every_door(name: str) -> None:
    package = Path(plugins.__file__).parents[1]
    implemented = re.compile(rf"hookimpl\n    def {name}\(self")
    assert [path for path in package.rglob("*.py") if implemented.search(path.read_text(encoding="utf-8"))], name


@pytest.mark.parametrize(("hour", "minute", "outcome"), [(14, 0, Outcome.SUSPICIOUS), (14, 1, Outcome.CONSISTENT)])
def test_the_example_rule_fires_on_the_hour_and_not_a_minute_later(hour: int, minute: int, outcome: Outcome) -> None:
    from datetime import datetime

    import builders
    from gtloc_forensics.contrib.on_the_hour import on_the_hour

    photo = builders.a_photo(local=datetime(2024, 5, 1, hour, minute))
    (finding,) = on_the_hour.function(photo, Context(now_utc=datetime(2025, 1, 1)))
    assert finding.outcome is outcome
