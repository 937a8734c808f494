"""Speech that was said before, or is being said just now: how it is kept, and how it is shared."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
import msgspec
import trio

from capabilities import (
    AudioFormat,
    AudioFrame,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from capabilities.cache import CacheBackend
from waav.errors import WaavError
from waav.speech.recording import Recording

Sink: TypeAlias = Callable[[AudioFrame], Awaitable[None]]
"""Where sound goes; may wait as long as the listener is slow."""
Make: TypeAlias = Callable[[Sink], Awaitable[None]]
"""Makes the sound of one request and gives it to a sink."""


@attrs.define(eq=False)
class Listener:
    """Somebody who wants to hear one piece of speech, and how far they have come."""

    provider: str
    sink: Sink
    first_timeout: float
    """Seconds that they wait for the first sound."""
    timeout: float
    """Seconds that they wait for more."""
    heard: int = attrs.field(default=0, init=False)
    """Bytes."""
    _deadline: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._deadline = trio.current_time() + self.first_timeout

    async def take(self, frame: AudioFrame) -> None:
        """Hear what follows on what was heard."""
        await self.sink(frame)
        self.heard += len(frame.data)
        # Only now: that the sink is slow is not the voice's fault.
        self._deadline = trio.current_time() + self.timeout

    async def wait(self, recording: Recording) -> None:
        """Wait for something new.

        Raises:
            ProviderUnavailable: nothing came in time.
        """
        try:
            with trio.fail_at(self._deadline):
                await recording.news()
        except trio.TooSlowError:
            timeout = self.timeout if self.heard else self.first_timeout
            raise ProviderUnavailable(self.provider, f"no sound came for {timeout:g} s") from None


@attrs.define
class Found:
    """Where speech came from that was asked for."""

    hits: int = 0
    """It was kept."""
    shared: int = 0
    """It was being made for somebody else, and heard from there to its end."""
    misses: int = 0
    """It had to be made."""


@attrs.frozen
class SpeechCache:
    """Whole pieces of speech in a ``CacheBackend``: a line of JSON with the format, then the sound.

    What is being made now is shared with all who want the same: the first who asks for it leads,
    and the others follow its recording as it grows. There is no task of its own for that: when a
    leader is cancelled or fails, the first of its followers takes over.
    """

    backend: CacheBackend
    ttl: float
    """Seconds."""
    found: Found = attrs.field(factory=Found, init=False)
    _live: dict[str, Recording] = attrs.field(factory=dict, init=False, repr=False)

    async def hear(self, key: str, make: Make, listener: Listener) -> None:
        """Let a listener hear what belongs to ``key``, from where they stand to its end.

        ``make`` is called only by who leads. Who takes over skips in the new sound as much as they
        have heard of the old.

        Raises:
            ProviderError, WaavError: as ``make`` does, for who leads. Who follows meets a
                ProviderRefused of their leader, because they would be refused too.
        """
        while True:
            live = self._live.get(key)
            if live is None or (live.over and not live.whole):
                await self._lead(key, make, listener)
                return
            if await _follow(live, listener):
                self.found.shared += 1
                return

    async def get(self, key: str) -> AudioFrame | None:
        """Return a whole piece as one frame, in the format in which it was recorded."""
        value = await self.backend.get(key)
        if value is None:
            return None
        header, _, data = value.partition(b"\n")
        try:
            format = msgspec.json.decode(header, type=AudioFormat)
        except (ValueError, msgspec.DecodeError):
            return None
        return AudioFrame(data, format)

    async def put(self, key: str, recording: Recording) -> None:
        """Keep a piece that was said to its end; an empty or given-up one is not kept."""
        if recording.whole and recording.data:
            header = msgspec.json.encode(recording.format)
            await self.backend.put(key, b"\n".join((header, recording.data)), self.ttl)

    async def _lead(self, key: str, make: Make, listener: Listener) -> None:
        self._live[key] = recording = Recording()
        try:
            await self._find_or_make(key, make, listener, recording)
        except (ProviderError, WaavError) as exc:
            recording.end(exc)
            raise
        finally:
            # A cancelled or failed piece is not whole, is not kept, and makes room for a new one.
            recording.end()
            self._live.pop(key, None)

    async def _find_or_make(
        self, key: str, make: Make, listener: Listener, recording: Recording
    ) -> None:
        skip = listener.heard

        async def take(frame: AudioFrame) -> None:
            nonlocal skip
            recording.add(frame)
            if 0 < len(frame.data) <= skip:
                skip -= len(frame.data)
                return
            data, text, skip = frame.data[skip:], None if skip else frame.text, 0
            await listener.take(AudioFrame(data, frame.format, text=text))

        if (known := await self.get(key)) is not None:
            self.found.hits += 1
            recording.add(known)
            # Followers need not wait for who leads to have taken it.
            recording.end(whole=True)
            await take(known)
            return
        self.found.misses += 1
        await make(take)
        recording.end(whole=True)
        await self.put(key, recording)


async def _follow(recording: Recording, listener: Listener) -> bool:
    """Hear a recording while it grows; return whether it came to its end."""
    while True:
        if (frame := recording.behind(listener.heard)) is not None:
            await listener.take(frame)
        elif not recording.over:
            await listener.wait(recording)
        elif isinstance(recording.error, ProviderRefused):
            raise ProviderRefused(recording.error.provider, recording.error.message)
        else:
            return recording.whole
