"""The text half of a CLIP, beside a model that looks through its image half: words into the model's common space.

A text tower belongs to one image side, named by the hash of its weights: the numbers that CLIP learned make words and
pictures comparable only together. What it makes of words goes through the model's image head, as the papers of GeoCLIP
and GT-Loc do (papers.md §4), and is then compared with pictures and places like the embedding of a picture.
Its net is that of the package transformers, which is loaded when words are read and asked for nothing on a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.records import Position, Sentence
from gtloc_forensics.vision import library, weights
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.manifest import Manifest, Tap
from gtloc_forensics.vision.torchvision_shim import transformers_module

if TYPE_CHECKING:
    from gtloc_forensics.vision.model import Model

TEXT = manifests.TEXT_TOWER
VOCABULARY, MERGES = "vocab.json", "merges.txt"
FORMAT = 1
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
_LEGACY_END = 2
"""What published configurations call the end of a text; transformers then takes the highest token, which it is."""
_MOST = {
    "hidden_size": 4096,
    "intermediate_size": 16_384,
    "num_hidden_layers": 64,
    "num_attention_heads": 64,
    "max_position_embeddings": 1024,
    "vocab_size": 200_000,
    "projection_dim": 4096,
}
_ACTIVATIONS = ("quick_gelu", "gelu")


class TextSizes(msgspec.Struct, frozen=True):
    """Of ``config.json``, in its published words, what decides the net; the usual where it is silent."""

    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    vocab_size: int = 49_408
    projection_dim: int = 512
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    eos_token_id: int = 49_407

    @property
    def wrong(self) -> str:
        """What no such net can have; "" when it can be built."""
        for name, most in _MOST.items():
            if not 1 <= getattr(self, name) <= most:
                return f"{name} is not 1 to {most}"
        if self.hidden_size % self.num_attention_heads or self.hidden_act not in _ACTIVATIONS:
            return "hidden_size is no multiple of the heads, or hidden_act is neither quick_gelu nor gelu"
        return "" if 0.0 < self.layer_norm_eps < 1.0 else "layer_norm_eps is not between 0 and 1"


class TextTowerSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``text.json``: what a tower is, and the image side that it belongs to.

    Attributes:
        image_side: hash of the image side, as :func:`gtloc_forensics.vision.weights.image_side` gives it.
        learned_with: the installed model or backbone whose image side that was when the tower was added.
    """

    name: str
    image_side: str
    sizes: TextSizes
    learned_with: str
    format: int = FORMAT
    licence: str = ""
    sources: tuple[str, ...] = ()
    files: dict[str, str] = {}


# --------------------------------------------------------------------------- what belongs together


def reads_no_text(manifest: Manifest) -> str:
    """Return why no text tower can serve a model; "" for one that looks through the projection of one CLIP alone."""
    is_clip = len(manifest.extractors) == 1 and manifest.extractors[0].taps == (Tap("head"),)
    if is_clip and "clip" in manifest.extractors[0].architecture:
        return ""
    return Sentence(
        "the model {model} does not look through the projection of a CLIP alone, so no text tower belongs to it",
        model=manifest.name,
    )


def installed(models_dir: Path | None = None) -> tuple[str, ...]:
    """Return the names of the text towers that are installed."""
    return library.installed(models_dir, marker=TEXT)


def of_model(model: Model, *, models_dir: Path | None = None) -> TextTower:
    """Return the installed text tower that belongs to a model.

    Raises:
        WeightsError: there is none, and why; or it is damaged.
        MissingExtra: transformers is not installed.
    """
    why = reads_no_text(model.manifest)
    if why:
        raise WeightsError(why)
    own = model.image_side()
    for name in installed(models_dir):
        folder = library.find(name, models_dir=models_dir, marker=TEXT)
        if read_spec(folder).image_side == own:
            return load(folder)
    raise WeightsError(
        Sentence(
            "no text tower is installed that was learned with the CLIP of the model {model}; "
            "`gtloc model add --text-tower FOLDER` installs one",
            model=model.name,
        )
    )


def places_of(model: Model, text: str, *, count: int, models_dir: Path | None = None) -> list[tuple[float, Position]]:
    """Return the cells to which a model gives most of its mass when it is asked by words, each with its share.

    Raises:
        WeightsError: the model judges no places, or no text tower belongs to it.
        UsageError: the text is too long, or empty.
    """
    if model.manifest.location_encoder is None:
        raise WeightsError(Sentence("the model {model} knows no places", model=model.name))
    if not text.strip():
        raise UsageError(Sentence("say in words what place is meant"))
    tower = of_model(model, models_dir=models_dir)
    place = model.told_place(model.embedded_features(tower.features([text])))
    rows = zip(place.mass[:count], place.latitude_deg, place.longitude_deg, strict=False)
    return [(float(share), Position(float(latitude), float(longitude))) for share, latitude, longitude in rows]


# --------------------------------------------------------------------------- on disk


def read_spec(folder: Path) -> TextTowerSpec:
    """Read ``text.json``.

    Raises:
        WeightsError: it is missing or wrong.
    """
    spec = manifests.described(folder, TEXT, TextTowerSpec, what="text tower", remedy="add it again")
    wrong = spec.sizes.wrong or ("" if spec.format == FORMAT else f"format {spec.format} is unknown")
    if wrong or not manifests.is_name(spec.name):
        raise WeightsError(f"{folder / TEXT}: {wrong or 'its name is none'}; add the text tower again")
    return spec


def load(folder: Path) -> TextTower:
    """Read an installed tower.

    Raises:
        WeightsError: a file is missing, damaged or not what ``text.json`` says.
        MissingExtra: transformers is not installed.
    """
    spec = read_spec(folder)
    for name in (manifests.WEIGHTS, VOCABULARY, MERGES):
        path = manifests.place_within(folder, name)
        if library.sha256_of(path) != spec.files.get(name):
            raise WeightsError(f"{path} is not the file that {TEXT} names; add the text tower again")
    vocabulary = manifests.read_within(folder, VOCABULARY)
    merges = manifests.read_within(folder, MERGES)
    tokens = Vocabulary.of_files(vocabulary, merges, sizes=spec.sizes, origin=str(folder))
    return TextTower(spec, weights.read_tensors(folder / manifests.WEIGHTS), tokens)


class Vocabulary(msgspec.Struct, frozen=True):
    """The tokens of a CLIP and the pairs that they are made of."""

    numbers: dict[str, int]
    merges: tuple[tuple[str, str], ...]

    @classmethod
    def of_files(cls, vocabulary: bytes, merges: bytes, *, sizes: TextSizes, origin: str) -> Vocabulary:
        """Read ``vocab.json`` and ``merges.txt``.

        Raises:
            WeightsError: they are none, or do not fit the net.
        """
        try:
            numbers = msgspec.json.decode(vocabulary, type=dict[str, int])
            lines = [line for line in merges.decode("utf-8").splitlines() if line and not line.startswith("#version")]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise WeightsError(f"{origin}: {VOCABULARY} or {MERGES} cannot be read ({error})") from error
        pairs = [tuple(line.split(" ")) for line in lines]
        found = cls(numbers, tuple((pair[0], pair[-1]) for pair in pairs))
        wrong = found._wrong(sizes) or ("a line of merges.txt is no pair" if any(len(p) != 2 for p in pairs) else "")
        if wrong:
            raise WeightsError(f"{origin}: {wrong}; the files of a tokenizer must be those of the text tower")
        return found

    def _wrong(self, sizes: TextSizes) -> str:
        if not {BEGIN, END} <= self.numbers.keys():
            return f"the vocabulary lacks {BEGIN} or {END}"
        if sorted(self.numbers.values()) != list(range(len(self.numbers))) or len(self.numbers) > sizes.vocab_size:
            return "the numbers of the tokens are not those of the net"
        ends = {_LEGACY_END, self.numbers[END]}
        if sizes.eos_token_id not in ends or self.numbers[END] != max(self.numbers.values()):
            return "the end of a text is another token than the net's"
        if any(first + second not in self.numbers for first, second in self.merges):
            return "a pair makes no token"
        return ""


# --------------------------------------------------------------------------- at work


class TextTower:
    """A text tower in memory, on the processor: it reads a few words at a time.

    Attributes:
        spec: what it is.
        weights_sha256: of its numbers.
    """

    def __init__(self, spec: TextTowerSpec, tensors: Mapping[str, Tensor], tokens: Vocabulary) -> None:
        """Build the net and fill it strictly.

        Raises:
            WeightsError: the numbers do not fit the sizes, or one is none.
            MissingExtra: transformers is not installed.
        """
        transformers = transformers_module()
        self.spec, self.weights_sha256 = spec, spec.files.get(manifests.WEIGHTS, "")
        sizes = msgspec.structs.asdict(spec.sizes)
        self._end = tokens.numbers[END]
        config = transformers.CLIPTextConfig(**sizes, bos_token_id=tokens.numbers[BEGIN], pad_token_id=self._end)
        self._tokens = transformers.CLIPTokenizer(vocab=dict(tokens.numbers), merges=list(tokens.merges))
        net: Any = transformers.CLIPTextModelWithProjection(config)
        if broken := sorted(name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()):
            raise WeightsError(f"the text tower {spec.name} holds numbers that are none: {', '.join(broken[:6])}")
        try:
            net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=True)
        except RuntimeError as error:
            raise WeightsError(f"the weights of the text tower {spec.name} do not fit its sizes ({error})") from error
        self._net = net.eval()

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return ``[N, P]``, not of unit length: where the tower puts each text among the features of pictures.

        Raises:
            UsageError: a text has more tokens than the tower reads; none is cut off in silence.
        """
        rows = []
        for text in texts:
            numbers = self._tokens(text)["input_ids"]
            if len(numbers) > self.spec.sizes.max_position_embeddings:
                most = self.spec.sizes.max_position_embeddings - 2
                raise UsageError(
                    Sentence(
                        "the text tower reads at most {most} tokens at once, and {text:quoted} has more; "
                        "leave words out",
                        most=most,
                        text=text[:60],
                    )
                )
            with torch.inference_mode():
                rows.append(self._net(input_ids=torch.tensor([numbers])).text_embeds[0].float())
        return np.asarray(torch.stack(rows).numpy(), np.float32)
