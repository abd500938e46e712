"""What a manifest store states → tags; everything in it is a stranger's text until a rule has weighed it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

GROUP = "Credentials"

MOST_VALUES = 50
MOST_CHARACTERS = 500

_TIMES = ("exif:DateTimeOriginal", "xmp:CreateDate", "photoshop:DateCreated")
_METADATA = re.compile(r"(stds\.exif|c2pa\.metadata|cawg\.metadata|stds\.iptc)(__\d+)?")
_ACTIONS = re.compile(r"c2pa\.actions(\.v\d+)?(__\d+)?")

Tags = dict[str, tuple[str, ...]]


def tags_of(answer: Mapping[str, Any]) -> Tags:
    """Return the tags of one file from the answer of the process that read it.

    ``State`` is what the library decided: ``Trusted``, ``Valid`` or ``Invalid``; beside its words there are
    ``Damaged`` (a store that cannot be read) and ``Elsewhere`` (the file only names where its manifest lies).
    """
    if "remote" in answer:
        return _named({"State": ["Elsewhere"], "Remote": [answer["remote"]]})
    if "error" in answer:
        return _named({"State": ["Damaged"], "Problem": [answer["error"]]})
    store = _mapping(answer.get("store"))
    manifests = _mapping(store.get("manifests"))
    active_label = store.get("active_manifest")
    active = _mapping(manifests.get(active_label)) if isinstance(active_label, str) else {}
    if not store:
        return {}
    found: dict[str, list[Any]] = {"State": [store.get("validation_state", "Invalid")]}
    found |= _signature(active) | _validation(store) | _metadata(active)
    found |= _actions(active, prefix="")
    for label, manifest in manifests.items():
        if label != active_label:
            for name, values in _actions(_mapping(manifest), prefix="Ingredient").items():
                found.setdefault(name, []).extend(values)
    found["Ingredient"] = [_mapping(part).get("title") for part in _list(active.get("ingredients"))]
    return _named(found)


def _signature(manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    signature = _mapping(manifest.get("signature_info"))
    generators = [_mapping(part) for part in _list(manifest.get("claim_generator_info"))]
    return {
        "Signer": [signature.get("common_name")],
        "SignerOrganisation": [signature.get("issuer")],
        "SignedAt": [signature.get("time")],
        "Algorithm": [signature.get("alg")],
        "Generator": [
            " ".join(str(part[name]) for name in ("name", "version") if isinstance(part.get(name), str))
            for part in generators
        ]
        or [manifest.get("claim_generator")],
    }


def _validation(store: Mapping[str, Any]) -> dict[str, list[Any]]:
    active = _mapping(_mapping(store.get("validation_results")).get("activeManifest"))
    codes = {kind: [_mapping(part).get("code") for part in _list(active.get(kind))] for kind in ("success", "failure")}
    passed = [code for code in codes["success"] if isinstance(code, str)]
    stamps = [code for code in ("timeStamp.trusted", "timeStamp.validated") if code in passed]
    failed = [code for code in codes["failure"] if code != "signingCredential.untrusted"]
    if not active:  # an older form of the answer
        failed = [_mapping(part).get("code") for part in _list(store.get("validation_status"))]
    return {
        "Problem": list(dict.fromkeys(code for code in failed if isinstance(code, str))),
        "TimeStamp": [*stamps[:1]],
    }


def _actions(manifest: Mapping[str, Any], *, prefix: str) -> dict[str, list[Any]]:
    actions: list[Any] = []
    sources: list[Any] = []
    created: list[Any] = []
    for _, data in _assertions(manifest, _ACTIONS):
        for action in map(_mapping, _list(data.get("actions"))):
            actions.append(action.get("action"))
            sources.append(action.get("digitalSourceType"))
            if action.get("action") == "c2pa.created":
                created.append(action.get("when"))
    for _, data in _assertions(manifest, _METADATA):
        sources.append(data.get("Iptc4xmpExt:DigitalSourceType"))
    return {f"{prefix}Action": actions, f"{prefix}SourceType": sources} | ({} if prefix else {"CreatedWhen": created})


def _metadata(manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for _, data in _assertions(manifest, _METADATA):
        time = next((data[name] for name in _TIMES if isinstance(data.get(name), str)), None)
        if time is not None and "CaptureTime" not in found:
            offset = data.get("exif:OffsetTimeOriginal")
            found["CaptureTime"] = [time]
            found["CaptureOffset"] = [offset] if isinstance(offset, str) else []
        north, east = data.get("exif:GPSLatitude"), data.get("exif:GPSLongitude")
        if north is not None and east is not None and "Latitude" not in found:
            found["Latitude"], found["Longitude"] = [north], [east]
            found["LatitudeRef"] = [data.get("exif:GPSLatitudeRef")]
            found["LongitudeRef"] = [data.get("exif:GPSLongitudeRef")]
    return found


def _assertions(manifest: Mapping[str, Any], label: re.Pattern[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for assertion in map(_mapping, _list(manifest.get("assertions"))):
        name = assertion.get("label")
        if isinstance(name, str) and label.fullmatch(name):
            yield name, _mapping(assertion.get("data"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(found: Mapping[str, list[Any]]) -> Tags:
    """Return tags under the group's name; what is no text or number is left out, what is too long is cut."""
    tags: Tags = {}
    for name, values in found.items():
        kept = [
            str(value)[:MOST_CHARACTERS]
            for value in values
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
        ]
        if kept:
            tags[f"{GROUP}:{name}"] = tuple(kept[:MOST_VALUES])
    return tags
