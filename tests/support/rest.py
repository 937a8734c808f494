"""A gateway with scripted voices, and a client of its REST side."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
import trio
from quart.typing import TestClientProtocol

from capabilities import (
    TTS,
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Manifest,
    Plugin,
    PluginContext,
    Secret,
    SpeechRequest,
    Voice,
)
from waav.config import Config, Server
from waav.config.overload import Overload
from waav.config.schema import Plugins
from waav.gateway import open_gateway
from waav.server.app import create_app

Client: TypeAlias = TestClientProtocol
"""Under a name that pytest does not take for that of tests."""

TONE = AudioFrame(b"\1\2" * 240, AudioFormat(Encoding.LINEAR16, 24000))
"""10 ms."""


@attrs.define(eq=False)
class Reader:
    """A TTS that gives the same frames for every text, at once, without ever waiting."""

    frames: Sequence[AudioFrame] = (TONE,)
    error: Exception | None = None
    """Raised after the frames."""
    endless: bool = False
    """After the frames nothing comes, and no end either."""
    known: Sequence[Voice] = (Voice("en", "English", "en-US", "Male"),)
    voices_error: Exception | None = None
    requests: list[SpeechRequest] = attrs.Factory(list)
    begun: trio.Event = attrs.Factory(trio.Event)
    left: trio.Event = attrs.Factory(trio.Event)
    """Set when a synthesis ends, in whatever way."""

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        self.requests.append(request)
        self.begun.set()
        try:
            yield self._frames()
        finally:
            self.left.set()

    async def _frames(self) -> AsyncIterator[AudioFrame]:
        for frame in self.frames:
            yield frame
        if self.error is not None:
            raise self.error
        if self.endless:
            await trio.sleep_forever()

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        if self.voices_error is not None:
            raise self.voices_error
        return self.known


def voice_plugin(
    id: str,  # noqa: A002
    tts: TTS | None,
    *encodings: Encoding,
    **more: Any,
) -> Manifest:
    """A plugin around a voice; without one it fails when it is opened."""

    @asynccontextmanager
    async def open_(_context: PluginContext) -> AsyncIterator[Plugin]:
        if tts is None:
            raise RuntimeError("no voice today")
        yield Plugin(tts=tts)

    ability = Ability(
        features=("streaming",),
        languages=("en-US",),
        models=("one",),
        encodings=encodings or (Encoding.LINEAR16,),
    )
    return Manifest(id, id.title(), open_, {Capability.TTS: ability}, **more)


@asynccontextmanager
async def open_rest(
    *manifests: Manifest, client_keys: bool = True, **server: Any
) -> AsyncIterator[Client]:
    """A client of a gateway that has these plugins and no others."""
    plugins = Plugins(enabled=False, client_keys=client_keys)
    # A machine that runs other tests beside this one is late, and must refuse nobody.
    config = Config(server=Server(**server), plugins=plugins, overload=Overload(enabled=False))
    async with open_gateway(config, manifests=manifests) as gateway:
        yield create_app(gateway).test_client()
