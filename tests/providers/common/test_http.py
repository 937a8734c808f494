"""HTTP to scripted vendors, on real ports."""

import logging

import pytest
import trio
from support.servers.certificates import Authority
from support.servers.http import (
    Answer,
    Cut,
    Exchange,
    Garbage,
    Stall,
    answer_json,
    open_http_server,
)
from support.servers.loopback import closed_port
from support.servers.proxy import open_proxy
from support.servers.reach import open_vendor, reach

from capabilities import (
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.http import open_http

# Whole answers.


async def test_a_request_and_its_answer(key: Secret) -> None:
    async with open_vendor(
        answer_json({"voices": ["a"]}), headers={"X-Relay": Secret("made-up-relay")}
    ) as (server, http):
        url = f"{server.url}/v1/voices?page=1"
        assert await http.fetch_json("GET", url, headers={"Key": key}) == {"voices": ["a"]}
    [request] = server.requests
    assert (request.method, request.target) == ("GET", "/v1/voices?page=1")
    assert request.headers["key"] == "made-up-key"
    assert request.headers["x-relay"] == "made-up-relay"
    assert request.headers["user-agent"] == "waav"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_path_alone_is_below_the_base_address() -> None:
    async with (
        open_http_server(Answer(200, b"x")) as server,
        open_http(await reach(server.url + "/v1")) as http,
    ):
        assert await http.fetch("GET", "voices") == b"x"
    assert server.requests[0].target == "/v1/voices"


async def test_what_a_request_may_carry() -> None:
    async with open_vendor(Answer()) as (server, http):
        await http.fetch("POST", "/", json={"text": "grüß"})
        await http.fetch("POST", "/", content=b"\0\xff", headers={"Content-Type": "audio/x"})
        await http.fetch(
            "POST",
            "/",
            data={"model": "whisper-1", "include[]": ["a", "b"]},
            files=[("file", ("audio.wav", b"RIFF\0", "audio/wav"))],
        )
    as_json, as_bytes, as_form = server.requests
    assert as_json.json == {"text": "grüß"}
    assert as_json.headers["content-type"] == "application/json"
    assert (as_bytes.body, as_bytes.headers["content-type"]) == (b"\0\xff", "audio/x")
    assert as_form.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="file"; filename="audio.wav"\r\nContent-Type: audio/wav' in as_form.body
    assert b"RIFF\0" in as_form.body
    assert as_form.body.count(b'name="include[]"') == 2


async def test_an_upload_lets_others_work_meanwhile() -> None:
    """Sixty megabytes in one piece would hold the loop for a tenth of a second and more."""
    sound, turns = bytes(60_000_000), 0

    async def work() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with open_vendor(Answer()) as (server, http), trio.open_nursery() as nursery:
        nursery.start_soon(work)
        files = [("files", ("a.wav", sound, "audio/wav"))]
        await http.fetch("POST", "/", data={"name": "Ann"}, files=files)
        nursery.cancel_scope.cancel()
    assert turns > len(sound) // 65536
    (request,) = server.requests
    assert int(request.headers["content-length"]) == len(request.body) > len(sound)


async def test_connections_are_used_again() -> None:
    async with open_vendor(Answer(200, b"x")) as (server, http):
        for _ in range(3):
            await http.fetch("GET", "/")
    assert [request.connection for request in server.requests] == [0, 0, 0]


async def test_a_vendor_that_closed_an_idle_connection_costs_nothing() -> None:
    closed = trio.Event()

    async def once(exchange: Exchange) -> None:
        await Answer(200, b"x")(exchange)
        await exchange.stream.aclose()
        closed.set()

    async with open_vendor(once) as (server, http):
        assert await http.fetch("GET", "/") == b"x"
        await closed.wait()
        assert await http.fetch("POST", "/", json={}) == b"x"
    assert server.connections == 2


async def test_one_customer_s_cookie_is_not_shown_for_another_one() -> None:
    async with open_vendor(Answer(200, b"x", {"Set-Cookie": "who=first; Path=/"})) as (
        server,
        http,
    ):
        await http.fetch("GET", "/")
        await http.fetch("GET", "/")
    assert "cookie" not in server.requests[1].headers


async def test_with_tls(authority: Authority) -> None:
    async with open_vendor(Answer(200, b"x"), tls=authority.server(), ca_file=authority.file) as (
        server,
        http,
    ):
        assert await http.fetch("GET", "/") == b"x"
        async with open_http(await reach(server.url)) as suspicious:
            with pytest.raises(ProviderUnavailable, match="certificate is not trusted"):
                await suspicious.fetch("GET", "/")


# Streams.


async def test_chunks_are_there_before_the_last_byte_is_sent() -> None:
    heard = trio.Event()

    async def slowly(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked"), ("Content-Type", "audio/x")])
        await exchange.body(b"first")
        await heard.wait()
        await exchange.body(b"second")
        await exchange.end()

    async with (
        open_vendor(slowly) as (_, http),
        http.stream("POST", "/", json={"text": "hello"}) as answer,
    ):
        assert (answer.status, answer.headers["content-type"]) == (200, "audio/x")
        assert await anext(answer) == b"first"
        heard.set()
        assert [chunk async for chunk in answer] == [b"second"]


async def test_leaving_early_drops_the_connection_so_that_the_vendor_stops() -> None:
    """In the middle of a chunk, by an error or by cancelling: no task, no generator is left."""
    left = trio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        try:
            while True:
                await exchange.body(bytes(10_000))
        except trio.BrokenResourceError:
            left.set()
            raise

    async with open_vendor(endless, Answer(200, b"next")) as (server, http):
        async with http.stream("GET", "/") as answer:
            await anext(answer)
        with trio.fail_after(10):
            await left.wait()
        assert await http.fetch("GET", "/") == b"next"
    assert server.connections == 2


async def test_cancelling_a_stream_drops_the_connection() -> None:
    async with open_vendor(Stall(b"half"), Answer(200, b"next")) as (_, http):
        with trio.CancelScope() as scope:
            async with http.stream("GET", "/") as answer:
                async for _ in answer:
                    scope.cancel()
        assert scope.cancelled_caught
        assert await http.fetch("GET", "/") == b"next"


async def test_leaving_before_the_first_chunk() -> None:
    async with open_vendor(Stall(b"half"), Answer(200, b"next")) as (_, http):
        async with http.stream("GET", "/"):
            pass
        assert await http.fetch("GET", "/") == b"next"


# Proxies and keys.


@pytest.mark.parametrize("how", ["setting", "variable"])
async def test_through_a_proxy(
    authority: Authority, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_http_server(Answer(200, b"x"), tls=authority.server("vendor.example")) as server,
        open_proxy() as proxy,
    ):
        address = f"http://user:word@127.0.0.1:{proxy.port}"
        settings = {"proxy": Secret(address)} if how == "setting" else {}
        if how == "variable":
            monkeypatch.setenv("HTTPS_PROXY", address)
        url = f"https://vendor.example:{server.port}"
        async with open_http(await reach(url, ca_file=authority.file, **settings)) as http:
            assert await http.fetch("GET", "/") == b"x"
    assert proxy.targets == [f"vendor.example:{server.port}"]
    assert proxy.authorizations == ["Basic dXNlcjp3b3Jk"]


async def test_a_proxy_that_speaks_tls_itself(authority: Authority) -> None:
    async with (
        open_http_server(Answer(200, b"x"), tls=authority.server("vendor.example")) as server,
        open_proxy(tls=authority.server()) as proxy,
    ):
        network = await reach(
            f"https://vendor.example:{server.port}",
            ca_file=authority.file,
            proxy=Secret(f"https://127.0.0.1:{proxy.port}"),
        )
        async with open_http(network) as http:
            assert await http.fetch("GET", "/") == b"x"


@pytest.mark.parametrize(
    ("variables", "settings"),
    [({"NO_PROXY": "127.0.0.1"}, {}), ({}, {"proxy": Secret("")})],
    ids=["variable", "setting"],
)
async def test_past_the_proxy(
    variables: dict[str, str], settings: dict[str, Secret], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with open_vendor(Answer(200, b"x"), **settings) as (_, http):
        assert await http.fetch("GET", "/") == b"x"


@pytest.mark.parametrize(("status", "kind"), [(407, ProviderRefused), (502, ProviderUnavailable)])
async def test_a_proxy_that_lets_nobody_through(status: int, kind: type[ProviderError]) -> None:
    async with open_proxy(status=status) as proxy:
        network = await reach(
            "https://vendor.example", proxy=Secret(f"http://user:word@127.0.0.1:{proxy.port}")
        )
        async with open_http(network) as http:
            with pytest.raises(kind, match=f"its proxy answered HTTP {status}") as failed:
                await http.fetch("GET", "/")
    assert "word" not in str(failed.value)


async def test_no_key_is_in_an_error_or_a_log(
    key: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    """The vendor quotes the key, it stands in the address too, and everything is logged."""
    caplog.set_level(logging.DEBUG)
    quoting = answer_json({"message": "the key made-up-key in Token made-up-key is wrong"}, 401)
    errors = []
    async with open_vendor(quoting, Cut(), Garbage(b"made-up-key\r\n\r\n")) as (_, http):
        for _ in range(3):
            with pytest.raises(ProviderError) as failed:
                await http.fetch(
                    "GET",
                    "/?api_key=made-up-key",
                    headers={"Authorization": Secret(f"Token {key.reveal()}")},
                )
            errors.append(f"{failed.value} {failed.value!r}")
    assert "***" in errors[0]
    assert "made-up" not in f"{errors} {[record.getMessage() for record in caplog.records]}"


async def test_a_key_with_a_line_break_is_refused_without_being_shown() -> None:
    async with open_http(await reach()) as http:
        with pytest.raises(ProviderRefused) as refused:
            await http.fetch("GET", "/", headers={"Authorization": Secret("made\r\nup: 1")})
    assert "made" not in str(refused.value)
