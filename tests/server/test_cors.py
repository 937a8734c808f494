"""Pages of other origins: what the rules say, and what a browser makes of every answer of both doors."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
import trio
from support.rest import Reader, voice_plugin

from capabilities import Secret
from waav.config import Config
from waav.config.auth import ApiSecret, Auth
from waav.config.overload import Overload
from waav.config.schema import Plugins, Server
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.gateway import open_gateway
from waav.security.authenticate import Authenticator
from waav.security.limits import Capacities, Counts, LocalLimiter
from waav.security.rate import Rates
from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.cors import EXPOSED, HEADERS, METHODS, Cors, is_preflight
from waav.server.doorkeeper import Doorkeeper
from waav.server.service import serve_gateway
from waav.tasks import open_scoped_nursery

Start = Callable[..., Awaitable[Any]]
OURS, OTHER = "https://app.example.com", "https://evil.example"
LISTED = Answers(Cors([OURS]))
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)

# The rules.


def test_nobody_is_told_an_origin_where_none_is_configured() -> None:
    nobody = Cors()
    assert nobody.headers(OURS) == {}
    preflight = nobody.preflight()
    assert preflight["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert preflight["access-control-allow-headers"] == HEADERS
    assert "access-control-allow-origin" not in preflight


def test_any_page_may_call_but_not_with_what_the_browser_keeps() -> None:
    anybody = Cors(["*"])
    for origin in (OURS, OTHER, "null", None):
        assert anybody.headers(origin) == {
            "access-control-allow-origin": "*",
            "access-control-expose-headers": EXPOSED,
        }
    assert anybody.preflight()["access-control-allow-methods"] == METHODS


def test_a_list_is_of_exact_origins() -> None:
    listed = Cors([OURS, "HTTP://LocalHost:3000"])
    for origin in (OURS, "http://localhost:3000"):
        assert listed.headers(origin) == {
            "vary": "Origin",
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": EXPOSED,
        }
    near = (
        *(f"{OURS}.evil.example", f"{OURS}:8443", f"{OURS}/", "http://app.example.com"),
        *("https://www.app.example.com", "http://localhost", "*", "null", "", None),
    )
    for origin in near:
        assert listed.headers(origin) == {"vary": "Origin"}, origin


@pytest.mark.parametrize(
    ("method", "headers", "is_one"),
    [
        ("OPTIONS", {"origin", "access-control-request-method"}, True),
        ("POST", {"origin", "access-control-request-method"}, False),
        ("OPTIONS", {"origin"}, False),
        ("OPTIONS", {"access-control-request-method"}, False),
    ],
    ids=["preflight", "post", "no method", "no origin"],
)
def test_a_preflight_is_what_browsers_send(
    method: str,
    headers: set[str],
    is_one: bool,  # noqa: FBT001
) -> None:
    assert is_preflight(method, dict.fromkeys(headers, "x")) is is_one


# A page in a browser.


class BlockedError(Exception):
    """The browser does not let the page call, or read."""


@attrs.frozen
class Seen:
    """What a page sees of an answer."""

    status: int
    text: str
    headers: Mapping[str, str]


@attrs.frozen
class Page:
    """Does what the Fetch standard says of a request with headers that not every page may send."""

    client: httpx.AsyncClient
    origin: str
    credentials: bool = False

    async def fetch(self, method: str, path: str, **options: Any) -> Seen:
        await self._preflight(method, path, options.get("headers", {}))
        return await self.ask(method, path, **options)

    async def ask(self, method: str, path: str, **options: Any) -> Seen:
        """Without asking before: the answer to that is still known."""
        said = {**options.pop("headers", {}), "Origin": self.origin}
        answer = await self.client.request(method, path, headers=said, **options)
        self._check(answer)
        exposed = {
            name.strip() for name in answer.headers["access-control-expose-headers"].split(",")
        }
        shown = {name: value for name, value in answer.headers.items() if name in exposed}
        return Seen(answer.status_code, answer.text, shown)

    async def _preflight(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        wanted = sorted({name.lower() for name in headers} | {"content-type"})
        said = {
            "Origin": self.origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ",".join(wanted),
        }
        answer = await self.client.options(path, headers=said)
        self._check(answer)
        if not answer.is_success:
            raise BlockedError(answer.status_code)
        if method not in _list(answer, "methods") or set(wanted) - _list(answer, "headers"):
            raise BlockedError(method)

    def _check(self, answer: httpx.Response) -> None:
        allowed = answer.headers.get("access-control-allow-origin")
        if self.credentials:
            if allowed != self.origin:
                raise BlockedError(allowed)
            if answer.headers.get("access-control-allow-credentials") != "true":
                raise BlockedError("credentials")
        elif allowed not in {"*", self.origin}:
            raise BlockedError(allowed)


def _list(answer: httpx.Response, name: str) -> set[str]:
    return {each.strip() for each in answer.headers[f"access-control-allow-{name}"].split(",")}


@asynccontextmanager
async def gateway(*origins: str, auth: Auth | None = None, burst: int = 0) -> AsyncIterator[Any]:
    """A whole gateway; gives a function from an origin to a page of it."""
    config = Config(
        server=Server(host="127.0.0.1", port=0),
        plugins=Plugins(enabled=False),
        overload=Overload(enabled=False),
        auth=auth or Auth(),
        security=Security(
            cors_allowed_origins=origins,
            rate_limit_requests_per_second=1 if burst else RATE_LIMIT_OFF,
            rate_limit_burst_size=burst or 10,
        ),
    )
    async with (
        open_gateway(config, manifests=[voice_plugin("espeak", Reader())]) as opened,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, opened, trio.Event())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield lambda origin=OURS, **more: Page(client, origin, **more)


SPEECH = {"text": "hello", "provider": "espeak"}
TOKEN = {"Authorization": "Bearer of-the-page"}


@pytest.mark.pins("D261")
async def test_a_page_is_told_when_to_come_again() -> None:
    """It speaks, speaks too often, and can read that it was too often and how long to wait."""
    async with gateway(OURS, burst=4) as page:
        ours = page(credentials=True)
        seen = await ours.fetch("POST", "/speak", json=SPEECH)
        assert seen.status == 200
        assert seen.headers["x-audio-format"] == "linear16"
        assert seen.headers["x-sample-rate"] == "24000"
        with trio.fail_after(20):
            while seen.status == 200:
                seen = await ours.ask("POST", "/speak", json=SPEECH)
        assert seen.status == 429
        assert int(seen.headers["retry-after"]) >= 1
        assert seen.headers["x-request-id"] in seen.text


@pytest.mark.pins("D261")
async def test_preflights_are_limited_as_other_requests(start: Start) -> None:
    running = await start(admission=exhausted(), answers=LISTED)
    asked = f"Origin: {OURS}\r\nAccess-Control-Request-Method: POST\r\n"
    answer = await first_head(running, "OPTIONS /hello HTTP/1.1", asked)
    assert answer[""] == "429"
    assert answer["access-control-allow-origin"] == OURS


async def test_a_page_shows_its_token_only_after_it_was_let() -> None:
    auth = Auth(required=True, api_secrets=(ApiSecret("acme", Secret("of-the-page")),))
    async with gateway(OURS, auth=auth) as page:
        unknown = await page().fetch("GET", "/voices", headers={"X-Provider-Api-Key": "k"})
        assert (unknown.status, "missing_auth_header" in unknown.text) == (401, True)
        assert (await page().fetch("GET", "/voices", headers=TOKEN)).status == 200
        assert (await page().fetch("DELETE", "/nowhere", headers=TOKEN)).status == 404
        assert (await page().fetch("GET", "/nowhere")).status == 401


@pytest.mark.parametrize(
    ("origins", "origin", "credentials"),
    [((), OURS, False), ((OURS,), OTHER, False), (("*",), OTHER, True)],
    ids=["no origins", "another origin", "credentials with any"],
)
async def test_the_browser_keeps_a_page_out(
    origins: tuple[str, ...],
    origin: str,
    credentials: bool,  # noqa: FBT001
) -> None:
    async with gateway(*origins) as page:
        with pytest.raises(BlockedError):
            await page(origin, credentials=credentials).fetch("POST", "/speak", json=SPEECH)


async def test_any_page_may_call_where_all_may() -> None:
    async with gateway("*") as page:
        spoken = await page("null").fetch("POST", "/speak", json=SPEECH, headers=TOKEN)
        assert spoken.status == 200


async def test_a_header_that_is_not_listed_keeps_a_page_out() -> None:
    async with gateway("*") as page:
        with pytest.raises(BlockedError):
            await page().fetch("POST", "/speak", json=SPEECH, headers={"X-Other": "1"})


# Every answer of both doors.


def strict() -> Doorkeeper:
    return Doorkeeper(Authenticator(required=True, body_limit=0, strategies={}))


def exhausted() -> Admission:
    rates = Rates(rate=1e-9, burst=1)
    rates.take("127.0.0.1", trio.current_time())
    return Admission(rates=rates)


def full() -> Admission:
    return Admission(limiter=LocalLimiter(Counts(Capacities(everybody=0))))


FREE: Callable[[], Admission] = Admission
WAYS: list[tuple[str, str, Callable[[], Admission], int]] = [
    ("GET /hello", "", FREE, 200),
    ("GET /nowhere", "", FREE, 404),
    ("PUT /hello", "", FREE, 405),
    ("OPTIONS /hello", "", FREE, 200),
    ("GET /bug", "", FREE, 500),
    ("GET /hello", "", exhausted, 429),
    ("GET /hello", "", lambda: Admission(doorkeeper=strict()), 401),
    ("GET /ws", UPGRADE, FREE, 101),
    ("GET /nowhere", UPGRADE, FREE, 404),
    ("GET /ws", "", FREE, 426),
    ("GET /ws", UPGRADE, exhausted, 429),
    ("GET /ws", UPGRADE, full, 503),
    ("GET /ws", UPGRADE, lambda: Admission(doorkeeper=strict()), 401),
]


@pytest.mark.pins("D261")
@pytest.mark.parametrize(
    ("asked", "headers", "admission", "status"),
    WAYS,
    ids=[f"{asked} {'upgrade ' if more else ''}{status}" for asked, more, _, status in WAYS],
)
async def test_every_answer_can_be_read(
    start: Start, asked: str, headers: str, admission: Callable[[], Admission], status: int
) -> None:
    running = await start(admission=admission(), answers=LISTED)
    for origin, allowed in ((OURS, OURS), (OTHER, None)):
        answer = await first_head(running, f"{asked} HTTP/1.1", f"Origin: {origin}\r\n{headers}")
        assert answer[""] == str(status)
        assert answer["vary"] == "Origin"
        assert answer.get("access-control-allow-origin") == allowed


async def test_an_upgrade_on_a_used_connection_is_refused_to_be_read_too(start: Start) -> None:
    running = await start(answers=LISTED)
    async with await running.connect() as stream:
        await stream.send_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        with trio.fail_after(10):
            while not received.endswith(b"from http"):
                received += await stream.receive_some()
        await stream.send_all(f"GET /ws HTTP/1.1\r\nHost: a\r\nOrigin: {OURS}\r\n".encode())
        await stream.send_all(f"{UPGRADE}\r\n".encode())
        answer = await head_of(stream)
    assert answer[""] == "421"
    assert answer["access-control-allow-origin"] == OURS


@pytest.mark.parametrize("path", ["/hello", "/nowhere", "/bug"])
async def test_a_preflight_is_answered_at_the_door(start: Start, path: str) -> None:
    """Nobody is asked for a token, and the application hears nothing of it."""
    running = await start(admission=Admission(doorkeeper=strict()), answers=LISTED)
    asked = f"Origin: {OURS}\r\nAccess-Control-Request-Method: DELETE\r\n"
    answer = await first_head(running, f"OPTIONS {path} HTTP/1.1", asked)
    assert answer[""] == "204"
    assert answer["access-control-allow-origin"] == OURS
    assert answer["access-control-allow-credentials"] == "true"
    assert answer["access-control-allow-methods"] == METHODS
    assert answer["access-control-max-age"] == "600"
    assert {"x-request-id", "x-content-type-options"} <= answer.keys()
    assert "allow" not in answer


async def first_head(running: Any, line: str, headers: str) -> dict[str, str]:
    async with await running.connect() as stream:
        await stream.send_all(f"{line}\r\nHost: a\r\n{headers}\r\n".encode())
        return await head_of(stream)


async def head_of(stream: trio.SocketStream) -> dict[str, str]:
    """The headers of an answer, by name in lower case; its status is that without a name."""
    received = b""
    with trio.fail_after(10):
        while b"\r\n\r\n" not in received:
            data = await stream.receive_some()
            assert data, received
            received += data
    first, *lines = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    names = [name.lower() for name, _ in pairs]
    assert len(names) == len(set(names)), "a header is there twice"
    return {"": first.split()[1], **{name.lower(): value for name, value in pairs}}
