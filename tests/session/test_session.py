"""What a client asks for, and what the session does."""

import pytest
import trio
import trio.testing
from support.providers import Ears, Mouth, next_event
from trio.testing import MockClock

from capabilities import (
    AudioFormat,
    Encoding,
    Final,
    Interim,
    ProviderClosed,
    ProviderRefused,
    SpeechFinal,
    SpeechRequest,
    STTOptions,
)
from waav.errors import SlowClient
from waav.session.commands import Clear, Configure, Pronunciation, Speak, STTConfig, TTSConfig
from waav.session.events import Failed, Ready, SpeechBegan, SpeechEnded, Transcribed
from waav.session.means import Means
from waav.session.session import Session, open_session

SECOND = bytes(32000)
HEARING = Configure(stt=STTConfig("ears"))
TALKING = Configure(tts=TTSConfig("mouth"))
BOTH = Configure(stt=STTConfig("ears"), tts=TTSConfig("mouth"))


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def take(session: Session, sound: list[bytes]) -> None:
    """Be the client's loudspeaker."""
    async for frame in session.audio_out:
        sound.append(frame.data)  # noqa: PERF401 - read while it grows


# --- listening --------------------------------------------------------------------------------


async def test_words_come_back_in_order(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await session.submit(HEARING)
    assert await next_event(session) == Ready(session.stream_id, stt=True, tts=False)
    session.push_audio(SECOND)
    ears.say(Interim("he", 0.4), Interim("hello"), Final("hello", 0.9), SpeechFinal())
    events = [await next_event(session) for _ in range(4)]
    assert events == [
        Transcribed("he", confidence=0.4),
        Transcribed("hello"),
        Transcribed("hello", final=True, confidence=0.9),
        Transcribed("hello", final=True, speech_final=True, turn="hello", confidence=1.0),
    ]
    await settle()
    assert ears.seconds == pytest.approx(1.0)


async def test_a_final_that_ends_the_turn_is_one_event(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await session.submit(HEARING)
    await next_event(session, Ready)
    ears.say(Final("hello"), Final("world", speech_final=True))
    await next_event(session, Transcribed)
    assert await next_event(session) == Transcribed(
        "world", final=True, speech_final=True, turn="hello world"
    )


@pytest.mark.pins("D134")
@pytest.mark.parametrize(("mode", "text"), [("full", "a b"), ("last", "b"), ("empty", "")])
async def test_silence_ends_a_turn(
    autojump_clock: MockClock, session: Session, ears: Ears, mode: str, text: str
) -> None:
    """1.8 s after the last final the gateway decides itself, and says that it did."""
    stt = STTConfig("ears", forced_final_text=mode)  # type: ignore[arg-type]
    await session.submit(Configure(stt=stt))
    await next_event(session, Ready)
    ears.say(Final("a"), Final("b"))
    await next_event(session)
    await next_event(session)
    heard_at = trio.current_time()
    forced = await next_event(session)
    assert trio.current_time() - heard_at == pytest.approx(1.8)
    assert forced == Transcribed(
        text, final=True, speech_final=True, forced=True, turn="a b", confidence=1.0
    )


@pytest.mark.pins("D012")
async def test_audio_before_ready_is_not_lost(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    """A client that sends at once, to a provider that takes three seconds to open."""
    ears.connect_delay = 3.0
    await session.submit(HEARING)
    for _ in range(150):
        session.push_audio(SECOND[:640])
        await trio.sleep(0.02)
    await next_event(session, Ready)
    await trio.sleep(1)
    assert ears.seconds == pytest.approx(3.0)
    assert session.dropped_frames == 0


@pytest.mark.pins("D012")
async def test_more_audio_than_can_be_kept_is_told_once(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    ears.connect_delay = 10.0
    await session.submit(HEARING)
    for _ in range(400):
        session.push_audio(SECOND[:640])
        await trio.sleep(0.02)
    assert (await next_event(session)) == Failed(
        "audio_overflow",
        "More than 5 s of audio came before the provider was ready; the oldest is lost.",
    )
    assert isinstance(await next_event(session), Ready)
    await settle()
    assert ears.seconds == pytest.approx(5.0, abs=0.05)
    assert ears.frames[0].start == pytest.approx(3.0, abs=0.05)


@pytest.mark.pins("D201")
async def test_a_stalled_provider_does_not_hold_the_client(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    """Pushing never waits: what its provider is a second late in taking is dropped and counted."""
    ears.stalled = True
    await session.submit(HEARING)
    await next_event(session, Ready)
    for _ in range(500):
        session.push_audio(SECOND[:640])
        await trio.sleep(0.02)
    assert session.dropped_frames == pytest.approx(450, abs=3)


@pytest.mark.pins("D200")
async def test_audio_for_nobody_is_answered_once(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    for _ in range(50):
        session.push_audio(SECOND)
    assert (await next_event(session)).code == "audio_disabled"  # type: ignore[union-attr]
    await session.submit(HEARING)
    assert isinstance(await next_event(session), Ready)
    # A stream that breaks is told; that is all that there is to say to the audio behind it.
    ears.say(ProviderClosed("ears", "gone"))
    assert await next_event(session) == Failed(
        "stt_error", "STT streaming error: Network error: ears: gone"
    )
    session.push_audio(SECOND)
    session.push_audio(SECOND)
    await settle()
    with pytest.raises(trio.WouldBlock):
        session.events.receive_nowait()


@pytest.mark.pins("D180")
async def test_the_provider_gets_a_format_that_it_takes(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    """Telephone stereo in, 16 kHz mono out; bytes come torn."""
    wanted = AudioFormat(Encoding.MULAW, 8000, 2)
    await session.submit(Configure(stt=STTConfig("ears", STTOptions(format=wanted))))
    await next_event(session, Ready)
    for _ in range(100):
        session.push_audio(b"\xff" * 333)
    await trio.sleep(1)
    assert {frame.format for frame in ears.frames} == {AudioFormat()}
    assert ears.options[0].format == AudioFormat()
    assert ears.seconds == pytest.approx(33300 / 16000, abs=0.07)


async def test_an_odd_byte_waits_for_its_other_half(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await session.submit(HEARING)
    await next_event(session, Ready)
    session.push_audio(b"\1\2\3")
    session.push_audio(b"\4")
    await settle()
    assert b"".join(frame.data for frame in ears.frames) == b"\1\2\3\4"


# --- configuring ------------------------------------------------------------------------------


@pytest.mark.pins("D185", "D187")
async def test_a_second_config_is_a_merge(
    autojump_clock: MockClock, session: Session, ears: Ears, mouth: Mouth
) -> None:
    """What it names is replaced, the old one closed first; what it does not name stays."""
    await session.submit(Configure(stt=STTConfig("ears"), stream_id="mine"))
    assert await next_event(session) == Ready("mine", stt=True, tts=False)
    await session.submit(Configure(tts=TTSConfig("mouth"), stream_id="other"))
    assert await next_event(session) == Ready("mine", stt=True, tts=True)
    assert len(ears.options) == 1
    await session.submit(
        Configure(stt=STTConfig("ears", STTOptions(format=AudioFormat(sample_rate=48000))))
    )
    assert await next_event(session) == Ready("mine", stt=True, tts=True)
    assert (len(ears.options), ears.open_streams) == (2, 1)
    session.push_audio(bytes(96000))
    await settle()
    assert ears.seconds == pytest.approx(1.0, abs=0.05)


async def test_audio_off_ends_both(autojump_clock: MockClock, session: Session, ears: Ears) -> None:
    await session.submit(BOTH)
    await next_event(session, Ready)
    await session.submit(Configure(audio=False))
    assert await next_event(session) == Ready(session.stream_id, stt=False, tts=False)
    assert ears.open_streams == 0
    await session.submit(Speak("hello"))
    assert isinstance(await next_event(session), Failed)


@pytest.mark.pins("D193")
@pytest.mark.parametrize("config", [HEARING, TALKING, Configure(stt=STTConfig("gateway"))])
async def test_one_side_is_enough(
    autojump_clock: MockClock, session: Session, config: Configure
) -> None:
    await session.submit(config)
    assert isinstance(await next_event(session), Ready)


@pytest.mark.parametrize(
    ("config", "code", "text"),
    [
        (Configure(), "missing_stt_config", "STT configuration is required"),
        (Configure(tts=TTSConfig("gateway")), "missing_provider", "tts.provider is not configured"),
        (Configure(stt=STTConfig("eers")), "unsupported_provider", "(known for stt: ears)"),
        (Configure(tts=TTSConfig("ears")), "unsupported_provider", "(known for tts: mouth)"),
        (
            Configure(stt=STTConfig("ears", STTOptions(format=AudioFormat(Encoding.OPUS)))),
            "invalid_audio_format",
            "Failed to create voice manager: ears does not take opus audio",
        ),
        (
            Configure(tts=TTSConfig("mouth", SpeechRequest("", format=AudioFormat(Encoding.MP3)))),
            "invalid_audio_format",
            "mouth does not give mp3 audio",
        ),
    ],
)
async def test_a_wrong_config_is_told_and_may_be_corrected(
    autojump_clock: MockClock, session: Session, config: Configure, code: str, text: str
) -> None:
    await session.submit(config)
    failed = await next_event(session)
    assert isinstance(failed, Failed)
    assert failed.code == code
    assert text in failed.message
    await session.submit(BOTH)
    assert isinstance(await next_event(session), Ready)


async def test_a_provider_that_refuses_leaves_nothing_behind(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    ears.fail = ProviderRefused("ears", "no such model")
    await session.submit(BOTH)
    assert await next_event(session) == Failed(
        "provider_start_failed",
        "Failed to start voice manager: STT error: Configuration error: ears: no such model",
    )
    assert ears.open_streams == 0
    await session.submit(Speak("hello"))
    assert (await next_event(session)).code == "not_configured"  # type: ignore[union-attr]
    ears.fail = None
    await session.submit(BOTH)
    assert isinstance(await next_event(session), Ready)


async def test_a_provider_that_does_not_answer_is_given_up(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    ears.connect_delay = 1000.0
    await session.submit(HEARING)
    assert (await next_event(session)).code == "provider_timeout"  # type: ignore[union-attr]
    assert trio.current_time() == pytest.approx(30.0)


@pytest.mark.parametrize(
    "refused",
    [Configure(stt=STTConfig("none")), Configure(stt=STTConfig("ears"), tts=TTSConfig("none"))],
)
async def test_a_refused_second_config_leaves_the_first_at_work(
    autojump_clock: MockClock, session: Session, ears: Ears, refused: Configure
) -> None:
    await session.submit(HEARING)
    await next_event(session, Ready)
    await session.submit(refused)
    assert isinstance(await next_event(session), Failed)
    session.push_audio(SECOND)
    await settle()
    assert ears.seconds == pytest.approx(1.0)
    assert ears.open_streams == 1


async def test_two_configs_in_a_row_are_each_answered_truly(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    ears.connect_delay = 1.0
    await session.submit(HEARING)
    await session.submit(HEARING)
    for _ in range(2):
        assert await next_event(session) == Ready(session.stream_id, stt=True, tts=False)


async def test_audio_off_stops_even_what_may_not_be_interrupted(
    autojump_clock: MockClock, session: Session, mouth: Mouth, nursery: trio.Nursery
) -> None:
    sound: list[bytes] = []
    nursery.start_soon(take, session, sound)
    mouth.pace = 0.1
    await session.submit(TALKING)
    await session.submit(Speak("x" * 50, allow_interruption=False))
    await next_event(session, SpeechBegan)
    await session.submit(Configure(audio=False))
    await next_event(session, Ready)
    before = len(sound)
    await trio.sleep(3)
    assert len(sound) == before
    await session.submit(Speak("more"))
    assert (await next_event(session, Failed)).code == "audio_disabled"  # type: ignore[union-attr]
    nursery.cancel_scope.cancel()


async def test_a_stream_that_ends_by_itself_is_told(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await session.submit(HEARING)
    await next_event(session, Ready)
    ears.hang_up()
    assert await next_event(session) == Failed(
        "stt_error", "STT streaming error: Network error: ears: the stream ended"
    )


@pytest.mark.parametrize("nonsense", ["hello", Final(None)])  # type: ignore[arg-type]
async def test_a_plugin_that_gives_nonsense_is_the_one_to_blame(
    autojump_clock: MockClock, session: Session, ears: Ears, nonsense: object
) -> None:
    await session.submit(HEARING)
    await next_event(session, Ready)
    ears.say(nonsense)  # type: ignore[arg-type]
    failed = await next_event(session)
    assert failed == Failed("plugin_failed", "STT streaming error: ears: unexpected TypeError")
    await session.submit(HEARING)
    assert isinstance(await next_event(session), Ready)


# --- speaking ---------------------------------------------------------------------------------


@pytest.mark.pins("D081", "D192")
async def test_each_speak_gets_one_completion_behind_its_sound(
    autojump_clock: MockClock, session: Session, nursery: trio.Nursery
) -> None:
    sound: list[bytes] = []
    nursery.start_soon(take, session, sound)
    await session.submit(TALKING)
    await next_event(session, Ready)
    for text in ("abc", "  ", "de"):
        await session.submit(Speak(text))
    told = []
    for _ in range(5):
        event = await next_event(session)
        told.append((type(event).__name__, getattr(event, "how", ""), len(sound)))
    assert told == [
        ("SpeechBegan", "", 0),
        ("SpeechEnded", "spoken", 3),
        ("SpeechEnded", "spoken", 3),
        ("SpeechBegan", "", 3),
        ("SpeechEnded", "spoken", 5),
    ]
    nursery.cancel_scope.cancel()


async def test_a_completion_waits_until_the_last_frame_is_dealt_with(
    autojump_clock: MockClock, session: Session
) -> None:
    await session.submit(TALKING)
    await session.submit(Speak("ab"))
    await next_event(session, SpeechBegan)
    frames = aiter(session.audio_out)
    await anext(frames)
    await anext(frames)
    await settle()
    with pytest.raises(trio.WouldBlock):
        session.events.receive_nowait()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(anext, frames)
        ended = await next_event(session)
        assert isinstance(ended, SpeechEnded)
        assert ended.duration == pytest.approx(0.2)
        nursery.cancel_scope.cancel()


async def test_a_failed_speak_is_told_and_completed(
    autojump_clock: MockClock, session: Session, mouth: Mouth, nursery: trio.Nursery
) -> None:
    nursery.start_soon(take, session, [])
    mouth.fail = ProviderClosed("mouth", "hung up")
    await session.submit(TALKING)
    await next_event(session, Ready)
    await session.submit(Speak("abc"))
    await next_event(session, SpeechBegan)
    assert await next_event(session) == Failed(
        "tts_error", "TTS error: Network error: mouth: hung up"
    )
    assert (await next_event(session)).how == "failed"  # type: ignore[union-attr]
    mouth.fail = None
    await session.submit(Speak("abc"))
    assert (await next_event(session, SpeechEnded)).how == "spoken"  # type: ignore[union-attr]
    nursery.cancel_scope.cancel()


async def test_clear_stops_at_once_and_forgets_the_rest(
    autojump_clock: MockClock, session: Session, mouth: Mouth, nursery: trio.Nursery
) -> None:
    """No frame of a cancelled utterance follows, and what comes after is spoken."""
    sound: list[bytes] = []
    nursery.start_soon(take, session, sound)
    mouth.pace = 0.1
    await session.submit(TALKING)
    await next_event(session, Ready)
    await session.submit(Speak("a" * 100))
    await session.submit(Speak("never"))
    await trio.sleep(1.05)
    await session.submit(Clear())
    ended = [await next_event(session, SpeechEnded) for _ in range(2)]
    assert {event.how for event in ended} == {"cleared"}  # type: ignore[union-attr]
    assert {event.utterance for event in ended} == {"u1", "u2"}  # type: ignore[union-attr]
    before = len(sound)
    assert mouth.open_requests == 0
    await trio.sleep(5)
    assert len(sound) == before
    await session.submit(Speak("ab"))
    assert (await next_event(session, SpeechEnded)).how == "spoken"  # type: ignore[union-attr]
    assert len(sound) == before + 2
    assert len(mouth.requests) == 2
    nursery.cancel_scope.cancel()


async def test_clear_takes_effect_while_the_client_does_not_read(
    autojump_clock: MockClock, session: Session, mouth: Mouth
) -> None:
    mouth.whole = True
    await session.submit(TALKING)
    await session.submit(Speak("a" * 600))
    await next_event(session, SpeechBegan)
    await settle()
    await session.submit(Clear())
    assert (await next_event(session, SpeechEnded)).how == "cleared"  # type: ignore[union-attr]


@pytest.mark.pins("D178")
async def test_clear_does_not_wait_for_sound_that_a_provider_does_not_take(
    autojump_clock: MockClock,
    session: Session,
    ears: Ears,
    mouth: Mouth,
    nursery: trio.Nursery,
) -> None:
    """A recogniser that hangs in the middle of a frame holds its own task and nothing else."""
    nursery.start_soon(take, session, [])
    mouth.pace = 0.1
    await session.submit(BOTH)
    await next_event(session, Ready)
    ears.stalled = True
    for _ in range(50):
        session.push_audio(SECOND[:640])
    await session.submit(Speak("a" * 100))
    await next_event(session, SpeechBegan)
    now = trio.current_time()
    await session.submit(Clear())
    assert (await next_event(session, SpeechEnded)).how == "cleared"  # type: ignore[union-attr]
    assert trio.current_time() == now
    nursery.cancel_scope.cancel()


async def test_clear_when_nothing_plays_is_no_error(
    autojump_clock: MockClock, session: Session
) -> None:
    await session.submit(Clear())
    await session.submit(TALKING)
    assert isinstance(await next_event(session), Ready)


async def test_what_may_not_be_interrupted_is_not(
    autojump_clock: MockClock, session: Session, ears: Ears, nursery: trio.Nursery
) -> None:
    """Neither by clear nor by words, until the client has heard it: 3 s after it was sent at once."""
    nursery.start_soon(take, session, [])
    await session.submit(BOTH)
    await next_event(session, Ready)
    await session.submit(Speak("x" * 30, allow_interruption=False))
    await session.submit(Clear())
    ears.say(Final("be quiet"))
    assert (await next_event(session, SpeechEnded)).how == "spoken"  # type: ignore[union-attr]
    ears.say(Interim("I said"), Final("be quiet"))
    await trio.sleep(2.9)
    await session.submit(Clear())
    with pytest.raises(trio.WouldBlock):
        session.events.receive_nowait()
    await trio.sleep(3)
    ears.say(Final("thank you", speech_final=True))
    assert await next_event(session) == Transcribed(
        "thank you", final=True, speech_final=True, turn="thank you"
    )
    nursery.cancel_scope.cancel()


async def test_an_utterance_may_have_a_voice_of_its_own(
    autojump_clock: MockClock, session: Session, mouth: Mouth, nursery: trio.Nursery
) -> None:
    nursery.start_soon(take, session, [])
    config = TTSConfig(
        "mouth", SpeechRequest("", voice="a", speed=1.5), pronunciations=(Pronunciation("x", "ex"),)
    )
    await session.submit(Configure(tts=config))
    await session.submit(Speak("x xx", voice="b", model="m"))
    await session.submit(Speak("x"))
    await next_event(session, SpeechEnded)
    await next_event(session, SpeechEnded)
    asked = [(each.text, each.voice, each.model, each.speed) for each in mouth.requests]
    assert asked == [("ex xx", "b", "m", 1.5), ("ex", "a", None, 1.5)]
    nursery.cancel_scope.cancel()


async def test_speak_without_a_voice_is_an_error(
    autojump_clock: MockClock, session: Session
) -> None:
    await session.submit(Speak("hello"))
    assert (await next_event(session)).code == "audio_disabled"  # type: ignore[union-attr]
    await session.submit(HEARING)
    await next_event(session, Ready)
    await session.submit(Speak("hello"))
    assert (await next_event(session)).code == "missing_tts_config"  # type: ignore[union-attr]


async def test_a_voice_that_falls_silent_is_given_up(
    autojump_clock: MockClock, session: Session, mouth: Mouth, nursery: trio.Nursery
) -> None:
    nursery.start_soon(take, session, [])
    mouth.pace = 1000.0
    await session.submit(TALKING)
    await session.submit(Speak("a"))
    failed = await next_event(session, Failed)
    assert failed == Failed(
        "tts_error", "TTS error: Connection failed: mouth: no sound came for 30 s"
    )
    nursery.cancel_scope.cancel()


async def test_a_flood_of_text_is_refused_and_clear_still_works(
    autojump_clock: MockClock, session: Session
) -> None:
    await session.submit(TALKING)
    for _ in range(15):
        await session.submit(Speak("a" * 100_000))
    refused = await next_event(session, Failed)
    assert refused.code == "speak_queue_full"  # type: ignore[union-attr]
    await session.submit(Clear())
    assert (await next_event(session, SpeechEnded)).how == "cleared"  # type: ignore[union-attr]


async def test_a_clear_in_the_last_moment_gives_no_completion(
    autojump_clock: MockClock, session: Session
) -> None:
    """All has been synthesised; the last frame is still on its way to a slow client."""
    await session.submit(TALKING)
    await session.submit(Speak("ab"))
    await next_event(session, SpeechBegan)
    frames = aiter(session.audio_out)
    await anext(frames)
    await anext(frames)
    await settle()
    await session.submit(Clear())
    assert (await next_event(session, SpeechEnded)).how == "cleared"  # type: ignore[union-attr]


async def test_no_completion_overtakes_a_slow_listener(
    autojump_clock: MockClock, session: Session, nursery: trio.Nursery
) -> None:
    told: list[str] = []

    async def listen() -> None:
        async for frame in session.audio_out:
            await trio.sleep(0.1)
            told.append(f"{frame.duration:.1f}")

    nursery.start_soon(listen)
    await session.submit(TALKING)
    await session.submit(Speak("abcd"))
    await next_event(session, SpeechEnded)
    assert told == ["0.1"] * 4
    nursery.cancel_scope.cancel()


async def test_no_frame_follows_a_clear_though_events_wait(
    autojump_clock: MockClock, session: Session, ears: Ears, nursery: trio.Nursery
) -> None:
    """The client reads sound but is slow with events, so that the begin of speech waits."""
    sound: list[bytes] = []
    await session.submit(BOTH)
    await next_event(session, Ready)
    nursery.start_soon(take, session, sound)
    ears.say(*[Interim(str(number)) for number in range(66)])
    await settle()
    await session.submit(Speak("abc"))
    await settle()
    await session.submit(Clear())
    await settle()
    while (event := await next_event(session)) and not isinstance(event, SpeechEnded):
        pass
    assert event.how == "cleared"
    assert sound == []
    nursery.cancel_scope.cancel()


async def test_a_flood_of_nothing_is_bounded_too(
    autojump_clock: MockClock, session: Session
) -> None:
    await session.submit(TALKING)
    await session.submit(Speak("a"))
    for _ in range(4120):
        await session.submit(Speak(""))
    assert (await next_event(session, Failed)).code == "speak_queue_full"  # type: ignore[union-attr]


# --- ending -----------------------------------------------------------------------------------


async def test_leaving_closes_the_providers(
    autojump_clock: MockClock, means: Means, ears: Ears, mouth: Mouth
) -> None:
    mouth.pace = 1.0
    async with open_session(means) as session:
        await session.submit(BOTH)
        await next_event(session, Ready)
        await session.submit(Speak("abc"))
        await trio.sleep(1.5)
        assert (ears.open_streams, mouth.open_requests) == (1, 1)
    assert (ears.open_streams, mouth.open_requests) == (0, 0)


async def test_both_ways_out_end_with_the_session(
    autojump_clock: MockClock, means: Means, nursery: trio.Nursery
) -> None:
    ended: list[str] = []

    async def until_the_end(source: object, name: str) -> None:
        async for _ in source:  # type: ignore[attr-defined]
            pass
        ended.append(name)

    async with open_session(means) as session:
        nursery.start_soon(until_the_end, session.events, "events")
        nursery.start_soon(until_the_end, session.audio_out, "audio")
    await settle()
    assert sorted(ended) == ["audio", "events"]
    with pytest.raises(trio.BrokenResourceError):
        await session.submit(Clear())


async def test_a_provider_without_last_words_gets_half_a_second(
    autojump_clock: MockClock, means: Means, ears: Ears
) -> None:
    ears.stalled = True
    async with open_session(means) as session:
        await session.submit(HEARING)
        await next_event(session, Ready)
        session.push_audio(SECOND)
        await settle()
        left_at = trio.current_time()
    assert trio.current_time() - left_at == pytest.approx(0.5)
    assert ears.open_streams == 0


async def test_a_client_that_reads_no_events_loses_its_session(
    autojump_clock: MockClock, means: Means, ears: Ears
) -> None:
    with pytest.raises(SlowClient):
        async with open_session(means) as session:
            await session.submit(HEARING)
            await next_event(session, Ready)
            ears.say(*[Interim(str(n)) for n in range(70)])
            await trio.sleep_forever()
    assert trio.current_time() == pytest.approx(10.0)
    assert ears.open_streams == 0


@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
async def test_cancelling_at_any_moment_leaves_nothing(
    autojump_clock: MockClock, means: Means, ears: Ears, mouth: Mouth, after: float
) -> None:
    ears.connect_delay, mouth.pace = 1.0, 0.3
    with trio.move_on_after(after):
        async with open_session(means) as session:
            await session.submit(BOTH)
            await session.submit(Speak("abcdefgh"))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(take, session, [])
                while True:
                    session.push_audio(SECOND[:640])
                    await trio.sleep(0.02)
    await trio.testing.wait_all_tasks_blocked()
    assert (ears.open_streams, mouth.open_requests) == (0, 0)
