"""What kind of device took a photo, where rules must treat kinds differently.

A telephone takes its time and zone from the network and its position from its own
receiver; a camera has a clock set by hand and often a position added later.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from gtloc_forensics.checks.reference import factory
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Device, Sentence, Stated, Statement

# Makers of telephones only. Makers of both are told by model below.
PHONE_MAKERS = (
    "apple",
    "google",
    "huawei",
    "honor",
    "xiaomi",
    "oneplus",
    "oppo",
    "realme",
    "vivo",
    "motorola",
    "lge",
    "lg electronics",
    "htc",
    "nokia",
    "hmd",
    "sony ericsson",
    "research in motion",
    "blackberry",
    "palm",
    "zte",
    "lenovo",
    "asus",
    "essential",
    "fairphone",
    "nothing",
    "meizu",
    "tcl",
    "wiko",
    "alcatel",
    "infinix",
    "tecno",
    "nexus",
    "nubia",
    "blackview",
    "tct",
    "jolla",
    "sharp",
    "doogee",
    "ulefone",
    "umidigi",
    "oukitel",
    "cubot",
    "hisense",
)
# Samsung's NX/WB/ES and Sony's DSC/ILCE/DSLR/SLT/NEX are cameras; their telephones have codes of another form.
_PHONE_MODELS = re.compile(r"^(sm-|gt-|sgh|sch-|sph-|shv-|galaxy|xperia|pixel|iphone|ipad|redmi|mi )", re.I)
_SONY_PHONES = re.compile(r"^(xq-|so-|sov|[c-k]\d{4}$)", re.I)  # Nikon called its first cameras E950, E5000 …
_SCANNER_WORDS = re.compile(
    r"scan(?!di|da)|\b(perfection|opticfilm|fastfoto|noritsu|frontier|pakon|flextight|ls-\d{2,4}|(mfc|dcp)-\w+|"
    r"gt-?x?\d{3,5}|expression \d{4,5}xl|plustek|reflecta|silverfast|photomyne|xsane|digital ice)\b",
    re.I,
)

# Only a device's own receiver writes these; software that adds a position to a finished photo does not.
RECEIVER_TAGS = ("GPS:GPSHPositioningError", "GPS:GPSImgDirection", "GPS:GPSProcessingMethod")

KM_H = {"K": 1.0, "M": 1.609344, "N": 1.852}  # EXIF GPSSpeedRef
FLYING_KM_H = 200.0
FLYING_M = 5_000.0  # few roads and no towns are as high

DIGITAL_SCANNERS = (1, 2)  # EXIF FileSource: film scanner, reflection print scanner


def is_phone(device: Device) -> bool:
    """Return whether make or model are those of a telephone or tablet."""
    make = device.make.lower() if isinstance(device.make, str) else ""
    model = device.model if isinstance(device.model, str) else ""
    by_model = _PHONE_MODELS.match(model.strip()) or (make.startswith("sony") and _SONY_PHONES.match(model.strip()))
    return make.startswith(PHONE_MAKERS) or bool(by_model)


def has_own_receiver(claim: Claim) -> bool:
    """Return whether the file bears marks that only a receiver inside the device leaves."""
    return any(claim.tags.get(tag) for tag in RECEIVER_TAGS)


def is_scan(claim: Claim) -> bool:
    """Return whether the file says that it shows film or paper, scanned or photographed by whatever digitised it."""
    return _is_called_scan(claim) or _names_scanner(claim)


def _is_called_scan(claim: Claim) -> bool:
    return tag_values.first_number(claim.tags, "ExifIFD:FileSource") in DIGITAL_SCANNERS


def _names_scanner(claim: Claim) -> bool:
    device = claim.device
    named = [word for word in (device.make, device.model, device.software) if isinstance(word, str)]
    named += [tag_values.text(claim.tags, name) for name in ("IFD0:Software", "XMP-xmp:CreatorTool")]
    return _has_scanner_word(" ".join(named))


@lru_cache(maxsize=1024)  # several rules ask it of each photo, and of many photos it is the same
def _has_scanner_word(words: str) -> bool:
    return _SCANNER_WORDS.search(words) is not None


def reproduction(claim: Claim) -> Sentence | None:
    """Return why a file is taken to show film or paper, None where nothing says so.

    Besides what it says itself: a capture dated to a time before digital cameras and digitised after their coming. A
    clock's own zero is no such date.
    """
    if _is_called_scan(claim):
        return Sentence("the file says that it shows film or a print")
    if _names_scanner(claim):
        return Sentence("the file names a device or a program that digitises film and prints")
    if not isinstance(claim.local_time, Stated) or factory.is_default(claim.local_time.value):
        return None
    digitised = digitised_at(claim)
    if digitised is None or not claim.local_time.value < factory.FIRST_DIGITAL <= digitised:
        return None
    return Sentence("it is dated to a time before digital cameras and was digitised later, as film and prints are")


def digitised_at(claim: Claim) -> datetime | None:
    """Return the EXIF date of digitising, None without one."""
    found = tag_values.full_date(tag_values.text(claim.tags, "ExifIFD:CreateDate"))
    return None if found is None else found.wall


def speed_km_h(claim: Claim) -> float:
    """Return how fast the receiver says it moved, 0 when it does not."""
    speed = tag_values.first_number(claim.tags, "GPS:GPSSpeed")
    return 0.0 if speed is None else speed * KM_H.get(tag_values.text(claim.tags, "GPS:GPSSpeedRef").upper()[:1], 1.0)


def is_flying(claim: Claim) -> bool:
    """Return whether speed or altitude are those of an aircraft."""
    high = isinstance(claim.altitude_m, Stated) and claim.altitude_m.value > FLYING_M
    return high or speed_km_h(claim) > FLYING_KM_H


def name_of(device: Device) -> Statement:
    """Return make and model for people, ``an unnamed device`` when neither is there."""
    return device.name or Sentence("an unnamed device")
