"""One clock model per device, with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import ClockModel
from gtloc_forensics.report.blocks import Block, Bullets, Facts, Figure, Heading, Prose, Row, Text, Together, text_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.drawings.clock_plots import posterior_plot, residual_plot
from gtloc_forensics.report.text import plain


def clocks(edition: Edition) -> Iterator[Block]:
    """Yield the chapter on clocks; nothing where no device allows a model."""
    models = edition.view.clocks()
    if not models:
        return
    yield Heading(edition.words("clocks.title"), 1, "clocks")
    yield Prose(edition.words("clocks.lead"))
    for number, model in enumerate(models, start=1):
        yield Together(tuple(_clock(edition, model, number)))


def _clock(edition: Edition, model: ClockModel, number: int) -> Iterator[Block]:
    words = edition.words
    yield Heading((*text_of(f"{number}. "), *text_of(plain(model.label))), 2, f"clock-{number}")
    yield Prose(text_of(words.sentence(model.summary, limit=1_000)))
    yield Facts(tuple(_facts(edition, model)), 0.34)
    plots = [figure for figure in (_posterior(edition, model), _residuals(edition, model)) if figure]
    if plots:
        yield Row(tuple((figure,) for figure in plots), (0.5, 0.5)[: len(plots)])
    if model.evidence:
        yield Prose(words("clocks.evidence"), "label")
        yield Bullets(tuple(text_of(words.told(sentence, limit=600)) for sentence in model.evidence))


def _facts(edition: Edition, model: ClockModel) -> Iterator[tuple[Text, Text]]:
    words = edition.words
    yield words("clocks.kind"), text_of(words.line(f"clock_kind.{_key(model.kind)}"), "bold")
    yield words("clocks.probability"), text_of(words.number(model.probability, 3))
    yield words("clocks.photos"), text_of(words.number(model.photos))
    if model.offset_hours is not None:
        yield words("clocks.offset"), text_of(hours_of(edition, model.offset_hours))
    if model.interval_hours is not None:
        low, high = (hours_of(edition, hours) for hours in model.interval_hours)
        yield words("clocks.interval"), text_of(f"{low} … {high}")
    for first, last, offset in model.segments:
        names = [plain(edition.survey.names.get(source_id, source_id)) for source_id in (first, last)]
        segment = words("clocks.segment", first=names[0], last=names[1], offset=hours_of(edition, offset))
        yield words("clocks.piece"), segment


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
