"""A gateway on a port, with nothing but the local engines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from capabilities import (
    STT,
    AudioFrame,
    Final,
    Manifest,
    Plugin,
    PluginContext,
    STTOptions,
    STTStream,
    Transcript,
)
from providers.local import espeak, pocketsphinx, silero, smart_turn, turn_detector
from providers.local.processors import denoise
from waav.config import Config
from waav.config.overload import Overload
from waav.gateway import Gateway, open_gateway
from waav.server.service import serve_gateway
from waav.session.commands import STTConfig
from waav.tasks import open_scoped_nursery


@attrs.frozen(eq=False)
class UnmarkedStream:
    """Words without a word of who has finished, as many vendors give them."""

    stream: STTStream

    async def send(self, frame: AudioFrame) -> None:
        await self.stream.send(frame)

    async def finish(self) -> None:
        await self.stream.finish()

    def __aiter__(self) -> "UnmarkedStream":
        return self

    async def __anext__(self) -> Transcript:
        heard = await anext(aiter(self.stream))
        return attrs.evolve(heard, speech_final=False) if isinstance(heard, Final) else heard


@attrs.frozen
class Unmarked:
    """The local recogniser, but the gateway has to find out when the user has finished."""

    stt: STT

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        async with self.stt.connect(options) as stream:
            yield UnmarkedStream(stream)


@asynccontextmanager
async def open_unmarked(context: PluginContext) -> AsyncIterator[Plugin]:
    async with pocketsphinx.open_pocketsphinx(context) as plugin:
        assert plugin.stt is not None
        yield Plugin(stt=Unmarked(plugin.stt))


UNMARKED = attrs.evolve(
    pocketsphinx.MANIFEST, id="unmarked", name="Unmarked", aliases=(), open=open_unmarked
)
ENGINES = (pocketsphinx.MANIFEST, espeak.MANIFEST, silero.MANIFEST, denoise.MANIFEST)
DETECTORS = (turn_detector.MANIFEST, smart_turn.MANIFEST)


@attrs.frozen
class Local:
    """A gateway, and where it listens."""

    gateway: Gateway
    url: str

    def detects(self) -> bool:
        """Whether a session would have a turn detector."""
        config = STTConfig("unmarked", STTOptions())
        return self.gateway.means.judge(config, config.options.format) is not None


@asynccontextmanager
async def open_local(
    config: Config | None = None, manifests: tuple[Manifest, ...] = ENGINES
) -> AsyncIterator[Local]:
    """Give a gateway that runs as long as the block."""
    config = config or Config()
    local = attrs.evolve(
        config,
        server=attrs.evolve(config.server, host="127.0.0.1", port=0),
        plugins=attrs.evolve(config.plugins, enabled=False),
        # What is measured is how turns are taken, on any machine, however busy.
        overload=Overload(enabled=False),
    )
    async with (
        open_gateway(local, manifests=manifests) as gateway,
        open_scoped_nursery("the conversations are over") as nursery,
    ):
        [(_, port)] = await nursery.start(serve_gateway, gateway, trio.Event())
        yield Local(gateway, f"ws://127.0.0.1:{port}/ws")
