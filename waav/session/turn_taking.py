"""The task ``session/turns``: transcripts -> what the client is told, and when a turn is over."""

import attrs
import trio

from capabilities import Final, Interim, SpeechFinal, Transcript
from waav.session.commands import ForcedFinalText
from waav.session.events import Transcribed
from waav.session.outbox import Outbox
from waav.turns.endpointing import Endpointing, TurnEnded
from waav.turns.interruption import PlayoutLock


@attrs.define(eq=False)
class TurnTaking:
    """Passes on what was heard, and says when the speaker has finished."""

    outbox: Outbox
    lock: PlayoutLock
    endpointing: Endpointing
    forced_text: ForcedFinalText = "full"

    async def run(self, transcripts: trio.MemoryReceiveChannel[Transcript]) -> None:
        """Work until cancelled.

        The channel stays open to the end: a provider that still speaks while the session is torn
        down must meet its own cancellation there, not a broken channel that looks like its fault.
        """
        while True:
            heard = None
            with trio.move_on_at(self.endpointing.deadline):
                heard = await transcripts.receive()
            await self._step(heard, trio.current_time())

    async def _step(self, heard: Transcript | None, now: float) -> None:
        if self.lock.closed(now):
            # While we may not be interrupted, nothing is heard, and a turn that began before must
            # not end after: its words are old by then.
            self.endpointing.forget()
        elif heard is None:
            if ended := self.endpointing.expire(now):
                await self.outbox.put(self._forced(ended))
        else:
            ended = self.endpointing.feed(heard, now)
            if event := self._event(heard, ended):
                await self.outbox.put(event)

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

    def _forced(self, ended: TurnEnded) -> Transcribed:
        return attrs.evolve(self._marked(ended), forced=True)
