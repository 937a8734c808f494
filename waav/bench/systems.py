"""What is measured: our gateway and, beside it, the least and the most obvious that could do the same."""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from waav.bench.loop import Address
from waav.bench.process import BenchFailed, Child, started

STT = {"provider": "deepgram", "sample_rate": 16000}
LISTENS: Mapping[str, Any] = {"type": "config", "stt_config": STT}
"""What a client says first that wants to be heard."""
ROOM = 100_000
"""Sessions that are let in where nothing else is said: it is not the limits that are measured."""

_CONFIG = """\
[server]
host = "127.0.0.1"
port = 0
log_level = "warning"
shutdown_grace_seconds = 1.0
[security]
max_websocket_connections = {sessions}
max_connections_per_ip = {sessions}
rate_limit_requests_per_second = 100000
[overload]
enabled = {limited}
[plugins]
{plugins}
[plugins.providers.deepgram]
base_url = "http://127.0.0.1:{far_end}"
proxy = ""
[providers]
deepgram_api_key = "made-up-for-the-benchmark"
"""


@attrs.frozen
class System:
    """Something that relays, and is there."""

    name: str
    address: Address
    pid: int | None
    """None where it is not known; then it has no CPU and no memory to tell of."""
    config: Mapping[str, Any] = LISTENS
    """What its clients say first."""
    child: Child | None = None
    """None if somebody else has started it."""

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Let its own end be the failure of the block, rather than what follows from that."""
        try:
            yield
        except BenchFailed:
            if self.child is not None and self.child.process.poll() is not None:
                raise self.child.failed("ended") from None
            raise


@contextmanager
def gateway(
    folder: Path,
    cores: frozenset[int],
    far_end: Address,
    *,
    sessions: int = ROOM,
    plugins: Path | None = None,
) -> Iterator[System]:
    """Run our gateway as its users do, with the far end as its vendor, and no limit but ``sessions``.

    Without that one it does not refuse or shed either when it is late: how late it is is what is
    measured, and with all that was asked for.

    Args:
        plugins: a folder with plugins of the benchmark's own.
    """
    config = folder / "gateway.toml"
    line = "" if plugins is None else f'plugin_dir = "{plugins}"'
    limited = str(sessions < ROOM).lower()
    text = _CONFIG.format(sessions=sessions, limited=limited, plugins=line, far_end=far_end[1])
    config.write_text(text)
    command = ["waav", "--config", str(config), "serve"]
    with started("gateway", command, folder, cores) as child:
        yield System("gateway", address_of(child), child.pid, child=child)


@contextmanager
def yardstick(name: str, folder: Path, cores: frozenset[int], far_end: Address) -> Iterator[System]:
    """Run one of the relays to compare with: ``bare`` or ``obvious``.

    Raises:
        BenchFailed: a library that it needs is not installed.
    """
    if name == "obvious" and importlib.util.find_spec("trio_websocket") is None:
        raise BenchFailed(
            "the obvious relay needs trio-websocket: pip install 'waav[bench]', or --without obvious"
        )
    url = f"ws://{far_end[0]}:{far_end[1]}/ws"
    with started(name, [f"waav.bench.{name}", url], folder, cores) as child:
        yield System(name, address_of(child), child.pid, child=child)


def running(url: str, pid: int | None) -> System:
    """Return a gateway that runs already, at ``http://host:port``."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise BenchFailed(f"{url}: the load speaks plain http://host:port only")
    return System("gateway", (parts.hostname, parts.port or 80), pid)


def address_of(child: Child) -> Address:
    """Wait for the first line of what was started, and return where it listens."""
    line = child.line()
    found = re.search(r"http://([\d.]+):(\d+)", line)
    if found is None:
        raise child.failed(f"said {line!r} instead of its address")
    return found.group(1), int(found.group(2))


def direct(far_end: Address) -> System:
    """Return nothing at all: the far end itself. What is measured of it is the load's own."""
    return System("direct", far_end, None)


NAMES = ("gateway", "bare", "obvious", "direct")
"""What can be compared, the one that matters first."""
