"""The supervisor with workers that are small scripts: who serves, who waits, who is replaced."""

import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing

import waav.server.workers.supervisor
from waav.observe.fleet import Report
from waav.observe.metrics import Sample
from waav.security.limits import Capacities, Counts
from waav.server.workers.desk import Desk
from waav.server.workers.line import MAX_UNSENT, open_line
from waav.server.workers.messages import AskOthers, Begin, Ready, Reload, Reported, Stop, encode
from waav.server.workers.supervisor import NoWorker, Supervisor, _Worker

# It says what happens to it in a file that all of them write to. The last argument is the supervisor's.
SCRIPT = """
import os, socket, sys
log, mode, ready, begin, stop, reload, inherited = sys.argv[1:]
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
    if reload in received:
        note("reload")
        received = received.replace(reload, "")
    if stop in received:
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
        messages = [encode(each).hex() for each in (Ready(), Begin(), Stop(), Reload())]
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


async def test_a_wish_to_read_files_again_is_passed_on_to_all(found: Found) -> None:
    """Also to the one that waits; whoever is started later reads what is there by then."""
    company = await found("able")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        await company.until("begin", 2)
        await company.until("start", 3)
        company.supervisor.reloads.ask()
        assert sorted(await company.until("reload", 3)) == sorted(company.pids("start"))
        stopping.set()


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


async def test_a_stop_while_one_is_being_started_ends_that_one_too(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not been there when the others were told; nobody waits for it to come up."""
    stopping, open_process = trio.Event(), trio.lowlevel.open_process

    async def stopped_meanwhile(*args: Any, **options: Any) -> trio.Process:
        process = await open_process(*args, **options)
        stopping.set()
        await trio.testing.wait_all_tasks_blocked()
        return process

    monkeypatch.setattr(trio.lowlevel, "open_process", stopped_meanwhile)
    company = await found("able")
    with trio.fail_after(30):
        await company.supervisor.run(stopping)


async def test_a_start_that_the_system_refuses_is_tried_again(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no memory for one more process; those that are there know nothing of it."""
    open_process, calls = trio.lowlevel.open_process, count()

    async def every_second(*args: Any, **options: Any) -> trio.Process:
        if next(calls) % 2:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        return await open_process(*args, **options)

    monkeypatch.setattr(trio.lowlevel, "open_process", every_second)
    company = await found("able")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        serving = await company.until("begin", 2)
        os.kill(serving[0], signal.SIGKILL)
        await company.until("begin", 3)
        stopping.set()
    assert serving[1] in company.pids("stop")


async def test_news_does_not_pile_up_for_one_that_only_asks(found: Found) -> None:
    """It asks for each ``/health``, and hears nothing while its loop is held."""
    company = await found("able")
    supervisor = company.supervisor
    supervisor.desk.open(0)
    supervisor.desk.open(1)
    supervisor.desk.begin(1)
    many = tuple(Sample(f"waav_{number}", number) for number in range(1000))
    supervisor.desk.answer(1, Reported(Report(0, 0.0, ready=True, samples=many)))
    near, far = trio.testing.memory_stream_pair()
    async with near, open_line(far) as line:
        process = await trio.lowlevel.open_process([sys.executable, "-c", ""])
        await process.wait()
        worker = _Worker(process, line)
        for number in range(200):
            supervisor._hear(0, worker, AskOthers(number))
        assert len(line._unsent) < 2 * MAX_UNSENT


async def test_one_that_cannot_be_told_is_replaced_and_the_others_stay(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died just when something was sent to it."""
    company = await found("able")
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(company.supervisor.run, stopping)
        serving = await company.until("begin", 2)
        await trio.aclose_forcefully(company.supervisor._staff[0].line._stream)
        await company.until("begin", 3)
        stopping.set()
    assert serving[1] in company.pids("stop")
