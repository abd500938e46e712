"""``gtloc model``, ``gtloc train``, ``gtloc evaluate``: getting a model, making one, and judging one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import say

if TYPE_CHECKING:
    from gtloc_forensics.vision.install import Target

Existing = click.Path(exists=True, path_type=Path)


@click.group()
def model() -> None:
    """List, show and install models."""


@model.command("list")
@says_what_went_wrong
def list_models() -> None:
    """List the models that --model can name, the user's first, and the text towers beside them."""
    from gtloc_forensics.vision import library
    from gtloc_forensics.vision.manifest import TEXT_TOWER

    for name in library.installed():
        say(f"{name}  {library.find(name)}")
    for name in library.installed(marker=TEXT_TOWER):
        say(f"{name}  {library.find(name, marker=TEXT_TOWER)}  (text tower)")


@model.command()
@click.argument("name")
@says_what_went_wrong
def show(name: str) -> None:
    """Load the model NAME and print what it is, and its card where it has one."""
    from gtloc_forensics import vision
    from gtloc_forensics.vision import library

    loaded = vision.load(name, device="cpu")
    for fact, value in loaded.facts.items():
        say(f"{fact:<16} {value}")
    loaded.close()
    card = library.find(name) / "CARD.md"
    if card.is_file():
        say(f"\n{card.read_text(encoding='utf-8')}", nl=False)


@model.command()
@click.argument("source", required=False, type=Existing)
@click.option("--geoclip", "kind", flag_value="geoclip", help="SOURCE is the geoclip wheel or folder, or installed.")
@click.option("--clip", "kind", flag_value="clip", help="SOURCE holds CLIP ViT-L/14: HF, OpenAI or timm layout.")
@click.option(
    "--text-tower",
    "kind",
    flag_value="text-tower",
    help="SOURCE is a folder with a whole CLIP as published.",
)
@click.option("--download", is_flag=True, help="With --clip and no SOURCE: fetch it from the model hub.")
@click.option("--name", default="", help="What to call it [default: gtloc, geoclip or the folder's name].")
@click.option("--gallery", type=Existing, help="Place gallery for a GT-Loc checkpoint (.npy or .csv).")
@click.option("--ten-crop", is_flag=True, help="Look at ten crops of each picture, as published.")
@click.option("--replace", is_flag=True, help="Replace a model of that name.")
@says_what_went_wrong
def add(source: Path | None, kind: str | None, download: bool, **options: Any) -> None:
    """Install a model: a GT-Loc checkpoint, GeoCLIP, the CLIP they share, its text tower, or a model folder."""
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.vision import install, library

    folder = library.user_folder()
    target = install.Target(folder, options["name"] or _usual_name(source, kind), options["replace"])
    if kind == "geoclip":
        say(install.add_geoclip(source, target, ten_crop=options["ten_crop"]))
    elif kind == "clip":
        say(_add_clip(source, folder, download=download, replace=options["replace"]))
    elif source is None:
        raise UsageError("name the file or folder to install, or --geoclip, or --clip --download")
    elif kind == "text-tower":
        from gtloc_forensics.vision import text_install

        say(text_install.add_text_tower(source, target))
    elif source.is_dir():
        say(install.add_folder(source, target))
    else:
        say(_add_checkpoint(source, target, options))


@model.command()
@click.argument("name")
@click.argument("text")
@click.option("--places", "count", type=click.IntRange(1, 50), default=5, show_default=True, help="Most to name.")
@says_what_went_wrong
def locate(name: str, text: str, count: int) -> None:
    """Ask the model NAME where TEXT is, as GeoCLIP is asked by words; it needs a text tower (docs/models.md)."""
    from gtloc_forensics import vision
    from gtloc_forensics.earth import gazetteer
    from gtloc_forensics.vision import text_tower

    loaded = vision.load(name, device="cpu")
    for share, position in text_tower.places_of(loaded, text, count=count):
        town = gazetteer.told(gazetteer.well_known(position))
        say(f"{100 * share:5.1f} %  {position.latitude_deg:.2f}, {position.longitude_deg:.2f}  {town}")
    say("the share of a density that was calibrated for pictures, if at all, and for no text")
    loaded.close()


def _usual_name(source: Path | None, kind: str | None) -> str:
    if kind is not None:
        return kind
    return source.name if source is not None and source.is_dir() else "gtloc"


def _add_checkpoint(source: Path, target: Target, options: dict[str, Any]) -> Path:
    from gtloc_forensics.vision import install

    return install.add_checkpoint(source, target, places=options["gallery"], ten_crop=options["ten_crop"])


def _add_clip(source: Path | None, folder: Path, *, download: bool, replace: bool) -> Path:
    import tempfile

    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.vision import install

    if source is not None:
        return install.add_clip(source, models_dir=folder, replace=replace)
    if not download:
        raise UsageError("name the file that holds CLIP, or say --download to fetch it from the model hub")
    with tempfile.TemporaryDirectory() as place:
        return install.add_clip(install.download_clip(Path(place)), models_dir=folder, replace=replace)


@click.command()
@click.argument("table", type=Existing)
@click.option("--base", required=True, help="Model or backbone whose frozen part is used, by name or folder.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@click.option("--name", default="", help="What the model calls itself [default: the folder's name].")
@click.option("--images", type=Existing, help="Folder that the table's paths are relative to.")
@click.option(
    "--system", default="", help="Train another system of the field instead: knn, planet, … (docs/systems.md)."
)
@click.option(
    "--thresholds", default="", help="With --system: fewest:most photos of a cell, coarse to fine, by commas."
)
@click.option("--go-on", is_flag=True, help="Train the heads of --base further instead of fresh ones.")
@click.option("--datable", is_flag=True, help="Also train a head that tells whether a scene can be dated.")
@click.option("--steps", type=int, help="Optimiser steps in all [default: 3000, of a system 500].")
@click.option("--batch", default=256, show_default=True, help="Photos per step.")
@click.option("--learning-rate", default=3e-4, show_default=True, help="Its peak, after the warm-up.")
@click.option(
    "--time-target", type=click.Choice(["kernel", "paper"]), default="kernel", show_default=True, help="Soft target."
)
@click.option(
    "--time-negatives", type=click.Choice(["queue", "grid"]), default="queue", help="What a time is told from."
)
@click.option("--gamma", default=0.05, show_default=True, help="Of the kernel target, in turns of the torus.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@says_what_went_wrong
def train(table: Path, base: str, output: Path, name: str, images: Path | None, **options: Any) -> None:
    """Train a GT-Loc on the photos of TABLE (docs/models.md); a run that was stopped goes on from its checkpoint."""
    from gtloc_forensics.modelling import training

    if options["system"]:
        _train_system(table, base, output, name, images, options)
        return
    made = {key: options[key] for key in ("batch", "learning_rate", "time_target", "time_negatives", "gamma")}
    made["steps"] = options["steps"] or training.Settings().steps
    settings = training.Settings(**made, seed=options["seed"])
    folder, called = training.find_base(base), name or output.name
    if options["go_on"]:
        start = training.going_on(folder, name=called)
    else:
        start = training.fresh(
            folder, name=called, shape=training.Shape(datable=options["datable"]), seed=settings.seed
        )
    done = training.train(
        table, settings, start=start, out=output, device=options["device"], images=images, progress=_tell
    )
    for reason in done.unreadable:
        say(f"not used: {reason}", err=True)
    say(f"{done.folder}: {done.steps} steps on {done.photos} photos")


def _train_system(
    table: Path, base: str, output: Path, name: str, images: Path | None, options: dict[str, Any]
) -> None:
    from gtloc_forensics.modelling.training import system_cells, systems

    usual = systems.SystemSettings()
    settings = systems.SystemSettings(
        steps=options["steps"] or usual.steps,
        batch=options["batch"],
        learning_rate=options["learning_rate"],
        thresholds=system_cells.parsed(options["thresholds"]),
        seed=options["seed"],
    )
    done = systems.train_system(
        options["system"],
        table,
        settings,
        base=systems.base_folder(base),
        out=output,
        name=name,
        device=options["device"],
        images=images,
        progress=_tell,
    )
    for reason in done.unreadable:
        say(f"not used: {reason}", err=True)
    cells = ", ".join(f"{what} {count}" for what, count in done.spec.cells.items()) or "none"
    kind = options["system"]
    say(f"{done.folder}: {kind}, step {done.kept_step} kept, {done.photos} photos; cells: {cells}")


@click.command()
@click.argument("table", type=Existing)
@click.option("--model", "names", multiple=True, help="Name or folder; may be given more than once.")
@click.option("--systems", default="", help="Systems side by side: 'all', or names and folders parted by commas.")
@click.option("--arg-max", is_flag=True, help="With --systems: the papers' arg-max answers, not those of least error.")
@click.option("--latex", is_flag=True, help="With --systems: write LaTeX to stdout.")
@click.option("--images", type=Existing, help="Folder that the table's paths are relative to.")
@click.option("--split", default="", help="Only the rows of this split.")
@click.option("--training", type=Existing, help="Table on which the constant predictors are fitted.")
@click.option("--resamples", default=1000, show_default=True, help="Of the sources, for the intervals.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for a JSON and a PNG per model.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
@says_what_went_wrong
def evaluate(table: Path, names: tuple[str, ...], images: Path | None, split: str, **options: Any) -> None:
    """Judge models on the photos of TABLE, unseen in training: the published metrics, with intervals."""
    if options["systems"]:
        _compare(table, names, images, split, options)
        return
    if not names:
        from gtloc_forensics.errors import UsageError

        raise UsageError("name what to judge: --model NAME, or --systems all")
    from gtloc_forensics import vision
    from gtloc_forensics.modelling import phototable, scorecard

    truth = phototable.read(table, images=images, split=split)
    fitted = phototable.read(options["training"], images=images) if options["training"] else None
    for name in names:
        loaded = vision.load(name, device=options["device"])
        known, predictions, refused = scorecard.predict(loaded, truth, progress=_tell)
        card = scorecard.of_predictions(
            predictions,
            known,
            training=fitted,
            facts=loaded.facts,
            queries=scorecard.fused_queries(loaded, known),
            unreadable=refused,
            resamples=options["resamples"],
            seed=options["seed"],
        )
        loaded.close()
        say(scorecard.as_json(card) if options["as_json"] else scorecard.as_text(card))
        if options["output"] is not None:
            options["output"].mkdir(parents=True, exist_ok=True)
            stem = options["output"] / Path(name).name
            stem.with_suffix(".json").write_text(scorecard.as_json(card) + "\n", encoding="utf-8")
            scorecard.draw(card, predictions, known, stem.with_suffix(".png"))


def _compare(table: Path, names: tuple[str, ...], images: Path | None, split: str, options: dict[str, Any]) -> None:
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.modelling import metrics, phototable, systems_table
    from gtloc_forensics.vision import library, systems

    named = [part for part in options["systems"].split(",") if part]
    asked = [*names, *([*library.installed(), *systems.installed()] if named == ["all"] else named)]
    truth = phototable.read(table, images=images, split=split)
    fitted = phototable.read(options["training"], images=images) if options["training"] else None
    judged = []
    for name in dict.fromkeys(asked):
        say(f"judging {name}", err=True)
        known, found = systems_table.judge(
            name,
            truth,
            training=fitted,
            device=options["device"],
            resamples=options["resamples"],
            seed=options["seed"],
            progress=_tell,
        )
        judged.append(found)
    if not judged:
        raise UsageError("no model and no system is installed; `gtloc train --system` makes one")
    answer = "arg-max" if options["arg_max"] else "least expected error"
    data = "" if split else phototable.recognised(table)
    chance = metrics.retrieval_by_chance(known, resamples=options["resamples"], seed=options["seed"])
    comparison = systems_table.compared(judged, data=data, answer=answer, chance=chance)
    written = {"json": systems_table.as_json, "tex": systems_table.as_latex, "txt": systems_table.as_text}
    shown = "json" if options["as_json"] else "tex" if options["latex"] else "txt"
    say(written[shown](comparison), nl=False)
    if options["output"] is not None:
        options["output"].mkdir(parents=True, exist_ok=True)
        for suffix, write in written.items():
            (options["output"] / f"systems.{suffix}").write_text(write(comparison), encoding="utf-8")
        systems_table.draw(comparison, judged, known, options["output"] / "systems.png")


def _tell(doing: str, done: int, whole: int) -> None:
    """Print a line for every tenth of a stage."""
    if whole and (done == whole or done * 10 // whole != (done - 1) * 10 // whole):
        say(f"{doing}: {done} of {whole}", err=True)
