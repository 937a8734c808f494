"""What ``[plugins.providers.<id>]`` of every vendor accepts; a vendor's own class adds to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import attrs
from attrs.validators import and_, gt, in_, lt

from capabilities import Secret

_Attribute: TypeAlias = "attrs.Attribute[Any]"
_SECONDS = and_(gt(0.0), lt(3600.0))


def _check_base_url(_: Any, __: _Attribute, value: str) -> None:
    if value:
        _check(value, "base_url must be http://host or https://host, perhaps with port and path")


def _check_proxy(_: Any, __: _Attribute, value: Secret | None) -> None:
    if value:
        # The address is not repeated: it may hold a password.
        message = "proxy must be http://host:port or https://host:port, or blank for none"
        _check(value.reveal(), message, credentials=True)


def _check(url: str, message: str, *, credentials: bool = False) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(message) from None
    fits = parts.scheme in {"http", "https"} and parts.hostname and port != 0
    if not fits or parts.query or parts.fragment or (parts.username and not credentials):
        raise ValueError(message)


@attrs.frozen(kw_only=True)
class VendorSettings:
    """How to reach a vendor."""

    base_url: str = attrs.field(default="", validator=_check_base_url)
    """Where its API is, if not at the vendor's own address: a region, a relay, a test. ``https://``
    stands for ``wss://`` too."""
    headers: Mapping[str, Secret] = attrs.field(factory=dict)
    """Sent with each request, besides those that the API asks for or, by the same name, instead."""
    proxy: Secret | None = attrs.field(default=None, validator=_check_proxy)
    """``http://[user:password@]host:port``; blank for none. Not set: as the variables
    ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say."""
    ca_file: Path | None = None
    """The certificates (PEM) to trust instead of the public ones. Not set: as the variables
    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` say, else Mozilla's list."""
    connect_timeout: float = attrs.field(default=10.0, validator=_SECONDS)
    """Seconds for finding the host, connecting, TLS and the handshake: for a WebSocket all of it
    together, for HTTP each step."""
    read_timeout: float = attrs.field(default=30.0, validator=_SECONDS)
    """Seconds that the vendor may keep an HTTP request waiting for the next bytes."""
    connections: int = attrs.field(default=100, validator=in_(range(1, 10_001)))
    """HTTP requests at one time; more wait ``connect_timeout`` for their turn."""
