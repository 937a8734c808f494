"""The client's address: believed from proxies that are trusted, and from nobody else."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.security.addresses import MOST_HOPS, Clients

PROXY = "10.0.0.1"
BEHIND = Clients(["10.0.0.0/8", "2001:db8:ffff::/48"])
ADDRESSES = st.ip_addresses().map(str)


def forwarded(value: str) -> Mapping[str, str]:
    return {"forwarded": value}


def x_forwarded_for(value: str) -> Mapping[str, str]:
    return {"x-forwarded-for": value}


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("<local>", "<local>"),
    ],
)
def test_one_who_connects_directly_is_where_the_connection_comes_from(
    peer: str, client: str
) -> None:
    assert Clients().of(peer, {}) == client
    assert Clients().of(peer, x_forwarded_for("198.51.100.1")) == client


@pytest.mark.pins("D263")
@pytest.mark.parametrize("header", [forwarded("for=1.1.1.1"), x_forwarded_for("1.1.1.1")])
def test_what_a_stranger_says_about_its_address_is_not_believed(header: Mapping[str, str]) -> None:
    assert BEHIND.of("192.0.2.1", header) == "192.0.2.1"
    assert BEHIND.of(PROXY, header) == "1.1.1.1"


@pytest.mark.pins("D263")
@pytest.mark.parametrize(
    ("header", "client"),
    [
        (x_forwarded_for("192.0.2.1"), "192.0.2.1"),
        (x_forwarded_for("6.6.6.6, 192.0.2.1"), "192.0.2.1"),
        (x_forwarded_for("6.6.6.6, 192.0.2.1, 10.0.0.2,10.9.9.9"), "192.0.2.1"),
        (x_forwarded_for("10.0.0.3, 10.0.0.2"), "10.0.0.3"),
        (x_forwarded_for("192.0.2.1:4711"), "192.0.2.1"),
        (x_forwarded_for("2001:db8::7"), "2001:db8::/64"),
        (x_forwarded_for("[2001:db8::7]:4711"), "2001:db8::/64"),
        (x_forwarded_for("::ffff:192.0.2.1"), "192.0.2.1"),
        (x_forwarded_for("192.0.2.1, unknown"), PROXY),
        (x_forwarded_for("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2"),
        (x_forwarded_for(""), PROXY),
        (forwarded("for=192.0.2.1"), "192.0.2.1"),
        (forwarded("For=6.6.6.6;proto=http, for=192.0.2.1;by=10.0.0.1"), "192.0.2.1"),
        (forwarded('for="[2001:db8::7]:4711"; proto=https'), "2001:db8::/64"),
        (forwarded('for="192.0.2.1:80" , for=10.0.0.2'), "192.0.2.1"),
        (forwarded("for=192.0.2.1, for=_hidden"), PROXY),
        (forwarded("for=192.0.2.1, proto=http"), PROXY),
        (forwarded("nonsense"), PROXY),
        (forwarded("for=192.0.2.1;"), PROXY),
    ],
    ids=lambda value: value if isinstance(value, str) else ", ".join(value.values()),
)
def test_behind_trusted_proxies_it_is_the_first_that_is_none_of_them(
    header: Mapping[str, str], client: str
) -> None:
    assert BEHIND.of(PROXY, header) == client


@pytest.mark.pins("D263")
@pytest.mark.parametrize("open_end", ['x="', 'x="\\', 'for="', 'for=6.6.6.6;x="', "for="])
@pytest.mark.parametrize("added", ["for=192.0.2.1", 'for="[2001:db8::7]:80"', 'for="192.0.2.1:80"'])
def test_a_quotation_mark_left_open_does_not_hide_what_the_proxy_added(
    open_end: str, added: str
) -> None:
    assert BEHIND.of(PROXY, forwarded(f"{open_end}, {added}")) in {
        PROXY,
        "192.0.2.1",
        "2001:db8::/64",
    }


def test_two_headers_that_contradict_each_other_are_both_ignored() -> None:
    """The proxy writes one of them, and hands on the other as the client has sent it."""
    both = {**forwarded("for=6.6.6.6"), **x_forwarded_for("192.0.2.1")}
    assert BEHIND.of(PROXY, both) == PROXY
    agreed = {**forwarded("for=192.0.2.1"), **x_forwarded_for("192.0.2.1")}
    assert BEHIND.of(PROXY, agreed) == "192.0.2.1"


def test_a_chain_that_never_ends_is_not_followed_for_ever() -> None:
    hops = [f"10.0.{number // 250}.{number % 250}" for number in range(9000)]
    for header in (
        x_forwarded_for(",".join(hops)),
        forwarded(",".join(f"for={hop}" for hop in hops)),
    ):
        assert BEHIND.of(PROXY, header) == hops[-MOST_HOPS]


STRANGERS = ADDRESSES.filter(
    lambda each: BEHIND.of(each, x_forwarded_for("0.0.0.0")) != "0.0.0.0"
)  # somebody's
CLAIMS = st.text() | st.lists(
    st.sampled_from(
        ["for=", "6.6.6.6", '"', "\\", ";", ",", " ", "x=", "[", "::6", "]", "=", "10.0.0.2"]
    )
).map("".join)


@given(claim=CLAIMS, address=STRANGERS)
def test_nothing_that_a_client_claims_hides_the_address_that_the_proxy_adds(
    claim: str, address: str
) -> None:
    """Whatever stands to the left of what the proxy writes: it is that, or the proxy's own."""
    client = Clients().of(address, {})
    assert BEHIND.of(PROXY, x_forwarded_for(f"{claim}, {address}")) == client
    node = f'"[{address}]"' if ":" in address else address
    assert BEHIND.of(PROXY, forwarded(f"{claim}, for={node}")) in {client, PROXY}
    assert BEHIND.of(PROXY, forwarded(f"{claim}, for={node};by=10.0.0.1")) in {client, PROXY}


@pytest.mark.parametrize(
    ("peer", "owner"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("10.1.2.3", None),
        ("::ffff:10.1.2.3", None),
        ("no address", "no address"),
    ],
)
def test_a_connection_belongs_to_its_client_and_a_proxys_to_nobody(
    peer: str, owner: str | None
) -> None:
    clients = Clients(trusted=["10.0.0.0/8"])
    assert clients.owner(peer) == owner
    assert clients.trusts(peer) is (owner is None)
