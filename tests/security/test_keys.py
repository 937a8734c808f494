"""Keys that check signatures."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from waav.security.keys import MOST_KEYS, read_key_set, read_keys

RSA = RSAKey.generate_key(2048)
P256 = ECKey.generate_key("P-256")
P521 = ECKey.generate_key("P-521")
K1 = {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}
ED = OKPKey.generate_key("Ed25519")
SHARED = OctKey.generate_key(256)
_RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def public(key: Key, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=isinstance(key, OctKey)), **more}


def read_set(*entries: Any, shared: bool = False) -> list[set[str]]:
    keys = read_key_set(json.dumps({"keys": entries}).encode(), shared=shared)
    return [set(key.algorithms) for key in keys]


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [(RSA, _RSA), (P256, {"ES256"}), (P521, {"ES512"}), (ED, {"EdDSA", "Ed25519"})],
    ids=["rsa", "p256", "p521", "ed25519"],
)
def test_the_type_of_a_key_says_which_algorithms_it_takes(key: Key, algorithms: set[str]) -> None:
    (read,) = read_keys(key.as_pem(private=False))  # type: ignore[union-attr]  # none is shared
    assert read.algorithms == algorithms
    assert read_set(public(key)) == [algorithms]


def test_no_key_takes_a_token_without_a_signature_or_a_shared_secret_for_a_public_key() -> None:
    for key in (RSA, P256, ED):
        (read,) = read_keys(key.as_pem(private=False))
        assert not any(read.fits(name, None) for name in ("none", "HS256", "HS384", "HS512", ""))


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({"alg": "RS256"}, {"RS256"}),
        ({"use": "sig", "key_ops": ["verify"]}, _RSA),
    ],
)
def test_a_key_may_take_less_than_it_could(more: dict[str, Any], left: set[str]) -> None:
    assert read_set(public(RSA, **more)) == [left]


UNUSABLE = [
    {"kty": "RSA"},
    {"kty": "quantum", "k": "AA"},
    {"kty": ["RSA"]},
    "RSA",
    None,
    7,
    K1,
    public(RSA, use="enc"),
    public(RSA, key_ops=["encrypt"]),
    public(RSA, alg="HS256"),
    public(RSA, alg="none"),
    public(RSA, n="AQAB"),
    public(SHARED),
    public(OctKey.import_key(b"x" * 16)),
]


@pytest.mark.parametrize("entry", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_is_of_no_use_in_a_set_does_not_spoil_the_others(entry: Any) -> None:
    assert read_set(entry, public(P256)) == [{"ES256"}]
    with pytest.raises(ValueError, match="expected at least one key"):
        read_set(entry)


def test_a_set_that_everybody_can_read_holds_no_shared_secret() -> None:
    assert read_set(public(SHARED), public(ED), shared=False) == [{"EdDSA", "Ed25519"}]
    assert read_set(public(SHARED), shared=True) == [{"HS256"}]
    assert read_keys(json.dumps(public(SHARED)).encode())[0].algorithms == {"HS256"}


def test_a_private_key_does_not_belong_into_a_set() -> None:
    """To check one would take a second; it is not even tried."""
    for key in (RSA, P256, ED):
        private = json.dumps(key.as_dict(private=True)).encode()
        with pytest.raises(ValueError, match="at least one key"):
            read_key_set(private, shared=True)


def test_a_set_is_looked_through_up_to_a_bound() -> None:
    assert len(read_set(*[public(P256)] * (MOST_KEYS + 1))) == MOST_KEYS


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"nothing",
        b'"keys"',
        b'{"keys": 1}',
        b"{}",
        b"[" * 3000,
        b"\xff",
        b'{"kty": "\xff"}',
    ],
)
def test_what_is_no_set_is_refused_with_a_sentence(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        read_key_set(text, shared=False)


def test_a_key_is_found_by_its_id() -> None:
    named, nameless = read_key_set(
        json.dumps({"keys": [public(P256, kid="a"), public(P256)]}).encode(), shared=False
    )
    assert named.fits("ES256", "a")
    assert named.fits("ES256", None)
    assert not named.fits("ES256", "b")
    assert not named.fits("ES384", "a")
    assert nameless.fits("ES256", "b")


def test_a_file_with_the_wrong_thing_in_it_says_what_is_wanted() -> None:
    for text, wanted in [
        (RSA.as_pem(private=True), "expected a public key; a private one does not belong here"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "expected a public key"),
        (b"no key at all", "expected a public key or a certificate"),
        (WEAK, "expected a key to check with: RSA from 2048 bits"),
    ]:
        with pytest.raises(ValueError, match=wanted):
            read_keys(text)


WEAK = b"""-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALN8y5qRXQgCz9rYQm8c2m2PSdGjOGmF
mPzkW6tGZ5M1sO0kqQUyLrGJqgZ6iQ0mEJ3gG7XvWm0Q5Yv4FjvV1IsCAwEAAQ==
-----END PUBLIC KEY-----
"""
