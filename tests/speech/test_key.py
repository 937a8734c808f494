"""What makes two requests the same."""

import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    AudioFormat,
    Delivery,
    Emotion,
    Encoding,
    Feeling,
    Secret,
    SpeechRequest,
)
from waav.speech.key import speech_key
from waav.speech.text import pronounce

PCM = AudioFormat(Encoding.LINEAR16, 24000)
ULAW = AudioFormat(Encoding.MULAW, 8000)


class Mood(Enum):
    CALM = 1
    GLAD = 2


@attrs.frozen
class Knobs:
    stability: float = 0.5
    effects: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    mood: Mood = Mood.CALM
    token: Secret | None = None
    lexicon: Path | None = None


@attrs.frozen
class OtherKnobs:
    stability: float = 0.5


OTHER_VALUES: dict[str, Any] = {
    "text": "Goodbye",
    "voice": "slt",
    "model": "big",
    "format": ULAW,
    "speed": 1.25,
    "language": "de-DE",
    "pitch": 2.0,
    "volume": 0.5,
    "feeling": Feeling(Emotion.SAD),
    "ssml": True,
    "api_key": Secret("sk-1"),
    "auth": {"aws_access_key_id": Secret("sk-1")},
    "options": Knobs(),
}
OTHER_KNOBS: dict[str, Any] = {
    "stability": 0.6,
    "effects": ("phone",),
    "tags": frozenset({"a"}),
    "extra": {"seed": 1},
    "mood": Mood.GLAD,
    "token": Secret("t"),
    "lexicon": Path("a.pls"),
}


def key(request: SpeechRequest, provider: str = "espeak") -> str:
    return speech_key(provider, request)


@pytest.mark.pins("D073", "D075", "D076")
@pytest.mark.parametrize("field", [field.name for field in attrs.fields(SpeechRequest)])
def test_each_field_of_a_request_changes_the_key(field: str) -> None:
    """A field that is new has to say here which other value it can have."""
    request = SpeechRequest("Hello")

    assert key(attrs.evolve(request, **{field: OTHER_VALUES[field]})) != key(request)


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(Knobs)])
def test_each_of_a_providers_own_options_changes_the_key(field: str) -> None:
    knobs = attrs.evolve(Knobs(), **{field: OTHER_KNOBS[field]})

    assert key(SpeechRequest("Hello", options=knobs)) != key(
        SpeechRequest("Hello", options=Knobs())
    )


@pytest.mark.parametrize(
    "format",
    [
        attrs.evolve(PCM, encoding=Encoding.WAV),
        attrs.evolve(PCM, sample_rate=16000),
        attrs.evolve(PCM, channels=2),
    ],
)
def test_each_part_of_the_format_changes_the_key(format: AudioFormat) -> None:
    assert key(SpeechRequest("Hello", format=format)) != key(SpeechRequest("Hello", format=PCM))


def test_another_provider_is_another_key() -> None:
    assert key(SpeechRequest("Hello"), "flite") != key(SpeechRequest("Hello"), "espeak")


def test_two_kinds_of_options_that_look_alike_are_not_the_same() -> None:
    request = SpeechRequest("Hello", options=OtherKnobs())

    assert key(request) != key(SpeechRequest("Hello", options=attrs.evolve(Knobs())))


@pytest.mark.pins("D072", "D073")
def test_the_key_knows_the_text_as_it_is_sent() -> None:
    """Whoever changes a pronunciation hears it at once; one that does not apply costs no hit."""
    said = pronounce("WaaV speaks", [("WaaV", "wave")])
    said_otherwise = pronounce("WaaV speaks", [("WaaV", "wahv")])
    unconcerned = pronounce("WaaV speaks", [("WaaV", "wave"), ("SQL", "sequel")])

    assert key(SpeechRequest(said)) != key(SpeechRequest(said_otherwise))
    assert key(SpeechRequest(said)) == key(SpeechRequest(unconcerned))
    assert key(SpeechRequest(said)) == key(SpeechRequest("wave speaks"))


_requests = st.builds(
    SpeechRequest,
    text=st.text(),
    voice=st.none() | st.text(),
    speed=st.floats(0.25, 4),
    api_key=st.none() | st.text().map(Secret),
    options=st.none()
    | st.builds(
        Knobs,
        tags=st.frozensets(st.text()),
        extra=st.dictionaries(
            st.text() | st.integers() | st.none(), st.none() | st.booleans() | st.lists(st.text())
        ),
    ),
)


@given(request=_requests)
def test_a_key_is_made_of_64_digits_and_is_always_the_same(request: SpeechRequest) -> None:
    again = attrs.evolve(request)
    if isinstance(request.options, Knobs):
        extra = dict(reversed(list(request.options.extra.items())))
        again = attrs.evolve(request, options=attrs.evolve(request.options, extra=extra))

    assert len(key(request)) == 64
    assert set(key(request)) <= set("0123456789abcdef")
    assert key(request) == key(again)


@given(one=_requests, other=_requests)
def test_two_requests_share_a_key_only_if_they_are_equal(
    one: SpeechRequest, other: SpeechRequest
) -> None:
    assert (key(one) == key(other)) == (one == other)


def test_the_next_process_finds_what_this_one_has_kept() -> None:
    """Sets come in another order there, because strings hash differently."""
    program = (
        "from capabilities import SpeechRequest; from waav.speech.key import speech_key;"
        "tags = frozenset('abcdefgh');"
        "print(speech_key('espeak', SpeechRequest('Hi', options=tags)))"
    )
    run = [sys.executable, "-c", program]
    keys = {subprocess.check_output(run, env={"PYTHONHASHSEED": seed}) for seed in "12"}

    assert {told.decode().strip() for told in keys} == {
        key(SpeechRequest("Hi", options=frozenset("abcdefgh")))
    }


def test_options_that_cannot_be_compared_are_never_found_again() -> None:
    request = SpeechRequest("Hello", options=object())

    assert key(request) != key(request)


@pytest.mark.pins("D073")
@pytest.mark.parametrize(
    "feeling",
    [
        Feeling(Emotion.HAPPY),
        Feeling(Emotion.SAD, 0.9),
        Feeling(Emotion.SAD, delivery=Delivery.SOFT),
        Feeling(Emotion.SAD, description="as if it rained"),
    ],
)
def test_another_feeling_is_another_key(feeling: Feeling) -> None:
    sad = SpeechRequest("Hello", feeling=Feeling(Emotion.SAD))

    assert key(attrs.evolve(sad, feeling=feeling)) != key(sad)
