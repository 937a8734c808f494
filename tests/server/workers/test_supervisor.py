"""The supervisor with workers that are small scripts: who serves, who waits, who is replaced."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import attrs
import pytest
import trio

import waav.server.workers.supervisor
from waav.security.limits import Capacities, Counts
from waav.server.workers.desk import Desk
from waav.server.workers.messages import Begin, Ready, Stop, encode
from waav.server.workers.supervisor import NoWorker, Supervisor

# It says what happens to it in a file that all of them write to. The last argument is the supervisor's.
SCRIPT = """
import os, socket, sys
log, mode, ready, begin, stop, inherited = sys.argv[1:]
def note(what):
    with open(log, "a") as file:
        file.write(f"{what} {os.getpid()}\\n")
note("start")
if mode == "unable":
    sys.exit(3)
line = socket.socket(fileno=int(inherited.split(",")[3]))
line.sendall(bytes.fromhex(ready))
received = ""
while data := line.recv(100):
    received += data.hex()
    if received == begin:
        note("begin")
        if mode == "mad":
            line.sendall(bytes(8))
    if received.endswith(stop):
        note("stop")
        break
"""


@attrs.define
class Company:
    supervisor: Supervisor
    log: Path

    def pids(self, what: str) -> list[int]:
        """Those to whom this has happened, in that order."""
        if not self.log.exists():
            return []
        lines = (line.split() for line in self.log.read_text().splitlines())
        return [int(pid) for said, pid in lines if said == what]

    async def until(self, what: str, number: int) -> list[int]:
        with trio.fail_after(60):
            while len(self.pids(what)) < number:  # noqa: ASYNC110  # other processes write it
                await trio.sleep(0.01)
        return self.pids(what)


Found = Callable[[str], Awaitable[Company]]


@pytest.fixture
async def found(tmp_path: Path) -> AsyncIterator[Found]:
    async def found(mode: str) -> Company:
        log, script = tmp_path / "log", tmp_path / "worker.py"
        script.write_text(SCRIPT)
        messages = [encode(each).hex() for each in (Ready(), Begin(), Stop())]
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        desk = Desk(Counts(Capacities()))
        command = [sys.executable, "-S", str(script), str(log), mode, *messages]
        company = Company(Supervisor(command, 2, listeners, desk), log)
        companies.append(company)
        return company

    companies: list[Company] = []
    yield found
    for company in companies:
        for listener in company.supervisor.listeners:
            await listener.aclose()


async def test_two_serve_and_one_waits_until_it_is_needed(found: Found) -> None:
    company = await found("able")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        await company.until("start", 3)
        serving = await company.until("begin", 2)
        (waiting,) = {*company.pids("start")} - {*serving}
        os.kill(serving[0], signal.SIGKILL)
        assert (await company.until("begin", 3))[2] == waiting
        await company.until("start", 4)
        assert company.supervisor.desk.serving == 2
        stopping.set()
    assert {serving[1], waiting} <= {*company.pids("stop")}


async def test_the_first_goes_ahead_and_if_it_cannot_nobody_follows(found: Found) -> None:
    company = await found("unable")
    with pytest.RaisesGroup(NoWorker):
        await company.supervisor.run(trio.Event())
    assert len(company.pids("start")) == 1


async def test_who_talks_nonsense_is_killed_and_replaced(found: Found) -> None:
    company = await found("mad")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        await company.until("begin", 4)
        stopping.set()


async def test_who_says_nothing_for_long_is_killed_and_replaced(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waav.server.workers.supervisor, "SILENCE", 0.3)
    company = await found("able")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        await company.until("begin", 4)
        stopping.set()
