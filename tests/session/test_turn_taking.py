"""Who may talk: a session on scripted providers, a scripted voice detector and a scripted judge."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from support.providers import Ears, Mouth, Oracle, Sentry, next_event, plugin
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    Interim,
    ProviderClosed,
    ProviderUnavailable,
    Said,
    SpeechFinal,
    SpeechStarted,
    SpeechStopped,
    STTOptions,
    TurnQuestion,
    TurnVerdict,
)
from waav.config import Config
from waav.plugins import Discovery, open_plugins
from waav.session.choices import TURN_KINDS, Choices
from waav.session.commands import (
    Clear,
    Configure,
    Interruption,
    Speak,
    STTConfig,
    TTSConfig,
    TurnDetection,
    VoiceDetection,
)
from waav.session.events import (
    Failed,
    Interrupted,
    Paused,
    Ready,
    Resumed,
    SpeechBegan,
    SpeechEnded,
    Transcribed,
    VoiceHeard,
)
from waav.session.means import Means
from waav.session.session import Session, open_session
from waav.turns.endpointing import Waits

SECOND = bytes(32000)


@attrs.define(eq=False)
class Cast:
    """All who have a part."""

    ears: Ears = attrs.Factory(Ears)
    mouth: Mouth = attrs.Factory(lambda: Mouth(pace=0.1))
    sentry: Sentry | None = attrs.Factory(Sentry)
    oracles: dict[str, Oracle] = attrs.Factory(dict)
    takes: tuple[Encoding, ...] = (Encoding.LINEAR16,)
    """Encodings of the sound that the ears take."""

    @asynccontextmanager
    async def session(self, choices: Choices = Choices()) -> AsyncIterator[Session]:  # noqa: B008 - frozen
        manifests = [
            plugin("ears", self.ears, encodings=self.takes),
            plugin("mouth", mouth=self.mouth),
            *(plugin(name, oracle=each, features=(name,)) for name, each in self.oracles.items()),
        ]
        if self.sentry is not None:
            manifests.append(plugin("sentry", sentry=self.sentry))
        choices = attrs.evolve(choices, vad_provider="sentry")
        async with (
            open_plugins(Discovery.of(*manifests)) as plugins,
            open_session(Means(plugins, choices=choices)) as session,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._play, session)
            yield session
            nursery.cancel_scope.cancel()

    async def _play(self, session: Session) -> None:
        async for _ in session.audio_out:
            pass

    @property
    def voices(self) -> Sentry:
        assert self.sentry is not None
        return self.sentry


def both(
    *,
    vad: VoiceDetection = VoiceDetection(),  # noqa: B008 - frozen
    turn: TurnDetection = TurnDetection(),  # noqa: B008 - frozen
    interruption: Interruption = Interruption(),  # noqa: B008 - frozen
) -> Configure:
    return Configure(
        stt=STTConfig("ears", vad=vad, turn=turn),
        tts=TTSConfig("mouth"),
        interruption=interruption,
    )


MAY_INTERRUPT = both(interruption=Interruption(enabled=True))
TALKING = SpeechStarted(0.0)
QUIET = SpeechStopped(0.0)


# --- interruption -----------------------------------------------------------------------------


async def test_the_user_interrupts(autojump_clock: MockClock) -> None:
    """A voice makes the agent hold on, words make it stop; the ledger says what was heard."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x" * 100))
        await next_event(session, SpeechBegan)
        await trio.sleep(2.0)
        cast.voices.say(TALKING)
        assert await next_event(session) == VoiceHeard(talking=True, at=0.0)
        assert await next_event(session) == Paused()
        cast.ears.say(Interim("wait"))
        cut = await next_event(session)
        assert isinstance(cut, Interrupted)
        assert (cut.utterance, cut.by) == ("u1", "user")
        assert cut.played == pytest.approx(2.5, abs=0.2)
        assert cut.sent >= cut.played
        ended = await next_event(session, SpeechEnded)
        assert isinstance(ended, SpeechEnded)
        assert ended.how == "cleared"


@pytest.mark.parametrize("tells", [True, False])
async def test_the_ledger_has_the_words_that_were_heard_if_the_voice_tells(
    autojump_clock: MockClock, *, tells: bool
) -> None:
    cast = Cast(mouth=Mouth(pace=0.1, tells=tells))
    async with cast.session() as session:
        await session.submit(both())
        await session.submit(Speak("Good day to you"))
        await next_event(session, SpeechBegan)
        await trio.sleep(0.75)
        await session.submit(Clear())
        cut = await next_event(session, Interrupted)
    assert isinstance(cut, Interrupted)
    assert cut.text == ("Good day" if tells else None)


async def test_a_voice_without_words_is_no_interruption(autojump_clock: MockClock) -> None:
    """The agent holds on, hears nothing, and goes on to its end; not a frame is lost."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x" * 50))
        await next_event(session, SpeechBegan)
        cast.voices.say(TALKING)
        await next_event(session, Paused)
        cast.voices.say(QUIET)
        await next_event(session, Resumed)
        ended = await next_event(session, SpeechEnded)
    assert ended == SpeechEnded("u1", "spoken", pytest.approx(5.0))


async def test_an_echo_of_the_last_turn_does_not_stop_the_answer(autojump_clock: MockClock) -> None:
    """We ended the turn, the agent answers at once, and the provider repeats what we know."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await next_event(session, Ready)
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        assert await next_event(session) == Transcribed(
            "hello", final=True, speech_final=True, turn="hello", confidence=1.0, forced=True
        )
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.ears.say(Final("hello", speech_final=True))
        ended = await next_event(session)
    assert ended == SpeechEnded("u1", "spoken", pytest.approx(2.0))


async def test_nothing_leaves_while_the_agent_holds_on(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.voices.say(TALKING)
        await next_event(session, Paused)
        with trio.move_on_after(9.0):
            await next_event(session, SpeechEnded)
            pytest.fail("it went on")


async def test_by_default_only_the_client_interrupts(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.ears.say(Final("stop it now"), SpeechFinal())
        ended = await next_event(session, SpeechEnded)
    assert isinstance(ended, SpeechEnded)
    assert ended.how == "spoken"


@pytest.mark.pins("D139")
async def test_the_user_does_not_interrupt_what_may_not_be(autojump_clock: MockClock) -> None:
    """By the session's own clock: the wall clock does not move in this test at all."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x" * 20, allow_interruption=False))
        await next_event(session, SpeechBegan)
        cast.voices.say(TALKING)
        cast.ears.say(Final("stop it"))
        ended = await next_event(session, SpeechEnded)
        assert ended == SpeechEnded("u1", "spoken", pytest.approx(2.0))
        await trio.sleep(2.0)
        cast.ears.say(Final("hello"))
        heard = await next_event(session, Transcribed)
        assert isinstance(heard, Transcribed)
        assert heard.text == "hello"


async def test_words_interrupt_without_a_voice_detector(autojump_clock: MockClock) -> None:
    cast = Cast(sentry=None)
    async with cast.session() as session:
        await session.submit(both(interruption=Interruption(enabled=True, min_words=2)))
        await session.submit(Speak("x" * 50))
        await next_event(session, SpeechBegan)
        cast.ears.say(Interim("uh"))
        await next_event(session, Transcribed)
        cast.ears.say(Interim("uh stop"))
        assert isinstance(await next_event(session, Interrupted), Interrupted)


async def test_who_nods_does_not_interrupt_and_each_session_has_nods_of_its_own(
    autojump_clock: MockClock,
) -> None:
    cast = Cast(sentry=None)
    wish = Interruption(enabled=True)
    async with cast.session(Choices.of(Config())) as session:
        for number, words in enumerate([None, ("genau",)], 1):
            await session.submit(both(interruption=attrs.evolve(wish, ignore_words=words)))
            await session.submit(Speak("x" * 50))
            await next_event(session, SpeechBegan)
            cast.ears.say(Interim("Uh-huh." if words is None else "Genau!"))
            await next_event(session, Transcribed)
            ended = await next_event(session, SpeechEnded)
            assert ended == SpeechEnded(f"u{number}", "spoken", pytest.approx(5.0))
        await session.submit(Speak("x" * 50))
        await next_event(session, SpeechBegan)
        cast.ears.say(Interim("Uh-huh."))
        assert isinstance(await next_event(session, Interrupted), Interrupted)


async def test_a_refused_configuration_leaves_the_rules_as_they_were(
    autojump_clock: MockClock,
) -> None:
    cast = Cast(sentry=None)
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        wish = Interruption(enabled=True)
        await session.submit(Configure(stt=STTConfig("nobody"), interruption=wish))
        await next_event(session, Failed)
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.ears.say(Final("stop it now"))
        ended = await next_event(session, SpeechEnded)
    assert ended == SpeechEnded("u1", "spoken", pytest.approx(2.0))


async def test_a_clear_while_the_agent_holds_on_ends_the_pause(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.voices.say(TALKING)
        await next_event(session, Paused)
        await session.submit(Clear())
        cut = await next_event(session)
        assert isinstance(cut, Interrupted)
        assert cut.by == "client"
        await next_event(session, SpeechEnded)
        await session.submit(Speak("again"))
        ended = await next_event(session, SpeechEnded)
        assert ended == SpeechEnded("u2", "spoken", pytest.approx(0.5))


@pytest.mark.parametrize("order", [Clear(), Configure(audio=False)], ids=["clear", "audio-off"])
async def test_a_pause_ends_also_with_a_clear_that_cuts_nothing_off(
    autojump_clock: MockClock, order: Clear | Configure
) -> None:
    """The client holds on, and would with what comes next: each pause is told to be over."""

    class Mute(Mouth):
        async def _frames(self, _text: str) -> AsyncGenerator[AudioFrame]:
            return
            yield

    cast = Cast(mouth=Mute(connect_delay=1.0))
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await session.submit(Speak("x"))
        await next_event(session, Ready)
        cast.voices.say(TALKING)
        await next_event(session, Paused)
        await next_event(session, SpeechEnded)
        await session.submit(order)
        await next_event(session, Resumed)


async def test_interruption_can_be_switched_on_later(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        assert cast.voices.open_streams == 0
        await session.submit(Configure(interruption=Interruption(enabled=True)))
        await next_event(session, Ready)
        await wait_all_tasks_blocked()
        assert cast.voices.open_streams == 1


# --- voices -----------------------------------------------------------------------------------


async def test_voices_are_told_with_the_users_time(autojump_clock: MockClock) -> None:
    """Also of a detector that is switched on in the middle of the sound."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        session.push_audio(SECOND)
        await wait_all_tasks_blocked()
        await session.submit(both(vad=VoiceDetection(enabled=True, threshold=0.4)))
        await next_event(session, Ready)
        session.push_audio(SECOND)
        await wait_all_tasks_blocked()
        assert cast.voices.seconds == pytest.approx(1.0)
        assert cast.voices.options[-1].threshold == 0.4
        cast.voices.say(SpeechStarted(0.25), SpeechStopped(0.75))
        assert await next_event(session) == VoiceHeard(talking=True, at=0.25)
        assert await next_event(session) == VoiceHeard(talking=False, at=0.75)


async def test_sound_that_came_too_late_for_the_detector_still_counts(
    autojump_clock: MockClock,
) -> None:
    """It counts what it got, from which some is missing; the client counts what it sent."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both(vad=VoiceDetection(enabled=True)))
        await next_event(session, Ready)
        session.push_audio(SECOND)
        await wait_all_tasks_blocked()
        cast.voices.stalled = True
        for _ in range(6):
            session.push_audio(SECOND)
            await trio.sleep(1.0)
        cast.voices.wake()
        await wait_all_tasks_blocked()
        missing = 7.0 - cast.voices.seconds
        assert missing > 2.0
        cast.voices.say(SpeechStarted(0.5), SpeechStopped(cast.voices.seconds))
        assert await next_event(session) == VoiceHeard(talking=True, at=0.5)
        assert await next_event(session) == VoiceHeard(talking=False, at=pytest.approx(7.0))


async def test_a_voice_detector_is_let_go_when_nobody_listens_any_more(
    autojump_clock: MockClock,
) -> None:
    """The recogniser dies in mid-voice: the place is free, and nobody talks for ever."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await next_event(session, Ready)
        await wait_all_tasks_blocked()
        cast.voices.say(TALKING)
        assert await next_event(session, VoiceHeard) == VoiceHeard(talking=True, at=0.0)
        cast.ears.say(ProviderClosed("ears", "hung up"))
        told = {await next_event(session), await next_event(session)}
        assert VoiceHeard(talking=False, at=0.0) in told
        assert {each.code for each in told if isinstance(each, Failed)} == {"stt_error"}
        await wait_all_tasks_blocked()
        assert cast.voices.open_streams == 0
        later = Interruption(enabled=True, min_words=2)
        await session.submit(Configure(interruption=later))
        await next_event(session, Ready)
        await wait_all_tasks_blocked()
        assert cast.voices.open_streams == 0


async def test_a_voice_detector_gets_the_format_that_it_takes(autojump_clock: MockClock) -> None:
    cast = Cast()
    wide = AudioFormat(Encoding.LINEAR16, 48000, 2)
    config = STTConfig("ears", STTOptions(format=wide), vad=VoiceDetection(enabled=True))
    async with cast.session() as session:
        await session.submit(Configure(stt=config))
        await next_event(session, Ready)
        session.push_audio(bytes(wide.size(1.0)))
        await wait_all_tasks_blocked()
    assert cast.voices.options[0].format == AudioFormat(Encoding.LINEAR16, 16000, 1)
    assert cast.voices.seconds == pytest.approx(1.0, abs=0.05)


async def test_a_voice_detector_that_ends_leaves_nobody_talking(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both(vad=VoiceDetection(enabled=True)))
        await next_event(session, Ready)
        cast.voices.say(TALKING)
        await next_event(session, VoiceHeard)
        cast.voices.hang_up()
        ended = await next_event(session, VoiceHeard)
        assert isinstance(ended, VoiceHeard)
        assert not ended.talking


async def test_a_voice_detector_that_is_not_there_is_told_and_nothing_else_suffers(
    autojump_clock: MockClock,
) -> None:
    cast = Cast(sentry=None)
    async with cast.session() as session:
        await session.submit(both(vad=VoiceDetection(enabled=True)))
        told = await next_event(session)
        assert isinstance(told, Failed)
        assert told.code == "unsupported_provider"
        assert await next_event(session) == Ready(session.stream_id, stt=True, tts=True)


# --- turn detectors ---------------------------------------------------------------------------


async def test_a_turn_detector_is_asked_what_was_said_on_both_sides(
    autojump_clock: MockClock,
) -> None:
    oracle = Oracle()
    cast = Cast(oracles={"turn-text": oracle})
    async with cast.session() as session:
        await session.submit(both(turn=TurnDetection(threshold=0.9)))
        await session.submit(Speak("How may I help?"))
        await next_event(session, SpeechEnded)
        cast.ears.say(Final("I want to"))
        await next_event(session, Transcribed)
        start = trio.current_time()
        ended = await next_event(session, Transcribed)
        assert trio.current_time() - start == pytest.approx(1.8)
    assert ended == Transcribed(
        "I want to", final=True, speech_final=True, forced=True, turn="I want to", confidence=1.0
    )
    (question,) = oracle.questions
    assert question.text == "I want to"
    assert question.before == (Said("agent", "How may I help?"),)
    assert (question.language, question.threshold, question.sound) == ("en-US", 0.9, None)


async def test_a_turn_detector_is_told_what_the_user_has_heard(autojump_clock: MockClock) -> None:
    """Not what was cut off, nor what had not begun."""
    oracle = Oracle()
    cast = Cast(oracles={"turn-text": oracle}, mouth=Mouth(pace=0.1, tells=True))
    async with cast.session() as session:
        await session.submit(both())
        await session.submit(Speak("Good day to you"))
        await session.submit(Speak("How are you?"))
        await next_event(session, SpeechBegan)
        await trio.sleep(0.75)
        await session.submit(Clear())
        await next_event(session, Interrupted)
        cast.mouth.connect_delay = 1.0
        await session.submit(Speak("Never heard"))
        await wait_all_tasks_blocked()
        await session.submit(Clear())
        cast.ears.say(Final("Stop"))
        await next_event(session, Transcribed)
        await next_event(session, Transcribed)
    assert oracle.questions[0].before == (Said("agent", "Good day"),)


async def test_a_pause_is_not_the_end_and_the_limit_is(autojump_clock: MockClock) -> None:
    cast = Cast(oracles={"turn-text": Oracle(probability=0.1)})
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("I want to"))
        await next_event(session, Transcribed)
        start = trio.current_time()
        await next_event(session, Transcribed)
        assert trio.current_time() - start == pytest.approx(4.0)


@pytest.mark.parametrize(
    "oracle",
    [Oracle(fail=ProviderUnavailable("turn-text", "no")), Oracle(delay=60.0)],
    ids=["broken", "slow"],
)
async def test_a_detector_that_cannot_tell_costs_nothing_but_time(
    autojump_clock: MockClock, oracle: Oracle
) -> None:
    cast = Cast(oracles={"turn-text": oracle})
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        start = trio.current_time()
        ended = await next_event(session, Transcribed)
        assert isinstance(ended, Transcribed)
        assert ended.speech_final
        assert trio.current_time() - start <= 1.8 + 0.5 + 1e-6


@pytest.mark.parametrize(("text", "sound", "ends"), [(1.0, 1.0, 1.8), (1.0, 0.0, 4.0)])
async def test_two_detectors_must_agree(
    autojump_clock: MockClock, text: float, sound: float, ends: float
) -> None:
    listener = Oracle(probability=sound)
    cast = Cast(oracles={"turn-text": Oracle(probability=text), "turn-audio": listener})
    async with cast.session(Choices(turn_kinds=TURN_KINDS["both"])) as session:
        await session.submit(both())
        await next_event(session, Ready)
        for _ in range(10):
            session.push_audio(SECOND)
        await wait_all_tasks_blocked()
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        start = trio.current_time()
        await next_event(session, Transcribed)
        assert trio.current_time() - start == pytest.approx(ends)
    heard = listener.questions[0].sound
    assert heard is not None
    assert heard.duration == pytest.approx(8.0)


@pytest.mark.pins("D137")
async def test_times_are_those_of_the_provider_or_of_the_session(
    autojump_clock: MockClock,
) -> None:
    times = {"ears": Waits(silence=0.7)}
    cast = Cast()
    async with cast.session(Choices(waits=times.__getitem__)) as session:
        for config, expected in [(both(), 0.7), (both(turn=TurnDetection(silence=0.3)), 0.3)]:
            await session.submit(config)
            await next_event(session, Ready)
            cast.ears.say(Final("hello"))
            await next_event(session, Transcribed)
            start = trio.current_time()
            await next_event(session, Transcribed)
            assert trio.current_time() - start == pytest.approx(expected)


async def test_the_providers_echo_of_our_decision_is_not_told(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        forced = await next_event(session, Transcribed)
        assert isinstance(forced, Transcribed)
        assert forced.forced
        cast.ears.say(Final("hello", speech_final=True), Final("next"))
        following = await next_event(session, Transcribed)
        assert isinstance(following, Transcribed)
        assert following.text == "next"


@pytest.mark.pins("D142")
async def test_a_turn_that_began_before_the_lock_does_not_end_after_it(
    autojump_clock: MockClock,
) -> None:
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("old words"))
        await next_event(session, Transcribed)
        await session.submit(Speak("x" * 60, allow_interruption=False))
        await next_event(session, SpeechEnded)
        await trio.sleep(7.0)
        cast.ears.say(Final("new words"), SpeechFinal())
        heard = [await next_event(session, Transcribed) for _ in range(2)]
    assert [each.turn for each in heard if isinstance(each, Transcribed)] == ["", "new words"]


# --- what a lock leaves behind ----------------------------------------------------------------


@pytest.mark.parametrize("late", [[SpeechFinal()], []], ids=["the-provider-ends-it", "time-would"])
async def test_a_turn_does_not_outlive_a_short_lock(
    autojump_clock: MockClock, late: list[SpeechFinal]
) -> None:
    """Although nothing is heard while it is closed."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        await session.submit(Speak("x" * 5, allow_interruption=False))
        await next_event(session, SpeechEnded)
        await trio.sleep(0.6)
        cast.ears.say(*late)
        await trio.sleep(5.0)
        cast.ears.say(Final("goodbye", speech_final=True))
        heard = await next_event(session)
    assert isinstance(heard, Transcribed)
    assert (heard.text, heard.turn) == ("goodbye", "goodbye")


async def test_words_that_were_dropped_do_not_interrupt_what_follows(
    autojump_clock: MockClock,
) -> None:
    cast = Cast(sentry=None)
    async with cast.session() as session:
        await session.submit(both(interruption=Interruption(enabled=True, min_words=3)))
        await session.submit(Speak("x" * 20, allow_interruption=False))
        await session.submit(Speak("x" * 20))
        await next_event(session, SpeechBegan)
        cast.ears.say(Final("one two three four"))
        await next_event(session, SpeechBegan)
        await trio.sleep(1.0)
        cast.ears.say(Final("yes"))
        ended = await next_event(session, SpeechEnded)
        assert ended == SpeechEnded("u2", "spoken", pytest.approx(2.0))


# --- what cannot be listened to ---------------------------------------------------------------

OPUS = AudioFormat(Encoding.OPUS, 16000)


async def test_a_detector_that_listens_is_not_asked_about_compressed_sound(
    autojump_clock: MockClock,
) -> None:
    """Nobody decodes it here; time decides, and nothing piles up."""
    oracle = Oracle()
    cast = Cast(ears=Ears(), oracles={"turn-audio": oracle}, takes=(Encoding.OPUS,))
    config = Configure(stt=STTConfig("ears", STTOptions(format=OPUS)))
    async with cast.session(Choices(turn_kinds=TURN_KINDS["audio"])) as session:
        await session.submit(config)
        await next_event(session, Ready)
        session.push_audio(SECOND)
        await wait_all_tasks_blocked()
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        ended = await next_event(session, Transcribed)
    assert isinstance(ended, Transcribed)
    assert ended.forced
    assert oracle.questions == []


@pytest.mark.parametrize("wished", [True, False])
async def test_no_voice_is_detected_in_compressed_sound(
    autojump_clock: MockClock, *, wished: bool
) -> None:
    """Who wished for it is told; who would only have had it by the way is not."""
    cast = Cast(takes=(Encoding.OPUS,))
    vad = VoiceDetection(enabled=True if wished else None)
    config = Configure(
        stt=STTConfig("ears", STTOptions(format=OPUS), vad=vad),
        interruption=Interruption(enabled=True),
    )
    async with cast.session() as session:
        await session.submit(config)
        if wished:
            told = await next_event(session)
            assert isinstance(told, Failed)
            assert told.code == "invalid_audio_format"
        assert await next_event(session) == Ready(session.stream_id, stt=True, tts=False)


async def test_a_verdict_that_is_none_is_the_failure_of_its_plugin(
    autojump_clock: MockClock,
) -> None:
    class Babbler(Oracle):
        async def judge(self, _question: TurnQuestion) -> TurnVerdict:
            return "yes"  # type: ignore[return-value] - a stranger's

    cast = Cast(oracles={"turn-text": Babbler()})
    async with cast.session() as session:
        await session.submit(both())
        await next_event(session, Ready)
        cast.ears.say(Final("hello"))
        await next_event(session, Transcribed)
        ended = await next_event(session, Transcribed)
        assert isinstance(ended, Transcribed)
        assert ended.forced


async def test_nobody_watches_where_nobody_listens(autojump_clock: MockClock) -> None:
    """A detector has a limited number of places."""
    cast = Cast()
    async with cast.session() as session:
        await session.submit(MAY_INTERRUPT)
        await next_event(session, Ready)
        await session.submit(Configure(audio=False))
        await next_event(session, Ready)
        later = Interruption(enabled=True, min_words=2)
        await session.submit(Configure(tts=TTSConfig("mouth"), interruption=later))
        await next_event(session, Ready)
        await wait_all_tasks_blocked()
        assert cast.voices.open_streams == 0
        cast.ears.fail = ProviderUnavailable("ears", "no")
        await session.submit(MAY_INTERRUPT)
        await next_event(session, Failed)
        await wait_all_tasks_blocked()
        assert cast.voices.open_streams == 0
