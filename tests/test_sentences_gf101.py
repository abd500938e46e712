"""What the rules about the clocks and positions of one file say can be said in every language."""

from __future__ import annotations

import ast
import inspect
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from test_every_rule import make
from test_sentences import translations

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import clock_patterns, offsets, plugins, position_slips
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Finding, Sentence
from gtloc_forensics.report.template import load_words

RULES = ("GF101", "GF102", "GF103", "GF104", "GF105", "GF106", "GF107", "GF108", "GF109", "GF110", "GF111")
EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
REGISTRY = plugins.load(found=[]).registry
MODULES = [*(inspect.getmodule(REGISTRY[rule].function) for rule in RULES), clock_patterns, offsets, position_slips]
NAMING = {"Sentence", "template", "check", "compile", "TypeError", "ValueError"}
"""Calls whose text is a sentence, the title of a rule, a pattern, or for whoever runs the program wrongly."""
NAMES = {"COOLPIX P6000", "last change"}
"""A model, and an offset among the facts of a finding."""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Finding]]:
    """Return what whole audits of the made files and of the example case find, by rule."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    made = tmp_path_factory.mktemp("made")
    make(made)
    found: dict[str, list[Finding]] = defaultdict(list)
    for evidence in (made, Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "case_folder"))):
        with open_case(evidence, tmp_path_factory.mktemp("case")) as case:
            case.audit(Settings(model="none", jobs=0))
            for entry in case.view().photos():
                for finding in entry.findings:
                    found[finding.check_id].append(finding)
    return found


def said(finding: Finding) -> Iterator[str]:
    """Yield every text that people read of a finding."""
    yield finding.summary
    for told in (finding.observed, finding.derived, finding.inferred, finding.limitations, finding.innocent):
        yield from told
    if finding.cause is not None:
        yield finding.cause.summary


@pytest.mark.parametrize("rule", RULES)
def test_all_that_a_rule_says_of_a_file_is_a_sentence(findings: Mapping[str, list[Finding]], rule: str) -> None:
    told = {text for finding in findings[rule] for text in said(finding)}
    assert told
    assert [text for text in told if not isinstance(text, Sentence)] == []


@pytest.mark.parametrize("rule", RULES)
def test_all_that_a_rule_says_of_a_file_is_said_in_german(findings: Mapping[str, list[Finding]], rule: str) -> None:
    german, known = load_words("default", "de"), translations("de")
    sentences = {text for finding in findings[rule] for text in said(finding) if isinstance(text, Sentence)}
    in_english = [text for text in sentences if german.say(text) == text]
    assert [text for text in in_english if known.get(text.template, text.template) != text.template] == []


def _prose(module: ModuleType) -> Iterator[str]:
    """Yield texts of several words that stand in a module outside its sentences and its documentation."""
    tree = ast.parse(inspect.getsource(module))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    passed = {id(node.body[0]) for node in ast.walk(tree) if isinstance(node, documented) and node.body}
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in NAMING:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
        waiting += [part for part in ast.iter_child_nodes(node) if not (id(part) in passed and _is_text(part))]


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_no_prose_stands_outside_a_sentence(module: ModuleType) -> None:
    assert set(_prose(module)) - NAMES == set()
