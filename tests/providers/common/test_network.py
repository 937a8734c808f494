"""The way to a vendor, with proxies and TLS, on real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from support.servers.certificates import Authority
from support.servers.loopback import closed_port, listen
from support.servers.proxy import open_proxy
from support.servers.reach import reach

from capabilities import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.network import Network, Proxy, choose_proxy, open_stream


async def greet(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"hello")


@asynccontextmanager
async def connected(
    network: Network, port: int, host: str = "127.0.0.1", *, secure: bool = False
) -> AsyncIterator[bytes]:
    """What a vendor says first."""
    with trio.fail_after(10):
        async with await open_stream(network, host, port, secure=secure) as stream:
            yield bytes(await stream.receive_some(100))


async def hello(network: Network, port: int, host: str = "127.0.0.1", **how: bool) -> bytes:
    async with connected(network, port, host, **how) as said:
        return said


async def test_straight_there() -> None:
    async with listen(greet) as port:
        assert await hello(await reach(), port) == b"hello"


async def test_with_tls_and_a_private_authority(authority: Authority) -> None:
    async with listen(greet, authority.server()) as port:
        network = await reach(ca_file=authority.file)
        assert await hello(network, port, secure=True) == b"hello"


async def test_a_certificate_that_nobody_vouches_for(authority: Authority) -> None:
    async with listen(greet, authority.server()) as port:
        with pytest.raises(ProviderUnavailable, match="certificate is not trusted"):
            await hello(await reach(), port, secure=True)


async def test_a_certificate_of_somebody_else(authority: Authority) -> None:
    async with listen(greet, authority.server("other.example")) as port:
        network = await reach(ca_file=authority.file)
        with pytest.raises(ProviderUnavailable, match="certificate is not trusted"):
            await hello(network, port, secure=True)


async def test_no_tls_where_some_should_be(authority: Authority) -> None:
    async with listen(greet) as port:
        with pytest.raises(ProviderUnavailable, match="TLS failed"):
            await hello(await reach(), port, secure=True)


async def test_nobody_listens() -> None:
    with pytest.raises(ProviderUnavailable, match="cannot be reached: Connection refused"):
        await hello(await reach(), closed_port())


async def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(ProviderUnavailable):
        await hello(await reach(), 443, "acme.invalid")


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_through_a_proxy(authority: Authority, secure: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """The proxy finds the host; the client need not know its address."""
    tls = authority.server("vendor.example") if secure else None
    async with listen(greet, tls) as port, open_proxy() as proxy:
        network = await reach(
            ca_file=authority.file, proxy=Secret(f"http://user:w%40rd@127.0.0.1:{proxy.port}")
        )
        assert await hello(network, port, "vendor.example", secure=secure) == b"hello"
    assert proxy.targets == [f"vendor.example:{port}"]
    assert proxy.authorizations == ["Basic dXNlcjp3QHJk"]


async def test_through_a_proxy_that_speaks_tls_itself(authority: Authority) -> None:
    """TLS to the vendor inside of TLS to the proxy."""
    async with (
        listen(greet, authority.server("vendor.example")) as port,
        open_proxy(tls=authority.server()) as proxy,
    ):
        network = await reach(
            ca_file=authority.file, proxy=Secret(f"https://127.0.0.1:{proxy.port}")
        )
        assert await hello(network, port, "vendor.example", secure=True) == b"hello"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(407, ProviderRefused), (403, ProviderRefused), (502, ProviderUnavailable)],
)
async def test_a_proxy_that_lets_nobody_through(status: int, kind: type[ProviderError]) -> None:
    async with open_proxy(status=status) as proxy:
        network = await reach(proxy=Secret(f"http://user:word@127.0.0.1:{proxy.port}"))
        with pytest.raises(kind, match=f"its proxy answered HTTP {status}") as failed:
            await hello(network, 443, "vendor.example")
    assert "word" not in f"{failed.value} {network!r}"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ProviderProtocolError),
        (b"HTTP/1.1 200 OK\r\nX: " + bytes([65]) * 100_000, ProviderProtocolError),
        (b"HTTP/1.1 200", ProviderUnavailable),
        (b"", ProviderUnavailable),
    ],
    ids=["ssh", "endless", "cut", "nothing"],
)
async def test_something_that_is_no_proxy(answer: bytes, kind: type[ProviderError]) -> None:
    async with open_proxy(answer=answer) as proxy:
        network = await reach(proxy=Secret(f"http://127.0.0.1:{proxy.port}"))
        with pytest.raises(kind):
            await hello(network, 443, "vendor.example")


@pytest.mark.parametrize(
    ("variables", "secure", "chosen"),
    [
        ({}, True, None),
        ({"HTTPS_PROXY": "http://p:1"}, True, Proxy("p", 1)),
        ({"https_proxy": "p:1"}, True, Proxy("p", 1)),
        ({"HTTPS_PROXY": "https://p"}, True, Proxy("p", 443, secure=True)),
        ({"HTTPS_PROXY": "http://p:1"}, False, None),
        ({"HTTP_PROXY": "http://p"}, False, Proxy("p", 80)),
        ({"ALL_PROXY": "http://p:1"}, True, Proxy("p", 1)),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, True, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, True, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other"}, True, Proxy("p", 1)),
    ],
)
async def test_the_usual_variables_name_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    secure: bool,  # noqa: FBT001  # a parameter of the test
    chosen: Proxy | None,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert choose_proxy(await reach(), "vendor.example", 443, secure=secure) == chosen


async def test_the_setting_goes_before_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    other = await reach(proxy=Secret("http://q:2"))
    assert choose_proxy(other, "vendor.example", 443, secure=True) == Proxy("q", 2)
    none = await reach(proxy=Secret(""))
    assert choose_proxy(none, "vendor.example", 443, secure=True) is None


@pytest.mark.parametrize("url", ["socks5://user:word@p:1", "http://user:word@p:port"])
async def test_a_kind_of_proxy_that_we_do_not_speak(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", url)
    with pytest.raises(ProviderRefused) as refused:
        await hello(await reach(), 443, "vendor.example")
    assert "word" not in str(refused.value)


async def test_a_connection_that_is_given_up_is_closed() -> None:
    """The vendor does not keep half of a handshake for ever."""
    left = trio.Event()

    async def wait(stream: trio.abc.Stream) -> None:
        while await stream.receive_some(100):
            began.set()
        left.set()

    began = trio.Event()
    async with listen(wait) as port:
        network = await reach()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_expect_cancelled, network, port)
            await began.wait()
            nursery.cancel_scope.cancel()
        with trio.fail_after(10):
            await left.wait()


async def _expect_cancelled(network: Network, port: int) -> None:
    await open_stream(network, "127.0.0.1", port, secure=True)
    raise AssertionError("there was no TLS to agree on")


async def test_addresses_begin_where_the_operator_says() -> None:
    network = await reach("https://api.acme.example/")
    assert network.url("v1", "voices") == "https://api.acme.example/v1/voices"
    moved = await reach("https://api.acme.example", base_url="https://relay.example/acme/")
    assert moved.url("v1", query={"a": "b c"}) == "https://relay.example/acme/v1?a=b%20c"
    with pytest.raises(ProviderRefused):
        network.url("v1", "..", "admin")
