"""Signed tokens, checked with a key that is here."""

import base64
import json
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as some
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from support.tokens import presented, signed, wall_clock

from capabilities import Denied, Principal
from waav.security.jwt import (
    EXPIRED,
    NOT_FOR_US,
    UNKNOWN,
    FixedKeys,
    Rules,
    SignedTokens,
    judge,
)
from waav.security.keys import read_key_set, read_keys

RSA = RSAKey.generate_key(2048)
OTHER = RSAKey.generate_key(2048)
P256 = ECKey.generate_key("P-256")
P384 = ECKey.generate_key("P-384")
ED = OKPKey.generate_key("Ed25519")
NOW = 1_800_000_000


def pem(key: RSAKey | ECKey | OKPKey) -> bytes:
    return key.as_pem(private=False)


def strategy(key: RSAKey | ECKey | OKPKey = RSA, **rules: Any) -> SignedTokens:
    return SignedTokens(FixedKeys(read_keys(pem(key))), Rules(**rules))


async def ask(tokens: SignedTokens, token: str) -> Principal | Denied:
    return await tokens.authenticate(presented(token))


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (json.dumps(each).encode() for each in (header, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSA, "RS256"),
        (RSA, "RS512"),
        (RSA, "PS256"),
        (P256, "ES256"),
        (P384, "ES384"),
        (ED, "EdDSA"),
        (ED, "Ed25519"),
    ],
    ids=["rs256", "rs512", "ps256", "es256", "es384", "eddsa", "ed25519"],
)
async def test_a_good_token_says_who_it_is(key: RSAKey | ECKey | OKPKey, algorithm: str) -> None:
    claims = {"sub": "acme", "exp": wall_clock() + 60, "scope": "listen speak"}
    who = await ask(strategy(key), signed(key, claims, algorithm, kid="any", typ="JWT"))
    assert isinstance(who, Principal)
    assert who.id == "acme"
    assert who.metadata["scope"] == "listen speak"
    assert "sub" not in who.metadata


async def test_the_header_may_have_more_in_it_than_we_know() -> None:
    token = signed(RSA, x="y" * 1000, nonce=7)
    assert isinstance(await ask(strategy(), token), Principal)


FORGED = {
    "another key": signed(OTHER),
    "no signature": unsigned({"alg": "none"}, {"sub": "acme", "exp": NOW * 2}),
    "None": unsigned({"alg": "None"}, {"sub": "acme", "exp": NOW * 2}),
    "signature cut off": signed(RSA).rpartition(".")[0] + ".",
    "the public key as a shared secret": signed(OctKey.import_key(b"x" * 32), alg="HS256"),
    "its own key": signed(OTHER, jwk=OTHER.as_dict(private=False)),
    "its own address of keys": signed(OTHER, jku="https://evil.example/keys"),
    "an extension that must be understood": signed(RSA, crit=["b64"], b64=True),
    "another type of key": signed(P256, alg="ES256"),
    "an algorithm that is a list": unsigned({"alg": ["RS256"]}, {}),
    "an algorithm that is none": unsigned({"alg": None}, {}),
    "a key id that is a table": unsigned({"alg": "RS256", "kid": {}}, {}),
    "a signature with a tail": signed(RSA) + ".x",
    "no algorithm": unsigned({}, {}),
    "no claims": signed(RSA, b"[]"),
    "claims that are no JSON": signed(RSA, b"{"),
    "claims that are no text": signed(RSA, b'{"sub": "\xff"}'),
    "deep claims": signed(RSA, b"[" * 1500),
    "an encrypted token": "a.b.c.d.e",
    "an API secret": "first-secret",
    "nothing": "",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
async def test_a_forged_token_opens_nothing(token: str) -> None:
    assert await ask(strategy(), token) is UNKNOWN


async def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    """The classic: HS256 with the text of the public key, which everybody has."""
    import hashlib
    import hmac

    text = unsigned({"alg": "HS256"}, {"sub": "acme", "exp": NOW * 2}).rstrip(".")
    digest = hmac.new(pem(RSA), text.encode(), hashlib.sha256).digest()
    token = f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
    assert await ask(strategy(), token) is UNKNOWN


async def test_a_claim_that_was_changed_breaks_the_signature() -> None:
    head, _, signature = signed(RSA, {"sub": "acme", "exp": NOW * 2}).split(".")
    _, other, _ = signed(RSA, {"sub": "root", "exp": NOW * 2}).split(".")
    assert await ask(strategy(), f"{head}.{other}.{signature}") is UNKNOWN


@given(some.text(alphabet="eyJhbGciOiJSUzI1NiJ9.-_=\x00é", max_size=200))
def test_nothing_that_is_shown_is_more_than_unknown(token: str) -> None:
    assert trio.run(ask, strategy(), token) is UNKNOWN


@given(some.dictionaries(some.text(max_size=9), some.none() | some.integers() | some.text()))
def test_no_header_is_more_than_unknown(header: dict[str, Any]) -> None:
    token = unsigned({"alg": "RS256", **header}, {"sub": "acme"})
    assert trio.run(ask, strategy(), token) is UNKNOWN


async def test_a_key_is_chosen_by_its_id_and_otherwise_each_is_tried() -> None:
    entries = [
        {**key.as_dict(private=False), "kid": name} for key, name in ((RSA, "a"), (OTHER, "b"))
    ]
    keys = read_key_set(json.dumps({"keys": entries}).encode(), shared=False)
    tokens = SignedTokens(FixedKeys(keys), Rules())
    assert isinstance(await ask(tokens, signed(OTHER, kid="b")), Principal)
    assert isinstance(await ask(tokens, signed(OTHER)), Principal)
    assert await ask(tokens, signed(OTHER, kid="a")) is UNKNOWN
    assert await ask(tokens, signed(OTHER, kid="c")) is UNKNOWN


async def test_a_shared_secret_of_the_operator_is_a_key_as_well() -> None:
    shared = OctKey.generate_key(256)
    keys = read_keys(json.dumps(shared.as_dict(private=True)).encode())
    tokens = SignedTokens(FixedKeys(keys), Rules())
    assert isinstance(await ask(tokens, signed(shared, alg="HS256")), Principal)
    assert await ask(tokens, signed(RSA)) is UNKNOWN


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW + 1}, None),
        ({"exp": NOW - 29}, None),
        ({"exp": NOW - 30}, EXPIRED),
        ({"exp": NOW + 0.5}, None),
        ({}, NOT_FOR_US),
        ({"exp": None}, NOT_FOR_US),
        ({"exp": "never"}, NOT_FOR_US),
        ({"exp": True}, NOT_FOR_US),
        ({"exp": 10**400}, None),
        ({"exp": -(10**400)}, EXPIRED),
        ({"exp": NOW + 9, "nbf": NOW + 30}, None),
        ({"exp": NOW + 9, "nbf": NOW + 31}, NOT_FOR_US),
        ({"exp": NOW + 9, "iat": NOW + 31}, NOT_FOR_US),
        ({"exp": NOW + 9, "aud": "somebody"}, NOT_FOR_US),
        ({"exp": NOW + 9, "aud": []}, NOT_FOR_US),
        ({"exp": NOW + 9, "iss": 7}, NOT_FOR_US),
    ],
)
def test_claims_and_the_clock(claims: dict[str, Any], outcome: Denied | None) -> None:
    said = judge({"sub": "acme", **claims}, Rules(leeway=30), NOW + 0.7)
    assert said is outcome if outcome else isinstance(said, Principal)


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"iss": "https://login", "aud": "waav"}, True),
        ({"iss": "https://login", "aud": ["other", "waav"]}, True),
        ({"iss": "https://login", "aud": ["other"]}, False),
        ({"iss": "https://login", "aud": {"waav": 1}}, False),
        ({"iss": "https://login"}, False),
        ({"iss": "https://evil", "aud": "waav"}, False),
        ({"iss": ["https://login"], "aud": "waav"}, False),
        ({"aud": "waav"}, False),
    ],
)
def test_issuer_and_audience(claims: dict[str, Any], *, good: bool) -> None:
    rules = Rules(issuer="https://login", audience="waav")
    said = judge({"sub": "acme", "exp": NOW + 9, **claims}, rules, NOW)
    assert said is NOT_FOR_US if not good else isinstance(said, Principal)


@pytest.mark.parametrize("id_", [None, 7, "", " ", "a\nb", "x" * 257, ["acme"]])
def test_a_token_without_a_usable_id_is_nobody_in_particular(id_: Any) -> None:
    who = judge({"tenant": id_, "sub": "acme", "exp": NOW + 9}, Rules(id_claim="tenant"), NOW)
    assert isinstance(who, Principal)
    assert who.id is None


def test_the_id_may_be_another_claim() -> None:
    who = judge({"tenant": "acme", "exp": NOW + 9}, Rules(id_claim="tenant"), NOW)
    assert isinstance(who, Principal)
    assert who.id == "acme"
