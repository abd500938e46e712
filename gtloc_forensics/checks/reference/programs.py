"""Programs that leave their name in a file: editors, date changers, generators, platforms."""

from __future__ import annotations

import re

from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Photo, Sentence, Statement

SOFTWARE_TAGS = (
    "IFD0:Software",
    "IFD0:ProcessingSoftware",
    "XMP-xmp:CreatorTool",
    "XMP-tiff:Software",
    "IPTC:OriginatingProgram",
    "XMP-xmpMM:HistorySoftwareAgent",
    "PNG:Software",
    "File:Comment",
)

_EDITORS = re.compile(
    r"photoshop|lightroom|camera raw|elements|gimp|affinity|pixelmator|capture one|darktable|rawtherapee|digikam|"
    r"picasa|acdsee|xnview|irfanview|paint\.net|paint shop|photoscape|snapseed|vsco|polarr|luminar|dxo|on1|photomatix|"
    r"aperture|iphoto|photos \d|apple photos|windows live|windows photo|microsoft|picmonkey|fotor|canva|corel|"
    r"nikon transfer|viewnx|view nx|capture nx|nx studio|digital photo professional|imagemagick|graphicsmagick|"
    r"photodirector|zoner|faststone|shotwell|gthumb|krita|silkypix|photoworks|meitu|facetune|polaroid|paint\b|"
    r"preview|imageready|ptgui|hugin|autopano|exiftool|qgis|matlab|ulead|photodeluxe|photofunia",
    re.I,
)
# Converters develop RAW data; some write the hour of developing as the date of digitising.
_CONVERTERS = re.compile(
    r"photo ?pro|raw (file )?(converter|therapee)|\braw\b|x3f|ufraw|dcraw|iridient|phocus|imaging edge|image data "
    r"converter|aftershot|bibble|lightzone|photo ninja|photo laboratory|digital camera utility|master \d|viewer|studio|"
    r"workspace|finepix|silkypix|develop",
    re.I,
)
SCREENSHOT = Sentence("a screenshot")
_PLATFORM_NAMES: tuple[tuple[re.Pattern[str], Statement], ...] = (
    (re.compile(r"(IMG|VID)-\d{8}-WA\d+", re.I), "WhatsApp"),
    (re.compile(r"^WhatsApp (Image|Video) ", re.I), "WhatsApp"),
    (re.compile(r"^\d{8}-(PHOTO|VIDEO|GIF|STICKER)-\d{4}-\d{2}-\d{2}-"), "WhatsApp"),
    (re.compile(r"^\d{5,}_\d{8,}_\d+_[nob]\.", re.I), Sentence("Facebook or Instagram")),
    (re.compile(r"^FB_IMG_\d+", re.I), "Facebook"),
    (re.compile(r"^received_\d{10,}"), Sentence("Facebook's Messenger")),
    (re.compile(r"^(photo|video)_(\d+_)?\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}", re.I), "Telegram"),
    (re.compile(r"^(photo|video)_\d+@\d{2}-\d{2}-\d{4}_\d{2}-\d{2}-\d{2}", re.I), "Telegram"),
    (re.compile(r"^signal-(attachment-)?\d{4}-\d{2}-\d{2}", re.I), "Signal"),
    (re.compile(r"^(mmexport|wx_camera_)\d{10,}"), "WeChat"),
    (re.compile(r"^viber_image_\d{4}-", re.I), "Viber"),
    (re.compile(r"^(screenshot|bildschirmfoto|capture d.écran|screen shot)", re.I), SCREENSHOT),
)
_PLATFORM_FOLDERS: tuple[tuple[re.Pattern[str], Statement], ...] = (
    (re.compile(r"(^|/)your_facebook_activity/.*media/|(^|/)photos_and_videos/", re.I), "Facebook"),
    (re.compile(r"(^|/)your_instagram_activity/|(^|/)media/(posts|stories|archived_posts|profile)/\d{6}/", re.I),
     "Instagram"),
    (re.compile(r"(^|/)WhatsApp (Images|Video)/", re.I), "WhatsApp"),
    (re.compile(r"(^|/)ChatExport_\d{4}-\d{2}-\d{2}[^/]*/(photos|video_files)/|(^|/)Telegram (Images|Video)/", re.I),
     "Telegram"),
)  # fmt: skip
"""Folders in which exports and telephones keep what a service passed on; what is sent as a file lies elsewhere."""

_PLATFORM_SOFTWARE = re.compile(r"instagram|whatsapp|facebook|snapchat|telegram|wechat|hipstamatic", re.I)
FACEBOOK_MARK = "FBMD"
_DATE_CHANGERS = re.compile(
    r"exif ?date|date ?changer|exif ?pilot|exif ?tool|attribute changer|timestamp|exif ?editor|bulkfilechanger|"
    r"jhead|exiv2|geosetter|exifer|namexif|photomove|metadata ?editor|metapho|exif ?viewer",
    re.I,
)
_GENERATORS = re.compile(
    r"stable ?diffusion|midjourney|dall[·\-. ]?e|firefly|imagen\b|novelai|comfyui|automatic1111|leonardo\.ai|ideogram|"
    r"flux\.1|gpt-?4o|bing image creator|made with google ai",
    re.I,
)
GENERATED = ("trainedAlgorithmicMedia", "trainedAlgorithmicData", "algorithmicMedia")
PARTLY_GENERATED = ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "virtualRecording")
"""Terms of IPTC NewsCodes, vocabulary "digital source type": no camera saw what is shown, or not all of it."""


def named(claim: Claim) -> dict[str, str]:
    """Return every program the file names, by tag."""
    return {
        tag: " / ".join(str(value).strip() for value in claim.tags[tag] if str(value).strip())
        for tag in SOFTWARE_TAGS
        if tag_values.text(claim.tags, tag)
    }


def editors(claim: Claim) -> list[str]:
    """Return the named programs that edit or export pictures."""
    return [name for name in named(claim).values() if _EDITORS.search(name)]


def converters(claim: Claim) -> list[str]:
    """Return the named programs that develop or export pictures: editors and RAW converters."""
    return [name for name in named(claim).values() if _EDITORS.search(name) or _CONVERTERS.search(name)]


def platforms(photo: Photo, claim: Claim) -> list[Statement]:
    """Return the messengers and websites that left their mark in name or metadata; they rewrite what they pass on."""
    found = platforms_of_name(photo.source.display_path)
    if tag_values.text(claim.tags, "IPTC:SpecialInstructions").startswith(FACEBOOK_MARK):
        found.append(Sentence("Facebook or Instagram"))
    software = _PLATFORM_SOFTWARE.search(tag_values.text(claim.tags, "IFD0:Software", "XMP-xmp:CreatorTool"))
    if software is not None:
        found.append(software[0].capitalize())
    return list(dict.fromkeys(found))


def platforms_of_name(path: str) -> list[Statement]:
    """Return the messengers and websites whose way of naming files the name of *path* shows."""
    name = path.rsplit("/", 1)[-1]
    return [platform for pattern, platform in _PLATFORM_NAMES if pattern.search(name)]


def services_of_name(path: str) -> list[Statement]:
    """Return the messengers and websites alone: a screenshot is made by nobody who passes it on."""
    return [platform for platform in platforms_of_name(path) if platform != SCREENSHOT]


def platforms_of_folder(path: str) -> list[Statement]:
    """Return the services in whose folder of passed-on pictures a file lies, by an export's or a telephone's habit."""
    return [platform for pattern, platform in _PLATFORM_FOLDERS if pattern.search(path)]


def is_editor(software: str) -> bool:
    """Return whether a program's name is that of an editor or a converter."""
    return bool(_EDITORS.search(software))


def date_changers(claim: Claim) -> list[str]:
    """Return the named programs whose purpose is to change metadata."""
    return [name for name in named(claim).values() if _DATE_CHANGERS.search(name)]


def generators(claim: Claim) -> list[str]:
    """Return the named programs whose purpose is to generate pictures."""
    return [name for name in named(claim).values() if _GENERATORS.search(name)]


def source_type(address: str) -> str:
    """Return the term at the end of the address of a digital source type."""
    return address.rstrip("/").rpartition("/")[2][:80]


def said_generated(claim: Claim, terms: tuple[str, ...] = GENERATED) -> list[Statement]:
    """Return where the file says that its picture was generated, by one of these terms of its source."""
    address = tag_values.text(claim.tags, "XMP-iptcExt:DigitalSourceType")
    is_said = source_type(address).lower() in {term.lower() for term in terms}
    said: list[Statement] = [address] if is_said else []
    if terms == GENERATED and re.search(r"\bSteps: \d+.*Sampler:", tag_values.text(claim.tags, "PNG:Parameters"), re.S):
        said.append(Sentence("generation parameters in the PNG text"))
    return said
