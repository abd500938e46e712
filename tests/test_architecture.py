"""The house keeps its rules: who may import what, how long a module may be, what must be documented."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gtloc_forensics"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
NAMES = {".".join(("gtloc_forensics", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES}

LONGEST_MODULE = 450
FUNCTION_P90 = 30
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "service"}

# Only these may import these; everything else must ask them.
OWNERS = {
    "torch": ("vision", "doctor"),
    "timm": ("vision",),
    "faiss": ("vision", "search"),
    "safetensors": ("vision",),
    "sqlalchemy": ("store", "schema", "migrations"),
    "alembic": ("schema", "migrations"),
    "click": ("cli", "cli_exit", "commands"),
    "rich": ("cli", "commands", "terminal"),
    "reportlab": ("report",),
    "jinja2": ("report",),
    "pyhanko": ("report",),
    "subprocess": ("exiftool", "decode", "notify"),
    "watchdog": ("watch",),
}

LEAVES = {"records", "errors", "circular"}  # import nothing of ours but one another's values
STAGES = {"discover", "exiftool", "metadata", "decode", "vision", "checks", "clock", "correct", "report"}
DRIVERS = {"store", "cli", "case", "run", "examination", "view", "instruments"}


def imports_of(path: Path) -> set[str]:
    """Return every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room_of(path: Path) -> str:
    """Return the room of the house a file stands in: its module or folder right below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def our_rooms(path: Path) -> set[str]:
    """Return the rooms of ours that a file imports from."""
    rooms = {path.stem if path.is_file() else path.name for path in PACKAGE.iterdir()}
    parts = (name.split(".") for name in imports_of(path) if name.startswith("gtloc_forensics."))
    return {part[1] for part in parts} & rooms - {room_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_its_owner_imports_a_heavy_or_dangerous_package(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    for package, owners in OWNERS.items():
        assert package not in roots or room_of(path).startswith(owners), f"{path.name} imports {package}"


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_the_leaves_import_nothing_of_ours(name: str) -> None:
    for path in (path for path in MODULES if room_of(path) == name):
        assert our_rooms(path) <= LEAVES


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room_of(path) in STAGES], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_stage_imports_no_other_stage_and_no_driver(path: Path) -> None:
    strangers = our_rooms(path) & ((STAGES - {room_of(path)}) | DRIVERS)
    assert not strangers, f"{path.relative_to(PACKAGE)} imports {sorted(strangers)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_well_named_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    assert path.stem not in FORBIDDEN_NAMES
    assert ast.get_docstring(ast.parse(text)), "a module opens by saying what the reader finds here"
    assert not text.lstrip('"').startswith("This module")


def test_nine_functions_of_ten_fit_on_a_screen() -> None:
    lengths = sorted(
        node.end_lineno - node.lineno + 1 - _docstring_lines(node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )
    assert lengths[int(0.9 * len(lengths))] <= FUNCTION_P90


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return len((ast.get_docstring(node) or "").splitlines())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_function_has_hints_and_every_public_one_a_docstring(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assert node.returns is not None, f"{node.name} says not what it returns"
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            assert argument.annotation is not None or argument.arg in ("self", "cls"), f"{node.name}({argument.arg})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_library_is_silent(path: Path) -> None:
    if room_of(path) in ("cli", "cli_exit", "commands", "__main__", "terminal"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exit", "quit"), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in (("sys", "exit"), ("logging", "basicConfig")), path.name


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, gtloc_forensics, gtloc_forensics.cli.main; "
        "heavy = {'torch', 'timm', 'faiss', 'scipy', 'reportlab', 'timezonefinder', 'sqlalchemy', 'numpy'}; "
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_module_can_be_imported_alone() -> None:
    """Each in an order of its own: a loop of imports shows when its second half comes first."""
    names = sorted(name for name in NAMES if ".migrations." not in name and not name.endswith("__main__"))
    code = (
        "import importlib, sys\n"
        "ours = lambda: [name for name in sys.modules if name.startswith('gtloc_forensics')]\n"
        "for name in sys.argv[1:]:\n"
        "    for loaded in ours(): del sys.modules[loaded]\n"
        "    importlib.import_module(name)\n"
    )
    wanted = [name.removesuffix(".__init__") for name in names]
    done = subprocess.run([sys.executable, "-c", code, *wanted], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
