"""Every rule of the house speaks at least once from a file: drawn, tagged, and sent through a whole audit."""

from __future__ import annotations

import plistlib
import shutil
import struct
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_credentials import Signer, manifest
from made_libraries import asset, photos_library
from PIL import Image
from see_landscapes import landscape
from test_metadata_catalogues import digikam

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import plugins
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.metadata.exiftool import ExifTool
from gtloc_forensics.records import Finding, Outcome, Sentence

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

RULES = [rule.check_id for rule in plugins.load(found=[]).registry]
SILENT = {
    "GF130": "pictures are searched for text only on request: tests/test_traces_dates.py has it speak",
    "GF302": "the shipped model's ratio of the time of year costs as much as none on sources it never saw",
    "GF303": "the shipped model's ratio of the place costs as much as none on sources it never saw",
}
"""Rules that no file can make speak today, and why."""

SIGNED = manifest(captured="2024-06-14T12:00:00", position=("43,18.0N", "5,24.0E"))
PARIS = (48.8566, 2.3522)
BURST = "0A4B6F2C-1D3E-4F50-8A6B-7C8D9E0F1A2B"


@dataclass(frozen=True)
class Shot:
    """One photo to make."""

    name: str
    make: str
    model: str
    serial: str
    local: datetime  # at +02:00
    place: tuple[float, float]
    running_s: float | None = None
    burst: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def utc(self) -> datetime:
        return self.local - timedelta(hours=2)


def shots() -> Iterator[Shot]:
    """Yield two days of a telephone in Paris, a camera that was at the same places, and what single rules need."""
    morning = datetime(2024, 6, 15, 5, 20)
    for number in range(14):
        local = morning + timedelta(hours=1.4 * number)
        place = (PARIS[0] + 0.013 * number, PARIS[1] + 0.017 * number)
        yield Shot(f"IMG_{number + 1:04}.JPG", "Apple", "iPhone 12", "A1", local, place, 3600.0 + 5040.0 * number)
        if number < 6:
            beside = local + timedelta(minutes=3)
            yield Shot(f"DSC_{number + 1:04}.JPG", "NIKON CORPORATION", "NIKON D850", "B2", beside, place)
    noon = datetime(2024, 6, 16, 12, 0)
    for number in range(2):
        local, place = noon + timedelta(seconds=number), (PARIS[0] + 0.3, PARIS[1] + 0.011 * number)
        yield Shot(f"IMG_{number + 31:04}.JPG", "Apple", "iPhone 12", "A1", local, place, 114_000.0 + number, BURST)
    dusk = datetime(2024, 6, 15, 22, 20)  # the sun is 3° below the horizon
    yield Shot("IMG_20240615_222000.jpg", "Apple", "iPhone 12", "A1", dusk, (PARIS[0] + 0.21, PARIS[1]), 64_800.0)
    more = (
        ("XMP-exif:DateTimeOriginal", "2024:06:16 15:00:00"),
        ("XMP-exif:GPSLatitude", "49.05"),
        ("XMP-exif:GPSLongitude", "2.37"),
        ("XMP-photoshop:Country", "France"),
        ("ExifIFD:ExifImageWidth", "640"),
        ("ExifIFD:ExifImageHeight", "480"),
    )
    local = datetime(2024, 6, 16, 15, 0)
    yield Shot("IMG_0041.JPG", "samsung", "SM-G991B", "C3", local, (49.05, 2.37), extra=more)


def drawn(number: int, elevation_deg: float) -> Image.Image:
    """Make a scene with a sky as bright as the sun makes it, and a ridge of its own: rectangles would be a drawing."""
    return landscape(number, daylight=max(0.4, min(1.0, (elevation_deg + 8.0) / 20.0)))


def ev100_under(elevation_deg: float) -> float:
    """Return about the exposure that the sun at that height asks for."""
    return max(1.0, min(15.0, 9.5 + 0.55 * elevation_deg if elevation_deg < 10 else 15.0))


def apple_note(running_s: float, burst: str) -> bytes:
    """Return a maker's note with the time since power-on and the name of the burst, as an iPhone writes them."""
    clock = plistlib.dumps(
        {"flags": 1, "value": int(running_s * 1e9), "timescale": 10**9, "epoch": 0}, fmt=plistlib.FMT_BINARY
    )
    fields = [(0x0003, 7, clock)] + ([(0x000B, 2, burst.encode() + b"\0")] if burst else [])
    begin = 14 + 2 + 12 * len(fields) + 4
    entries, data = b"", b""
    for tag, kind, value in fields:
        entries += struct.pack(">HHII", tag, kind, len(value), begin + len(data))
        data += value + b"\0" * (len(value) % 2)
    return b"Apple iOS\0\0\x01MM" + struct.pack(">H", len(fields)) + entries + b"\0\0\0\0" + data


def samsung_trailer(utc: datetime) -> bytes:
    """Return what a Samsung telephone puts behind the picture: the instant by its own clock."""
    name, value = b"Image_UTC_Data", str(int(utc.replace(tzinfo=UTC).timestamp() * 1000)).encode()
    block = struct.pack("<HHI", 0, 0x0A01, len(name)) + name + value
    listing = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 0x0A01, len(block), len(block))
    return block + listing + struct.pack("<I", len(listing)) + b"SEFT"


def exif_of(shot: Shot, elevation_deg: float) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = shot.make, shot.model, f"{shot.local:%Y:%m:%d %H:%M:%S}"
    inner = exif.get_ifd(0x8769)
    seconds = 2.0 ** -ev100_under(elevation_deg) * 8.0**2 if elevation_deg > -4 else 0.25
    inner |= {
        0x829A: seconds,
        0x829D: 8.0,
        0x8827: 100,
        0x9003: f"{shot.local:%Y:%m:%d %H:%M:%S}",
        0x9004: f"{shot.local:%Y:%m:%d %H:%M:%S}",
        0x9010: "+02:00",
        0x9011: "+02:00",
        0x9209: 16,
        0xA431: shot.serial,
    }
    if shot.running_s is not None:
        inner[0x927C] = apple_note(shot.running_s, shot.burst)
    place = exif.get_ifd(0x8825)
    for ref, tag, letter, angle in ((1, 2, "N", shot.place[0]), (3, 4, "E", shot.place[1])):
        minutes = angle % 1 * 60
        place[ref], place[tag] = letter, (float(int(angle)), float(int(minutes)), round(minutes % 1 * 60, 3))
    place |= {
        10: "3",
        11: 2.5,
        5: b"\0",
        6: 70.0,
        7: (shot.utc.hour, shot.utc.minute, shot.utc.second),
        29: f"{shot.utc:%Y:%m:%d}",
    }
    return exif


def make(folder: Path) -> None:
    """Write every photo into *folder*."""
    with ExifTool() as client:
        for number, shot in enumerate(shots()):
            elevation_deg = float(sun_position(shot.utc.replace(tzinfo=UTC).timestamp(), *shot.place)[0])
            path = folder / shot.name
            picture = drawn(number, elevation_deg)
            picture.save(path, quality=88, exif=exif_of(shot, elevation_deg))
            if shot.extra:
                assert client.write(bytes(path), list(shot.extra)).done
                thumbnail = folder.with_name("thumbnail.jpg")
                picture.resize((160, 120)).save(thumbnail)
                put_in = [str(client.executable), "-overwrite_original", f"-ThumbnailImage<={thumbnail}", str(path)]
                subprocess.run(put_in, check=True, capture_output=True)
                with path.open("ab") as file:
                    file.write(samsung_trailer(shot.utc))
                path.write_bytes(Signer().signed(path.read_bytes(), SIGNED))
    (folder / "IMG_0001.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="2024-06-15T05:20:00"/>'
        "</rdf:RDF></x:xmpmeta>"
    )


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[Outcome]]:
    """Return for each rule the outcomes that a whole audit of the made files holds."""
    evidence = tmp_path_factory.mktemp("evidence") / "Pictures"  # as the root of the catalogue's album is called
    evidence.mkdir()
    make(evidence)
    digikam(evidence / "digikam4.db", ("IMG_0041.JPG", "2024-06-16T15:00:00"))
    library = asset("Pictures/IMG_0041.JPG", datetime(2024, 6, 16, 11, 0), offset_s=10_800, exif="2024:06:15 15:00:00")
    photos_library(evidence / "Photos.sqlite", library | {"hidden": 1})
    told: dict[str, list[Finding]] = defaultdict(list)
    with open_case(evidence, tmp_path_factory.mktemp("case")) as case:
        case.audit(Settings(model="gtloc-small", device="cpu", jobs=0))
        for entry in case.view().photos():
            assert not entry.unexamined, (entry.photo.source.display_path, entry.unexamined)
            for finding in entry.findings:
                told[finding.check_id].append(finding)
    return told


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, marks=pytest.mark.xfail(strict=True, reason=SILENT[rule])) if rule in SILENT else rule
        for rule in RULES
    ],
)
def test_the_rule_reaches_an_outcome_from_a_file(said: Mapping[str, list[Finding]], rule: str) -> None:
    assert {finding.outcome for finding in said[rule]} - {Outcome.NOT_TESTABLE}


def texts_of(finding: Finding) -> Iterator[str]:
    """Yield every sentence of a finding."""
    yield finding.summary
    for texts in (finding.observed, finding.derived, finding.inferred, finding.limitations, finding.innocent):
        yield from texts
    if finding.cause is not None and finding.cause.summary:
        yield finding.cause.summary


@pytest.mark.parametrize("rule", [rule for rule in RULES if "GF112" <= rule <= "GF305"])
def test_whatever_the_rule_says_of_a_file_can_be_said_in_another_language(
    said: Mapping[str, list[Finding]], rule: str
) -> None:
    texts = [text for finding in said[rule] for text in texts_of(finding)]
    assert [text for text in texts if not isinstance(text, Sentence)] == []


def test_what_is_known_to_be_silent_is_a_rule() -> None:
    assert set(SILENT) <= set(RULES)
