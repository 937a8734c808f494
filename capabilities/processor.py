"""Audio processing: sound goes in, and comes out changed. The contract, and the values it speaks."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs

from capabilities.audio import SPEECH, AudioFormat


@attrs.frozen
class ProcessorOptions:
    """What a processor is to work on, and how."""

    format: AudioFormat = SPEECH
    """Of the sound that goes in."""
    options: Any = None
    """An instance of the class that the manifest names (``Ability.options``), or None for its defaults."""


class ProcessorStream(Protocol):
    """One stream of sound being worked on; it shares no state with any other. One call at a time.

    Nothing is lost or made: each second that goes in comes out, in its place, at the latest with
    :meth:`flush`. A cancelled call leaves the stream good for nothing but to be left.
    """

    @property
    def format(self) -> AudioFormat:
        """Of the sound that comes out."""
        ...

    @property
    def delay(self) -> float:
        """Seconds of sound that it holds back at most, however the sound is cut."""
        ...

    @property
    def readings(self) -> Mapping[str, float]:
        """What it has measured by now, for statistics: names with their unit, ``peak_dbfs``. Mostly empty."""
        ...

    async def feed(self, data: bytes) -> bytes:
        """Take sound, in whole samples; return what is ready, in whole samples: nothing, less or more.

        It should take a small part of the time that the sound lasts. What is short is done without
        a checkpoint; what is not belongs into a thread.
        """
        ...

    async def flush(self) -> bytes:
        """Return what was held back. What is fed next is the beginning of new sound."""
        ...

    def reset(self) -> None:
        """Forget all that was fed: the sound jumps."""
        ...


class AudioProcessor(Protocol):
    """A provider that changes sound: takes noise out, makes it louder, or gives it another rate."""

    def process(self, options: ProcessorOptions) -> AbstractAsyncContextManager[ProcessorStream]:
        """Work on one stream for as long as the ``async with`` block lasts.

        Raises:
            ProviderBusy: the limit on streams at one time is reached.
            ProviderRefused: the format or an option is not accepted.
        """
        ...
