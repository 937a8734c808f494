"""What makes two utterances the same, and which sound is worth keeping."""

import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, AudioFrame, Encoding, Secret, SpeechRequest
from waav.speech.cache import Recording, SpeechCache
from waav.speech.text import pronounce
from waav.state.memory import MemoryCache

PCM = AudioFormat(Encoding.LINEAR16, 24000)
ULAW = AudioFormat(Encoding.MULAW, 8000)


class Mood(Enum):
    CALM = 1
    GLAD = 2


@attrs.frozen
class Knobs:
    stability: float = 0.5
    effects: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    mood: Mood = Mood.CALM
    token: Secret | None = None
    lexicon: Path | None = None


@attrs.frozen
class OtherKnobs:
    stability: float = 0.5


OTHER_VALUES: dict[str, Any] = {
    "text": "Goodbye",
    "voice": "slt",
    "model": "big",
    "format": ULAW,
    "speed": 1.25,
    "language": "de-DE",
    "pitch": 2.0,
    "volume": 0.5,
    "api_key": Secret("sk-1"),
    "options": Knobs(),
}
OTHER_KNOBS: dict[str, Any] = {
    "stability": 0.6,
    "effects": ("phone",),
    "tags": frozenset({"a"}),
    "extra": {"seed": 1},
    "mood": Mood.GLAD,
    "token": Secret("t"),
    "lexicon": Path("a.pls"),
}


@pytest.fixture
def cache() -> SpeechCache:
    return SpeechCache(MemoryCache(), ttl=60)


def key(request: SpeechRequest, provider: str = "espeak") -> str:
    return SpeechCache(MemoryCache(), ttl=60).key(provider, request)


def recorded(*frames: AudioFrame) -> Recording:
    recording = Recording()
    for frame in frames:
        recording.add(frame)
    return recording


@pytest.mark.pins("D073", "D075", "D076")
@pytest.mark.parametrize("field", [field.name for field in attrs.fields(SpeechRequest)])
def test_each_field_of_a_request_changes_the_key(field: str) -> None:
    """A field that is new has to say here which other value it can have."""
    request = SpeechRequest("Hello")

    assert key(attrs.evolve(request, **{field: OTHER_VALUES[field]})) != key(request)


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Knobs)])
def test_each_of_a_providers_own_options_changes_the_key(field: str) -> None:
    knobs = attrs.evolve(Knobs(), **{field: OTHER_KNOBS[field]})

    assert key(SpeechRequest("Hello", options=knobs)) != key(
        SpeechRequest("Hello", options=Knobs())
    )


@pytest.mark.parametrize(
    "format",
    [
        attrs.evolve(PCM, encoding=Encoding.WAV),
        attrs.evolve(PCM, sample_rate=16000),
        attrs.evolve(PCM, channels=2),
    ],
)
def test_each_part_of_the_format_changes_the_key(format: AudioFormat) -> None:
    assert key(SpeechRequest("Hello", format=format)) != key(SpeechRequest("Hello", format=PCM))


def test_another_provider_is_another_key() -> None:
    assert key(SpeechRequest("Hello"), "flite") != key(SpeechRequest("Hello"), "espeak")


def test_two_kinds_of_options_that_look_alike_are_not_the_same() -> None:
    request = SpeechRequest("Hello", options=OtherKnobs())

    assert key(request) != key(SpeechRequest("Hello", options=attrs.evolve(Knobs())))


@pytest.mark.pins("D072", "D073")
def test_the_key_knows_the_text_as_it_is_sent() -> None:
    """Whoever changes a pronunciation hears it at once; one that does not apply costs no hit."""
    said = pronounce("WaaV speaks", [("WaaV", "wave")])
    said_otherwise = pronounce("WaaV speaks", [("WaaV", "wahv")])
    unconcerned = pronounce("WaaV speaks", [("WaaV", "wave"), ("SQL", "sequel")])

    assert key(SpeechRequest(said)) != key(SpeechRequest(said_otherwise))
    assert key(SpeechRequest(said)) == key(SpeechRequest(unconcerned))
    assert key(SpeechRequest(said)) == key(SpeechRequest("wave speaks"))


@pytest.mark.pins("D076")
async def test_nobody_hears_what_somebody_else_has_paid_for(cache: SpeechCache) -> None:
    mine, yours, ours = (
        cache.key("espeak", SpeechRequest("Hello", api_key=secret))
        for secret in (Secret("sk-mine"), Secret("sk-yours"), None)
    )
    await cache.put(mine, recorded(AudioFrame(b"\1\0", PCM)))

    assert await cache.get(mine) is not None
    assert await cache.get(yours) is None
    assert await cache.get(ours) is None


_requests = st.builds(
    SpeechRequest,
    text=st.text(),
    voice=st.none() | st.text(),
    speed=st.floats(0.25, 4),
    api_key=st.none() | st.text().map(Secret),
    options=st.none()
    | st.builds(
        Knobs,
        tags=st.frozensets(st.text()),
        extra=st.dictionaries(
            st.text() | st.integers() | st.none(), st.none() | st.booleans() | st.lists(st.text())
        ),
    ),
)


@given(request=_requests)
def test_a_key_is_made_of_64_digits_and_is_always_the_same(request: SpeechRequest) -> None:
    again = attrs.evolve(request)
    if isinstance(request.options, Knobs):
        extra = dict(reversed(list(request.options.extra.items())))
        again = attrs.evolve(request, options=attrs.evolve(request.options, extra=extra))

    assert len(key(request)) == 64
    assert set(key(request)) <= set("0123456789abcdef")
    assert key(request) == key(again)


@given(one=_requests, other=_requests)
def test_two_requests_share_a_key_only_if_they_are_equal(
    one: SpeechRequest, other: SpeechRequest
) -> None:
    assert (key(one) == key(other)) == (one == other)


def test_the_next_process_finds_what_this_one_has_kept() -> None:
    """Sets come in another order there, because strings hash differently."""
    program = (
        "from capabilities import SpeechRequest; from waav.speech.cache import SpeechCache;"
        "from waav.state.memory import MemoryCache;"
        "tags = frozenset('abcdefgh');"
        "print(SpeechCache(MemoryCache(), 1).key('espeak', SpeechRequest('Hi', options=tags)))"
    )
    run = [sys.executable, "-c", program]
    keys = {subprocess.check_output(run, env={"PYTHONHASHSEED": seed}) for seed in "12"}

    assert {told.decode().strip() for told in keys} == {
        key(SpeechRequest("Hi", options=frozenset("abcdefgh")))
    }


def test_options_that_cannot_be_compared_are_never_found_again() -> None:
    request = SpeechRequest("Hello", options=object())

    assert key(request) != key(request)


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


@pytest.mark.pins("D077")
async def test_a_cancelled_utterance_leaves_nothing(cache: SpeechCache) -> None:
    """Recording alone keeps nothing: only the end of an utterance does."""
    recording = cache.recording()
    with trio.CancelScope() as scope:
        recording.add(AudioFrame(b"\1\0", PCM))
        scope.cancel()
        await trio.lowlevel.checkpoint()
        await cache.put("aa", recording)

    assert scope.cancelled_caught
    assert await cache.get("aa") is None


@pytest.mark.parametrize(
    "value", [b"", b"\1\0\1\0", b"\n\1\0", b"\xff\n\1\0", b"[]\n\1\0", b'{"encoding":"what"}\n\1\0']
)
async def test_a_broken_entry_is_a_miss(value: bytes, cache: SpeechCache) -> None:
    await cache.backend.put("aa", value, 60)

    assert await cache.get("aa") is None
