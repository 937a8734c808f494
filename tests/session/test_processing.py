"""Processors out of plugins: opened by name, and never the end of a session."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from support.processors import Adder, processor_plugin
from trio.testing import MockClock

from capabilities import AudioFormat, Encoding, ProviderBusy, ProviderRefused
from waav.errors import InvalidRequest, UnknownProvider
from waav.plugins import Discovery, Plugins, open_plugins
from waav.session.commands import ProcessorChoice
from waav.session.processing import open_pipeline

SPEECH = AudioFormat()
FRAME = bytes(640)


@asynccontextmanager
async def plugins_with(
    settings: Mapping[str, Any] | None = None, **processors: Any
) -> AsyncIterator[Plugins]:
    manifests = [processor_plugin(name, each) for name, each in processors.items()]
    async with open_plugins(Discovery.of(*manifests), settings=settings or {}) as plugins:
        yield plugins


def choices(*names: str) -> list[ProcessorChoice]:
    return [ProcessorChoice(name) for name in names]


@pytest.mark.pins("D284")
async def test_they_work_in_the_order_in_which_they_are_named(autojump_clock: MockClock) -> None:
    one, two = Adder(), Adder({"number": 16})
    async with plugins_with(one=one, two=two) as plugins:
        async with open_pipeline(plugins, choices("two", "One"), SPEECH, SPEECH) as pipeline:
            assert await pipeline.feed(FRAME) == b"\x11" * 640
            assert one.streams[0].fed == [b"\x10" * 640]
            assert (one.open_streams, two.open_streams) == (1, 1)
        assert (one.open_streams, two.open_streams) == (0, 0)


async def test_none_chosen_is_a_converter_and_nothing_else(autojump_clock: MockClock) -> None:
    async with plugins_with() as plugins, open_pipeline(plugins, (), SPEECH, SPEECH) as pipeline:
        assert await pipeline.feed(FRAME) is FRAME


async def test_options_are_the_operators_and_the_sessions_above_them(
    autojump_clock: MockClock,
) -> None:
    adder = Adder()
    settings = {"adder": {"processor": {"number": 3}}}
    chosen = [ProcessorChoice("adder"), ProcessorChoice("adder", {"number": 5})]
    async with (
        plugins_with(settings, adder=adder) as plugins,
        open_pipeline(plugins, chosen, SPEECH, SPEECH) as pipeline,
    ):
        assert await pipeline.feed(FRAME) == b"\x08" * 640
    assert [each.options.number for each in adder.options] == [3, 5]


async def test_each_gets_a_format_that_it_takes(autojump_clock: MockClock) -> None:
    narrow = Adder()
    manifest = processor_plugin("narrow", narrow, sample_rates=(8000, 16000))
    phone, wide = AudioFormat(Encoding.MULAW, 8000), AudioFormat(sample_rate=48000, channels=2)
    async with open_plugins(Discovery.of(manifest)) as plugins:
        for source in (phone, wide):
            async with open_pipeline(plugins, choices("narrow"), source, source) as pipeline:
                data = bytes(source.byte_rate)
                assert len(await pipeline.feed(data) + await pipeline.flush()) == pytest.approx(
                    len(data), abs=2 * source.sample_bytes
                )
    assert [each.format for each in narrow.options] == [AudioFormat(sample_rate=8000), SPEECH]


@pytest.mark.pins("D322")
async def test_two_sessions_have_two_streams(autojump_clock: MockClock) -> None:
    adder = Adder({"keep": 2})
    async with (
        plugins_with(adder=adder) as plugins,
        open_pipeline(plugins, choices("adder"), SPEECH, SPEECH) as one,
        open_pipeline(plugins, choices("adder"), SPEECH, SPEECH) as two,
    ):
        assert await one.feed(b"\1\1\2\2") == b"\2\2"
        assert await two.feed(b"\5\5") == b""
        assert await one.flush() == b"\3\3"


async def test_a_mistake_is_told(autojump_clock: MockClock) -> None:
    refuses = Adder(refusal=ProviderRefused("refuses", "not that"))
    async with plugins_with(adder=Adder(), refuses=refuses) as plugins:
        cases: list[tuple[ProcessorChoice, type[Exception]]] = [
            (ProcessorChoice("nobody"), UnknownProvider),
            (ProcessorChoice("adder", {"number": "many"}), InvalidRequest),
            (ProcessorChoice("refuses"), ProviderRefused),
        ]
        for choice, error in cases:
            with pytest.raises(error):
                async with open_pipeline(plugins, [choice], SPEECH, SPEECH):
                    pass
        mp3 = AudioFormat(Encoding.MP3)
        with pytest.raises(InvalidRequest, match="cannot convert mp3"):
            async with open_pipeline(plugins, choices("adder"), mp3, mp3):
                pass


async def test_who_is_not_there_just_now_is_left_out(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Full, broken, or not in service: the others work, and it is told once."""
    broken = Adder({"nonsense": 1})
    async with plugins_with(full=Adder(limit=0), broken=broken, good=Adder()) as plugins:
        wanted = choices("full", "broken", "good")
        async with open_pipeline(plugins, wanted, SPEECH, SPEECH) as pipeline:
            assert await pipeline.feed(FRAME) == b"\x01" * 640
            assert set(pipeline.problems) == {"full", "broken"}
            assert pipeline.missing["full"] == str(ProviderBusy("adder", "full"))
    left_out = [each for each in caplog.messages if "left out" in each]
    assert len(left_out) == 2


async def test_who_breaks_is_closed_and_its_plugin_has_the_blame(
    autojump_clock: MockClock,
) -> None:
    breaks = Adder({"error": ZeroDivisionError()})
    async with (
        plugins_with(breaks=breaks, good=Adder()) as plugins,
        open_pipeline(plugins, choices("breaks", "good"), SPEECH, SPEECH) as pipeline,
    ):
        assert await pipeline.feed(FRAME) == b"\x01" * 640
        await trio.testing.wait_all_tasks_blocked()
        assert breaks.open_streams == 0
        status = next(each for each in plugins.statuses() if each.id == "breaks")
        assert status.error_count == 1
        assert await pipeline.feed(FRAME) == b"\x01" * 640


async def test_a_plugin_that_goes_out_of_service_is_passed_by(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        plugins_with(goes=Adder({"number": 16}), stays=Adder()) as plugins,
        open_pipeline(plugins, choices("goes", "stays"), SPEECH, SPEECH) as pipeline,
    ):
        assert await pipeline.feed(FRAME) == b"\x11" * 640
        await plugins.unregister("goes")
        assert await pipeline.feed(FRAME) == b"\x01" * 640
        assert set(pipeline.problems) == {"goes"}
    assert [each for each in caplog.messages if "passed by" in each] == [
        "audio processor goes is passed by: goes: stopping"
    ]


async def test_an_error_of_the_session_is_not_the_processors(autojump_clock: MockClock) -> None:
    async with plugins_with(adder=Adder()) as plugins:
        with pytest.raises(LookupError):
            async with open_pipeline(plugins, choices("adder"), SPEECH, SPEECH):
                raise LookupError
        (status,) = plugins.statuses()
        assert status.error_count == 0


class _Lingers(Adder):
    @asynccontextmanager
    async def process(self, options: Any) -> AsyncIterator[Any]:
        async with super().process(options) as stream:
            try:
                yield stream
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(60)


async def test_who_does_not_let_go_holds_nobody_for_long(autojump_clock: MockClock) -> None:
    async with plugins_with(lingers=_Lingers()) as plugins:
        began = trio.current_time()
        async with open_pipeline(plugins, choices("lingers"), SPEECH, SPEECH):
            pass
        assert trio.current_time() - began == pytest.approx(5.0, abs=0.1)
