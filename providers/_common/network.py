"""The way to a vendor: name, TCP, a proxy if there is one, TLS; then a stream of bytes."""

import ssl
from base64 import b64encode
from collections.abc import Sequence
from typing import Self
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import attrs
import h11
import trio

from capabilities import ProviderProtocolError, ProviderRefused, ProviderUnavailable
from providers._common.failures import Failures
from providers._common.headers import AGENT
from providers._common.settings import VendorSettings
from providers._common.tls import HTTP1, tls_context
from providers._common.transport import Transport
from providers._common.urls import Query, build_url

_READ = 65536
_MOST_HEAD = 65536


@attrs.frozen
class Network:
    """How one plugin reaches its vendor: made once, when the plugin opens."""

    provider: str
    """The id, for errors."""
    base_url: str
    """Of the vendor's API, without a slash at the end."""
    tls: ssl.SSLContext = attrs.field(repr=False)
    settings: VendorSettings = VendorSettings()

    @classmethod
    async def of(
        cls,
        provider: str,
        settings: VendorSettings,
        base_url: str,
        alpn: Sequence[str] = HTTP1,
    ) -> Self:
        """Make it from the operator's settings.

        Args:
            base_url: the vendor's own address, if the operator names no other.

        Raises:
            OSError: the CA certificates cannot be read.
        """
        tls = await tls_context(settings.ca_file, alpn)
        return cls(provider, (settings.base_url or base_url).rstrip("/"), tls, settings)

    def url(self, *path: str, query: Query | None = None) -> str:
        """An address of the API. The parts of the path and the query are percent-encoded here.

        Raises:
            ProviderRefused: a part, such as the name of a voice, cannot be in an address.
        """
        try:
            return build_url(self.base_url, path, query)
        except ValueError as exc:
            raise ProviderRefused(self.provider, str(exc)) from None

    def too_slow(self) -> ProviderUnavailable:
        """The failure of a connection that was not there in time."""
        limit = f"{self.settings.connect_timeout:g} s"
        return ProviderUnavailable(self.provider, f"no connection within {limit}")


@attrs.frozen
class Proxy:
    """Where a way around leads through."""

    host: str
    port: int
    secure: bool = attrs.field(default=False, kw_only=True)
    """It is spoken to with TLS itself."""
    authorization: str | None = attrs.field(default=None, repr=False)


async def open_stream(network: Network, host: str, port: int, *, secure: bool) -> Transport:
    """Connect, through the proxy if there is one; the caller closes. The caller sets the deadline.

    Raises:
        ProviderUnavailable: the host was not found or not reached, or TLS failed.
        ProviderRefused: the proxy does not let us through.
    """
    failures = Failures(network.provider)
    proxy = choose_proxy(network, host, port, secure=secure)
    stream: Transport | None = None
    try:
        if proxy is None:
            stream = Transport(await trio.open_tcp_stream(host, port))
        else:
            stream = Transport(await trio.open_tcp_stream(proxy.host, proxy.port))
            if proxy.secure:
                await stream.secure(network.tls, proxy.host)
            await _tunnel(stream, proxy, host, port, failures)
        if secure:
            await stream.secure(network.tls, host)
    except BaseException as exc:
        if stream is not None:
            await trio.aclose_forcefully(stream)
        if isinstance(exc, OSError | trio.BrokenResourceError):
            raise failures.of_network(exc) from exc
        raise
    return stream


def choose_proxy(network: Network, host: str, port: int, *, secure: bool) -> Proxy | None:
    """Say through which proxy a host is reached, if through any.

    Raises:
        ProviderRefused: the one that the environment names is none that we can use.
    """
    if network.settings.proxy is not None:
        return _parse(network.provider, network.settings.proxy.reveal())
    if proxy_bypass(f"{host}:{port}"):
        return None
    known = getproxies()
    return _parse(network.provider, known.get("https" if secure else "http") or known.get("all"))


def _parse(provider: str, url: str | None) -> Proxy | None:
    if not url:
        return None
    try:
        # Environments often name a proxy without its scheme.
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ProviderRefused(provider, "its proxy must be http://host:port or https://host:port")
    secure = parts.scheme == "https"
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(pair.encode()).decode()}"
    port = port or (443 if secure else 80)
    return Proxy(parts.hostname, port, authorization, secure=secure)


async def _tunnel(
    stream: Transport, proxy: Proxy, host: str, port: int, failures: Failures
) -> None:
    """Ask a proxy for a connection to a host (RFC 9110, 9.3.6)."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", target), ("User-Agent", AGENT)]
    if proxy.authorization is not None:
        headers.append(("Proxy-Authorization", proxy.authorization))
    protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
    asked = protocol.send(h11.Request(method="CONNECT", target=target, headers=headers))
    await stream.send_all(asked or b"")
    answer = await _answer(stream, protocol, failures.provider)
    if not 200 <= answer.status_code < 300:
        said = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
        raise failures.of_status(answer.status_code, said, by_proxy=True)


async def _answer(stream: Transport, protocol: h11.Connection, provider: str) -> h11.Response:
    try:
        while not isinstance(event := protocol.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                data = await stream.receive_some(_READ)
                if not data:
                    raise ProviderUnavailable(provider, "its proxy hung up instead of answering")
                protocol.receive_data(bytes(data))
    except h11.RemoteProtocolError:
        raise ProviderProtocolError(
            provider, "its proxy answers something that is not HTTP"
        ) from None
    return event
