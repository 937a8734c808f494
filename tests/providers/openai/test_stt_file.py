"""Recognition by uploading utterances, against a server that reads the files."""

import attrs
import pytest
import trio
from support.servers.http import (
    Answer,
    Cut,
    Dribbled,
    Garbage,
    Reply,
    Stall,
    answer_json,
    open_http_server,
)
from support.servers.loopback import closed_port
from support.servers.openai import (
    OpenAPI,
    fields_of,
    file_of,
    heard,
    openai,
    refuse,
    segment,
    spoken,
    sse,
    transcribe,
    wav_of,
)
from trio.testing import MockClock

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    Interim,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    Secret,
    STTOptions,
    STTStream,
    Word,
)
from providers.openai import MANIFEST
from providers.openai.options import OpenAISTTOptions
from providers.openai.stt import OpenAISTT
from waav.testing import check_stt
from waav.testing.audio import silence
from waav.testing.talk import hear

QUIET = silence(1.1)


def said(*words: AudioFrame) -> AudioFrame:
    return attrs.evolve(words[0], data=b"".join(each.data for each in words))


async def test_it_keeps_the_contract(open_api: OpenAPI) -> None:
    async with open_http_server(openai) as server, open_api(server.url) as api:
        await check_stt(
            OpenAISTT(api),
            MANIFEST.abilities["stt"],
            options=STTOptions(),
            sound=said(spoken(3, audio=SPEECH), QUIET),
            text="0 1 2",
            refused=[STTOptions(format=AudioFormat(Encoding.OPUS))],
            cancels=25,
        )


@pytest.mark.pins("D024", "D025")
async def test_text_comes_during_the_session_when_the_speaker_pauses(open_api: OpenAPI) -> None:
    async with (
        open_http_server(openai) as server,
        open_api(server.url) as api,
        OpenAISTT(api).connect(STTOptions()) as stream,
    ):
        transcripts = aiter(stream)
        for first in (0, 2):
            await stream.send(said(spoken(2, first, SPEECH), QUIET))
            final = await anext(transcripts)
            assert final == Final(f"{first} {first + 1}", language="en-US", speech_final=True)


async def test_the_end_of_the_stream_is_no_pause(open_api: OpenAPI) -> None:
    async with open_http_server(openai) as server, open_api(server.url) as api:
        assert await hear(OpenAISTT(api), spoken(1, audio=SPEECH)) == [Final("0", language="en-US")]


async def test_who_stops_sending_has_paused_too(open_api: OpenAPI) -> None:
    async with open_http_server(openai) as server, open_api(server.url) as api:
        options = STTOptions(endpointing=0.2)
        async with OpenAISTT(api).connect(options) as stream:
            await stream.send(spoken(1, audio=SPEECH, gap=0.0))
            assert await anext(aiter(stream)) == Final("0", language="en-US", speech_final=True)


async def test_silence_costs_nothing(open_api: OpenAPI) -> None:
    async with open_http_server(openai) as server, open_api(server.url) as api:
        assert await hear(OpenAISTT(api), silence(120.0), step=1.0) == []
    assert server.requests == []


@pytest.mark.pins("D017", "D022")
@pytest.mark.parametrize(
    ("encoding", "name", "kind"),
    [
        (Encoding.LINEAR16, "audio.wav", "audio/wav"),
        (Encoding.MP3, "audio.mp3", "audio/mpeg"),
        (Encoding.FLAC, "audio.flac", "audio/flac"),
        (Encoding.OGG, "audio.ogg", "audio/ogg"),
        (Encoding.WAV, "audio.wav", "audio/wav"),
    ],
)
async def test_an_upload_is_what_its_name_and_type_say(
    open_api: OpenAPI, encoding: Encoding, name: str, kind: str
) -> None:
    audio = AudioFormat(encoding)
    sound = b"\x10\x20" * 16000
    async with (
        open_http_server(answer_json({"text": "hello"})) as server,
        open_api(server.url) as api,
    ):
        await send_whole(OpenAISTT(api), AudioFrame(sound, audio))
    (request,) = server.requests
    file = file_of(request)
    assert (file.filename, file.kind) == (name, kind)
    if encoding is Encoding.LINEAR16:
        assert wav_of(request)[1] == sound
    else:
        assert file.body == sound


async def send_whole(stt: OpenAISTT, frame: AudioFrame) -> list[str]:
    async with stt.connect(STTOptions(format=frame.format)) as stream:
        await stream.send(frame)
        await stream.finish()
        return [each.text async for each in stream if isinstance(each, Final)]


@pytest.mark.pins("D017", "D018")
@pytest.mark.parametrize(
    ("encoding", "loud", "level"), [(Encoding.MULAW, 0x80, 32124), (Encoding.ALAW, 0xAA, 32256)]
)
async def test_g711_is_decoded_before_it_becomes_a_file(
    open_api: OpenAPI, encoding: Encoding, loud: int, level: int
) -> None:
    audio = AudioFormat(encoding, 8000)
    frame = AudioFrame(bytes([loud]) * 8000, audio)
    async with open_http_server(answer_json({"text": "x"})) as server, open_api(server.url) as api:
        assert [each.text for each in await hear(OpenAISTT(api), frame)] == ["x"]
    file, pcm = wav_of(server.requests[0])
    assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
    assert pcm == level.to_bytes(2, "little", signed=True) * 8000


@pytest.mark.pins("D013")
async def test_options_are_sent(open_api: OpenAPI) -> None:
    own = OpenAISTTOptions(
        prompt="a weather report",
        languages=("de", "nl"),
        temperature=0.25,
        logprobs=True,
        chunking_strategy="server_vad",
        vad_threshold=0.4,
    )
    options = STTOptions(keywords=("Zürich", "WaaV"), options=own)
    async with open_http_server(answer_json({"text": "x"})) as server, open_api(server.url) as api:
        await hear(OpenAISTT(api), spoken(1, audio=SPEECH), options)
    assert fields_of(server.requests[0]) == {
        "model": ["gpt-transcribe"],
        "prompt": ["a weather report"],
        "languages[]": ["de", "nl"],
        "keywords[]": ["Zürich", "WaaV"],
        "response_format": ["json"],
        "temperature": ["0.25"],
        "include[]": ["logprobs"],
        "chunking_strategy[type]": ["server_vad"],
        "chunking_strategy[threshold]": ["0.4"],
    }


async def test_whisper_says_when_each_word_was_spoken_in_the_stream(open_api: OpenAPI) -> None:
    options = STTOptions(model="whisper-1", word_timestamps=True, language="en-GB")
    sound = said(silence(2.0), spoken(2, audio=SPEECH), QUIET, spoken(1, 2, SPEECH))
    async with open_http_server(transcribe) as server, open_api(server.url) as api:
        finals = await hear(OpenAISTT(api), sound, options)
    words = [
        (word.text, round(word.start, 2), round(word.end, 2))
        for final in finals
        if isinstance(final, Final)
        for word in final.words
    ]
    assert words == [("0", 2.0, 2.2), ("1", 2.4, 2.6), ("2", 3.9, 4.1)]
    assert fields_of(server.requests[0]) == {
        "model": ["whisper-1"],
        "language": ["en"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word"],
    }


@pytest.mark.pins("D015")
async def test_a_diarizing_model_says_who_speaks(open_api: OpenAPI) -> None:
    options = STTOptions(diarize=True)
    async with open_http_server(transcribe) as server, open_api(server.url) as api:
        (final,) = await hear(OpenAISTT(api), spoken(1, audio=SPEECH), options)
    assert isinstance(final, Final)
    assert final.words == (Word("0", 0.0, 0.5, speaker="A"),)
    assert fields_of(server.requests[0])["chunking_strategy"] == ["auto"]


async def test_text_may_be_shown_while_it_is_made(open_api: OpenAPI) -> None:
    options = STTOptions(options=OpenAISTTOptions(stream=True))
    async with open_http_server(Dribbled(transcribe)) as server, open_api(server.url) as api:
        told = await hear(OpenAISTT(api), spoken(2, audio=SPEECH), options)
    assert told == [Interim("0"), Interim("0 1"), Final("0 1", language="en-US")]
    assert fields_of(server.requests[0])["stream"] == ["true"]


async def test_streamed_segments_have_speakers(open_api: OpenAPI) -> None:
    options = STTOptions(diarize=True, options=OpenAISTTOptions(stream=True))
    done = {"type": "transcript.text.done", "text": "a b"}
    reply = sse(segment("a"), segment("b", "B"), done)
    async with open_http_server(reply) as server, open_api(server.url) as api:
        (final,) = await hear(OpenAISTT(api), spoken(1, audio=SPEECH), options)
    assert isinstance(final, Final)
    assert [(word.text, word.speaker) for word in final.words] == [("a", "A"), ("b", "B")]


async def test_the_session_s_key_is_used_before_the_operator_s(open_api: OpenAPI) -> None:
    options = STTOptions(api_key=Secret("sessions-own"))
    async with (
        open_http_server(openai) as server,
        open_api(server.url, organization="org-1", project="proj-1") as api,
    ):
        await hear(OpenAISTT(api), spoken(1, audio=SPEECH), options)
    headers = server.requests[0].headers
    assert headers["authorization"] == "Bearer sessions-own"
    assert headers["openai-organization"] == "org-1"
    assert headers["openai-project"] == "proj-1"


async def test_without_a_key_nothing_is_opened(open_api: OpenAPI) -> None:
    async with open_api("http://127.0.0.1", key=None) as api:
        with pytest.raises(ProviderRefused, match="OpenAI API key not configured"):
            async with OpenAISTT(api).connect(STTOptions()):
                pass


# What goes wrong.


@pytest.mark.pins("D010")
@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (refuse(401, "Incorrect API key provided: sk-abcd1234efgh"), ProviderRefused, "401"),
        (refuse(400, "Audio file might be corrupted"), ProviderRefused, "corrupted"),
        (refuse(429, "slow down", retry_after="600"), ProviderClosed, "429"),
        (Garbage(), ProviderProtocolError, "not HTTP"),
        (Answer(200, b"<html>"), ProviderProtocolError, "JSON"),
        (answer_json({"no": "text"}), ProviderProtocolError, "without a text"),
        (Answer(200, b"x" * 17_000_000), ProviderProtocolError, "bytes"),
    ],
)
async def test_a_failed_upload_ends_the_stream_with_one_error(
    open_api: OpenAPI, reply: Reply, kind: type[ProviderError], text: str
) -> None:
    async with open_http_server(reply) as server, open_api(server.url) as api:
        with pytest.raises(kind, match=text) as caught:
            await hear(OpenAISTT(api), spoken(1, audio=SPEECH))
    assert "sk-abcd" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [refuse(503, "later"), refuse(429, "later", retry_after="0"), Cut(), Cut(b"{"), Cut(hard=True)],
)
async def test_what_may_pass_is_tried_again_and_nothing_is_lost(
    open_api: OpenAPI, reply: Reply
) -> None:
    async with open_http_server(reply, transcribe) as server, open_api(server.url) as api:
        (final,) = await hear(OpenAISTT(api), spoken(2, audio=SPEECH))
    assert isinstance(final, Final)
    assert final.text == "0 1"
    assert len(server.requests) == 2


async def test_nobody_there_is_a_stream_that_closed(open_api: OpenAPI) -> None:
    async with open_api(f"http://127.0.0.1:{closed_port()}") as api:
        with pytest.raises(ProviderClosed):
            await hear(OpenAISTT(api), spoken(1, audio=SPEECH))


async def test_silence_of_the_vendor_does_not_last_for_ever(open_api: OpenAPI) -> None:
    async with open_http_server(Stall()) as server, open_api(server.url, read_timeout=0.05) as api:
        with pytest.raises(ProviderClosed, match="nothing moved"):
            await hear(OpenAISTT(api), spoken(1, audio=SPEECH))


async def test_a_stream_of_events_that_breaks_off_is_an_error(open_api: OpenAPI) -> None:
    options = STTOptions(options=OpenAISTTOptions(stream=True))
    half = sse({"type": "transcript.text.delta", "delta": "hel"})
    async with open_http_server(half) as server, open_api(server.url) as api:
        with pytest.raises(ProviderClosed, match="before all was said"):
            await hear(OpenAISTT(api), spoken(1, audio=SPEECH), options)


async def test_after_an_error_nothing_more_is_taken(open_api: OpenAPI) -> None:
    async with (
        open_http_server(refuse(401, "no")) as server,
        open_api(server.url) as api,
        OpenAISTT(api).connect(STTOptions()) as stream,
    ):
        await stream.send(said(spoken(1, audio=SPEECH), QUIET))
        with pytest.raises(ProviderRefused):
            await anext(aiter(stream))
        with pytest.raises(ProviderClosed):
            await stream.send(QUIET)


async def test_one_failure_is_one_error_for_who_sends_and_who_reads(open_api: OpenAPI) -> None:
    async def send_for_ever(stream: STTStream) -> None:
        while True:
            await stream.send(said(spoken(1, audio=SPEECH), QUIET))

    async with open_http_server(refuse(401, "no")) as server, open_api(server.url) as api:
        errors: list[ProviderError] = []
        try:
            async with (
                OpenAISTT(api).connect(STTOptions()) as stream,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(send_for_ever, stream)
                async for _ in stream:
                    pass
        except* ProviderError as group:
            errors = [each for each in group.exceptions if isinstance(each, ProviderError)]
    assert [type(each) for each in errors] == [ProviderRefused]


@pytest.mark.pins("D021")
async def test_a_speech_without_a_pause_is_cut_at_the_limit_of_a_file(open_api: OpenAPI) -> None:
    options = STTOptions(options=OpenAISTTOptions(flush="end"))
    sound = AudioFrame(b"\x10\x20" * 12_600_000)
    async with open_http_server(answer_json({"text": "x"})) as server, open_api(server.url) as api:
        finals = await hear(OpenAISTT(api), sound, options, step=100.0)
    sizes = [len(file_of(request).body) for request in server.requests]
    assert len(finals) == len(sizes) == 2
    assert sizes[0] == 25_000_000
    assert sum(sizes) == len(sound.data) + 2 * 44


async def test_compressed_sound_beyond_the_limit_is_refused(open_api: OpenAPI) -> None:
    async with open_api("http://127.0.0.1") as api:
        options = STTOptions(format=AudioFormat(Encoding.MP3))
        async with OpenAISTT(api).connect(options) as stream:
            with pytest.raises(ProviderRefused, match="at most"):
                await stream.send(AudioFrame(bytes(25_000_001), options.format))


async def test_who_waits_without_sound_does_not_spin(
    open_api: OpenAPI, autojump_clock: MockClock
) -> None:
    async with (
        open_api("http://127.0.0.1") as api,
        OpenAISTT(api).connect(STTOptions()) as stream,
    ):
        steps = _Steps()
        trio.lowlevel.add_instrument(steps)
        with trio.move_on_after(120):
            await anext(aiter(stream))
        trio.lowlevel.remove_instrument(steps)
    assert steps.count < 1000


@attrs.define(eq=False)
class _Steps(trio.abc.Instrument):
    count: int = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002  # its signature
        self.count += 1


def test_the_server_s_own_ears() -> None:
    assert heard(spoken(2, 5, SPEECH).data, 16000) == [("5", 0.0, 0.2), ("6", 0.4, 0.6)]
