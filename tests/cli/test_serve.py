"""The gateway as a process of its own: started, used, stopped."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "waav", "serve", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert found
    return int(found.group(1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_politely(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Its clients hear goodbye, and it ends with 0 well before the grace period is over."""
    port = port_of(process)
    assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    with connect(f"ws://127.0.0.1:{port}/ws") as socket:
        process.send_signal(number)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
        assert socket.close_code == 1001
    assert process.wait(10) == 0


def test_a_port_that_is_taken_is_told(process: subprocess.Popen[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "waav", "serve", "--host", "127.0.0.1", "--port"]
    second = subprocess.run(
        [*command, str(port_of(process))], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "in use" in second.stderr
    assert "Traceback" not in second.stderr
