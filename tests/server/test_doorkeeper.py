"""The token in the head of a request: who is asked, and where."""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio

from capabilities import Denied, Presented, Principal, Secret
from waav.config import Config
from waav.config.auth import Auth
from waav.config.metrics import Metrics
from waav.security.authenticate import Authenticator
from waav.security.limits import Capacities, Counts, LocalLimiter
from waav.server.admission import Admission
from waav.server.doorkeeper import Doorkeeper, Visitor, public_paths
from waav.server.head import RequestHead
from waav.server.refusal import Refused
from waav.server.websocket import WebSocket

Start = Callable[..., Awaitable[Any]]
UPGRADE = (
    "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@attrs.define
class Strategy:
    """Knows one token, and thinks about it for as long as the test says."""

    release: trio.Event = attrs.Factory(trio.Event)
    asked: trio.Event = attrs.Factory(trio.Event)
    seen: list[Presented] = attrs.Factory(list)

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        self.seen.append(presented)
        self.asked.set()
        await self.release.wait()
        return Principal("acme") if presented.token == Secret("right-token") else Denied()


def knowing(strategy: Strategy, body_limit: int = 0) -> Authenticator:
    return Authenticator(required=True, body_limit=body_limit, strategies={"one": strategy})


@pytest.fixture
def strategy() -> Strategy:
    quick = Strategy()
    quick.release.set()
    return quick


def head(
    path: str = "/voices", query: str = "", method: str = "GET", **headers: str
) -> RequestHead:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestHead(
        method=method,
        path=path,
        query=query,
        headers=named,
        peer=("192.0.2.1", 1),
        scheme="http",
        http_version="1.1",
        size=0,
    )


async def unread(_limit: int) -> bytes:
    pytest.fail("nobody wants to see the body")


async def test_who_decides_by_the_path_sees_what_will_be_served(strategy: Strategy) -> None:
    doorkeeper = Doorkeeper(knowing(strategy))
    for path in ("/voices/", "//voices", "http://a/voices", "voices"):
        await doorkeeper.check_request(head(path, "token=right-token"), unread)
    assert {each.path for each in strategy.seen} == {"/voices"}


async def test_a_route_whose_handler_does_not_ask_is_closed_to_who_shows_no_token(
    start: Start, strategy: Strategy
) -> None:
    met: list[Visitor] = []

    async def meet(_socket: WebSocket, visitor: Visitor) -> None:
        met.append(visitor)

    doorkeeper = Doorkeeper(knowing(strategy), asked_inside=frozenset({"/asks"}))
    running = await start(
        {"/asks": meet, "/silent": meet}, admission=Admission(doorkeeper=doorkeeper)
    )
    expected = {
        "/silent": 401,
        "/silent?token=right-token": 101,
        "/asks": 101,
        "/asks?token=x": 401,
    }
    for path, status in expected.items():
        answer = await running.ask(f"GET {path} HTTP/1.1\r\n{UPGRADE}\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), path
    assert [(each.head.path, each.pending) for each in met] == [("/silent", False), ("/asks", True)]
    assert met[0].principal == Principal("acme")


async def test_a_place_is_held_while_somebody_is_asked(start: Start) -> None:
    slow = Strategy()
    counts = Counts(Capacities(everybody=1))
    admission = Admission(limiter=LocalLimiter(counts), doorkeeper=Doorkeeper(knowing(slow)))
    running = await start(admission=admission)
    request = f"GET /ws?token=wrong HTTP/1.1\r\n{UPGRADE}\r\n".encode()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(running.ask, request)
        await slow.asked.wait()
        assert b" 503 " in await running.ask(request)
        slow.release.set()
    assert counts.snapshot()["global"].held == 0


async def test_a_server_that_stops_does_not_wait_longer_than_its_grace(start: Start) -> None:
    slow = Strategy()
    counts = Counts(Capacities(everybody=1))
    admission = Admission(limiter=LocalLimiter(counts), doorkeeper=Doorkeeper(knowing(slow)))
    running = await start(admission=admission, grace=0.1)
    async with trio.open_nursery() as nursery:
        for path in ("/ws", "/hello"):
            upgrade = UPGRADE if path == "/ws" else "Host: a\r\n"
            request = f"GET {path}?token=wrong HTTP/1.1\r\n{upgrade}\r\n".encode()
            nursery.start_soon(running.ask, request)
        await slow.asked.wait()
        running.stopping.set()
        with trio.fail_after(5):
            await running.ended.wait()
    assert counts.snapshot()["global"].held == 0


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"content_type": "application/json"}, True),
        ({"content_type": "Application/Vnd.a+JSON;charset=utf-8"}, True),
        ({"content_type": "text/plain, application/json"}, True),
        ({"content_type": "multipart/form-data; boundary=a"}, False),
        ({}, False),
    ],
)
async def test_json_is_shown_and_nothing_else_is_read(
    strategy: Strategy,
    headers: dict[str, str],
    shown: bool,  # noqa: FBT001
) -> None:
    limits: list[int] = []

    async def read(limit: int) -> bytes:
        await trio.lowlevel.checkpoint()
        limits.append(limit)
        return b"{}"

    request = head(method="POST", authorization="Bearer right-token", **headers)
    await Doorkeeper(knowing(strategy, body_limit=9)).check_request(request, read)
    assert limits == ([9] if shown else [])
    assert strategy.seen[0].body == (b"{}" if shown else b"")
    await Doorkeeper(knowing(strategy, body_limit=0)).check_request(request, unread)


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Basic a"}],
    ids=["none", "malformed"],
)
async def test_no_body_is_read_for_who_shows_no_token(
    strategy: Strategy, headers: dict[str, str]
) -> None:
    request = head(method="POST", content_type="application/json", **headers)
    with pytest.raises(Refused):
        await Doorkeeper(knowing(strategy, body_limit=9)).check_request(request, unread)


def test_metrics_that_are_not_served_open_nothing() -> None:
    config = Config(metrics=Metrics(enabled=False, path="/voices"))
    assert "/voices" not in public_paths(config)
    moved = Config(metrics=Metrics(path="/m"), auth=Auth(public_metrics=True))
    assert {"/m", "/api/m"} <= public_paths(moved)
    assert "/metrics" not in public_paths(moved)
