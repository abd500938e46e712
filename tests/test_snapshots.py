"""The example case as a whole: what every rule says of every photo, and the table a person sees, as last approved.

A change of a rule shows here as what it changes for whom. If that is wanted::

    GTLOC_UPDATE_SNAPSHOTS=1 make test PYTEST=tests/test_snapshots.py

and read ``git diff tests/snapshots`` before it is committed. A snapshot that is
missing is a failure: a test that writes its own expectation cannot fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.tables import print_case
from gtloc_forensics.examination.settings import Settings

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "case_folder"
SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "GTLOC_UPDATE_SNAPSHOTS"
HOW = f"If this is wanted: {UPDATE}=1 make test PYTEST=tests/test_snapshots.py, then read `git diff tests/snapshots`."

EXAMINED = 1_760_000_000  # 2025-10-09, after every photo of the case
COPIED = 1_735_689_600  # 2025-01-01: when the files were "copied to the disk"; git keeps no times
MOST_LINES = 60
VERSION = re.compile(r"(?<=Zone rules: ).*")

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Facts, str]]:
    """Audit the example case without a model; return its findings document and its table."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("snapshot")
    evidence = Path(shutil.copytree(EXAMPLE, folder / "case_folder"))
    for path in evidence.rglob("*"):
        os.utime(path, (COPIED, COPIED))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", str(EXAMINED))
        with open_case(evidence, folder / "case") as case:
            case.audit(Settings(model="none", jobs=0))
            document = json.loads(case.write_findings().read_text(encoding="utf-8"))
            table = StringIO()
            print_case(case.view(), table)
            yield document, table.getvalue()


# --------------------------------------------------------------------------- what is compared


def normalised(document: Facts) -> Facts:
    """Return what a snapshot keeps: no versions, no place on a disk, no noise in the last digits, paths for ids."""
    names = {photo["source_id"]: photo["path"] for photo in document["photos"] if "source_id" in photo}
    kept = {
        "schema": document["schema"],
        "counts": document["counts"],
        "passed_over": {entry["path"]: entry["reason"] for entry in document["passed_over"]},
        "causes": _named((f"{item['cause']} · {item['label'] or 'no camera'}", item) for item in document["causes"]),
        "clocks": {item["label"]: item for item in document["clocks"]},
        "photos": {photo["path"]: _photo(photo) for photo in document["photos"]},
    }
    return _tidied(kept, names)


def _photo(photo: Facts) -> Facts:
    return {
        "sha256": photo["sha256"],
        "status": photo["status"],
        "claim": {name: _claimed(value) for name, value in photo["claim"].items()},
        "sun": photo["sun"],
        "not_examined": {item["stage"]: item["reason"] for item in photo["not_examined"]},
        "findings": _named((finding["check"], _finding(finding)) for finding in photo["findings"]),
        "not_testable": photo["not_testable"],
    }


def _claimed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return value.get("absent") or f"{value['value']} ({value['tag']}, {value['rule']})"


def _finding(finding: Facts) -> Facts:
    """Return what a finding says: of one that agreed only that it did; never the sentences that stay the same."""
    if finding["outcome"] == "consistent":
        return {name: finding[name] for name in ("outcome", "summary")}
    always = ("check", "limitations", "innocent")
    return {name: value for name, value in finding.items() if name not in always and value not in (None, [], {})}


def _named(items: Iterable[tuple[str, Facts]]) -> Facts:
    """Return the items by name; the second of a name is called “name (2)”."""
    named: Facts = {}
    seen: Counter[str] = Counter()
    for name, item in items:
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = item
    return named


def _tidied(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _tidied(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_tidied(item, names) for item in value]
    if isinstance(value, float):
        return round(value, 2) or float(f"{value:.1g}")
    return names.get(value, VERSION.sub("…", value)) if isinstance(value, str) else value


# --------------------------------------------------------------------------- how a difference is told


def changes(old: Any, new: Any, where: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a line for each thing that came, went or changed, by the path that leads to it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from changes(old.get(key, ...), new.get(key, ...), (*where, key))
    elif old != new:
        yield f"{' · '.join(where)}: {_said(old)} → {_said(new)}"


def _said(value: Any) -> str:
    if value is ...:
        return "nothing"
    if isinstance(value, dict) and "outcome" in value:
        return f"{value['outcome']} “{value.get('summary', '')}”"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"


def told(lines: list[str]) -> str:
    """Return the lines as a message of bounded length that ends with what to do."""
    rest = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"… and {rest} more"] if rest > 0 else []), HOW])


def compare(name: str, new: str, folder: Path = SNAPSHOTS) -> None:
    """Fail when the snapshot is missing or differs; rewrite it when asked to."""
    path = folder / name
    if os.environ.get(UPDATE) == "1":
        path.write_text(new, encoding="utf-8", newline="\n")
    if not path.is_file():
        pytest.fail(f"the snapshot {name} is missing. {HOW}", pytrace=False)
    old = path.read_text(encoding="utf-8")
    if old == new:
        return
    if path.suffix == ".json":
        lines = list(changes(json.loads(old), json.loads(new)))
    else:
        pairs = zip(_lines(old, new), _lines(new, old), strict=True)
        lines = [f"{name}:{number}\n - {was}\n + {now}" for number, (was, now) in enumerate(pairs, 1) if was != now]
    pytest.fail(f"{len(lines)} difference{'s' * (len(lines) != 1)} from {name}:\n{told(lines)}", pytrace=False)


def _lines(text: str, other: str) -> list[str]:
    lines = text.splitlines()
    return lines + [""] * (len(other.splitlines()) - len(lines))


# --------------------------------------------------------------------------- the tests


def test_every_rule_says_of_every_photo_of_the_example_what_it_said(audited: tuple[Facts, str]) -> None:
    text = json.dumps(normalised(audited[0]), ensure_ascii=False, indent=1, sort_keys=True)
    compare("example_case.json", text + "\n")


def test_the_table_of_the_example_is_as_it_was(audited: tuple[Facts, str]) -> None:
    lines = (line.rstrip() for line in audited[1].splitlines())
    compare("example_case.txt", "\n".join(lines) + "\n")


def test_a_snapshot_holds_nothing_of_the_machine_it_was_made_on() -> None:
    for path in SNAPSHOTS.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "/tmp" not in text
        assert str(ROOT) not in text
        assert "environment" not in text


def test_a_missing_snapshot_is_a_failure_and_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(UPDATE, raising=False)
    with pytest.raises(pytest.fail.Exception, match=f"missing.*{UPDATE}=1"):
        compare("new.json", "{}\n", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_difference_is_told_by_photo_and_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(UPDATE, raising=False)
    finding = {"outcome": "suspicious", "summary": "Dark."}
    old = {"photos": {"a.jpg": {"findings": {"GF201": finding}}, "b.jpg": {"findings": {"GF201": finding}}}}
    new = {"photos": {"a.jpg": {"findings": {"GF201": finding | {"outcome": "explained"}}}, "b.jpg": {"findings": {}}}}
    (tmp_path / "x.json").write_text(json.dumps(old))
    with pytest.raises(pytest.fail.Exception) as failure:
        compare("x.json", json.dumps(new), tmp_path)
    lines = str(failure.value).splitlines()
    assert lines[0] == "2 differences from x.json:"
    assert lines[1] == "photos · a.jpg · findings · GF201 · outcome: suspicious → explained"
    assert lines[2] == "photos · b.jpg · findings · GF201: suspicious “Dark.” → nothing"


def test_very_many_differences_stay_readable() -> None:
    text = told([f"line {number}" for number in range(1000)])
    assert len(text.splitlines()) == MOST_LINES + 2
    assert "… and 940 more" in text


def test_asked_to_it_rewrites_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.txt").write_text("old\n")
    monkeypatch.setenv(UPDATE, "1")
    compare("x.txt", "new\n", tmp_path)
    assert (tmp_path / "x.txt").read_text() == "new\n"
    monkeypatch.delenv(UPDATE)
    compare("x.txt", "new\n", tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"x\.txt:1"):
        compare("x.txt", "newer\n", tmp_path)
