"""A call as its user sees it: what is said again, what is not, and what its end means."""

from math import inf

import h2.events
import pytest
import trio
import trio.testing
from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from support.h2_peer import OK, Vendor

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.grpc.channel import open_channel
from providers._common.grpc.messages import pack
from providers._common.network import Network

METHOD = "/test.Server/Any"
HTML = ((":status", "200"), ("content-type", "text/html"))


class TestRefused:
    """REFUSED_STREAM: the server has done nothing about the call."""

    @pytest.mark.parametrize("iterating", [True, False])
    async def test_a_refused_call_is_said_again_once_and_whole(
        self, network: Network, vendor: Vendor, *, iterating: bool
    ) -> None:
        """Whichever task notices first: the one that sends, or the one that iterates."""
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            await call.send(b"one")
            await peer.reset(await peer.request(), ErrorCodes.REFUSED_STREAM)
            await trio.testing.wait_all_tasks_blocked()
            said = pack(b"one")
            async with trio.open_nursery() as nursery:
                if iterating:
                    nursery.start_soon(anext, call)
                else:
                    await call.send(b"two")
                    await call.finish()
                    nursery.start_soon(anext, call)
                    said += pack(b"two")
                again = await peer.request()
                assert await peer.message() == said
                if not iterating:
                    await peer.expect(h2.events.StreamEnded)
                await peer.head(again)
                await peer.answer(again, b"heard")
        assert vendor.connections == 1

    async def test_two_tasks_that_notice_say_it_once(self, network: Network) -> None:
        vendor = Vendor({"initial_window_size": 1000})
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            stream = await peer.request()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(anext, call)
                # More than the window: the sender waits too, until the refusal.
                nursery.start_soon(call.send, bytes(20_000))
                nursery.start_soon(call.send, bytes(6_000))
                await trio.testing.wait_all_tasks_blocked()
                await peer.reset(stream, ErrorCodes.REFUSED_STREAM)
                again = await peer.request()
                got = b""
                while len(got) < 26_010:
                    event = await peer.expect(h2.events.DataReceived)
                    if event.stream_id == again:
                        got += event.data
                        peer.h2.increment_flow_control_window(len(event.data), again)
                        await peer.flush()
                assert sorted(got) == sorted(pack(bytes(20_000)) + pack(bytes(6_000)))
                await peer.head(again)
                await peer.answer(again, b"heard")

    async def test_refused_again_it_is_given_up(self, network: Network, vendor: Vendor) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            async with trio.open_nursery() as nursery:

                async def listen() -> None:
                    with pytest.raises(ProviderBusy, match="takes no calls"):
                        await anext(call)

                nursery.start_soon(listen)
                for _ in range(2):
                    await peer.reset(await peer.request(), ErrorCodes.REFUSED_STREAM)

    async def test_what_was_answered_is_not_said_again(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            stream = await peer.request()
            await peer.head(stream)
            await peer.reset(stream, ErrorCodes.REFUSED_STREAM)
            with pytest.raises(ProviderClosed):
                await anext(call)

    async def test_what_is_too_long_to_keep_is_not_said_again(
        self, network: Network, vendor: Vendor
    ) -> None:
        vendor.settings["initial_window_size"] = 1 << 20
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            peer.h2.increment_flow_control_window(1 << 20)
            await peer.flush()
            stream = await peer.request()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.send, bytes(70_000))
                while len(await peer.message()) == 16_384:
                    pass
            await peer.reset(stream, ErrorCodes.REFUSED_STREAM)
            with pytest.raises(ProviderBusy, match="takes no calls"):
                await anext(call)

    async def test_half_of_it_said_again_is_none_of_it(self, network: Network) -> None:
        """The server takes nothing of the second attempt, and whoever made it is cancelled."""
        vendor = Vendor()
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            await call.send(b"one")
            stream = await peer.request()
            peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
            await peer.reset(stream, ErrorCodes.REFUSED_STREAM)
            with trio.move_on_after(0.05):
                await anext(call)
            again = await peer.request()
            reset = await peer.expect(h2.events.StreamReset)
            assert (reset.stream_id, reset.error_code) == (again, ErrorCodes.CANCEL)
            with pytest.raises(ProviderClosed, match="on this side"):
                await call.send(b"two")


class TestGoAway:
    """The server says that it will end."""

    async def test_what_is_open_is_finished_and_the_next_call_goes_elsewhere(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel:
            async with channel.call(METHOD) as call:
                peer = vendor.peer()
                stream = await peer.request()
                await peer.go_away(2**31 - 1)
                await peer.go_away(stream)
                await trio.testing.wait_all_tasks_blocked()
                async with channel.call(METHOD) as other:
                    newer = vendor.peer()
                    assert newer is not peer
                    await newer.only(await newer.request(), ("grpc-status", "0"))
                    assert [answer async for answer in other] == []
                await call.send(b"still here")
                assert await peer.message() == pack(b"still here")
                await peer.head(stream)
                await peer.answer(stream, b"so am I")
                await peer.trail(stream)
                assert [answer async for answer in call] == [b"so am I"]
            # The old connection was only there for that call.
            await peer.expect(h2.events.ConnectionTerminated)
        assert vendor.connections == 2

    async def test_a_call_that_the_server_has_not_looked_at_is_said_again_elsewhere(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            await call.send(b"one")
            await call.finish()
            old = vendor.peer()
            await old.request()
            await old.go_away(0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(anext, call)
                await trio.testing.wait_all_tasks_blocked()
                peer = vendor.peer()
                again = await peer.request()
                assert await peer.message() == pack(b"one")
                await peer.expect(h2.events.StreamEnded)
                await peer.head(again)
                await peer.answer(again, b"heard")

    async def test_what_was_answered_is_not_said_again(
        self, network: Network, vendor: Vendor
    ) -> None:
        """A server that takes back what it has begun to answer."""
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            await peer.head(await peer.request())
            await peer.go_away(0)
            with pytest.raises(ProviderClosed, match="hung up"):
                await anext(call)
        assert vendor.connections == 1

    async def test_the_grace_may_run_out(self, network: Network, vendor: Vendor) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            await peer.go_away(await peer.request(), b"too_many_pings")
            await peer.transport.aclose()
            with pytest.raises(ProviderUnavailable, match="hung up: too_many_pings"):
                await anext(call)

    async def test_a_server_that_only_ever_goes_away_is_not_asked_for_ever(
        self, network: Network
    ) -> None:
        vendor = Vendor({"max_concurrent_streams": 0})
        async with open_channel(network, vendor.dial) as channel, trio.open_nursery() as nursery:

            async def one_call() -> None:
                with pytest.raises(ProviderBusy, match="takes no calls"):
                    async with channel.call(METHOD):
                        pass

            nursery.start_soon(one_call)
            for _ in range(2):
                await trio.testing.wait_all_tasks_blocked()
                await vendor.peer().go_away(0)
        assert vendor.connections == 2


class TestDeadline:
    """The server is told how long it may take; our own clock watches too."""

    async def test_a_frozen_server_does_not_keep_a_call(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        async with open_channel(network, vendor.dial) as channel:
            with pytest.raises(ProviderUnavailable, match=r"did not end the call in 2.5 s"):
                async with channel.call(METHOD, timeout=2.5) as call:
                    await anext(call)
            assert autojump_clock.current_time() == 2.5
            request = await vendor.peer().expect(h2.events.RequestReceived)
            assert ("grpc-timeout", "2500000u") in request.headers
            await vendor.peer().expect(h2.events.StreamReset)

    async def test_without_one_the_server_is_told_nothing(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with (
            open_channel(network, vendor.dial) as channel,
            channel.call(METHOD, timeout=inf),
        ):
            request = await vendor.peer().expect(h2.events.RequestReceived)
            assert "grpc-timeout" not in dict(request.headers)

    async def test_a_wait_for_a_place_counts(
        self, network: Network, autojump_clock: trio.testing.MockClock
    ) -> None:
        vendor = Vendor({"max_concurrent_streams": 0})
        async with open_channel(network, vendor.dial) as channel:
            with pytest.raises(ProviderUnavailable, match="in 3 s"):
                async with channel.call(METHOD, timeout=3):
                    pass
        assert autojump_clock.current_time() == 3

    async def test_the_block_s_own_error_is_not_mistaken_for_it(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        async with open_channel(network, vendor.dial) as channel:
            with pytest.raises(trio.TooSlowError):
                async with channel.call(METHOD, timeout=100) as call:
                    with trio.fail_after(1):
                        await anext(call)
        assert autojump_clock.current_time() == 1


@pytest.mark.parametrize(
    ("head", "body", "trailers", "kind", "says"),
    [
        pytest.param(
            (*OK, ("grpc-status", "3"), ("grpc-message", "bad%20g%C3%BCte")),
            None,
            None,
            ProviderRefused,
            "INVALID_ARGUMENT: bad g\u00fcte",
            id="trailers-only",
        ),
        pytest.param(
            OK,
            b"",
            [("grpc-status", "14"), ("grpc-message", "going down")],
            ProviderClosed,
            "UNAVAILABLE: going down",
            id="in-mid-stream",
        ),
        pytest.param(
            (*OK, ("grpc-status", "14"), ("grpc-message", "not now")),
            None,
            None,
            ProviderUnavailable,
            "UNAVAILABLE: not now",
            id="unavailable",
        ),
        pytest.param(
            OK,
            b"",
            [("grpc-status", "8"), ("grpc-retry-pushback-ms", "2500")],
            ProviderBusy,
            "RESOURCE_EXHAUSTED",
            id="busy",
        ),
        pytest.param(OK, None, None, ProviderProtocolError, "without a status", id="no-trailers"),
        pytest.param(
            OK,
            b"",
            [("x-other", "1")],
            ProviderProtocolError,
            "without a status",
            id="trailers-without-a-status",
        ),
        pytest.param(
            ((":status", "503"), ("content-type", "text/html"), ("retry-after", "7")),
            b"<html>",
            None,
            ProviderBusy,
            "HTTP 503",
            id="http-503",
        ),
        pytest.param(
            ((":status", "401"),), None, None, ProviderRefused, "HTTP 401", id="http-401"
        ),
        pytest.param(
            HTML, b"<html>", None, ProviderProtocolError, "text/html", id="a-page-instead"
        ),
        pytest.param(HTML, None, None, ProviderProtocolError, "text/html", id="an-empty-page"),
        pytest.param(
            OK, b"\0\0\0\0\x09half", [("grpc-status", "0")], ProviderProtocolError, "inside of"
            , id="torn-message",
        ),
        pytest.param(
            OK, b"\0\xff\xff\xff\xff", None, ProviderProtocolError, "4294967295 bytes", id="endless"
        ),
        pytest.param(
            (*OK, ("grpc-encoding", "snappy")),
            b"\1\0\0\0\x01x",
            None,
            ProviderProtocolError,
            "without compression",
            id="unknown-compression",
        ),
        pytest.param(
            (*OK, ("grpc-status", "13"), ("grpc-message", "no key open-sesame")),
            None,
            None,
            ProviderUnavailable,
            r"no key \*\*\*",
            id="secret",
        ),
    ],
)  # fmt: skip
async def test_how_an_answer_may_end(
    network: Network,
    vendor: Vendor,
    *,
    head: tuple[tuple[str, str], ...],
    body: bytes | None,
    trailers: list[tuple[str, str]] | None,
    kind: type[ProviderError],
    says: str,
) -> None:
    key = {"authorization": Secret("Bearer open-sesame")}
    async with (
        open_channel(network, vendor.dial) as channel,
        channel.call(METHOD, metadata=key) as call,
    ):
        peer = vendor.peer()
        stream = await peer.request()
        peer.h2.send_headers(stream, head, end_stream=body is None)
        if body is not None:
            peer.h2.send_data(stream, body, end_stream=trailers is None)
        if trailers is not None:
            peer.h2.send_headers(stream, trailers, end_stream=True)
        await peer.flush()
        with pytest.raises(kind, match=says) as caught:
            await anext(call)
        assert type(caught.value) is kind
        if isinstance(caught.value, ProviderBusy):
            assert caught.value.retry_after in {2.5, 7.0}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ErrorCodes.CANCEL, ProviderUnavailable),
        (ErrorCodes.INTERNAL_ERROR, ProviderUnavailable),
        (ErrorCodes.ENHANCE_YOUR_CALM, ProviderBusy),
        (ErrorCodes.INADEQUATE_SECURITY, ProviderRefused),
    ],
)
async def test_a_stream_may_be_reset(
    network: Network, vendor: Vendor, code: ErrorCodes, kind: type[ProviderError]
) -> None:
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        await vendor.peer().reset(await vendor.peer().request(), code)
        with pytest.raises(kind, match=f"code {int(code)}"):
            await anext(call)


async def test_a_reset_behind_the_status_changes_nothing(network: Network, vendor: Vendor) -> None:
    """Servers do it to a client that has not finished: the answer is whole all the same."""
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        peer = vendor.peer()
        stream = await peer.request()
        peer.h2.send_headers(stream, OK)
        peer.h2.send_data(stream, pack(b"all"))
        peer.h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
        peer.h2.reset_stream(stream, ErrorCodes.NO_ERROR)
        await peer.flush()
        assert [answer async for answer in call] == [b"all"]
        assert [answer async for answer in call] == []


async def test_who_sends_learns_why_the_call_is_over(network: Network, vendor: Vendor) -> None:
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        peer = vendor.peer()
        await peer.only(await peer.request(), ("grpc-status", "16"), ("grpc-message", "old key"))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ProviderRefused, match="UNAUTHENTICATED: old key"):
            await call.send(b"sound")
        await call.finish()


async def test_a_server_may_be_satisfied_early(network: Network, vendor: Vendor) -> None:
    """It says OK and listens no more: the iteration ends well, and who sends is told."""
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        peer = vendor.peer()
        await peer.only(await peer.request(), ("grpc-status", "0"))
        assert [answer async for answer in call] == []
        with pytest.raises(ProviderClosed, match="has ended the call"):
            await call.send(b"more")


async def test_nothing_follows_the_last_message(network: Network, vendor: Vendor) -> None:
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        await call.finish()
        with pytest.raises(RuntimeError):
            await call.send(b"one more")


async def test_waiting_for_a_message_may_be_cancelled_and_begun_again(
    network: Network, vendor: Vendor
) -> None:
    async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
        peer = vendor.peer()
        stream = await peer.request()
        with trio.move_on_after(0.01):
            await anext(call)
        await peer.head(stream)
        await peer.answer(stream, b"one", b"two")
        assert [await anext(call), await anext(call)] == [b"one", b"two"]
