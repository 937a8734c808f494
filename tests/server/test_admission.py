"""The limits at both doors, on real sockets: exact, for everybody, whatever happens afterwards."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing
from quart_trio import QuartTrio

from waav.security.addresses import Clients
from waav.security.limits import Capacities, Counts, LocalLimiter, Use
from waav.security.rate import Rates
from waav.server.admission import EXEMPT, Admission, exempt
from waav.server.doorkeeper import Visitor
from waav.server.openapi import OPERATIONS
from waav.server.rest.operation import PREFIXES
from waav.server.websocket import WebSocket

KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
HANDSHAKE = f"Upgrade: websocket\r\nConnection: Upgrade\r\n{KEY}"
SLOW = 1e-9
"""Tokens in a second: no test lasts long enough for the next one."""

Start = Callable[..., Awaitable[Any]]


def request(path: str = "/ws", headers: str = HANDSHAKE, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode()


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @classmethod
    def of(cls, data: bytes) -> "Answer":
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        return cls(int(first.split()[1]), headers, json.loads(body) if body else {})


async def head_of(stream: trio.SocketStream) -> bytes:
    received = b""
    with trio.fail_after(20):
        while b"\r\n\r\n" not in received and (data := await stream.receive_some(65536)):
            received += data
    return received


async def enter(running: Any, headers: str = HANDSHAKE) -> trio.SocketStream:
    """A WebSocket that was let in."""
    stream: trio.SocketStream = await running.connect()
    await stream.send_all(request(headers=headers))
    assert b" 101 " in await head_of(stream)
    return stream


@asynccontextmanager
async def inside(running: Any, number: int) -> AsyncIterator[list[trio.SocketStream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await enter(running)) for _ in range(number)]


async def stay(socket: WebSocket, _visitor: Visitor) -> None:
    async for _ in socket:
        pass


def counted(**capacities: int) -> tuple[Admission, Counts]:
    counts = Counts(Capacities(**capacities))
    return Admission(limiter=LocalLimiter(counts)), counts


async def emptied(counts: Counts) -> None:
    with trio.fail_after(20):
        while any(use.held for use in counts.snapshot().values()):
            await trio.testing.wait_all_tasks_blocked(0.01)


@attrs.define(eq=False)
class Crowd:
    """Everybody comes at once; some are let in."""

    running: Any
    let_in: list[trio.SocketStream] = attrs.Factory(list)
    refused: list[Answer] = attrs.Factory(list)

    async def come(self, number: int) -> None:
        go = trio.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(number):
                nursery.start_soon(self._come, go)
            go.set()

    async def _come(self, go: trio.Event) -> None:
        stream = await self.running.connect()
        await go.wait()
        await stream.send_all(request())
        data = await head_of(stream)
        if b" 101 " in data:
            self.let_in.append(stream)
            return
        self.refused.append(Answer.of(data))
        await stream.aclose()

    async def leave_badly(self) -> None:
        """Each in a manner of its own: gone, in mid-frame, or with a message that breaks us."""
        for number, stream in enumerate(self.let_in):
            match number % 3:
                case 0:
                    await trio.aclose_forcefully(stream)
                case 1:
                    await stream.send_all(CRASH[: number % len(CRASH)])
                    await stream.send_eof()
                case _:
                    await stream.send_all(CRASH)

    async def go_home(self) -> None:
        for stream in self.let_in:
            await trio.aclose_forcefully(stream)


CRASH = bytes([0x82, 0x85, 0, 0, 0, 0]) + b"crash"
"""A binary message."""


async def break_when_told(socket: WebSocket, _visitor: Visitor) -> None:
    async for message in socket:
        if message == b"crash":
            raise RuntimeError("a bug in a handler")


@pytest.mark.pins("D257")
@pytest.mark.pins("D259")
async def test_of_a_thousand_upgrades_at_once_a_hundred_come_in(start: Start) -> None:
    """And when all have left, each in its own bad manner, a hundred come in again."""
    admission, counts = counted(everybody=100)
    running = await start({"/ws": break_when_told}, admission=admission)
    crowd = Crowd(running)
    await crowd.come(1000)
    assert (len(crowd.let_in), len(crowd.refused)) == (100, 900)
    assert {answer.status for answer in crowd.refused} == {503}
    assert counts.snapshot()["global"] == Use(held=100, refused=900)
    await crowd.leave_badly()
    await emptied(counts)
    await crowd.go_home()
    async with inside(running, 100):
        assert counts.snapshot()["global"].held == 100
    await emptied(counts)


async def test_a_refusal_says_when_to_come_again_and_as_what_it_is(start: Start) -> None:
    admission, _ = counted(client=1)
    running = await start({"/ws": stay}, admission=admission)
    async with inside(running, 1):
        answer = Answer.of(await running.ask(request()))
    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/json"
    assert answer.body["code"] == "too_many_connections"
    assert answer.body["message"] == "Too many connections from your IP address."
    assert answer.body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.pins("D258")
@pytest.mark.parametrize(
    "headers",
    ["", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", f"Upgrade: h2c\r\n{KEY}", HANDSHAKE],
)
async def test_no_header_leads_around_the_limit(start: Start, headers: str) -> None:
    admission, counts = counted(everybody=1)
    running = await start({"/ws": stay}, admission=admission)
    async with inside(running, 1):
        assert Answer.of(await running.ask(request(headers=headers))).status == 503
    await emptied(counts)


@pytest.mark.pins("D259")
@pytest.mark.parametrize(
    "headers",
    [HANDSHAKE.replace("13", "8"), HANDSHAKE.replace("Connection: Upgrade", "Connection: close")],
)
async def test_a_handshake_that_fails_keeps_no_place(start: Start, headers: str) -> None:
    admission, counts = counted(everybody=1)
    running = await start({"/ws": stay}, admission=admission)
    for _ in range(3):
        assert Answer.of(await running.ask(request(headers=headers))).status in {400, 426}
    assert counts.snapshot()["global"] == Use(held=0, refused=0)


@pytest.mark.pins("D259")
async def test_a_server_that_stops_gives_all_places_back(start: Start) -> None:
    admission, counts = counted(everybody=5, client=5)
    running = await start({"/ws": stay}, admission=admission, grace=0.1)
    async with inside(running, 5):
        running.stopping.set()
        with trio.fail_after(5):
            await running.ended.wait()
    assert not any(use.held for use in counts.snapshot().values())


@pytest.mark.pins("D263")
async def test_behind_a_proxy_each_client_has_its_own_places(start: Start) -> None:
    admission, counts = counted(client=1)
    trusting = attrs.evolve(admission, clients=Clients(["127.0.0.1"]))
    running = await start({"/ws": stay}, admission=trusting)
    first = f"X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n{HANDSHAKE}"
    again = f"X-Forwarded-For: 7.7.7.7, 192.0.2.1\r\n{HANDSHAKE}"
    other = f"X-Forwarded-For: 192.0.2.2\r\n{HANDSHAKE}"
    async with await enter(running, first), await enter(running, other):
        assert Answer.of(await running.ask(request(headers=again))).status == 503
    await emptied(counts)


@pytest.mark.pins("D263")
async def test_a_stranger_does_not_multiply_by_headers(start: Start) -> None:
    admission = Admission(rates=Rates(rate=SLOW, burst=1))
    running = await start(admission=admission)
    statuses = []
    for number in range(3):
        said = f"X-Forwarded-For: 192.0.2.{number}\r\nForwarded: for=192.0.2.{number}\r\n"
        answer = await running.ask(request("/hello", f"{said}Connection: close\r\n"))
        statuses.append(int(answer.split()[1]))
    assert statuses == [200, 429, 429]


async def test_too_many_requests_are_answered_with_when_to_come_again(start: Start) -> None:
    running = await start(admission=Admission(rates=Rates(rate=0.01, burst=2)))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        assert [(await client.get("/hello")).status_code for _ in range(2)] == [200, 200]
        refused = await client.post("/size", content=bytes(100_000))
    assert refused.status_code == 429
    wait = refused.headers["retry-after"]
    assert int(wait) in range(95, 101)
    assert refused.headers["x-ratelimit-after"] == wait
    assert refused.headers["x-ratelimit-limit"] == "2"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.json()["code"] == "too_many_requests"
    assert refused.json()["message"] == f"Too Many Requests! Wait for {wait}s"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]


WAYS = [
    (operation.method, prefix + operation.path)
    for operation in OPERATIONS
    for prefix in PREFIXES
    if operation.tag != "health"
] + [("GET", "/nowhere"), ("OPTIONS", "/speak"), ("GET", "/health/nothing"), ("GET", "//health")]


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_no_operation_and_no_other_path_skips_the_rate_limit(
    start: Start, method: str, path: str
) -> None:
    running = await start(admission=Admission(rates=exhausted()))
    answer = await running.ask(request(path, "Connection: close\r\n", method))
    assert Answer.of(answer).status == 429


@pytest.mark.pins("D258")
@pytest.mark.parametrize("path", ["/ws", "/api/ws", "/elsewhere", "/", "/health"])
async def test_no_upgrade_skips_the_rate_limit(start: Start, path: str) -> None:
    running = await start({"/ws": stay, "/api/ws": stay}, admission=Admission(rates=exhausted()))
    assert Answer.of(await running.ask(request(path))).status == 429


async def test_an_upgrade_on_a_used_connection_does_not_skip_it_either(start: Start) -> None:
    running = await start(admission=Admission(rates=Rates(rate=SLOW, burst=1)))
    async with await running.connect() as stream:
        await stream.send_all(request("/hello", ""))
        assert b" 200 " in await head_of(stream)
        await stream.send_all(request())
        assert b" 429 " in await head_of(stream)


@pytest.mark.pins("D262")
async def test_health_may_be_asked_for_at_any_rate(start: Start, app: QuartTrio) -> None:
    app.add_url_rule("/health", view_func=lambda: "OK")
    running = await start(admission=Admission(rates=exhausted()))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        assert {(await client.get("/health")).status_code for _ in range(30)} == {200}


@pytest.mark.pins("D262")
def test_what_is_exempt_is_what_watches_over_us_and_nothing_else() -> None:
    watching = {op.path for op in OPERATIONS if op.tag == "health"} | {"/metrics"}
    assert {
        (prefix + path).rstrip("/") or "/" for prefix in PREFIXES for path in watching
    } == EXEMPT


def exhausted() -> Rates:
    rates = Rates(rate=SLOW, burst=1)
    rates.take("127.0.0.1", trio.current_time())
    return rates


@pytest.mark.parametrize(("at", "there"), [("/figures", True), (None, False)])
def test_the_metrics_are_exempt_where_the_operator_has_put_them(
    at: str | None, *, there: bool
) -> None:
    assert ("/figures" in exempt(at), "/api/figures" in exempt(at)) == (there, there)
    assert "/metrics" not in exempt(at)
