"""What Flux says, turn by turn."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.servers.deepgram import CONNECTED, turn_info, word

from capabilities import (
    SPEECH,
    AudioFrame,
    Final,
    Interim,
    ProviderClosed,
    ProviderProtocolError,
    SpeechBegun,
    Word,
)
from providers._common.wire import Acknowledged, Done, Ready
from providers.deepgram.flux_wire import CUT, FluxWire
from providers.deepgram.stt_wire import CLOSE_STREAM

HELLO = word("Hello,", 0.1, 0.5)
SAID = Word("Hello,", 0.1, 0.5, 0.99)


def test_it_takes_sound_when_it_says_so() -> None:
    assert FluxWire().decode(CONNECTED) == (Ready(),)


@pytest.mark.parametrize("event", ["Update", "EagerEndOfTurn", "TurnResumed", "New"])
def test_the_turn_so_far_is_an_interim(event: str) -> None:
    assert FluxWire().decode(turn_info(event, "Hello,", 0.6, HELLO)) == (
        Interim("Hello,", 0.99, None, (SAID,)),
    )
    assert FluxWire(interims=False).decode(turn_info(event, "Hello,", 0.6, HELLO)) == ()


@pytest.mark.pins("D047")
@pytest.mark.parametrize(
    ("words", "at"), [((HELLO,), HELLO["start"]), (({"word": "Hello,"},), None)]
)
def test_the_start_of_a_turn_is_told_before_its_words(words: tuple[Any, ...], at: Any) -> None:
    begun, said = FluxWire().decode(turn_info("StartOfTurn", "Hello,", 0.6, *words))
    assert begun == SpeechBegun(at)
    assert isinstance(said, Interim)
    silent = FluxWire(interims=False)
    assert silent.decode(turn_info("StartOfTurn", "", 0.6)) == (SpeechBegun(),)


def test_the_end_of_a_turn_is_final_and_settles_its_sound() -> None:
    told = turn_info("EndOfTurn", "Hello,", 1.5, HELLO, languages=["en"], trigger="model")
    assert FluxWire().decode(told) == (
        Final("Hello,", 0.99, "en", (SAID,), speech_final=True),
        Acknowledged(1.5),
    )


def test_silence_says_nothing_and_an_empty_turn_only_settles() -> None:
    assert FluxWire().decode(turn_info("Update", "", 0.5)) == ()
    assert FluxWire().decode(turn_info("EndOfTurn", "", 0.5, trigger="timeout")) == (
        Acknowledged(0.5),
    )


def test_words_without_times_are_left_out() -> None:
    told = turn_info("EndOfTurn", "Hello,", 1.5, {"word": "Hello,", "confidence": 0.5})
    final, _ = FluxWire().decode(told)
    assert final == Final("Hello,", 0.5, speech_final=True)


def test_the_turn_that_the_close_cuts_off_is_final_as_it_was() -> None:
    """No end of it comes: the vendor closes behind its last update."""
    wire = FluxWire()
    wire.decode(turn_info("Update", "Hello,", 0.6, HELLO))
    assert wire.finish() == (CLOSE_STREAM,)
    assert wire.ended() == (
        Final("Hello,", 0.99, None, (SAID,), speech_final=True),
        Acknowledged(0.6),
        Done(),
    )


def test_a_turn_that_has_ended_is_not_said_again_at_the_close() -> None:
    wire = FluxWire()
    wire.decode(turn_info("EndOfTurn", "Hello,", 0.6, HELLO))
    wire.finish()
    assert wire.ended() == (Done(),)


def test_a_connection_that_was_cut_has_not_said_the_turn_to_its_end() -> None:
    wire = FluxWire()
    wire.decode(turn_info("Update", "Hello,", 0.6, HELLO))
    wire.finish()
    assert wire.decode(CUT) == ()
    assert wire.ended() == ()


def test_where_nothing_was_under_way_nothing_was_cut_off() -> None:
    wire = FluxWire()
    wire.decode(turn_info("EndOfTurn", "Hello,", 0.6, HELLO))
    wire.finish()
    wire.decode(CUT)
    assert wire.ended() == (Done(),)


@pytest.mark.parametrize(
    ("said", "whole"),
    [([], True), (["EndOfTurn"], False), (["EndOfTurn", "Update"], True)],
    ids=["silence", "half", "all"],
)
def test_an_end_behind_half_of_the_sound_is_none(said: list[str], *, whole: bool) -> None:
    """Whatever code it has. Where it has said nothing at all, there may be nothing to say."""
    wire = FluxWire()
    wire.encode(AudioFrame(bytes(SPEECH.size(2.0))))
    for event, end in zip(said, (0.6, 1.9), strict=False):
        wire.decode(turn_info(event, "", end))
    wire.finish()
    assert (Done() in wire.ended()) is whole


def test_a_goodbye_in_the_middle_is_no_end() -> None:
    wire = FluxWire()
    wire.decode(turn_info("Update", "Hello,", 0.6, HELLO))
    assert wire.ended() == ()


def test_what_is_sent() -> None:
    wire = FluxWire()
    assert wire.start() == wire.keepalive() == wire.encode(AudioFrame(b"")) == ()
    assert wire.encode(AudioFrame(b"12")) == (b"12",)


def test_an_error_is_the_end() -> None:
    told = {"type": "Error", "sequence_id": 2, "code": "INTERNAL_SERVER_ERROR", "description": "!"}
    with pytest.raises(ProviderClosed, match="INTERNAL_SERVER_ERROR: !"):
        FluxWire().decode(json.dumps(told))


@given(
    st.dictionaries(
        st.sampled_from(["event", "transcript", "audio_window_end", "words", "languages"]),
        st.none()
        | st.floats()
        | st.text(max_size=3)
        | st.sampled_from(["EndOfTurn", "Update"])
        | st.lists(st.fixed_dictionaries({"word": st.text(max_size=3), "start": st.floats()})),
    )
)
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any]) -> None:
    wire = FluxWire()
    with suppress(ProviderProtocolError):
        wire.decode(json.dumps({"type": "TurnInfo", **fields}))
    wire.finish()
    assert Done() in wire.ended()
