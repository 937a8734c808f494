"""The gateway as processes with TLS behind a proxy: whom it hears of, and a certificate that is renewed."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic

import attrs
import pytest
import trustme

SLOW = 60.0
"""Seconds. Whatever takes longer hangs, also on a machine that is busy with something else."""

pytestmark = pytest.mark.timeout(300)


@attrs.define
class Running:
    """``waav serve``, in one process or in several."""

    process: subprocess.Popen[str]
    log: Path
    folder: Path
    authority: trustme.CA
    port: int = 0

    def renew(self) -> bytes:
        """Put another certificate in the place of the one that is there; return it."""
        issued = self.authority.issue_cert("localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(self.folder / "both.new")
        (self.folder / "both.new").replace(self.folder / "both.pem")
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def connect(self, client: str) -> ssl.SSLSocket:
        """Connect as a proxy does for its client."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=SLOW)
        plain.sendall(f"PROXY TCP4 {client} 198.51.100.1 51000 443\r\n".encode())
        return context.wrap_socket(plain, server_hostname="localhost")

    def shown(self) -> bytes:
        """The certificate that a new client is shown."""
        with self.connect("192.0.2.1") as client:
            return client.getpeercert(binary_form=True) or b""

    def shows(self, certificate: bytes) -> bool:
        """Tell whether everybody shows it: ten in a row find each worker, or nearly so."""
        return all(self.shown() == certificate for _ in range(10))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = monotonic() + SLOW
        while not condition():
            assert monotonic() < deadline, self.log.read_text()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)


@pytest.fixture(params=[1, 2], ids=["one", "workers"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    environ = {
        "PLUGINS_ENABLED": "false",
        "RATE_LIMIT_REQUESTS_PER_SECOND": "100000",
        "MAX_CONNECTIONS_PER_IP": "1",
        "WAAV_OVERLOAD_ENABLED": "false",
        "WAAV_SERVER_PROXY_PROTOCOL": "true",
        "WAAV_SERVER_TRUSTED_PROXIES": "127.0.0.1",
        "TLS_ENABLED": "true",
        "TLS_CERT_PATH": str(tmp_path / "both.pem"),
        "TLS_KEY_PATH": str(tmp_path / "both.pem"),
    }
    command = [sys.executable, "-m", "waav", "serve", "--host", "127.0.0.1", "--port", "0"]
    log, authority = tmp_path / "log", trustme.CA()
    pair = authority.issue_cert("localhost").private_key_and_cert_chain_pem
    pair.write_to_path(tmp_path / "both.pem")
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*command, "--workers", str(request.param)],
            cwd=tmp_path,
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        running = Running(process, log, tmp_path, authority)
        try:
            assert process.stdout is not None
            found = re.search(r"https://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert found, log.read_text()
            running.port = int(found.group(1))
            workers = request.param if request.param > 1 else 0
            running.until(lambda: log.read_text().count(": ready") >= workers)
            yield running
        finally:
            process.kill()


def test_a_hangup_renews_the_certificate_in_each_process(running: Running) -> None:
    """A bad one is told, and nobody notices it; then the next one is shown by all."""
    old = running.shown()
    (running.folder / "both.pem").write_text("nonsense")
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: "the certificate stays the old one" in running.log.read_text())
    assert running.shows(old)
    new = running.renew()
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: running.shows(new))
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(SLOW) == 0


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_clients_behind_one_proxy_have_limits_of_their_own(running: Running) -> None:
    """One call of each, whichever worker takes it, though all come from the same address."""
    with ExitStack() as stack:

        def call(client: str) -> str:
            connected = stack.enter_context(running.connect(client))
            connected.sendall(UPGRADE)
            return connected.recv(12).decode()

        for client in ("192.0.2.1", "192.0.2.2"):
            assert call(client) == "HTTP/1.1 101"
            assert call(client) == "HTTP/1.1 503"
