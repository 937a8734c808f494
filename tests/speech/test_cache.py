"""Speech that was said before, or is being said: one request for all who want the same."""

from collections.abc import Sequence
from functools import partial

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
)
from waav.speech.cache import Found, Listener, Sink, SpeechCache
from waav.speech.key import speech_key
from waav.speech.recording import MAX_BYTES, Recording
from waav.state.memory import MemoryCache

PCM = AudioFormat(Encoding.LINEAR16, 24000)
ULAW = AudioFormat(Encoding.MULAW, 8000)


@pytest.fixture
def cache() -> SpeechCache:
    return SpeechCache(MemoryCache(), ttl=60)


def recorded(*frames: AudioFrame) -> Recording:
    recording = Recording()
    for frame in frames:
        recording.add(frame)
    recording.end(whole=True)
    return recording


@pytest.mark.pins("D076")
async def test_nobody_hears_what_somebody_else_has_paid_for(cache: SpeechCache) -> None:
    mine, yours, ours = (
        speech_key("espeak", SpeechRequest("Hello", api_key=secret))
        for secret in (Secret("sk-mine"), Secret("sk-yours"), None)
    )
    await cache.put(mine, recorded(AudioFrame(b"\1\0", PCM)))

    assert await cache.get(mine) is not None
    assert await cache.get(yours) is None
    assert await cache.get(ours) is None


async def test_an_utterance_comes_back_whole_in_its_own_format(cache: SpeechCache) -> None:
    """Also if its bytes look like the line that stands in front of them."""
    frames = [AudioFrame(b"\n\1", ULAW), AudioFrame(b"", PCM), AudioFrame(b"{}\n", ULAW, start=0.1)]
    await cache.put("aa", recorded(*frames))

    assert await cache.get("aa") == AudioFrame(b"\n\1{}\n", ULAW)
    assert await cache.get("bb") is None


async def test_it_is_kept_for_as_long_as_was_said(
    cache: SpeechCache, mock_clock: trio.testing.MockClock
) -> None:
    await cache.put("aa", recorded(AudioFrame(b"\1", ULAW)))
    mock_clock.jump(59)
    assert await cache.get("aa") is not None
    mock_clock.jump(1)
    assert await cache.get("aa") is None


@pytest.mark.parametrize(
    "recording",
    [
        pytest.param(recorded(), id="nothing was said"),
        pytest.param(recorded(AudioFrame(b"", PCM)), id="no sound in it"),
        pytest.param(
            recorded(AudioFrame(b"\1", ULAW), AudioFrame(b"\1\0", PCM), AudioFrame(b"\1", ULAW)),
            id="the format changed",
        ),
        pytest.param(
            recorded(AudioFrame(bytes(10 << 20), ULAW), AudioFrame(b"\1", ULAW)), id="too long"
        ),
    ],
)
async def test_what_is_not_a_whole_utterance_is_not_kept(
    recording: Recording, cache: SpeechCache
) -> None:
    await cache.put("aa", recording)

    assert await cache.get("aa") is None
    assert not recording.data


async def test_the_longest_utterance_that_is_kept_has_10_mib() -> None:
    cache = SpeechCache(MemoryCache(), 60)
    sound = bytes(10 << 20)
    await cache.put("aa", recorded(AudioFrame(sound, ULAW)))

    assert await cache.get("aa") == AudioFrame(sound, ULAW)


@pytest.mark.parametrize(
    "value", [b"", b"\1\0\1\0", b"\n\1\0", b"\xff\n\1\0", b"[]\n\1\0", b'{"encoding":"what"}\n\1\0']
)
async def test_a_broken_entry_is_a_miss(value: bytes, cache: SpeechCache) -> None:
    await cache.backend.put("aa", value, 60)

    assert await cache.get("aa") is None


# --- shared while it is being made ------------------------------------------------------------


@attrs.define(eq=False)
class Voice:
    """Says ``length`` samples, one a second; the n-th is the number n."""

    length: int = 4
    errors: dict[int, ProviderError] = attrs.Factory(dict)
    """By the number of the request: what is raised in front of its third sample."""
    begun: list[float] = attrs.Factory(list)
    """When it was asked."""
    open: int = 0

    async def make(self, sink: Sink) -> None:
        self.begun.append(trio.current_time())
        error = self.errors.get(len(self.begun))
        self.open += 1
        try:
            for number in range(self.length):
                await trio.sleep(1)
                if error is not None and number == 2:
                    raise error
                await sink(AudioFrame(bytes([number, 0]), PCM))
        finally:
            self.open -= 1

    @property
    def all(self) -> bytes:
        return bytes(byte for number in range(self.length) for byte in (number, 0))


@attrs.define(eq=False)
class Client:
    """Listens, and remembers what came when."""

    data: bytes = b""
    times: list[float] = attrs.Factory(list)
    error: ProviderError | None = None
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    pace: float = 0.0
    """Seconds that it takes for each frame."""

    async def sink(self, frame: AudioFrame) -> None:
        self.times.append(trio.current_time())
        await trio.sleep(self.pace)
        self.data += frame.data

    async def hear(
        self, cache: SpeechCache, voice: Voice, first_timeout: float = 30, timeout: float = 60
    ) -> None:
        listener = Listener("voice", self.sink, first_timeout, timeout)
        with self.scope:
            try:
                await cache.hear("aa", voice.make, listener)
            except ProviderError as exc:
                self.error = exc


async def all_hear(cache: SpeechCache, voice: Voice, clients: Sequence[Client]) -> None:
    async with trio.open_nursery() as nursery:
        for client in clients:
            nursery.start_soon(client.hear, cache, voice)


@pytest.mark.pins("D074")
async def test_ten_who_want_the_same_make_one_request(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    """And none of them waits for the end: each hears each frame in the moment in which it comes."""
    voice, clients = Voice(), [Client() for _ in range(10)]
    await all_hear(cache, voice, clients)

    assert len(voice.begun) == 1
    assert {client.data for client in clients} == {voice.all}
    assert {tuple(client.times) for client in clients} == {(1.0, 2.0, 3.0, 4.0)}
    assert cache.found == Found(hits=0, shared=9, misses=1)


async def test_who_comes_later_hears_it_from_the_beginning(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    voice, early, late, after = Voice(), Client(), Client(), Client()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(early.hear, cache, voice)
        await trio.sleep(2.5)
        nursery.start_soon(late.hear, cache, voice)
    await after.hear(cache, voice)

    assert len(voice.begun) == 1
    assert early.data == late.data == after.data == voice.all
    assert late.times == [2.5, 3.0, 4.0]
    assert after.times == [4.0]


async def test_who_hears_what_is_kept_already_asks_for_it_once(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    """Nor does one of them wait until another has taken it."""
    await cache.put("aa", recorded(AudioFrame(b"\1\0", PCM)))
    voice, slow, quick = Voice(), Client(pace=100), Client()
    await all_hear(cache, voice, [slow, quick])

    assert voice.begun == []
    assert slow.data == quick.data == b"\1\0"
    assert quick.times == [0.0]
    assert cache.found == Found(hits=1, shared=1, misses=0)


@pytest.mark.pins("D077")
async def test_a_follower_takes_over_from_a_leader_that_is_cancelled(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    """One of them asks anew; all go on where they were, and only the whole sound is kept."""
    voice, leader, followers = Voice(), Client(), [Client() for _ in range(3)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leader.hear, cache, voice)
        await wait_all_tasks_blocked()
        for client in followers:
            nursery.start_soon(client.hear, cache, voice)
        await trio.sleep(2.5)
        leader.scope.cancel()

    assert leader.data == voice.all[:4]
    assert voice.begun == [0.0, 2.5]
    assert {client.data for client in followers} == {voice.all}
    assert {tuple(client.times) for client in followers} == {(1.0, 2.0, 5.5, 6.5)}
    assert await cache.get("aa") == AudioFrame(voice.all, PCM)


async def test_a_cancelled_request_without_followers_leaves_nothing(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    voice, client = Voice(), Client()
    with trio.move_on_after(2.5):
        await client.hear(cache, voice)

    assert voice.open == 0
    assert await cache.get("aa") is None
    assert cache._live == {}


async def test_a_follower_takes_over_from_a_leader_that_fails(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    voice = Voice(errors={1: ProviderClosed("voice", "gone")})
    clients = [Client() for _ in range(3)]
    await all_hear(cache, voice, clients)

    assert len(voice.begun) == 2
    assert sorted(str(client.error) for client in clients) == ["None", "None", "voice: gone"]
    assert sorted(client.data for client in clients) == [voice.all[:4], voice.all, voice.all]
    assert cache._live == {}


async def test_who_would_be_refused_too_does_not_ask(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    voice = Voice(errors={1: ProviderRefused("voice", "no such plan")})
    clients = [Client() for _ in range(3)]
    await all_hear(cache, voice, clients)

    assert len(voice.begun) == 1
    assert {str(client.error) for client in clients} == {"voice: no such plan"}


async def test_a_follower_has_its_own_patience(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    """Who waits at most half a second does not wait for the leader's minute."""
    voice, leader, follower, slow = Voice(), Client(), Client(), Client(pace=0.9)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leader.hear, cache, voice)
        await wait_all_tasks_blocked()
        nursery.start_soon(partial(follower.hear, cache, voice, first_timeout=0.5))
        # That it is slow itself is not the voice's fault.
        nursery.start_soon(partial(slow.hear, cache, voice, first_timeout=1.2, timeout=0.5))

    assert isinstance(follower.error, ProviderUnavailable)
    assert str(follower.error) == "voice: no sound came for 0.5 s"
    assert leader.data == slow.data == voice.all
    assert len(voice.begun) == 1


class SlowDisk(MemoryCache):
    """Takes 100 s to write."""

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        await trio.sleep(100)
        await super().put(key, value, ttl)


async def test_who_comes_while_it_is_written_down_shares_it(autojump_clock: MockClock) -> None:
    cache = SpeechCache(SlowDisk(), ttl=60)
    voice, early, late = Voice(), Client(), Client()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(early.hear, cache, voice)
        await trio.sleep(50)
        await late.hear(cache, voice)
        assert trio.current_time() == 50

    assert len(voice.begun) == 1
    assert late.data == voice.all


async def test_what_is_too_long_to_be_kept_is_not_shared(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    """Each gets the whole of it, by a request of its own."""
    asked = 0

    async def make(sink: Sink) -> None:
        nonlocal asked
        asked += 1
        for _ in range(2):
            await trio.sleep(1)
            await sink(AudioFrame(bytes(MAX_BYTES // 2 + 2), PCM))

    sizes: list[int] = []

    async def hear() -> None:
        heard = 0

        async def sink(frame: AudioFrame) -> None:
            nonlocal heard
            await trio.lowlevel.checkpoint()
            heard += len(frame.data)

        await cache.hear("aa", make, Listener("voice", sink, 30, 60))
        sizes.append(heard)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(hear)

    assert sizes == [MAX_BYTES + 4] * 3
    assert asked == 3
    assert await cache.get("aa") is None


@given(
    st.lists(
        st.tuples(st.floats(0, 6), st.floats(0.1, 12), st.sampled_from([0.0, 0.3, 2.0])),
        min_size=1,
        max_size=8,
    ),
    st.sets(st.integers(1, 6), max_size=3),
)
def test_whoever_comes_and_goes_the_others_hear_every_sample_once(
    stays: list[tuple[float, float, float]], failing: set[int]
) -> None:
    """Each stay: when somebody comes, for how long, and how slowly they listen."""
    voice = Voice(errors={number: ProviderClosed("voice", "gone") for number in failing})
    clients = [Client(pace=pace) for _, _, pace in stays]
    caches: list[SpeechCache] = []

    async def visit(cache: SpeechCache, client: Client, comes: float, stays: float) -> None:
        await trio.sleep(comes)
        client.scope.deadline = trio.current_time() + stays
        await client.hear(cache, voice)

    async def story() -> None:
        cache = SpeechCache(MemoryCache(), ttl=1000)
        caches.append(cache)
        async with trio.open_nursery() as nursery:
            for client, (comes, stays_, _) in zip(clients, stays, strict=True):
                nursery.start_soon(visit, cache, client, comes, stays_)

    trio.run(story, clock=MockClock(autojump_threshold=0))
    for client in clients:
        assert voice.all.startswith(client.data)
        left = client.error is not None or client.scope.cancelled_caught
        assert left or client.data == voice.all
    assert caches[0]._live == {}
    assert voice.open == 0
