"""A text tower into the user's folder: what ``gtloc model add --text-tower`` does.

The folder is one that the user has, in the layout in which CLIP is published: ``config.json``, ``model.safetensors``
with both halves, and the tokenizer as ``vocab.json`` and ``merges.txt`` or as ``tokenizer.json``. The image half in it
is compared with that of the installed models: words and pictures of two different CLIPs have nothing to do with one
another, however well their widths agree. Only the text half is kept. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from torch import Tensor

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.records import Sentence
from gtloc_forensics.vision import convert, install, library, text_tower, weights
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.text_tower import MERGES, TEXT, VOCABULARY, TextSizes, TextTower, TextTowerSpec, Vocabulary

CONFIG, MODEL, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"


class _Config(msgspec.Struct, frozen=True):
    """``config.json`` of a whole CLIP."""

    text_config: TextSizes
    projection_dim: int = 512


class _Pieces(msgspec.Struct, frozen=True):
    """Of ``tokenizer.json`` what a tokenizer of this kind is made of."""

    vocab: dict[str, int]
    merges: list[str | tuple[str, str]]


class _Tokenizer(msgspec.Struct, frozen=True):
    model: _Pieces


def add_text_tower(path: Path, target: install.Target) -> Path:
    """Install the text half of a CLIP for the models that look through its image half.

    Args:
        path: a folder in the published layout.
        target: where to.

    Returns:
        The tower's folder.

    Raises:
        WeightsError: a file is missing or damaged, or no installed model looks through this CLIP.
        UsageError: the name is taken.
        MissingExtra: transformers is not installed.
    """
    folder = target.folder
    sizes = _sizes(path)
    vocabulary, merges = _tokens(path)
    tokens = Vocabulary.of_files(vocabulary, merges, sizes=sizes, origin=str(path))
    everything = weights.read_tensors(manifests.place_within(path, MODEL))
    side = _image_side(everything, origin=str(path / MODEL))
    spec = TextTowerSpec(
        name=target.name,
        image_side=side,
        sizes=sizes,
        learned_with=_whose(side, sizes, target.models_dir),
        licence=install.CLIP_LICENCE,
        sources=(f"{MODEL}, sha256 {library.sha256_of(path / MODEL)}",),
    )
    text = {name: tensor for name, tensor in everything.items() if _is_of_the_text(name)}
    TextTower(spec, text, tokens).features(["a photo"])
    return _written(folder, spec, text, {VOCABULARY: vocabulary, MERGES: merges})


def _is_of_the_text(name: str) -> bool:
    own = name.startswith("text_model.") or name == "text_projection.weight"
    return own and not name.endswith(".position_ids")


def _sizes(path: Path) -> TextSizes:
    try:
        config = msgspec.json.decode(manifests.read_within(path, CONFIG), type=_Config)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} holds no {CONFIG}; name a folder in the published layout of CLIP") from error
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path / CONFIG} is not that of a whole CLIP ({error})") from error
    sizes = msgspec.structs.replace(config.text_config, projection_dim=config.projection_dim)
    if sizes.wrong:
        raise WeightsError(f"{path / CONFIG}: {sizes.wrong}")
    return sizes


def _tokens(path: Path) -> tuple[bytes, bytes]:
    """Return the tokenizer as vocabulary and pairs, of whichever files it is published in."""
    try:
        return manifests.read_within(path, VOCABULARY), manifests.read_within(path, MERGES)
    except FileNotFoundError:
        pass  # the newer layout has both in one file
    try:
        pieces = msgspec.json.decode(manifests.read_within(path, TOKENIZER), type=_Tokenizer).model
    except FileNotFoundError as error:
        raise WeightsError(f"{path} holds no tokenizer: neither {VOCABULARY} and {MERGES} nor {TOKENIZER}") from error
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path / TOKENIZER} is not that of a CLIP ({error})") from error
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in pieces.merges]
    return msgspec.json.encode(pieces.vocab), ("\n".join(pairs) + "\n").encode()


def _image_side(tensors: Mapping[str, Tensor], *, origin: str) -> str:
    if not any(name.startswith("vision_model.") for name in tensors):
        raise WeightsError(
            f"{origin} holds no image half, so nothing shows which CLIP its words belong to; "
            "the published file holds both"
        )
    converted, extractor = convert.clip(tensors, origin=origin)
    return weights.image_side(converted, architecture=extractor.architecture)


def _whose(side: str, sizes: TextSizes, models_dir: Path) -> str:
    """Return the installed model or backbone that looks through this image side.

    Raises:
        WeightsError: none does; told is of each what speaks against it.
    """
    against = []
    for name, width, tensors, architecture in _seeing_through_clip(models_dir):
        if width != sizes.projection_dim:
            against.append(f"{name} has {width} features, the tower {sizes.projection_dim}")
        elif weights.image_side(tensors, architecture=architecture) == side:
            return name
        else:
            against.append(f"{name} looks through another CLIP of the same width")
    told = "; ".join(against) or "none is installed that looks through a CLIP: gtloc model add --clip FILE, or GT-Loc"
    raise WeightsError(Sentence("the text tower belongs to no installed model: {why}", why=told))


def _seeing_through_clip(models_dir: Path) -> Iterator[tuple[str, int, Mapping[str, Tensor], str]]:
    """Yield name, width and weights of what looks through one CLIP, with what its net is called."""
    if (models_dir / install.CLIP_FOLDER / library.BACKBONE).is_file():
        folder, backbone = install.read_backbone(models_dir)
        tensors = weights.read_tensors(folder / manifests.WEIGHTS)
        width = int(tensors[f"extractors.{convert.CLIP}.head.weight"].shape[0])
        yield install.CLIP_FOLDER, width, tensors, backbone.extractor.architecture
    for name in library.installed(models_dir):
        described = manifests.read(library.find(name, models_dir=models_dir))
        if text_tower.reads_no_text(described) or described.extractors[0].weights_from:
            continue
        module = weights.load(library.find(name, models_dir=models_dir), models_dir=models_dir).module
        yield (
            name,
            described.image_head.widths[0],
            weights.outer_state(module),
            described.extractors[0].architecture,
        )


def _written(folder: Path, spec: TextTowerSpec, text: dict[str, Tensor], files: Mapping[str, bytes]) -> Path:
    """Write the tower's folder, ``text.json`` last, so that one cut short is none."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {manifests.WEIGHTS: weights.save_tensors(folder / manifests.WEIGHTS, text)}
    for name, content in files.items():
        write_bytes(folder / name, content)
        kept[name] = library.sha256_of(folder / name)
    complete = msgspec.structs.replace(spec, files=kept)
    write_bytes(folder / TEXT, msgspec.json.format(msgspec.json.encode(complete), indent=2) + b"\n")
    return folder
