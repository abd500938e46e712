"""What an examination depended on beside the evidence: what another person needs to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from gtloc_forensics.records.sentences import Sentence, Statement

_MODEL, _READER, _OPINION, _PLUGIN = "model", "metadata reader", "second opinion", "plugin"
_CATALOGUE = "catalogue"
_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Environment:
    """Versions, tables, weights and the command line of one examination; what is unknown is empty.

    Attributes:
        program: version of gtloc_forensics.
        rules: how many there were.
        plugins: those that brought rules, with their versions.
        imagehash: of older cases; the hash of a picture is made without that package since.
        pi_heif, rawpy, av: versions of the optional decoders; "" when they are not installed.
        model: what the model says of itself; empty without one.
        model_absence: why there was no model; "" when there was one.
        readers: metadata readers of plugins → their version.
        opinions: further models, and what each says of itself.
        troubles: plugins that failed, and how.
        command: what does the examination again.
        catalogues: path of each catalogue that was read as a second witness → what it is.
    """

    program: str = ""
    python: str = ""
    platform: str = ""
    exiftool: str = ""
    time_zone_data: str = ""
    time_zone_polygons: str = ""
    pillow: str = ""
    imagehash: str = ""
    numpy: str = ""
    rules: str = ""
    plugins: tuple[str, ...] = ()
    pi_heif: str = ""
    rawpy: str = ""
    av: str = ""
    model: Mapping[str, str] = field(default_factory=dict)
    model_absence: Statement = ""
    readers: Mapping[str, str] = field(default_factory=dict)
    opinions: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, Statement] = field(default_factory=dict)
    command: str = ""
    catalogues: Mapping[str, Statement] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The model that looked at the pixels; "" without one."""
        return self.model.get("name", "")

    @property
    def weights(self) -> frozenset[str]:
        """The SHA-256 of each file of weights; more than one where a backbone is shared."""
        return frozenset(self.model.get("weights", "").split("+")) - {""}

    def labels(self) -> dict[str, Statement]:
        """Return label → value, in the order in which a report prints them; also how a case keeps them."""
        said: dict[str, Statement] = {label: str(getattr(self, name)) for name, label in _LABELS.items()}
        said["plugins"] = ", ".join(self.plugins) or _NOTHING
        said |= _labelled(_MODEL, self.model)
        said |= (
            _labelled(_READER, self.readers) | _labelled(_OPINION, self.opinions) | _labelled(_PLUGIN, self.troubles)
        )
        said |= _labelled(_CATALOGUE, self.catalogues)
        return said | {_MODEL: self.model_absence or self.model_name, "command": self.command}

    @classmethod
    def from_labels(cls, said: Mapping[str, Statement]) -> Self:
        """Return the record that a case keeps as labels; what an older one did not keep is empty."""
        plugins = said.get("plugins", _NOTHING)
        model = _under(_MODEL, said)
        fields: dict[str, Any] = {name: said.get(label, "") for name, label in _LABELS.items()}
        return cls(
            **fields,
            plugins=() if plugins == _NOTHING else tuple(plugins.split(", ")),
            model=model,
            model_absence="" if model else said.get(_MODEL, Sentence("no model")),
            readers=_under(_READER, said),
            opinions=_under(_OPINION, said),
            troubles=_under(_PLUGIN, said),
            command=said.get("command", ""),
            catalogues=_under(_CATALOGUE, said),
        )


def _labelled(kind: str, values: Mapping[str, Statement]) -> dict[str, Statement]:
    return {f"{kind} {name}": value for name, value in values.items()}


def _under(kind: str, said: Mapping[str, Statement]) -> dict[str, Statement]:
    return {label[len(kind) + 1 :]: value for label, value in said.items() if label.startswith(f"{kind} ")}


_LABELS = {
    "program": "gtloc_forensics",
    "python": "Python",
    "platform": "platform",
    "exiftool": "exiftool",
    "time_zone_data": "time-zone data",
    "time_zone_polygons": "time-zone polygons",
    "pillow": "Pillow",
    "imagehash": "imagehash",
    "numpy": "numpy",
    "rules": "rules",
}
"""Field → its label; the words are those of every case that was ever written."""
