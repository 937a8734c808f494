"""The vendor's list of models as voices."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.servers.deepgram import MODELS, VOICES

from capabilities import ProviderProtocolError, Voice
from providers.deepgram.voices import read_voices


def test_each_model_that_speaks_is_a_voice() -> None:
    voices = read_voices(json.dumps(MODELS).encode())
    assert [voice.id for voice in voices] == sorted(VOICES)
    assert voices[0] == Voice(
        id="aura-2-thalia-en",
        name="thalia",
        language="en-US",
        gender="Female",
        accent="American",
        sample="https://static.example/thalia.wav",
        languages=("en", "en-US"),
    )


def test_a_voice_of_which_little_is_known() -> None:
    (voice,) = read_voices(b'{"tts":[{"canonical_name":"aura-2-x-de"},{"name":"no id"}]}')
    assert voice == Voice("aura-2-x-de", "aura-2-x-de", "de", languages=("de",))


def test_a_voice_in_two_versions_is_listed_once() -> None:
    twice = {"tts": [{"canonical_name": "a-en", "version": each} for each in "12"]}
    assert len(read_voices(json.dumps(twice).encode())) == 1


@given(st.binary())
@example(b'{"":""}')
def test_what_is_no_list_is_against_the_protocol(body: bytes) -> None:
    with pytest.raises(ProviderProtocolError, match="list of voices"):
        read_voices(body)
