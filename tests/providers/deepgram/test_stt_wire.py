"""What Nova says, message by message."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers.deepgram import METADATA, results, word

from capabilities import (
    AudioFrame,
    Final,
    Interim,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    SpeechBegun,
    SpeechFinal,
    Word,
)
from providers._common.wire import Acknowledged, Done
from providers.deepgram.stt_wire import CLOSE_STREAM, FINALIZE, KEEP_ALIVE, NovaWire

HELLO = word("hello", 0.1, 0.5, punctuated_word="Hello,")
WORLD = word("world", 0.6, 1.0, punctuated_word="world.")
HELLO_SAID = Word("Hello,", 0.1, 0.5, 0.99)


def utterance_end(last_word_end: float, channel: int = 0) -> str:
    told = {"type": "UtteranceEnd", "channel": [channel, 1], "last_word_end": last_word_end}
    return json.dumps(told)


def final(*words: Any, start: float = 0.0, duration: float = 1.0, **more: Any) -> str:
    text = " ".join(each["word"] for each in words)
    return results(text, start, duration, *words, is_final=True, **more)


def test_an_interim_is_shown() -> None:
    assert NovaWire().decode(results("Hello,", 0.0, 0.6, HELLO)) == (
        Interim("Hello,", 0.98, None, (HELLO_SAID,)),
    )


def test_interims_are_not_shown_to_who_wants_none() -> None:
    assert NovaWire(interims=False).decode(results("Hello,", 0.0, 0.6, HELLO)) == ()


def test_a_final_settles_its_sound() -> None:
    assert NovaWire().decode(final(HELLO, start=0.5, duration=1.5)) == [
        Final("hello", 0.98, None, (HELLO_SAID,)),
        Acknowledged(2.0),
    ]


def test_a_final_that_comes_again_looks_the_same() -> None:
    """By that the link knows it."""
    wire = NovaWire()
    first = wire.decode(final(HELLO))
    wire.decode(final(WORLD, start=1.0))
    assert wire.decode(final(HELLO)) == first


def test_silence_is_settled_without_a_word() -> None:
    assert NovaWire().decode(final(start=2.0, duration=3.0)) == [Acknowledged(5.0)]


def test_a_pause_ends_the_speech_in_the_same_breath() -> None:
    said, _ = NovaWire().decode(final(HELLO, speech_final=True))
    assert said == Final("hello", 0.98, None, (HELLO_SAID,), speech_final=True)


def test_a_pause_noticed_late_ends_the_speech_too() -> None:
    """An utterance may span several finals, and the last of them may be empty."""
    wire = NovaWire()
    wire.decode(final(HELLO))
    assert wire.decode(final(start=1.0, speech_final=True)) == [SpeechFinal(), Acknowledged(2.0)]


def test_a_pause_after_nothing_is_no_end() -> None:
    assert NovaWire().decode(final(speech_final=True)) == [Acknowledged(1.0)]


@pytest.mark.pins("D047")
def test_the_end_of_an_utterance_ends_the_speech() -> None:
    wire = NovaWire()
    wire.decode(final(HELLO))
    assert wire.decode(utterance_end(0.5)) == (SpeechFinal(),)


@pytest.mark.pins("D047")
@pytest.mark.parametrize(
    "story",
    [
        pytest.param([final(HELLO, speech_final=True), utterance_end(0.5)], id="after-a-pause"),
        pytest.param([final(HELLO), utterance_end(0.5), utterance_end(0.5)], id="twice"),
        pytest.param(
            [final(HELLO), utterance_end(0.5), final(start=1.0, speech_final=True)],
            id="before-a-pause",
        ),
    ],
)
def test_a_speech_ends_once(story: list[str]) -> None:
    wire = NovaWire()
    said = [signal for message in story for signal in wire.decode(message)]
    ends = [
        each
        for each in said
        if isinstance(each, SpeechFinal) or (isinstance(each, Final) and each.speech_final)
    ]
    assert len(ends) == 1


@pytest.mark.parametrize("last_word_end", [-1.0, 0.5])
def test_the_end_of_an_earlier_utterance_does_not_end_this_one(last_word_end: float) -> None:
    wire = NovaWire()
    wire.decode(final(HELLO, speech_final=True))
    wire.decode(final(WORLD, start=0.5))
    assert wire.decode(utterance_end(last_word_end)) == ()
    assert wire.decode(utterance_end(1.0)) == (SpeechFinal(),)


@pytest.mark.pins("D013")
def test_speakers_are_told_apart() -> None:
    words = [word("hi", 0, 1, speaker=0), word("ho", 1, 2, speaker=1)]
    (said, _) = NovaWire().decode(final(*words))
    assert isinstance(said, Final)
    assert [each.speaker for each in said.words] == ["0", "1"]


def test_channels_are_told_apart_and_the_slower_one_settles() -> None:
    wire = NovaWire(multichannel=True)
    hi, ho = word("hi", 0, 1), word("ho", 0, 1, speaker=2)
    left, settled = wire.decode(final(hi, duration=3.0, channel_index=[0, 2]))
    assert isinstance(left, Final)
    assert left.words[0].speaker == "channel-0"
    assert settled == Acknowledged(0.0)
    right, settled = wire.decode(final(ho, duration=2.0, channel_index=[1, 2]))
    assert isinstance(right, Final)
    assert right.words[0].speaker == "channel-1-2"
    assert settled == Acknowledged(2.0)


def test_each_channel_ends_for_itself() -> None:
    wire = NovaWire(multichannel=True)
    wire.decode(final(HELLO, channel_index=[0, 2]))
    assert wire.decode(utterance_end(0.5, channel=1)) == ()
    assert wire.decode(utterance_end(0.5, channel=0)) == (SpeechFinal(),)


@pytest.mark.pins("D047")
def test_somebody_begins_to_speak() -> None:
    started = '{"type":"SpeechStarted","channel":[0,1],"timestamp":9.54}'
    assert NovaWire(interims=False).decode(started) == (SpeechBegun(9.54),)
    assert NovaWire().decode('{"type":"SpeechStarted"}') == (SpeechBegun(),)


def test_the_language_of_a_text_is_the_one_that_most_of_it_is_in() -> None:
    best = {"transcript": "hola", "confidence": 1.2, "words": [], "languages": ["es", "en"]}
    (said, _) = NovaWire().decode(final(channel={"alternatives": [best]}))
    assert said == Final("hola", 1.0, "es")


def test_the_metadata_at_the_end_says_that_all_is_said() -> None:
    wire = NovaWire()
    assert wire.decode(METADATA) == ()
    assert wire.finish() == (CLOSE_STREAM,)
    assert wire.decode(METADATA) == (Done(),)


def test_a_goodbye_before_the_metadata_is_no_end() -> None:
    """The last words come before the metadata, so they may be missing."""
    wire = NovaWire()
    assert wire.ended() == ()
    wire.finish()
    assert wire.ended() == ()


def test_what_is_sent() -> None:
    wire = NovaWire()
    assert wire.start() == ()
    assert wire.encode(AudioFrame(b"12")) == (b"12",)
    assert wire.encode(AudioFrame(b"")) == (), "an empty message ends the stream"
    assert wire.keepalive() == (KEEP_ALIVE,)


def test_words_that_hang_in_the_air_are_asked_for_when_no_sound_comes() -> None:
    """A client that lets go of its button sends no silence in which the vendor would notice."""
    wire = NovaWire()
    wire.decode(results("Hello,", 0.0, 0.6, HELLO))
    assert wire.keepalive() == (FINALIZE, KEEP_ALIVE)
    wire.decode(final(HELLO, from_finalize=True))
    assert wire.keepalive() == (KEEP_ALIVE,)


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"ConfigureSuccess"}',
        '{"type":"SomethingNew","is_final":7}',
    ],
)
def test_the_rest_says_nothing_to_us(message: str) -> None:
    assert NovaWire().decode(message) == ()


def test_an_error_ends_the_connection() -> None:
    with pytest.raises(ProviderClosed, match="NET-0001: idle"):
        NovaWire().decode('{"type":"Error","code":"NET-0001","description":"idle"}')


@pytest.mark.parametrize(
    "more",
    [
        {"start": -1.0},
        {"start": 1e300},
        {"duration": "long"},
        {"channel_index": [9999, 10000]},
        {"channel": {"alternatives": [{"words": [{"word": "no times"}]}]}},
    ],
)
def test_results_that_make_no_sense_are_against_the_protocol(more: dict[str, Any]) -> None:
    with pytest.raises(ProviderProtocolError):
        NovaWire().decode(results("x", **more))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = ["start", "duration", "is_final", "speech_final", "channel", "channel_index", "code"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Results", "UtteranceEnd", "Metadata", "Error", "Other"]),
            st.dictionaries(st.sampled_from([*KEYS, "last_word_end"]), JSON),
        ),
        max_size=5,
    ),
    st.text() | st.binary(),
)
def test_whatever_comes_is_read_or_refused(
    told: list[tuple[str, dict[str, Any]]], noise: str | bytes
) -> None:
    wire = NovaWire()
    for kind, fields in told:
        with suppress(ProviderError if kind == "Error" else ProviderProtocolError):
            wire.decode(json.dumps({"type": kind, **fields}))
    with suppress(ProviderProtocolError):
        assert wire.decode(noise) == ()
