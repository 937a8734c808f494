"""Opens the audio processors that a session wants, each in its plugin, and makes a pipeline of them."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio

from capabilities import (
    AudioFormat,
    AudioFrame,
    AudioProcessor,
    Encoding,
    ProcessorOptions,
    ProviderError,
    ProviderRefused,
)
from waav.audio.convert import NotConvertible
from waav.audio.pipeline import Budget, Pipeline, Problems, Stage
from waav.audio.shape import Shaper
from waav.errors import InvalidRequest, WaavError
from waav.plugins import Guarded, Plugins
from waav.session.commands import ProcessorChoice
from waav.session.resolve import nearest_format, structure_options
from waav.session.shedding import Sheddable, Shedding
from waav.speech.cache import Sink
from waav.tasks import open_scoped_nursery

log = logging.getLogger(__name__)

_DEFAULT_BUDGET = Budget()


@asynccontextmanager
async def open_pipeline(
    plugins: Plugins,
    choices: Sequence[ProcessorChoice],
    source: AudioFormat,
    target: AudioFormat,
    budget: Budget = _DEFAULT_BUDGET,
    *,
    shedding: Shedding | None = None,
) -> AsyncIterator[Pipeline]:
    """Work on one stream of sound for as long as the ``async with`` block lasts.

    A processor that is not in service, or at its limit, is left out: ``Pipeline.missing`` says so.
    One whose plugin goes out of service meanwhile is passed by, and so is for a while what ``shedding``
    says. None of that ends the session. Nothing is started where nothing is chosen.

    Raises:
        InvalidRequest: a name or an option is wrong, or a format is not one that can be worked on.
        ProviderRefused: a processor does not accept its options.
    """
    async with open_scoped_nursery("the sound has ended") as nursery:
        stages: list[Stage] = []
        missing: dict[str, str] = {}
        audio = source
        for choice in choices:
            try:
                provider = plugins.processor(choice.name)
                holder = _Holder.of(provider, choice, audio, budget, shedding)
                name = f"session/process/{provider.id}"
                stage: Stage = await nursery.start(holder.run, name=name)
            except (InvalidRequest, ProviderRefused):
                raise
            except (ProviderError, WaavError) as exc:
                missing[choice.name] = str(exc)
                log.warning("audio processor %s is left out: %s", choice.name, exc)
            else:
                stages.append(stage)
                audio = stage.format
        yield _joined(source, target, stages, missing)


@attrs.frozen
class Processing:
    """What the sound of a voice goes through on its way to the client: the same for each utterance."""

    plugins: Plugins
    choices: tuple[ProcessorChoice, ...] = ()
    budget: Budget = _DEFAULT_BUDGET
    shedding: Shedding | None = None

    @asynccontextmanager
    async def into(self, sink: Sink, target: AudioFormat) -> AsyncIterator[Sink]:
        """Give a sink in front of ``sink`` for one utterance; leaving the block says the last of it.

        Sound that is compressed is passed on as it is, and so is the header of a WAV stream.

        Raises:
            InvalidRequest, ProviderRefused: as for :func:`open_pipeline`.
        """
        wav = target.encoding is Encoding.WAV
        raw = attrs.evolve(target, encoding=Encoding.LINEAR16) if wav else target
        if not self.choices or not raw.sample_bytes:
            yield sink
            return
        shaper, header = Shaper(raw), wav

        async def pass_on(data: bytes, text: str | None = "") -> None:
            for piece in shaper.feed(AudioFrame(data, raw, text=text)):
                await sink(piece)

        async def process(frame: AudioFrame) -> None:
            nonlocal header
            if header:
                header = False
                await sink(frame)
            else:
                await pass_on(await pipeline.feed(frame.data), frame.text)

        async with open_pipeline(
            self.plugins, self.choices, raw, raw, self.budget, shedding=self.shedding
        ) as pipeline:
            yield process
            await pass_on(await pipeline.flush())


def _joined(
    source: AudioFormat, target: AudioFormat, stages: Sequence[Stage], missing: Problems
) -> Pipeline:
    try:
        return Pipeline(source, target, stages, missing)
    except NotConvertible as exc:
        raise InvalidRequest(str(exc), code="invalid_audio_format") from exc


@attrs.define(eq=False)
class _Holder:
    """Holds one stream open, in its plugin, until the pipeline passes it by or closes."""

    provider: Guarded[AudioProcessor]
    options: ProcessorOptions
    budget: Budget
    shedding: Shedding | None
    """None: this one is not left out."""
    stage: Stage | None = attrs.field(default=None, init=False)

    @classmethod
    def of(
        cls,
        provider: Guarded[AudioProcessor],
        choice: ProcessorChoice,
        audio: AudioFormat,
        budget: Budget,
        shedding: Shedding | None,
    ) -> "_Holder":
        """Choose the format in which the processor gets ``audio``, and structure its options."""
        format = nearest_format(provider.ability, audio)
        own = structure_options(provider, choice.options)
        if shedding is not None and provider.id not in shedding.processors:
            shedding = None
        return cls(provider, ProcessorOptions(format, own), budget, shedding)

    async def run(self, *, task_status: trio.TaskStatus[Stage]) -> None:
        """Open the stream, give it out as a stage, and keep it open while it is used."""
        try:
            await self.provider.run(self._hold, task_status)
        except (ProviderError, WaavError) as exc:
            if self.stage is None:
                raise
            self.stage.end(str(exc))

    async def _hold(self, processor: AudioProcessor, task_status: trio.TaskStatus[Stage]) -> None:
        """Runs in a task of the processor's plugin, and counts against it what its stream raised."""
        format = self.options.format
        async with processor.process(self.options) as stream:
            # What gives another format does what nobody can go without.
            if self.shedding is not None and stream.format == format:
                stream = Sheddable(stream, self.shedding)  # noqa: PLW2901
            self.stage = stage = Stage(self.provider.id, stream, format, self.budget)
            task_status.started(stage)
            try:
                await stage.ended.wait()
            finally:
                stage.close()
        if stage.error is not None:
            raise stage.error
