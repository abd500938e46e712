"""The report card of the small model: CARD.md for people, card.json for programs, one plot.

No figure stands here without its number of photos and sources. The words that judge
the figures are written from them, not beside them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from judgement import ALARM_LEVELS, DATABLE_THRESHOLD, JOINTS, SURE, Judged, held_out_strength
from photo_set import PhotoSet

from gtloc_forensics.modelling import calibrating

Facts = dict[str, Any]
VERIFICATION_GOAL, HOUR_GOAL = 0.78, 20.0
SPEAKING_GOAL = 4 / 200
LARGEST = "+".join(JOINTS[-1])
COMMAND = "python experiments/make_small_model.py --photos ../shared/photos --out models/gtloc-small"
TITLES = {
    "hour": "time of day",
    "year": "time of year",
    "sun": "height of the sun",
    "place": "place",
    "light": "exposure against the sun, pixels saying how likely daylight lit the scene",
    "hour+year": "pixels, no place claimed",
    "height": "height of the sun, a density from the pixels",
    "height_lit": "height of the sun, a density from pixels and exposure",
    "hour+year+sun+place": "pixels, place claimed",
    "hour+year+sun+place+light": "pixels and exposure without the density of the sun's height (as shipped before)",
    LARGEST: "pixels and exposure, place claimed",
}


def counts(photos: PhotoSet) -> list[Facts]:
    """Return photos and sources of each kind and split."""
    keys = Counter(zip(photos.kind.tolist(), photos.split.tolist(), strict=True))
    found = []
    for (kind, split), number in sorted(keys.items()):
        rows = (photos.kind == kind) & (photos.split == split)
        found.append({"kind": kind, "split": split, "photos": number, "sources": len(set(photos.group[rows].tolist()))})
    return found


def report_facts(facts: Facts) -> dict[str, str]:
    """Return what a case report prints of the calibration."""
    largest = LARGEST
    test = facts["tests"][largest]
    return {
        "photo set": facts["set"],
        "held-out photos": f"{_n(facts['tests']['hour'])}, never trained on",
        "propositions": "the claim is true : it is another photo's (its time; in a third of the draws its place too)",
        "cost, pixels and exposure": f"Cllr {_value(test['cllr'])} (1 is worthless); {_n(test)}",
        "false alarms at p ≤ 0.05": f"{_percent(test['alarm_rate_true']['0.05'])} of true claims",
        "widest ratios": f"10^{test['log10_lr_range'][0]:.1f} to 10^{test['log10_lr_range'][1]:.1f}",
    }


def write(out: Path, facts: Facts, judged: Judged) -> None:
    """Write CARD.md, card.json and tippett.png into the model folder."""
    (out / "card.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    _plot(out / "tippett.png", judged)
    (out / "CARD.md").write_text("\n".join(_lines(facts)) + "\n", encoding="utf-8")


# --------------------------------------------------------------------------- text


def _lines(facts: Facts) -> list[str]:
    template = (Path(__file__).parent / "card_words.md").read_text(encoding="utf-8")
    parts = {
        "COMMAND": COMMAND,
        "MINUTES": f"{facts['seconds'] / 60.0:.0f}",
        "SET": facts["set"],
        "DATA": _table(("kind", "split", "photos", "sources"), [list(row.values()) for row in facts["data"]]),
        "GOALS": _goals(facts),
        "POINTS": _points(facts["points"]),
        "PLACE": _place(facts["place"]),
        "DAYNIGHT": _day_night(facts["day_night"]),
        "DATABLE": _datable(facts["datable"]),
        "TESTS": _tests(facts["tests"]),
        "ALARMS": _alarms(facts["tests"]),
        "VERIFICATION": _verification(facts["verification"]),
        "SHIFTS": _shifts(facts["shifts"]),
        "KINDS": _kinds(facts["gate"]["kinds"]),
        "DRAWN": _drawn(facts["gate"]["drawn"]),
        "PHOTOS": _let_through(facts["gate"]["photos"]),
        "GAINS": _gains(facts["gains"]),
        "SLICES": _table(
            ("photos", "n", "sources", "AUC (95 %)"),
            [[row["slice"], row["photos"], row["sources"], _value(row)] for row in facts["slices"]],
        ),
        "JOINTS": _table(
            ("scores together", "weights in this order"),
            [
                [", ".join(fact["names"]), ", ".join(f"{value:.2f}" for value in fact["coefficients"])]
                for fact in facts["joints"]
            ],
        ),
        **_curves(facts["curves"]),
        "EVALUATE": facts["evaluate"]["text"].rstrip(),
        "THRESHOLD": f"{DATABLE_THRESHOLD:g}",
        "SURE": f"{SURE:.0%}".replace("%", " %"),
    }
    for name, text in parts.items():
        template = template.replace("{" + name + "}", text)
    return template.rstrip().split("\n")


def _joints(found: list[Facts]) -> str:
    rows = [
        [", ".join(finding["names"]), ", ".join(f"{value:.2f}" for value in finding["coefficients"])]
        for finding in found
    ]
    return _table(("scores together", "weights in this order"), rows)


def _table(head: tuple[str, ...], rows: list[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def _value(entry: Facts, digits: int = 2) -> str:
    if entry["value"] is None:
        return "–"
    return f"{entry['value']:.{digits}f} ({entry['low']:.{digits}f}–{entry['high']:.{digits}f})"


def _percent(entry: Facts) -> str:
    if entry["value"] is None:
        return "–"
    return f"{100 * entry['value']:.1f} % ({100 * entry['low']:.1f}–{100 * entry['high']:.1f})"


def _goals(facts: Facts) -> str:
    points = {row["slice"]: row for row in facts["points"]}
    rows = []
    for name in ("val, judged datable", "both, judged datable", "val, all photos"):
        row = points[name]
        least = min(row["hour_constant"]["value"], row["hour_constant_in_hindsight"])
        gain = 100.0 * (1.0 - row["hour_error"]["value"] / least)
        text = f"hour error {HOUR_GOAL:g} % under the best constant ({name})"
        rows.append([text, f"{gain:.0f} % under", _met(gain >= HOUR_GOAL), _n(row)])
    for row in facts["day_night"][:3]:
        value = row["right_of_decided"]["value"]
        reached = f"{_percent(row['right_of_decided'])}, {row['right_of_decided_photos']}"
        rows.append([f"day/night right in 95 % of decided ({row['slice']})", reached, _met(value >= 0.95), _n(row)])
    row = facts["day_night"][2]
    right, told = map(int, row["night_decided_right"].split(" of "))
    text = "the same for nights alone (both, judged datable)"
    rows.append([text, f"{right} of {told} decided nights", _met(right >= 0.95 * told), _n(row)])
    for kind in ("all", "gps-confirmed"):
        row = facts["verification"][LARGEST][kind]
        text = f"verification AUC ≥ {VERIFICATION_GOAL:g}, pixels and exposure ({kind})"
        rows.append([text, _value(row), _met(row["value"] >= VERIFICATION_GOAL), _n(row)])
    drawn = [row for row in facts["gate"]["drawn"] if row["known"]]
    speak, asked = (sum(row[name] for row in drawn) for name in ("speak", "pictures"))
    text = "at most 4 of 200 pictures without a scene speak (drawn ones)"
    rows.append([text, f"{speak} of {asked}", _met(speak <= SPEAKING_GOAL * asked), f"{asked} pictures"])
    tests = facts["tests"].values()
    inside = all(row["alarm_rate_true"][f"{level:g}"]["low"] <= level for row in tests for level in ALARM_LEVELS)
    rows.append(
        ["alarm rates of true claims not above nominal, within their intervals", "see below", _met(inside), "all tests"]
    )
    return _table(("goal", "reached (95 %)", "", "n"), rows)


def _met(good: bool) -> str:
    return "met" if good else "**not met**"


def _n(row: Facts) -> str:
    return f"{row['photos']} photos, {row['sources']} sources"


def _points(rows: list[Facts]) -> str:
    head = (
        "photos",
        "n",
        "sources",
        "hour error (95 %)",
        "constant¹",
        "in hindsight²",
        "month error (95 %)",
        "constant¹",
        "in hindsight²",
    )
    return _table(
        head,
        [
            [
                row["slice"],
                row["photos"],
                row["sources"],
                _value(row["hour_error"]),
                f"{row['hour_constant']['value']:.2f}",
                f"{row['hour_constant_in_hindsight']:.2f}",
                _value(row["month_error"]),
                f"{row['month_constant']['value']:.2f}",
                f"{row['month_constant_in_hindsight']:.2f}",
            ]
            for row in rows
        ],
    )


def _place(row: Facts) -> str:
    shares = [f"{km} km {_percent(row[f'within_{km}_km'])}" for km in (25, 200, 750, 2500)]
    return f"{', '.join(shares)}; median {row['median_km']:.0f} km (n = {_n(row)})."


def _day_night(rows: list[Facts]) -> str:
    head = (
        "photos",
        "n",
        "sources",
        "decided (95 %)",
        "right of those (95 %)",
        "photos right",
        "nights in it",
        "decided nights right",
        "AUC",
    )
    return _table(
        head,
        [
            [
                row["slice"],
                row["photos"],
                row["sources"],
                _percent(row["decided"]),
                _percent(row["right_of_decided"]),
                row["right_of_decided_photos"],
                row["night_photos"],
                row["night_decided_right"],
                row["auc"],
            ]
            for row in rows
        ],
    )


def _datable(rows: list[Facts]) -> str:
    head = (
        "photos labelled by hand",
        "n",
        "sources",
        "AUC",
        "datable, refused (95 %)",
        "photos",
        "not datable, let through (95 %)",
        "photos",
    )
    return _table(
        head,
        [
            [
                row["slice"],
                row["photos"],
                row["sources"],
                row["auc"],
                _percent(row["datable_refused"]),
                row["refused_photos"],
                _percent(row["not_datable_let_through"]),
                row["let_through_photos"],
            ]
            for row in rows
        ],
    )


def _tests(tests: dict[str, Facts]) -> str:
    head = ("test", "photos", "sources", "false claims", "AUC (95 %)", "Cllr (95 %)", "least Cllr", "log10 LR from–to")
    return _table(
        head,
        [
            [
                TITLES[name],
                row["photos"],
                row["sources"],
                row["false_claims"],
                _value(row["auc"]),
                _value(row["cllr"]),
                f"{row['cllr_min']:.2f}",
                f"{row['log10_lr_range'][0]:.2f} to {row['log10_lr_range'][1]:.2f}",
            ]
            for name, row in tests.items()
        ],
    )


def _alarms(tests: dict[str, Facts]) -> str:
    levels = [f"{level:g}" for level in ALARM_LEVELS]
    head = (
        "test",
        "photos",
        "sources",
        *(f"true, α = {level}" for level in levels),
        *(f"false, α = {level}" for level in levels),
    )
    rows = []
    for name, row in tests.items():
        rates = [_percent(row[kind][level]) for kind in ("alarm_rate_true", "alarm_rate_false") for level in levels]
        rows.append([TITLES[name], row["photos"], row["sources"], *rates])
    return _table(head, rows)


def _verification(found: dict[str, dict[str, Facts]]) -> str:
    rows = []
    for name, parts in found.items():
        for kind, row in parts.items():
            if row:
                rows.append([TITLES[name], kind, row["photos"], row["sources"], _value(row)])
    return _table(("scores", "trust in the true claim", "photos", "sources", "AUC (95 %)"), rows)


def _kinds(rows: list[Facts]) -> str:
    head = ("kind by weak label", "photos", "sources", "a kind is told", "right of those told")
    return _table(
        head, [[row["kind"], row["photos"], row["sources"], row["told"], row["right_of_told"]] for row in rows]
    )


def _drawn(rows: list[Facts]) -> str:
    known = {row["kind"]: row for row in rows if row["known"]}
    unknown = {row["kind"]: row for row in rows if not row["known"]}
    lines = [
        [
            kind,
            row["pictures"],
            f"{row['speak']} of {row['pictures']}",
            f"{unknown[kind]['speak']} of {row['pictures']}",
        ]
        for kind, row in known.items()
    ]
    sums = [sum(row[name] for row in part.values()) for part in (known, unknown) for name in ("speak", "pictures")]
    lines.append(["**all**", sums[1], f"**{sums[0]} of {sums[1]}**", f"**{sums[2]} of {sums[3]}**"])
    return _table(("drawn kind", "pictures (n)", "speak, kind learned", "speak, kind never seen"), lines)


def _let_through(found: Facts) -> str:
    return (
        "; ".join(
            f"{name}: {row['by_datable']} of {row['photos']} pass the head, {row['by_both']} the kinds of scenes too "
            f"({row['sources']} sources)"
            for name, row in found.items()
        )
        + "."
    )


def _gains(found: dict[str, Facts]) -> str:
    head = ("trust in the true claim", "photos", "sources", "AUC before (95 %)", "AUC with it (95 %)", "gain (95 %)")
    return _table(
        head,
        [
            [name, row["photos"], row["sources"], *(_value(row[part], 3) for part in ("before", "after", "gain"))]
            for name, row in found.items()
        ],
    )


def _curves(found: Facts) -> dict[str, str]:
    """Return the tables of risk by coverage, recall by area and clocks by number."""
    claims = [
        [
            f"{row['coverage']:.0%}",
            _value(row),
            f"{row['constant']:.2f}",
            f"{row['constant_in_hindsight']:.2f}",
            f"{row['photos']} of {row['sources']}",
            row["false_claims"],
        ]
        for row in found["claims"]
    ]
    hours = [
        [f"{row['coverage']:.0%}", _value(row), f"{row['constant']:.2f}", f"{row['photos']} of {row['sources']}"]
        for row in found["hours"]
    ]
    places = [
        [f"{row['share']:.1%}", _value(row), _value(row["constant"]), f"{row['photos']} of {row['sources']}"]
        for row in found["places"]
    ]
    clocks = [
        [row["photos"], _value(row["error_h"]), "6.00", _value(row["holds"]), _value(row["width_h"], 1),
         f"{row['draws']} of {row['sources']}"]
        for row in found["clocks"]
    ]  # fmt: skip
    return {
        "RISK": _table(
            ("surest", "on the wrong side (95 %)", "a coin", "in hindsight", "true claims, sources", "false claims"),
            claims,
        ),
        "HOURS": _table(("narrowest", "hour error (95 %)", "best constant for all", "photos, sources"), hours),
        "RECALL": _table(("of the land", "hold the true place (95 %)", "constant (95 %)", "photos, sources"), places),
        "CLOCKS": _table(
            (
                "photos",
                "error, h (95 %)",
                "constant",
                "95 % of the mass hold it",
                "and are so wide, h",
                "draws, sources",
            ),
            clocks,
        ),
    }


def _shifts(rows: list[Facts]) -> str:
    return _table(
        ("clock moved by", "photos", "alarm at p ≤ 0.05 (95 %)"),
        [[f"{row['hours']} h", row["photos"], _percent(row)] for row in rows],
    )


# --------------------------------------------------------------------------- plot


def _plot(path: Path, judged: Judged) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    names = [name for name in ("hour", "light", "height_lit", LARGEST) if name in judged.trials]
    figure, axes = pyplot.subplots(1, len(names), figsize=(3.3 * len(names), 3.2), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        trials = judged.trials[name]
        _, ratio = held_out_strength(trials, judged, name)
        weight = calibrating.sided_weights(trials)
        for kind, colour, label in ((True, "#1b6ca8", "claim true"), (False, "#c0392b", "claim of another photo")):
            rows = trials.true == kind
            order = np.argsort(ratio[rows])
            above = 1.0 - np.cumsum(weight[rows][order])
            axis.step(ratio[rows][order], above, color=colour, label=label, where="post")
        axis.axvline(0.0, color="#888888", linewidth=0.6)
        axis.set_title(TITLES[name].split(",")[0], fontsize=8)
        axis.set_xlabel("log10 LR", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel("share with a larger ratio", fontsize=8)
    axes[0].legend(fontsize=7, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
