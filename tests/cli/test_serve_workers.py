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

pytestmark = pytest.mark.timeout(300)  # three processes start for most of them

SLOW = 60.0
"""Seconds. Whatever takes longer hangs, also on a machine that is busy with something else."""


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
        answer: dict[str, Any] = self._get(path).json()
        return answer

    def until(self, condition: Callable[[], bool]) -> None:
        """Look again and again; how long a start takes is up to the machine."""
        deadline = monotonic() + SLOW
        while not condition():
            assert monotonic() < deadline, "it never came to that"
            # Whoever only looks takes a core from those who are looked at.
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)

    def metrics(self) -> str:
        return self._get("/metrics").text

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=SLOW)

    def call(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/ws"
        return connect(url, compression=None, open_timeout=SLOW).__enter__()

    def call_without(self, worker: int) -> ClientConnection:
        """A call that this worker does not get: it stands still meanwhile."""
        os.kill(worker, signal.SIGSTOP)
        try:
            return self.call()
        finally:
            os.kill(worker, signal.SIGCONT)


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
                    start_new_session=True,
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
    fleet.until(lambda: len(fleet.up) == 3 and fleet.ask("/health")["workers"] == 2)
    return fleet


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in re.findall(r"State:\s+(\w)", Path(f"/proc/{pid}/status").read_text())


def is_open(socket: ClientConnection) -> bool:
    try:
        socket.send('{"type": "ping"}')
        return "pong" in str(socket.recv(timeout=SLOW))
    except ConnectionClosed:
        return False


def test_a_record_of_a_worker_says_which_one_it_is(fleet: Fleet) -> None:
    fleet.call().close()
    line = re.compile(r"waav\.access: GET /ws worker=([012]) pid=(\d+) ")
    fleet.until(lambda: line.search(fleet.log.read_text()) is not None)
    found = line.search(fleet.log.read_text())
    assert found
    assert int(found.group(2)) in fleet.up


def test_a_worker_that_is_killed_takes_only_its_own_sessions_along(fleet: Fleet) -> None:
    """Another one takes its place before there was time to start one: that was up already."""
    first, second, _waiting = fleet.up
    with ExitStack() as stack:
        lost = [stack.enter_context(fleet.call_without(second)) for _ in range(3)]
        kept = [stack.enter_context(fleet.call_without(first)) for _ in range(3)]
        fleet.until(lambda: fleet.ask("/health")["sessions"] == 6)
        os.kill(first, signal.SIGKILL)
        fleet.until(lambda: f"worker {first}: ended" in fleet.log.read_text())
        fleet.until(lambda: fleet.ask("/health")["workers"] == 2)
        assert len(fleet.up) == 3
        assert [is_open(call) for call in lost] == [False] * 3
        assert [is_open(call) for call in kept] == [True] * 3
        fleet.until(lambda: "waav_sessions 3.0\n" in fleet.metrics())
        assert is_open(stack.enter_context(fleet.call()))


def test_a_signal_ends_all_of_them_politely(fleet: Fleet) -> None:
    with ExitStack() as stack:
        calls = [stack.enter_context(fleet.call()) for _ in range(4)]
        fleet.process.send_signal(signal.SIGTERM)
        for call in calls:
            with pytest.raises(ConnectionClosed):
                call.recv(timeout=SLOW)
            assert call.close_code == 1001
    assert fleet.process.wait(SLOW) == 0
    assert not any(lives(pid) for pid in fleet.up)


def test_what_a_terminal_signals_to_all_processes_ends_them_politely_too(fleet: Fleet) -> None:
    with fleet.call() as call:
        os.killpg(fleet.process.pid, signal.SIGINT)
        with pytest.raises(ConnectionClosed):
            call.recv(timeout=SLOW)
        assert call.close_code == 1001
    assert fleet.process.wait(SLOW) == 0
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
            call.recv(timeout=SLOW)
        assert call.close_code == 1001
    fleet.until(lambda: not any(lives(pid) for pid in fleet.up))


def test_what_is_wrong_with_all_workers_is_told_once(start: Start, tmp_path: Path) -> None:
    """The supervisor cannot know that a certificate is none; the first worker tells it."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("none")
    fleet = start(
        TLS_ENABLED="true",
        TLS_CERT_PATH=str(tmp_path / "cert.pem"),
        TLS_KEY_PATH=str(tmp_path / "key.pem"),
    )
    assert fleet.process.wait(SLOW) == 1
    log = fleet.log.read_text()
    assert log.count("PEM") == 1
    assert log.count("Error: no worker comes up") == 1
    assert "Traceback" not in log


def test_a_mistake_in_the_configuration_is_told_before_any_worker(start: Start) -> None:
    fleet = start(PORT="x", WAAV_SERVER_SHUTDOWN_GRACE_SECONDS="-1")
    assert fleet.process.wait(SLOW) == 1
    assert fleet.log.read_text().count("shutdown_grace_seconds") == 1


def test_a_stop_while_the_first_one_is_still_starting(start: Start) -> None:
    fleet = start()
    with suppress(subprocess.TimeoutExpired):
        fleet.process.wait(1)
    fleet.process.send_signal(signal.SIGTERM)
    assert fleet.process.wait(SLOW) in {0, -signal.SIGTERM}
