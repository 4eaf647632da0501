"""Signatures by the key service. moto hashes a digest once more, so it cannot stand in here."""

from typing import Any

import boto3
import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_der_public_key

from consent_center.adapters.aws import wire
from consent_center.adapters.kms import Algorithm, KmsPublicKeys, KmsSigner
from consent_center.domain.errors import UnavailableError
from consent_center.ports.letters import Attachment
from fakes import PlainKeys, no_pause, real_clock


@pytest.mark.parametrize(
    ("algorithm", "scheme", "digest"),
    [
        (Algorithm.SEALS, padding.PSS(padding.MGF1(SHA512()), padding.PSS.DIGEST_LENGTH), SHA512()),
        (Algorithm.RECEIPTS, padding.PKCS1v15(), SHA256()),
    ],
)
def test_a_signature_verifies_with_the_public_key_alone(
    emulator_url: str, algorithm: Algorithm, scheme: Any, digest: SHA256 | SHA512
) -> None:
    owner = boto3.Session("test", "test", region_name="eu-central-1").client("kms", endpoint_url=emulator_url)
    key = owner.create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    public = load_der_public_key(owner.get_public_key(KeyId=key)["PublicKey"])
    settings = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    made = wire("kms", {**settings, "AWS_ENDPOINT_URL": emulator_url}, clock=real_clock, pause=no_pause)
    signer = KmsSigner(made, lambda: key, algorithm)
    signature = signer.sign(b"a message of any length" * 1_000)

    assert signer.key_id == key
    assert isinstance(public, RSAPublicKey)
    public.verify(signature, b"a message of any length" * 1_000, scheme, digest)
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"another message", scheme, digest)
    made.connections.close()


def test_the_published_key_is_the_one_that_signs_and_is_asked_for_once(emulator_url: str) -> None:
    owner = boto3.Session("test", "test", region_name="eu-central-1").client("kms", endpoint_url=emulator_url)
    key = owner.create_key(KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    settings = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    made = wire("kms", {**settings, "AWS_ENDPOINT_URL": emulator_url}, clock=real_clock, pause=no_pause)
    public = KmsPublicKeys(made, lambda: key)
    (published,) = public.jwks()["keys"]
    numbers = load_der_public_key(owner.get_public_key(KeyId=key)["PublicKey"]).public_numbers()  # type: ignore[union-attr]
    made.connections.close()

    assert published.keys() == PlainKeys().jwks()["keys"][0].keys()  # type: ignore[index]
    assert jwt.PyJWK(published).key.public_numbers() == numbers
    assert published["kid"] in key
    assert "arn" not in published["kid"]
    assert public.jwks()["keys"] == [published], "nobody is asked again"


def test_a_key_that_nobody_answers_for_is_unavailable() -> None:
    settings = {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    nowhere = {**settings, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    made = wire("kms", nowhere, clock=real_clock, pause=no_pause)

    with pytest.raises(UnavailableError):
        KmsPublicKeys(made, lambda: "key").jwks()
    with pytest.raises(UnavailableError):
        KmsSigner(made, lambda: "key", Algorithm.RECEIPTS).sign(b"")


def test_what_hides_a_person_hides_it_in_a_file_too() -> None:
    assert "secret" not in repr(Attachment("receipt-1.json", "application/ld+json", b"secret"))
