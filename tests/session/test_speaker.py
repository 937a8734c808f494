"""One text becomes its sound: fresh, or as it was said before."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from support.providers import Mouth, plugin
from trio.testing import MockClock

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Limits,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
)
from waav.audio.wav import read_wav
from waav.errors import InvalidRequest
from waav.plugins import Discovery, Plugins, open_plugins
from waav.session.commands import Pronunciation, Speak, TTSConfig
from waav.session.speaker import Speaker
from waav.speech.cache import SpeechCache
from waav.state.memory import MemoryCache

VOICE = AudioFormat(sample_rate=24000)


@pytest.fixture
def cache() -> SpeechCache:
    return SpeechCache(MemoryCache(), 3600)


def speaker(plugins: Plugins, cache: SpeechCache, **request: object) -> Speaker:
    pattern = SpeechRequest("", **{"format": VOICE, **request})  # type: ignore[arg-type]
    return Speaker.of(plugins.tts("mouth"), TTSConfig("mouth", pattern), cache)


async def said(speaker: Speaker, text: str) -> list[AudioFrame]:
    frames: list[AudioFrame] = []

    async def sink(frame: AudioFrame) -> None:
        await trio.lowlevel.checkpoint()
        frames.append(frame)

    await speaker.say(Speak(text), sink)
    return frames


@pytest.mark.pins("D078")
async def test_a_hit_sounds_as_the_first_time(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """The voice is asked once; the second time its sound comes in the same short pieces."""
    voice = speaker(plugins, cache)
    first, second = await said(voice, "abcdef"), await said(voice, "abcdef")
    assert len(mouth.requests) == 1
    assert second == first
    assert max(frame.duration for frame in second) <= 0.1


@pytest.mark.pins("D077")
async def test_what_was_cut_off_is_not_kept(
    autojump_clock: MockClock, plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    voice = speaker(plugins, cache)
    mouth.pace = 1.0
    with trio.move_on_after(2.5):
        await said(voice, "abcdef")
    mouth.fail = ProviderClosed("mouth", "gone")
    with pytest.raises(ProviderClosed):
        await said(voice, "abcdef")
    mouth.fail = None
    assert len(await said(voice, "abcdef")) == 6
    assert len(mouth.requests) == 3


@pytest.mark.parametrize(
    "other", [{"voice": "b"}, {"speed": 1.5}, {"api_key": Secret("k")}, {"language": "de-DE"}]
)
async def test_another_manner_is_another_sound(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth, other: dict[str, object]
) -> None:
    await said(speaker(plugins, cache), "abc")
    await said(speaker(plugins, cache, **other), "abc")
    assert len(mouth.requests) == 2


@pytest.mark.pins("D072", "D208")
async def test_the_text_really_sent_counts(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """Pronunciations are applied once, and before the cache is asked."""
    words = (Pronunciation("a", "a a"),)
    config = TTSConfig("mouth", SpeechRequest("", format=VOICE), pronunciations=words)
    voice = Speaker.of(plugins.tts("mouth"), config, cache)
    await said(voice, "a b")
    await said(speaker(plugins, cache), "a a b")
    assert [request.text for request in mouth.requests] == ["a a b"]


async def test_a_voice_that_gives_what_nobody_wants_is_told_so(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    mouth.format = AudioFormat(Encoding.MP3, 24000)
    mouth.whole = True
    with pytest.raises(InvalidRequest, match="cannot convert mp3 to linear16"):
        await said(speaker(plugins, cache, format=AudioFormat()), "abc")


# --- what a voice is asked for ----------------------------------------------------------------


@asynccontextmanager
async def open_voice(mouth: Mouth, **ability: Any) -> AsyncIterator[Plugins]:
    abilities = {Capability.TTS: Ability(**ability)}
    manifest = attrs.evolve(plugin("mouth", mouth=mouth), abilities=abilities, aliases=("lips",))
    async with open_plugins(Discovery.of(manifest)) as opened:
        yield opened


@pytest.mark.pins("D121", "D122")
async def test_a_voice_with_one_rate_is_asked_once_for_all_listeners(
    cache: SpeechCache, mouth: Mouth
) -> None:
    """What differs between them is converted here, behind the cache."""
    async with open_voice(mouth, sample_rates=(24000,)) as plugins:
        for wanted in (
            AudioFormat(sample_rate=8000),
            AudioFormat(sample_rate=48000),
            AudioFormat(Encoding.MULAW, 8000),
            VOICE,
        ):
            frames = await said(speaker(plugins, cache, format=wanted), "abcdef")
            assert {frame.format for frame in frames} == {wanted}
            assert sum(frame.duration for frame in frames) == pytest.approx(0.6, abs=0.001)
    assert [request.format for request in mouth.requests] == [VOICE]


@pytest.mark.pins("D079")
async def test_who_names_no_voice_gets_the_providers_own(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    await said(speaker(plugins, cache), "abc")
    assert (mouth.requests[0].voice, mouth.requests[0].model) == (None, None)


@pytest.mark.pins("D071")
async def test_what_really_came_counts_and_not_what_was_asked_for(
    cache: SpeechCache, mouth: Mouth
) -> None:
    """A voice that ignores the wanted rate still speaks at its own pace."""
    mouth.format = AudioFormat(sample_rate=22050)
    async with open_voice(mouth) as plugins:
        frames = await said(speaker(plugins, cache), "abcdef")
    assert mouth.requests[0].format == VOICE
    assert sum(frame.duration for frame in frames) == pytest.approx(0.6, abs=0.001)
    assert frames[-1].start + frames[-1].duration == pytest.approx(0.6, abs=0.001)


@attrs.define(eq=False)
class Singer(Mouth):
    """Gives MP3 of a rate that nobody asked for."""

    async def _frames(self, text: str) -> AsyncIterator[AudioFrame]:  # type: ignore[override]
        await trio.lowlevel.checkpoint()
        yield AudioFrame(text.encode(), AudioFormat(Encoding.MP3, 44100))


async def test_compressed_sound_passes_as_it_comes(cache: SpeechCache) -> None:
    singer = Singer()
    encodings = (Encoding.LINEAR16, Encoding.MP3)
    async with open_voice(singer, encodings=encodings, sample_rates=(22050, 44100)) as plugins:
        voice = speaker(plugins, cache, format=AudioFormat(Encoding.MP3, 24000))
        heard = [await said(voice, "la la"), await said(voice, "la la")]
    assert [[frame.data for frame in frames] for frames in heard] == [[b"la la"]] * 2
    assert [request.format for request in singer.requests] == [AudioFormat(Encoding.MP3, 44100)]


async def test_markup_is_for_who_has_it(cache: SpeechCache, mouth: Mouth) -> None:
    """Pronunciations change its words. What has none, or takes less, is given the text."""
    speak = Speak("a or b", ssml="<speak>a<break/>or <s>b</s></speak>")
    words = (Pronunciation("speak", "talk"), Pronunciation("a", "A & A"))
    config = TTSConfig("mouth", SpeechRequest("", format=VOICE), pronunciations=words)

    async def sink(_frame: AudioFrame) -> None:
        await trio.lowlevel.checkpoint()

    abilities: list[dict[str, Any]] = [
        {"features": ("ssml",)},
        {},
        {"features": ("ssml",), "limits": Limits(text_bytes=20)},
    ]
    for ability in abilities:
        async with open_voice(mouth, **ability) as plugins:
            await Speaker.of(plugins.tts("mouth"), config).say(speak, sink)
    assert [(request.text, request.ssml) for request in mouth.requests] == [
        ("<speak>A &amp; A<break/>or <s>b</s></speak>", True),
        ("A & A or b", False),
        ("A & A or b", False),
    ]


# --- long text --------------------------------------------------------------------------------

STORY = "It begins. " + " ".join(f"Then thing number {number} came along." for number in range(60))


@pytest.mark.pins("D184")
async def test_a_long_text_is_said_piece_by_piece_in_order(
    cache: SpeechCache, mouth: Mouth
) -> None:
    async with open_voice(mouth, limits=Limits(text_bytes=200)) as plugins:
        frames = await said(speaker(plugins, cache), STORY)
    texts = [request.text for request in mouth.requests]
    assert " ".join(texts) == STORY
    assert len(texts[0]) < 120
    assert max(map(len, texts)) <= 200
    assert len(frames) == sum(map(len, texts))
    assert [frame.start for frame in frames] == pytest.approx([0.1 * n for n in range(len(frames))])


async def test_while_one_piece_is_heard_the_next_is_made_and_no_more(
    autojump_clock: MockClock, plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """So there is no gap, and who is interrupted has not paid for the rest."""
    asked: list[int] = []

    async def sink(frame: AudioFrame) -> None:
        asked.append(len(mouth.requests))
        await trio.sleep(frame.duration)

    with trio.move_on_after(30):
        await speaker(plugins, cache).say(Speak(STORY), sink)
    first = len(mouth.requests[0].text)
    assert set(asked[1:first]) == {2}
    assert (max(asked), asked[-1]) == (3, 3)
    assert len(asked) == pytest.approx(300, abs=1)
    assert mouth.open_requests == 0


async def test_a_second_time_each_piece_comes_from_the_cache(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """Also those of a text that was interrupted, and those that another text begins with."""
    voice = speaker(plugins, cache)
    first = await said(voice, STORY)
    asked = len(mouth.requests)
    assert await said(voice, STORY) == first
    assert len(mouth.requests) == asked
    await said(voice, f"{STORY} And so it ended.")
    assert len(mouth.requests) == asked + 1


@attrs.define(eq=False)
class Moody(Mouth):
    """Fails to say certain requests, by their number."""

    moods: dict[int, ProviderError] = attrs.Factory(dict)

    def synthesize(self, request: SpeechRequest) -> Any:
        self.fail = self.moods.get(len(self.requests) + 1)
        return super().synthesize(request)

    async def _frames(self, text: str) -> AsyncIterator[AudioFrame]:  # type: ignore[override]
        if isinstance(self.fail, ProviderBusy):
            raise self.fail
        async for frame in super()._frames(text):
            yield frame


async def test_what_was_made_is_heard_before_a_later_piece_fails(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    moody = Moody(moods={2: ProviderClosed("mouth", "gone")})
    heard: list[AudioFrame] = []

    async def sink(frame: AudioFrame) -> None:
        await trio.sleep(frame.duration)
        heard.append(frame)

    async with open_voice(moody) as plugins:
        with pytest.raises(ProviderClosed):
            await speaker(plugins, cache).say(Speak(STORY), sink)
    assert len(heard) == len(moody.requests[0].text) + 1


async def test_a_place_that_is_taken_between_two_pieces_is_waited_for(
    autojump_clock: MockClock, cache: SpeechCache
) -> None:
    at_once = ProviderBusy("mouth", "all lines taken", retry_after=0.0)
    soon = ProviderBusy("mouth", "all lines taken", retry_after=2.0)
    moody = Moody(moods={2: at_once, 3: soon})
    async with open_voice(moody) as plugins:
        frames = await said(speaker(plugins, cache), STORY)
    assert trio.current_time() == pytest.approx(2.25)
    assert len(frames) == len(STORY) - len(moody.requests) + 3


@pytest.mark.parametrize("number", [1, 2])
async def test_but_not_for_the_first_one_and_not_for_ever(
    autojump_clock: MockClock, cache: SpeechCache, number: int
) -> None:
    busy = ProviderBusy("mouth", "all lines taken", retry_after=7.0)
    moody = Moody(moods=dict.fromkeys(range(number, 100), busy))
    async with open_voice(moody) as plugins:
        with pytest.raises(ProviderBusy):
            await said(speaker(plugins, cache), STORY)
    assert trio.current_time() == pytest.approx(56.0 if number == 2 else 0.0)


async def test_a_wav_file_has_one_header_however_many_pieces(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    frames = await said(speaker(plugins, cache, format=AudioFormat(Encoding.WAV, 24000)), STORY)
    data = b"".join(frame.data for frame in frames)
    format, sound = read_wav(data)
    assert format == VOICE
    assert len(data) == len(sound) + 44
    assert format.duration(len(sound)) == pytest.approx(
        sum(len(request.text) for request in mouth.requests) / 10
    )


# --- the same for several at a time -----------------------------------------------------------


async def test_a_listener_that_is_slow_holds_up_nobody_else(
    autojump_clock: MockClock, plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """Not even if it came first, and the sound is made for it."""
    times: list[float] = []

    async def slow(_frame: AudioFrame) -> None:
        await trio.sleep(1000)

    async def quick(_frame: AudioFrame) -> None:
        await trio.lowlevel.checkpoint()
        times.append(trio.current_time())

    mouth.pace = 0.5
    async with trio.open_nursery() as nursery:
        nursery.start_soon(speaker(plugins, cache).say, Speak("abcd"), slow)
        await trio.sleep(0.1)
        nursery.start_soon(speaker(plugins, cache).say, Speak("abcd"), quick)
    assert times == [0.5, 1.0, 1.5, 2.0]
    assert len(mouth.requests) == 1


async def test_ten_sessions_say_a_long_text_with_one_request_for_each_piece(
    autojump_clock: MockClock, plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    """Each in a format of its own; one of them is interrupted."""
    alone = await said(speaker(plugins, SpeechCache(MemoryCache(), 60)), STORY)
    asked = len(mouth.requests)
    mouth.pace = 0.01
    sizes: list[int] = []

    async def listen(rate: int) -> None:
        voice = speaker(plugins, cache)
        wanted = attrs.evolve(voice.config.request, format=AudioFormat(sample_rate=rate))
        voice = attrs.evolve(voice, config=attrs.evolve(voice.config, request=wanted))
        frames = await said(voice, STORY)
        sizes.append(round(sum(frame.duration for frame in frames) * 100))

    async with trio.open_nursery() as nursery:
        for rate in [16000, 24000, 48000] * 3:
            nursery.start_soon(listen, rate)
        with trio.move_on_after(1.005):
            await said(speaker(plugins, cache), STORY)
    assert sizes == [10 * len(alone)] * 9
    assert len(mouth.requests) - asked in {asked, asked + 1}


async def test_a_voice_that_hangs_while_it_connects_is_given_up(
    autojump_clock: MockClock, cache: SpeechCache, mouth: Mouth
) -> None:
    """Entering the request counts against the same patience as the first sound."""
    mouth.connect_delay = 1000.0
    async with open_plugins(Discovery.of(plugin("mouth", mouth=mouth))) as plugins:
        with pytest.raises(ProviderUnavailable, match="no sound came for 30 s"):
            await said(speaker(plugins, cache), "abc")
    assert trio.current_time() == pytest.approx(30)
    assert mouth.open_requests == 0


@attrs.define(eq=False)
class Dumb(Mouth):
    """Answers every request, and without any sound."""

    async def _frames(self, text: str) -> AsyncGenerator[AudioFrame]:
        del text
        await trio.lowlevel.checkpoint()
        return
        yield


@pytest.mark.parametrize(
    ("text", "says"),
    [("Hello.", True), ("7", True), ("...", False), ("\N{WAVING HAND SIGN}", False)],
)
async def test_no_sound_at_all_is_an_error_unless_there_is_nothing_to_say(
    cache: SpeechCache, text: str, *, says: bool
) -> None:
    mouth = Dumb()
    async with open_plugins(Discovery.of(plugin("mouth", mouth=mouth))) as plugins:
        voice = speaker(plugins, cache)
        for asked in (1, 2):
            if says:
                with pytest.raises(ProviderProtocolError, match="said nothing"):
                    await said(voice, text)
                assert len(mouth.requests) == asked, "nothing of it is kept"
            else:
                assert await said(voice, text) == []
