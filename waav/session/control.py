"""The task ``session/control``: commands, one at a time, in the order in which they came."""

from collections.abc import Iterator
from itertools import count
from typing import assert_never

import attrs
import trio

from capabilities import ProviderError
from waav.errors import InvalidRequest, UnknownProvider, WaavError
from waav.session.commands import Clear, Command, Configure, Speak, STTConfig
from waav.session.events import Failed, Ready
from waav.session.failures import failure
from waav.session.listening import AUDIO_DISABLED, Ear, Listening
from waav.session.means import Means
from waav.session.outbox import Outbox
from waav.session.resolve import resolve_stt
from waav.session.speaker import Speaker
from waav.session.speaking import Speaking, Utterance
from waav.session.turn_taking import TurnTaking

PROVIDER_TIMEOUT = 30.0
"""Seconds until a provider must be ready."""

NOTHING_ASKED_FOR = Failed("missing_stt_config", "STT configuration is required when audio=true")
NO_VOICE = Failed("missing_tts_config", "TTS configuration is required when audio=true")
TOO_SLOW = Failed("provider_timeout", "Timeout waiting for voice providers to be ready")


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
    speaking: Speaking
    turns: TurnTaking
    stream_id: str
    """The client may choose it with its first successful configuration."""
    _speaker: Speaker | None = None
    _configured: bool = False
    _numbers: Iterator[int] = attrs.Factory(lambda: count(1))

    async def run(self, orders: trio.MemoryReceiveChannel[Order]) -> None:
        """Work until no command follows."""
        async for order in orders:
            match order.command:
                case Configure():
                    await self._configure(order.command, order.ear)
                case Speak():
                    await self._speak(order.command)
                case Clear():
                    await self.speaking.clear()
                case _:
                    assert_never(order.command)

    async def _configure(self, command: Configure, ear: Ear | None) -> None:
        try:
            with trio.fail_after(PROVIDER_TIMEOUT):
                refused = await self._apply(command, ear)
        except trio.TooSlowError:
            refused = TOO_SLOW
        except UnknownProvider as exc:
            refused = failure(exc, "", exc.code)
        except InvalidRequest as exc:
            refused = failure(exc, "Failed to create voice manager: ", exc.code)
        except (ProviderError, WaavError) as exc:
            # Only listening opens a connection of its own; a voice is first called when it speaks.
            prefix = "Failed to start voice manager: STT error: "
            refused = failure(exc, prefix, "provider_start_failed")
        if refused is not None:
            self.listening.deafen(ear)
            await self.outbox.put(refused)
            return
        if not self._configured:
            self.stream_id = command.stream_id or self.stream_id
        self._configured = True
        await self.outbox.put(
            Ready(self.stream_id, stt=self.listening.active, tts=self._speaker is not None)
        )

    async def _apply(self, command: Configure, ear: Ear | None) -> Failed | None:
        """Do what a configuration says; what it does not name stays as it is."""
        if not command.audio:
            await self._silence()
            return None
        if command.stt is None and command.tts is None and not self._configured:
            return NOTHING_ASKED_FOR
        # First all that can be refused, then what has to be undone.
        speaker = self._speaker
        if command.tts is not None:
            provider = self.means.tts(command.tts.provider)
            speaker = Speaker.of(provider, command.tts, self.means.cache)
        if command.stt is not None and ear is not None:
            await self._listen(command.stt, ear)
        self._speaker = speaker
        return None

    async def _listen(self, config: STTConfig, ear: Ear) -> None:
        provider = self.means.stt(config.provider)
        options = resolve_stt(provider, config)
        await self.listening.stop()
        await self.listening.connect(provider, options, ear)
        self.turns.forced_text = config.forced_final_text
        self.turns.endpointing.waits = self.means.waits(provider.id)

    async def _silence(self) -> None:
        await self.listening.stop()
        await self.speaking.clear()
        self._speaker = None

    async def _speak(self, command: Speak) -> None:
        if self._speaker is None:
            await self.outbox.put(NO_VOICE if self._configured else AUDIO_DISABLED)
            return
        utterance = Utterance(f"u{next(self._numbers)}", command, self._speaker)
        try:
            self.speaking.accept(utterance)
        except InvalidRequest as exc:
            await self.outbox.put(failure(exc, "Failed to synthesize speech: ", exc.code))
