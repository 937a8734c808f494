"""Requests to those whom the operator trusts to know tokens: short answers, no redirects, in time."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy

import attrs
import httpx
import trio

from capabilities import ProviderProtocolError, ProviderUnavailable

_IDLE = 10  # connections that are kept
_IDLE_SECONDS = 90.0
_MOST = 100  # connections at one time
_CLOSE_TIMEOUT = 1.0

# One logs addresses, the other logs headers, and there may be secrets in both.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@attrs.frozen
class Answer:
    """A whole answer."""

    status: int
    body: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Peer:
    """A service, a pool of connections to it, and how long it may take. Made by :func:`open_peer`."""

    name: str
    """In errors."""
    _url: str = attrs.field(repr=False)
    _timeout: float
    _client: httpx.AsyncClient = attrs.field(repr=False)

    async def ask(
        self, method: str, *, most: int, content: bytes | None = None, content_type: str = ""
    ) -> Answer:
        """Make one request, and return its whole answer, whatever it says.

        Args:
            most: bytes of the answer.

        Raises:
            ProviderUnavailable: not reached, broken off, or not whole within the timeout.
            ProviderProtocolError: not HTTP, compressed, or longer than ``most``.
        """
        headers = {"Content-Type": content_type} if content_type else {}
        request = self._client.build_request(method, self._url, headers=headers, content=content)
        request.stream = _Whole(content or b"")
        try:
            with trio.fail_after(self._timeout):
                return await self._exchange(request, most)
        except trio.TooSlowError:
            raise ProviderUnavailable(self.name, "did not answer in time") from None
        except (httpx.RemoteProtocolError, httpx.DecodingError) as exc:
            raise ProviderProtocolError(self.name, f"broken answer: {_kind(exc)}") from exc
        except httpx.HTTPError as exc:
            raise ProviderUnavailable(self.name, f"not reached: {_kind(exc)}") from exc

    async def _exchange(self, request: httpx.Request, most: int) -> Answer:
        response = await self._client.send(request, stream=True)
        body = bytearray()
        chunks = response.aiter_raw()
        try:
            # We asked for none: a compressed body may be a thousand times what its bytes are.
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ProviderProtocolError(self.name, "a compressed answer")
            async for chunk in chunks:
                body += chunk
                if len(body) > most:
                    raise ProviderProtocolError(self.name, f"an answer of more than {most} bytes")
        finally:
            with trio.move_on_after(_CLOSE_TIMEOUT, shield=True):
                await response.aclose()
                # The library nests generators. Left in the middle they would wait for the garbage
                # collector; on a closed connection reading on ends them.
                with suppress(httpx.HTTPError, httpx.StreamError):
                    async for _ in chunks:
                        pass
        return Answer(response.status_code, bytes(body))


class _Whole(httpx.AsyncByteStream):
    """The body of a request. The library's own is a generator, which a request that ends while it is
    being sent would leave to the garbage collector."""

    def __init__(self, content: bytes) -> None:
        self._rest = iter((content,))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for content in self._rest:
            return content
        raise StopAsyncIteration


def _kind(exc: Exception) -> str:
    # The message of the library may quote what came.
    return type(exc).__name__


@asynccontextmanager
async def open_peer(name: str, url: str, timeout: float) -> AsyncIterator[Peer]:
    """Open a pool for as long as the block lasts; connections are made when they are needed.

    Args:
        timeout: seconds for one request, from its first byte to the last one of the answer.
    """
    # Reading the certificates takes some 100 ms.
    tls = await trio.to_thread.run_sync(httpx.create_ssl_context)
    client = httpx.AsyncClient(
        verify=tls,
        timeout=timeout,
        limits=httpx.Limits(
            max_connections=_MOST,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_IDLE_SECONDS,
        ),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
    )
    async with client:
        yield Peer(name, url, timeout, client)
