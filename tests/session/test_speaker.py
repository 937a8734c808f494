"""One text becomes its sound: fresh, or as it was said before."""

import pytest
import trio
from support.providers import Mouth
from trio.testing import MockClock

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    ProviderClosed,
    Secret,
    SpeechRequest,
)
from waav.errors import InvalidRequest
from waav.plugins import Plugins
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


async def test_text_beyond_the_providers_limit_is_refused(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    with pytest.raises(InvalidRequest, match="takes 102400 bytes of text, not 102401"):
        await said(speaker(plugins, cache), "a" * 102_401)
    assert mouth.requests == []


async def test_a_voice_that_gives_what_nobody_wants_is_told_so(
    plugins: Plugins, cache: SpeechCache, mouth: Mouth
) -> None:
    mouth.format = AudioFormat(Encoding.MP3, 24000)
    mouth.whole = True
    with pytest.raises(InvalidRequest, match="cannot convert mp3 to linear16"):
        await said(speaker(plugins, cache, format=AudioFormat()), "abc")
