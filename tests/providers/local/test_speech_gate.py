"""Speech begins with a few voiced frames and ends with a while of silence."""

from hypothesis import given
from hypothesis import strategies as st

from providers.local.speech_gate import SpeechGate


def run(gate: SpeechGate, pattern: str) -> str:
    """Feed ``x`` for a voiced frame, ``.`` for a quiet one; numbers show what comes through."""
    through = ""
    for mark in pattern:
        frame = bytes([gate.count % 256])
        passed = gate.feed(frame, voiced=mark == "x")
        through += f"[{len(passed)}]" if passed else "_"
    return through


def gate(silence: float = 0.3) -> SpeechGate:
    return SpeechGate(frame=0.1, silence=silence, before=0.2)


def test_a_beginning_brings_what_was_just_before_it() -> None:
    listening = gate()
    assert run(listening, "...........xxx") == "_" * 13 + "[7]"
    assert listening.is_open


def test_a_click_is_no_speech() -> None:
    assert run(gate(), "..x....x....xx....") == "_" * 18


def test_silence_ends_speech_and_a_short_pause_does_not() -> None:
    listening = gate(silence=0.3)
    run(listening, "xxx..x..")
    assert listening.is_open
    run(listening, ".")
    assert not listening.is_open


def test_speech_can_begin_again() -> None:
    listening = gate()
    assert run(listening, "xxx...") == "__[3][1][1][1]"
    assert run(listening, "..xxx") == "____[5]"


@given(st.text("x.", max_size=300), st.floats(0.1, 2.0))
def test_sound_comes_through_once_in_order_and_without_gaps(pattern: str, silence: float) -> None:
    listening = gate(silence)
    last = -1
    for number, mark in enumerate(pattern):
        was_open = listening.is_open
        passed = listening.feed(bytes([number % 256]), voiced=mark == "x")
        if was_open:
            assert passed == bytes([number % 256])
        elif passed:
            assert number - len(passed) >= last
            assert passed == bytes(n % 256 for n in range(number - len(passed) + 1, number + 1))
        if passed:
            last = number
