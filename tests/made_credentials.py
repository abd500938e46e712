"""Files with content credentials, signed by certificates that are made here and worth nothing."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DIGITAL_CAPTURE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GENERATED_IN_PART = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

QUIET: dict[str, Any] = {
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Nobody's Tests"),
        ]
    )


def certificate(
    common: str,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    use: x509.ObjectIdentifier | None = None,
    until: datetime = datetime(2045, 1, 1),
    asks_at: str = "",
) -> x509.Certificate:
    is_authority = use is None
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(common))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if use is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
    if asks_at:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(asks_at))
        made = made.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def pem(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.PEM)


def pem_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@dataclass(frozen=True)
class Signer:
    """A made authority, one who signs under it, and a time stamping service under it."""

    name: str = "Test Camera Signer"
    asks_at: str = ""  # where its certificate says one may ask whether it was revoked

    @cached_property
    def root_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def root(self) -> bytes:
        return pem(certificate("Test Root", self.root_key, "Test Root", self.root_key))

    @cached_property
    def chain(self) -> bytes:
        own = certificate(
            self.name,
            self.key,
            "Test Root",
            self.root_key,
            use=ExtendedKeyUsageOID.EMAIL_PROTECTION,
            asks_at=self.asks_at,
        )
        return pem(own) + self.root

    def signed(
        self,
        picture: bytes,
        manifest: dict[str, Any],
        *,
        media_type: str = "image/jpeg",
        time_stamps: str | None = None,
        remote: str = "",
    ) -> bytes:
        """Return a picture with credentials; *remote* leaves them out and names an address instead."""
        import c2pa

        signer = c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(b"es256", self.chain, pem_key(self.key), time_stamps.encode() if time_stamps else None)
        )
        builder = c2pa.Builder(manifest, c2pa.Context.from_dict(copy.deepcopy(QUIET)))
        if remote:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        out = io.BytesIO()
        builder.sign(signer, media_type, io.BytesIO(picture), out)
        return out.getvalue()


def manifest(
    *,
    captured: str = "",
    created: str = "",
    source_type: str = DIGITAL_CAPTURE,
    position: tuple[str, str] | None = None,
    edits: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return what is to be signed."""
    first = {"action": "c2pa.created", "digitalSourceType": source_type} | ({"when": created} if created else {})
    actions = [first, *({"action": edit} for edit in edits)]
    assertions: list[dict[str, Any]] = [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]
    exif: dict[str, Any] = {"@context": {"exif": "http://ns.adobe.com/exif/1.0/"}}
    if captured:
        exif["exif:DateTimeOriginal"] = captured
    if position:
        exif["exif:GPSLatitude"], exif["exif:GPSLongitude"] = position
    if len(exif) > 1:
        assertions.append({"label": "stds.exif", "kind": "Json", "data": exif})
    return {
        "claim_generator_info": [{"name": "Test Camera", "version": "1"}],
        "title": "made.jpg",
        "assertions": assertions,
    }
