"""A whole server on a free port, with a small application behind it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trustme
from quart import Response, request
from quart_trio import QuartTrio

from waav.server.doorkeeper import Visitor
from waav.server.frontdoor import Handler
from waav.server.run import serve
from waav.server.websocket import WebSocket


@attrs.frozen
class Running:
    """A server that runs until the test ends, or until somebody sets ``stopping``."""

    port: int
    stopping: trio.Event
    ended: trio.Event

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def ask(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own; all that comes back until it is closed."""
        async with await self.connect() as stream:
            await stream.send_all(data)
            return await read_all(stream)


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    received = b""
    with trio.fail_after(10):
        async for data in stream:
            received += data
    return received


async def echo(socket: WebSocket, _visitor: Visitor) -> None:
    async for message in socket:
        await socket.send(message)


@pytest.fixture
def app() -> QuartTrio:
    app = QuartTrio("small")

    @app.get("/hello")
    async def hello() -> str:
        return f"hello over {request.http_version} from {request.scheme}"

    @app.post("/size")
    async def size() -> str:
        return str(len(await request.get_data()))

    @app.get("/bug")
    async def bug() -> Response:
        raise RuntimeError("a bug in a handler")

    return app


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
def start(nursery: trio.Nursery, app: QuartTrio) -> Start:
    """``await start(...)`` takes the options of :func:`waav.server.run.serve`."""

    async def start(routes: Mapping[str, Handler] | None = None, **options: Any) -> Running:
        stopping, ended = trio.Event(), trio.Event()
        routes = routes if routes is not None else {"/ws": echo}

        async def run(*, task_status: trio.TaskStatus[list[tuple[str, int]]]) -> None:
            run = partial(serve, app, routes, host="127.0.0.1", port=0, stopping=stopping)
            await run(**options, task_status=task_status)
            ended.set()

        ((_host, port),) = await nursery.start(run)
        return Running(port, stopping, ended)

    return start


@attrs.frozen
class Certificate:
    """What a server with TLS needs, and whom its clients must trust."""

    cert: Path
    key: Path
    authority: trustme.CA


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for part in issued.cert_chain_pems:
        part.write_to_path(cert, append=True)
    issued.private_key_pem.write_to_path(key)
    return Certificate(cert, key, authority)
