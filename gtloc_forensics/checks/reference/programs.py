"""Programs that leave their name in a file: editors, date changers, generators, platforms."""

from __future__ import annotations

import re

from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim

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
# IPTC NewsCodes, vocabulary "digital source type": these terms say that no camera saw the scene.
_SYNTHETIC = re.compile(r"trainedAlgorithmicMedia|algorithmicMedia|compositeSynthetic|virtualRecording", re.I)


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


def date_changers(claim: Claim) -> list[str]:
    """Return the named programs whose purpose is to change metadata."""
    return [name for name in named(claim).values() if _DATE_CHANGERS.search(name)]


def generators(claim: Claim) -> list[str]:
    """Return what in the file says that the picture was generated."""
    said = [name for name in named(claim).values() if _GENERATORS.search(name)]
    source_type = tag_values.text(claim.tags, "XMP-iptcExt:DigitalSourceType")
    if _SYNTHETIC.search(source_type):
        said.append(source_type)
    if re.search(r"\bSteps: \d+.*Sampler:", tag_values.text(claim.tags, "PNG:Parameters"), re.S):
        said.append("generation parameters in the PNG text")
    return said
