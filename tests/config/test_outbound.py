"""Whom the gateway may call because a client says so."""

from ipaddress import ip_network

import pytest

from waav.config import Config, check
from waav.config.option import dotted
from waav.config.outbound import Network, Outbound, read_host

WRONG = [
    "",
    "*",
    "*.",
    "a.*",
    "a b",
    "https://a",
    "a:443",
    "10.0.0.1/8",
    "10.0.0.256",
    "127.1",
    "-a.example",
    "bücher.example",
    "[::1]",
]


@pytest.mark.parametrize(
    ("entry", "read"),
    [
        ("localhost", "localhost"),
        (" Hooks.Corp.Example. ", "hooks.corp.example"),
        ("*.corp.example", "*.corp.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("10.1.0.0/16", ip_network("10.1.0.0/16")),
        ("127.0.0.1", ip_network("127.0.0.1/32")),
        ("::1", ip_network("::1/128")),
        ("fd00::/8", ip_network("fd00::/8")),
    ],
)
def test_an_entry_is_a_name_or_a_network(entry: str, read: Network | str) -> None:
    assert read_host(entry) == read


@pytest.mark.parametrize("entry", WRONG)
def test_an_entry_that_is_neither(entry: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_host(entry)


def test_each_mistake_is_told_with_its_place() -> None:
    outbound = Outbound(allow_hosts=("a.example", *WRONG))
    mistakes = list(check(Config(outbound=outbound)))
    assert [dotted(each.path) for each in mistakes] == [
        f"outbound.allow_hosts[{number}]" for number in range(1, len(WRONG) + 1)
    ]
