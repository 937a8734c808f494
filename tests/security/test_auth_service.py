"""The operator's service that knows tokens: a real HTTP server on this machine."""

import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import trio
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from support.servers.certificates import Authority
from support.servers.http import (
    Answer,
    Cut,
    Dribbled,
    Garbage,
    HTTPServer,
    Reply,
    Stall,
    answer_json,
    open_http_server,
)
from support.servers.loopback import closed_port
from support.tokens import presented, wall_clock

from capabilities import (
    Denied,
    Presented,
    Principal,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.security.auth_service import (
    LIFETIME,
    MOST_ANSWER,
    UNAUTHORIZED,
    AuthService,
    assertion,
    read_signing_key,
)
from waav.security.http import open_peer
from waav.security.remembered import Remembered

RSA = RSAKey.generate_key(2048)
P256 = ECKey.generate_key("P-256")
TOKEN = "the-callers-own-token"  # made up
KNOWN = answer_json({"id": "acme", "plan": "gold"})


def pem(key: RSAKey | ECKey | OKPKey) -> bytes:
    return key.as_pem(private=True)


@asynccontextmanager
async def serving(
    *replies: Reply, key: RSAKey | ECKey = P256, timeout: float = 5.0, cache: float = 0.0
) -> AsyncIterator[tuple[AuthService, HTTPServer]]:
    async with (
        open_http_server(*replies) as server,
        open_peer("auth service", server.url + "/check", timeout) as peer,
    ):
        yield AuthService(peer, read_signing_key(pem(key)), Remembered(cache, 8)), server


async def ask(*replies: Reply, **options: Any) -> Principal | Denied:
    async with serving(*replies, **options) as (service, _):
        return await service.authenticate(presented(TOKEN))


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (P256, "ES256")])
async def test_the_request_is_what_the_service_expects(key: RSAKey | ECKey, algorithm: str) -> None:
    shown = presented(
        TOKEN,
        method="POST",
        path="/speak",
        headers={"content-type": "application/json", "x-custom": "ä"},
        body=b'{"text": "hello", "n": [1, 2.5, null]}',
    )
    before = wall_clock()
    async with serving(KNOWN, key=key) as (service, server):
        await service.authenticate(shown)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/check")
    assert request.headers["content-type"] == "application/jwt"
    token = jws.deserialize_compact(request.body, key, algorithms=[algorithm])
    claims = json.loads(token.payload)
    assert token.headers()["alg"] == algorithm
    assert before <= claims["iat"] <= wall_clock()
    assert claims["exp"] == claims["iat"] + LIFETIME == claims["iat"] + 300
    assert claims["sub"] == "waav-auth"
    assert claims["auth_data"] == {
        "token": TOKEN,
        "request_body": {"text": "hello", "n": [1, 2.5, None]},
        "request_headers": {"content-type": "application/json", "x-custom": "ä"},
        "request_path": "/speak",
        "request_method": "POST",
    }


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b"\xff", b"[" * 5000, b"1e999"])
def test_a_body_that_is_no_json_is_an_empty_object(body: bytes) -> None:
    claims = _claims(presented(TOKEN, body=body))
    assert claims["auth_data"]["request_body"] == {}


def test_of_two_values_for_one_key_the_service_sees_the_one_that_counts() -> None:
    claims = _claims(presented(TOKEN, body=b'{"room": "mine", "room": "yours", "n": 1e30}'))
    assert claims["auth_data"]["request_body"] == {"room": "yours", "n": 1e30}


def _claims(shown: Presented) -> Any:
    signed = assertion(shown, read_signing_key(pem(P256)), 1000)
    return json.loads(jws.deserialize_compact(signed, P256, algorithms=["ES256"]).payload)


async def test_an_id_is_a_yes() -> None:
    who = await ask(KNOWN)
    assert who == Principal("acme", {"plan": "gold"})


@pytest.mark.pins("D251")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"true",
        b'"acme"',
        b'["acme"]',
        b"{}",
        b'{"id": null}',
        b'{"id": ""}',
        b'{"id": "  "}',
        b'{"id": 7}',
        b'{"id": true}',
        b'{"id": ["acme"]}',
        b'{"id": "a\\u0000b"}',
        b'{"id": "a\\nb"}',
        b'{"ID": "acme"}',
        b'{"id": "' + b"x" * 257 + b'"}',
        b'{"id": "\xff"}',
        b"[" * 5000,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_auth_200_without_id(body: bytes) -> None:
    """A yes that does not say to whom; the caller of the strategy makes it a no."""
    assert await ask(Answer(200, body)) == Principal(None)


async def test_401_is_a_no() -> None:
    assert await ask(Answer(401, b'{"id": "acme"}')) is UNAUTHORIZED


@pytest.mark.parametrize("status", [400, 402, 403, 404, 410, 422, 429, 499])
async def test_another_4xx_is_a_refusal(status: int) -> None:
    with pytest.raises(ProviderRefused):
        await ask(Answer(status, b'{"id": "acme"}'))


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 307, 308, 500, 502, 503, 599])
async def test_everything_else_is_a_failure(status: int) -> None:
    answer = Answer(status, b"" if status == 204 else b'{"id": "acme"}', {"Location": "/check"})
    async with serving(answer, KNOWN) as (service, server):
        with pytest.raises(ProviderError) as failed:
            await service.authenticate(presented(TOKEN))
        assert len(server.requests) == 1, "a redirect is not followed"
    assert type(failed.value) is ProviderError


LYING = {
    "not HTTP": (Garbage(), ProviderProtocolError),
    "hangs up": (Cut(), ProviderProtocolError),
    "resets": (Cut(hard=True), ProviderUnavailable),
    "less than it promised": (Cut(b'{"id": "acme"'), ProviderProtocolError),
    "huge": (Answer(200, b'{"id":"acme"}' + b" " * MOST_ANSWER), ProviderProtocolError),
    "huge in pieces": (Answer(200, (b" " * 8192,) * 64), ProviderProtocolError),
    "compressed": (
        Answer(200, gzip.compress(b'{"id":"acme"}'), {"Content-Encoding": "gzip"}),
        ProviderProtocolError,
    ),
    "silent": (Stall(), ProviderUnavailable),
    "silent in the middle": (Stall(b'{"id": "acme"'), ProviderUnavailable),
    "a byte at a time": (Dribbled(Answer(200, (b" ",) * 100_000)), ProviderUnavailable),
}


@pytest.mark.parametrize(("reply", "error"), LYING.values(), ids=LYING)
async def test_a_service_that_breaks_down_or_lies_lets_nobody_in(
    reply: Reply, error: type[Exception]
) -> None:
    with trio.fail_after(10), pytest.raises(error):
        await ask(reply, timeout=0.5)


async def test_a_service_that_is_not_there() -> None:
    async with open_peer("auth service", f"http://127.0.0.1:{closed_port()}", 5.0) as peer:
        service = AuthService(peer, read_signing_key(pem(P256)), Remembered(0.0, 8))
        with pytest.raises(ProviderUnavailable):
            await service.authenticate(presented(TOKEN))


async def test_a_service_is_believed_only_with_a_certificate_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "ca.pem")
    async with open_http_server(KNOWN, tls=authority.server()) as server:
        for trusted in (False, True):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
            async with open_peer("auth service", server.url, 5.0) as peer:
                service = AuthService(peer, read_signing_key(pem(P256)), Remembered(0.0, 8))
                with nullcontext() if trusted else pytest.raises(ProviderUnavailable):
                    assert isinstance(await service.authenticate(presented(TOKEN)), Principal)
        assert len(server.requests) == 1


@pytest.mark.pins("D255")
async def test_auth_error_body_hidden(caplog: pytest.LogCaptureFixture) -> None:
    """Not for the caller; the operator reads it, without what it may quote of the request."""

    async def quotes(exchange: Any) -> None:
        said = f"no such user: {TOKEN}; got {exchange.request.body.decode()}; table users".encode()
        await Answer(403, said + b"x" * 1000)(exchange)

    with caplog.at_level(logging.WARNING), pytest.raises(ProviderRefused) as refused:
        await ask(quotes)
    assert "table users" not in str(refused.value)
    assert "no such user: ***; got ***; table users" in caplog.text
    assert "eyJ" not in caplog.text
    assert len(caplog.text) < 1000


async def test_nothing_secret_is_shown() -> None:
    async with serving(KNOWN) as (service, _):
        shown = presented(TOKEN, headers={"x-provider-api-key": "abcdefgh"}, body=b"private")
        for each in (service, shown, read_signing_key(pem(RSA))):
            assert not any(word in repr(each) for word in (TOKEN, "abcdefgh", "private", "BEGIN"))


async def test_a_yes_is_remembered_if_that_is_wanted() -> None:
    async with serving(KNOWN, cache=60.0) as (service, server):
        first = await service.authenticate(presented(TOKEN))
        assert await service.authenticate(presented(TOKEN)) == first
        assert len(server.requests) == 1
        for other in (
            presented(TOKEN + "x"),
            presented(TOKEN, method="DELETE"),
            presented(TOKEN, path="/voice"),
            presented(TOKEN, body=b"{}"),
        ):
            asked = len(server.requests)
            await service.authenticate(other)
            assert len(server.requests) == asked + 1


async def test_by_default_the_service_is_asked_each_time() -> None:
    async with serving(KNOWN, Answer(401)) as (service, server):
        assert isinstance(await service.authenticate(presented(TOKEN)), Principal)
        assert await service.authenticate(presented(TOKEN)) is UNAUTHORIZED
        assert server.connections == 1


async def test_a_no_is_never_remembered() -> None:
    replies = (Answer(401), Answer(200, b"{}"), KNOWN)
    async with serving(*replies, cache=60.0) as (service, _):
        outcomes = [await service.authenticate(presented(TOKEN)) for _ in replies]
    assert outcomes == [UNAUTHORIZED, Principal(None), Principal("acme", {"plan": "gold"})]


async def test_a_service_that_answers_for_many_at_once() -> None:
    async with serving(KNOWN) as (service, server):
        outcomes: list[object] = []

        async def one(number: int) -> None:
            outcomes.append(await service.authenticate(presented(f"{TOKEN}-{number}")))

        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(one, number, name="test")
        assert len(outcomes) == len(server.requests) == 30


@pytest.mark.pins("D254")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"", "expected a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "in PEM"),
        (P256.as_pem(private=False), "expected a private key"),
        (ECKey.generate_key("P-384").as_pem(private=True), "on the curve P-256"),
        (OKPKey.generate_key("Ed25519").as_pem(private=True), "RSA or EC"),
        (RSA.as_pem(private=True, password="secret"), "without a passphrase"),
    ],
    ids=["empty", "garbage", "public", "p384", "ed25519", "locked"],
)
def test_a_key_that_cannot_sign_is_named_at_the_start(text: bytes, wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        read_signing_key(text)
