"""Who is let in: a whole gateway on a real port, and where tokens are somebody else's, a real service."""

import base64
import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import httpx
import pytest
import trio
import trustme
from joserfc.jwk import ECKey
from support import houses
from support.clients import QUIET, STT, Client
from support.houses import FREE, House, bearer, open_rest
from support.providers import Mouth, plugin
from support.servers.http import HTTPServer, Reply, answer_json
from support.servers.http import open_http_server as open_service
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capabilities import ClonedVoice, CloneLimits, Manifest, Secret
from waav.config import Config
from waav.config.auth import ApiSecret, Auth
from waav.config.metrics import Metrics
from waav.config.schema import Server, Tls, WebSocket
from waav.server.app import create_app
from waav.server.doorkeeper import public_paths
from waav.server.openapi import operations
from waav.server.rest.operation import under_prefixes
from waav.testing import FakeCloning, manifest_of

ACME, UMBRELLA = "the-token-of-acme", "the token of umbrella, with 100 %"
SECRETS = Auth(
    required=True,
    api_secrets=(ApiSecret("acme", Secret(ACME)), ApiSecret("umbrella", Secret(UMBRELLA))),
)
HEALTH = {"/", "/health", "/health/live", "/health/ready"}
OPEN = {*HEALTH, "/metrics", "/openapi.json", "/openapi.yaml"}
KEY = ECKey.generate_key("P-256")


@asynccontextmanager
async def open_house(auth: Auth = SECRETS, **sections: Any) -> AsyncIterator[House]:
    async with houses.open_house(auth, **sections) as house:
        yield house


def served(config: Config) -> Iterable[tuple[str, str]]:
    """Every method and path of the REST side, with something in the place of its variables."""
    for each in operations(config.metrics.served_at):
        for path in under_prefixes(each.path):
            yield each.method, re.sub("{[^}]+}", "anything", path)


# Nobody goes around it.


async def test_every_route_asks_but_those_that_are_public() -> None:
    async with open_house() as house, open_rest(house) as client:
        routes = list(served(house.gateway.config))
        assert len(routes) > 20
        # Who sends OPTIONS as a preflight is not asked, so nothing may be behind it.
        assert "OPTIONS" not in {method for method, _ in routes}
        public = {path for path in OPEN for path in under_prefixes(path)}
        for method, path in routes:
            answer = await client.request(method, path)
            assert (answer.status_code == 401) == (path not in public), (method, path)
            if path not in public:
                assert answer.json()["code"] == "missing_auth_header"
            for other in ("HEAD", "OPTIONS", "PATCH"):
                answer = await client.request(other, path)
                assert (answer.status_code == 401) == (path not in public), (other, path)
        assert public_paths(house.gateway.config) == public


async def test_there_is_no_route_beside_the_table() -> None:
    async with open_house() as house:
        rules = create_app(house.gateway).url_map.iter_rules()
        found = {re.sub("<[^>]+>", "anything", str(rule.rule)) for rule in rules}
        assert found == {path for _, path in served(house.gateway.config)}


WAYS = (
    *("/voices/", "//voices", "/%76oices", "/health/../voices", "/./voices", "/voices;a"),
    *("/health/live/../../voices", "/api/api/voices", "/nothing", "/voices?x=/health"),
    *("http://127.0.0.1/voices", "/VOICES", "/health%2f..%2fvoices", "/plugins/health"),
    *(
        "/voices%00",
        "/voices%20",
        "/voices%2F",
        "/health%00/../voices",
        "/;/voices",
        "/ws/../voices",
    ),
    *("http://127.0.0.1/health", "*", "/api//voices", "/%2e%2e/voices"),
)
"""Spellings of what is not open to everybody, or of nothing at all."""


async def test_no_spelling_of_a_path_leads_around_it() -> None:
    async with open_house() as house:
        for way in WAYS:
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                status = await first_line(house, f"{method} {way} HTTP/1.1\r\nHost: a\r\n\r\n")
                assert " 401 " in status, (method, way, status)


@asynccontextmanager
async def open_http2(
    folder: Path, *manifests: Manifest
) -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    authority, pem = trustme.CA(), folder / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    tls = Tls(enabled=True, cert_path=pem, key_path=pem)
    server = Server(host="127.0.0.1", port=0, tls=tls)
    async with (
        houses.open_house(SECRETS, manifests, server=server) as house,
        httpx.AsyncClient(verify=trusting, http2=True) as client,
    ):
        yield house, client


async def test_nor_does_it_over_http2(tmp_path: Path) -> None:
    """A later request of a connection is asked like its first one, and so are many at once."""
    async with open_http2(tmp_path) as (house, client):
        found: dict[tuple[str, str], int] = {}

        async def ask(method: str, way: str) -> None:
            target = {"target": way.encode()}
            answer = await client.request(method, f"https://{house.at}/", extensions=target)
            assert answer.http_version == "HTTP/2"
            found[method, way] = answer.status_code

        await ask("GET", "/health")
        async with trio.open_nursery() as nursery:
            for method, path in {*served(house.gateway.config), *(("GET", way) for way in WAYS)}:
                nursery.start_soon(ask, method, path)
        public = public_paths(house.gateway.config)
        assert [each for each in found if (found[each] == 401) != (each[1] not in public)] == []


async def test_every_upgrade_asks() -> None:
    upgrade = (
        "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with open_house() as house:
        for path in ("/ws", "/api/ws", "/%77s", "/api%2Fws"):
            async with house.call(path) as client:
                await client.expect("auth_required")
            with pytest.raises(InvalidStatus):
                async with house.call(path + "?token=wrong"):
                    pytest.fail("it was let in")
        for path in (
            *("/voices", "/health", "/ws/", "/realtime", "/api/api/ws", "//ws", "/WS", "/ws%00"),
            *("/./ws", "/health/../ws", "http://127.0.0.1/ws", "*"),
        ):
            status = await first_line(house, f"GET {path} HTTP/1.1\r\n{upgrade}")
            assert " 404 " in status, path
        # On a connection that began with HTTP.
        async with await trio.open_tcp_stream("127.0.0.1", house.port) as stream:
            await stream.send_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            await _until(stream, b'"OK"')
            await stream.send_all(f"GET /ws HTTP/1.1\r\n{upgrade}".encode())
            await _until(stream, b" 421 ")
        assert house.gateway.sessions == 0
        assert house.gateway.counters.sessions_started == 0


async def _until(stream: trio.SocketStream, told: bytes) -> None:
    received = b""
    with trio.fail_after(5):
        while told not in received:
            data = await stream.receive_some()
            assert data, received
            received += data


async def first_line(house: House, request: str) -> str:
    async with await trio.open_tcp_stream("127.0.0.1", house.port) as stream:
        await stream.send_all(request.encode())
        with trio.fail_after(5):
            return bytes(await stream.receive_some()).split(b"\r\n", 1)[0].decode() + " "


async def test_the_operator_closes_what_is_open_by_itself() -> None:
    closed = attrs.evolve(SECRETS, public_metrics=False, public_description=False)
    async with (
        open_house(closed, metrics=Metrics(path="/figures")) as house,
        open_rest(house) as client,
    ):
        for path in sorted({*OPEN, "/figures"} - {"/metrics"}):
            expected = 200 if path in HEALTH else 401
            assert (await client.get(path)).status_code == expected, path
            assert (await client.get(path, headers=bearer(ACME))).status_code == 200


async def test_a_browser_may_ask_whether_a_page_may_call() -> None:
    asking = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    async with open_house() as house, open_rest(house) as client:
        assert (await client.options("/speak", headers=asking)).status_code != 401
        assert (await client.options("/speak")).status_code == 401
        assert (await client.post("/speak", headers=asking, json={})).status_code == 401


# What it answers.


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({}, {}, "missing_auth_header"),
        ({"Authorization": "Basic YTpi"}, {}, "invalid_auth_header"),
        ({"Authorization": "Bearer"}, {}, "invalid_auth_header"),
        ({"Authorization": ""}, {"token": ACME}, "invalid_auth_header"),
        ({"Authorization": "Bearer wrong-token"}, {"token": ACME}, "unauthorized"),
        ({}, {"token": "wrong-token"}, "unauthorized"),
        ({}, {"token": ""}, "invalid_auth_header"),
        ({"Authorization": "Bearer " + "x" * 4097}, {}, "invalid_auth_header"),
    ],
    ids=["none", "basic", "bare", "empty", "wrong", "query", "empty-query", "long"],
)
async def test_who_is_not_let_in_hears_why(
    headers: dict[str, str], query: dict[str, str], code: str
) -> None:
    async with open_house() as house, open_rest(house) as client:
        answer = await client.get("/voices", headers=headers, params=query)
        _is_refusal(answer.status_code, answer.headers, answer.json(), 401, code)
        if code == "missing_auth_header":
            return  # at /ws it is asked for
        with pytest.raises(InvalidStatus) as caught:
            async with house.call("/ws?" + str(httpx.QueryParams(query)), **headers):
                pytest.fail("it was let in")
        response = caught.value.response
        _is_refusal(response.status_code, response.headers, json.loads(response.body), 401, code)
        assert house.gateway.counters.refused[code] == 2


def _is_refusal(status: int, headers: Any, body: Any, expected: int, code: str) -> None:
    assert status == expected
    assert body.keys() == {"error", "message", "code", "request_id"}
    assert body["error"] == body["code"] == code
    assert body["message"] not in {"", code}
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get("WWW-Authenticate") == ("Bearer" if expected == 401 else None)


@pytest.mark.parametrize("token", [ACME, UMBRELLA])
async def test_a_token_is_good_wherever_it_stands(token: str) -> None:
    async with open_house() as house, open_rest(house) as client:
        assert (await client.get("/voices", headers=bearer(token))).status_code == 200
        assert (await client.get("/voices", params={"token": token})).status_code == 200
        async with house.call(**bearer(token)) as caller:
            await caller.configure()
        async with house.call(f"/ws?token={quote(token)}") as caller:
            await caller.configure()
        async with house.call() as caller:
            await caller.expect("auth_required")
            await caller.send(type="auth", token=token)
            assert (await caller.expect("authenticated"))["id"] in {"acme", "umbrella"}
            await caller.configure()


# The operator's own service.


@asynccontextmanager
async def open_serviced(
    folder: Path, *replies: Reply, **more: Any
) -> AsyncIterator[tuple[House, HTTPServer]]:
    key = folder / "key.pem"
    key.write_bytes(KEY.as_pem(private=True))
    async with open_service(*replies) as service:
        auth = Auth(required=True, service_url=service.url, signing_key_path=key, **more)
        async with open_house(auth) as house:
            yield house, service


def claims(service: HTTPServer) -> Any:
    """Read what the service was asked last."""
    payload = service.requests[-1].body.split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + b"=="))["auth_data"]


async def _closed(client: Client, code: int) -> None:
    with trio.fail_after(5), pytest.raises(ConnectionClosed) as caught:
        await client.next()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == code


@pytest.mark.pins("D182")
async def test_ws_first_message_jwt(tmp_path: Path) -> None:
    """The token of a first message goes to the service, as if it had come with the upgrade."""
    async with open_serviced(tmp_path, answer_json({"id": "acme"})) as (house, service):
        async with house.call("/ws?a=b", **{"X-Tenant-Hint": "x"}) as caller:
            await caller.expect("auth_required")
            assert service.requests == []
            await caller.send(type="auth", token="some-token")
            assert (await caller.expect("authenticated"))["id"] == "acme"
            assert house.used()["tenant"] == 1
            asked = claims(service)
            assert asked["request_headers"].pop("x-tenant-hint") == "x"
            assert "authorization" not in asked.pop("request_headers")
            assert asked == {
                "token": "some-token",
                "request_body": {},
                "request_path": "/ws",
                "request_method": "GET",
            }
            await caller.configure()
        await house.nobody_is_left()


async def test_the_service_sees_the_body_and_the_handler_too(tmp_path: Path) -> None:
    said = {"text": "hello", "provider": "mouth"}
    async with (
        open_serviced(tmp_path, answer_json({"id": "acme"})) as (house, service),
        open_rest(house) as client,
    ):
        answer = await client.post("/api/speak", json=said, headers=bearer("some-token"))
        assert (answer.status_code, claims(service)["request_body"]) == (200, said)
        assert answer.content
        assert claims(service)["request_path"] == "/api/speak"
        # What is no JSON is not shown, and not read before the answer is known.
        form = {"provider": "mouth", "name": "me"}
        await client.post(
            "/voices/clone",
            data=form,
            files={"audio": b"a" * 1000},
            headers=bearer("some-token"),
        )
        assert claims(service)["request_body"] == {}


@pytest.mark.pins("D216")
async def test_a_body_that_is_too_large_to_be_shown_reaches_nobody(tmp_path: Path) -> None:
    async with (
        open_serviced(tmp_path, answer_json({"id": "acme"}), max_body_bytes=100) as (
            house,
            service,
        ),
        open_rest(house) as client,
    ):
        body = {"text": "x" * 100, "provider": "mouth"}
        answer = await client.post("/speak", json=body, headers=bearer("some-token"))
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert service.requests == []
        # Nor is it read for somebody who shows no token.
        assert (await client.post("/speak", json=body)).status_code == 401


async def test_no_content_type_hides_a_body_from_the_service(tmp_path: Path) -> None:
    body = json.dumps({"text": "hello", "provider": "mouth"})
    async with open_serviced(tmp_path, answer_json({"id": "acme"})) as (house, service):
        for kinds in (
            ["Application/JSON; charset=utf-8"],
            ["application/problem+json"],
            ["application/json", "text/plain"],
        ):
            lines = "".join(f"Content-Type: {kind}\r\n" for kind in kinds)
            await first_line(
                house,
                f"POST /speak HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer some-token\r\n{lines}"
                f"Content-Length: {len(body)}\r\n\r\n{body}",
            )
            assert claims(service)["request_body"] == json.loads(body), kinds


# What a session is before, and what it counts for.


@pytest.mark.pins("D190")
async def test_ws_pending_auth_limits() -> None:
    """Nothing of a session, a small message, and not for long; the place is held and given back."""
    socket = WebSocket(auth_timeout_seconds=0.3)
    async with open_house(websocket=socket) as house:
        async with house.call() as caller:
            await caller.expect("auth_required")
            assert house.used() == {"global": 1, "client": 1, "tenant": 0, "credential": 0}
            assert house.gateway.sessions == 0
            await caller.expect_error("auth_timeout")
            await _closed(caller, 4001)
        async with house.call() as caller:
            await caller.expect("auth_required")
            await caller.socket.send(bytes(640))
            await caller.expect_error("auth_required")
            await _closed(caller, 4001)
        async with house.call() as caller:
            await caller.expect("auth_required")
            await caller.socket.send("x" * (64 * 1024 + 1))
            await _closed(caller, 1009)
        assert house.gateway.counters.sessions_started == 0
        await house.nobody_is_left()


async def test_who_is_known_may_send_large_messages() -> None:
    async with open_house() as house, house.call() as caller:
        await caller.expect("auth_required")
        await caller.send(type="auth", token=ACME)
        await caller.expect("authenticated")
        await caller.configure(stt_config=STT)
        await caller.send(type="ping", padding="x" * 200_000)
        await caller.expect("pong")


@pytest.mark.pins("D191")
async def test_ws_auth_failure_slot() -> None:
    """With one place in all, any number of failures leave it free."""
    security = attrs.evolve(FREE, max_connections_per_ip=1, max_websocket_connections=1)
    async with open_house(security=security) as house:
        for _ in range(3):
            with pytest.raises(InvalidStatus) as caught:
                async with house.call(**bearer("wrong-token")):
                    pytest.fail("it was let in")
            assert caught.value.response.status_code == 401
            await house.nobody_is_left()
            async with house.call() as caller:
                await caller.expect("auth_required")
                with pytest.raises(InvalidStatus) as caught:
                    async with house.call(**bearer(ACME)):
                        pytest.fail("it was let in")
                assert caught.value.response.status_code == 503
                await caller.send(type="auth", token="wrong-token")
                await caller.expect_error("unauthorized")
                await _closed(caller, 4001)
            await house.nobody_is_left()


async def test_a_tenant_has_so_many_sessions_however_its_tokens_come() -> None:
    security = attrs.evolve(FREE, max_connections_per_tenant=1)
    async with open_house(security=security) as house:
        async with house.call(**bearer(ACME)) as first:
            await first.configure()
            async with house.call(f"/ws?token={ACME}") as caller:
                error = await caller.expect_error("tenant_limit")
                assert error["recoverable"] is False
                await _closed(caller, 1013)
            async with house.call() as caller:
                await caller.expect("auth_required")
                await caller.send(type="auth", token=ACME)
                await caller.expect("authenticated")
                await caller.expect_error("tenant_limit")
                await _closed(caller, 1013)
            async with house.call(**bearer(UMBRELLA)) as other:
                await other.configure()
        await house.nobody_is_left()
        async with house.call(**bearer(ACME)) as again:
            await again.configure()


async def test_a_known_token_names_the_tenant_also_where_none_is_wanted() -> None:
    optional = attrs.evolve(SECRETS, required=False)
    async with open_house(optional) as house, open_rest(house) as client:
        async with house.call(**bearer(ACME)) as caller:
            await caller.configure()
            assert house.used()["tenant"] == 1
            await caller.send(type="auth", token="anything")
            assert (await caller.expect("authenticated"))["id"] == "acme"
        async with house.call(**bearer("wrong-token")) as caller:
            await caller.configure()
            assert house.used()["tenant"] == 0
        assert (await client.get("/voices", headers=bearer("wrong-token"))).status_code == 200
    async with (
        open_house(attrs.evolve(optional, reject_unknown=True)) as house,
        open_rest(house) as client,
    ):
        assert (await client.get("/voices", headers=bearer("wrong-token"))).status_code == 401
        assert (await client.get("/voices")).status_code == 200


async def test_a_server_that_stops_sends_the_pending_away() -> None:
    async with open_house() as house, house.call() as caller:
        await caller.expect("auth_required")
        house.stopping.set()
        await _closed(caller, 1001)


@pytest.mark.pins("D183")
async def test_logs_have_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """At no level, wherever the token stands, in whatever spelling, right or wrong."""
    caplog.set_level(logging.DEBUG)
    for chatty in ("httpx", "httpcore"):
        caplog.set_level(logging.WARNING, chatty)  # the client's
    assert QUIET.level == logging.ERROR
    async with open_house() as house, open_rest(house) as client:
        for token in (ACME, UMBRELLA, "a wrong token, 100 %"):
            await client.get("/voices", params={"token": token})
            await client.get("/voices", headers=bearer(token))
            await client.get("/nothing", params={"token": token})
            for path, headers in ((f"/ws?token={quote(token)}", {}), ("/ws", bearer(token))):
                try:
                    async with house.call(path, **headers) as caller:
                        await caller.send(type="auth", token=token)
                        await caller.expect("authenticated")
                except InvalidStatus:
                    continue
    spelled = [
        spelling
        for token in (ACME, UMBRELLA, "a wrong token, 100 %")
        for spelling in (token, quote(token), str(httpx.QueryParams({"t": token}))[2:])
    ]
    assert not [text for text in spelled if text in caplog.text]


@pytest.mark.pins("D076")
async def test_what_was_said_before_is_shared_with_who_shares_the_key() -> None:
    """Whoever pays with a key of their own hears, and leaves, nothing of anybody else's."""
    mouth = Mouth()
    text = {"text": "hello", "provider": "studio"}
    async with (
        houses.open_house(SECRETS, [plugin("studio", mouth=mouth)]) as house,
        open_rest(house) as client,
    ):
        asked = []
        for key in ("acme-s-own", "umbrella-s-own", "acme-s-own", ""):
            for token in (ACME, UMBRELLA):
                headers = {**bearer(token), "X-Provider-Api-Key": key}
                answer = await client.post("/speak", json=text, headers=headers)
                assert answer.status_code == 200
                asked.append(len(mouth.requests))
    assert asked == [1, 1, 2, 2, 2, 2, 3, 3]


async def test_who_shares_the_operators_key_does_not_share_voices() -> None:
    """Made with one token, a voice is neither seen nor removed with another."""
    cloning = FakeCloning(CloneLimits(needs_description=True))
    wish = {"provider": "studio", "name": "Ann", "description": "calm"}
    studio = [manifest_of("studio", cloning=cloning)]
    async with houses.open_house(SECRETS, studio) as house, open_rest(house) as client:
        at, mine, theirs = "/voices/voice-1?provider=studio", bearer(ACME), bearer(UMBRELLA)
        assert (await client.post("/voices/clone", json=wish, headers=mine)).status_code == 200
        assert cloning.requests[0].owner == "acme"
        told = []
        for headers in (theirs, {**theirs, "X-Provider-Api-Key": ""}, mine):
            for method in ("GET", "DELETE"):
                answer = await client.request(method, at, headers=headers)
                told.append((answer.status_code, answer.json()["code"] if answer.is_error else ""))
        assert told == [*[(404, "VOICE_NOT_FOUND")] * 4, (200, ""), (204, "")]
        cloning.voices["brand"] = ClonedVoice(id="brand", name="Brand")
        answer = await client.delete("/voices/brand?provider=studio", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


async def test_tenants_on_one_connection_are_not_taken_for_each_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy may bring all of them at once, over HTTP/2."""
    caplog.set_level(logging.WARNING, "hpack")  # as the gateway's own logging has it
    cloning = FakeCloning(CloneLimits(needs_description=True))
    cloning.voices["v"] = ClonedVoice(id="v", name="Ann", owner="acme")
    studio = manifest_of("studio", cloning=cloning)
    found: dict[str, set[int]] = {ACME: set(), UMBRELLA: set()}
    async with open_http2(tmp_path, studio) as (house, client), trio.open_nursery() as nursery:

        async def look(token: str) -> None:
            at = f"https://{house.at}/voices/v?provider=studio"
            found[token].add((await client.get(at, headers=bearer(token))).status_code)

        await look(ACME)
        for _ in range(20):
            for token in found:
                nursery.start_soon(look, token)
    assert found == {ACME: {200}, UMBRELLA: {404}}
