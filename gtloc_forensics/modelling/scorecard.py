"""A model's scorecard: evaluate everything on a photo table, and put it down as text, JSON and a page.

The one command that reproduces a published table: photos in, figures out, each with its
interval over sources and its n, beside the best constant answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.decode import pixels
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import types
from gtloc_forensics.modelling import metrics, tampering
from gtloc_forensics.modelling.metrics import Figure
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.records import Pixels, Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Callable[[str, int, int], None]
Figures = Mapping[str, Figure]

SLICE_HOURS = 3
_CHUNK = 32


class Predictor(Protocol):
    """What is asked of a model; ``vision.load`` returns one."""

    @property
    def short_side(self) -> int:
        """Px to which pictures are decoded."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What a report says of the model."""

    def prepare(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Prepare a picture."""

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed prepared pictures."""

    def predict(self, embeddings: NDArray[np.float32], source_ids: Sequence[str]) -> list[Prediction]:
        """Turn embeddings into predictions."""

    def fused(self, year_day_turns: NDArray[np.float64], places_deg: NDArray[np.float64]) -> NDArray[np.float32] | None:
        """Embed (time, place) queries; None when the model lacks either."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Every figure of one evaluation."""

    model: Mapping[str, str]
    photos: int
    sources: int
    unreadable: tuple[str, ...]
    answers: Mapping[str, Figures]  # "least expected error", "arg-max", "best constant" → metric → figure
    retrieval: Figures
    verification: Figures
    detection: Mapping[str, Figures]  # "hours", "months", "km" → shift → share flagged
    coverage: Mapping[str, Figures]  # "time", "place" → level → share of truths inside
    slices: Mapping[str, Figures]  # "hour error by hour", … → slice → mean error


def predict(
    model: Predictor, table: PhotoTable, *, progress: Progress | None = None
) -> tuple[PhotoTable, list[Prediction], tuple[str, ...]]:
    """Decode and predict the photos of a table.

    Returns:
        The rows that could be decoded, their predictions, and name and reason of the others.
    """
    found: list[Prediction] = []
    refused: list[str] = []
    kept = np.zeros(len(table), dtype=np.bool_)
    for first in range(0, len(table), _CHUNK):
        prepared, ids = [], []
        for row in range(first, min(first + _CHUNK, len(table))):
            try:
                prepared.append(model.prepare(_decoded(table.paths[row], model.short_side)))
            except (DecodeRefused, MissingExtra, OSError) as error:
                refused.append(f"{table.paths[row].name}: {error}")
                continue
            kept[row] = True
            ids.append(str(row))
        found += model.predict(model.embed(prepared), ids) if prepared else []
        if progress is not None:
            progress("photos", min(first + _CHUNK, len(table)), len(table))
    return table.rows(kept), found, tuple(refused)


def evaluated(
    model: Predictor,
    table: PhotoTable,
    *,
    training: PhotoTable | None = None,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Scorecard:
    """Evaluate a model on a table.

    Args:
        model: from ``vision.load``.
        table: photos the model was not trained on.
        training: what the constant answers are fitted on; without it there are none, because a
            constant fitted on the test photos themselves knows too much.
        resamples: of the sources, for the intervals.
        seed: of the resampling.
        progress: called while photos are predicted.
    """
    known, predictions, refused = predict(model, table, progress=progress)
    return of_predictions(
        predictions,
        known,
        training=training,
        facts=model.facts,
        queries=fused_queries(model, known),
        unreadable=refused,
        resamples=resamples,
        seed=seed,
    )


def fused_queries(model: Predictor, table: PhotoTable) -> NDArray[np.float32] | None:
    """Return for each photo the query "its time and its place" ``[N, D]``; None of a model that knows only one."""
    return model.fused(np.stack([table.year_turn, table.day_turn], 1), _places(table))


def of_predictions(
    predictions: Sequence[Prediction],
    truth: PhotoTable,
    *,
    training: PhotoTable | None = None,
    facts: Mapping[str, str] | None = None,
    queries: NDArray[np.float32] | None = None,
    unreadable: tuple[str, ...] = (),
    resamples: int = 1000,
    seed: int = 0,
) -> Scorecard:
    """Put together the scorecard of predictions that exist already.

    Args:
        predictions: one per row of *truth*.
        truth: what is known of the photos.
        training: what the constant answers are fitted on.
        facts: of the model.
        queries: ``[N, D]`` embedded (time, place) of each photo, for retrieval.
        unreadable: name and reason of the photos left out.
        resamples: of the sources.
        seed: of the resampling.
    """
    metrics.check_lengths(predictions, truth)
    answers = {"least expected error": metrics.least_expected(predictions), "arg-max": metrics.arg_max(predictions)}
    if training is not None:
        answers["best constant"] = metrics.best_constant(training, len(truth))
    errors = metrics.errors(answers["least expected error"], truth)
    images = [prediction.embedding for prediction in predictions if prediction.embedding is not None]
    searchable = queries is not None and len(images) == len(predictions)
    levels = {"time": metrics.time_levels(predictions, truth), "place": metrics.place_levels(predictions, truth)}
    return Scorecard(
        model=dict(facts or {}),
        photos=len(truth),
        sources=len(np.unique(truth.group)),
        unreadable=unreadable,
        answers={
            name: metrics.point_metrics(answer, truth, resamples=resamples, seed=seed)
            for name, answer in answers.items()
        },
        retrieval=metrics.retrieval(queries, np.stack(images), truth, resamples=resamples, seed=seed)
        if searchable and queries is not None
        else {},
        verification=tampering.verification(predictions, truth),
        detection=tampering.detection_curves(predictions, truth),
        coverage={
            kind: metrics.coverage(level, truth.group, resamples=resamples, seed=seed)
            for kind, level in levels.items()
            if np.isfinite(level).any()
        },
        slices=_slices(errors, truth),
    )


def _slices(errors: metrics.Errors, truth: PhotoTable) -> dict[str, dict[str, Figure]]:
    with np.errstate(invalid="ignore"):
        hour = np.floor(24.0 * truth.day_turn / SLICE_HOURS) * SLICE_HOURS
    hours = np.array([f"{int(h):02}–{int(h) + SLICE_HOURS:02} h" if np.isfinite(h) else "" for h in hour])
    months = np.array([f"{int(m):02}" if np.isfinite(m) else "" for m in truth.metric_month])
    north = np.array(["" if not np.isfinite(lat) else "north" if lat >= 0 else "south" for lat in truth.latitude_deg])
    return {
        "hour error by hour": metrics.sliced(errors.hour, hours, truth.group),
        "hour error by month": metrics.sliced(errors.hour, months, truth.group),
        "month error by month": metrics.sliced(errors.month, months, truth.group),
        "month error by hour": metrics.sliced(errors.month, hours, truth.group),
        "month error by hemisphere": metrics.sliced(errors.month, north, truth.group),
        "hour error by hemisphere": metrics.sliced(errors.hour, north, truth.group),
    }


def _decoded(path: Path, short_side: int) -> Pixels:
    with path.open("rb") as stream:
        kind = types.media_type(stream.read(types.HEAD_BYTES), name=path.name.encode())
    return pixels.decode(path, path.name, kind, short_side=short_side).shown


def _places(table: PhotoTable) -> NDArray[np.float64]:
    return np.stack([table.latitude_deg, table.longitude_deg], axis=1)


# --------------------------------------------------------------------------- text and JSON


def as_json(card: Scorecard) -> str:
    """Return the scorecard as JSON; NaN becomes null."""
    return json.dumps(plain(asdict(card)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_text(card: Scorecard) -> str:
    """Return the scorecard as a table for people: each figure with its 95 % interval and its n."""
    lines = [f"{card.photos} photos of {card.sources} sources, {len(card.unreadable)} not examined"]
    for title, figures in _chapters(card):
        lines += ["", title, *(f"  {name:<28}{_told(figure)}" for name, figure in figures.items())]
    return "\n".join(lines) + "\n"


def _chapters(card: Scorecard) -> list[tuple[str, Figures]]:
    chapters = [(f"answers: {name}", figures) for name, figures in card.answers.items()]
    chapters += [("retrieval by time and place", card.retrieval), ("verification of month and hour", card.verification)]
    chapters += [(f"flagged, by shift in {name}", figures) for name, figures in card.detection.items()]
    chapters += [(f"truths inside the smallest region: {name}", figures) for name, figures in card.coverage.items()]
    chapters += list(card.slices.items())
    return [(title, figures) for title, figures in chapters if figures]


def _told(figure: Figure) -> str:
    between = "" if np.isnan(figure.low) else f"  [{figure.low:.3g}, {figure.high:.3g}]"
    return f"{figure.value:8.3f}{between:<20}  n = {figure.photos} of {figure.sources} sources"


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: what is no number is null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


# --------------------------------------------------------------------------- the page


def draw(card: Scorecard, predictions: Sequence[Prediction], truth: PhotoTable, path: Path) -> None:
    """Draw a PNG page: calibration, errors by hour and month, detection by size, and a map of where places went.

    Raises:
        MissingExtra: when matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Page
    except ImportError as error:
        raise MissingExtra("a page of plots", "train") from error
    page = Page(figsize=(11.0, 13.0), layout="constrained")
    FigureCanvasAgg(page)
    axes = page.subplots(3, 2, gridspec_kw={"height_ratios": [1, 1, 1.1]})
    _draw_coverage(axes[0, 0], card.coverage)
    _draw_detection(axes[0, 1], card.detection)
    _draw_slices(axes[1, 0], card.slices.get("hour error by hour", {}), "hour error by hour of day", "hours")
    _draw_slices(axes[1, 1], card.slices.get("month error by month", {}), "month error by month", "months")
    for unused in axes[2]:
        unused.remove()
    _draw_map(page.add_subplot(axes[2, 0].get_gridspec()[2, :]), predictions, truth)
    page.suptitle(f"{card.model.get('name', 'predictions')}: {card.photos} photos of {card.sources} sources")
    page.savefig(path, dpi=110, metadata={"Software": None})


def _bars(figures: Figures) -> tuple[Any, Any]:
    value = np.array([figure.value for figure in figures.values()])
    low = np.array([figure.low for figure in figures.values()])
    high = np.array([figure.high for figure in figures.values()])
    return value, np.nan_to_num(np.abs(np.stack([value - low, high - value])))


def _draw_coverage(axes: Axes, coverage: Mapping[str, Figures]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for kind, figures in coverage.items():
        value, bars = _bars(figures)
        axes.errorbar([float(level) for level in figures], value, yerr=bars, marker="o", capsize=3, label=kind)
    axes.set(title="calibration: truths inside the region", xlabel="mass the region should hold", ylabel="share inside")
    if coverage:
        axes.legend()


def _draw_detection(axes: Axes, detection: Mapping[str, Figures]) -> None:
    for kind in ("hours", "months"):
        figures = {name: figure for name, figure in detection.get(kind, {}).items() if name != "honest"}
        if figures:
            value, bars = _bars(figures)
            axes.errorbar([float(name) for name in figures], value, yerr=bars, marker="o", capsize=3, label=kind)
    axes.axhline(tampering.ALARM_RATE, color="0.7", linewidth=1)
    axes.set(title="flagged claims by size of shift", xlabel="shift", ylabel="share flagged", ylim=(0, 1))
    if detection.get("hours") or detection.get("months"):
        axes.legend()


def _draw_slices(axes: Axes, figures: Figures, title: str, unit: str) -> None:
    value, bars = _bars(figures) if figures else ([], None)
    if figures:
        axes.bar(range(len(figures)), value, yerr=bars, capsize=3, color="0.75")
        axes.set_xticks(range(len(figures)), list(figures), rotation=45, ha="right")
        for place, figure in enumerate(figures.values()):
            axes.annotate(f"n={figure.photos}", (place, 0), ha="center", va="bottom", fontsize=7)
    axes.set(title=title, ylabel=unit)


def _draw_map(axes: Axes, predictions: Sequence[Prediction], truth: PhotoTable) -> None:
    for row in np.flatnonzero(truth.placed).tolist():
        answer = predictions[row].position
        ends = (truth.longitude_deg[row], answer.longitude_deg), (truth.latitude_deg[row], answer.latitude_deg)
        if abs(ends[0][0] - ends[0][1]) <= 180.0:  # a line across the date line would cross the whole page
            axes.plot(*ends, color="0.85", linewidth=0.5, zorder=1)
        axes.plot(ends[0][0], ends[1][0], ".", color="tab:blue", markersize=4, zorder=2)
        axes.plot(ends[0][1], ends[1][1], ".", color="tab:red", markersize=2, zorder=3)
    axes.set(xlim=(-180, 180), ylim=(-90, 90), title="places: true (blue), answered (red)", xlabel="°E", ylabel="°N")
