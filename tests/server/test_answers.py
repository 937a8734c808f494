"""What every answer has, whoever gives it: a name for its request, and headers for browsers."""

import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio

from waav.config import Config
from waav.config.overload import Overload
from waav.config.schema import Plugins, Server, Tls
from waav.gateway import open_gateway
from waav.security.authenticate import Authenticator
from waav.server.admission import Admission
from waav.server.doorkeeper import Doorkeeper
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery

Start = Callable[..., Awaitable[Any]]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
OWN = re.compile(r"[0-9a-f]{32}")
WAYS = [
    ("GET /hello", "", 200),
    ("GET /nowhere", "", 404),
    ("GET /bug", "", 500),
    ("OPTIONS /hello", "Origin: https://a\r\nAccess-Control-Request-Method: GET\r\n", 204),
    ("GET /nowhere", UPGRADE, 404),
    ("GET /ws", "", 426),
]


class Answer:
    """An answer as it came, each header once."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, value in pairs}
        assert len(self.headers) == len(pairs), "a header is there twice"


async def ask(running: Any, asked: str, headers: str = "") -> Answer:
    head = f"{asked} HTTP/1.1\r\nHost: a\r\n{headers}"
    if "Upgrade: websocket" not in headers:
        head += "Connection: close\r\n"
    return Answer(await running.ask(f"{head}\r\n".encode()))


@pytest.mark.parametrize(("asked", "headers", "status"), WAYS)
async def test_every_answer_has_them(start: Start, asked: str, headers: str, status: int) -> None:
    answer = await ask(await start(), asked, headers)
    assert answer.status == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in answer.headers
    assert OWN.fullmatch(answer.headers["x-request-id"])


async def test_also_one_that_lets_somebody_talk(start: Start) -> None:
    running = await start()
    async with await running.connect() as stream:
        named = f"X-Request-ID: mine\r\n{UPGRADE}"
        await stream.send_all(f"GET /ws HTTP/1.1\r\nHost: a\r\n{named}\r\n".encode())
        with trio.fail_after(10):
            answer = Answer(await stream.receive_some())
    assert answer.status == 101
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70_000, 431),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n", 400),
        (b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
    ids=["TLS", "nonsense", "endless", "nonsense later", "nonsense inside"],
)
async def test_also_one_to_what_is_no_request(start: Start, sent: bytes, status: int) -> None:
    running = await start()
    received = await running.ask(sent)
    *_, last = [b"HTTP/1.1 " + part for part in received.split(b"HTTP/1.1 ")[1:]]
    answer = Answer(last)
    assert answer.status == status
    assert OWN.fullmatch(answer.headers["x-request-id"])
    assert json.loads(answer.body)["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("key", ["dGhlIHNhbXBsZSBub25jZQ==", "none"])
@pytest.mark.parametrize("more", ["", "x", "\x00\x00"], ids=["nothing", "byte", "frame"])
async def test_also_one_to_an_upgrade_that_comes_too_late(
    start: Start, key: str, more: str
) -> None:
    running = await start()
    first = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    late = f"GET /ws HTTP/1.1\r\nHost: a\r\nX-Request-ID: late\r\n{UPGRADE}\r\n"
    late = late.replace("dGhlIHNhbXBsZSBub25jZQ==", key)
    received = b""
    async with await running.connect() as stream:
        await stream.send_all(f"{first}{late}{more}".encode())
        with trio.fail_after(10):
            while b'"request_id":"late"}' not in received:
                received += await stream.receive_some()
    answer = Answer(b"HTTP/1.1 " + received.split(b"HTTP/1.1 ")[2])
    assert answer.status == 421
    assert answer.headers["x-request-id"] == "late"
    assert json.loads(answer.body)["code"] == "new_connection_required"
    assert answer.headers["x-frame-options"] == "DENY"


async def test_a_request_id_is_kept_if_it_can_be_shown(start: Start) -> None:
    running = await start(admission=Admission(doorkeeper=strict()))
    for asked, headers in (("GET /hello", ""), ("GET /ws", UPGRADE)):
        answer = await ask(running, asked, f"X-Request-ID: trace-1:a.b_C\r\n{headers}")
        assert answer.status == 401
        assert answer.headers["x-request-id"] == "trace-1:a.b_C"
        assert json.loads(answer.body)["request_id"] == "trace-1:a.b_C"


@pytest.mark.parametrize(
    "given",
    ["", "a b", "x" * 129, "<script>", "é", "a\tb", "a\r\nX-Request-ID: b"],
    ids=["none", "space", "long", "markup", "letter", "tab", "two"],
)
@pytest.mark.parametrize(("asked", "headers"), [("GET /hello", ""), ("GET /nowhere", UPGRADE)])
async def test_other_request_ids_are_replaced(
    start: Start, asked: str, headers: str, given: str
) -> None:
    running = await start()
    made = {
        (await ask(running, asked, f"X-Request-ID: {given}\r\n{headers}")).headers["x-request-id"]
        for _ in range(2)
    }
    assert len(made) == 2
    assert all(OWN.fullmatch(each) for each in made)


def strict() -> Doorkeeper:
    return Doorkeeper(Authenticator(required=True, body_limit=0, strategies={}))


@asynccontextmanager
async def encrypted(certificate: Any) -> AsyncIterator[int]:
    tls = Tls(enabled=True, cert_path=certificate.cert, key_path=certificate.key)
    config = Config(
        server=Server(host="127.0.0.1", port=0, tls=tls),
        plugins=Plugins(enabled=False),
        overload=Overload(enabled=False),
    )
    async with (
        open_gateway(config) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, trio.Event())
        yield port


@pytest.mark.parametrize("headers", ["", UPGRADE], ids=["http", "upgrade"])
async def test_where_tls_is_on_a_browser_shall_not_come_without(
    certificate: Any, headers: str
) -> None:
    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    async with encrypted(certificate) as port:
        stream = await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", port, ssl_context=context, https_compatible=True
        )
        async with stream:
            closing = "" if headers else "Connection: close\r\n"
            head = f"GET /nowhere HTTP/1.1\r\nHost: a\r\n{closing}{headers}\r\n"
            await stream.send_all(head.encode())
            received = b""
            with trio.fail_after(10):
                async for data in stream:
                    received += data
                    if received.endswith(b"}"):
                        break
    answer = Answer(received)
    assert answer.status == 404
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_and_so_over_http2(certificate: Any) -> None:
    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    async with (
        encrypted(certificate) as port,
        httpx.AsyncClient(verify=context, http2=True) as client,
    ):
        answer = await client.get(f"https://127.0.0.1:{port}/nowhere")
    assert answer.http_version == "HTTP/2"
    assert answer.status_code == 404
    assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
