"""Counts how often each rule alarms on untouched photos, and writes the table that every report prints.

    python benchmarks/count_alarms.py --photos ../shared/photos/exif --model none \\
        --out gtloc_forensics/checks/alarms.json

"Untouched" means that nobody edited the metadata on purpose; some cameras in the set really were set wrong, and
their alarms count here too: the figure is how often a rule speaks up on ordinary photos, not how often it errs.

Photos of one source (one owner, one trip, one camera) are no independent witnesses. So each source is a case of
its own, and beside the photos the table has the sources: how many gave a rule something to judge, and the sum over
them of the share of their photos that alarmed. An interval is reckoned over sources.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import TypeAlias

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.instruments import Instruments, opened
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Claim, Outcome

Opened: TypeAlias = tuple[Instruments, Settings]


def sources_of(photos: Path, table: Path) -> dict[str, list[Path]]:
    """Return the files of each source, by the columns ``file`` and ``group`` of *table*."""
    with table.open(encoding="utf-8", newline="") as lines:
        groups = {line["file"]: line["group"] for line in csv.DictReader(lines)}
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(path for path in photos.iterdir() if path.name in groups):
        found[groups[path.name]].append(path)
    return dict(found)


def count_source(files: list[Path], tools: Opened, models: set[str]) -> tuple[Counter[str], Counter[str]]:
    """Audit the photos of one source; return for each rule how many it could judge and on how many it spoke up."""
    tested: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        folder.mkdir()
        for path in files:
            shutil.copy2(path, folder)  # keeps the time of the file, which a rule reads
        with open_case(folder, Path(place) / "case") as case:
            with case.locked():
                case.examine(tools[0], tools[1])
            for entry in case.view().photos():
                judged = {item.check_id for item in entry.findings if item.outcome is not Outcome.NOT_TESTABLE}
                tested.update(judged)
                alarms.update({item.check_id for item in entry.findings if item.is_found})
                if isinstance(entry.photo.claim, Claim):
                    device = entry.photo.claim.device
                    models.add(f"{device.make} {device.model}")
    return tested, alarms


def count(sources: dict[str, list[Path]], model: str) -> dict[str, object]:
    """Return the table: what was counted on, and each rule's photos, sources and alarms."""
    settings = Settings(model=model, jobs=1)
    with opened(settings) as instruments:
        return count_all(sources, (instruments, settings))


def count_all(sources: dict[str, list[Path]], tools: Opened) -> dict[str, object]:
    """Do :func:`count` with instruments that are open."""
    tested: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    judged_in: Counter[str] = Counter()
    shares: dict[str, float] = defaultdict(float)
    models: set[str] = set()
    for number, files in enumerate(sources.values(), start=1):
        own_tested, own_alarms = count_source(files, tools, models)
        tested += own_tested
        alarms += own_alarms
        for rule, photos in own_tested.items():
            judged_in[rule] += 1
            shares[rule] += own_alarms[rule] / photos
        print(f"{number} of {len(sources)} sources", flush=True)
    # These carry a p-value of their own, calibrated on sources left out; some of the photos here were not.
    counted = [rule for rule in sorted(tested) if not rule.startswith(("GF3", "GF210"))]
    photos = sum(map(len, sources.values()))
    return {
        "photo_set": f"{photos} untouched photos of {len(sources)} sources and {len(models)} camera models",
        "rules": {
            rule: {
                "tested": tested[rule],
                "alarms": alarms[rule],
                "sources": judged_in[rule],
                "source_alarms": round(shares[rule], 4),
            }
            for rule in counted
        },
    }


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--table", type=Path, help="Which source a file is of [default: PHOTOS.csv beside the folder].")
    parser.add_argument("--model", default="")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    photos = options.photos.resolve()
    table = count(sources_of(photos, options.table or photos.with_suffix(".csv")), options.model)
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
