"""The review pages in a real browser: by keyboard alone, killed in between, by two people, offline, and long."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_case import photo, snapshot

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.examination.settings import Settings

pytest.importorskip("starlette", reason="the extra review is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="the extra browser (playwright) is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
READY = "body[data-ready]"
PAGES = (
    *("causes", "cause/1", "photos", "map", "cameras", "camera/0", "unseen", "custody"),
    *("find", "corrections", "compare"),
)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed on this system"),
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed"),
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audit the example case and a photo with a hostile name; return the folder of evidence and case."""
    folder = tmp_path_factory.mktemp("looked-at")
    shutil.copytree(EXAMPLE, folder / "evidence")
    photo(folder / "evidence" / "<img src=x onerror=alert(1)>.jpg", make="<script>alert(1)</script>")
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    return folder


@pytest.fixture
def folder(examined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path(shutil.copytree(examined / "case", tmp_path / "case"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Give a function that opens a page of its own, in which nothing may go wrong and nothing may leave the host."""
    contexts, faults = [], []

    def open_page(link: str, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": 1200, "height": 850}, **options)
        contexts.append(context)
        page = context.new_page()
        home = re.match(r"(https?://[^/]+|file://)", link)
        assert home
        page.on("request", lambda sent: faults.append(sent.url) if not sent.url.startswith(home[1]) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append("a name was run as code"))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
        page.goto(link)
        page.wait_for_selector(READY, timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


IN_WINDOWS = """
import sys
from gtloc_forensics.case.reviewing import desk, views, windows
desk.WHOLE = views.WHOLE = 0
windows.MOST_ROWS = 7
from gtloc_forensics.cli.main import gtloc
gtloc(sys.argv[1:])
"""
"""The service as it is for a case too large to be sent whole, on a small one."""

READS_SLOWLY = """
import sys, time
from gtloc_forensics.case.reviewing import desk
told = desk.Desk._told
desk.Desk._told = lambda self, done: (told(self, done), time.sleep(0.2))
from gtloc_forensics.cli.main import gtloc
gtloc(sys.argv[1:])
"""


@pytest.fixture(params=["whole", "in windows"])
def sent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a test run twice: with all rows in the page, and with rows that come when they are in sight."""
    monkeypatch.setenv("TEST_REVIEW", request.param)


@contextmanager
def served(folder: Path, *options: str, code: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    code = code or (IN_WINDOWS if os.environ.get("TEST_REVIEW") == "in windows" else "")
    started = ["-c", code] if code else ["-m", "gtloc_forensics"]
    command = [sys.executable, *started, "review", str(folder), "--no-open", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def until(page: Any, expression: str, *, within_s: float = 20.0) -> None:
    """Wait until an expression is true; the driver's own waiting asks for `eval`, which the pages' policy forbids."""
    end = time.monotonic() + within_s
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def said(page: Any) -> str:
    """Wait for what a screen reader is told next."""
    until(page, "document.getElementById('live').textContent !== ''")
    return str(page.inner_text("#live"))


def pressed(page: Any, key: str) -> str:
    page.evaluate("document.getElementById('live').textContent = ''")
    page.keyboard.press(key)
    return said(page)


def one_row(page: Any, test: str) -> str:
    """Return the id of the first photo for which a test of its row holds."""
    return str(
        page.evaluate(
            f"""async () => {{
            const ask = async (path) => (await fetch(path)).json();
            let rows = (await ask('data/case')).photos ?? [];
            for (let first = 0, total = rows.length ? 0 : 1; first < total;) {{
                const said = await ask(`data/rows?first=${{first}}`);
                rows = rows.concat(said.rows);
                total = said.total;
                first += said.rows.length;
            }}
            return rows.find((photo) => {test}).id;
        }}"""
        )
    )


def undecided(page: Any) -> int:
    page.evaluate("location.hash = '#/causes'")
    page.wait_for_selector("ul.cards")
    number = re.search(r"(\d+) findings? (?:is|are) undecided", page.inner_text("main > p.verdict"))
    return int(number[1]) if number else 0


def made(folder: Path) -> list[tuple[str, str]]:
    with Case(folder) as case:
        assert case.custody_faults() == ()
        return [(decision.judgement.value, decision.because) for decision in case.view().decisions().made]


# --------------------------------------------------------------------------- by keyboard alone


@pytest.mark.walk
def test_a_whole_case_is_decided_by_keyboard_alone(folder: Path, opened: Any, examined: Path) -> None:
    before = snapshot(examined / "evidence")
    with served(folder, "--examiner", "A. Reader") as (_, link):
        page = opened(link)
        count = undecided(page)
        assert count > 8
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        page.keyboard.press("i")
        page.wait_for_selector("dialog[open] textarea:focus")
        page.keyboard.type("The clock was left at home & <b>forgotten</b>")
        page.evaluate("document.getElementById('live').textContent = ''")
        page.keyboard.press("Control+Enter")
        assert said(page).startswith("Innocent")
        assert undecided(page) == count - 1
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        assert pressed(page, "s").startswith("Needs a second reader")
        assert pressed(page, "u").startswith("Taken back")
        assert pressed(page, "Shift+U").startswith("Decided again")
        page.wait_for_selector("article[aria-current=true]")
        for _ in range(count):
            if undecided(page) == 0:
                break
            page.keyboard.press("n")
            page.wait_for_selector("article[aria-current=true]")
            assert "irmed" in pressed(page, "Shift+C")
        assert undecided(page) == 0
        assert "Everything is decided" in page.inner_text("main")
    kept = made(folder)
    assert ("innocent", "The clock was left at home & <b>forgotten</b>") in kept
    assert {"innocent", "confirmed", "needs second reader"} == {judgement for judgement, _ in kept}
    assert snapshot(examined / "evidence") == before


@pytest.mark.usefixtures("sent")
def test_letters_decide_and_go_on_while_arrows_only_move(folder: Path, opened: Any) -> None:
    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        first = page.url
        page.keyboard.press("ArrowRight")
        until(page, f"location.href !== {json.dumps(first)}")
        page.wait_for_selector("article[data-check]")
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector("article[aria-current=true]")
        assert made(folder) == []
        marked = page.get_attribute("article[aria-current=true]", "data-check")
        page.keyboard.press("ArrowDown")
        assert page.get_attribute("article[aria-current=true]", "data-check") != marked
        page.keyboard.press("ArrowUp")
        pressed(page, "d")
        until(page, "location.hash.split('/').length === 4")
        assert [judgement for judgement, _ in made(folder)] == ["dismissed"]
        pressed(page, "r")
        assert [judgement for judgement, _ in made(folder)] == ["dismissed", "dismissed"]
        page.keyboard.press("?")
        assert "second reader" in page.inner_text("dialog[open]")
        page.keyboard.press("Space")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
        page.keyboard.press("d")
        time.sleep(0.5)
        assert len(made(folder)) == 2, "single keys can be switched off"


def test_a_whole_cause_is_decided_from_the_list_of_causes(folder: Path, opened: Any) -> None:
    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("h2 a:focus")
        pressed(page, "c")
    with Case(folder) as case:
        (decision,) = case.view().decisions().made
        assert decision.cause and len(decision.members) > 2


# --------------------------------------------------------------------------- killed, two people


def test_decisions_survive_a_kill_between_two_of_them(folder: Path, opened: Any) -> None:
    with served(folder, "--examiner", "A") as (process, link):
        page = opened(link)
        count = undecided(page)
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        pressed(page, "c")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        assert "does not answer" in page.evaluate(
            "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'd', bubbles: true})), "
            "new Promise((done) => setTimeout(() => done(document.getElementById('notice').textContent), 1500))"
        )
    with served(folder, "--examiner", "A") as (_, link):
        assert undecided(opened(link)) == count - 1
    assert [judgement for judgement, _ in made(folder)] == ["confirmed"]


@pytest.mark.usefixtures("sent")
def test_two_reviewers_work_at_once_and_the_second_sees_the_first_only_on_request(folder: Path, opened: Any) -> None:
    with served(folder, "--examiner", "A. First") as (_, one), served(folder, "--examiner", "B. Second") as (_, two):
        first, second = opened(one), opened(two)
        first.keyboard.press("ArrowDown")
        pressed(first, "c")
        second.reload()
        second.wait_for_selector(READY)
        assert "1 decision of others is hidden" in second.inner_text("#notice")
        assert "A. First" not in second.inner_text("main")
        second.keyboard.press("ArrowDown")
        pressed(second, "d")
        second.evaluate("location.hash = '#/cause/1'")
        second.wait_for_selector(".verdict")
        assert "A. First" not in second.inner_text("main")
        second.keyboard.press("o")
        until(second, "document.querySelector('main').textContent.includes('A. First')")
        assert "B. Second" in second.inner_text("main")
    assert sorted(judgement for judgement, _ in made(folder)) == ["confirmed", "dismissed"]


# --------------------------------------------------------------------------- what it looks like


@pytest.mark.usefixtures("sent")
def test_every_view_shows_its_matter_in_both_languages_and_no_name_is_run(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        for number, word in enumerate(
            ("another time zone", "onerror", "Timeline", "Nordvale", "exiftool", "acquire"), 1
        ):
            page.keyboard.press(str(number))
            until(page, f"document.querySelector('main').textContent.includes({json.dumps(word)})")
        page.keyboard.press("2")
        page.wait_for_selector(".list a")
        page.keyboard.press("/")
        page.keyboard.type("onerror")
        until(page, "document.querySelectorAll('.list a').length === 1")
        page.keyboard.press("Tab")
        page.click(".list a")
        page.wait_for_selector("table")
        assert "<script>alert(1)</script>" in page.inner_text("main")
        assert page.locator("main script, main img[src=x]").count() == 0
        page.select_option("select[aria-label=Language]", "de")
        until(page, "document.documentElement.lang === 'de'")
        page.keyboard.press("1")
        until(page, "document.querySelector('main').textContent.includes('Ursachen')")
        assert "Nur zum Ansehen" in page.inner_text("#notice")
        assert page.locator("main button").count() == 1, "without a name nothing can be decided"


def test_what_is_explained_is_not_called_decided_before_somebody_decided(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.wait_for_selector(".card.explained")
        verdicts = page.locator(".card.explained > p.verdict").all_inner_texts()
        assert verdicts and set(verdicts) == {"Explained: nothing to decide"}


@pytest.mark.usefixtures("sent")
def test_map_and_timeline_are_linked(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.keyboard.press("3")
        page.wait_for_selector(".leaflet-container canvas")
        page.focus("svg.time")
        first = pressed(page, "ArrowRight")
        assert pressed(page, "ArrowRight") != first
        assert page.locator("svg circle.now").count() == 1
        assert page.locator("main p[role=status] a").count() == 1
        page.keyboard.press("Enter")
        until(page, "location.hash.startsWith('#/photo/')")


def test_a_telephone_shows_all_of_it_without_sideways_scrolling(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.set_viewport_size({"width": 360, "height": 740})
        for number in range(1, 10):
            page.keyboard.press(str(number))
            time.sleep(0.4)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), number


def test_everything_that_acts_has_a_name_for_a_screen_reader(folder: Path, opened: Any) -> None:
    unnamed = """[...document.querySelectorAll('a, button, input, select, textarea, svg, [role=list]')]
      .filter((made) => {
        const label = made.getAttribute('aria-label') || made.closest('label')?.textContent || made.textContent
            || made.querySelector?.('img')?.alt;
        return !(label || '').trim() && !made.closest('.leaflet-container') && !made.closest('[tabindex="-1"]');
    }).map((made) => made.outerHTML.slice(0, 120))"""
    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        for name in PAGES:
            page.evaluate(f"location.hash = '#/{name}'")
            time.sleep(0.4)
            assert page.evaluate(unnamed) == [], name
            assert page.locator("h1").count() == 1
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        assert page.evaluate(unnamed) == []
        assert page.evaluate("document.activeElement.dataset.check") is not None


@pytest.mark.usefixtures("sent")
def test_an_accessibility_checker_has_nothing_to_object_in_both_themes(folder: Path, opened: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="the extra browser (axe) is not installed")
    code = next(Path(axe.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
    asked = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
      .filter((fault) => ['serious', 'critical'].includes(fault.impact))
      .map((fault) => [fault.id, fault.nodes[0].html.slice(0, 200)]))"""

    def faults(page: Any) -> list[Any]:
        time.sleep(0.5)  # colours change within a tenth of a second
        page.evaluate(f"{code}\n;0")
        return list(page.evaluate(asked))

    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        for theme, wide in (("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)):
            page.set_viewport_size({"width": wide, "height": 850})
            page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            for name in PAGES:
                page.evaluate(f"location.hash = '#/{name}'")
                assert faults(page) == [], (theme, wide, name)
            page.keyboard.press("n")
            page.wait_for_selector("article[aria-current=true]")
            assert faults(page) == [], (theme, wide, "photo")
            for key in ("z", "?", "i"):
                page.keyboard.press(key)
                page.wait_for_selector("dialog[open]")
                assert faults(page) == [], (theme, wide, key)
                page.keyboard.press("Escape")


# --------------------------------------------------------------------------- searching, looking closer, comparing


def asked(page: Any, **fields: str) -> str:
    """Fill in the form of the search, by keyboard; return what is said."""
    page.keyboard.press("7")
    page.wait_for_selector("form[role=search] input[name=words]")
    page.click("form[role=search] button[type=button]")
    page.wait_for_selector("main [role=status]:empty", state="attached")
    for name, value in fields.items():
        page.fill(f"input[name={name}]", value)
    page.focus("input[name=words]")
    page.keyboard.press("Enter")
    until(page, "!['', 'Loading …'].includes(document.querySelector('main > [role=status]').textContent)")
    return str(page.inner_text("main > [role=status]"))


@pytest.mark.usefixtures("sent")
def test_photos_are_found_by_words_place_time_and_example_and_what_cannot_be_asked_is_refused(
    folder: Path, opened: Any
) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.evaluate("document.activeElement.blur()")
        assert asked(page, words="nordvale contradiction").startswith("7 of 31")
        assert "result: " in page.inner_text(".list") and "Contradiction" in page.inner_text(".list")
        assert asked(page, words="japan").startswith("2 of 31"), "the country at the claimed place"
        assert "2 of 31" in asked(page, words="KES", dates="2023-10-01..2023-10-31")
        told = asked(page, near="46.02,7.75", within="30")
        assert re.match(r"[1-9]\d* of 31", told) and " km" in page.inner_text(".list")
        assert "could not be compared: it claims no position" in told
        assert "cannot be searched by words" in asked(page, words="a dog on a red sofa")
        assert "LAT,LON" in asked(page, near="Nowhere at all")
        assert "no model looked at them" in asked(page, shows_hour="18")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        name = page.inner_text("h1")
        page.keyboard.press("f")
        page.wait_for_selector(".list a")
        assert page.inner_text(".list .row:first-child").startswith(name) and "like 1.000" in page.inner_text(".list")


def test_a_picture_is_looked_at_closer_by_keyboard_alone_and_beside_its_pair(
    folder: Path, opened: Any, examined: Path
) -> None:
    before = snapshot(examined / "evidence")
    with served(folder) as (_, link):
        page = opened(link)
        page.evaluate("location.hash = '#/photos'")
        page.wait_for_selector(".list a")
        page.keyboard.press("n")
        page.wait_for_selector("article[aria-current=true]")
        first = page.inner_text("h1")
        page.keyboard.press("z")
        until(page, "document.querySelector('#zoom img')?.src.includes('/large/')")
        assert " × " in page.inner_text("#zoom figcaption")
        wide = page.evaluate("document.querySelector('#zoom img').clientWidth")
        page.keyboard.press("+")
        until(page, f"document.querySelector('#zoom img').clientWidth > 1.4 * {wide}")
        page.keyboard.press("0")
        page.keyboard.press("ArrowRight")
        until(page, f"!document.querySelector('#zoom figcaption').textContent.startsWith({json.dumps(first)})")
        assert page.locator("#zoom[open]").count() == 1
        page.keyboard.press("z")
        page.wait_for_selector("#zoom[open]", state="detached")
        pair = one_row(page, "photo.found.GF406")
        page.evaluate(f"location.hash = '#/photo/{pair}'")
        page.wait_for_selector(".pair img")
        page.click("text=The pair larger")
        until(page, "document.querySelectorAll('#zoom .panes.two img').length === 2")
    assert snapshot(examined / "evidence") == before


@pytest.mark.usefixtures("sent")
def test_what_is_chosen_in_one_view_is_shown_in_the_others(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.keyboard.press("3")
        page.wait_for_selector(".leaflet-container canvas")
        page.focus("svg.time")
        said_first = pressed(page, "ArrowRight")
        name = said_first.rsplit(", ", 1)[0]
        assert name in page.inner_text("main p[role=status]")
        page.keyboard.press("2")
        page.wait_for_selector(".list .line.chosen")
        assert name in page.inner_text(".list .line.chosen")
        page.keyboard.press("4")
        page.wait_for_selector(".cards h2 a")
        page.click("text=Kestrion")
        page.wait_for_selector("svg path.track")
        page.focus("svg.time")
        pressed(page, "End")
        until(page, "document.querySelectorAll('svg circle.now').length === 2")
        assert "KES_0450" in page.inner_text("main p[role=status]")
        page.evaluate("history.back()")
        page.wait_for_selector(".cards h2 a")
        page.click("text=Nordvale")
        page.wait_for_selector("svg .dot.after")
        assert page.locator("svg .dot.after").count() == 7, "every photo of the wrong clock, where it goes"


def test_corrections_are_proposed_changed_locked_applied_and_undone_by_keyboard(
    folder: Path, opened: Any, examined: Path
) -> None:
    before = snapshot(examined / "evidence")
    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("8")
        page.wait_for_selector("main form")
        page.keyboard.press("p")
        page.wait_for_selector(".row.correction input")
        assert "7 lines in the plan" in page.inner_text("main")
        page.focus(".row.correction input:not([type=checkbox])")
        page.keyboard.press("Control+A")
        page.keyboard.type("2022-04-02 09:11:00")
        page.keyboard.press("Tab")
        until(page, "document.getElementById('live').textContent === 'The plan was changed'")
        until(page, "document.querySelector('.row.correction input').value === '2022-04-02 09:11:00'")
        page.evaluate("document.getElementById('live').textContent = ''")
        page.focus(".row.correction input[type=checkbox]")
        page.keyboard.press("Space")
        until(page, "document.querySelector('.row.correction input[type=checkbox]:checked')")
        until(page, "document.getElementById('live').textContent === 'The plan was changed'")
        assert "2022-04-02 09:11:00" in (folder / "corrections.toml").read_text()
        assert "locked = true" in (folder / "corrections.toml").read_text()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("a")
        page.wait_for_selector("#ask[open] button:focus")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=T0001")
        sidecars = sorted((folder / "sidecars").rglob("*.xmp"))
        assert len(sidecars) == 7 and b"2022-04-02T09:11:00" in sidecars[0].read_bytes()
        page.focus("li button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#ask[open] button:focus")
        page.keyboard.press("Enter")
        page.wait_for_selector("li:has-text('T0001'):has-text('taken back')")
        assert not list((folder / "sidecars").rglob("*.xmp"))
    with Case(folder) as case:
        assert case.custody_faults() == ()
        told = [event.detail for event in case.view().custody() if event.detail.get("step") == "review page"]
        assert [detail["what"] for detail in told] == ["plan", "edit", "edit", "apply", "undo T0001"]
        assert {detail["examiner"] for detail in told} == {"A"}
    assert snapshot(examined / "evidence") == before


def test_two_examinations_are_compared_and_a_decision_names_the_one_it_judged(tmp_path: Path, opened: Any) -> None:
    shutil.copytree(EXAMPLE / "nordvale", tmp_path / "evidence")
    last = sorted((tmp_path / "evidence").iterdir())[-1]
    last.rename(tmp_path / "later.jpg")
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    with served(tmp_path / "case", "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("9")
        until(page, "document.querySelector('main').textContent.includes('examined once')")
        page.keyboard.press("1")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("h2 a:focus")
        pressed(page, "d")
    shutil.copy2(tmp_path / "later.jpg", last)
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        copy = case.export_review(tmp_path / "copy")
    with served(tmp_path / "case", "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("9")
        until(page, "document.querySelector('main').textContent.includes('1 new')")
        assert last.name in page.inner_text("main")
        page.keyboard.press("1")
        page.keyboard.press("n")
        page.wait_for_selector("article[data-check]")
        page.evaluate("location.hash = '#/cause/1'")
        page.wait_for_selector(".list a")
        page.click(".list a")
        page.wait_for_selector("article .verdict")
        assert re.search(r"stands: it judged the examination of 20\d\d-", page.inner_text("main"))
    page = opened((copy / "index.html").as_uri(), offline=True)
    page.keyboard.press("9")
    until(page, "document.querySelector('main').textContent.includes('1 new')")
    assert asked(page, words="nordvale NV000120").startswith("1 of 7")
    assert "gtloc review" in asked(page, shows_hour="12")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("8")
    until(page, "document.querySelector('main').textContent.includes('There is no plan')")


# --------------------------------------------------------------------------- more photos than are sent at once


@pytest.fixture(scope="module")
def large(examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a case of 4,000 photos: those of the example again and again under other names."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    try:
        from grow_case import grow
    finally:
        sys.path.pop(0)
    target = tmp_path_factory.mktemp("large") / "case"
    grow(examined / "case", target, 4_000)
    return target


@pytest.mark.walk
def test_of_a_large_case_only_the_rows_in_sight_are_sent_and_all_of_it_can_be_reached(large: Path, opened: Any) -> None:
    with served(large) as (_, link):
        page = opened(link)
        sizes: list[int] = []
        page.on("response", lambda answer: sizes.append(len(answer.body())) if "/data/" in answer.url else None)
        page.reload()
        page.wait_for_selector(READY)
        page.keyboard.press("2")
        page.wait_for_selector(".list a img")
        assert "4000 of 4000 photos" in page.inner_text("main")
        assert sum(sizes) < 150_000, "a tenth of the list would be more"
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.closest('[role=listitem]').getAttribute('aria-setsize')") == "4000"
        page.keyboard.press("End")
        until(page, "document.activeElement.closest('[aria-posinset=\"4000\"]:not([aria-busy])') !== null")
        assert page.evaluate("document.activeElement.textContent").startswith("long/003999.jpg")
        page.keyboard.press("Enter")
        until(page, "document.querySelector('h1').textContent === 'long/003999.jpg'")
        page.wait_for_selector("table")
        page.keyboard.press("ArrowLeft")
        until(page, "document.querySelector('h1').textContent === 'long/003998.jpg'")
        page.keyboard.press("2")
        page.wait_for_selector(".list .line.chosen", timeout=20_000)
        page.evaluate("document.querySelector('.list').dataset.old = 'yes'")
        page.select_option("label:has-text('Order') select", "time")
        until(page, "!document.querySelector('.list').dataset.old")
        until(page, "!document.querySelector('.list .row[aria-busy]')")
        times = page.eval_on_selector_all(
            ".list .row .line", "lines => lines.map((line) => line.children[2].textContent)"
        )
        assert times == sorted(times) and len(set(times)) > 0
        places = page.eval_on_selector_all(".list .row", "rows => rows.map((row) => Number(row.ariaPosInSet))")
        assert places == sorted(places), "who hears the rows hears them in their order"
        page.fill("#search", "long/0025")
        until(page, "document.querySelector('main > [role=status]').textContent.startsWith('100 of 4000')")
        page.fill("#search", "no such name")
        until(page, "document.querySelector('main > [role=status]').textContent.startsWith('0 of 4000')")


def test_map_timeline_and_neighbours_of_a_large_case_are_linked_by_name(large: Path, opened: Any) -> None:
    with served(large) as (_, link):
        page = opened(link)
        page.keyboard.press("3")
        page.wait_for_selector(".leaflet-container canvas")
        page.focus("svg.time")
        pressed(page, "Home")
        until(page, "document.querySelector('main p[role=status] a')")
        assert page.inner_text("#live").split(", ")[0] in page.inner_text("main p[role=status]")
        until(page, "document.querySelectorAll('.strip li').length > 1")
        page.keyboard.press("Enter")
        until(page, "location.hash.startsWith('#/photo/')")


def test_the_first_photos_of_a_large_case_are_there_before_the_last_is_read(folder: Path, chromium: Any) -> None:
    with served(folder, code=READS_SLOWLY) as (_, link):
        page = chromium.new_page()
        page.goto(link)
        page.wait_for_selector("ul.first li")
        assert page.locator(READY).count() == 0, "the case is still being read"
        assert "2024-06-15" in page.inner_text("ul.first") and "Its first photos" in page.inner_text("main")
        page.wait_for_selector(READY, timeout=60_000)
        assert page.locator("ul.first").count() == 0
        page.close()


# --------------------------------------------------------------------------- taken away, and long


@pytest.mark.walk
def test_the_copy_opens_from_a_file_offline_and_shows_what_was_decided(
    folder: Path, opened: Any, tmp_path: Path
) -> None:
    with served(folder, "--examiner", "A. First") as (_, link):
        page = opened(link)
        page.keyboard.press("ArrowDown")
        pressed(page, "c")
    with Case(folder) as case:
        copy = case.export_review(tmp_path / "taken away")
    page = opened((copy / "index.html").as_uri(), offline=True)
    assert "A copy for looking" in page.inner_text("#notice")
    assert "A. First" in page.inner_text("main")
    page.keyboard.press("n")
    page.wait_for_selector("article[data-check]")
    until(page, "document.querySelector('figure img')?.naturalWidth > 0")
    assert page.locator("article button").count() == 0
    page.keyboard.press("3")
    page.wait_for_selector(".leaflet-container canvas")
    page.keyboard.press("6")
    page.wait_for_selector(".row.custody .line")
    page.focus(".row.custody .line")
    page.keyboard.press("End")
    until(page, "document.activeElement.textContent.includes('decide')")


def test_three_thousand_photos_scroll_without_waiting(folder: Path, opened: Any, tmp_path: Path) -> None:
    with Case(folder) as case:
        copy = case.export_review(tmp_path / "long")
    script = (copy / "case.js").read_text(encoding="utf-8")
    held = json.loads(script[script.index("{") : script.rindex("}") + 1])
    photos = held["case"]["photos"]
    held["case"]["photos"] += [
        {**photos[number % len(photos)], "id": f"{number:016x}", "name": f"long/{number:05}.jpg", "causes": []}
        for number in range(3000 - len(photos))
    ]
    (copy / "case.js").write_text(f"globalThis.GTLOC_REVIEW={json.dumps(held)};", encoding="utf-8")
    page = opened((copy / "index.html").as_uri())
    page.keyboard.press("2")
    page.wait_for_selector(".list a")
    assert "3000 of 3000 photos" in page.inner_text("main")
    longest = page.evaluate(
        """async () => {
            const box = document.querySelector('.list');
            let longest = 0;
            for (let place = 0; place <= 20; place += 1) {
                const start = performance.now();
                box.scrollTop = (place / 20) * (box.scrollHeight - box.clientHeight);
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                longest = Math.max(longest, performance.now() - start);
            }
            return longest;
        }"""
    )
    assert longest < 1000, f"one step of scrolling took {longest:.0f} ms"
    assert page.locator(".list .row").count() < 60, "only what is in sight is there"
    assert page.locator(".list a", has_text="long/").count() > 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    until(page, "document.activeElement.closest('[aria-posinset=\"3000\"]') !== null")


def test_changes_made_quickly_after_each_other_do_not_refuse_each_other(folder: Path, opened: Any) -> None:
    with served(folder, "--examiner", "A") as (_, link):
        page = opened(link)
        page.keyboard.press("8")
        page.wait_for_selector("main form")
        page.keyboard.press("p")
        page.wait_for_selector(".row.correction input")
        page.evaluate(
            """() => { const [value, lock] = document.querySelectorAll('.row.correction input');
            value.value = '2022-04-02 09:11:00'; value.dispatchEvent(new Event('change', { bubbles: true }));
            lock.click(); }"""
        )
        until(page, "document.querySelector('.row.correction input[type=checkbox]:checked')")
        until(page, "document.querySelector('.row.correction input').value === '2022-04-02 09:11:00'")
        until(page, "document.getElementById('live').textContent === 'The plan was changed'")
        assert "changed since" not in page.inner_text("#notice")
    with Case(folder) as case:
        told = [event.detail for event in case.view().custody() if event.detail.get("step") == "review page"]
    assert [detail["what"] for detail in told] == ["plan", "edit", "edit"]


@pytest.mark.usefixtures("sent")
def test_the_next_photos_are_asked_for_while_one_is_looked_at(folder: Path, opened: Any) -> None:
    with served(folder) as (_, link):
        page = opened(link)
        page.keyboard.press("2")
        page.wait_for_selector(".list .row a")
        following = page.evaluate(
            "[...document.querySelectorAll('.list .row a')].slice(1, 5).map((line) => line.hash.split('/')[2])"
        )
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url.split("?")[0].rsplit("/", 2)[-1]))
        page.click(".list .row a")
        page.wait_for_selector("article[data-check], .photo")
        end = time.monotonic() + 20
        while not set(following) <= set(asked):
            assert time.monotonic() < end, (following, asked)
            page.wait_for_timeout(50)
        assert len(following) == 4


def test_a_photo_and_a_search_name_towns_in_the_language_of_the_page(folder: Path, opened: Any) -> None:
    with served(folder, "--language", "de") as (_, link):
        page = opened(link)
        page.evaluate("location.hash = '#/find'")
        page.fill("input[name=near]", "Bergen, NO")
        page.fill("input[name=within]", "20000")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=der einwohnerreichste Ort dieses Namens")
        page.fill("input[name=near]", "Nirgendwo an der Nichts")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=ein Ort ist BREITE,LÄNGE in Grad")
        page.evaluate("location.hash = '#/photos'")
        page.wait_for_selector(".list .row a")
        placed = one_row(page, "photo.at")
        page.evaluate(f"location.hash = '#/photo/{placed}'")
        page.wait_for_selector("text=km von der Mitte")
        page.wait_for_selector(".leaflet-tooltip.town")
