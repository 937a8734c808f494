"""The task ``session/control``: commands, one at a time, in the order in which they came."""

from collections.abc import Iterable, Iterator
from enum import Enum, auto
from itertools import count
from typing import assert_never

import attrs
import trio

from capabilities import AudioFormat, ProviderError
from waav.errors import (
    InvalidRequest,
    PluginNotRunning,
    UnknownProvider,
    WaavError,
)
from waav.observe.scope import tell
from waav.session.commands import Clear, Command, Configure, Speak, STTConfig
from waav.session.events import Failed, Ready
from waav.session.failures import failure
from waav.session.listening import Ear, Engagement, Listening
from waav.session.means import Means
from waav.session.outbox import Outbox
from waav.session.resolve import resolve_stt
from waav.session.speaker import Speaker
from waav.session.speaking import Speaking, Utterance
from waav.session.turn_taking import TurnTaking
from waav.session.watching import Watching
from waav.speech.manner import Shortfall
from waav.turns.barge_in import BargeInRules

PROVIDER_TIMEOUT = 30.0
"""Seconds until a provider must be ready."""

NO_EAR = Failed("missing_stt_config", "STT configuration is required when audio=true")
NO_VOICE = Failed("missing_tts_config", "TTS configuration is required when audio=true")
AUDIO_DISABLED = Failed(
    "audio_disabled", "Audio processing is disabled. Send config message with audio=true first."
)
NOT_CONFIGURED = Failed(
    "not_configured", "Voice manager not configured. Send config message with audio=true first."
)
TOO_SLOW = Failed("provider_timeout", "Timeout waiting for voice providers to be ready")


class Setup(Enum):
    """How far the client has come with telling what it wants."""

    NONE = auto()
    FAILED = auto()
    """The only configurations so far came to nothing."""
    AUDIO_OFF = auto()
    DONE = auto()


_WITHOUT_EAR = {
    Setup.NONE: AUDIO_DISABLED,
    Setup.FAILED: NOT_CONFIGURED,
    Setup.AUDIO_OFF: AUDIO_DISABLED,
    Setup.DONE: NO_EAR,
}
"""Why nobody listens."""
_WITHOUT_VOICE = {**_WITHOUT_EAR, Setup.DONE: NO_VOICE}
"""Why nobody speaks."""


@attrs.frozen
class Order:
    """A command on its way, with the ear that keeps the audio meant for it."""

    command: Command
    ear: Ear | None = None


@attrs.define(eq=False)
class Control:
    """Carries out what the client asks for."""

    means: Means
    outbox: Outbox
    listening: Listening
    watching: Watching
    speaking: Speaking
    turns: TurnTaking
    stream_id: str
    """The client may choose it with its first successful configuration."""
    _speaker: Speaker | None = None
    _heard_as: tuple[STTConfig, AudioFormat] | None = None
    """How the session listens, and the format in which its sound is heard."""
    _setup: Setup = Setup.NONE
    _numbers: Iterator[int] = attrs.Factory(lambda: count(1))
    _warned: frozenset[str] = frozenset()
    """Codes of what the client knows that its voice cannot do."""

    async def run(self, orders: trio.MemoryReceiveChannel[Order]) -> None:
        """Work until cancelled; whoever submits a command afterwards meets a broken channel."""
        with orders:
            async for order in orders:
                await self._obey(order.command, order.ear)

    async def _obey(self, command: Command, ear: Ear | None) -> None:
        match command:
            case Configure():
                await self._configure(command, ear)
            case Speak():
                await self._speak(command)
            case Clear():
                await self.speaking.clear()
            case _:
                assert_never(command)

    def refuse_audio(self) -> None:
        """Tell the client that nobody listens; once, until that changes. Never waits."""
        if not self.listening.refused:
            self.listening.refused = True
            self.outbox.put_now(_WITHOUT_EAR[self._setup])

    async def _configure(self, command: Configure, ear: Ear | None) -> None:
        refused = await self._try(command, ear)
        self.listening.settle(ear)
        self.listening.refused = False
        if refused is not None:
            if self._setup is Setup.NONE:
                self._setup = Setup.FAILED
            await self.outbox.put(refused)
            return
        if self._setup in {Setup.NONE, Setup.FAILED}:
            self.stream_id = command.stream_id or self.stream_id
            tell(stream_id=self.stream_id)
        self._setup = Setup.DONE if command.audio else Setup.AUDIO_OFF
        await self.outbox.put(
            Ready(self.stream_id, stt=self.listening.active, tts=self._speaker is not None)
        )
        if command.tts is not None and self._speaker is not None:
            await self._warn(self._speaker.shortfalls())

    async def _try(self, command: Configure, ear: Ear | None) -> Failed | None:
        """Do what a configuration says; return why not, in the words of the protocol."""
        try:
            with trio.fail_after(PROVIDER_TIMEOUT):
                return await self._apply(command, ear)
        except trio.TooSlowError:
            return TOO_SLOW
        except UnknownProvider as exc:
            return failure(exc, "", exc.code)
        except InvalidRequest as exc:
            return failure(exc, "Failed to create voice manager: ", exc.code)
        except PluginNotRunning as exc:
            return failure(exc, "Failed to start voice manager: ", exc.code)
        except (ProviderError, WaavError) as exc:
            # Only listening opens a connection here; a voice is first called when it speaks.
            prefix = "Failed to start voice manager: STT error: "
            return failure(exc, prefix, "provider_start_failed")

    async def _apply(self, command: Configure, ear: Ear | None) -> Failed | None:
        """Do what a configuration says; what it does not name stays as it is."""
        if not command.audio:
            await self._silence()
            return None
        if command.stt is None and command.tts is None and self._setup is not Setup.DONE:
            return NO_EAR
        # First all that can be refused, then what has to be undone.
        speaker = self._speaker
        if command.tts is not None:
            speaker = self.means.speaker(command.tts, self.watching.shedding)
        rules = self.means.barge_in(self.turns.barge_in.rules, command.interruption)
        try:
            if command.stt is not None and ear is not None:
                await self._listen(command.stt, ear, rules)
            elif rules != self.turns.barge_in.rules and self.listening.active:
                await self._watch(rules)
        finally:
            if not self.listening.active:
                await self._unwatch()
        self._speaker, self.turns.barge_in.rules = speaker, rules
        return None

    async def _listen(self, config: STTConfig, ear: Ear, rules: BargeInRules) -> None:
        provider = self.means.stt(config.provider)
        options = resolve_stt(provider, config)
        preparing = self.means.pre_stt(config, options.format, self.watching.shedding)
        await self.listening.stop()
        self._heard_as = config, options.format
        await self._watch(rules)
        await self.listening.connect(Engagement(provider, options, ear, preparing))
        self.turns.forced_text = config.forced_final_text
        self.turns.endpointing.waits = self.means.waits(provider.id, config.turn)

    async def _watch(self, rules: BargeInRules) -> None:
        """Watch for voices, and ask about turns, as the client and the operator wish."""
        if self._heard_as is None:
            return
        await self.watching.stop()
        config, heard = self._heard_as
        judge = self.means.judge(config, heard)
        self.turns.judge, self.turns.endpointing.has_detector = judge, judge is not None
        self.watching.memory = judge.memory if judge else None
        try:
            wish = self.means.vad(config, heard, needed=rules.enabled)
        except WaavError as exc:
            await self.outbox.put(failure(exc, "Voice detection error: ", "vad_error"))
            return
        if wish is not None:
            self.watching.start(*wish)

    async def _unwatch(self) -> None:
        """Where nobody listens nobody watches: a detector has a limited number of places."""
        self._heard_as = None
        await self.watching.stop()

    async def _silence(self) -> None:
        await self._unwatch()
        await self.listening.stop()
        await self.speaking.clear(force=True)
        self._speaker = None

    async def _speak(self, command: Speak) -> None:
        if self._speaker is None:
            await self.outbox.put(_WITHOUT_VOICE[self._setup])
            return
        await self._warn(self._speaker.shortfalls(command))
        utterance = Utterance(f"u{next(self._numbers)}", command, self._speaker)
        try:
            self.speaking.accept(utterance)
        except InvalidRequest as exc:
            await self.outbox.put(failure(exc, "Failed to synthesize speech: ", exc.code))

    async def _warn(self, shortfalls: Iterable[Shortfall]) -> None:
        """Tell the client what its voice cannot do: each kind of it once in a session."""
        for shortfall in shortfalls:
            if shortfall.code not in self._warned:
                self._warned |= {shortfall.code}
                await self.outbox.put(Failed(shortfall.code, shortfall.message))
