"""Middleware and routing of the REST side: what holds for every answer, whatever it says."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import trio
from quart import Quart
from support.rest import Client, Reader, open_rest, voice_plugin

from waav.config import Config
from waav.gateway import Gateway
from waav.server.app import create_app
from waav.server.openapi import OPERATIONS

JSON = {"Content-Type": "application/json"}
Start = Callable[..., Awaitable[Any]]
HELLO = b'{"text": "hello", "provider": "espeak"}'


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
async def client(reader: Reader) -> AsyncIterator[Client]:
    async with open_rest(voice_plugin("espeak", reader), max_body_bytes=1000) as opened:
        yield opened


@pytest.fixture
def app(client: Client) -> Quart:
    """What ``start`` serves."""
    return client.app


def broken(error: Exception) -> Client:
    """A client of a gateway that cannot even list its plugins."""

    def statuses() -> None:
        raise error

    stand_in = SimpleNamespace(config=Config(), plugins=SimpleNamespace(statuses=statuses))
    return create_app(cast(Gateway, stand_in)).test_client()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_each_path_is_also_under_api(client: Client, operation: Any) -> None:
    path = operation.path.replace("{id}", "espeak").replace("{voice_id}", "v")
    request: Any = {"data": HELLO, "headers": JSON} if operation.body else {}
    answers = [
        await client.open(prefix + path, method=operation.method, **request)
        for prefix in ("", "/api")
    ]
    assert answers[0].status_code == answers[1].status_code
    nobody_clones_here = operation.path.startswith("/voices/")
    assert answers[0].status_code == 400 if nobody_clones_here else answers[0].status_code < 400
    assert answers[0].content_type == answers[1].content_type


@pytest.mark.parametrize("path", ["/health/", "/api", "/api/"])
async def test_odd_slashes_do_not_redirect(client: Client, path: str) -> None:
    assert (await (await client.get(path)).get_json())["status"] == "OK"


@pytest.mark.pins("D343")
@pytest.mark.parametrize(
    ("asked", "data", "headers", "expected"),
    [
        ("GET /nothing/here", b"", {}, "404 not_found"),
        ("GET /static/app.js", b"", {}, "404 not_found"),
        ("GET /health//live", b"", {}, "404 not_found"),
        ("GET /plugins/nobody", b"", {}, "404 plugin_not_found"),
        ("DELETE /speak", b"", {}, "405 method_not_allowed"),
        ("POST /speak", b"{", JSON, "400 invalid_json"),
        ("POST /speak", b"x" * 1001, JSON, "413 body_too_large"),
        ("POST /speak", HELLO, {}, "415 unsupported_media_type"),
        ("POST /speak", b"{}", JSON, "422 invalid_schema"),
    ],
)
async def test_error_shape_everywhere(
    start: Start, asked: str, data: bytes, headers: dict[str, str], expected: str
) -> None:
    method, path = asked.split()
    running = await start({})
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        answer = await client.request(method, path, content=data, headers=headers)
    error = answer.json()
    assert error.keys() == {"error", "message", "code", "request_id"}
    assert f"{answer.status_code} {error['code']}" == expected
    assert error["error"] == error["message"] != ""
    assert error["request_id"] == answer.headers["X-Request-ID"]


async def test_a_wrong_method_is_told_the_right_ones(client: Client) -> None:
    assert "POST" in (await client.get("/speak")).headers["Allow"]


async def test_a_body_beyond_the_limit_is_not_waited_for(client: Client) -> None:
    """Nothing says how long it will be, and it never ends: the answer comes at the first byte too many."""
    async with client.request("/speak", method="POST", headers=JSON) as connection:
        await connection.send(b" " * 600)
        await connection.send(b" " * 600)
        with trio.fail_after(5):
            answer = await connection.as_response()
    assert answer.status_code == 413


async def test_a_body_that_announces_too_much_is_refused_before_it_comes(
    client: Client,
) -> None:
    headers = {**JSON, "Content-Length": "1001"}
    async with client.request("/speak", method="POST", headers=headers) as connection:
        with trio.fail_after(5):
            answer = await connection.as_response()
    assert answer.status_code == 413


async def test_a_request_that_its_client_abandons_is_cancelled(
    start: Start, reader: Reader
) -> None:
    """On a real socket: the client hangs up while the voice still thinks."""
    reader.endless = True
    running = await start({})
    head = f"POST /speak HTTP/1.1\r\nhost: x\r\ncontent-length: {len(HELLO)}\r\n"
    with trio.fail_after(10):
        async with await running.connect() as stream:
            await stream.send_all(f"{head}content-type: application/json\r\n\r\n".encode() + HELLO)
            await reader.begun.wait()
        await reader.left.wait()


async def test_an_error_reaches_a_client_that_still_sends(start: Start) -> None:
    """On a real socket: no end of the body is ever sent, and the answer comes all the same."""
    running = await start({})
    head = b"POST /speak HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    body = b"3e9\r\n" + b"x" * 1001 + b"\r\n"
    answer = await running.ask(head + b"content-type: application/json\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body_too_large"' in answer
    assert b"x-frame-options: DENY" in answer


@pytest.mark.parametrize(
    "error",
    [RuntimeError("/srv/secret"), ExceptionGroup("several", [RuntimeError("/srv/secret")])],
    ids=["one", "group"],
)
async def test_a_bug_is_logged_once_and_tells_the_client_nothing(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    named = {"state": {"request_id": "r-7"}}
    answer = await broken(error).get("/plugins", scope_base=named)
    body = await answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "internal_error" in body
    assert "secret" not in body
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == 1
    assert "r-7" in records[0].getMessage()
    assert records[0].exc_info is not None


async def test_what_a_client_does_wrong_is_no_error_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await client.get("/nothing")
    await client.get("/plugins/nobody")
    await client.post("/speak", data=b"{", headers=JSON)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
