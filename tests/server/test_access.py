"""The access log, on real sockets: one record for each request and each upgrade, and nothing forged."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from support.clients import open_client

from capabilities import Denied, Presented, Principal, Secret
from waav.config import Config
from waav.config.auth import ApiSecret, Auth
from waav.config.overload import Overload
from waav.config.schema import Plugins, Server
from waav.gateway import open_gateway
from waav.observe.logging import make_formatter
from waav.observe.scope import told
from waav.security.addresses import Clients
from waav.security.authenticate import Authenticator
from waav.security.rate import Rates
from waav.server.access import LONGEST, AccessLog, logger
from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.doorkeeper import Doorkeeper
from waav.server.head import RequestHead
from waav.server.service import serve_gateway
from waav.server.websocket import WebSocket
from waav.tasks import open_scoped_nursery

Start = Callable[..., Awaitable[Any]]
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
FIELDS = "status", "bytes", "client", "request_id", "tenant"


class Book:
    """The records of the access log."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "waav.access")
        self._caplog = caplog

    @property
    def records(self) -> list[logging.LogRecord]:
        return [each for each in self._caplog.records if each.name == "waav.access"]

    async def read(self, number: int = 1) -> list[str]:
        """So many lines, with the fields in order; a connection is over a moment after its answer."""
        with trio.fail_after(10):
            while len(self.records) < number:
                await trio.testing.wait_all_tasks_blocked(0.01)
        assert len(self.records) == number
        return [_line(each) for each in self.records]


def _line(record: logging.LogRecord) -> str:
    shown = [str(vars(record)[name]) for name in FIELDS if name in vars(record)]
    return " ".join([record.getMessage(), *shown])


@pytest.fixture
def book(caplog: pytest.LogCaptureFixture) -> Book:
    return Book(caplog)


def asking(asked: str, headers: str = "Connection: close\r\n") -> bytes:
    return f"{asked} HTTP/1.1\r\nHost: a\r\nX-Request-ID: r-1\r\n{headers}\r\n".encode()


class Badges:
    """Knows one token."""

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        await trio.lowlevel.checkpoint()
        return Principal("acme") if presented.token.reveal() == "badge" else Denied()


ASKED = Authenticator(required=True, body_limit=0, strategies={"badges": Badges()})


async def test_a_request_is_written_down(start: Start, book: Book) -> None:
    running = await start(admission=Admission(doorkeeper=Doorkeeper(ASKED)))
    await running.ask(asking("GET /hello?token=badge&more=1"))
    assert await book.read() == ["GET /hello 200 24 127.0.0.1 r-1 acme"]
    assert 0 <= vars(book.records[0])["ms"] < 10_000
    assert "badge" not in repr(vars(book.records[0]))


async def test_a_conversation_is_written_down_when_it_is_over(start: Start, book: Book) -> None:
    left = trio.Event()

    async def talk(socket: WebSocket, _visitor: object) -> None:
        await socket.send(bytes(1000))
        await left.wait()

    running = await start({"/ws": talk}, admission=Admission(doorkeeper=Doorkeeper(ASKED)))
    async with await running.connect() as stream:
        await stream.send_all(asking("GET /ws?token=badge", UPGRADE))
        with trio.fail_after(10):
            received = b""
            while not received.endswith(bytes(1000)):
                received += await stream.receive_some()
        assert book.records == []
        left.set()
    assert await book.read() == ["GET /ws 101 1004 127.0.0.1 r-1 acme"]


@pytest.mark.parametrize(
    ("asked", "headers", "expected"),
    [
        ("GET /hello", "", "GET /hello 401"),
        ("GET /ws?token=wrong", UPGRADE, "GET /ws 401"),
        ("GET /nowhere", UPGRADE, "GET /nowhere 404"),
        ("GET /ws?token=badge", "", "GET /ws 426"),
    ],
)
async def test_a_refusal_is_written_down(
    start: Start, book: Book, asked: str, headers: str, expected: str
) -> None:
    running = await start(admission=Admission(doorkeeper=Doorkeeper(ASKED)))
    answer = await running.ask(asking(asked, headers or "Connection: close\r\n"))
    body = answer.partition(b"\r\n\r\n")[2]
    [line] = await book.read()
    assert line.startswith(f"{expected} {len(body)} 127.0.0.1 r-1")


async def test_what_comes_too_often_is_written_down(start: Start, book: Book) -> None:
    rates = Rates(rate=1e-9, burst=1)
    running = await start(admission=Admission(rates=rates))
    for asked, headers in (("GET /hello", "Connection: close\r\n"), ("GET /ws", UPGRADE)):
        rates.take("127.0.0.1", trio.current_time())
        await running.ask(asking(asked, headers))
    assert [" ".join(line.split()[:3]) for line in await book.read(2)] == [
        "GET /hello 429",
        "GET /ws 429",
    ]


async def test_what_is_no_request_is_written_down(start: Start, book: Book) -> None:
    running = await start()
    await running.ask(b"\x16\x03\x01")
    [line] = await book.read()
    assert line.startswith("- - 400 ")


async def test_nor_is_it_forgotten_behind_a_request(start: Start, book: Book) -> None:
    running = await start()
    await running.ask(asking("GET /hello", "") + b"nonsense\r\n\r\n")
    [_, line] = await book.read(2)
    assert line.startswith("- - 400 ")


async def test_a_client_that_hangs_up_has_no_status(start: Start, book: Book, app: Any) -> None:
    begun = trio.Event()

    async def wait() -> str:
        begun.set()
        await trio.sleep_forever()
        return ""

    app.add_url_rule("/wait", view_func=wait)
    running = await start()
    async with await running.connect() as stream:
        await stream.send_all(asking("GET /wait"))
        with trio.fail_after(10):
            await begun.wait()
    assert await book.read() == ["GET /wait 0 127.0.0.1 r-1"]


@pytest.mark.parametrize("headers", ["Connection: close\r\n", UPGRADE], ids=["http", "upgrade"])
async def test_nobody_forges_a_line(start: Start, book: Book, headers: str) -> None:
    running = await start()
    path = "/a%0d%0aINFO%20waav.access:%20GET%20/b%e2%80%a8%1b[2J%22%00%C3%A9%FF"
    await running.ask(asking(f"GET {path}", headers))
    [line] = await book.read()
    assert line.isascii()
    assert line.isprintable()
    assert line.startswith(
        "GET /a%0D%0AINFO%20waav.access:%20GET%20/b%E2%80%A8%1B%5B2J%22%00%C3%A9"
    )
    assert line.split(" ")[2] == "404"


@given(method=st.text(min_size=1), path=st.text())
async def test_whatever_was_asked_is_two_words(method: str, path: str) -> None:
    records: list[logging.LogRecord] = []
    head = RequestHead(
        method=method,
        path=f"/p{path}",
        query="token=x",
        headers={},
        peer=("2001:db8::1", 1),
        scheme="http",
        http_version="1.1",
        size=0,
    )
    with listening(records.append), AccessLog().exchange(head, "2001:db8::1"):
        await trio.lowlevel.checkpoint()
    [record] = records
    message = record.getMessage()
    assert message.isascii()
    assert message.isprintable()
    assert len(message.split(" ")) == 2
    assert vars(record)["client"] == "2001:db8::/64"


@contextmanager
def listening(hear: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """Hypothesis runs a test many times, and caplog only once."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            hear(record)

    ear, before = Ear(), logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(ear)
        logger.setLevel(before)


async def test_a_long_path_makes_no_long_line(start: Start, book: Book) -> None:
    running = await start()
    await running.ask(asking(f"GET /{'a' * 60_000}"))
    await running.ask(asking(f"{'A' * 60_000} /", UPGRADE))
    for line in await book.read(2):
        assert LONGEST < len(line) < LONGEST + 100


async def test_the_client_is_the_one_behind_our_proxy(start: Start, book: Book) -> None:
    answers = Answers(log=AccessLog(clients=Clients(["127.0.0.1"])))
    running = await start(answers=answers)
    said = "X-Forwarded-For: 192.0.2.66, 192.0.2.7\r\n"
    await running.ask(asking("GET /hello", f"{said}Connection: close\r\n"))
    await running.ask(asking("GET /nowhere", f"{said}{UPGRADE}"))
    assert [line.split()[4] for line in await book.read(2)] == ["192.0.2.7", "192.0.2.7"]


async def test_who_watches_over_us_is_not_written_down(start: Start, book: Book, app: Any) -> None:
    for path in ("/health", "/metrics"):
        app.add_url_rule(path, path, view_func=lambda: "OK")
    running = await start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        for path in ("/health", "/metrics", "/"):
            await client.get(path)
        await client.get("/hello")
    assert [line.split()[1] for line in await book.read()] == ["/hello"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_an_operator_can_do_without(
    start: Start,
    book: Book,
    wanted: bool,  # noqa: FBT001
) -> None:
    config = Config(server=Server(access_log=wanted))
    running = await start(answers=Answers.of(config))
    await running.ask(asking("GET /hello"))
    await running.ask(asking("GET /nowhere", UPGRADE))
    with trio.fail_after(10):
        running.stopping.set()
        await running.ended.wait()
    assert len(book.records) == (2 if wanted else 0)


async def test_all_records_of_a_request_have_its_name(start: Start, book: Book, app: Any) -> None:
    seen: list[object] = []

    async def view() -> str:
        seen.append(told()["request_id"])
        return ""

    async def talk(_socket: WebSocket, _visitor: object) -> None:
        seen.append(told()["request_id"])

    app.add_url_rule("/view", view_func=view)
    running = await start({"/ws": talk})
    await running.ask(asking("GET /view"))
    async with await running.connect() as stream:
        await stream.send_all(asking("GET /ws", UPGRADE))
        await book.read(2)
    assert seen == ["r-1", "r-1"]


async def test_a_conversation_tells_whose_it_was_also_by_its_first_message(book: Book) -> None:
    auth = Auth(required=True, api_secrets=(ApiSecret("acme", Secret("badge-of-acme")),))
    config = Config(
        server=Server(host="127.0.0.1", port=0),
        plugins=Plugins(enabled=False),
        overload=Overload(enabled=False),
        auth=auth,
    )
    async with (
        open_gateway(config) as gateway,
        open_scoped_nursery("the test is over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, trio.Event())
        async with open_client(f"ws://127.0.0.1:{port}/ws") as client:
            await client.expect("auth_required")
            await client.send(type="auth", token="badge-of-acme")
            await client.expect("authenticated")
        await book.read()
    [record] = book.records
    assert vars(record)["tenant"] == "acme"
    assert vars(record)["stream_id"]


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_line_has_everything_in_either_form(
    start: Start, book: Book, form: Literal["text", "json"]
) -> None:
    running = await start(admission=Admission(doorkeeper=Doorkeeper(ASKED)))
    await running.ask(asking("GET /hello?token=badge"))
    await book.read()
    line = make_formatter(form).format(book.records[0])
    if form == "text":
        assert "INFO    waav.access: GET /hello status=200 bytes=24 ms=" in line
        assert line.endswith(" client=127.0.0.1 request_id=r-1 tenant=acme")
    else:
        fields = json.loads(line)
        assert {name: fields[name] for name in ("message", *FIELDS)} == {
            "message": "GET /hello",
            "status": 200,
            "bytes": 24,
            "client": "127.0.0.1",
            "request_id": "r-1",
            "tenant": "acme",
        }
        assert isinstance(fields["ms"], float)
