"""One clock model per device, with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import ClockKind, ClockModel
from gtloc_forensics.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    Prose,
    Row,
    Span,
    Table,
    Text,
    page_of,
    text_of,
)
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.drawings.clock_plots import posterior_plot, residual_plot

_CLOCKS_SHOWN, _SEGMENTS_SHOWN = 40, 12
_WIDE_HOURS = 0.5
_SHARES = (
    ("camera", 0.2),
    ("photos", 0.07),
    ("kind", 0.15),
    ("offset", 0.2),
    ("probability", 0.07),
    ("evidence", 0.26),
    ("page", 0.05),
)


def clocks(edition: Edition) -> Iterator[Block]:
    """Yield a table of all clocks, those that were not right first; nothing where no device allows a model."""
    known = [model for model in edition.view.clocks() if model.kind is not ClockKind.UNDETERMINED]
    models = sorted(known, key=lambda model: (model.kind is ClockKind.RIGHT, -model.photos))
    undetermined = [model for model in edition.view.clocks() if model.kind is ClockKind.UNDETERMINED]
    if not (models or undetermined):
        return
    words = edition.words
    told = {cause.group.cause.device_key: edition.place(cause.anchor) for cause in edition.causes if cause.has_section}
    yield Heading(words("clocks.title"), 1, "clocks", "here")
    yield Prose(words("clocks.lead"), "small")
    columns = tuple(Column(words.line(f"clocks.column_{name}"), share) for name, share in _SHARES)
    rows: list[tuple[Cell, ...]] = [
        _clock_row(edition, model, told.get(model.device_key, "")) for model in models[:_CLOCKS_SHOWN]
    ]
    yield Table(columns, rows, empty=words.line("clocks.none"), dense=True)
    if undetermined:
        photos = sum(model.photos for model in undetermined)
        yield Prose(words("clocks.undetermined", count=len(undetermined), photos=photos), "small")
    if len(models) > _CLOCKS_SHOWN:
        yield Prose(words("clocks.more", count=len(models) - _CLOCKS_SHOWN), "small")


def _clock_row(edition: Edition, model: ClockModel, anchor: str) -> tuple[Cell, ...]:
    words = edition.words
    wrong = model.kind not in (ClockKind.RIGHT, ClockKind.UNDETERMINED)
    kind = Span(words.line(f"clock_kind.{_key(model.kind)}"), "bold" if wrong else "")
    offset = hours_of(edition, model.offset_hours) if model.offset_hours is not None else "–"
    if model.interval_hours is not None:
        low, high = (hours_of(edition, hours) for hours in model.interval_hours)
        offset = f"{offset} ({low} … {high})"
    evidence = "; ".join(words.say(text, limit=200).rstrip(".") for text in model.evidence[:2])
    return (
        text_of(words.say(model.label, limit=80)),
        text_of(words.number(model.photos)),
        (kind,),
        text_of(offset),
        text_of(words.number(model.probability, 2)),
        text_of(evidence),
        page_of(anchor) if anchor else (),
    )


def clock_facts(edition: Edition, model: ClockModel) -> Iterator[tuple[Text, Text]]:
    """Yield how a clock ran, and what speaks for it."""
    words = edition.words
    kind = words.line(f"clock_kind.{_key(model.kind)}")
    probability = words.line("clocks.with_probability", probability=words.number(model.probability, 3))
    yield words("clocks.kind"), (Span(kind, "bold"), Span(f"; {probability}"))
    if model.offset_hours is not None:
        offset = hours_of(edition, model.offset_hours)
        if model.interval_hours is not None:
            low, high = (hours_of(edition, hours) for hours in model.interval_hours)
            offset = f"{offset} ({low} … {high}, 95 %)"
        yield words("clocks.offset"), text_of(offset)
    for first, last, hours in model.segments[:_SEGMENTS_SHOWN]:
        names = [f"{edition.exhibit(source_id)} {edition.name(source_id)}" for source_id in (first, last)]
        segment = words("clocks.segment", first=names[0], last=names[1], offset=hours_of(edition, hours))
        yield words("clocks.piece"), segment
    for text in model.evidence:
        yield words("clocks.evidence"), text_of(words.say(text, limit=400))


def is_wide(model: ClockModel) -> bool:
    """Whether a clock's error is known so loosely that its distribution says more than the number."""
    return model.interval_hours is not None and model.interval_hours[1] - model.interval_hours[0] > _WIDE_HOURS


def clock_plots(edition: Edition, model: ClockModel) -> Iterator[Block]:
    """Yield the drawings of a clock: how far it was off, and each photo against its witnesses."""
    posterior = _posterior(edition, model) if is_wide(model) else None
    plots = [figure for figure in (posterior, _residuals(edition, model)) if figure]
    if plots:
        yield Row(tuple((figure,) for figure in plots), (0.5, 0.5)[: len(plots)])


def _key(kind: str) -> str:
    return kind.replace(" ", "_").replace("/", "_")


def hours_of(edition: Edition, hours: float) -> str:
    """Return a signed duration as hours, minutes and seconds, plus is ahead."""
    seconds = round(abs(hours) * 3600)
    sign = "−" if hours < 0 and seconds else "+"
    parts = [f"{seconds // 3600} h", f"{seconds // 60 % 60} min", f"{seconds % 60} s"]
    return f"{sign}{' '.join(part for part in parts if not part.startswith('0 ')) or '0 s'}"


def _posterior(edition: Edition, model: ClockModel) -> Figure | None:
    if model.posterior_offsets_hours is None or model.posterior_mass is None or len(model.posterior_mass) < 2:
        return None
    drawing = posterior_plot(
        model.posterior_offsets_hours,
        model.posterior_mass,
        interval=model.interval_hours,
        best=model.offset_hours,
        alt=edition.words.line("clocks.posterior_alt"),
    )
    return Figure(drawing, edition.words("clocks.posterior"))


def _residuals(edition: Edition, model: ClockModel) -> Figure | None:
    tally = edition.survey.devices.get(model.device_key)
    if tally is None or len(tally.residuals) < 2:
        return None
    drawing = residual_plot(
        sorted(tally.residuals),
        offset_hours=model.offset_hours,
        interval=model.interval_hours,
        alt=edition.words.line("clocks.residuals_alt"),
    )
    return Figure(drawing, edition.words("clocks.residuals"))
