"""One connection, many streams: nobody's trouble is anybody else's, and silence is noticed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h2.events
import pytest
import trio
import trio.testing
from h2.errors import ErrorCodes
from support.h2_peer import Peer, Vendor, server_connection

from capabilities import ProviderClosed, ProviderProtocolError, ProviderUnavailable
from providers._common.failures import Failures
from providers._common.grpc.channel import open_channel
from providers._common.grpc.connection import Connection, Keepalive
from providers._common.grpc.messages import pack
from providers._common.grpc.stream import HIGH_WATER
from providers._common.network import Network

METHOD = "/test.Server/Any"


async def test_calls_share_a_connection(network: Network, vendor: Vendor) -> None:
    async with (
        open_channel(network, vendor.dial) as channel,
        channel.call(METHOD) as one,
        channel.call(METHOD) as two,
    ):
        peer = vendor.peer()
        first, second = await peer.request(), await peer.request()
        for stream, word in ((second, b"two"), (first, b"one")):
            await peer.head(stream)
            await peer.answer(stream, word)
        assert [await anext(one), await anext(two)] == [b"one", b"two"]
    assert vendor.connections == 1


async def test_a_server_may_wait_for_our_greeting() -> None:
    """As it must come first (RFC 9113, 3.4), some say nothing before."""
    near, far = trio.testing.memory_stream_pair()
    connection = Connection(Failures("acme"), near)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.run)
        with trio.fail_after(2):
            assert (await far.receive_some()).startswith(b"PRI * HTTP/2.0")
        nursery.cancel_scope.cancel()


class TestKeepalive:
    """The server is asked when it is silent and calls are open."""

    async def test_a_server_that_answers_is_left_in_peace(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        """Two hours of silence end no call."""
        pings = 0
        async with (
            open_channel(network, vendor.dial, keepalive=Keepalive()) as channel,
            channel.call(METHOD) as call,
        ):
            peer = vendor.peer()
            stream = await peer.request()
            while autojump_clock.current_time() < 7200:
                await peer.expect(h2.events.PingReceived)
                pings += 1
            await peer.head(stream)
            await peer.answer(stream, b"at last")
            assert await anext(call) == b"at last"
        assert 7200 / 330 <= pings <= 7200 / 300 + 2

    async def test_a_server_that_does_not_is_lost(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        async with (
            open_channel(network, vendor.dial, keepalive=Keepalive()) as channel,
            channel.call(METHOD) as call,
        ):
            with pytest.raises(ProviderUnavailable, match="does not answer a ping in 10 s"):
                await anext(call)
            assert 40 <= autojump_clock.current_time() <= 70
            # The next call does not wait for the dead one.
            async with channel.call(METHOD):
                assert vendor.connections == 2

    async def test_a_server_that_talks_is_not_asked(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        async with (
            open_channel(network, vendor.dial, keepalive=Keepalive()) as channel,
            channel.call(METHOD) as call,
        ):
            peer = vendor.peer()
            stream = await peer.request()
            await peer.head(stream)
            while autojump_clock.current_time() < 1450:
                await trio.sleep(29)
                await peer.answer(stream, b"word")
                assert await anext(call) == b"word"
        assert not [each for each in peer._heard if isinstance(each, h2.events.PingReceived)]

    async def test_a_connection_without_calls_is_closed(
        self, network: Network, vendor: Vendor, autojump_clock: trio.testing.MockClock
    ) -> None:
        """A router on the way forgets it soon, and the next call would wait for nothing."""
        async with open_channel(network, vendor.dial, keepalive=Keepalive(idle=120)) as channel:
            peer = vendor.peer()
            await peer.expect(h2.events.ConnectionTerminated)
            assert 120 <= autojump_clock.current_time() <= 150
            async with channel.call(METHOD):
                assert vendor.connections == 2


class TestSlots:
    """The server says how many calls it takes at one time."""

    async def test_a_call_waits_for_its_turn(self, network: Network) -> None:
        vendor = Vendor({"max_concurrent_streams": 2})
        done: list[int] = []

        async def one_call(number: int) -> None:
            async with channel.call(METHOD) as call:
                assert [answer async for answer in call] == []
                done.append(number)

        async with open_channel(network, vendor.dial) as channel, trio.open_nursery() as nursery:
            for number in range(7):
                nursery.start_soon(one_call, number)
            peer = vendor.peer()
            for count in range(7):
                stream = await peer.request()
                await trio.testing.wait_all_tasks_blocked()
                assert peer.h2.open_inbound_streams <= 2
                assert len(done) >= count - 1
                await peer.only(stream, ("grpc-status", "0"))
        assert sorted(done) == list(range(7))
        assert vendor.connections == 1

    async def test_no_waiter_is_forgotten_when_another_one_leaves(self, network: Network) -> None:
        """Three wait for one place; the first gives up; the place still finds the others."""
        vendor = Vendor({"max_concurrent_streams": 1})
        got: list[str] = []

        async def wait(name: str, scope: trio.CancelScope) -> None:
            with scope:
                async with channel.call(METHOD):
                    got.append(name)

        async with open_channel(network, vendor.dial) as channel:
            scopes = {name: trio.CancelScope() for name in ("first", "second", "third")}
            async with trio.open_nursery() as nursery:
                async with channel.call(METHOD):
                    await vendor.peer().request()
                    for name, scope in scopes.items():
                        nursery.start_soon(wait, name, scope)
                        await trio.testing.wait_all_tasks_blocked()
                    scopes["first"].cancel()
                    await trio.testing.wait_all_tasks_blocked()
                assert got == []
        assert sorted(got) == ["second", "third"]

    async def test_a_place_is_not_given_to_who_waits_for_something_else(
        self, network: Network
    ) -> None:
        """One waits for its window to open, another one for a place; a place becomes free."""
        vendor = Vendor({"max_concurrent_streams": 2, "initial_window_size": 10})
        async with open_channel(network, vendor.dial) as channel, trio.open_nursery() as nursery:

            async def late() -> None:
                async with channel.call(METHOD):
                    nursery.cancel_scope.cancel()

            async with channel.call(METHOD) as stuck:
                nursery.start_soon(stuck.send, bytes(100))
                async with channel.call(METHOD):
                    await trio.testing.wait_all_tasks_blocked()
                    nursery.start_soon(late)
                    await trio.testing.wait_all_tasks_blocked()
                with trio.fail_after(5):
                    await trio.sleep_forever()

    async def test_more_places_may_be_offered_later(self, network: Network) -> None:
        vendor = Vendor({"max_concurrent_streams": 0})
        async with open_channel(network, vendor.dial) as channel, trio.open_nursery() as nursery:

            async def one_call() -> None:
                async with channel.call(METHOD) as call:
                    assert [answer async for answer in call] == []

            nursery.start_soon(one_call)
            await trio.testing.wait_all_tasks_blocked()
            peer = vendor.peer()
            peer.h2.update_settings({3: 1})
            await peer.flush()
            await peer.only(await peer.request(), ("grpc-status", "0"))


class TestFlowControl:
    """Neither side sends more than the other one takes."""

    async def test_a_long_message_goes_out_as_the_window_opens(
        self, network: Network, vendor: Vendor
    ) -> None:
        message = bytes(range(256)) * 1200
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.send, message)
                got = b""
                while len(got) < len(message) + 5:
                    got += await peer.message()
            assert got == pack(message)

    async def test_nothing_piles_up_before_a_server_that_reads_nothing(self) -> None:
        """Its windows are open; the way to it is not."""
        near, far = trio.testing.lockstep_stream_pair()
        peer = Peer(far, server_connection(initial_window_size=1 << 24))
        peer.h2.increment_flow_control_window(1 << 24)
        async with run(near, peer) as connection, trio.open_nursery() as nursery:
            for _ in range(10):
                stream = await connection.open(HEADERS)
                assert stream
                nursery.start_soon(stream.send, bytes(1_000_000))
            await trio.testing.wait_all_tasks_blocked()
            assert HIGH_WATER <= len(connection._pipe._out) <= HIGH_WATER + 17_000
            nursery.cancel_scope.cancel()

    async def test_a_reader_that_waits_holds_up_its_own_call_only(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with (
            open_channel(network, vendor.dial) as channel,
            channel.call(METHOD) as slow,
            channel.call(METHOD) as quick,
        ):
            peer = vendor.peer()
            first, second = await peer.request(), await peer.request()
            await peer.head(first)
            # The client's settings, with the size of its windows, were heard with the requests.
            sent = 0
            while (room := peer.h2.local_flow_control_window(first)) > 0:
                sent += min(room, 15_000)
                await peer.answer(first, bytes(min(room, 15_000) - 5))
            assert sent == 256 * 1024
            await peer.head(second)
            await peer.answer(second, b"not held up")
            assert await anext(quick) == b"not held up"
            await anext(slow)
            await trio.testing.wait_all_tasks_blocked()
            await peer._hear()
            assert peer.h2.local_flow_control_window(first) > 0

    async def test_a_message_may_be_longer_than_a_window(
        self, network: Network, vendor: Vendor
    ) -> None:
        message = pack(bytes(900_000))
        async with (
            open_channel(network, vendor.dial) as channel,
            channel.call(METHOD) as call,
            trio.open_nursery() as nursery,
        ):
            peer = vendor.peer()
            stream = await peer.request()

            async def answer() -> None:
                await peer.head(stream)
                rest = message
                while rest:
                    room = min(peer.h2.local_flow_control_window(stream), 16_000)
                    if room <= 0:
                        await peer._hear()
                        continue
                    peer.h2.send_data(stream, rest[:room])
                    await peer.flush()
                    rest = rest[room:]

            nursery.start_soon(answer)
            assert await anext(call) == bytes(900_000)

    async def test_data_nobody_wants_any_more_does_not_narrow_the_window(
        self, network: Network, vendor: Vendor
    ) -> None:
        """130 calls are left with a quarter of a megabyte unread: more than the whole window."""
        async with open_channel(network, vendor.dial) as channel:
            peer = vendor.peer()
            for _ in range(130):
                async with channel.call(METHOD):
                    stream = await peer.request()
                    await peer.head(stream)
                    for _ in range(16):
                        peer.h2.send_data(stream, bytes(16_000))
                    await peer.flush()
                    await trio.testing.wait_all_tasks_blocked()
            async with channel.call(METHOD) as call:
                stream = await peer.request()
                await peer.head(stream)
                await peer.answer(stream, b"still room")
                assert await anext(call) == b"still room"

    async def test_a_server_that_asks_and_does_not_listen_is_not_read_for_ever(self) -> None:
        """Pings that nobody takes the answers of must not pile up without end."""
        near, far = trio.testing.lockstep_stream_pair()
        ping = b"\0\0\x08\x06\0\0\0\0\0pingpong"

        async def flood() -> None:
            while True:
                await far.send_all(ping * 1000)

        peer = Peer(far, server_connection())
        async with run(near, peer) as connection, trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            await trio.testing.wait_all_tasks_blocked()
            assert 4 * HIGH_WATER <= len(connection._pipe._out) <= 6 * HIGH_WATER
            nursery.cancel_scope.cancel()


class TestCancelledSends:
    """Nobody leaves half of something to the others."""

    async def test_half_a_message_breaks_off_its_own_call_only(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with (
            open_channel(network, vendor.dial) as channel,
            channel.call(METHOD) as hurt,
            channel.call(METHOD) as sound,
        ):
            peer = vendor.peer()
            first, second = await peer.request(), await peer.request()
            with trio.move_on_after(0.05) as scope:
                await hurt.send(bytes(500_000))
            assert scope.cancelled_caught
            with pytest.raises(ProviderClosed, match="broken off on this side"):
                await hurt.send(b"the rest of another message")
            reset = await peer.expect(h2.events.StreamReset)
            assert (reset.stream_id, reset.error_code) == (first, ErrorCodes.CANCEL)
            # The shared window is shut; the server opens it again, having read what came.
            peer.h2.increment_flow_control_window(65_535)
            await peer.flush()
            await sound.send(b"whole")
            event = await peer.expect(h2.events.DataReceived)
            assert (event.stream_id, event.data) == (second, pack(b"whole"))

    async def test_a_message_of_which_nothing_was_sent_can_be_sent_again(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            await peer.request()
            with trio.CancelScope() as scope:
                scope.cancel()
                await call.send(b"not now")
            await call.send(b"now")
            assert await peer.message() == pack(b"now")

    async def test_a_frame_is_written_whole_though_its_sender_is_gone(self) -> None:
        """The transport takes ten bytes of a frame; then the call that it belongs to is left."""
        near, far = trio.testing.lockstep_stream_pair()
        peer = Peer(far, server_connection())
        async with run(near, peer) as connection:
            stream = await connection.open(HEADERS)
            assert stream
            await peer.request()
            await stream.send(pack(bytes(5000)))
            await trio.testing.wait_all_tasks_blocked()
            begun = bytes(await far.receive_some(10))
            stream.leave()
            peer._heard += peer.h2.receive_data(begun)
            assert (await peer.expect(h2.events.DataReceived)).data == pack(bytes(5000))
            assert (await peer.expect(h2.events.StreamReset)).stream_id == stream.id


HEADERS = [(":method", "POST"), (":scheme", "http"), (":path", "/m"), (":authority", "x")]


@asynccontextmanager
async def run(near: trio.abc.Stream, peer: Peer) -> AsyncIterator[Connection]:
    """Run a connection that a server has greeted, and whose greeting the server has heard."""
    connection = Connection(Failures("acme"), near)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(peer.flush)
        await nursery.start(connection.run)
        await peer.expect(h2.events.SettingsAcknowledged)
        yield connection
        nursery.cancel_scope.cancel()


class TestEnds:
    """How a connection ends, as its calls see it."""

    async def test_before_an_answer_the_server_was_not_there(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            await vendor.peer().request()
            await vendor.peer().transport.aclose()
            with pytest.raises(ProviderUnavailable, match="hung up"):
                await anext(call)

    async def test_after_it_the_stream_was_closed(self, network: Network, vendor: Vendor) -> None:
        """What has come before is still given."""
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            peer = vendor.peer()
            stream = await peer.request()
            await peer.head(stream)
            await peer.answer(stream, b"one")
            await peer.transport.aclose()
            await trio.testing.wait_all_tasks_blocked()
            assert await anext(call) == b"one"
            with pytest.raises(ProviderClosed, match="hung up"):
                await anext(call)
            with pytest.raises(ProviderClosed, match="hung up"):
                await call.send(b"hello?")

    async def test_nonsense_is_said_to_be_nonsense(self, network: Network, vendor: Vendor) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            await vendor.peer().transport.send_all(b"\xff" * 20)
            with pytest.raises(ProviderProtocolError, match="HTTP/2"):
                await anext(call)

    async def test_leaving_the_channel_ends_the_calls_of_other_tasks(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with (
            trio.open_nursery() as nursery,
            open_channel(network, vendor.dial) as channel,
        ):

            async def listen() -> None:
                async with channel.call(METHOD) as call:
                    with pytest.raises(ProviderClosed, match="on this side"):
                        await anext(call)

            nursery.start_soon(listen)
            await vendor.peer().request()

    async def test_the_server_is_told_of_a_call_that_is_left(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel:
            async with channel.call(METHOD):
                stream = await vendor.peer().request()
            reset = await vendor.peer().expect(h2.events.StreamReset)
            assert (reset.stream_id, reset.error_code) == (stream, ErrorCodes.CANCEL)

    async def test_the_server_is_told_also_when_all_is_cancelled(
        self, network: Network, vendor: Vendor
    ) -> None:
        """A session that is cancelled takes its own writer with it; nobody may pay for what goes on."""
        with trio.CancelScope() as scope:
            async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
                stream = await vendor.peer().request()
                scope.cancel()
                await anext(call)
        reset = await vendor.peer().expect(h2.events.StreamReset)
        assert (reset.stream_id, reset.error_code) == (stream, ErrorCodes.CANCEL)
        await vendor.peer().expect(h2.events.ConnectionTerminated)

    async def test_a_server_that_does_not_listen_holds_nobody_up(
        self, autojump_clock: trio.testing.MockClock
    ) -> None:
        near, far = trio.testing.lockstep_stream_pair()
        async with run(near, Peer(far, server_connection())) as connection:
            assert await connection.open(HEADERS)
            await trio.testing.wait_all_tasks_blocked()
        assert autojump_clock.current_time() <= 0.5

    async def test_a_call_that_is_over_is_not_broken_off(
        self, network: Network, vendor: Vendor
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD) as call:
            await call.finish()
            await vendor.peer().only(await vendor.peer().request(), ("grpc-status", "0"))
            assert [answer async for answer in call] == []
        await vendor.peer().expect(h2.events.ConnectionTerminated)
        assert not [
            each for each in vendor.peer()._heard if isinstance(each, h2.events.StreamReset)
        ]
