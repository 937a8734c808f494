"""A whole server from start to end: ports, grace, signals, and who has to leave when."""

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from hypercorn.utils import LifespanFailureError
from quart_trio import QuartTrio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from waav.server.head import RequestHead
from waav.server.run import serve
from waav.server.websocket import WebSocket

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await trio.to_thread.run_sync(partial(function, *args), abandon_on_cancel=True)


async def ends(running: Any, within: float = 1.0) -> None:
    with trio.fail_after(within):
        await running.ended.wait()


async def answer_of(stream: trio.SocketStream) -> bytes:
    with trio.fail_after(5):
        return bytes(await stream.receive_some(65536))


def code_of(port: int) -> int | None:
    """Connect, wait to be closed, and say with which code."""
    with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as client:
        with pytest.raises(ConnectionClosed) as caught:
            client.recv()
        return caught.value.rcvd.code if caught.value.rcvd else None


async def test_an_idle_server_stops_at_once(start: Any) -> None:
    running = await start()
    running.stopping.set()
    await ends(running)
    with pytest.raises(OSError, match="connect"):
        await running.connect()


async def test_nobody_idle_holds_it_up(start: Any) -> None:
    """Neither who has said nothing, nor half a request, nor who may send another one."""
    running = await start()
    async with (
        await running.connect() as silent,
        await running.connect() as half,
        await running.connect() as idle,
    ):
        await half.send_all(UPGRADE[:20])
        await idle.send_all(GET)
        assert await answer_of(idle)
        running.stopping.set()
        await ends(running, 3.0)
        assert (await answer_of(half)).startswith(b"HTTP/1.1 503 ")
        assert await answer_of(silent) == b""


async def test_a_request_in_flight_is_answered(start: Any, app: QuartTrio) -> None:
    begun, go = trio.Event(), trio.Event()

    @app.get("/slow")
    async def slow() -> str:
        begun.set()
        await go.wait()
        return "done"

    running = await start()

    async def ask() -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{running.port}/slow")
        assert answer.text == "done"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await begun.wait()
        running.stopping.set()
        await trio.testing.wait_all_tasks_blocked()
        assert not running.ended.is_set()
        go.set()
    await ends(running)


@pytest.mark.pins("D189")
async def test_a_handler_that_watches_says_goodbye_itself(start: Any) -> None:
    stopping = trio.Event()

    async def polite(socket: WebSocket, _head: RequestHead) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_drain, socket)
            await stopping.wait()
            await socket.aclose(1001, "bye")

    running = await start({"/ws": polite})
    codes: list[int | None] = []

    async def client() -> None:
        codes.append(await in_thread(code_of, running.port))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client)
        async with await running.connect() as stream:
            await stream.send_all(UPGRADE)
            await answer_of(stream)
        stopping.set()
    running.stopping.set()
    await ends(running)
    assert codes == [1001]


async def _drain(socket: WebSocket) -> None:
    async for _ in socket:
        pass


@pytest.mark.pins("D189")
async def test_a_handler_that_does_not_is_cancelled_after_the_grace_period(start: Any) -> None:
    met = trio.Event()

    async def stubborn(_socket: WebSocket, _head: RequestHead) -> None:
        met.set()
        await trio.sleep_forever()

    running = await start({"/ws": stubborn}, grace=0.05)
    codes: list[int | None] = []

    async def client() -> None:
        codes.append(await in_thread(code_of, running.port))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client)
        await met.wait()
        running.stopping.set()
    await ends(running)
    assert codes == [1001]


async def test_who_does_not_read_a_response_does_not_hold_it_up(start: Any, app: QuartTrio) -> None:
    @app.get("/large")
    async def large() -> bytes:
        return bytes(50_000_000)

    running = await start(grace=0.05)
    async with await running.connect() as stream:
        await stream.send_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await answer_of(stream)
        running.stopping.set()
        await ends(running, 3.0)


async def test_cancelling_is_the_quick_end(start: Any, nursery: trio.Nursery) -> None:
    running = await start()
    async with await running.connect() as stream:
        await stream.send_all(UPGRADE)
        await answer_of(stream)
        nursery.cancel_scope.cancel()
    assert not running.ended.is_set()


async def test_a_port_that_is_taken(start: Any, app: QuartTrio) -> None:
    running = await start()
    with pytest.raises(OSError, match="in use"):
        await serve(app, {}, host="127.0.0.1", port=running.port, stopping=trio.Event())


async def test_an_application_that_does_not_start(app: QuartTrio) -> None:
    @app.before_serving
    async def fail() -> None:
        raise RuntimeError("no database")

    with pytest.RaisesGroup(LifespanFailureError, flatten_subgroups=True):
        await serve(app, {}, host="127.0.0.1", port=0, stopping=trio.Event())


# Signals want a process of their own.

SCRIPT = """
import sys, time
import trio
from quart_trio import QuartTrio
import waav.server.signals
from waav.server.run import serve
from waav.server.signals import stop_on_signals

waav.server.signals.OVERTIME = 0.2
mode = sys.argv[1]
app = QuartTrio("small")

async def stubborn(socket, head):
    print("met", flush=True)
    await trio.sleep_forever()

async def block(stopping):
    await stopping.wait()
    time.sleep(60)

async def main():
    grace = 0.1 if mode == "stuck" else 30.0
    async with stop_on_signals(grace) as stopping, trio.open_nursery() as nursery:
        async def run(*, task_status):
            await serve(app, {"/ws": stubborn}, host="127.0.0.1", port=0, grace=grace,
                        stopping=stopping, task_status=task_status)
        ((host, port),) = await nursery.start(run)
        print(port, flush=True)
        if mode == "stuck":
            nursery.start_soon(block, stopping)

trio.run(main)
print("clean", flush=True)
"""


class Process:
    """The script above, in one of its modes."""

    def __init__(self, tmp_path: Path, mode: str) -> None:
        script = tmp_path / "server.py"
        script.write_text(SCRIPT)
        self.process = subprocess.Popen(
            [sys.executable, str(script), mode],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.port = int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ends(self) -> int:
        with self.process:
            try:
                return self.process.wait(10)
            finally:
                self.process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_idle_server_well(tmp_path: Path, number: signal.Signals) -> None:
    process = await in_thread(Process, tmp_path, "idle")
    began = trio.current_time()
    process.process.send_signal(number)
    assert await in_thread(process.line) == "clean"
    assert trio.current_time() - began < 3.0  # one, and what a busy machine adds
    assert await in_thread(process.ends) == 0


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """The first one waits for a client that has half a minute left."""
    process = await in_thread(Process, tmp_path, "busy")
    stream = await trio.open_tcp_stream("127.0.0.1", process.port)
    async with stream:
        await stream.send_all(UPGRADE)
        assert await in_thread(process.line) == "met"
        process.process.send_signal(signal.SIGTERM)
        # Once it has closed its listener it has taken the first signal in.
        with pytest.raises(OSError, match="connect"):
            while True:
                probe = await trio.open_tcp_stream("127.0.0.1", process.port)
                await probe.aclose()
        process.process.send_signal(signal.SIGTERM)
        assert await in_thread(process.ends) == -signal.SIGTERM


async def test_what_holds_the_event_loop_cannot_hold_the_process(tmp_path: Path) -> None:
    """A plugin blocks it for a minute; a thread ends the process with 1 when grace is over."""
    process = await in_thread(Process, tmp_path, "stuck")
    process.process.send_signal(signal.SIGTERM)
    assert await in_thread(process.ends) == 1
