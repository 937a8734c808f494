"""Scripted audio processors, as streams and as plugins."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from capabilities import (
    Ability,
    AudioFormat,
    Capability,
    Manifest,
    Plugin,
    PluginContext,
    ProcessorOptions,
    ProviderBusy,
    ProviderError,
)


@attrs.define(eq=False)
class Add:
    """Adds a number to each byte, which is easily seen; takes its time, or breaks, when it is told."""

    format: AudioFormat = AudioFormat()
    number: int = 1
    pause: float = 0.0
    """Seconds that each frame takes."""
    error: Exception | None = None
    gives: Any = None
    """Instead of sound."""
    keep: int = 0
    """Bytes held back until the end."""
    delay: float = 0.0
    readings: Mapping[str, float] = attrs.field(factory=dict)
    fed: list[bytes] = attrs.field(factory=list)
    resets: int = 0
    _held: bytes = b""

    async def feed(self, data: bytes) -> bytes:
        self.fed.append(data)
        if self.pause:
            await trio.sleep(self.pause)
        if self.error is not None:
            raise self.error
        if self.gives is not None:
            return self.gives  # type: ignore[no-any-return]
        data = self._held + data
        size = max(0, len(data) - self.keep)
        self._held = data[size:]
        return bytes((each + self.number) % 256 for each in data[:size])

    async def flush(self) -> bytes:
        if self.error is not None:
            raise self.error
        held, self._held = self._held, b""
        return bytes((each + self.number) % 256 for each in held)

    def reset(self) -> None:
        self.resets += 1
        self._held = b""
        if self.error is not None:
            raise self.error


@attrs.frozen
class AddOptions:
    number: int = 1


@attrs.define(eq=False)
class Adder:
    """A processor with streams that add."""

    pattern: Mapping[str, Any] = attrs.field(factory=dict)
    """What its streams are like."""
    refusal: ProviderError | None = None
    limit: int = 100
    streams: list[Add] = attrs.field(factory=list)
    options: list[ProcessorOptions] = attrs.field(factory=list)
    open_streams: int = 0

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[Add]:
        await trio.lowlevel.checkpoint()
        if self.refusal is not None:
            raise self.refusal
        if self.open_streams >= self.limit:
            raise ProviderBusy("adder", "full")
        number = options.options.number if options.options else 1
        stream = Add(**{"format": options.format, "number": number, **self.pattern})
        self.options.append(options)
        self.streams.append(stream)
        self.open_streams += 1
        try:
            yield stream
        finally:
            self.open_streams -= 1


def processor_plugin(name: str, processor: Any, **ability: Any) -> Manifest:
    """A manifest around a processor."""

    @asynccontextmanager
    async def open_(_context: PluginContext) -> AsyncIterator[Plugin]:
        yield Plugin(processor=processor)

    known = Ability(**{"options": AddOptions, **ability})
    return Manifest(name, name, open_, {Capability.PROCESSOR: known})
