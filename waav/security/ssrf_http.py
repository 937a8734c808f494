"""HTTP to where a stranger's URL leads: every connection and every redirect goes past the guard."""

import logging
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import attrs
import httpcore
import httpx
import trio

from waav.errors import AddressRefused
from waav.security.ssrf import CONNECT_TIMEOUT, Guard
from waav.security.ssrf_urls import Target

MOST_HOPS = 3
"""How often a request lets itself be sent on."""
CONNECTIONS = 100
"""To all hosts together; of those that are not in use fewer are kept, and not for long."""

_IDLE = 20
_IDLE_SECONDS = 30.0
_TIMEOUT = httpx.Timeout(10.0, connect=CONNECT_TIMEOUT)
_FOR_ANYBODY = frozenset({
    "accept", "accept-encoding", "connection", "content-length", "content-type", "host",
    "transfer-encoding", "user-agent",
})  # fmt: skip
"""Headers that another server than the one they were meant for may see."""

# One logs addresses, the other logs headers, and there are keys in both.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@asynccontextmanager
async def open_client(guard: Guard) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that calls nothing but what the guard allows, whatever URL it is given.

    It knows no proxy and no netrc, keeps no cookies, follows no redirects (:func:`follow` does),
    and raises AddressRefused beside the library's own exceptions.
    """
    client = httpx.AsyncClient(
        transport=GuardedTransport(guard),
        timeout=_TIMEOUT,
        trust_env=False,
        # A cookie that one customer's answer sets must not go out with another one's request.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )
    async with client:
        yield client


@asynccontextmanager
async def follow(
    client: httpx.AsyncClient, request: httpx.Request, hops: int = MOST_HOPS
) -> AsyncIterator[httpx.Response]:
    """Make a request, go where it is sent on, and give the last answer; its body is not read yet.

    Another server than the first gets none of the headers that may hold a secret.

    Raises:
        AddressRefused: the way leads to where we must not go, from TLS to none, or on and on.
        httpx.HTTPError: the request failed.
    """
    for _ in range(hops + 1):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.next_request is None:
                yield response
                return
            request = _onward(request, response.next_request)
        finally:
            await response.aclose()
    raise AddressRefused("it is redirected too often")


def _onward(request: httpx.Request, onward: httpx.Request) -> httpx.Request:
    here, there = request.url, onward.url
    if here.scheme == "https" and there.scheme != "https":
        raise AddressRefused("it is redirected from https:// to less")
    if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
        for name in set(onward.headers) - _FOR_ANYBODY:
            del onward.headers[name]
    return onward


class GuardedTransport(httpx.AsyncBaseTransport):
    """A pool of connections for httpx, each of which the guard has made."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=guard.tls,
            max_connections=CONNECTIONS,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Network(guard),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make one request."""
        target = self._guard.rules.check(str(request.url))
        with _renamed():
            answer = await self._pool.handle_async_request(_asked(request, target))
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _asked(request: httpx.Request, target: Target) -> httpcore.Request:
    """The request as it goes out: to the target as it was checked, and with no other ``Host``."""
    assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an async client's
    headers = [pair for pair in request.headers.raw if pair[0].lower() != b"host"]
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=target.scheme,
            host=target.host,
            port=target.port,
            target=request.url.raw_path,
        ),
        headers=[(b"Host", target.netloc.encode("ascii")), *headers],
        content=request.stream,
        # Nobody names another host for TLS than the one that was checked.
        extensions={key: each for key, each in request.extensions.items() if key == "timeout"},
    )


@attrs.frozen
class _Body(httpx.AsyncByteStream):
    _answer: httpcore.Response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _renamed():
            async for chunk in cast(AsyncIterable[bytes], self._answer.stream):
                yield chunk

    async def aclose(self) -> None:
        with _renamed():
            await self._answer.aclose()


@attrs.frozen
class _Network(httpcore.AsyncNetworkBackend):
    """How the pool connects: to an address that the guard gives, and not by name."""

    _guard: Guard
    _trio: httpcore.TrioBackend = attrs.field(factory=httpcore.TrioBackend)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        open_one = partial(
            self._trio.connect_tcp,
            port=port,
            local_address=local_address,
            socket_options=socket_options,
        )
        try:
            with trio.fail_after(CONNECT_TIMEOUT if timeout is None else timeout):
                return await self._guard.connect(host, open_one, httpcore.ConnectError)
        except (trio.TooSlowError, TimeoutError) as exc:
            raise httpcore.ConnectTimeout("the host was not reached in time") from exc
        except OSError as exc:
            raise httpcore.ConnectError("the host was not found or not reached") from exc


@contextmanager
def _renamed() -> Iterator[None]:
    """Turn the pool's exceptions into those of httpx, which have the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as exc:
        raise getattr(httpx, type(exc).__name__)(str(exc)) from exc
