"""Credentials: read, refused in words for an operator, and signed with."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from capabilities import ProviderRefused, Secret
from providers.google.accounts import AuthorizedUser, ServiceAccount, assertion, read_account

USER = {
    "type": "authorized_user",
    "client_id": "id",
    "client_secret": "made-up",
    "refresh_token": "made-up-too",
    "quota_project_id": "quota",
}


def test_a_service_account(account: dict[str, str]) -> None:
    read = read_account(json.dumps(account))
    assert isinstance(read, ServiceAccount)
    assert (read.email, read.project, read.key_id) == (
        "robot@acme-project.iam.gserviceaccount.com",
        "acme-project",
        "key-1",
    )
    assert "PRIVATE" not in repr(read)


def test_a_user() -> None:
    assert read_account(json.dumps(USER)) == AuthorizedUser(
        "id", Secret("made-up"), Secret("made-up-too"), project="quota", quota_project="quota"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("{", "not JSON", id="not-json"),
        pytest.param("[" * 60_000, "not JSON", id="deep"),
        pytest.param("5", "not an object", id="number"),
        pytest.param(" " * 70_000, "too long", id="long"),
        pytest.param('{"type": "external_account"}', "must be service_account", id="kind"),
        pytest.param('{"type": "service_account"}', 'no "client_email"', id="no-mail"),
        pytest.param(
            '{"type": "service_account", "client_email": 5}', 'no "client_email"', id="bad-mail"
        ),
    ],
)
def test_what_cannot_be_used(text: str, why: str) -> None:
    with pytest.raises(ProviderRefused, match=why):
        read_account(text)


def test_what_is_signed(account: dict[str, str], private_key: rsa.RSAPrivateKey) -> None:
    read = read_account(json.dumps(account))
    assert isinstance(read, ServiceAccount)
    public = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    token = jwt.decode(assertion(read, 1000.9), RSAKey.import_key(public), algorithms=["RS256"])
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert token.claims == {
        "iss": "robot@acme-project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1000,
        "exp": 4600,
    }


@pytest.mark.parametrize("key", ["", "made-up", "-----BEGIN PRIVATE KEY-----"])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ProviderRefused, match="private key") as told:
        assertion(ServiceAccount("mail", Secret(key)), 0.0)
    assert "made-up" not in str(told.value)
