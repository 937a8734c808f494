"""URLs of strangers: the tricky ones are refused, honest ones pass, and all read them alike."""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.config import Config
from waav.config.outbound import Outbound
from waav.errors import AddressRefused
from waav.security.ssrf_rules import Rules
from waav.security.ssrf_urls import MOST, PORTS

NO_HOST = "must be a host"
NUMBER = "oddly written IPv4"
LITERAL = "must be a name, not an address"
NO_NAME = "no name of a host"
SIGNS = "space, a backslash or a control"
PRIVATE = "name of a private network"
NO_URL = "no URL of a web service"
PORT = "port"
METADATA = "metadata service"
PLAIN = "must begin with https://"

TRICKY = {
    # Other schemes, and none.
    "": NO_URL,
    "https://": NO_URL,
    "https:///path": NO_URL,
    "https:example.com": NO_URL,
    "//example.com/": NO_URL,
    "example.com": NO_URL,
    "file:///etc/passwd": NO_URL,
    "file://localhost/etc/passwd": NO_URL,
    "ftp://example.com/": NO_URL,
    "gopher://example.com/_x": NO_URL,
    "dict://example.com:11211/stat": NO_URL,
    "unix://example.com/run/docker.sock": NO_URL,
    "http+unix://example.com/": NO_URL,
    "javascript://example.com/%0aalert(1)": NO_URL,
    "data://text/plain,hello": NO_URL,
    "http://example.com/": PLAIN,
    "ws://example.com/": PLAIN,
    # Loopback and private addresses, as usual.
    "https://127.0.0.1/": LITERAL,
    "https://127.0.0.1:8443/": LITERAL,
    "https://10.0.0.1/": LITERAL,
    "https://192.168.0.1/": LITERAL,
    "https://172.16.0.1/": LITERAL,
    "https://100.64.0.1/": LITERAL,
    "https://0.0.0.0/": LITERAL,
    "https://255.255.255.255/": LITERAL,
    "https://169.254.169.254/latest/meta-data/": LITERAL,
    "https://127.0.0.1./": LITERAL,
    "https://93.184.216.34/": LITERAL,
    "https://[::1]/": LITERAL,
    "https://[::]/": LITERAL,
    "https://[::ffff:127.0.0.1]/": LITERAL,
    "https://[::ffff:7f00:1]/": LITERAL,
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]/": LITERAL,
    "https://[fd00:ec2::254]/": LITERAL,
    "https://[64:ff9b::7f00:1]/": LITERAL,
    "https://[2002:7f00:1::]/": LITERAL,
    "https://[2001:0:7f00:1::]/": LITERAL,
    "https://[fe80::1]/": LITERAL,
    # The same in odd spellings.
    "https://2130706433/": NUMBER,
    "https://0x7f000001/": NUMBER,
    "https://0X7F000001/": NUMBER,
    "https://017700000001/": NUMBER,
    "https://127.1/": NUMBER,
    "https://127.0.1/": NUMBER,
    "https://0/": NUMBER,
    "https://0x/": NUMBER,
    "https://0177.0.0.1/": NUMBER,
    "https://0x7f.0.0.1/": NUMBER,
    "https://0x7f.0.0.0x1/": NUMBER,
    "https://127.0.0.01/": NUMBER,
    "https://127.000.000.001/": NUMBER,
    "https://2852039166/latest/": NUMBER,
    "https://0251.0376.0251.0376/": NUMBER,
    "https://1.1.1.1.1/": NUMBER,
    "https://example.com.1/": NUMBER,
    "https://256.0.0.1/": NUMBER,
    "https://127。0。0。1/": LITERAL,
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11/": NO_NAME,
    "https://①②⑦.⓪.⓪.①/": NO_NAME,
    "https://١٢٧.٠.٠.١/": NO_NAME,
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/": NO_NAME,
    "https://%31%32%37.0.0.1/": NO_HOST,
    "https://127.0.0.1%2f.example.com/": NO_HOST,
    "https://example%2ecom/": NO_HOST,
    "https://[fe80::1%25eth0]/": NO_HOST,
    "https://[::1%lo]/": NO_HOST,
    "https://[::1/": NO_HOST,
    "https://::1/": NO_HOST,
    "https://[v1.fe80::a]/": NO_HOST,
    "https://[127.0.0.1]/": "no IPv6",
    "https://[1:2]/": "no IPv6",
    "https://[::1].example.com/": NO_HOST,
    # Whose host is it?
    "https://example.com@127.0.0.1/": NO_HOST,
    "https://127.0.0.1@example.com/": NO_HOST,
    "https://user:password@example.com/": NO_HOST,
    "https://@example.com/": NO_HOST,
    "https://example.com:443@127.0.0.1/": NO_HOST,
    "https://example.com\\@127.0.0.1/": SIGNS,
    "https:\\\\127.0.0.1/": SIGNS,
    "https://example.com\\.127.0.0.1/": SIGNS,
    "https:/\\127.0.0.1/": SIGNS,
    "https://example.com:80:443/": NO_HOST,
    # Signs that some programs drop, and others do not.
    " https://example.com/": SIGNS,
    "https://example.com /": SIGNS,
    "https://exam\tple.com/": SIGNS,
    "https://example.com/\r\nHost: 127.0.0.1": SIGNS,
    "https://example.com/\n": SIGNS,
    "https://example.com\0.evil.example/": SIGNS,
    "https://example.com/\x7f": SIGNS,
    "https://local\u00adhost/": SIGNS,
    "https://local\u200bhost/": SIGNS,
    "https://\ufeffexample.com/": SIGNS,
    "https://example.com/\u2028": SIGNS,
    # Ports.
    "https://example.com:0/": PORT,
    "https://example.com:65536/": PORT,
    "https://example.com:99999/": PORT,
    "https://example.com:/": NO_HOST,
    "https://example.com:-1/": NO_HOST,
    "https://example.com:443x/": NO_HOST,
    "https://example.com:٤٤٣/": NO_HOST,
    "https://example.com:22/": PORT,
    "https://example.com:25/": PORT,
    "https://example.com:6379/": PORT,
    "https://example.com:5432/": PORT,
    "https://example.com:10250/": PORT,
    # Names of one's own network, and of the clouds.
    "https://localhost/": PRIVATE,
    "https://LOCALHOST/": PRIVATE,
    "https://localhost./": PRIVATE,
    "https://LocalHost:8443/": PRIVATE,
    "https://foo.localhost/": PRIVATE,
    "https://intranet/": PRIVATE,
    "https://printer.local/": PRIVATE,
    "https://router.lan/": PRIVATE,
    "https://nas.home.arpa/": PRIVATE,
    "https://db.default.svc.cluster.local/": PRIVATE,
    "https://vault.service.internal/": PRIVATE,
    "https://metadata.google.internal/computeMetadata/v1/": METADATA,
    "https://METADATA.google.internal./": METADATA,
    "https://metadata。google。internal/": METADATA,
    "https://metadata.goog/": METADATA,
    "https://metadata/": METADATA,
    "https://instance-data/latest/": METADATA,
    "https://metadata.tencentyun.com/": METADATA,
    # Names that are none.
    "https://./": NO_NAME,
    "https://example..com/": NO_NAME,
    "https://.example.com/": NO_NAME,
    "https://example.com../": NO_NAME,
    "https://-example.com/": NO_NAME,
    "https://*.example.com/": NO_NAME,
    "https://exa$mple.com/": NO_NAME,
    "https://a,b.example.com/": NO_NAME,
    "https://example.com;127.0.0.1/": NO_NAME,
    f"https://{'a' * 64}.example.com/": NO_NAME,
    f"https://{'a.' * 127}com/": NO_NAME,
    f"https://example.com/{'a' * MOST}": "longer than",
}

HONEST = {
    "https://example.com": "https://example.com/",
    "https://example.com/": "https://example.com/",
    "HTTPS://Example.COM/Path": "https://example.com/Path",
    "https://example.com./x": "https://example.com/x",
    "https://example.com:443/x": "https://example.com/x",
    "https://example.com:8443/hook": "https://example.com:8443/hook",
    "https://example.com:3000/hook": "https://example.com:3000/hook",
    "https://example.com:80/": "https://example.com:80/",
    "https://example.com?x=1": "https://example.com/?x=1",
    "https://example.com/a?b=c&d=%20e#f": "https://example.com/a?b=c&d=%20e",
    "https://example.com/?next=http://127.0.0.1/": "https://example.com/?next=http://127.0.0.1/",
    "https://example.com/user@host": "https://example.com/user@host",
    "https://example.com/..%2f": "https://example.com/..%2f",
    "wss://example.com/socket": "wss://example.com/socket",
    "wss://example.com:9443/": "wss://example.com:9443/",
    "https://hooks.slack.com/services/T0/B0/x": "https://hooks.slack.com/services/T0/B0/x",
    "https://api.eu-west-1.example.co.uk/": "https://api.eu-west-1.example.co.uk/",
    "https://my_service.example.com/": "https://my_service.example.com/",
    "https://1.example.com/": "https://1.example.com/",
    "https://127.0.0.1.example.com/": "https://127.0.0.1.example.com/",
    "https://3com.com/": "https://3com.com/",
    "https://0x7f.example.com/": "https://0x7f.example.com/",
    "https://localhost.example.com/": "https://localhost.example.com/",
    "https://internal.example.com/": "https://internal.example.com/",
    "https://bücher.example.com/": "https://xn--bcher-kva.example.com/",
    "https://BÜCHER.example.com/": "https://xn--bcher-kva.example.com/",
    "https://xn--bcher-kva.example.com/": "https://xn--bcher-kva.example.com/",
    "https://例え.example.com/": "https://xn--r8jz45g.example.com/",
    "https://münchen.example.com/straße": "https://xn--mnchen-3ya.example.com/straße",
    f"https://{'a' * 63}.example.com/": f"https://{'a' * 63}.example.com/",
}


@pytest.mark.parametrize(("url", "why"), TRICKY.items(), ids=map(ascii, TRICKY))
def test_a_tricky_url_is_refused(url: str, why: str) -> None:
    with pytest.raises(AddressRefused, match=why) as refused:
        Rules().check(url)
    assert refused.value.code == "address_refused"


@pytest.mark.parametrize(("url", "called"), HONEST.items(), ids=map(ascii, HONEST))
def test_an_honest_url_passes(url: str, called: str) -> None:
    assert Rules().check(url).url == called


def test_there_are_as_many_as_it_takes() -> None:
    assert len(TRICKY) >= 60
    assert len(HONEST) >= 20


@pytest.mark.parametrize("url", [*TRICKY, *HONEST], ids=ascii)
def test_lifting_what_can_be_lifted_lets_no_odd_spelling_through(url: str) -> None:
    """What still passes is spelled as it will be called, and the clouds stay out of reach."""
    rules = Rules(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")), deny_private=False)
    try:
        target = rules.check(url)
    except AddressRefused:
        return
    assert target.url == rules.check(target.url).url
    assert "metadata" not in target.host
    assert "169.254.169.254" not in str(target.address)


# Names and networks of one's own.

OWN = Rules(
    hosts=frozenset({"hooks.corp", "*.dev.example.com", "localhost"}),
    networks=(ip_network("10.1.0.0/16"), ip_network("fd12::/16"), ip_network("169.254.0.0/16")),
)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.corp:6379/",
        "https://a.dev.example.com:22/",
        "ws://a.b.dev.example.com/",
        "http://localhost:1/",
        "http://10.1.2.3:8080/",
        "https://[fd12::1]/",
        "https://[::ffff:10.1.2.3]/",
    ],
)
def test_what_is_listed_may_be_plain_private_and_anywhere(url: str) -> None:
    target = OWN.check(url)
    OWN.judge(target.host, [target.address or IPv4Address("192.168.0.1")])


@pytest.mark.parametrize(
    "url",
    [
        "https://corp/",
        "https://a.hooks.corp/",
        "http://dev.example.com/",
        "http://adev.example.com/",
        "https://10.2.0.1/",
        "https://169.254.169.254/",
        "https://metadata.google.internal/",
        "https://10.1.515/",
    ],
)
def test_what_is_not_listed_stays_out(url: str) -> None:
    with pytest.raises(AddressRefused):
        OWN.check(url)


def test_a_name_that_leads_into_a_listed_network_is_fit() -> None:
    OWN.judge("elsewhere.example.com", [IPv4Address("10.1.9.9")])


def test_one_bad_address_among_good_ones_spoils_all() -> None:
    addresses = [IPv4Address("8.8.8.8"), IPv6Address("2606:4700::1"), IPv4Address("10.2.0.1")]
    with pytest.raises(AddressRefused, match="leads into a private network") as refused:
        OWN.judge("elsewhere.example.com", addresses)
    assert "10.2" not in str(refused.value)


@pytest.mark.parametrize("host", ["hooks.corp", "elsewhere.example.com"])
def test_metadata_is_never_lifted(host: str) -> None:
    rules = attrs.evolve(OWN, deny_private=False)
    for text in ("169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"):
        with pytest.raises(AddressRefused, match=METADATA):
            rules.judge(host, [ip_address(text)])


def test_private_addresses_can_be_allowed_as_a_whole_but_not_the_odd_ones() -> None:
    rules = Rules(deny_private=False)
    rules.judge("a.example.com", [IPv4Address("10.0.0.1"), IPv6Address("::1")])
    assert rules.check("https://intranet/").host == "intranet"
    for text in ("169.254.1.1", "fe80::1", "224.0.0.1", "192.0.2.1", "240.0.0.1"):
        with pytest.raises(AddressRefused):
            rules.judge("a.example.com", [ip_address(text)])


def test_a_caller_may_allow_connections_without_tls() -> None:
    assert Rules(insecure=True).check("http://example.com/").port == 80


def test_rules_are_read_from_the_configuration() -> None:
    entries = ("Hooks.Corp.", " *.dev.example.com", "10.1.0.0/16", "127.0.0.1", "fd12::/16")
    rules = Rules.of(Config(outbound=Outbound(allow_hosts=entries, deny_private=False)))
    assert rules.hosts == {"hooks.corp", "*.dev.example.com"}
    assert rules.networks == tuple(map(ip_network, ("10.1.0.0/16", "127.0.0.1/32", "fd12::/16")))
    assert not rules.deny_private


# Wild input.


def _forms(part: int) -> st.SearchStrategy[str]:
    zeros = st.sampled_from(["", "0", "000"])
    return st.builds(
        lambda form, lead: form.format(lead, part),
        st.sampled_from(["{1:d}", "0{0}{1:o}", "0x{0}{1:x}", "0X{0}{1:X}"]),
        zeros,
    )


def _digits(text: str) -> Iterator[str]:
    yield text
    yield text.translate({ord("0") + n: 0xFF10 + n for n in range(10)})  # full-width
    yield text.translate({ord("0") + n: 0x0660 + n for n in range(10)})  # Arabic
    yield text.replace(".", "。")
    yield text.replace(".", "%2e")
    yield text + "."


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, IPv4Address]:
    """An IPv4 address as inet_aton reads it: one to four numbers, each in any base."""
    address = draw(st.ip_addresses(v=4))
    left = list(address.packed)
    count = draw(st.integers(1, 4))
    parts = [*left[: count - 1], int.from_bytes(left[count - 1 :], "big")]
    return ".".join(draw(_forms(part)) for part in parts), address


@given(spelled(), st.data())
def test_however_an_ipv4_address_is_spelled_it_is_refused(
    case: tuple[str, IPv4Address], data: st.DataObject
) -> None:
    text, address = case
    assert socket.inet_aton(text) == address.packed, "the operating system reads it"
    for host in _digits(text):
        with pytest.raises(AddressRefused):
            Rules(insecure=True).check(f"http://{host}/")


@given(st.ip_addresses(v=6), st.sampled_from(["", "%eth0", "%25lo"]))
def test_however_an_ipv6_address_is_spelled_it_is_refused(address: IPv6Address, zone: str) -> None:
    for text in (address.exploded + zone, address.compressed + zone):
        host = f"[{text}]"
        with pytest.raises(AddressRefused):
            Rules(deny_private=False).check(f"https://{host}/")


@given(st.text("0123456789abcdefxX.:[]%@-o。ⅰl", max_size=20))
def test_what_passes_is_no_address_to_the_operating_system(host: str) -> None:
    """The oracle is getaddrinfo itself, which must not need a name server to answer."""
    try:
        target = Rules(deny_private=False).check(f"https://{host}/")
    except AddressRefused:
        return
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(target.host, None, flags=socket.AI_NUMERICHOST)


WILD = st.text("htps:/\\@#?[]%.;-_ \t\n0x17aA。ﬀ例ß\u00ad", max_size=30)


@given(
    st.sampled_from(["https://", "http://", "HTTPS:", "https:/", ""]),
    st.sampled_from(["", "example.com", "127.0.0.1", "[::1]", "a.b"]),
    WILD,
)
def test_what_passes_is_read_alike_by_all(scheme: str, host: str, rest: str) -> None:
    """A URL that the check and the HTTP library read in two ways is the hole itself."""
    url = f"{scheme}{host}{rest}"
    try:
        target = Rules(insecure=True, deny_private=False).check(url)
    except AddressRefused:
        return
    split, library = urlsplit(target.url), httpx.URL(url)
    assert split.hostname == target.host
    assert (split.port or PORTS[target.scheme]) == target.port
    assert library.raw_host.decode().removesuffix(".") == target.host
    assert (library.port or PORTS[target.scheme]) == target.port
    assert target.url == Rules(insecure=True, deny_private=False).check(target.url).url
