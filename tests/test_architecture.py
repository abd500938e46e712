"""The house keeps its rules: who may import what, how long a module may be, what must be documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gtloc_forensics"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)

MOST_ROOMS = 16
MOST_FLOORS = 8
LONGEST_MODULE = 450
FUNCTION_P90 = 30
LONGEST_SENTENCE = 115
"""Characters of the first line of a docstring: one line of the source, with its indentation and quotes."""
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "service"}

EVERYWHERE = ("errors", "records")
# room → (floor, what it may import beside errors and records). docs/architecture.md shows the same table.
HOUSE: dict[str, tuple[int, tuple[str, ...]]] = {
    "errors": (1, ()),
    "records": (1, ()),
    "earth": (2, ()),
    "files": (2, ()),
    "metadata": (3, ("earth", "files")),
    "decode": (3, ("files",)),
    "vision": (3, ("earth", "files")),
    "evidence": (3, ("earth",)),
    "store": (3, ("earth",)),
    "report": (3, ("earth", "files")),
    "checks": (4, ("earth", "metadata", "evidence")),
    "correct": (4, ("earth", "files", "metadata")),
    "modelling": (4, ("earth", "files", "decode", "vision", "evidence")),
    "examination": (5, ("earth", "files", "metadata", "decode", "vision", "evidence", "store", "checks")),
    "case": (
        6,
        (
            "earth",
            "files",
            "metadata",
            "decode",
            "vision",
            "evidence",
            "store",
            "report",
            "checks",
            "correct",
            "examination",
        ),
    ),
    "cli": (
        7,
        (
            "earth",
            "files",
            "metadata",
            "decode",
            "vision",
            "evidence",
            "store",
            "report",
            "checks",
            "correct",
            "modelling",
            "examination",
            "case",
        ),
    ),
}
# What only a part of a room may be imported for: (importer, imported) → the modules it may name.
NARROW: dict[tuple[str, str], tuple[str, ...]] = {
    ("metadata", "files"): (
        "gtloc_forensics.files.patience",
        "gtloc_forensics.files.confined",
        "gtloc_forensics.files.types",
    ),
    ("checks", "metadata"): ("gtloc_forensics.metadata.tag_values",),
    ("correct", "metadata"): ("gtloc_forensics.metadata.tag_values",),
}

# Package → the rooms, or modules of a room, that may import it; everything else must ask them.
OWNERS: dict[str, tuple[str, ...]] = {
    "torch": ("vision", "modelling.training"),
    "timm": ("vision",),
    "faiss": ("vision", "case.likenesses", "case.search_index.vectors", "checks.look_alikes"),
    "safetensors": ("vision", "modelling.training"),
    "huggingface_hub": ("vision.install",),
    "matplotlib": ("modelling",),
    "sqlalchemy": ("store",),
    "sqlite3": ("store", "case.comparing", "metadata.catalogues", "files.containers.index"),
    "iphone_backup_decrypt": ("metadata.catalogues.encrypted_backup",),
    "c2pa": ("metadata.credentials",),
    "dask": ("case.cluster",),
    "distributed": ("case.cluster",),
    "pytsk3": ("files.containers.disk_images",),
    "pyfsapfs": ("files.containers.apfs",),
    "pyewf": ("files.containers.media",),
    "py7zr": ("files.containers.seven_zips",),
    "fsspec": ("files.stores.connections",),
    "s3fs": ("files.stores.connections",),
    "gcsfs": ("files.stores.connections",),
    "adlfs": ("files.stores.connections",),
    "paramiko": ("files.stores.connections",),
    "alembic": ("store",),
    "cattrs": ("store",),
    "msgspec": ("store", "vision", "modelling.training"),
    "click": ("cli",),
    "rich": ("cli",),
    "reportlab": ("report",),
    "pikepdf": ("report.pdf",),
    "platformdirs": ("cli.preferences",),
    "babel": ("earth.countries",),
    "jinja2": ("report",),
    "starlette": ("case.reviewing",),
    "uvicorn": ("case.reviewing.server",),
    "h11": ("case.reviewing.server",),
    "bidi": ("report.pdf",),
    "arabic_reshaper": ("report.pdf",),
    "tomlkit": ("correct.planfile",),
    "pyhanko": ("report",),
    "pyhanko_certvalidator": ("report",),
    "asn1crypto": ("report",),
    "exiftool": ("metadata.exiftool",),
    "pi_heif": ("decode",),
    "rawpy": ("decode",),
    "av": ("decode.films",),
    "rapidocr_onnxruntime": ("decode.visible_text",),
    "timezonefinder": ("earth",),
    "s2geometry": ("earth.partitions",),
    "astropy": ("earth.partitions",),
    "astropy_healpix": ("earth.partitions",),
    "sklearn": ("earth.partitions",),
    "scipy": ("evidence", "modelling.calibrating"),
    "threadpoolctl": ("vision.one_thread",),
    "pluggy": ("checks",),
    "filelock": ("case", "correct"),
    "watchdog": ("files.watching",),
    "PIL": ("decode", "vision", "correct", "modelling", "report", "metadata.exif_directory"),
    # of the standard library: what starts programs, reaches the network or the system's own calls
    "subprocess": ("metadata.exiftool", "files.confined", "decode", "case.notify"),
    "multiprocessing": ("files.confined", "decode", "metadata.credentials", "case.cluster.examining"),
    "ctypes": ("files.confined", "vision.torch_loading"),  # the latter gives memory back to the system
    "urllib": ("case.notify", "case.immich", "store.schema", "case.reviewing.guard"),
    "http": ("case.notify", "case.immich", "case.reviewing.guard"),
    "socket": (),
}
OPTIONAL = {
    "adlfs",
    "asn1crypto",
    "av",
    "astropy",
    "astropy_healpix",
    "dask",
    "distributed",
    "h11",
    "fsspec",
    "gcsfs",
    "huggingface_hub",
    "matplotlib",
    "paramiko",
    "pi_heif",
    "pyhanko",
    "pyhanko_certvalidator",
    "c2pa",
    "iphone_backup_decrypt",
    "py7zr",
    "pyewf",
    "pyfsapfs",
    "pytsk3",
    "rapidocr_onnxruntime",
    "rawpy",
    "s2geometry",
    "s3fs",
    "sklearn",
    "starlette",
    "uvicorn",
}
"""Packages of the extras: imported where they are used, with a sentence when they are missing."""

ANYWHERE = ("numpy",)
"""The one package that any room may import."""


def name_of(path: Path) -> str:
    """Return the dotted name of a module of ours."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


@cache
def imports_of(path: Path, *, run_time_only: bool = False) -> frozenset[str]:
    """Return every module that a file imports, also inside functions; without type hints' imports when asked."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if run_time_only and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.update(_named(node.module, [alias.name for alias in node.names]))
    return frozenset(found)


def _named(module: str, names: list[str]) -> set[str]:
    """Return the modules that ``from module import names`` means: the submodules named, else the module."""
    whole = {f"{module}.{name}" for name in names}
    return {name for name in whole if name in NAMES} | ({module} if whole - set(NAMES) else set())


def ours(path: Path, *, run_time_only: bool = False) -> set[str]:
    """Return the modules of ours that a file imports."""
    return {name for name in imports_of(path, run_time_only=run_time_only) if name.split(".")[0] == PACKAGE.name}


def room_of(name: str) -> str:
    """Return the room of a module: its file or folder right below the package."""
    return [*name.split("."), ""][1]


def stands_in(name: str, places: tuple[str, ...]) -> bool:
    """Whether a module is one of *places* or within one; whole names, so that ``stored`` is not in ``store``."""
    inner = name.partition(".")[2]
    return any(inner == place or inner.startswith(f"{place}.") for place in places)


def strongly_connected(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the circles of a graph: every group of nodes that reach one another."""
    reach = {node: _reached(node, arrows) for node in arrows}
    circles = {tuple(sorted(other for other in reach[node] if node in reach.get(other, ()))) for node in arrows}
    return sorted(list(circle) for circle in circles if len(circle) > 1)


def _reached(start: str, arrows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for other in arrows.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def by_path(path: Path) -> str:
    """Name a module in the list of tests."""
    return str(path.relative_to(PACKAGE))


ROOMS = sorted({room_of(name) for name in NAMES} - {"", "__main__"})


def test_every_room_of_the_package_is_in_the_plan_of_the_house() -> None:
    assert sorted(HOUSE) == ROOMS
    assert len(HOUSE) <= MOST_ROOMS
    assert len({floor for floor, _ in HOUSE.values()}) <= MOST_FLOORS


def test_the_plan_itself_has_no_arrow_up() -> None:
    for room, (floor, allowed) in HOUSE.items():
        assert all(HOUSE[other][0] < floor for other in allowed), room


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_a_room_imports_what_the_plan_allows_and_nothing_else(path: Path) -> None:
    name = name_of(path)
    if room_of(name) in ("", "__main__"):
        return
    for imported in ours(path) - {PACKAGE.name}:
        other = room_of(imported)
        if other == room_of(name):
            continue
        allowed = HOUSE[room_of(name)][1] if room_of(name) in EVERYWHERE else (*EVERYWHERE, *HOUSE[room_of(name)][1])
        assert other in allowed, f"{name} imports {imported}"
        narrow = NARROW.get((room_of(name), other))
        assert narrow is None or imported in narrow, f"{name} imports {imported}; it may only import {narrow}"


def test_no_rooms_import_one_another_in_a_circle() -> None:
    arrows: dict[str, set[str]] = {room: set() for room in ROOMS}
    for name, path in NAMES.items():
        if room_of(name) in arrows:
            arrows[room_of(name)] |= {room_of(other) for other in ours(path)} - {room_of(name), ""}
    assert strongly_connected(arrows) == []


def test_no_modules_import_one_another_in_a_circle() -> None:
    """A type hint's import counts too, but for the doors: a package may name what lies within it."""
    arrows = {name: ours(path) - {name} for name, path in NAMES.items() if name != PACKAGE.name}
    assert strongly_connected(arrows) == []


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_only_its_owner_imports_a_heavy_or_dangerous_package(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    for package, owners in OWNERS.items():
        assert package not in roots or stands_in(name_of(path), owners), f"{path.name} imports {package}"


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_every_package_of_others_has_an_owner(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)} - {PACKAGE.name, *ANYWHERE}
    unknown = sorted(root for root in roots if root not in OWNERS and root not in sys.stdlib_module_names)
    assert not unknown, f"{path.name} imports {unknown}; say in OWNERS who may"


def test_what_is_required_is_imported_and_what_is_imported_is_required() -> None:
    setup = (PACKAGE.parent / "setup.py").read_text(encoding="utf-8")
    required = {
        re.split(r"[<>=\[]", item)[0].lower()
        for node in ast.walk(ast.parse(setup))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REQUIRES"
        for item in ast.literal_eval(node.value)
    }
    imported = {name.split(".")[0] for path in MODULES for name in imports_of(path)}
    known_as = {
        "PIL": "pillow",
        "faiss": "faiss-cpu",
        "exiftool": "pyexiftool",
        "bidi": "python-bidi",
        "arabic_reshaper": "arabic-reshaper",
    }
    for root in sorted(imported - set(sys.stdlib_module_names) - OPTIONAL - {PACKAGE.name}):
        assert known_as.get(root, root).lower() in required, f"{root} is imported and not in REQUIRES"
    # tzdata is read through zoneinfo, timm is imported by name, torchvision is what timm imports
    unused = required - {known_as.get(root, root).lower() for root in imported}
    assert unused <= {"tzdata", "timm", "torchvision", "scipy"}, "required and never imported"


@pytest.mark.parametrize("path", MODULES, ids=by_path)
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


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_every_function_has_hints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        assert node.returns is not None, f"{node.name} says not what it returns"
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
            assert argument.annotation is not None or argument.arg in ("self", "cls"), f"{node.name}({argument.arg})"


Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(tree: ast.AST) -> Iterator[Defined]:
    """Yield what a module or a public class defines for others; special methods too, what is within a function not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Defined):
            if node.name.startswith("__") or not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    yield from public(node)
        else:
            yield from public(node)


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_what_is_public_has_a_docstring_with_a_short_first_line(path: Path) -> None:
    for node in public(ast.parse(path.read_text(encoding="utf-8"))):
        first, *rest = (ast.get_docstring(node) or "").splitlines() or [""]
        assert first, f"{path.name}:{node.lineno}: {node.name} says not what it is"
        assert len(first) <= LONGEST_SENTENCE, f"{path.name}:{node.lineno}: {node.name}: say it in one short line"
        assert not rest or not rest[0], f"{path.name}:{node.lineno}: {node.name}: a blank line after the first"


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_the_library_is_silent(path: Path) -> None:
    if room_of(name_of(path)) in ("cli", "__main__"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exit", "quit"), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in (("sys", "exit"), ("logging", "basicConfig")), path.name


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, gtloc_forensics, gtloc_forensics.cli.main; "
        "heavy = {'torch', 'timm', 'faiss', 'scipy', 'reportlab', 'timezonefinder', 'sqlalchemy', 'numpy', 'PIL', "
        "'jinja2', 'imagehash', 'exiftool', 'pluggy', 'cattrs', 'watchdog'}; "
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
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def counted() -> dict[str, object]:
    """Return the numbers of the house: what docs/architecture.md says of it."""
    arrows = {
        (room_of(name), room_of(other))
        for name, path in NAMES.items()
        for other in ours(path)
        if room_of(name) in HOUSE and room_of(other) in HOUSE and room_of(name) != room_of(other)
    }
    modules = {name: ours(path) - {name} for name, path in NAMES.items() if name != PACKAGE.name}
    rooms: dict[str, set[str]] = {room: {to for since, to in arrows if since == room} for room in HOUSE}
    return {
        "rooms": len(HOUSE),
        "floors": len({floor for floor, _ in HOUSE.values()}),
        "circles between rooms": len(strongly_connected(rooms)),
        "circles between modules": len(strongly_connected(modules)),
        "arrows between rooms": len(arrows),
        "arrows to errors and records": sum(to in EVERYWHERE for _, to in arrows),
        "arrows up": sum(HOUSE[to][0] >= HOUSE[since][0] for since, to in arrows),
    }


def plan_of_the_house() -> str:
    """Return the table of floors as docs/architecture.md shows it."""
    rows = ["| floor | room | may import, beside `errors` and `records` |", "|---|---|---|"]
    for room, (floor, allowed) in HOUSE.items():
        named = []
        for other in allowed:
            modules = sorted(name.split(".")[-1] for name in NARROW.get((room, other), ()))
            only = ", ".join(f"`{module}`" for module in modules)
            named.append(f"`{other}` (only {only})" if only else f"`{other}`")
        rows.append(f"| {floor} | `{room}` | {', '.join(named) or 'nothing'} |")
    return "\n".join(rows)


def test_the_page_on_architecture_shows_this_table_and_these_numbers() -> None:
    """``python tests/test_architecture.py`` prints both and writes the numbers into the page."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert plan_of_the_house() in page
    shown = dict(re.findall(r"^\| ([a-z ]+) \| (\d+) \|$", page, re.MULTILINE))
    assert shown == {name: str(number) for name, number in counted().items()}


PAGES = [PACKAGE.parent / "CONTRIBUTING.md", *sorted((PACKAGE.parent / "docs").glob("*.md"))]
MADE_BY_A_RECIPE = {"gf122_lens_aperture.py", "test_checks_gf122.py", "sums.py", "always_noon.py"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_modules_and_rooms_that_are_there(page: Path) -> None:
    """Decision notes may name what was; a page says what is."""
    written = re.findall(r"`([\w./]+)`", page.read_text(encoding="utf-8"))
    root = PACKAGE.parent
    for name in (name for name in written if name.endswith(".py") and Path(name).name not in MADE_BY_A_RECIPE):
        assert (root / name).is_file() or (PACKAGE / name).is_file(), f"{page.name} names {name}"
    for name in (name.rstrip("/") for name in written if re.match(rf"({'|'.join(HOUSE)})/", name)):
        module = PACKAGE / f"{name.partition('.')[0]}.py"  # `case/exports.BUILT_IN`
        assert (PACKAGE / name).exists() or module.is_file(), f"{page.name} names {name}"


if __name__ == "__main__":
    lines = {name: f"| {name} | {number} |" for name, number in counted().items()}
    print(plan_of_the_house(), *lines.values(), sep="\n")
    shown = PACKAGE.parent / "docs" / "architecture.md"
    text = shown.read_text(encoding="utf-8")
    for name, line in lines.items():
        text = re.sub(rf"^\| {name} \| \d+ \|$", line, text, flags=re.MULTILINE)
    shown.write_text(text, encoding="utf-8")
