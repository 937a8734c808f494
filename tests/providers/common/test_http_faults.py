"""HTTP to vendors who do everything wrong that can be done wrong."""

import gzip

import pytest
import trio
from support.servers.http import (
    Answer,
    Cut,
    Dribbled,
    Exchange,
    Garbage,
    Reply,
    Stall,
    answer_json,
)
from support.servers.loopback import closed_port, listen, reset
from support.servers.reach import open_vendor, reach
from trio.testing import MockClock

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.http import open_http

# What a vendor may do wrong.


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (204, {}, None),
        (302, {"Location": "https://elsewhere.example/"}, ProviderRefused),
        (400, {}, ProviderRefused),
        (401, {}, ProviderRefused),
        (402, {}, ProviderRefused),
        (403, {}, ProviderRefused),
        (404, {}, ProviderRefused),
        (408, {}, ProviderUnavailable),
        (422, {}, ProviderRefused),
        (429, {"Retry-After": "7"}, ProviderBusy),
        (500, {}, ProviderUnavailable),
        (503, {}, ProviderUnavailable),
    ],
)
async def test_a_status_is_looked_at_before_the_body(
    status: int, headers: dict[str, str], kind: type[ProviderError] | None
) -> None:
    reply = answer_json({"error": {"message": "not today"}}, status, **headers)
    async with open_vendor(Answer(204) if kind is None else reply) as (_, http):
        if kind is None:
            assert await http.fetch("GET", "/") == b""
            return
        with pytest.raises(ProviderError, match=f"HTTP {status} .*: not today") as refused:
            async with http.stream("GET", "/"):
                raise AssertionError("the block is not entered")
    assert type(refused.value) is kind
    if isinstance(refused.value, ProviderBusy):
        assert refused.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Cut(), ProviderUnavailable),
        (Cut(hard=True), ProviderUnavailable),
        (Cut(b"half"), ProviderClosed),
        (Cut(b"half", hard=True), ProviderClosed),
        (Garbage(), ProviderProtocolError),
        (Garbage(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), ProviderProtocolError),
        (
            Garbage(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            ProviderProtocolError,
        ),
        (Garbage(b"HTTP/1.1 2"), ProviderUnavailable),
    ],
    ids=[
        "gone",
        "reset",
        "gone-in-the-body",
        "reset-in-the-body",
        "not-http",
        "endless-head",
        "bad-chunk",
        "half-a-head",
    ],
)
async def test_an_answer_that_is_none(reply: Reply, kind: type[ProviderError]) -> None:
    async with open_vendor(reply, read_timeout=0.2) as (_, http):
        with pytest.raises(ProviderError) as failed:
            await http.fetch("POST", "/", json={})
    assert type(failed.value) is kind


async def test_an_answer_that_ends_within_its_framing_was_cut_off() -> None:
    """The last chunk says that all was sent; a part of it says nothing."""

    async def cut(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(b"sound")
        await exchange.stream.send_all(b"0\r")
        await exchange.stream.aclose()

    async with open_vendor(cut) as (_, http):
        with pytest.raises(ProviderClosed, match="in the middle of its answer"):
            await http.fetch("GET", "/")


async def test_nobody_listens() -> None:
    async with open_http(await reach(f"http://127.0.0.1:{closed_port()}")) as http:
        with pytest.raises(ProviderUnavailable, match="cannot be reached: Connection refused"):
            await http.fetch("GET", "/")


async def test_a_vendor_that_hangs_up_while_it_is_being_sent_something() -> None:
    async def hasty(stream: trio.abc.Stream) -> None:
        await stream.receive_some(10)
        await reset(stream)

    async with listen(hasty) as port, open_http(await reach(f"http://127.0.0.1:{port}")) as http:
        with pytest.raises(ProviderUnavailable):
            await http.fetch("POST", "/", content=bytes(5_000_000))


async def test_one_byte_at_a_time() -> None:
    async with open_vendor(Dribbled(answer_json({"a": 1}))) as (_, http):
        assert await http.fetch_json("GET", "/") == {"a": 1}


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 100_000], ids=["page", "none", "deep"])
async def test_an_answer_that_is_no_json(body: bytes) -> None:
    async with open_vendor(Answer(200, body)) as (_, http):
        with pytest.raises(ProviderProtocolError, match="not JSON"):
            await http.fetch_json("GET", "/")


async def test_a_body_is_no_longer_than_agreed() -> None:
    async with open_vendor(Answer(200, (bytes(10), bytes(10)))) as (_, http):
        assert await http.fetch("GET", "/", max_body=20) == bytes(20)
        with pytest.raises(ProviderProtocolError, match="more than 19 bytes"):
            await http.fetch("GET", "/", max_body=19)


async def test_a_compressed_body_is_refused() -> None:
    """Some kilobytes could become gigabytes, and nobody asked for them."""
    bomb = gzip.compress(bytes(1_000_000))
    async with open_vendor(Answer(200, bomb, {"Content-Encoding": "gzip"})) as (_, http):
        with pytest.raises(ProviderProtocolError, match="gzip"):
            await http.fetch("GET", "/")


async def test_a_refusal_that_stalls_is_named_without_its_body(autojump_clock: MockClock) -> None:
    async with open_vendor(Stall(b"because", 402)) as (_, http):
        with pytest.raises(ProviderRefused, match="HTTP 402"):
            await http.fetch("GET", "/")
    assert autojump_clock.current_time() == 2


async def test_a_vendor_that_never_answers(autojump_clock: MockClock) -> None:
    async with open_vendor(Stall()) as (_, http):
        with pytest.raises(ProviderUnavailable, match="nothing moved for 30 s"):
            await http.fetch("GET", "/")
    assert autojump_clock.current_time() == 30


async def test_a_sound_that_stops_coming(autojump_clock: MockClock) -> None:
    async with (
        open_vendor(Stall(b"half a word")) as (_, http),
        http.stream("GET", "/") as answer,
    ):
        assert await anext(answer) == b"half a word"
        with pytest.raises(ProviderUnavailable, match="nothing moved for 30 s"):
            await anext(answer)
    assert autojump_clock.current_time() == 30


async def test_tls_that_never_begins(autojump_clock: MockClock) -> None:
    async def wait(_: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    async with listen(wait) as port, open_http(await reach(f"https://127.0.0.1:{port}")) as http:
        with pytest.raises(ProviderUnavailable, match="no connection within 10 s"):
            await http.fetch("GET", "/")


async def test_more_requests_than_allowed_wait_for_their_turn(autojump_clock: MockClock) -> None:
    async with open_vendor(Stall(b"x"), connections=1) as (_, http), http.stream("GET", "/"):
        with pytest.raises(ProviderBusy, match="1 requests"):
            await http.fetch("GET", "/")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://127.0.0.1:x/", "/\0"])
async def test_an_address_that_is_none(url: str) -> None:
    async with open_http(await reach()) as http:
        with pytest.raises(ProviderRefused):
            await http.fetch("GET", url)


# Trying again.


@pytest.mark.parametrize(
    "fault",
    [Cut(), Cut(b"half"), Answer(500), Answer(503), Answer(429, b"", {"Retry-After": "0.01"})],
    ids=["gone", "cut", "500", "503", "429"],
)
async def test_what_may_pass_is_tried_again_if_the_caller_allows(
    fault: Reply, autojump_clock: MockClock
) -> None:
    async with open_vendor(fault, fault, Answer(200, b"x")) as (server, http):
        assert await http.fetch("GET", "/", idempotent=True) == b"x"
    assert len(server.requests) == 3


async def test_nothing_is_tried_a_fourth_time(autojump_clock: MockClock) -> None:
    """The pauses are of a tenth and half of a second, give or take a quarter."""
    async with open_vendor(Answer(500)) as (server, http):
        with pytest.raises(ProviderUnavailable):
            await http.fetch("GET", "/", idempotent=True)
    assert len(server.requests) == 3
    assert 0.45 <= autojump_clock.current_time() <= 0.75


@pytest.mark.parametrize(
    "fault",
    [Answer(401), Garbage(), Answer(429, b"", {"Retry-After": "6"})],
    ids=["401", "garbage", "wait-long"],
)
async def test_what_will_not_pass_is_not_tried_again(fault: Reply) -> None:
    async with open_vendor(fault) as (server, http):
        with pytest.raises(ProviderError):
            await http.fetch("GET", "/", idempotent=True)
    assert len(server.requests) == 1


async def test_without_leave_nothing_is_tried_again() -> None:
    """A second request may mean a second bill."""
    async with open_vendor(Answer(500)) as (server, http):
        with pytest.raises(ProviderUnavailable):
            await http.fetch("POST", "/", json={})
    assert len(server.requests) == 1
