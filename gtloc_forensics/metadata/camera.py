"""What took the photo and how: device, exposure, counters and the time since it was switched on."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from gtloc_forensics.metadata.filenames import name_number
from gtloc_forensics.metadata.tag_values import numbers, text, texts
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Absent,
    Counter,
    CounterKind,
    Device,
    Exposure,
    Sentence,
    Source,
    Statement,
    Tags,
    Uptime,
    visible,
)

# --------------------------------------------------------------------------- device

_IN_FILMS = ("Keys:{}", "QuickTime:{}", "UserData:{}", "ItemList:{}", "Keys:Android{}")
MAKE = ("IFD0:Make", "XMP-tiff:Make", *(tag.format("Make") for tag in _IN_FILMS), "XML:DeviceManufacturer")
MODEL = ("IFD0:Model", "XMP-tiff:Model", *(tag.format("Model") for tag in _IN_FILMS), "XML:DeviceModelName")
LENS = ("ExifIFD:LensModel", "IFD0:LensModel", "XMP-exifEX:LensModel", "XMP-aux:Lens")
SOFTWARE = ("IFD0:Software", "XMP-xmp:CreatorTool", "XMP-tiff:Software", "Keys:Software", "PNG:Software")
OWNER = ("ExifIFD:OwnerName", "Canon:OwnerName", "XMP-aux:OwnerName", "IFD0:Artist")
SERIAL = (
    "ExifIFD:SerialNumber",
    "IFD0:SerialNumber",
    "IFD0:CameraSerialNumber",
    "XMP-exifEX:SerialNumber",
    "XMP-aux:SerialNumber",
)

_MAKER_SERIAL = re.compile(r"(?!XMP|ExifIFD|IFD)[A-Za-z]\w*:(?:Internal|Body|Camera)?SerialNumber")
_NO_SERIAL = re.compile(r"[\W0_]*|n/?a|none|null|undef|unknown|(?:xxxx+)", re.IGNORECASE)
LONGEST_KEY = 120


def device(tags: Tags) -> Device:
    """Return what the file names as its device, and how sure that is."""
    serial_tags = (*SERIAL, *filter(_is_a_makers_serial, tags))
    found = {
        "make": _first(tags, MAKE),
        "model": _first(tags, MODEL),
        "serial": _first(tags, serial_tags, is_good=lambda written: not _NO_SERIAL.fullmatch(written)),
        "lens": _first(tags, LENS),
        "software": _first(tags, SOFTWARE),
        "owner": _first(tags, OWNER),
    }
    values = {name: value[1] if value else _absence(tags, name, serial_tags) for name, value in found.items()}
    make, model, serial = (_word(values[name]) for name in ("make", "model", "serial"))
    key, doubt = _identity(make, model, serial)
    return Device(**values, key=key, doubt=doubt, tags={name: value[0] for name, value in found.items() if value})


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _is_a_makers_serial(tag: str) -> bool:
    return _MAKER_SERIAL.fullmatch(tag) is not None


def _first(tags: Tags, names: tuple[str, ...], *, is_good: Callable[[str], bool] = bool) -> tuple[str, str] | None:
    return next(((tag, written) for tag, written in texts(tags, *names) if is_good(written)), None)


def _absence(tags: Tags, name: str, serial_tags: tuple[str, ...]) -> Absent:
    names = {"make": MAKE, "model": MODEL, "serial": serial_tags, "lens": LENS, "software": SOFTWARE, "owner": OWNER}
    return Absent.UNPARSABLE if any(tags.get(tag) for tag in names[name]) else Absent.MISSING


def _word(value: str | Absent) -> str:
    """Return a text for a key: visible characters only, one kind of space and letter case."""
    return "" if isinstance(value, Absent) else " ".join(visible(value).lower().replace("|", "/").split())


def _identity(make: str, model: str, serial: str) -> tuple[str, Statement]:
    if serial:
        return _short(f"serial:{make}|{model}|{serial}"), ""
    if model:
        doubt = Sentence("no body serial number: two devices of this model would be taken for one")
        return _short(f"model:{make}|{model}"), doubt
    if make:
        doubt = Sentence("neither model nor serial number: all devices of this maker are taken for one")
        return _short(f"model:{make}|"), doubt
    return UNKNOWN_DEVICE, Sentence("the file names no device")


def _short(key: str) -> str:
    """Return a key of bounded length; a longer one is cut and told apart by its hash."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[:LONGEST_KEY]}…{hashlib.blake2b(key.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


# --------------------------------------------------------------------------- exposure

APERTURE = ("ExifIFD:FNumber", "IFD0:FNumber", "XMP-exif:FNumber", "ExifIFD:ApertureValue", "XMP-exif:ApertureValue")
SHUTTER = (
    "ExifIFD:ExposureTime",
    "IFD0:ExposureTime",
    "XMP-exif:ExposureTime",
    "ExifIFD:ShutterSpeedValue",
    "XMP-exif:ShutterSpeedValue",
)
ISO = (
    "ExifIFD:ISO",
    "IFD0:ISO",
    "ExifIFD:RecommendedExposureIndex",
    "ExifIFD:StandardOutputSensitivity",
    "ExifIFD:ISOSpeed",
    "XMP-exif:ISO",
    "XMP-exifEX:RecommendedExposureIndex",
)
BIAS = ("ExifIFD:ExposureCompensation", "IFD0:ExposureCompensation", "XMP-exif:ExposureCompensation")
BRIGHTNESS = ("ExifIFD:BrightnessValue", "XMP-exif:BrightnessValue")
FLASH = ("ExifIFD:Flash", "IFD0:Flash")

SMALLEST_F_NUMBER = 0.5  # no lens in air is faster; what is written for a lens without contacts is 0
ISO_ABOVE_16_BIT = 65535.0  # EXIF 2.3 §4.6.5: the field is full, the value stands in RecommendedExposureIndex

ISO_100_SV = 5.0
"""APEX: Av + Tv = Bv + Sv, and Sv = log2(ISO / 3.125) (EXIF 2.32, annex C), so EV100 = Bv + 5.

On 203 real files of five makes that write Bv and were exposed automatically, Bv + 5 lies between 0.1 EV below and
1.0 EV above the settings' EV100 in eight of ten; a sixth make writes 0 always."""


def exposure(tags: Tags) -> Exposure:
    """Return the settings of the frame and the light they imply.

    The light is that of the settings; where they are incomplete or were made by hand, that of
    the meter, if BrightnessValue was written.
    """
    used: dict[str, str] = {}

    def take(name: str, names: tuple[str, ...], is_good: Callable[[float], bool]) -> float | Absent:
        for tag, value, _ in numbers(tags, *names):
            if is_good(value):
                used[name] = tag
                return value
        return Absent.UNPARSABLE if any(tags.get(tag) for tag in names) else Absent.MISSING

    f_number = take("f_number", APERTURE, lambda value: 0.1 < value < 1000.0)
    exposure_s = take("exposure_s", SHUTTER, lambda value: 1e-7 < value < 1e6)
    iso = take("iso", ISO, lambda value: 0.1 < value < 1e8 and value != ISO_ABOVE_16_BIT)
    bias_ev = take("bias_ev", BIAS, lambda value: abs(value) <= 20.0)
    brightness_ev = take("brightness_ev", BRIGHTNESS, lambda value: abs(value) <= 30.0)
    if _is_senseless(tags):  # one value that no camera means spoils the block: what else stands in it, who knows
        f_number = exposure_s = iso = brightness_ev = Absent.UNPARSABLE
        used.clear()
    flash_fired = _flash(tags, used)
    is_manual = _is_manual(tags)
    ev100 = _ev100(f_number, exposure_s, iso, bias_ev=Absent.NOT_APPLICABLE if is_manual else bias_ev)
    if (is_manual or isinstance(ev100, Absent)) and not isinstance(brightness_ev, Absent) and brightness_ev:
        # Settings made by hand say nothing of the light; the meter does. A plain 0 is what some write instead.
        ev100, used["ev100"] = brightness_ev + ISO_100_SV, used["brightness_ev"]
    return Exposure(f_number, exposure_s, iso, bias_ev, brightness_ev, flash_fired, ev100, used)


def _ev100(
    f_number: float | Absent, exposure_s: float | Absent, iso: float | Absent, *, bias_ev: float | Absent
) -> float | Absent:
    """Return log2(N²/t) − log2(ISO/100) with the bias added back: the light that was metered (APEX)."""
    if isinstance(f_number, Absent) or isinstance(exposure_s, Absent) or isinstance(iso, Absent):
        return Absent.UNDERIVABLE
    settings_ev = math.log2(f_number**2 / exposure_s) - math.log2(iso / 100.0)
    return settings_ev + (0.0 if isinstance(bias_ev, Absent) else bias_ev)


def _is_senseless(tags: Tags) -> bool:
    """Whether a number of the exposure cannot be meant: an aperture below f/0.5, no sensitivity, no time."""
    apertures = [value for _, value, _ in numbers(tags, "ExifIFD:FNumber", "IFD0:FNumber")]
    if any(0.0 < aperture < SMALLEST_F_NUMBER for aperture in apertures):
        return True
    if any(seconds <= 0.0 for _, seconds, _ in numbers(tags, "ExifIFD:ExposureTime", "IFD0:ExposureTime")):
        return True
    # A lens without contacts leaves 0, and so do some makers for an ISO they keep elsewhere: alone it is no nonsense.
    sensitivities = [value for _, value, _ in numbers(tags, "ExifIFD:ISO", "IFD0:ISO")]
    return 0.0 in sensitivities and any(aperture < SMALLEST_F_NUMBER for aperture in apertures)


def _is_manual(tags: Tags) -> bool:
    """Whether the exposure was set by hand: then a bias shifts the meter's needle, not the exposure."""
    return any(value == 1.0 for _, value, _ in numbers(tags, "ExifIFD:ExposureProgram", "ExifIFD:ExposureMode"))


def _flash(tags: Tags, used: dict[str, str]) -> bool | Absent:
    for tag, value, _ in numbers(tags, *FLASH):
        if 0 <= value < 65536:
            used["flash_fired"] = tag
            return bool(int(value) & 1)
    for tag, written in texts(tags, "XMP-exif:FlashFired"):
        if written.lower() in ("true", "false", "0", "1"):
            used["flash_fired"] = tag
            return written.lower() in ("true", "1")
    return Absent.UNPARSABLE if any(tags.get(tag) for tag in (*FLASH, "XMP-exif:FlashFired")) else Absent.MISSING


# --------------------------------------------------------------------------- counters and uptime

_SHUTTER_COUNT = re.compile(
    r"(?:Canon|Nikon|Sony|Pentax|FujiFilm|Olympus|Panasonic|Samsung|Leica|Minolta|PhaseOne)\w*:"
    r"(?:Mechanical)?(?:ShutterCount|ImageCount)\d?"
)
_FILE_NUMBERS = frozenset({"Canon:FileNumber", "Nikon:FileNumber", "Sony:FileNumber"})
DCF_WRAP = 10_000
"""File numbers have four digits (DCF, CIPA DC-009 §3.2.3): after 9999 comes 0001."""

FUJIFILM_WRAP = 1 << 15
"""FujiFilm:ImageCount has 15 bits (exiftool masks 0x7fff), and new firmware may set it back to 0."""


def counters(source: Source, tags: Tags) -> tuple[Counter, ...]:
    """Return every number that the device counts upwards, from the tags and from the file's name.

    Numbers *within* a burst (SequenceNumber) are not among them: they start anew each time.
    """
    return tuple(_counters(source, tags))


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _counts_the_shutter(tag: str) -> bool:
    return _SHUTTER_COUNT.fullmatch(tag) is not None


def _counters(source: Source, tags: Tags) -> Iterator[Counter]:
    for tag, value, raw in numbers(tags, *filter(_counts_the_shutter, tags)):
        if 0 < value < 2**31 and value.is_integer():
            yield Counter(
                CounterKind.SHUTTER, int(value), tag, raw, FUJIFILM_WRAP if tag.startswith("FujiFilm") else None
            )
    for tag, value, raw in numbers(tags, *filter(_FILE_NUMBERS.__contains__, tags)):
        if 0 < value < 1e8 and value.is_integer() and int(value) % DCF_WRAP:
            # Canon writes folder × 10,000 + file, as 1181861.
            yield Counter(CounterKind.FILE_NUMBER, int(value) % DCF_WRAP, tag, raw, DCF_WRAP)
    for tag, value, raw in numbers(tags, "ExifIFD:ImageNumber", "IFD0:ImageNumber", "XMP-aux:ImageNumber"):
        if 0 < value < 2**31 and value.is_integer():
            yield Counter(CounterKind.IMAGE, int(value), tag, raw)
    named = None if source.stat.is_carved else name_number(source.relative)  # of what was carved the name is ours
    if named is not None:
        raw = visible(source.relative.rpartition(b"/")[2])
        yield Counter(CounterKind.FILE_NUMBER, named, "System:FileName", raw, DCF_WRAP)


def uptime(tags: Tags) -> Uptime | Absent:
    """Return the time since the device was switched on; Apple's stands still while the phone sleeps."""
    value = next(numbers(tags, "Apple:RunTimeValue"), None)
    scale = next(numbers(tags, "Apple:RunTimeScale"), None)
    if value is not None and scale is not None and value[1] > 0 and scale[1] > 0:
        return Uptime(value[1] / scale[1], value[0], f"{value[2]} / {scale[2]}", excludes_sleep=True)
    for tag, seconds, raw in numbers(tags, "Panasonic:TimeSincePowerOn"):
        if seconds > 0:
            return Uptime(seconds, tag, raw, excludes_sleep=False)
    known = ("Apple:RunTimeValue", "Panasonic:TimeSincePowerOn")
    return Absent.UNPARSABLE if any(text(tags, tag) for tag in known) else Absent.MISSING
