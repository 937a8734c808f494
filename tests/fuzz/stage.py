"""The gateway that is attacked, ``waav serve`` in a process of its own, and what is seen of it from outside."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from fuzz.peer import House
from waav.bench.process import Child, Usage, started
from waav.bench.rig import Rig
from waav.bench.runs import Run
from waav.bench.systems import System, address_of

PLACES = 400
"""WebSockets that are let in: more than are ever there at once, and few enough to be counted."""
_ATTACKER, _NEIGHBOUR = "the-token-of-the-attacker", "the-token-of-the-neighbour"
_CONFIG = f"""\
[server]
host = "127.0.0.1"
port = 0
log_level = "warning"
shutdown_grace_seconds = 1.0
[auth]
required = true
[[auth.api_secrets]]
id = "attacker"
secret = "{_ATTACKER}"
[[auth.api_secrets]]
id = "neighbour"
secret = "{_NEIGHBOUR}"
[security]
max_websocket_connections = {PLACES}
max_connections_per_ip = {PLACES}
rate_limit_requests_per_second = 100000
[cache]
memory_max_bytes = 1048576
[overload]
enabled = false
[providers]
deepgram_api_key = "made-up-for-the-attack"
"""
_VENDOR = """\
[plugins.providers.{name}]
base_url = "http://127.0.0.1:{port}"
proxy = ""
"""
_VENDORS = ("deepgram", "elevenlabs", "openai")
"""Those whom an attacker could make the gateway call."""
_SLACK = 90.0
_FAILURE = re.compile(r" (ERROR|CRITICAL) |^Traceback ")


@attrs.frozen
class Look:
    """The gateway at one time."""

    usage: Usage
    figures: dict[str, float]
    """Its metrics, by name; those with labels are added up."""

    def figure(self, name: str) -> float:
        """Return a metric; 0 if it has never been counted."""
        return self.figures.get(f"waav_{name}", 0.0)


@attrs.frozen
class Stage:
    """Everything that is needed for an attack."""

    rig: Rig
    system: System
    child: Child

    @property
    def house(self) -> House:
        """What attackers know."""
        return House(self.system.address[1], _ATTACKER)

    def look(self) -> Look:
        """Look at the gateway now.

        Raises:
            BenchFailed: it is gone.
            OSError: it does not answer.
        """
        figures: dict[str, float] = {}
        for line in self._get("/metrics").splitlines():
            if not line.startswith("#"):
                name, value = re.split(r"[{ ]", line, maxsplit=1)[0], line.rsplit(" ", 1)[1]
                figures[name] = figures.get(name, 0.0) + float(value)
        return Look(Usage.of(self.child.pid), figures)

    def failures(self) -> list[str]:
        """Return what the gateway has logged as its own failure."""
        lines = self.child.errors.read_text(errors="replace").splitlines()
        return [line for line in lines if _FAILURE.search(line)]

    def talk(self, neighbours: int, seconds: float) -> Run:
        """Let neighbours talk for so long.

        Raises:
            BenchFailed: they are not let in, or what they need has ended.
        """
        path = f"/ws?token={_NEIGHBOUR}"
        more = {"sessions": neighbours, "seconds": seconds, "path": path}
        told = self.rig.order("talk", self.system, seconds + _SLACK, **more)
        return Run.read(self.system.name, neighbours, told)

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection(*self.system.address, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@contextmanager
def open_stage(rig: Rig) -> Iterator[Stage]:
    """Start the gateway.

    Raises:
        BenchFailed: it does not start.
    """
    config = rig.folder / "attacked.toml"
    vendors = [_VENDOR.format(name=name, port=rig.far_end[1]) for name in _VENDORS]
    config.write_text("".join([_CONFIG, *vendors]))
    command = ["waav", "--config", str(config), "serve"]
    with started("attacked", command, rig.folder, rig.cores) as child:
        yield Stage(rig, System("gateway", address_of(child), child.pid, child=child), child)
