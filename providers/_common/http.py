"""HTTP to a vendor: one pool of connections for each plugin, answers whole or as they come."""

import json
import logging
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self, TypedDict, Unpack

import attrs
import httpx
import trio

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
)
from providers._common.backoff import Backoff
from providers._common.failures import Failures
from providers._common.headers import Headers, outgoing
from providers._common.http_failures import name_failure
from providers._common.network import Network

MOST_BODY = 16 * 1024 * 1024
"""Bytes of an answer that is read whole."""
ATTEMPTS = 3
"""How often a request that may be repeated is made at most."""
LONGEST_WAIT = 5.0
"""Seconds: a vendor that wants to be left alone for longer is not asked again."""

_RETRIES = Backoff(first=0.1, factor=5.0, longest=0.5)
_IDLE = 50.0  # seconds that a connection is kept; load balancers mostly drop it after 60
_MOST_REFUSAL = 16 * 1024  # bytes of a refusal that are looked at
_REFUSAL_TIMEOUT = 2.0  # seconds that a refusal may take to say why
_CLOSE_TIMEOUT = 1.0
_PIECE = 64 * 1024  # bytes of a body that are sent in one go

# One logs addresses, the other logs headers, and there are keys in both.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_dice = random.SystemRandom()


class Body(TypedDict, total=False):
    """What a request carries: one of these, or ``data`` and ``files`` together."""

    json: Any
    content: bytes
    data: Mapping[str, str | list[str]]
    """Fields of a form."""
    files: list[tuple[str, tuple[str, bytes, str]]]
    """Parts of a multipart form: field, then file name, content and type."""


@attrs.frozen(eq=False)
class HTTP:
    """A pool of connections. Made by :func:`open_http`, which also closes it."""

    _network: Network
    _client: httpx.AsyncClient

    async def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Headers | None = None,
        idempotent: bool = False,
        max_body: int = MOST_BODY,
        **body: Unpack[Body],
    ) -> bytes:
        """Return the whole body of a successful answer.

        Args:
            url: as :meth:`Network.url` makes it, or a path below the base address.
            headers: what authenticates as a :class:`Secret`.
            idempotent: making the request twice does no harm, so what may pass is tried again.
            max_body: bytes; more is an error.

        Raises:
            ProviderError: as for :meth:`stream`; ProviderProtocolError also for too long a body.
        """
        attempt = 1
        while True:
            try:
                async with self.stream(method, url, headers=headers, **body) as answer:
                    return await answer.read(max_body)
            except ProviderError as exc:
                attempt += 1
                pause = _pause(exc, attempt) if idempotent else None
                if pause is None:
                    raise
            await trio.sleep(pause)

    async def fetch_json(self, method: str, url: str, **more: Any) -> Any:
        """Return what :meth:`fetch` fetches, read as JSON.

        Raises:
            ProviderError: as for :meth:`fetch`; ProviderProtocolError also for what is no JSON.
        """
        body = await self.fetch(method, url, **more)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise ProviderProtocolError(
                self._network.provider, "answered something that is not JSON"
            ) from None

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, *, headers: Headers | None = None, **body: Unpack[Body]
    ) -> AsyncIterator["Answer"]:
        """Make a request, and give the answer when its head is here and says success.

        Leaving the block before the end of the body drops the connection, so that the vendor
        stops. A request is made once.

        Raises:
            ProviderUnavailable: not reached, not in time, or answered with 408 or 5xx.
            ProviderBusy: answered with 429, or too many requests of ours are under way.
            ProviderRefused: answered with another 3xx or 4xx.
            ProviderProtocolError: what came is not HTTP.
            ProviderClosed: the vendor hung up in the middle (while iterating).
        """
        sent, failures = outgoing(
            self._network.provider, headers or {}, self._network.settings.headers
        )
        try:
            request = self._client.build_request(method, url, headers=sent, **body)
            request.stream = _Pieces(request.stream)
            response = await self._client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise name_failure(exc, failures, self._network) from exc
        answer = Answer(response, failures, self._network)
        try:
            await answer.check()
            yield answer
        finally:
            await answer.close()


class Answer:
    """An answer whose head is here. Iterate it, once, for the chunks of its body as they come."""

    def __init__(self, response: httpx.Response, failures: Failures, network: Network) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        """Names in lower case."""
        self._response = response
        self._failures = failures
        self._network = network
        self._chunks = response.aiter_raw()
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._begun = True
        try:
            return await anext(self._chunks)
        except httpx.HTTPError as exc:
            raise name_failure(exc, self._failures, self._network, in_body=True) from exc

    async def read(self, max_body: int = MOST_BODY) -> bytes:
        """Return the whole body.

        Raises:
            ProviderProtocolError: it is longer than ``max_body`` bytes.
            ProviderClosed: the vendor hung up in the middle.
            ProviderUnavailable: nothing more came for too long.
        """
        whole = bytearray()
        async for chunk in self:
            whole += chunk
            if len(whole) > max_body:
                raise ProviderProtocolError(
                    self._failures.provider, f"answered with more than {max_body} bytes"
                )
        return bytes(whole)

    async def check(self) -> None:
        """Raise what the head says, unless it says success."""
        if not 200 <= self.status < 300:
            raise self._failures.of_status(self.status, self.headers, await self._refusal())
        # We asked for none: a compressed body may be a thousand times what its bytes are.
        coding = self.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise ProviderProtocolError(
                self._failures.provider, f"answered in an encoding that was not asked for: {coding}"
            )

    async def _refusal(self) -> bytes:
        said = bytearray()
        with trio.move_on_after(_REFUSAL_TIMEOUT), suppress(ProviderError):
            async for chunk in self:
                said += chunk
                if len(said) >= _MOST_REFUSAL:
                    break
        return bytes(said)

    async def close(self) -> None:
        """Give the connection back, or drop it if there is more to come."""
        with trio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await self._response.aclose()
            if self._begun:
                # The library nests generators. Left in the middle they would wait for the garbage
                # collector; on a closed connection reading on ends them.
                with suppress(httpx.HTTPError, httpx.StreamError):
                    async for _ in self._chunks:
                        pass


class _Pieces(httpx.AsyncByteStream):
    """The body of a request, in pieces that can be sent without holding the loop, as a recording of
    60 MB would. The library's own is a generator, which a vendor that hangs up while it is being
    sent would leave to the garbage collector."""

    def __init__(self, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        assert isinstance(body, httpx.SyncByteStream)  # noqa: S101  # as all that :class:`Body` has
        self._rest = _cut(body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._rest:
            return piece
        raise StopAsyncIteration


def _cut(body: Iterable[bytes]) -> Iterator[bytes]:
    for part in body:
        for start in range(0, len(part), _PIECE):
            yield part[start : start + _PIECE]


@asynccontextmanager
async def open_http(network: Network) -> AsyncIterator[HTTP]:
    """Open the pool for as long as the block lasts; connections are made when they are needed."""
    settings = network.settings
    proxy = settings.proxy.reveal() if settings.proxy else None
    client = httpx.AsyncClient(
        base_url=network.base_url,
        verify=network.tls,
        proxy=_proxy(proxy, network) if proxy else None,
        trust_env=settings.proxy is None,
        timeout=httpx.Timeout(
            settings.read_timeout, connect=settings.connect_timeout, pool=settings.connect_timeout
        ),
        limits=httpx.Limits(
            max_connections=settings.connections,
            max_keepalive_connections=settings.connections,
            keepalive_expiry=_IDLE,
        ),
        headers={"Accept-Encoding": "identity"},
        # A cookie that one customer's answer sets must not go out with another one's request.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )
    async with client:
        yield HTTP(network, client)


def _proxy(url: str, network: Network) -> httpx.Proxy:
    # The library refuses a context where there will be no TLS.
    tls = network.tls if url.lower().startswith("https:") else None
    return httpx.Proxy(url, ssl_context=tls)


def _pause(exc: ProviderError, attempt: int) -> float | None:
    """Seconds before a request is made again; None if it should not be."""
    match exc:
        case ProviderBusy(retry_after=pause):
            pass
        case ProviderUnavailable() | ProviderClosed():
            pause = 0.0
        case _:
            return None
    if attempt > ATTEMPTS or pause > LONGEST_WAIT:
        return None
    return max(pause, _RETRIES.pause(attempt, _dice.random()))
