"""The case as CASE/UCO JSON-LD (CASE 1.4, UCO 1.4), streamed photo by photo.

Names of classes and properties are those of the ontologies; the tests validate the
result with case-utils. Identifiers are UUIDs of version 5, so the same case gives
the same bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import (
    CaseView,
    Claim,
    CustodyEvent,
    FileStat,
    Finding,
    ImageFacts,
    Photo,
    PhotoEntry,
    Position,
    Prediction,
    Status,
    visible,
)
from gtloc_forensics.report.exports.events import recorded
from gtloc_forensics.report.exports.finding_facts import finding_facts, finding_line
from gtloc_forensics.report.exports.places import places
from gtloc_forensics.report.exports.rows import Progress, entries, known

Node: TypeAlias = dict[str, Any]

_CONTEXT = {
    "kb": "http://example.org/kb/",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-location": "https://ontology.unifiedcyberontology.org/uco/location/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_NAMESPACE = uuid.UUID("0f5c1f5e-3c1e-5d3b-9a55-6d1b1c2f7a10")
_EXIF = ("ExifIFD:", "IFD0:", "GPS:")  # the groups that an EXIFFacet speaks of


def write_case_uco(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write the case as one JSON-LD document."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f'{{"@context": {json.dumps(_CONTEXT)},\n"@graph": [')
        separator = "\n"
        for node in nodes(view, only=only, progress=progress):
            out.write(separator + json.dumps(node, ensure_ascii=False))
            separator = ",\n"
        out.write("\n]}\n")


def nodes(view: CaseView, *, only: frozenset[Status] | None, progress: Progress) -> Iterator[Node]:
    """Yield the objects of the graph."""
    tool = _tool(view.environment)
    yield tool
    files = []
    for entry in entries(view, only=only, progress=progress):
        files.append({"@id": _id("file", entry.photo.source.source_id)})
        yield from _photo(entry)
    yield _provenance(view, files)
    yield from _actions(view.custody(), tool)


def _id(kind: str, name: str) -> str:
    return f"kb:{kind}-{uuid.uuid5(_NAMESPACE, f'{kind}/{name}')}"


def _tool(environment: Mapping[str, str]) -> Node:
    return {
        "@id": _id("tool", "gtloc_forensics"),
        "@type": "uco-tool:AnalyticTool",
        "uco-core:name": "gtloc_forensics",
        "uco-tool:version": environment.get("gtloc_forensics", "unknown"),
        "uco-core:description": [f"{name}: {visible(value)}" for name, value in environment.items() if value]
        or ["no environment recorded"],
    }


def _provenance(view: CaseView, files: list[Node]) -> Node:
    node: Node = {
        "@id": _id("provenance", view.header.case_number),
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": "photos examined for the consistency of their claimed time and place",
        "uco-core:object": files,
    }
    if view.header.exhibit:
        node["case-investigation:exhibitNumber"] = visible(view.header.exhibit)
    return node


def _photo(entry: PhotoEntry) -> Iterator[Node]:
    source_id = entry.photo.source.source_id
    file_id = _id("file", source_id)
    yield {
        "@id": file_id,
        "@type": "uco-observable:RasterPicture",
        "uco-core:tag": [entry.status.value],
        "uco-core:hasFacet": list(_facets(entry.photo)),
    }
    for role, position, altitude_m in places(entry):
        yield from _location(source_id, role, position, altitude_m)
    hour = known(entry.indicated.local_hour)
    if isinstance(entry.photo.prediction, Prediction) and hour is not None:
        shown = _indicated(entry.photo.prediction, hour)
        yield _statement(file_id, f"{source_id}/prediction", shown, ["prediction"])
    for index, finding in enumerate(entry.findings):
        yield _finding(file_id, f"{source_id}/finding/{index}", finding)


def _facets(photo: Photo) -> Iterator[Node]:
    source = photo.source
    yield {
        "@id": _id("file-facet", source.source_id),
        "@type": "uco-observable:FileFacet",
        "uco-observable:fileName": source.display_path.rsplit("/", 1)[-1],
        "uco-observable:filePath": source.display_path,
        "uco-observable:isDirectory": False,
        "uco-observable:sizeInBytes": source.stat.size_bytes,
        **_file_times(source.stat),
    }
    yield {
        "@id": _id("content-facet", source.source_id),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:mimeType": source.media_type,
        "uco-observable:sizeInBytes": source.stat.size_bytes,
        "uco-observable:hash": [_hash(source.source_id, source.sha256)],
    }
    if isinstance(photo.image, ImageFacts):
        yield {
            "@id": _id("picture-facet", source.source_id),
            "@type": "uco-observable:RasterPictureFacet",
            "uco-observable:pictureHeight": photo.image.height,
            "uco-observable:pictureWidth": photo.image.width,
        }
    if isinstance(photo.claim, Claim):
        yield from _exif(photo.claim)


def _file_times(stat: FileStat) -> Node:
    times = {"accessedTime": stat.atime_ns, "metadataChangeTime": stat.ctime_ns, "modifiedTime": stat.mtime_ns}
    if stat.birth_ns:
        times["observableCreatedTime"] = stat.birth_ns
    if stat.mtime_step_ns:  # of an image or an archive, where 0 says that there is no time
        times = {name: nanoseconds for name, nanoseconds in times.items() if nanoseconds}
    zone = None if stat.is_local else UTC  # xsd:dateTime without a zone: unknown
    return {
        f"uco-observable:{name}": _instant(moment.replace(tzinfo=zone))
        for name, nanoseconds in times.items()
        if (moment := recorded(nanoseconds)) is not None
    }


def _instant(moment: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": moment.isoformat()}


def _hash(source_id: str, sha256: str) -> Node:
    return {
        "@id": _id("hash", source_id),
        "@type": "uco-types:Hash",
        "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": sha256.upper()},
    }


def _exif(claim: Claim) -> Iterator[Node]:
    tags = [(name, values) for name, values in claim.tags.items() if name.startswith(_EXIF) and values]
    if not tags:
        return
    entries_ = [
        {
            "@id": _id("exif-entry", f"{claim.source_id}/{name}"),
            "@type": "uco-types:ControlledDictionaryEntry",
            "uco-types:key": visible(name),
            "uco-types:value": "; ".join(visible(str(value)) for value in values),
        }
        for name, values in tags
    ]
    yield {
        "@id": _id("exif-facet", claim.source_id),
        "@type": "uco-observable:EXIFFacet",
        "uco-observable:exifData": [
            {
                "@id": _id("exif-data", claim.source_id),
                "@type": "uco-types:ControlledDictionary",
                "uco-types:entry": entries_,
            }
        ],
    }


def _location(source_id: str, role: str, position: Position, altitude_m: float | None) -> Iterator[Node]:
    facet: Node = {
        "@id": _id(f"{role}-coordinates", source_id),
        "@type": "uco-location:LatLongCoordinatesFacet",
        "uco-location:latitude": _decimal(position.latitude_deg),
        "uco-location:longitude": _decimal(position.longitude_deg),
    }
    if altitude_m is not None:
        facet["uco-location:altitude"] = _decimal(altitude_m)
    place = _id(f"{role}-location", source_id)
    yield {"@id": place, "@type": "uco-location:Location", "uco-core:hasFacet": [facet]}
    yield {
        "@id": _id(f"{role}-relation", source_id),
        "@type": "uco-core:Relationship",
        "uco-core:source": {"@id": _id("file", source_id)},
        "uco-core:target": {"@id": place},
        "uco-core:kindOfRelationship": f"{role.capitalize()}_Location",
        "uco-core:isDirectional": True,
    }


def _decimal(value: float) -> Node:
    return {"@type": "xsd:decimal", "@value": f"{value:.7f}"}


def _indicated(prediction: Prediction, hour: float) -> str:
    return (
        f"the picture indicates a local time of about {hour:.0f} h"
        f" (model {visible(prediction.model)}, weights {prediction.weights_sha256})"
    )


def _finding(file_id: str, name: str, finding: Finding) -> Node:
    facts = finding_facts(finding)
    node = _statement(file_id, name, finding_line(finding), [facts["check"], facts["outcome"], facts["severity"]])
    limits = [*facts["limitations"], *facts["innocent"]]
    if limits:
        node["uco-core:description"] = list(dict.fromkeys(limits))
    return node


def _statement(file_id: str, name: str, statement: str, tags: list[str]) -> Node:
    return {
        "@id": _id("annotation", name),
        "@type": "uco-core:Annotation",
        "uco-core:object": [{"@id": file_id}],
        "uco-core:statement": statement,
        "uco-core:tag": list(dict.fromkeys(tags)),
    }


def _actions(events: tuple[CustodyEvent, ...], tool: Node) -> Iterator[Node]:
    before = ""
    for event in events:
        node: Node = {
            "@id": _id("action", event.event_hash),
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": visible(event.action),
            "uco-core:description": f"{visible(event.actor)}: {visible(event.subject)} (chain hash {event.event_hash})",
            "uco-action:endTime": _instant(event.utc_time.replace(tzinfo=UTC)),
            "uco-action:instrument": [{"@id": tool["@id"]}],
        }
        if before:
            node["case-investigation:wasInformedBy"] = [{"@id": before}]
        before = str(node["@id"])
        yield node
