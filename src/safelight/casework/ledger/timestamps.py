"""Time-stamps of seals by an authority (RFC 3161): that a root existed at a time, said by somebody who has a clock."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import rfc3161_client as tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from django.conf import settings

from safelight.casework.ledger.models import LedgerSeal, SealMark
from safelight.casework.ledger.outside import checkpoint_of, over_http
from safelight.errors import SafelightError
from safelight.tlog.errors import WitnessError


def _verifier(nonce: int | None = None) -> tsp.Verifier:
    """What the authority's certificates allow.

    Raises:
        SafelightError: the file holds no usable certificates.
    """
    path = Path(settings.TSA_CERTIFICATES)
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SafelightError(
            f"{path} holds no certificates in PEM.", fix="Ask the time-stamp authority for them."
        ) from error
    builder = tsp.VerifierBuilder(nonce=nonce)
    roots = 0
    for certificate in certificates:
        if certificate.issuer == certificate.subject:
            builder, roots = builder.add_root_certificate(certificate), roots + 1
        elif _stamps(certificate):
            builder = builder.tsa_certificate(certificate)
        else:
            builder = builder.add_intermediate_certificate(certificate)
    if not roots:
        raise SafelightError(f"{path} holds no root certificate.", fix="Add the certificate that issued the others.")
    return builder.build()


def _stamps(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage


def stamp(seal: LedgerSeal) -> SealMark:
    """Have the checkpoint of a seal stamped.

    Raises:
        WitnessError: the authority does not answer, or its answer does not hold.
    """
    text = checkpoint_of(seal).text
    request = (
        tsp.TimestampRequestBuilder().data(text).hash_algorithm(tsp.HashAlgorithm.SHA256).nonce(nonce=True).build()
    )
    status, answer = over_http(settings.TSA_URL, request.as_bytes(), "application/timestamp-query")
    if status != 200:
        raise WitnessError(f"It answered {status}.")
    at = _checked(answer, text, request.nonce)
    return SealMark(
        seal=seal, kind=SealMark.Kind.TIMESTAMP, name=settings.TSA_URL, at=at, body=base64.b64encode(answer).decode()
    )


def checked(mark: SealMark) -> datetime:
    """The time that a stored stamp states.

    Raises:
        WitnessError: it is not the authority's, or over another checkpoint than its seal's.
    """
    try:
        raw = base64.b64decode(mark.body, validate=True)
    except ValueError as error:
        raise WitnessError("The time-stamp is damaged.") from error
    return _checked(raw, checkpoint_of(mark.seal).text, None)


def _checked(answer: bytes, text: bytes, nonce: int | None) -> datetime:
    try:
        response = tsp.decode_timestamp_response(answer)
        _verifier(nonce).verify_message(response, text)
        return response.tst_info.gen_time
    except (tsp.VerificationError, ValueError) as error:
        raise WitnessError(f"The time-stamp does not hold: {error}.") from error
