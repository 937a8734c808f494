"""HTTP past the guard, on real sockets: the host stays, the address is pinned, hops are judged."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio
from support.names import Names
from support.servers.certificates import Authority
from support.servers.http import Answer, Cut, HTTPServer, Reply, Stall, open_http_server
from support.servers.loopback import closed_port

from waav.errors import AddressRefused
from waav.security.ssrf import Guard
from waav.security.ssrf_http import MOST_HOPS, follow, open_client
from waav.security.ssrf_rules import Rules

HOST, OTHER = "hooks.example.com", "other.example.com"
HERE = ("127.0.0.1",)
LISTED = Rules(hosts=frozenset({HOST, OTHER}))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority.pem")


@asynccontextmanager
async def open_hook(
    authority: Authority,
    *replies: Reply,
    secure: bool = True,
    rules: Rules = LISTED,
    names: Names | None = None,
) -> AsyncIterator[tuple[HTTPServer, str, httpx.AsyncClient]]:
    """A server on this machine, what its URLs begin with, and a client past the guard."""
    names = names or Names({HOST: [HERE], OTHER: [HERE]})
    tls = authority.server(HOST, OTHER) if secure else None
    guard = Guard(rules, ssl.create_default_context(cafile=authority.file), names)
    async with open_http_server(*replies, tls=tls) as server, open_client(guard) as client:
        with trio.fail_after(20):
            yield server, f"{'https' if secure else 'http'}://{HOST}:{server.port}", client


def sent_on(to: str, status: int = 302) -> Answer:
    return Answer(status, b"", {"Location": to})


async def test_the_host_is_named_and_the_path_kept(authority: Authority) -> None:
    async with open_hook(authority, Answer(200, b"good")) as (server, url, client):
        odd = url.replace(HOST, f"{HOST.upper()}.")
        answer = await client.post(f"{odd}/a%2Fb?c=%20d#e", content=b"body")
        assert (answer.status_code, answer.content) == (200, b"good")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/a%2Fb?c=%20d", b"body")
    assert request.headers["host"] == f"{HOST}:{server.port}"


async def test_a_caller_cannot_name_another_host(authority: Authority) -> None:
    """Neither for HTTP nor for TLS."""
    async with open_hook(authority, Answer()) as (server, url, client):
        extensions = {"sni_hostname": "evil.example"}
        await client.get(url, headers={"Host": "admin.internal"}, extensions=extensions)
    assert server.requests[0].headers["host"] == f"{HOST}:{server.port}"


async def test_a_connection_is_used_again_without_another_question(authority: Authority) -> None:
    names = Names.of(HERE)
    async with open_hook(authority, Answer(), names=names) as (server, url, client):
        for _ in range(3):
            await client.get(url)
    assert [each.connection for each in server.requests] == [0, 0, 0]
    assert names.asked == [HOST]


async def test_two_hosts_at_one_address_share_no_connection(authority: Authority) -> None:
    """TLS has vouched for one of them only."""
    async with open_hook(authority, Answer()) as (server, url, client):
        await client.get(url)
        await client.get(url.replace(HOST, OTHER))
    assert [each.connection for each in server.requests] == [0, 1]


@pytest.mark.pins("D242")
async def test_a_name_that_is_public_first_and_this_machine_later(authority: Authority) -> None:
    names = Names.of(("93.184.216.34",), HERE)
    rules = Rules(insecure=True)
    async with open_hook(authority, Answer(), secure=False, rules=rules, names=names) as (
        server,
        url,
        client,
    ):
        rules.judge(HOST, await names(HOST))
        with pytest.raises(AddressRefused, match="leads to this machine"):
            await client.get(url)
    assert server.connections == 0


async def test_every_url_is_checked_wherever_it_comes_from(authority: Authority) -> None:
    async with open_hook(authority, Answer()) as (server, _, client):
        for url in (
            f"https://127.0.0.1:{server.port}/",
            f"https://localhost:{server.port}/",
            f"https://x:y@{HOST}:{server.port}/",
            "http://stranger.example.com/",
        ):
            with pytest.raises(AddressRefused):
                await client.get(url)
    assert server.connections == 0


async def test_a_proxy_of_the_environment_is_not_used(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look the name up itself."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    async with open_hook(authority, Answer()) as (_, url, client):
        assert (await client.get(url)).status_code == 200


async def test_no_cookie_is_kept(authority: Authority) -> None:
    async with open_hook(authority, Answer(headers={"Set-Cookie": "a=b"})) as (server, url, client):
        await client.get(url)
        await client.get(url)
    assert all("cookie" not in each.headers for each in server.requests)


# Redirects.


async def test_a_redirect_is_not_followed_by_itself(authority: Authority) -> None:
    async with open_hook(authority, sent_on("/b")) as (server, url, client):
        assert (await client.get(f"{url}/a")).status_code == 302
    assert len(server.requests) == 1


async def test_a_redirect_is_followed_when_asked_for(authority: Authority) -> None:
    replies = (sent_on("/b", 307), Answer(200, b"good"))
    async with open_hook(authority, *replies) as (server, url, client):
        request = client.build_request("POST", f"{url}/a", content=b"x", headers={"X-Key": "k"})
        async with follow(client, request) as answer:
            assert await answer.aread() == b"good"
    assert [(each.method, each.target, each.body) for each in server.requests] == [
        ("POST", "/a", b"x"),
        ("POST", "/b", b"x"),
    ]
    assert server.requests[1].headers["x-key"] == "k"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("https://127.0.0.1/", "must be a name"),
        ("https://[::ffff:127.0.0.1]/", "must be a name"),
        ("https://2130706433/", "oddly written"),
        ("//localhost/", "private network"),
        ("https://metadata.google.internal/", "metadata"),
        ("https://private.example.com/", "private network"),
        (f"https://user@{HOST}/", "must be a host"),
        (f"http://{HOST}/", "from https:// to less"),
        ("file:///etc/passwd", "from https:// to less"),
    ],
)
async def test_a_redirect_to_where_we_must_not_go(authority: Authority, to: str, why: str) -> None:
    names = Names({HOST: [HERE], "private.example.com": [("10.0.0.1",)]})
    async with open_hook(authority, sent_on(to), names=names) as (server, url, client):
        with pytest.raises(AddressRefused, match=why):
            async with follow(client, client.build_request("GET", url)):
                pass
        assert len(server.requests) == 1
        answer = await client.get(url)  # the one that was refused is no longer under way
        assert answer.status_code == 302


async def test_a_name_that_changes_between_two_hops(authority: Authority) -> None:
    names = Names({HOST: [HERE], "b.example.com": [("8.8.8.8",), ("10.0.0.1",)]})
    await names("b.example.com")
    async with open_hook(authority, sent_on("https://b.example.com/"), names=names) as (
        _,
        url,
        client,
    ):
        with pytest.raises(AddressRefused, match="private network"):
            async with follow(client, client.build_request("GET", url)):
                pass


async def test_redirects_without_an_end(authority: Authority) -> None:
    async with open_hook(authority, sent_on("/")) as (server, url, client):
        with pytest.raises(AddressRefused, match="too often"):
            async with follow(client, client.build_request("GET", url)):
                pass
    assert len(server.requests) == MOST_HOPS + 1


async def test_another_server_gets_no_secrets(authority: Authority) -> None:
    async with open_http_server(Answer(), tls=authority.server(OTHER)) as second:
        onward = sent_on(f"https://{OTHER}:{second.port}/", 307)
        async with open_hook(authority, onward) as (first, url, client):
            secret = {"Authorization": "Bearer t", "X-Api-Key": "k", "Cookie": "c=d"}
            request = client.build_request("POST", url, json={}, headers=secret)
            async with follow(client, request) as answer:
                assert answer.status_code == 200
    assert {"authorization", "x-api-key"} <= set(first.requests[0].headers)
    (received,) = second.requests
    assert received.body == b"{}"
    assert set(received.headers) <= {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "user-agent",
    }


# What fails, fails as it does with httpx.


async def test_nobody_listens(authority: Authority) -> None:
    async with open_hook(authority, Answer()) as (_, _, client):
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(f"https://{HOST}:{closed_port()}/")
    assert "127.0.0.1" not in str(caught.value)


async def test_a_host_that_does_not_exist(authority: Authority) -> None:
    async with open_hook(authority, Answer()) as (_, _, client):
        with pytest.raises(httpx.ConnectError):
            await client.get("https://none.example.com/")


async def test_a_certificate_of_somebody_else(authority: Authority) -> None:
    rules = Rules(hosts=frozenset({"third.example.com"}))
    names = Names({"third.example.com": [HERE]})
    async with open_hook(authority, Answer(), rules=rules, names=names) as (server, url, client):
        with pytest.raises(httpx.ConnectError):
            await client.get(url.replace(HOST, "third.example.com"))
    assert server.requests == []


async def test_a_server_that_says_nothing(authority: Authority) -> None:
    async with open_hook(authority, Stall()) as (_, url, client):
        with pytest.raises(httpx.ReadTimeout):
            await client.get(url, timeout=0.05)


async def test_a_server_that_hangs_up_in_its_answer(authority: Authority) -> None:
    async with open_hook(authority, Cut(b"half")) as (_, url, client):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)


async def test_a_name_server_that_never_answers(authority: Authority) -> None:
    async def never(_: str) -> tuple[()]:
        await trio.sleep_forever()
        return ()

    rules = Rules(hosts=frozenset({HOST}))
    guard = Guard(rules, ssl.create_default_context(cafile=authority.file), never)
    async with open_client(guard) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(f"https://{HOST}/", timeout=0.05)
