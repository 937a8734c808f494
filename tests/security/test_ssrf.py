"""Connections go to the address that was judged; names are asked in threads of their own."""

import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trio
from support.names import Names
from support.servers.certificates import Authority
from support.servers.loopback import closed_port, listen
from trio.testing import MockClock, wait_all_tasks_blocked

from waav.config import Config
from waav.errors import AddressRefused
from waav.security.ssrf import ATTEMPT, ATTEMPTS, LOOKUP_TIMEOUT, LOOKUPS, Guard, Resolver
from waav.security.ssrf_addresses import Address
from waav.security.ssrf_rules import Rules

HOST = "hooks.example.com"
LISTED = Rules(hosts=frozenset({HOST}))
PUBLIC, HERE = ("93.184.216.34",), ("127.0.0.1",)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority.pem")


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


@pytest.fixture
async def visited() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server on this machine: its port, and what it was told."""
    told: list[bytes] = []

    async def serve(stream: trio.abc.Stream) -> None:
        told.append(bytes(await stream.receive_some()))

    async with listen(serve) as port:
        yield port, told


@pytest.mark.pins("D242")
async def test_a_name_that_leads_elsewhere_after_it_was_judged(
    tls: ssl.SSLContext, visited: tuple[int, list[bytes]]
) -> None:
    """DNS rebinding: public when the hook is registered, this machine when it is called."""
    port, told = visited
    names = Names.of(PUBLIC, HERE)
    guard = Guard(Rules(insecure=True), tls, names)
    url = f"http://{HOST}:{port}/"
    await guard.addresses(guard.rules.check(url).host)
    with pytest.raises(AddressRefused, match="leads to this machine"):
        await guard.open_stream(url)
    assert names.asked == [HOST, HOST]
    assert told == []


@pytest.mark.pins("D242")
async def test_a_connection_goes_where_the_one_question_led(
    tls: ssl.SSLContext, visited: tuple[int, list[bytes]]
) -> None:
    """Whatever the name server would say next, nobody asks it."""
    port, told = visited
    names = Names.of(HERE, ("10.9.9.9",))
    guard = Guard(LISTED, tls, names)
    with trio.fail_after(10):
        async with await guard.open_stream(f"http://{HOST}:{port}/") as stream:
            await stream.send_all(b"hello")
            assert await stream.receive_some() == b""
    assert told == [b"hello"]
    assert names.asked == [HOST]


async def test_one_private_address_among_public_ones(
    tls: ssl.SSLContext, visited: tuple[int, list[bytes]]
) -> None:
    port, told = visited
    guard = Guard(Rules(insecure=True), tls, Names.of((*PUBLIC, *HERE)))
    with pytest.raises(AddressRefused):
        await guard.open_stream(f"http://{HOST}:{port}/")
    assert told == []


async def test_tls_is_with_the_host_and_not_with_its_address(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    asked: list[str | None] = []
    server = authority.server(HOST)
    server.sni_callback = lambda _, name, __: asked.append(name)

    async def greet(stream: trio.abc.Stream) -> None:
        await stream.send_all(b"hello")

    async with listen(greet, server) as port:
        guard = Guard(LISTED, tls, Names.of(HERE))
        with trio.fail_after(10):
            stream = await guard.open_stream(f"wss://{HOST.upper()}.:{port}/")
            assert await stream.receive_some() == b"hello"
            await trio.aclose_forcefully(stream)
    assert asked == [HOST]


async def test_a_certificate_of_somebody_else(authority: Authority, tls: ssl.SSLContext) -> None:
    async with listen(lambda stream: stream.send_all(b""), authority.server("other.example")) as p:
        guard = Guard(LISTED, tls, Names.of(HERE))
        with trio.fail_after(10), pytest.raises(trio.BrokenResourceError):
            await guard.open_stream(f"https://{HOST}:{p}/")


async def test_nobody_listens(tls: ssl.SSLContext) -> None:
    guard = Guard(LISTED, tls, Names.of(HERE))
    with pytest.raises(ConnectionError, match=r"^the host cannot be reached$"):
        await guard.open_stream(f"http://{HOST}:{closed_port()}/")


async def test_a_host_that_does_not_exist(tls: ssl.SSLContext) -> None:
    with pytest.raises(OSError, match="no such host"):
        await Guard(LISTED, tls, Names({})).open_stream("https://none.example.com/")


async def test_a_guard_as_the_operator_has_it() -> None:
    guard = await Guard.of(Config())
    assert guard.rules == Rules()
    assert guard.tls.verify_mode is ssl.CERT_REQUIRED
    assert guard.tls.check_hostname


# Time.


async def test_a_name_server_that_never_answers(
    tls: ssl.SSLContext, autojump_clock: MockClock
) -> None:
    async def never(host: str) -> Sequence[Address]:
        await trio.sleep_forever()
        raise AssertionError(host)

    with pytest.raises(TimeoutError, match="not found in time"):
        await Guard(LISTED, tls, never).open_stream(f"https://{HOST}/")
    assert trio.current_time() == pytest.approx(LOOKUP_TIMEOUT)


async def test_addresses_are_tried_one_after_the_other(
    tls: ssl.SSLContext, autojump_clock: MockClock
) -> None:
    """The first is silent, the second refuses, the third is the one."""
    guard = Guard(Rules(), tls, Names.of(("8.8.8.1", "8.8.8.2", "2606:4700::3")))

    async def open_one(address: str) -> str:
        match address:
            case "8.8.8.1":
                await trio.sleep_forever()
            case "8.8.8.2":
                raise ConnectionRefusedError
        await trio.lowlevel.checkpoint()
        return address

    assert await guard.connect(HOST, open_one) == "2606:4700::3"
    assert trio.current_time() == pytest.approx(ATTEMPT)


async def test_a_host_with_very_many_addresses_is_given_up(tls: ssl.SSLContext) -> None:
    tried: list[str] = []

    async def refuse(address: str) -> None:
        await trio.lowlevel.checkpoint()
        tried.append(address)
        raise ConnectionRefusedError(address)

    many = tuple(f"8.8.4.{number}" for number in range(200))
    with pytest.raises(ConnectionError) as caught:
        await Guard(Rules(), tls, Names.of(many)).connect(HOST, refuse)
    assert tried == list(many[:ATTEMPTS])
    assert "8.8.4" not in str(caught.value)


# The system's own resolver.


async def test_the_system_knows_this_machine() -> None:
    assert await Resolver()("127.0.0.1") == [ip_address("127.0.0.1")]
    assert all(each.is_loopback for each in await Resolver()("localhost"))


@pytest.mark.pins("D240")
async def test_look_ups_hold_up_neither_the_loop_nor_the_threads_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Name servers that do not answer: those who gave up waiting still count, and others work."""
    answered, begun = threading.Event(), threading.Semaphore(0)
    entered: list[bytes] = []

    def silent(host: bytes, *_: Any, **__: Any) -> list[Any]:
        entered.append(host)
        begun.release()
        assert answered.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    look_up = Resolver()
    try:
        with trio.move_on_after(10) as waiting:
            async with trio.open_nursery() as nursery:
                for number in range(LOOKUPS + 4):
                    nursery.start_soon(look_up, f"h{number}.example.com")
                for _ in range(LOOKUPS):
                    await trio.to_thread.run_sync(begun.acquire)
                await wait_all_tasks_blocked()
                assert len(entered) == LOOKUPS
                waiting.cancel()
        with trio.move_on_after(0.01):
            await look_up("later.example.com")
        assert len(entered) == LOOKUPS
    finally:
        answered.set()
    with trio.fail_after(10):
        assert await look_up("later.example.com") == [ip_address("8.8.8.8")]
