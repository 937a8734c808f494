"""Recognition by uploading one utterance after the other."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import attrs
import trio

from capabilities import (
    AudioFrame,
    ProviderClosed,
    ProviderRefused,
    ProviderUnavailable,
    STTOptions,
    STTStream,
    Transcript,
)
from providers._common.buffered import Flush, Rules, Utterance, Utterances
from providers._common.headers import Headers
from providers.openai.api import API, events_of
from providers.openai.file_wire import FileEvents, FileWire, rules_of
from providers.openai.formats import HEARD
from providers.openai.names import ID
from providers.openai.sse import read_object

WAITING = 2
"""Utterances that wait for their upload; then whoever speaks has to wait, too."""
_SHORTEST_WAIT = 0.1
_PATH = ("audio", "transcriptions")


@asynccontextmanager
async def open_file_stream(api: API, model: str, options: STTOptions) -> AsyncIterator[STTStream]:
    """Open a recognition. Nothing is sent before the first utterance is over.

    Raises:
        ProviderRefused: there is no key, or the format is none that OpenAI takes.
    """
    if options.format.encoding not in HEARD:
        raise ProviderRefused(ID, f"takes no {options.format.encoding} audio")
    desk = _Desk(api, FileWire(model, options), api.headers(options.api_key))
    stream = FileStream(desk, rules_of(options), options)
    async with aclosing(stream.transcripts):
        yield stream


@attrs.frozen
class _Desk:
    """Where utterances are handed in."""

    api: API
    wire: FileWire
    headers: Headers

    async def transcribe(self, utterance: Utterance) -> AsyncGenerator[Transcript, None]:
        """Upload, and give what comes back. Without events, what may pass is tried again."""
        url = self.api.network.url(*_PATH)
        fields, files = self.wire.fields(), [("file", self.wire.file(utterance))]
        if not self.wire.streams:
            body = await self.api.http.fetch(
                "POST", url, headers=self.headers, idempotent=True, data=fields, files=files
            )
            for transcript in self.wire.read(read_object(ID, body), utterance):
                yield transcript
            return
        reader = FileEvents(self.wire, utterance)
        async with (
            self.api.http.stream(
                "POST", url, headers=self.headers, data=fields, files=files
            ) as answer,
            aclosing(events_of(answer)) as events,
        ):
            async for event in events:
                for transcript in reader.read(event):
                    yield transcript
        if not reader.done:
            raise ProviderClosed(ID, "ended its answer before all was said")


class FileStream:
    """One recognition. Whoever iterates does the uploads, in the order in which things were said."""

    def __init__(self, desk: _Desk, rules: Rules, options: STTOptions) -> None:
        self.transcripts = self._transcripts()
        """The one iterator; whoever opened the stream closes it."""
        self._desk = desk
        self._rules = rules
        self._utterances = Utterances(options.format, rules)
        self._put, self._get = trio.open_memory_channel[Utterance](WAITING)
        self._sound_at = trio.current_time()

    async def send(self, frame: AudioFrame) -> None:
        """Hand over sound; wait while utterances are waiting for their upload."""
        await trio.lowlevel.checkpoint()
        self._sound_at = trio.current_time()
        try:
            whole = self._utterances.put(frame.data)
        except ValueError as error:
            raise ProviderRefused(ID, str(error)) from None
        await self._hand_in(whole)

    async def finish(self) -> None:
        """Say that no frame follows."""
        await trio.lowlevel.checkpoint()
        await self._hand_in(self._utterances.finish())
        self._put.close()

    def __aiter__(self) -> AsyncIterator[Transcript]:
        return self.transcripts

    async def _hand_in(self, utterances: list[Utterance]) -> None:
        try:
            for utterance in utterances:
                await self._put.send(utterance)
        except trio.BrokenResourceError:
            pass
        if not self._put.statistics().open_receive_channels:
            # The reader tells why, and mostly this task is cancelled because of that.
            await trio.lowlevel.checkpoint()
            raise ProviderClosed(ID, "the stream has ended")

    async def _transcripts(self) -> AsyncGenerator[Transcript, None]:
        with self._get:
            while (utterance := await self._next()) is not None:
                try:
                    async with aclosing(self._desk.transcribe(utterance)) as said:
                        async for transcript in said:
                            yield transcript
                except ProviderUnavailable as error:
                    # It was open, for whoever uses it.
                    raise ProviderClosed(ID, error.message) from error

    async def _next(self) -> Utterance | None:
        """Wait for an utterance. If no sound comes for as long as a pause lasts, that is one, too."""
        wait = max(self._rules.silence, _SHORTEST_WAIT)
        while True:
            now = trio.current_time()
            with trio.move_on_at(
                self._sound_at + wait if self._sound_at + wait > now else now + wait
            ):
                try:
                    return await self._get.receive()
                except trio.EndOfChannel:
                    return None
            late = trio.current_time() >= self._sound_at + wait
            if late and self._rules.flush is Flush.SILENCE and self._utterances.pending:
                return self._utterances.flush()[0]
