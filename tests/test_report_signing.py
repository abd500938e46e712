"""Signed reports: valid, altered, unsigned, and no byte between them."""

from __future__ import annotations

import hashlib
import logging
import random
import socket
from datetime import date, datetime

import pytest
from click.testing import CliRunner
from fake_case import FakeCase

pytest.importorskip("pyhanko")

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.report import SignWith, Verdict, verify_pdf, write_pdf

DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A self-made key and certificate, and another signer's certificate."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Signer {name}")])
        usage = x509.KeyUsage(True, True, *[False] * 7)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(2020, 1, 1))
            .not_valid_after(datetime(2045, 1, 1))
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        lock = serialization.BestAvailableEncryption(b"open sesame")
        (folder / f"{name}.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"k", key, certificate, None, lock))
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return folder


@pytest.fixture(scope="module")
def signed(keys, tmp_path_factory):
    path = tmp_path_factory.mktemp("signed") / "report.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY, sign=SignWith(keys / "ours.p12", b"open sesame", reason="examined"))
    return path


def test_a_signed_report_is_valid_and_names_its_signer(signed):
    found = verify_pdf(signed)
    # nobody said whom to trust: "valid" would be more than is known
    assert found.verdict is Verdict.UNCHECKED
    assert found.differences == ()
    assert "Signer ours" in found.signer
    assert found.sha256 == hashlib.sha256(signed.read_bytes()).hexdigest()
    assert not found.trusted, "nobody said that this signer is known"


def test_a_signer_is_trusted_only_by_a_certificate_one_holds(signed, keys):
    assert verify_pdf(signed, trust=[keys / "ours.pem"]).trusted
    stranger = verify_pdf(signed, trust=[keys / "theirs.pem"])
    assert not stranger.trusted
    assert stranger.verdict is Verdict.UNTRUSTED
    assert "leads to none that is trusted" in stranger.differences[0]


def made(folder, name: str, *, common_name: str, last: datetime = datetime(2045, 1, 1), usage: bool | None = True):
    """Write a key and its certificate, self-made, and return what signs with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(last)
    encipherment = (False, False, True, *[False] * 6)
    bits = (True, True, *[False] * 7) if usage else encipherment
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(*bits), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    lock = serialization.BestAvailableEncryption(b"x")
    (folder / f"{name}.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"k", key, certificate, None, lock))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return SignWith(folder / f"{name}.p12", b"x")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"last": datetime(2021, 1, 1)}, "valid from 2020-01-01 to 2021-01-01, not today"),
        ({"usage": False}, "leads to none that is trusted"),
    ],
)
def test_a_trusted_certificate_must_be_of_its_time_and_for_signing(tmp_path, options, words):
    sign = made(tmp_path, "own", common_name="Examiner", **options)
    write_pdf(FakeCase([]), tmp_path / "r.pdf", report_date=DAY, sign=sign)
    found = verify_pdf(tmp_path / "r.pdf", trust=[tmp_path / "own.pem"])
    assert found.verdict is Verdict.UNTRUSTED
    assert words in " ".join(found.differences)


def test_a_certificate_that_names_no_usage_may_sign(tmp_path):
    sign = made(tmp_path, "own", common_name="Examiner", usage=None)
    write_pdf(FakeCase([]), tmp_path / "r.pdf", report_date=DAY, sign=sign)
    assert verify_pdf(tmp_path / "r.pdf", trust=[tmp_path / "own.pem"]).verdict is Verdict.VALID


def test_a_stranger_who_takes_the_same_name_is_called_that(tmp_path, capfd):
    made(tmp_path, "a", common_name="Examiner")
    write_pdf(FakeCase([]), tmp_path / "b.pdf", report_date=DAY, sign=made(tmp_path, "b", common_name="Examiner"))
    result = CliRunner().invoke(gtloc, ["verify", str(tmp_path / "b.pdf"), "--trust", str(tmp_path / "a.pem")])
    assert result.exit_code == ExitCode.FINDINGS
    assert "a stranger signed it: one who calls himself Common Name: Examiner" in result.output
    assert capfd.readouterr().err == ""


def test_the_command_says_what_was_checked_by_its_exit_code(signed, keys):
    def code(*options: str) -> int:
        return CliRunner().invoke(gtloc, ["verify", str(signed), *options]).exit_code

    assert code() == ExitCode.UNCHECKED
    assert code("--trust", str(keys / "ours.pem")) == ExitCode.CLEAN
    assert code("--trust", str(keys / "theirs.pem")) == ExitCode.FINDINGS


def test_what_is_no_certificate_is_refused_in_words(signed, tmp_path):
    (tmp_path / "name").write_text("host")
    result = CliRunner().invoke(gtloc, ["verify", str(signed), "--trust", str(tmp_path / "name")])
    assert result.exit_code == ExitCode.FAILURE
    assert "is no certificate" in result.output
    assert "Traceback" not in result.output


def test_a_report_without_a_signature_is_unsigned(tmp_path):
    path = tmp_path / "plain.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY)
    assert verify_pdf(path).verdict is Verdict.UNSIGNED


def test_an_unsigned_report_is_altered_when_its_recorded_hash_differs(tmp_path):
    path = tmp_path / "plain.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY)
    recorded = hashlib.sha256(path.read_bytes()).hexdigest()
    assert verify_pdf(path, expected_sha256=recorded).verdict is Verdict.UNSIGNED
    path.write_bytes(path.read_bytes().replace(b"2026", b"2025", 1))
    found = verify_pdf(path, expected_sha256=recorded)
    assert found.verdict is Verdict.ALTERED
    assert recorded in found.differences[0]


def interesting(data: bytes) -> list[int]:
    """Offsets all over the file, and every one around and inside the signature's container."""
    start = data.index(b"<", data.rindex(b"/Contents"))
    zeros = data.index(b"0" * 60, start)
    end = data.index(b">", start)
    rng = random.Random(20261121)
    some = [rng.randrange(len(data)) for _ in range(25)] + [rng.randrange(zeros, end) for _ in range(6)]
    return [
        *some,
        *range(start - 45, start + 40, 3),
        *range(start + 40, zeros + 40, 17),
        end,
        len(data) - 2,
        len(data) - 7,
    ]


def test_a_single_changed_byte_anywhere_is_altered(signed, tmp_path):
    data = signed.read_bytes()
    path = tmp_path / "changed.pdf"
    passed = []
    logging.disable(logging.CRITICAL)
    try:
        for offset in interesting(data):
            for bit in (1, 32):
                changed = bytearray(data)
                changed[offset] ^= bit
                path.write_bytes(changed)
                found = verify_pdf(path)
                if found.verdict is not Verdict.ALTERED or not found.differences:
                    passed.append((offset, bit))
    finally:
        logging.disable(logging.NOTSET)
    assert passed == []


@pytest.mark.parametrize("more", [b"\n", b"%%EOF", b"\n1 0 obj\n<<>>\nendobj\n"])
def test_what_is_added_after_the_signature_is_seen(signed, tmp_path, more):
    path = tmp_path / "longer.pdf"
    path.write_bytes(signed.read_bytes() + more)
    assert verify_pdf(path).verdict is Verdict.ALTERED


def test_a_report_cut_back_to_before_its_signature_is_unsigned_but_not_as_recorded(signed, tmp_path):
    data = signed.read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(data[: data.index(b"%%EOF") + 6])
    assert verify_pdf(path).verdict is Verdict.UNSIGNED
    assert verify_pdf(path, expected_sha256=hashlib.sha256(data).hexdigest()).verdict is Verdict.ALTERED


def test_what_is_no_pdf_is_said_to_be_unreadable(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(b"no pdf at all")
    found = verify_pdf(path)
    assert found.verdict is Verdict.ALTERED
    assert "not readable as a PDF" in found.differences[0]


@pytest.mark.parametrize(("key", "passphrase"), [("ours.p12", b"wrong"), ("ours.pem", None), ("nothing.p12", None)])
def test_a_key_that_cannot_be_opened_is_said_in_words(keys, tmp_path, key, passphrase):
    path = tmp_path / "report.pdf"
    logging.disable(logging.CRITICAL)
    try:
        with pytest.raises(UsageError, match="PKCS#12"):
            write_pdf(FakeCase([]), path, report_date=DAY, sign=SignWith(keys / key, passphrase))
    finally:
        logging.disable(logging.NOTSET)
    assert not path.exists()


def test_signing_and_checking_need_no_network(keys, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    path = tmp_path / "report.pdf"
    write_pdf(FakeCase([]), path, report_date=DAY, sign=SignWith(keys / "ours.p12", b"open sesame"))
    assert verify_pdf(path, trust=[keys / "ours.pem"]).verdict is Verdict.VALID
