"""The exceptions of the HTTP library -> ``capabilities.errors``."""

import httpx

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import Failures
from providers._common.network import Network

# The library has one class for "hung up" and for "that is not HTTP"; only its words differ.
_HUNG_UP = ("disconnected", "peer closed connection", "unexpectedly closed connection")


def name_failure(
    exc: httpx.HTTPError | httpx.InvalidURL,
    failures: Failures,
    network: Network,
    *,
    in_body: bool = False,
) -> ProviderError:
    """Name what went wrong.

    Args:
        in_body: the head of the answer had come.
    """
    provider = failures.provider
    match exc:
        case httpx.TimeoutException():
            return _late(exc, network)
        case httpx.ProxyError():
            status = str(exc)[:3]
            return failures.of_status(int(status) if status.isdecimal() else 502, by_proxy=True)
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return ProviderRefused(provider, "the request is none that HTTP can carry")
        case httpx.RemoteProtocolError() if not any(word in str(exc) for word in _HUNG_UP):
            return ProviderProtocolError(provider, "answered something that is not HTTP")
        case httpx.RemoteProtocolError() | httpx.NetworkError() if in_body:
            return ProviderClosed(provider, "hung up in the middle of its answer")
        case _:
            return failures.of_network(_origin(exc))


def _origin(exc: BaseException) -> BaseException:
    """What the library translated. Its pool removes the cause from what it lets through."""
    inner = exc.__cause__ or exc
    return inner.__cause__ or inner.__context__ or inner


def _late(exc: httpx.TimeoutException, network: Network) -> ProviderUnavailable:
    provider, settings = network.provider, network.settings
    match exc:
        case httpx.PoolTimeout():
            return ProviderBusy(provider, f"{settings.connections} requests are under way already")
        case httpx.ConnectTimeout():
            return network.too_slow()
        case _:
            return ProviderUnavailable(provider, f"nothing moved for {settings.read_timeout:g} s")
