"""The section ``[outbound]``: whom the gateway calls because a client says so."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

import attrs

from waav.config.option import option

Network: TypeAlias = IPv4Network | IPv6Network

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")


@attrs.frozen
class Outbound:
    """Whom the gateway calls because a client says so, such as the receiver of a hook."""

    allow_hosts: tuple[str, ...] = option(
        "Your own places that clients may name although they are private: names such as"
        " hooks.corp.example or *.corp.example, addresses, and networks such as 10.1.0.0/16.",
        default=(),
    )
    deny_private: bool = option(
        "Refuse names that lead to this machine or into a private network.", default=True
    )


def read_host(entry: str) -> Network | str:
    """Read an entry of ``allow_hosts``: a network, or a name in small letters.

    Raises:
        ValueError: it is neither.
    """
    text = entry.strip().lower().removesuffix(".")
    last = text.rpartition(".")[2]
    if "/" in text or ":" in text or last.isdigit():
        return ip_network(text)
    if _NAME.fullmatch(text):
        return text
    raise ValueError("not a name")
