"""How the review page takes large cases: time to the first view, scrolling, map and timeline, memory.

    python benchmarks/bench_review.py [--photos 3000] [--page 100000] [--case CASE]

Photos are made and audited without a model unless a case is named.
With ``--page`` the page is given that many photos, by repeating the rows that the case has.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_audit import audit, machine, make_photos
from playwright.sync_api import Page, Route, sync_playwright

_TIMED = """async () => { const start = performance.now(); location.hash = '#/%s';
  await new Promise((done) => addEventListener('hashchange', done, {once: true}));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return Math.round(performance.now() - start); }"""
_SCROLLED = """async () => { const box = document.querySelector('.list'); const all = [];
  for (let step = 0; step <= 40; step += 1) {
    const start = performance.now();
    box.scrollTop = (step / 40) * (box.scrollHeight - box.clientHeight);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    all.push(performance.now() - start);
  }
  all.sort((first, second) => first - second);
  return [Math.round(all[20]), Math.round(all[40])]; }"""


def grown(photos: int) -> Any:
    """Return an answer to the page that repeats the rows of the case until there are so many."""

    def answer(route: Route) -> None:
        response = route.fetch()
        shown = json.loads(response.text())
        rows = shown["photos"]
        shown["photos"] = rows + [
            {**rows[number % len(rows)], "id": f"{number:016x}", "name": f"long/{number:06}.jpg", "causes": []}
            for number in range(photos - len(rows))
        ]
        route.fulfill(response=response, body=json.dumps(shown, separators=(",", ":")))

    return answer


def looked_at(page: Page) -> dict[str, Any]:
    """Return what the pages take, in milliseconds."""
    found: dict[str, Any] = {"photos_ms": page.evaluate(_TIMED % "photos")}
    found["scroll_median_and_longest_ms"] = page.evaluate(_SCROLLED)
    found["rows_in_the_page"] = page.locator(".list .row").count()
    found["map_and_time_ms"] = page.evaluate(_TIMED % "map")
    page.wait_for_selector(".leaflet-container canvas")
    found["dots"] = page.locator("svg.time .dot").count()
    found["camera_ms"] = page.evaluate(_TIMED % "camera/0")
    return found


def measured(case: Path, photos: int) -> dict[str, Any]:
    """Serve a case and look at it; return the figures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    command = [sys.executable, "-m", "gtloc_forensics", "review", str(case), "--no-open", "--examiner", "Measured"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
        assert service.stdout
        link = service.stdout.readline().strip()
        try:
            with sync_playwright() as started:
                browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 860})
                begun = time.perf_counter()
                page.goto(link)
                page.wait_for_selector("body[data-ready]", timeout=3_600_000)
                found: dict[str, Any] = {"first_view_s": round(time.perf_counter() - begun, 2)}
                if photos:
                    page.route("**/data/case*", grown(photos))
                    begun = time.perf_counter()
                    page.reload()
                    page.wait_for_selector("body[data-ready]", timeout=3_600_000)
                    found |= {"page_photos": photos, "first_view_of_page_s": round(time.perf_counter() - begun, 2)}
                found |= looked_at(page)
                status = Path(f"/proc/{service.pid}/status")
                if status.exists():
                    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
                    found["service_peak_mib"] = int(peak.split()[1]) // 1024
                browser.close()
        finally:
            service.terminate()
    return found


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--page", type=int, default=0)
    parser.add_argument("--case", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        case = options.case
        if case is None:
            make_photos(Path(place) / "photos", options.photos)
            case = Path(place) / "case"
            audit(Path(place) / "photos", case, "none")
        print(json.dumps({"machine": machine(), **measured(case, options.page)}, indent=1))


if __name__ == "__main__":
    main()
