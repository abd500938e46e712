"""Counts how often each rule alarms on untouched photos, and writes the table that every report prints.

    python benchmarks/count_alarms.py --photos ../shared/photos/exif --out gtloc_forensics/checks/alarms.json

"Untouched" means that nobody edited the metadata on purpose; some cameras in the set really were set wrong, and
their alarms count here too: the figure is how often a rule speaks up on ordinary photos, not how often it errs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Outcome


def count(photos: Path, model: str) -> dict[str, dict[str, int]]:
    """Audit *photos* and return rule → photos it could judge, photos on which it spoke up."""
    tested: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place, open_case(photos, Path(place) / "case") as case:
        case.audit(Settings(model=model, jobs=1))
        for entry in case.view().photos():
            judged = {item.check_id for item in entry.findings if item.outcome is not Outcome.NOT_TESTABLE}
            tested.update(judged)
            alarms.update({item.check_id for item in entry.findings if item.is_found})
    # These carry a p-value of their own, calibrated on sources left out; some of the photos here were not.
    counted = [rule for rule in sorted(tested) if not rule.startswith(("GF3", "GF210"))]
    return {rule: {"tested": tested[rule], "alarms": alarms[rule]} for rule in counted}


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--name", default="253 untouched photos of 67 sources and 81 camera models")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    table = {"photo_set": options.name, "rules": count(options.photos, options.model)}
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    for rule, counts in table["rules"].items():
        print(f"{rule}  {counts['alarms']} of {counts['tested']}")


if __name__ == "__main__":
    main()
