"""A URL from a stranger, read so that nobody can read it in another way. No I/O, no policy.

Whatever two programs might understand differently is refused, not repaired: odd spellings of
numbers, zones, backslashes, user names, control characters.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import attrs
import idna

from waav.errors import AddressRefused
from waav.security.ssrf_addresses import Address

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
"""The schemes that are understood, and their ports."""
MOST = 2048
"""Characters of a URL."""

_FORM = re.compile(
    r"(?P<scheme>[a-zA-Z]+)://(?P<authority>[^/?#]+)(?P<path>[^?#]*)(?P<query>[^#]*)"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]@%]+)(:(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@attrs.frozen
class Target:
    """Where a URL leads."""

    scheme: str
    """One of :data:`PORTS`."""
    host: str
    """A name in ASCII and small letters without a dot at its end, or an address as it is usual."""
    port: int
    path: str
    """With the query, and never empty."""
    address: Address | None = None
    """If the host is one."""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme in {"https", "wss"}

    @property
    def netloc(self) -> str:
        """The host as the header ``Host`` has it: with the port, unless that is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole, spelled as usual, without a fragment."""
        return f"{self.scheme}://{self.netloc}{self.path}"


def read_url(url: str) -> Target:
    """Read a URL.

    Raises:
        AddressRefused: it is none, or not plain enough to be called.
    """
    if len(url) > MOST:
        raise AddressRefused(f"it is longer than {MOST} characters")
    if "\\" in url or not all(character.isprintable() and character != " " for character in url):
        raise AddressRefused("it has a space, a backslash or a control character")
    form = _FORM.match(url)
    if form is None or (scheme := form["scheme"].lower()) not in PORTS:
        raise AddressRefused("it is no URL of a web service")
    authority = _AUTHORITY.fullmatch(form["authority"])
    if authority is None:
        raise AddressRefused("between its scheme and its path must be a host, perhaps with a port")
    host, address = _read_host(authority["host"])
    port = int(authority["port"] or PORTS[scheme])
    if not 0 < port < 65536:
        raise AddressRefused("its port is none")
    return Target(scheme, host, port, (form["path"] or "/") + form["query"], address)


def _read_host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        try:
            six = IPv6Address(text[1:-1])
        except AddressValueError:
            raise AddressRefused("its host is no IPv6 address") from None
        return str(six), six
    name = _ascii(text.lower()).removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("its host is no name of a host")
    if not _NUMBER.fullmatch(labels[-1]):
        return name, None
    # What ends in a number is an address for every resolver, however it is spelled.
    try:
        four = IPv4Address(name)
    except AddressValueError:
        raise AddressRefused("its host is an oddly written IPv4 address") from None
    return str(four), four


def _ascii(name: str) -> str:
    try:
        return name if name.isascii() else idna.encode(name).decode("ascii")
    except idna.IDNAError:
        raise AddressRefused("its host is no name of a host") from None
