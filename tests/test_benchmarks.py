"""What benchmarks and experiments take from the package is there: nobody runs them every day."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("experiments/*.py")])


def imported(tree: ast.Module) -> dict[str, Any]:
    """Return what a script imports from the package, by the name it has there."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gtloc_forensics"):
            home = import_module(str(node.module))
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                named = getattr(home, alias.name, None)
                if named is None and find_spec(inner) is not None:
                    named = import_module(inner)
                assert named is not None, f"{inner} is not there"
                found[alias.asname or alias.name] = named
    return found


def misused(tree: ast.Module, names: dict[str, Any]) -> Iterator[str]:
    """Yield attributes of our modules that are not there, and arguments that our classes do not take."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = names.get(node.value.id)
            if isinstance(module, ModuleType) and not hasattr(module, node.attr):
                yield f"line {node.lineno}: {node.value.id} has no {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and inspect.isclass(names.get(node.func.id)):
            taken = inspect.signature(names[node.func.id]).parameters
            takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
            for keyword in node.keywords:
                if keyword.arg and not takes_all and keyword.arg not in taken:
                    yield f"line {node.lineno}: {node.func.id} takes no {keyword.arg}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_takes_from_the_package_what_is_there(script) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    assert list(misused(tree, imported(tree))) == []
