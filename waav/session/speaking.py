"""The task ``session/speak``: one utterance after the other, each in a cancel scope of its own."""

from collections import deque

import attrs
import trio

from capabilities import AudioFrame, ProviderError
from waav.errors import InvalidRequest, WaavError
from waav.session.commands import Speak
from waav.session.dialogue import Dialogue
from waav.session.events import How, Interrupted, Interrupter, SpeechEnded
from waav.session.failures import failure
from waav.session.output import Begin, End, Output, Told
from waav.session.speaker import Speaker

MAX_WAITING = 1024 * 1024
"""Bytes of what waits to be spoken. More is refused, not awaited: a command that waited here would
hold up the ``clear`` behind it."""
OVERHEAD = 256
"""What an utterance costs beside its text, so that a million empty ones are not free."""


@attrs.frozen(eq=False)
class Utterance:
    """One accepted speak on its way to becoming sound."""

    id: str
    speak: Speak
    speaker: Speaker

    @property
    def size(self) -> int:
        """Bytes that it costs to let it wait."""
        texts = self.speak.text, self.speak.ssml, self.speak.description
        return sum(len(text.encode()) for text in texts if text) + OVERHEAD


@attrs.define(eq=False)
class Speaking:
    """Says what was asked for, in order; :meth:`clear` ends what is being said and forgets the rest."""

    output: Output
    dialogue: Dialogue = attrs.Factory(Dialogue)
    """The last turns of both parties."""
    ignored_clears: int = 0
    """How often the client wanted silence while it could not have it."""
    _waiting: deque[Utterance] = attrs.Factory(deque)
    _waiting_bytes: int = 0
    _current: Utterance | None = None
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _news: trio.lowlevel.ParkingLot = attrs.Factory(trio.lowlevel.ParkingLot)

    def accept(self, utterance: Utterance) -> None:
        """Put one utterance behind the others.

        Raises:
            InvalidRequest: too much text waits already.
        """
        if self._waiting_bytes + utterance.size > MAX_WAITING:
            raise InvalidRequest("Too much text is waiting to be spoken", code="speak_queue_full")
        self._waiting.append(utterance)
        self._waiting_bytes += utterance.size
        self._news.unpark()

    async def clear(self, by: Interrupter = "client", *, force: bool = False) -> None:
        """Stop talking and forget the rest; unless forced, not while we may not be interrupted."""
        if not self.may_be_interrupted and not force:
            self.ignored_clears += by == "client"
            return
        told = self._forget(by)
        for event in told:
            await self.output.outbox.put(event)

    def _forget(self, by: Interrupter) -> list[Told]:
        told = self.output.forget(by)
        cut = {event.utterance: event for event in told if isinstance(event, Interrupted)}
        for event in cut.values():
            self.dialogue.cut(event)
        if self._current is not None:
            self._scope.cancel(reason="clear")
            if self._current.id not in cut:
                self.dialogue.unsaid(self._current.id)
        while self._waiting:
            told.append(SpeechEnded(self._take().id, "cleared"))
        return told

    async def run(self) -> None:
        """Speak until cancelled."""
        while True:
            self._current = utterance = await self._next()
            how: How = "cleared"
            generation = self.output.audio.generation
            with trio.CancelScope() as self._scope:
                how = await self._say(utterance, generation)
            await self.output.sounds.send((generation, End(utterance.id, how)))
            self._current = None

    async def _say(self, utterance: Utterance, generation: int) -> How:
        async def sink(frame: AudioFrame) -> None:
            # Called from a task of the plugin, which learns of a clear a moment after we do.
            await self.output.sounds.send((generation, frame))

        self.dialogue.agent(utterance.id, utterance.speak.text)
        begin = Begin(utterance.id, utterance.speak.allow_interruption)
        await self.output.sounds.send((generation, begin))
        try:
            await utterance.speaker.say(utterance.speak, sink)
        except (ProviderError, WaavError) as exc:
            await self.output.outbox.put(failure(exc, "TTS error: ", "tts_error"))
            return "failed"
        return "spoken"

    async def _next(self) -> Utterance:
        while not self._waiting:
            await self._news.park()
        return self._take()

    def _take(self) -> Utterance:
        utterance = self._waiting.popleft()
        self._waiting_bytes -= utterance.size
        return utterance

    @property
    def may_be_interrupted(self) -> bool:
        """Whether the user may interrupt what plays, or what is about to if nothing does."""
        playout, now = self.output.playout, trio.current_time()
        if playout.locked(now):
            return False
        coming = self._current or (self._waiting[0] if self._waiting else None)
        return coming is None or coming.speak.allow_interruption or playout.playing(now)

    @property
    def active(self) -> bool:
        """Whether the agent talks, or is about to."""
        busy = self._current is not None or self._waiting
        return bool(busy) or self.output.playout.playing(trio.current_time())
