"""Every message that a review page can show is said in the language of the page."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from test_review_service import Browser, Running

import gtloc_forensics
from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.reviewing.languages import languages, page_words
from gtloc_forensics.case.reviewing.plan_words import TEMPLATES, in_sentences
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Sentence
from gtloc_forensics.report.html.shell import shell
from gtloc_forensics.report.template import load_words

pytest.importorskip("starlette", reason="the extra review is not installed")

PACKAGE = Path(gtloc_forensics.__file__).parent
EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
GERMAN = load_words("default", "de").wording

SAYING = [
    *(f"correct/{name}.py" for name in ("assignments", "camera_clocks", "changes", "draft", "files", "journal")),
    *(f"correct/{name}.py" for name in ("photo_slips", "planfile", "proposals", "renaming", "repairs", "request")),
    *(f"correct/{name}.py" for name in ("tagger", "transaction", "undoing")),
    *(f"case/reviewing/{name}.py" for name in ("corrections", "decisions", "desk", "views", "asking", "pictures")),
]
"""Modules whose sentences come to the page: as a line's reason, a note, a refusal."""

NOT_ON_A_PAGE = (
    "text/",
    "--replace-positions says",
    "--clock-ahead compares",
    "--keep-",
    "--track",
    "# A correction plan.",
)
"""How texts begin that only options of the command line bring forth, or that stand in the file alone."""


def texts(path: Path) -> Iterator[str]:
    """Yield every text of several words in a module, with a word of its own in each place."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))  # documentation
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
            passed |= {id(inside) for inside in ast.walk(node)}  # what test_sentences asks for
        if isinstance(node, ast.JoinedStr):
            passed |= {id(inside) for inside in ast.walk(node) if inside is not node}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else _filled(_place(part)) for part in node.values
            )


def _place(part: ast.expr) -> str:
    """Return a place as it is written, without the quotes that taking it alone puts around it."""
    return re.sub(r"^f(['\"])(.*)\1$", r"\2", ast.unparse(ast.JoinedStr([part])))


STANDS_FOR = {
    "{SETTLE}": "A photo whose true time is known settles it: --from-reference PHOTO=TIME",
    "{amount}": "",
    "{by_track}": "",
    "{confirmed}": "its GPS clock confirms the instant that the file states, so no time is moved",
    "{reason}": "asked for: keywords",
    "{why}": "clock of X: day and month exchanged",
    "{error.start + 1}": "7",
}
"""What stands in places that hold a part of the sentence, or another one."""


def _filled(place: str) -> str:
    """Return what may stand in a place: a number where one stands there."""
    if place in STANDS_FOR:
        return STANDS_FOR[place]
    if re.search(r"\.2f|strength", place):
        return "0.25"
    return "7" if re.search(r"number|len\(|FORMAT|start|count", place) else "X7"


def is_told(text: str) -> bool:
    """Whether a text is a sentence that somebody is told, and no name, pattern, or end of another sentence."""
    is_whole = not text.startswith((" ", ",", ";", *NOT_ON_A_PAGE))
    return is_whole and " " in text.strip() and len(re.findall(r"[a-z]{2,}", text)) >= 4


@pytest.mark.parametrize("module", SAYING)
def test_every_sentence_of_a_plan_and_of_a_refusal_is_known_and_has_its_german(module: str) -> None:
    unsaid = []
    for text in texts(PACKAGE / module):
        if not is_told(text):
            continue
        text = f"{text}X" if text.endswith(" ") else text  # more is put behind it
        found = in_sentences(text)
        if not isinstance(found, Sentence) or GERMAN.tell(found) == text:
            unsaid.append(text)
    assert unsaid == []


def test_every_template_has_a_german_sentence_of_its_own() -> None:
    assert len(set(TEMPLATES)) == len(TEMPLATES)
    english = [template for template in TEMPLATES if template not in GERMAN.translations]
    assert [template for template in english if re.search(r"[a-z]{3}", re.sub(r"\{[^}]*\}", "", template))] == []


def test_what_stands_in_a_sentence_is_said_in_german_too_and_what_nobody_wrote_here_stays() -> None:
    told = (
        "a.jpg, b.jpg and 3 more: its time is in doubt, but a single file does not tell by how much: a GPS time may "
        "be an old fix or come from elsewhere. A photo whose true time is known settles it: --from-reference PHOTO=TIME"
    )
    german = GERMAN.tell(in_sentences(told))
    assert german.startswith("a.jpg, b.jpg und 3 weitere: seine Zeit ist zweifelhaft") and "klärt es" in german
    assert GERMAN.tell(
        in_sentences(
            "lines for 2 photos are left out: their strength, 0.40 at most, is under 0.90; see "
            "them with --least-strength"
        )
    ).startswith("Zeilen für 2 Fotos sind weggelassen")
    for typed in ("my own words: as I like them", "a: b", "", "x" * 5_000, "and 3 more", "<b>{names}</b>"):
        assert in_sentences(typed) == typed and GERMAN.tell(in_sentences(typed)) == typed


def test_the_pages_own_words_are_there_in_every_language_with_the_same_places() -> None:
    english = page_words("en")
    for language in languages():
        own = page_words(language)
        assert own.keys() == english.keys()
        for key, text in english.items():
            places = {place.split(":")[0] for place in re.findall(r"\{(\w+(?::\?[^{}]*)?)\}", text)}
            assert places == {place.split(":")[0] for place in re.findall(r"\{(\w+(?::\?[^{}]*)?)\}", own[key])}, key


# --------------------------------------------------------------------------- through the service


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("in-german")
    shutil.copytree(EXAMPLE, folder / "evidence")
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    return folder


@pytest.fixture
def reader(examined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    place = shutil.copytree(examined / "case", tmp_path / "case")
    service = Running(place, examiner="A")
    browser = Browser(service.port)
    browser.enter(service.link)
    browser.json("/data/case")
    yield browser
    service.end()


def test_the_plan_is_shown_in_german_on_a_german_page_and_in_english_on_an_english_one(reader: Browser) -> None:
    status, answer = reader.post("/correct/propose?language=de", {})
    assert status == 200, answer
    held: dict[str, Any] = json.loads(answer)
    assert held["lines"] and held["notes"]
    assert all(line["reason"].startswith("Uhr ") for line in held["lines"]), held["lines"][0]
    english = reader.json("/data/corrections?language=en")
    assert all(line["reason"].startswith("clock ") for line in english["lines"])
    for note, same in zip(held["notes"], english["notes"], strict=True):
        assert note != same, note


@pytest.mark.parametrize(
    ("path", "body", "german"),
    [
        ("propose", {"offset": "abc"}, "ist keine Verschiebung"),
        ("propose", {"zone": "Nowhere/At_all"}, "keine Zeitzone heißt"),
        ("propose", {"camera": "none such"}, "kein Foto von"),
        ("propose", {"offset": "+01:00:00", "neighbours": 7, "zone": "Europe/Berlin"}, ""),
        ("undo", {"transaction": "T9999"}, "T9999"),
        ("none", {}, "es gibt keine solche Korrektur"),
        ("propose", {"offset": 7}, "was zu planen ist, ist kein Text"),
    ],
)
def test_what_the_corrections_refuse_is_said_in_the_language_of_the_page(
    reader: Browser, path: str, body: dict[str, Any], german: str
) -> None:
    status, answer = reader.post(f"/correct/{path}?language=de", body)
    told = answer.decode()
    assert german in told
    if status != 200:
        other = reader.post(f"/correct/{path}?language=en", body)[1].decode()
        assert other != told


def test_a_request_that_cannot_be_read_is_refused_in_german(reader: Browser) -> None:
    assert "die Anfrage ist kein JSON" in reader.post("/decide?language=de", b"{")[1].decode()
    assert "keine solche Entscheidung" in reader.post("/decide?language=de", {"decision": "x"})[1].decode()
    assert "kein Ort" not in reader.get(f"/data/search?language=en&near={quote('x y z')}")[2].decode()


def test_the_page_names_its_language_and_says_what_it_needs_before_its_script_runs(examined: Path) -> None:
    service = Running(examined / "case", language="de")
    try:
        browser = Browser(service.port)
        browser.enter(service.link)
        page = browser.get("/")[2].decode()
    finally:
        service.end()
    assert '<html lang="de">' in page and "<noscript>Diese Seiten brauchen JavaScript." in page
    assert "{{" not in page and "{%" not in page


def test_what_is_put_into_the_page_is_escaped_and_no_module_ends_its_element() -> None:
    page = shell(language='"><script>', title="<b>&", needs_script="</noscript><i>")
    assert "<b>" not in page and "<i>" not in page and page.count("<script") == 2
    with pytest.raises(ValueError, match="ends a script"):
        shell(language="en", title="", needs_script="", code="let a = '</script>'")
