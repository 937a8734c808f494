"""A WebSocket to vendors who do everything wrong that can be done wrong, on real ports."""

import logging

import pytest
import trio
from support.servers.loopback import closed_port
from support.servers.reach import reach
from support.servers.websocket import (
    Close,
    Hear,
    Peer,
    Raw,
    RawFrame,
    Refuse,
    Say,
    Step,
    accept,
    drop,
    drop_in_mid_frame,
    fall_silent,
    hang_up,
    open_websocket_server,
)
from trio.testing import MockClock
from websockets.frames import Opcode

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.websocket import connect


async def talk(*script: Step, say: tuple[str | bytes, ...] = ()) -> list[str | bytes]:
    """Connect, say something, and listen until the vendor ends it with an error."""
    heard: list[str | bytes] = []
    async with open_websocket_server(script) as server:
        with trio.fail_after(20):
            async with connect(await reach(), server.url) as socket:
                for message in say:
                    await socket.send(message)
                heard += [message async for message in socket]
    return heard


# The ends.


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (None, ProviderClosed),
        (1001, ProviderClosed),
        (1008, ProviderRefused),
        (1009, ProviderProtocolError),
        (1011, ProviderClosed),
        (1012, ProviderClosed),
        (1013, ProviderBusy),
        (4001, ProviderRefused),
        (4429, ProviderBusy),
    ],
)
async def test_a_goodbye_says_what_to_do_next(code: int | None, kind: type[ProviderError]) -> None:
    """The messages before it are still delivered, and our side answers it."""
    heard = []
    async with open_websocket_server((accept, Say("last words"), Close(code))) as server:
        async with connect(await reach(), server.url) as socket:
            with pytest.raises(ProviderError) as ended:
                async for message in socket:
                    heard.append(message)  # noqa: PERF401  # it ends with an error
            assert socket.close_code == (code or 1005)
        peer = await server.peer()
        await peer.gone.wait()
    assert type(ended.value) is kind
    assert heard == ["last words"]
    assert peer.close_code == (code or 1005)


@pytest.mark.parametrize(
    ("end", "normal"),
    [
        (Close(1000), {1000}),
        (Close(None), {1000, 1005}),
        (hang_up, {1006}),
    ],
    ids=["1000", "no-code", "no-goodbye"],
)
async def test_a_normal_goodbye_just_ends_the_iteration(end: Step, normal: set[int]) -> None:
    """Again and again, and who sends is told all the same."""
    async with (
        open_websocket_server((accept, Say("last words"), end)) as server,
        connect(await reach(), server.url, normal=frozenset(normal)) as socket,
    ):
        assert [message async for message in socket] == ["last words"]
        assert [message async for message in socket] == []
        with pytest.raises(ProviderError):
            await socket.send("too late")


async def test_broken_rules_are_no_normal_end() -> None:
    """The close code is ours then, and whatever it is, words may be missing."""
    script = (accept, Hear(), RawFrame(Opcode.TEXT, b"\xff"))
    async with (
        open_websocket_server(script) as server,
        connect(await reach(), server.url, normal=frozenset({1000, 1006, 1007})) as socket,
    ):
        await socket.send("x")
        with pytest.raises(ProviderProtocolError):
            await anext(socket)


@pytest.mark.parametrize("end", [hang_up, drop, drop_in_mid_frame])
async def test_a_vendor_that_is_just_gone(end: Step) -> None:
    with pytest.raises(ProviderClosed, match="without a goodbye"):
        await talk(accept, end)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (RawFrame(Opcode.TEXT, b"\xff"), "not UTF-8"),
        (RawFrame(Opcode.CONT, b"x"), "broke the rules"),
        (Raw(b"\x7f\xff\xff\xff"), "broke the rules"),
    ],
    ids=["not-utf8", "continues-nothing", "unknown-opcode"],
)
async def test_a_vendor_that_breaks_the_protocol(step: Step, what: str) -> None:
    with pytest.raises(ProviderProtocolError, match=what):
        await talk(accept, step)


@pytest.mark.parametrize("end", [hang_up, drop])
async def test_sending_to_a_vendor_that_has_left(end: Step) -> None:
    """Sooner or later the sender learns it, and never as anything but a ProviderError."""
    async with (
        open_websocket_server((accept, end)) as server,
        connect(await reach(), server.url) as socket,
    ):
        await (await server.peer()).gone.wait()
        with trio.fail_after(10), pytest.raises(ProviderClosed):
            while True:
                await socket.send(bytes(1000))


async def test_a_sender_learns_why_it_was_cut_off() -> None:
    """Whoever only sends meets the broken connection, not the close frame before it."""

    async def expel(peer: Peer) -> None:
        await Hear()(peer)
        peer.protocol.send_close(1008, "no credit")
        await peer.flush()
        await peer.stream.aclose()

    async with (
        open_websocket_server((accept, expel)) as server,
        connect(await reach(), server.url) as socket,
    ):
        await socket.send("hello")
        await (await server.peer()).gone.wait()
        with trio.fail_after(10), pytest.raises(ProviderRefused, match="no credit"):
            while True:
                await socket.send(bytes(1000))


# The handshake.


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {}, ProviderProtocolError),
        (301, {"Location": "https://elsewhere.example/"}, ProviderRefused),
        (400, {}, ProviderRefused),
        (401, {}, ProviderRefused),
        (402, {}, ProviderRefused),
        (403, {}, ProviderRefused),
        (404, {}, ProviderRefused),
        (429, {"Retry-After": "7"}, ProviderBusy),
        (500, {}, ProviderUnavailable),
        (503, {}, ProviderUnavailable),
    ],
)
async def test_a_handshake_that_is_refused(
    status: int, headers: dict[str, str], kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError, match=f"HTTP {status} .*: not today") as refused:
        await talk(Refuse(status, headers, b'{"err_msg": "not today"}'))
    assert type(refused.value) is kind
    if isinstance(refused.value, ProviderBusy):
        assert refused.value.retry_after == 7.0


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ((hang_up,), ProviderUnavailable),
        ((drop,), ProviderUnavailable),
        ((Raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgr"), hang_up), ProviderUnavailable),
        ((Raw(b"SSH-2.0-OpenSSH_9.6\r\n"),), ProviderProtocolError),
        ((Raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),), ProviderProtocolError),
        ((Raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000),), ProviderProtocolError),
        ((Raw(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000),), ProviderProtocolError),
        (
            (
                Raw(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: bm90IHlvdXJz\r\n\r\n"
                ),
            ),
            ProviderProtocolError,
        ),
    ],
    ids=["gone", "reset", "half", "ssh", "bare", "long-line", "many-lines", "not-ours"],
)
async def test_an_answer_that_is_no_handshake(
    script: tuple[Step, ...], kind: type[ProviderError]
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.handshake()

    with pytest.raises(kind) as failed:
        await talk(answer, *script)
    assert type(failed.value) is kind


async def test_nobody_listens() -> None:
    with pytest.raises(ProviderUnavailable, match="Connection refused"):
        async with connect(await reach(), f"ws://127.0.0.1:{closed_port()}"):
            pass


async def test_a_vendor_that_never_answers(autojump_clock: MockClock) -> None:
    async with open_websocket_server([fall_silent]) as server:
        with pytest.raises(ProviderUnavailable, match="no connection within 3 s"):
            async with connect(await reach(connect_timeout=3.0), server.url):
                pass
    assert autojump_clock.current_time() == 3


async def test_a_vendor_that_never_answers_the_tls_handshake(autojump_clock: MockClock) -> None:
    async with open_websocket_server([fall_silent]) as server:
        with pytest.raises(ProviderUnavailable, match="no connection within 3 s"):
            async with connect(await reach(connect_timeout=3.0), server.url.replace("ws:", "wss:")):
                pass


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/made-up-key", "ws://127.0.0.1:made-up-key", "ws://", "ws://a#made-up"]
)
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ProviderRefused) as refused:
        async with connect(await reach(), url):
            pass
    assert "made-up" not in str(refused.value)


async def test_no_key_is_in_an_error_or_a_log(
    key: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    """The vendor quotes the key in all that it says, and everything is logged."""
    caplog.set_level(logging.DEBUG, logger="providers")
    network = await reach()
    errors = []
    quoting = b'{"message": "the key made-up-key in Token made-up-key is wrong"}'
    for script in ((Refuse(401, {}, quoting),), (accept, Close(1008, "wrong: made-up-key"))):
        async with open_websocket_server(script) as server:
            with pytest.raises(ProviderRefused, match=r"\*\*\*") as refused:
                async with connect(
                    network,
                    f"{server.url}?token=made-up-key",
                    headers={"Authorization": Secret(f"Token {key.reveal()}")},
                ) as socket:
                    await anext(socket)
        errors.append(f"{refused.value} {refused.value!r}")
    ours = [record for record in caplog.records if record.name.startswith("providers")]
    assert "made-up" not in f"{errors} {[record.getMessage() for record in ours]}"
