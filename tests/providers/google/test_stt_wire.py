"""Responses as Google sends them -> signals."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    SPEECH,
    AudioFrame,
    Final,
    Interim,
    ProviderProtocolError,
    SpeechBegun,
    SpeechFinal,
    Word,
)
from providers._common.wire import Acknowledged, Done, Signal
from providers.google.protobuf import decode, encode
from providers.google.speech_messages import REQUEST, RESPONSE
from providers.google.stt_wire import GoogleWire

BEGIN = {"speechEventType": "SPEECH_ACTIVITY_BEGIN"}
END = {"speechEventType": "SPEECH_ACTIVITY_END"}


def result(text: str, *, final: bool = False, **more: Any) -> dict[str, Any]:
    return {"alternatives": [{"transcript": text}], "isFinal": final, **more}


def heard(*responses: dict[str, Any], interim: bool = True) -> list[Signal]:
    wire = GoogleWire(b"start", interim, words=True)
    return [signal for each in responses for signal in wire.decode(encode(RESPONSE, each))]


def test_interim_results_are_one_text() -> None:
    """The first part is stable, the last is not; the language is the first one's."""
    parts = [result("to be", languageCode="en-us"), result(" or not"), result(" to bee")]
    assert heard({"results": parts}) == [Interim("to be or not to bee", language="en-us")]


def test_no_interims_where_none_are_wanted() -> None:
    assert heard({"results": [result("to be")]}, interim=False) == []


def test_a_final_with_words() -> None:
    words = [
        {"word": "hi", "endOffset": {"nanos": 500_000_000}, "confidence": 0.75},
        {
            "word": "you",
            "startOffset": {"seconds": 1},
            "endOffset": {"seconds": 1, "nanos": 250_000_000},
            "speakerLabel": "2",
        },
        {"word": "timeless"},
    ]
    best = {"transcript": " hi you", "confidence": 0.5, "words": words}
    final = {
        "alternatives": [best, {"transcript": "high"}],
        "isFinal": True,
        "resultEndOffset": {"seconds": 1, "nanos": 300_000_000},
        "languageCode": "en-us",
    }
    expected = Final(
        "hi you",
        confidence=0.5,
        language="en-us",
        words=(Word("hi", 0.0, 0.5, 0.75), Word("you", 1.0, 1.25, speaker="2")),
    )
    assert heard({"results": [final]}) == [expected, Acknowledged(1.3)]


def test_a_final_and_what_follows_it() -> None:
    results = [result("one", final=True, resultEndOffset={"seconds": 1}), result(" two")]
    assert heard({"results": results}) == [Final("one"), Acknowledged(1.0), Interim("two")]


def test_a_final_without_words_settles_the_sound() -> None:
    empty = {"isFinal": True, "resultEndOffset": {"seconds": 9}}
    assert heard({"results": [empty]}) == [Acknowledged(9.0)]


@pytest.mark.parametrize(
    ("responses", "ends"),
    [
        pytest.param([BEGIN, END, "final"], [True], id="the-final-comes-late"),
        pytest.param([BEGIN, "final", END], [False, SpeechFinal()], id="and-early"),
        pytest.param([BEGIN, END, BEGIN, "final"], [False], id="a-cough-before"),
        pytest.param(["interim", END, "final", "final"], [True, False], id="only-one-final-ends"),
        pytest.param(
            ["interim", {"speechEventType": "END_OF_SINGLE_UTTERANCE"}, "final"],
            [True],
            id="latest-short",
        ),
    ],
)
def test_the_voice_detector_ends_turns(responses: list[Any], ends: list[Any]) -> None:
    named = {
        "final": {"results": [result("x", final=True)]},
        "interim": {"results": [result("x")]},
    }
    said = heard(*(named[each] if isinstance(each, str) else each for each in responses))
    told = [s.speech_final if isinstance(s, Final) else s for s in said]
    assert [each for each in told if not isinstance(each, Interim | SpeechBegun)] == ends


@pytest.mark.pins("D047")
@pytest.mark.parametrize(
    ("offset", "at"),
    [
        ({"speechEventOffset": {"seconds": 1, "nanos": 250_000_000}}, 1.25),
        ({"speechEventOffset": {}}, 0.0),
        ({}, None),
    ],
)
def test_somebody_begins_to_speak(offset: dict[str, Any], at: float | None) -> None:
    assert heard({**BEGIN, **offset}, interim=False) == [SpeechBegun(at)]


def test_an_end_in_good_order_is_one_only_after_ours() -> None:
    wire = GoogleWire(b"start", interim=True, words=True)
    assert wire.ended() == ()
    wire.finish()
    assert wire.ended() == (Done(),)


def test_sound_goes_out_in_messages_of_at_most_15_kb() -> None:
    wire = GoogleWire(b"start", interim=True, words=True)
    frame = AudioFrame(bytes(range(250)) * 128, SPEECH)
    messages = [decode(REQUEST, bytes(each)) for each in wire.encode(frame)]  # type: ignore[arg-type] # ours are bytes
    assert [set(message) for message in messages] == [{"audio"}] * 3
    assert [len(message["audio"]) for message in messages] == [15360, 15360, 1280]
    assert b"".join(message["audio"] for message in messages) == frame.data


def test_the_rest_of_the_conversation() -> None:
    wire = GoogleWire(b"start", interim=True, words=True)
    assert wire.start() == (b"start",)
    assert wire.keepalive() == ()
    assert wire.finish() == (b"",)
    with pytest.raises(ProviderProtocolError):
        wire.decode("text")


@given(st.binary(max_size=300))
def test_any_bytes_are_signals_or_a_protocol_error(data: bytes) -> None:
    with contextlib.suppress(ProviderProtocolError):
        GoogleWire(b"", interim=True, words=True).decode(data)


@given(st.floats(width=32), st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_wild_numbers_stay_within_the_contract(share: float, whole: int, nanos: int) -> None:
    word = {"word": "x", "endOffset": {"seconds": whole, "nanos": nanos}, "confidence": share}
    best = {"transcript": "x", "confidence": share, "words": [word]}
    final, *_ = heard({"results": [{"alternatives": [best], "isFinal": True}]})
    assert isinstance(final, Final)
    assert 0 <= final.confidence <= 1
    assert 0 <= final.words[0].start <= final.words[0].end
