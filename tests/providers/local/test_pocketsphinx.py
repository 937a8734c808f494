"""The recogniser with its processes: as a plugin, at its limit, cancelled, and with a dead process."""

import os
import signal
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    STTOptions,
    STTStream,
    Transcript,
)
from providers.local import pocketsphinx, sphinx_pool
from providers.local.pocketsphinx import (
    MANIFEST,
    PocketsphinxOptions,
    PocketsphinxSettings,
    PocketsphinxStream,
    PocketsphinxSTT,
)
from providers.local.slots import Slots
from waav.testing import (
    QUESTION_TEXT,
    check_plugin,
    check_stt,
    cut,
    hear,
    open_manifest,
    question,
    silence,
)

TWO = PocketsphinxSettings(concurrency=2)


def finals(said: list[Transcript]) -> list[Final]:
    return [each for each in said if isinstance(each, Final)]


def worker_of(stream: STTStream) -> sphinx_pool.Worker:
    assert isinstance(stream, PocketsphinxStream)
    return stream._worker


def hang_up(stream: STTStream) -> None:
    os.kill(worker_of(stream).pid, signal.SIGKILL)


async def test_the_plugin_passes_the_suite() -> None:
    await check_plugin(MANIFEST, settings=TWO, limit=2, text=QUESTION_TEXT)


async def test_a_dead_process_is_the_end_of_its_stream_and_of_no_other() -> None:
    async with open_manifest(MANIFEST, TWO) as plugin:
        assert plugin.stt is not None
        sound = silence(0.5)
        await check_stt(plugin.stt, sound=sound, hang_up=hang_up, cancels=1)
        assert finals(await hear(plugin.stt, question()))[0].text == QUESTION_TEXT


async def test_the_limit_counts_streams_and_names_itself() -> None:
    async with open_manifest(MANIFEST, PocketsphinxSettings(concurrency=1)) as plugin:
        assert plugin.stt is not None
        async with plugin.stt.connect(STTOptions()):
            with pytest.raises(ProviderBusy, match="all 1 places are taken"):
                async with plugin.stt.connect(STTOptions()):
                    pass
        async with plugin.stt.connect(STTOptions()) as stream:
            process = worker_of(stream).pid
        async with plugin.stt.connect(STTOptions()) as stream:
            assert worker_of(stream).pid == process, "a process is used again"


async def test_closing_the_plugin_ends_its_processes() -> None:
    async with open_manifest(MANIFEST, TWO) as plugin:
        assert plugin.stt is not None
        async with plugin.stt.connect(STTOptions()) as stream:
            process = worker_of(stream).pid
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_a_reader_that_is_cancelled_loses_no_word() -> None:
    async with open_manifest(MANIFEST, TWO) as plugin:
        assert plugin.stt is not None
        async with plugin.stt.connect(STTOptions(interim_results=False)) as stream:
            for frame in cut(question(), 32000):
                with trio.move_on_after(0.01):  # too short for a second of sound
                    await anext(aiter(stream))
                await stream.send(frame)
                while True:
                    with trio.move_on_after(0.01) as patience:
                        await anext(aiter(stream))
                    if not worker_of(stream).owed and patience.cancelled_caught:
                        break
            await stream.finish()
            said = [each async for each in stream]
            assert [each.text for each in said if isinstance(each, Final)] == [QUESTION_TEXT]


async def test_a_sender_waits_while_nobody_listens() -> None:
    sent = 0

    async def send(stream: STTStream) -> None:
        nonlocal sent
        for frame in cut(silence(5.0), 3200):
            await stream.send(frame)
            sent += 1

    async with open_manifest(MANIFEST, TWO) as plugin:
        assert plugin.stt is not None
        async with plugin.stt.connect(STTOptions()) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(send, stream)
            await trio.testing.wait_all_tasks_blocked()
            assert sent == 11, "a second and the frame that fills it"
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (STTOptions(options=PocketsphinxOptions(end_of_speech=0.3)), 2),
        (STTOptions(options=PocketsphinxOptions(end_of_speech=2.0)), 1),
        (STTOptions(endpointing=0.3), 2),
        (STTOptions(utterance_end=2.0), 1),
        (STTOptions(endpointing=2.0, options=PocketsphinxOptions(end_of_speech=0.3)), 2),
    ],
)
def test_who_decides_how_much_silence_ends_speech(options: STTOptions, count: int) -> None:
    silence_wanted = {2: 0.3, 1: 2.0}[count]
    assert pocketsphinx._request(options)["silence"] == silence_wanted


async def test_a_pause_is_the_end_or_not_as_the_session_wishes() -> None:
    twice = AudioFrame(question().data + silence(0.7).data + question().data)
    async with open_manifest(MANIFEST, TWO) as plugin:
        assert plugin.stt is not None
        patient = STTOptions(options=PocketsphinxOptions(end_of_speech=2.0))
        hasty = STTOptions(endpointing=0.4, interim_results=False)
        assert len(finals(await hear(plugin.stt, twice, patient))) == 1
        said = await hear(plugin.stt, twice, hasty)
        assert [each.text for each in finals(said)] == [QUESTION_TEXT] * 2
        assert finals(said) == said
        starts = [final.words[0].start for final in finals(said)]
        assert starts[1] - starts[0] == pytest.approx(question().duration + 0.7, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": attrs.evolve(SPEECH, sample_rate=8000)}, "8000 Hz"),
        ({"format": AudioFormat(Encoding.MULAW, 16000)}, "mulaw"),
        ({"format": attrs.evolve(SPEECH, channels=2)}, "2 channel"),
        ({"language": "de-DE"}, "English .* not 'de-DE'"),
        ({"model": "nova-3"}, "not 'nova-3'"),
    ],
)
async def test_what_it_cannot_do_is_refused(wrong: dict[str, Any], message: str) -> None:
    async with trio.open_nursery() as nursery:
        pool = sphinx_pool.Pool(Slots("pocketsphinx", 1), nursery)
        with pytest.raises(ProviderRefused, match=message):
            async with PocketsphinxSTT(pool).connect(attrs.evolve(STTOptions(), **wrong)):
                pass
        assert pool.slots.taken == 0


@pytest.mark.parametrize("language", ["en", "en-US", "EN-gb"])
def test_any_english_is_taken(language: str) -> None:
    assert pocketsphinx._request(STTOptions(language=language))


async def test_a_process_that_does_not_come_up_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/true")
    with pytest.RaisesGroup(
        pytest.RaisesExc(ProviderUnavailable, match="does not come up"), flatten_subgroups=True
    ):
        async with open_manifest(MANIFEST, TWO):
            pass


async def test_options_and_settings_have_bounds() -> None:
    for wrong in (0.0, 11.0):
        with pytest.raises(ValueError, match="end_of_speech"):
            PocketsphinxOptions(end_of_speech=wrong)
    with pytest.raises(ValueError, match="sensitivity"):
        PocketsphinxOptions(sensitivity=4)
    with pytest.raises(ValueError, match="concurrency"):
        PocketsphinxSettings(concurrency=0)
