"""How the review page takes large cases: time to the first view, scrolling, map and timeline, memory.

    python benchmarks/bench_review.py [--photos 3000] [--case CASE]

Photos are made and audited without a model unless a case is named: ``grow_case.py`` makes a large one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_audit import audit, machine, make_photos
from playwright.sync_api import Page, sync_playwright

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


def _cpu_s(process: int) -> float:
    """Return the processor time of a process and what it started, so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def opened(page: Page, link: str, process: int) -> dict[str, Any]:
    """Open the case, then its list; return the bytes that were sent for it and the processor time of the service.

    The first rows are the first names of photos that can be read on any page, the list's own or those shown before it.
    """
    sent: list[int] = []
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Performance.enable")
    client.on("Network.dataReceived", lambda piece: sent.append(piece["dataLength"]))
    begun, before = time.perf_counter(), _cpu_s(process)
    page.goto(link)
    page.wait_for_selector("ul.first li, body[data-ready]", timeout=3_600_000)
    found: dict[str, Any] = {}
    if page.locator("ul.first li").count():
        found |= {"first_rows_s": round(time.perf_counter() - begun, 2), "first_rows_bytes": sum(sent)}
        found["first_rows_service_cpu_s"] = round(_cpu_s(process) - before, 2)
    page.wait_for_selector("body[data-ready]", timeout=3_600_000)
    found |= {"first_view_s": round(time.perf_counter() - begun, 2), "first_view_bytes": sum(sent)}
    page.evaluate("location.hash = '#/photos'")
    page.wait_for_selector(".list .row img", timeout=600_000)
    metrics = {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}
    found |= {"list_s": round(time.perf_counter() - begun, 2), "list_bytes": sum(sent)}
    found |= {"list_service_cpu_s": round(_cpu_s(process) - before, 2)}
    found |= {
        "list_page_cpu_s": round(metrics["TaskDuration"], 2),
        "page_heap_mib": round(metrics["JSHeapUsedSize"] / 2**20),
    }
    page.reload()  # what it takes once the service has read the case
    sent.clear()
    begun, before = time.perf_counter(), _cpu_s(process)
    page.wait_for_selector("body[data-ready]", timeout=3_600_000)
    page.wait_for_selector(".list .row img", timeout=600_000)
    found |= {"again_s": round(time.perf_counter() - begun, 2), "again_bytes": sum(sent)}
    return found | {"again_service_cpu_s": round(_cpu_s(process) - before, 2)}


def looked_at(page: Page) -> dict[str, Any]:
    """Return what the pages take, in milliseconds."""
    found: dict[str, Any] = {"photos_ms": page.evaluate(_TIMED % "photos")}
    page.wait_for_selector(".list .row img", timeout=600_000)
    found["scroll_median_and_longest_ms"] = page.evaluate(_SCROLLED)
    found["rows_in_the_page"] = page.locator(".list .row").count()
    found["map_and_time_ms"] = page.evaluate(_TIMED % "map")
    page.wait_for_selector(".leaflet-container canvas", timeout=600_000)
    page.wait_for_selector("svg.time .dot", timeout=600_000)
    found["dots"] = page.locator("svg.time .dot").count()
    found["camera_ms"] = page.evaluate(_TIMED % "camera/0")
    return found


def measured(case: Path) -> dict[str, Any]:
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
                found = opened(page, link, service.pid)
                print(json.dumps(found), file=sys.stderr, flush=True)  # what follows takes long of a large case
                page.evaluate("location.hash = '#/causes'")
                page.wait_for_selector("ul.cards")
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
    parser.add_argument("--case", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        case = options.case
        if case is None:
            make_photos(Path(place) / "photos", options.photos)
            case = Path(place) / "case"
            audit(Path(place) / "photos", case, "none")
        print(json.dumps({"machine": machine(), **measured(case)}, indent=1))


if __name__ == "__main__":
    main()
