"""Two minutes in which nobody speaks end no vendor's stream, and move no word behind them."""

import json
from base64 import b64decode
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import attrs
import pytest
import trio
from support.servers import deepgram, elevenlabs, google
from support.servers.openai import LIVE
from support.stt_vendor import Line, Vendor
from trio.testing import MockClock

from capabilities import SPEECH, AudioFormat, AudioFrame, Final, STTOptions, STTStream
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.wire import Message, Wire
from providers.deepgram.flux_wire import FluxWire
from providers.deepgram.stt import FLUX, NOVA
from providers.deepgram.stt_wire import KEEP_ALIVE, NovaWire
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.stt import POLICY as SCRIBE_POLICY
from providers.elevenlabs.stt_wire import ScribeWire
from providers.google.protobuf import decode, encode
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.stt import POLICY as GOOGLE_POLICY
from providers.google.stt_wire import GoogleWire
from providers.openai.live_wire import LiveWire
from providers.openai.stt_live import POLICY as LIVE_POLICY

QUIET = 120
"""Seconds."""
WORD = 0.2
IDLE = 10.0
"""Seconds without a message after which a vendor hangs up: Deepgram says so of itself, and the
others say nothing or more."""


@attrs.frozen
class API:
    """One way to listen, as this test needs it."""

    wire: Callable[[], Wire]
    policy: Policy
    sound: Callable[[Message], bytes]
    """The sound in a message."""
    word: Callable[[float, float], Sequence[Any]]
    """What the vendor says when it has heard one, by its own clock."""
    greeting: tuple[str, ...] = ()
    audio: AudioFormat = SPEECH
    kept_by: str | None = None
    """A message that keeps the connection open; None where silence does."""
    places: bool = True
    """It says where words are."""


def of_json(field: str) -> Callable[[Message], bytes]:
    return lambda message: b64decode(json.loads(message).get(field, ""))


def of_binary(message: Message) -> bytes:
    return message if isinstance(message, bytes) else b""


def live_word(_start: float, end: float) -> list[str]:
    about: dict[str, Any] = {"item_id": "a"}
    text = "conversation.item.input_audio_transcription.completed"
    return [
        json.dumps({"type": kind, **about, **more})
        for kind, more in (
            ("input_audio_buffer.speech_stopped", {"audio_end_ms": 1000 * end}),
            ("input_audio_buffer.committed", {}),
            (text, {"transcript": "hi"}),
        )
    ]


APIS = {
    "deepgram-nova": API(
        NovaWire,
        NOVA.policy,
        of_binary,
        lambda start, end: [
            deepgram.results(
                "hi", start, end - start, deepgram.word("hi", start, end), is_final=True
            )
        ],
        kept_by=KEEP_ALIVE,
    ),
    "deepgram-flux": API(
        FluxWire,
        FLUX.policy,
        of_binary,
        lambda start, end: [
            deepgram.turn_info("EndOfTurn", "hi", end, deepgram.word("hi", start, end))
        ],
        (deepgram.CONNECTED,),
    ),
    "elevenlabs": API(
        lambda: ScribeWire(STTOptions(), ElevenLabsSTTOptions()),
        SCRIBE_POLICY,
        of_json("audio_base_64"),
        lambda start, end: elevenlabs.committed(("hi", start, end)),
        (elevenlabs.started(),),
        kept_by=ScribeWire(STTOptions(), ElevenLabsSTTOptions())._chunk(b""),
    ),
    "openai-live": API(
        lambda: LiveWire("gpt-live-transcribe", STTOptions(format=LIVE)),
        LIVE_POLICY,
        of_json("audio"),
        live_word,
        ('{"type": "session.updated"}',),
        LIVE,
        places=False,
    ),
    "google": API(
        lambda: GoogleWire(b"", True, True),  # noqa: FBT003 - interims, words
        GOOGLE_POLICY,
        lambda message: decode(REQUEST, bytes(message)).get("audio", b""),  # type: ignore[arg-type] # ours are bytes
        lambda start, end: [encode(RESPONSE, {"results": [google.final("hi", start, end)]})],
    ),
}


def vendor_of(api: API) -> Vendor:
    """It hears, says "hi" to any sound, and counts the seconds of what it hears."""

    def greet(line: Line) -> None:
        line.say(*api.greeting)

    def hear(line: Line, message: Message) -> bool:
        data = api.sound(message)
        line.sound += len(data)
        if any(data):
            end = api.audio.duration(line.sound)
            line.say(*api.word(end - WORD, end))
        return True

    return Vendor(hear, greet)


async def say_hi(stream: STTStream, audio: AudioFormat) -> Final:
    await stream.send(AudioFrame(b"\x10\x10" * (audio.size(WORD) // 2), audio))
    with trio.fail_after(1):
        async for each in stream:
            if isinstance(each, Final):
                return each
    raise AssertionError("the stream has ended")


@pytest.mark.pins("D006", "D048", "D066")
@pytest.mark.parametrize("frames", [True, False], ids=["silence-is-sent", "nothing-is-sent"])
@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
async def test_two_minutes_of_silence_end_no_stream(
    api: API, autojump_clock: MockClock, *, frames: bool
) -> None:
    """Neither those of a quiet room, nor those of a client that holds its button."""
    vendor = vendor_of(api)
    async with open_stt_link(
        api.wire, vendor.connect, provider="x", audio=api.audio, policy=api.policy
    ) as stream:
        for _ in range(2 * QUIET):
            if frames:
                await stream.send(AudioFrame(bytes(api.audio.size(0.5)), api.audio))
            await trio.sleep(0.5)
        said = await say_hi(stream, api.audio)
    (line,) = vendor.lines
    times = [0.0, *(at for at, _ in line.got)]
    assert max(later - earlier for earlier, later in pairwise(times)) < IDLE
    assert said.text == "hi"
    begin = QUIET if frames else 0
    places = [pytest.approx((begin, begin + WORD))] if api.places else []
    assert [(word.start, word.end) for word in said.words] == places
    messages = [message for _, message in line.got]
    if api.kept_by is not None:
        # Only while nothing else flows: it is no sound, and the vendor's clock stands still.
        assert (api.kept_by in messages) is not frames
        assert line.sound == api.audio.size(begin + WORD)
    else:
        assert line.sound == pytest.approx(api.audio.size(QUIET + WORD), rel=0.02)


async def test_google_s_next_call_begins_before_the_last_must_end(
    autojump_clock: MockClock,
) -> None:
    """Seven minutes of talk, of calls that Google ends after five: no word lost, none twice."""
    api, most = APIS["google"], 300.0
    vendor = vendor_of(api)
    began: list[float] = []
    whole = vendor.misheard

    def limit(line: Line, message: Message) -> bool:
        if len(began) < len(vendor.lines):
            began.append(trio.current_time())
        assert trio.current_time() - began[line.number] < most, "Google has ended this call"
        return whole(line, message)

    vendor.misheard = limit
    said: list[Final] = []
    async with open_stt_link(
        api.wire, vendor.connect, provider="x", audio=SPEECH, policy=api.policy
    ) as stream:
        for _ in range(420 // 2):
            said.append(await say_hi(stream, SPEECH))
            await stream.send(AudioFrame(bytes(SPEECH.size(2 - WORD))))
            await trio.sleep(2)
    assert [each.words[0].start for each in said] == pytest.approx([2 * n for n in range(210)])
    assert began[0] == 0
    assert began[1] == pytest.approx(GOOGLE_POLICY.longest_session - GOOGLE_POLICY.margin, abs=5)
    assert len(vendor.lines) == 2
    assert vendor.open_lines == 0
