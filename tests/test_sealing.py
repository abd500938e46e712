"""A hash of the custody chain that was given out shows later whether the chain was cut or written anew."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo

pytest.importorskip("pyhanko")

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.cli.main import ExitCode, gtloc


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    photo(folder / "evidence" / "a.jpg", 1)
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(INLINE)
        case.write_report()
    return folder / "case"


@pytest.fixture
def case(finished: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "case"
    folder.mkdir()
    for name in (DATABASE, "report.pdf"):
        (folder / name).write_bytes((finished / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the examiner's key, a stranger's of the same name, and a time-stamping authority's."""
    folder = tmp_path_factory.mktemp("keys")
    for file, name in (("ours", "Examiner"), ("theirs", "Examiner"), ("authority", "Authority")):
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2045, 1, 1))
        builder = builder.add_extension(x509.KeyUsage(True, True, *[False] * 7), critical=True)
        if file == "authority":
            stamping = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(stamping, critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        lock = serialization.BestAvailableEncryption(b"x")
        (folder / f"{file}.p12").write_bytes(pkcs12.serialize_key_and_certificates(b"k", key, certificate, None, lock))
        (folder / f"{file}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / f"{file}.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
        raw = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{file}.key").write_bytes(raw)
    return folder


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(gtloc, [str(word) for word in words])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def verified(case: Path, *more: str | Path) -> tuple[int, str]:
    return run("verify", case, "--sample", "0", *more)


def cut(case: Path, events: int = 1) -> None:
    """Take the last events away, as somebody would who hides it."""
    with sqlite3.connect(case / DATABASE) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"DELETE FROM custody WHERE sequence > (SELECT max(sequence) FROM custody) - {events}")
        for _, sql in triggers:
            connection.execute(sql)


def test_a_receipt_anchors_the_chain_as_far_as_it_went(case: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    assert run("seal", case, "-o", receipt)[0] == ExitCode.CLEAN
    sealed = json.loads(receipt.read_text())["sealed"]
    for anchor in (receipt, sealed["chain_hash"], case / "report.pdf"):
        code, said = verified(case, "--anchor", anchor)
        assert code == ExitCode.CLEAN, said
    assert f"events 1 to {sealed['events']} are those" in verified(case, "--anchor", receipt)[1]


def test_a_chain_that_was_cut_does_not_hold_what_was_given_out(case: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    run("seal", case, "-o", receipt)
    cut(case)
    assert verified(case)[0] == ExitCode.CLEAN, "the rest of a chain is a chain"
    code, said = verified(case, "--anchor", receipt)
    assert code == ExitCode.FINDINGS
    assert "is not in it: it was cut, or written anew since" in said


def test_a_report_that_was_handed_out_is_an_anchor_too(case: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.pdf"
    kept.write_bytes((case / "report.pdf").read_bytes())
    (case / "report.pdf").unlink()
    cut(case, events=3)  # the report, the conclusion, the second hashing
    assert "is not in it" in verified(case, "--anchor", kept)[1]


def test_a_receipt_that_was_changed_or_signed_by_another_is_named(case: Path, tmp_path: Path, keys: Path) -> None:
    receipt = tmp_path / "receipt.json"
    run("seal", case, "-o", receipt, "--sign", keys / "ours.p12", "--passphrase", "x")
    assert "signed by Common Name: Examiner; the signer was not checked" in verified(case, "--anchor", receipt)[1]
    assert verified(case, "--anchor", receipt, "--trust", keys / "ours.pem")[0] == ExitCode.CLEAN
    code, said = verified(case, "--anchor", receipt, "--trust", keys / "theirs.pem")
    assert code == ExitCode.FINDINGS
    assert "a stranger signed it" in said
    document = json.loads(receipt.read_text())
    document["sealed"]["exhibit"] = "another"
    receipt.write_text(json.dumps(document))
    assert "its signature does not belong to it" in verified(case, "--anchor", receipt)[1]


def test_a_time_stamp_is_asked_for_and_attached_without_a_network(case: Path, tmp_path: Path, keys: Path) -> None:
    receipt, request, response = (tmp_path / name for name in ("receipt.json", "a.tsq", "a.tsr"))
    run("seal", case, "-o", receipt, "--timestamp-request", request)
    authority = DummyTimeStamper(
        asn1_x509.Certificate.load((keys / "authority.der").read_bytes()),
        asn1_keys.PrivateKeyInfo.load((keys / "authority.key").read_bytes()),
    )
    asked = tsp.TimeStampReq.load(request.read_bytes())
    response.write_bytes(authority.request_tsa_response(asked).dump())
    code, said = run("seal", case, "-o", receipt, "--timestamp-response", response)
    assert code == ExitCode.CLEAN, said
    assert "by Common Name: Authority" in verified(case, "--anchor", receipt)[1]
    other = tmp_path / "other.json"
    run("seal", case, "-o", other)
    code, said = run("seal", case, "-o", other, "--timestamp-response", response)
    assert code == ExitCode.FAILURE
    assert "its time stamp is that of something else" in said
    response.write_bytes(b"no answer")
    assert run("seal", case, "-o", receipt, "--timestamp-response", response)[0] == ExitCode.FAILURE


@pytest.mark.parametrize("given", ["abc", "f" * 63])
def test_what_is_no_anchor_is_refused_in_words(case: Path, given: str) -> None:
    code, said = verified(case, "--anchor", given)
    assert code == ExitCode.FAILURE
    assert "--anchor takes a hash of 64 hexadecimal digits" in said
