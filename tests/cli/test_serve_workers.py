"""A gateway of several processes: used, killed in part, stopped."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import attrs
import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

# What is tested here needs no engine, and all requests come from one address.
ENVIRON = {
    **os.environ,
    "PLUGINS_ENABLED": "false",
    "RATE_LIMIT_REQUESTS_PER_SECOND": "100000",
    "WAAV_OVERLOAD_ENABLED": "false",
}


@attrs.define
class Fleet:
    """A supervisor with two workers and one that waits."""

    process: subprocess.Popen[str]
    log: Path
    port: int = 0

    @property
    def up(self) -> list[int]:
        """The workers that have come up, in that order."""
        return [int(pid) for pid in re.findall(r"worker (\d+): ready", self.log.read_text())]

    def ask(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.port}{path}").json()
        return answer

    def metrics(self) -> str:
        return httpx.get(f"http://127.0.0.1:{self.port}/metrics").text

    def call(self) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.port}/ws", compression=None).__enter__()


Start = Callable[..., Fleet]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(**environ: str) -> Fleet:
            log = tmp_path / "log"
            process = stack.enter_context(
                subprocess.Popen(
                    [*WAAV, "serve", "--host", "127.0.0.1", "--port", "0", "--workers", "2"],
                    cwd=tmp_path,
                    env=ENVIRON | environ,
                    stdout=subprocess.PIPE,
                    stderr=stack.enter_context(log.open("w")),
                    text=True,
                )
            )
            stack.callback(process.kill)
            return Fleet(process, log)

        yield start


@pytest.fixture
def fleet(start: Start) -> Fleet:
    """All three are up."""
    return serving(start())


WAAV = [sys.executable, "-m", "waav"]


def serving(fleet: Fleet) -> Fleet:
    assert fleet.process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)", fleet.process.stdout.readline())
    assert found, fleet.log.read_text()
    fleet.port = int(found.group(1))
    until(lambda: len(fleet.up) == 3 and fleet.ask("/health")["workers"] == 2)
    return fleet


def until(condition: Callable[[], bool], within: float = 60.0) -> None:
    """Look again and again; how long a start takes is up to the machine."""
    deadline = monotonic() + within
    while not condition():
        assert monotonic() < deadline, "it never came to that"


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in re.findall(r"State:\s+(\w)", Path(f"/proc/{pid}/status").read_text())


def is_open(socket: ClientConnection) -> bool:
    try:
        socket.send('{"type": "ping"}')
        return "pong" in str(socket.recv(timeout=10))
    except ConnectionClosed:
        return False


def test_a_worker_that_is_killed_takes_only_its_own_sessions_along(fleet: Fleet) -> None:
    """Another one takes its place at once: that was up already."""
    with ExitStack() as stack:
        calls = [stack.enter_context(fleet.call()) for _ in range(6)]
        until(lambda: fleet.ask("/health")["sessions"] == 6)
        assert len(fleet.up) == 3
        os.kill(fleet.up[0], signal.SIGKILL)
        until(lambda: fleet.ask("/health")["workers"] == 2, within=3)
        left = [is_open(call) for call in calls].count(True)
        assert 0 < left < 6
        until(lambda: f"waav_sessions {left}.0\n" in fleet.metrics())
        assert is_open(stack.enter_context(fleet.call()))


def test_a_signal_ends_all_of_them_politely(fleet: Fleet) -> None:
    with ExitStack() as stack:
        calls = [stack.enter_context(fleet.call()) for _ in range(4)]
        fleet.process.send_signal(signal.SIGTERM)
        for call in calls:
            with pytest.raises(ConnectionClosed):
                call.recv(timeout=20)
            assert call.close_code == 1001
    assert fleet.process.wait(20) == 0
    assert not any(lives(pid) for pid in fleet.up)


def test_what_a_terminal_signals_to_all_processes_ends_them_politely_too(fleet: Fleet) -> None:
    with fleet.call() as call:
        for pid in (*fleet.up, fleet.process.pid):
            os.kill(pid, signal.SIGINT)
        with pytest.raises(ConnectionClosed):
            call.recv(timeout=20)
        assert call.close_code == 1001
    assert fleet.process.wait(20) == 0
    assert "status -" not in fleet.log.read_text()


@pytest.mark.pins("D257")
def test_a_limit_is_that_of_all_workers_together(start: Start) -> None:
    fleet = serving(start(MAX_WEBSOCKET_CONNECTIONS="10"))
    with ExitStack() as stack:
        let_in = 0
        for _ in range(30):
            with suppress(InvalidStatus):
                stack.enter_context(fleet.call())
                let_in += 1
        assert let_in == 10
        with pytest.raises(InvalidStatus, match="503"):
            fleet.call()


def test_workers_do_not_outlive_their_supervisor(fleet: Fleet) -> None:
    with fleet.call() as call:
        fleet.process.kill()
        with pytest.raises(ConnectionClosed):
            call.recv(timeout=20)
        assert call.close_code == 1001
    until(lambda: not any(lives(pid) for pid in fleet.up))


def test_what_is_wrong_with_all_workers_is_told_once(start: Start, tmp_path: Path) -> None:
    """The supervisor cannot know that a certificate is none; the first worker tells it."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("none")
    fleet = start(
        TLS_ENABLED="true",
        TLS_CERT_PATH=str(tmp_path / "cert.pem"),
        TLS_KEY_PATH=str(tmp_path / "key.pem"),
    )
    assert fleet.process.wait(60) == 1
    log = fleet.log.read_text()
    assert log.count("PEM") == 1
    assert log.count("Error: no worker comes up") == 1
    assert "Traceback" not in log


def test_a_mistake_in_the_configuration_is_told_before_any_worker(start: Start) -> None:
    fleet = start(PORT="x", WAAV_SERVER_SHUTDOWN_GRACE_SECONDS="-1")
    assert fleet.process.wait(60) == 1
    assert fleet.log.read_text().count("shutdown_grace_seconds") == 1


def test_a_stop_while_the_first_one_is_still_starting(start: Start) -> None:
    fleet = start()
    with suppress(subprocess.TimeoutExpired):
        fleet.process.wait(1)
    fleet.process.send_signal(signal.SIGTERM)
    assert fleet.process.wait(20) in {0, -signal.SIGTERM}
