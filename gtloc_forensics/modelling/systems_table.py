"""Systems side by side on one table of photos: every metric with its interval, the best constant, what papers print.

What a system does not judge it has no figure for. Published numbers stand in columns of
their own, under their own name and source: they were measured by others on other photos.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gtloc_forensics.errors import MissingExtra, UsageError
from gtloc_forensics.modelling import metrics, outlines, published, scorecard, tampering
from gtloc_forensics.modelling.metrics import Figure
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.modelling.published import Published
from gtloc_forensics.modelling.scorecard import Scorecard, plain
from gtloc_forensics.records import Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Callable[[str, int, int], None]

CONSTANT, CHANCE = "best constant", "random order"
TIME_METRICS = ("month error", "hour error", "TPS")
COLUMNS = (
    *(f"within {km:g} km, %" for km in metrics.ACCURACY_KM), "median km", *TIME_METRICS,
    *(f"R@{count}, %" for count in metrics.RECALL_AT), "verification AUC",
)  # fmt: skip
SHIFTS = (("hours", "3"), ("hours", "6"), ("months", "3"), ("km", "2500"))
"""Sizes of shift that the table shows; the JSON and the page have all."""
_NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Judged:
    """One system's answers on a table."""

    name: str
    kind: str  # as published numbers call it; "" for none
    card: Scorecard
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Systems × metrics.

    Attributes:
        photos: judged.
        sources: of them.
        data: the official set that the table is, "" for none.
        answer: which point answers the figures are of.
        rows: system → metric → figure; :data:`CONSTANT` and, of retrieval, :data:`CHANCE` are among them.
        detection: system → "hours", "months", "km" → shift → share of shifted claims that are flagged.
        published: what papers print of these systems: on this set where it is an official one, else on all.
        kinds: system → as published numbers call its kind, "" for none.
    """

    photos: int
    sources: int
    data: str
    answer: str
    rows: Mapping[str, Mapping[str, Figure]]
    detection: Mapping[str, Mapping[str, Mapping[str, Figure]]]
    published: tuple[Published, ...]
    kinds: Mapping[str, str]


def judge(
    name: str,
    table: PhotoTable,
    *,
    training: PhotoTable | None,
    device: str = "auto",
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[PhotoTable, Judged]:
    """Return the photos that could be read and what an installed model or system makes of them.

    Raises:
        WeightsError: there is no such model or system.
        UsageError: not one photo can be read.
    """
    from gtloc_forensics import vision
    from gtloc_forensics.vision import systems

    if name not in systems.installed() and not systems.is_system_folder(name):
        loaded = vision.load(name, device=device)
        known, found, refused = scorecard.predict(loaded, table, progress=progress)
        card = scorecard.of_predictions(
            found,
            known,
            training=training,
            facts=loaded.facts,
            queries=scorecard.fused_queries(loaded, known),
            unreadable=refused,
            resamples=resamples,
            seed=seed,
        )
        loaded.close()
        return known, Judged(name, "geoclip" if "geoclip" in loaded.name else "gtloc", card, tuple(found))
    return _judge_system(name, table, training, device, resamples, seed, progress)


def _judge_system(
    name: str,
    table: PhotoTable,
    training: PhotoTable | None,
    device: str,
    resamples: int,
    seed: int,
    progress: Progress | None,
) -> tuple[PhotoTable, Judged]:
    from gtloc_forensics.modelling.training.field_features import field_features
    from gtloc_forensics.vision import library
    from gtloc_forensics.vision.systems.opinion import load_opinion

    system = load_opinion(name, device=device)
    cache = library.cache_folder() / "features"
    features = field_features(system.base, table.paths, cache_dir=cache, progress=progress or _silent)
    known = table.rows(features.readable)
    flat = features.values[np.flatnonzero(features.readable).tolist(), 0].float().numpy()
    found = system.predict(flat, [str(row) for row in range(len(known))])
    turns = np.column_stack([known.year_turn, known.day_turn])
    searched = system.searched(flat, turns, np.column_stack([known.latitude_deg, known.longitude_deg]))
    card = scorecard.of_predictions(
        found,
        known,
        training=training,
        facts=system.facts,
        unreadable=features.reasons,
        resamples=resamples,
        seed=seed,
    )
    if searched is not None:
        recall = metrics.retrieval(*searched, known, resamples=resamples, seed=seed)
        card = replace(card, retrieval=recall)
    kind = system.spec.kind
    system.close()
    return known, Judged(name, kind, card, tuple(found))


def compared(
    judged: Sequence[Judged],
    *,
    data: str = "",
    answer: str = "least expected error",
    chance: Mapping[str, Figure] | None = None,
) -> Comparison:
    """Put systems side by side.

    Args:
        judged: all on the same photos.
        data: the official set that these are, "" for none.
        answer: ``least expected error`` or ``arg-max``.
        chance: what a random order retrieves of these photos, as :func:`metrics.retrieval_by_chance` tells.

    Raises:
        UsageError: there is none, or they were judged on different photos.
    """
    if not judged:
        raise UsageError("there is no system to compare; `gtloc train --system` makes one")
    first = judged[0].card
    if any((each.card.photos, each.card.sources) != (first.photos, first.sources) for each in judged):
        raise UsageError("the systems could not all read the same photos; leave out those that cannot be read")
    rows: dict[str, Mapping[str, Figure]] = {each.name: _figures(each.card, answer) for each in judged}
    if CONSTANT in first.answers:
        rows[CONSTANT] = _there(first.answers[CONSTANT])
    if chance and any(each.card.retrieval for each in judged):
        rows[CHANCE] = _there(chance)
    printed = [row for each in judged for row in published.of(each.kind)]
    return Comparison(
        photos=first.photos,
        sources=first.sources,
        data=data,
        answer=answer,
        rows=rows,
        detection={each.name: _detection(each.card) for each in judged},
        published=tuple(row for row in _once(printed) if not data or row.data.startswith(data)),
        kinds={each.name: each.kind for each in judged},
    )


def _once(rows: Sequence[Published]) -> list[Published]:
    """Return the rows, each once."""
    return [row for index, row in enumerate(rows) if row not in rows[:index]]


def _figures(card: Scorecard, answer: str) -> dict[str, Figure]:
    found = {**card.answers[answer], **card.retrieval, **card.verification}
    silent = _silent_about(card)
    if "time" in silent:
        found = {name: figure for name, figure in found.items() if name not in TIME_METRICS and "verif" not in name}
    if "place" in silent:
        found = {name: figure for name, figure in found.items() if "km" not in name}
    return _there(found)


def _there(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    return {name: figure for name, figure in figures.items() if figure.photos and np.isfinite(figure.value)}


def _silent_about(card: Scorecard) -> set[str]:
    return {what for what in ("time", "place") if card.model.get(what) == _NOT_JUDGED}


def _detection(card: Scorecard) -> dict[str, Mapping[str, Figure]]:
    silent = _silent_about(card)
    about = {"hours": "time", "months": "time", "km": "place"}
    return {kind: figures for kind, figures in card.detection.items() if about[kind] not in silent and figures}


# --------------------------------------------------------------------------- text, JSON, LaTeX


def as_json(comparison: Comparison) -> str:
    """Return the comparison as JSON; NaN becomes null."""
    return json.dumps(plain(asdict(comparison)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_text(comparison: Comparison) -> str:
    """Return the table for people: a block per metric, a line per system, what is published in a column of its own."""
    lines = [_heading(comparison)]
    for metric in _metrics(comparison):
        lines += ["", f"{metric:<28}{'measured here, with 95 % interval':<46}published"]
        for name, figures in comparison.rows.items():
            if metric in figures:
                lines.append(f"  {name:<26}{_told(figures[metric]):<46}{_printed(comparison, name, metric)}".rstrip())
    for kind, shift in SHIFTS:
        rows = [(name, own[kind][shift]) for name, own in comparison.detection.items() if shift in own.get(kind, {})]
        if rows:
            lines += ["", f"share of claims flagged that are {shift} {kind} off, 1 in 10 true ones flagged"]
            lines += [f"  {name:<26}{_told(figure)}" for name, figure in rows]
    if comparison.published:
        lines += ["", "published: measured by others on their own photos and not here; sources:"]
        sources = dict.fromkeys(f"{row.system}, {row.data}: {row.source}" for row in comparison.published)
        lines += [f"  {source}" for source in sources]
    return "\n".join(lines) + "\n"


def as_latex(comparison: Comparison) -> str:
    """Return the table as a LaTeX tabular: systems × metrics, published numbers in rows of their own, marked."""
    columns = _metrics(comparison)
    flagged = [
        (kind, shift)
        for kind, shift in SHIFTS
        if any(shift in own.get(kind, {}) for own in comparison.detection.values())
    ]
    titles = [*columns, *(f"flagged at {shift} {kind}" for kind, shift in flagged)]
    head = " & ".join([r"system", *map(_escaped, titles)])
    lines = [f"% {_heading(comparison)}", rf"\begin{{tabular}}{{l{'r' * len(titles)}}}", rf"\hline {head} \\ \hline"]
    for name, figures in comparison.rows.items():
        cells = [_latex(figures[metric]) if metric in figures else "--" for metric in columns]
        own = comparison.detection.get(name, {})
        cells += [_latex(own[kind][shift]) if shift in own.get(kind, {}) else "--" for kind, shift in flagged]
        lines.append(" & ".join([_escaped(name), *cells]) + r" \\")
    for row in comparison.published:
        if set(row.figures) & set(columns):
            cells = [f"{row.figures[metric]:g}" if metric in row.figures else "--" for metric in columns]
            cells += ["--"] * len(flagged)
            label = rf"\textit{{{_escaped(row.system)}, published on {_escaped(row.data)}}}"
            lines.append(" & ".join([label, *cells]) + rf" \\ % {row.source}")
    return "\n".join([*lines, r"\hline", r"\end{tabular}"]) + "\n"


def _heading(comparison: Comparison) -> str:
    what = f", recognised as {comparison.data}" if comparison.data else ""
    return (
        f"{comparison.photos} photos of {comparison.sources} sources{what}; answers: {comparison.answer}; "
        "intervals: 95 %, over sources"
    )


def _metrics(comparison: Comparison) -> list[str]:
    return [name for name in COLUMNS if any(name in figures for figures in comparison.rows.values())]


def _told(figure: Figure) -> str:
    between = "" if np.isnan(figure.low) else f"[{figure.low:.3g}, {figure.high:.3g}]"
    return f"{figure.value:9.3f} {between:<18} n = {figure.photos} of {figure.sources}"


def _printed(comparison: Comparison, name: str, metric: str) -> str:
    kind = comparison.kinds.get(name, "")
    rows = [row for row in comparison.published if kind and row.system == kind and metric in row.figures]
    of_what = "" if kind == name else f"{kind}, "  # what is published is of the kind, not of this very system
    return "; ".join(f"{row.figures[metric]:g} ({of_what}{row.data})" for row in rows)


def _latex(figure: Figure) -> str:
    between = "" if np.isnan(figure.low) else rf" {{\scriptsize [{figure.low:.3g}, {figure.high:.3g}]}}"
    return f"{figure.value:.3g}{between}"


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "%&_#$" else letter for letter in text)


# --------------------------------------------------------------------------- the page


def draw(comparison: Comparison, judged: Sequence[Judged], truth: PhotoTable, path: Path) -> None:
    """Draw a page: shares within distances, detection by size of shift, and a map per system of where places went.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Page
    except ImportError as error:
        raise MissingExtra("a page of plots", "train") from error
    placing = [each for each in judged if "place" not in _silent_about(each.card)]
    maps = -(-len(placing) // 2)
    page = Page(figsize=(12.0, 8.0 + 3.2 * maps), layout="constrained")
    FigureCanvasAgg(page)
    grid = page.add_gridspec(2 + maps, 2)
    _draw_distances(page.add_subplot(grid[0, 0]), comparison)
    for number, (kind, unit) in enumerate((("km", "km"), ("hours", "hours"), ("months", "months"))):
        _draw_detection(page.add_subplot(grid[(number + 1) // 2, (number + 1) % 2]), comparison, kind, unit)
    for number, each in enumerate(placing):
        _draw_map(page.add_subplot(grid[2 + number // 2, number % 2]), each, truth)
    page.suptitle(_heading(comparison))
    page.savefig(path, dpi=100, metadata={"Software": None} if path.suffix == ".png" else None)


def _draw_distances(axes: Axes, comparison: Comparison) -> None:
    for name, figures in comparison.rows.items():
        shares = [
            figures[f"within {km:g} km, %"].value for km in metrics.ACCURACY_KM if f"within {km:g} km, %" in figures
        ]
        if len(shares) == len(metrics.ACCURACY_KM):
            axes.plot(metrics.ACCURACY_KM, shares, label=name, **_line(comparison, name))
    axes.set(xscale="log", title="places: share of photos within a distance", xlabel="km", ylabel="%")
    axes.legend(fontsize=7)


def _draw_detection(axes: Axes, comparison: Comparison, kind: str, unit: str) -> None:
    for name, own in comparison.detection.items():
        shifted = {float(size): figure.value for size, figure in own.get(kind, {}).items() if size != "honest"}
        if shifted:
            axes.plot(list(shifted), list(shifted.values()), label=name, **_line(comparison, name))
            axes.legend(fontsize=7)
    axes.axhline(tampering.ALARM_RATE, color="0.7", linewidth=1)
    axes.set(title=f"claims flagged by shift, {unit}", xlabel=unit, ylabel="share flagged", ylim=(0, 1))


def _line(comparison: Comparison, name: str) -> dict[str, Any]:
    """Return how a system is drawn, the same in every plot; no two are drawn alike."""
    if name == CONSTANT:
        return {"color": "black", "linestyle": ":", "marker": "."}
    number = list(comparison.rows).index(name)
    return {
        "color": f"C{number % 10}",
        "linestyle": ("-", "--", "-.")[number // 10 % 3],
        "marker": "o",
        "markersize": 3,
    }


def _draw_map(axes: Axes, judged: Judged, truth: PhotoTable) -> None:
    rows = np.flatnonzero(truth.placed)
    answers = [judged.predictions[row].position for row in rows.tolist()]
    outlines.draw_world(axes)
    axes.plot(truth.longitude_deg[rows], truth.latitude_deg[rows], ".", color="tab:blue", markersize=3)
    axes.plot(
        [at.longitude_deg for at in answers], [at.latitude_deg for at in answers], ".", color="tab:red", markersize=2
    )
    axes.set_title(f"{judged.name}: true (blue), answered (red)")


def _silent(doing: str, done: int, whole: int) -> None:
    """Take a report of progress and tell nobody."""
