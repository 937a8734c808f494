"""The task ``session/turns``: what is heard -> what the client is told, and whose turn it is."""

from typing import TypeAlias, assert_never

import attrs
import trio

from capabilities import (
    Final,
    Interim,
    SpeechFinal,
    SpeechStarted,
    SpeechStopped,
    Transcript,
    TurnVerdict,
    VoiceActivity,
)
from waav.session.commands import ForcedFinalText
from waav.session.events import Paused, Resumed, Transcribed, VoiceHeard
from waav.session.judging import Judge
from waav.session.outbox import Outbox
from waav.session.speaking import Speaking
from waav.session.watching import Watching
from waav.tasks import already_here
from waav.turns.barge_in import Act, BargeIn
from waav.turns.endpointing import Ask, Echo, Endpointing, TurnEnded


@attrs.frozen
class Judged:
    """A turn detector's answer; None if it had none in time."""

    number: int
    verdict: TurnVerdict | None


Heard: TypeAlias = Transcript | VoiceActivity | Judged


@attrs.define(eq=False)
class TurnTaking:
    """Passes on what was heard, says when the speaker has finished, and lets them interrupt."""

    outbox: Outbox
    speaking: Speaking
    nursery: trio.Nursery
    """The session's own."""
    answers: trio.MemorySendChannel[Heard]
    """Where a detector's answer goes: to the end of what :meth:`run` reads."""
    watching: Watching
    endpointing: Endpointing = attrs.Factory(Endpointing)
    barge_in: BargeIn = attrs.Factory(BargeIn)
    forced_text: ForcedFinalText = "full"
    judge: Judge | None = None
    _closed: float | None = None
    """When the lock closed last, as far as is known here."""
    _resting: trio.Event = attrs.Factory(trio.Event)

    async def run(self, heard: trio.MemoryReceiveChannel[Heard]) -> None:
        """Work until cancelled.

        The channel stays open to the end: a provider that still speaks while the session is torn
        down must meet its own cancellation there, not a broken channel that looks like its fault.
        """
        while True:
            news = None
            self._resting.set()
            with trio.move_on_at(min(self.endpointing.deadline, self.barge_in.deadline)):
                news = await heard.receive()
            self._resting = trio.Event()
            await self._step(news, trio.current_time())
            for other in already_here(heard):
                await self._step(other, trio.current_time())

    async def rest(self) -> None:
        """Wait until all is passed on that was heard before."""
        await trio.lowlevel.checkpoint()  # what was put last may be on its way into run()
        await self._resting.wait()

    async def _step(self, news: Heard | None, now: float) -> None:
        self.barge_in.watched = self.watching.active
        if self.barge_in.paused and not self.speaking.output.held:
            self.barge_in.reset()  # the client has cleared meanwhile
        if (closed := self.speaking.output.playout.last_closed(now)) != self._closed:
            # Also if it is open again: a turn that began before it must not end after it.
            self._closed = closed
            self._forget()
        await self._act(self._interruption(news, now))
        match news:
            case SpeechStarted(at=at) | SpeechStopped(at=at):
                self.endpointing.listen(news, now)
                await self.outbox.put(VoiceHeard(isinstance(news, SpeechStarted), at))
            case _ if self.speaking.output.playout.locked(now):
                self._forget()  # while we may not be interrupted nothing is heard
            case None:
                await self._decide(self.endpointing.expire(now))
            case Judged(number=number, verdict=verdict):
                await self._decide(self.endpointing.judged(number, verdict, now))
            case _:
                await self._tell(news, self.endpointing.feed(news, now))

    def _forget(self) -> None:
        """Drop what was said so far."""
        self.endpointing.forget()
        self.barge_in.turn_over()

    def _interruption(self, news: Heard | None, now: float) -> Act | None:
        playing = self.speaking.active and self.speaking.may_be_interrupted
        match news:
            case SpeechStarted() | SpeechStopped():
                self.barge_in.listen(news, now)
                return None
            case Judged():
                return None
            case None:
                return self.barge_in.expire(now, playing=playing)
            case _ if self.endpointing.echoes(news, now):
                return None
            case _:
                began = self.speaking.output.playout.began(now)
                return self.barge_in.feed(news, began if playing else None)

    async def _act(self, act: Act | None) -> None:
        match act:
            case None:
                return
            case Act.PAUSE:
                self.speaking.output.hold()
                await self.outbox.put(Paused())
            case Act.RESUME:
                self.speaking.output.go_on()
                await self.outbox.put(Resumed())
            case Act.STOP:
                await self.speaking.clear("user")
            case _:
                assert_never(act)

    async def _decide(self, outcome: TurnEnded | Ask | None) -> None:
        """Do what the machine wants that nobody said anything for."""
        match outcome:
            case Ask():
                self.nursery.start_soon(self._ask, outcome, name="session/turns/judge")
            case TurnEnded():
                self._over(outcome)
                await self.outbox.put(attrs.evolve(self._marked(outcome), forced=True))
            case None:
                return

    async def _ask(self, ask: Ask) -> None:
        verdict = None
        if self.judge is not None:
            with trio.move_on_after(self.endpointing.waits.detector):
                verdict = await self.judge.judge(ask.text, self.speaking.dialogue.turns)
        await self.answers.send(Judged(ask.number, verdict))

    async def _tell(self, heard: Transcript, outcome: TurnEnded | Echo | None) -> None:
        if isinstance(outcome, Echo):
            return
        if outcome is not None:
            self._over(outcome)
        if event := self._event(heard, outcome):
            await self.outbox.put(event)

    def _over(self, ended: TurnEnded) -> None:
        self.speaking.dialogue.user(ended.text)
        self.barge_in.turn_over()

    def _event(self, heard: Transcript, ended: TurnEnded | None) -> Transcribed | None:
        match heard:
            case Interim() | Final() if heard.text.strip():
                return Transcribed(
                    heard.text,
                    final=isinstance(heard, Final),
                    speech_final=ended is not None,
                    turn=ended.text if ended else "",
                    confidence=heard.confidence,
                    language=heard.language,
                    words=heard.words,
                )
            case Final() | SpeechFinal() if ended is not None:
                # The mark alone: the words came before, and the client gets them as it wishes.
                return self._marked(ended)
            case _:
                return None

    def _marked(self, ended: TurnEnded) -> Transcribed:
        texts = {"full": ended.text, "last": ended.last, "empty": ""}
        return Transcribed(
            texts[self.forced_text],
            final=True,
            speech_final=True,
            turn=ended.text,
            confidence=1.0,
        )
