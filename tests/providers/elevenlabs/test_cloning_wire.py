"""Voice cloning: the form that goes out, and what is read of the answers."""

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    ClonedVoice,
    CloneRequest,
    CloneStatus,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    VoiceSample,
)
from providers.elevenlabs.cloning_wire import (
    form_of,
    is_unknown,
    parts_of,
    read_new,
    read_voice,
)

SAMPLE = VoiceSample(b"RIFF", "audio/wav")


def test_all_that_is_set_is_sent() -> None:
    request = CloneRequest(
        name="Grüße",
        description="warm",
        labels={"accent": "british"},
        remove_background_noise=True,
        samples=(SAMPLE, VoiceSample(b"ID3", "audio/mpeg")),
    )
    form = form_of(request)
    assert json.loads(form.pop("labels")) == {"accent": "british"}
    assert form == {"name": "Grüße", "description": "warm", "remove_background_noise": "true"}
    assert parts_of(request) == [
        ("files", ("sample-1.wav", b"RIFF", "audio/wav")),
        ("files", ("sample-2.mp3", b"ID3", "audio/mpeg")),
    ]


def test_whose_it_is_stands_in_a_label_that_nobody_else_writes() -> None:
    """Nobody gives a voice to somebody else, or takes one, with a label of their own."""
    forged = CloneRequest(name="Ann", labels={"waav_owner": "umbrella", "age": "old"})
    assert json.loads(form_of(forged)["labels"]) == {"age": "old"}
    owned = json.loads(form_of(attrs.evolve(forged, owner="acme"))["labels"])
    assert owned == {"age": "old", "waav_owner": "acme"}
    assert read_voice({"voice_id": "a", "labels": owned}).owner == "acme"


@pytest.mark.parametrize("labels", [None, [], {}, {"waav_owner": None}, {"waav_owner": ["acme"]}])
def test_a_voice_that_does_not_say_whose_it_is_is_nobodys(labels: object) -> None:
    assert read_voice({"voice_id": "a", "labels": labels}).owner == ""


def test_what_is_not_set_is_not_sent() -> None:
    assert form_of(CloneRequest(name="Ann")) == {"name": "Ann"}


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [
        ("audio/x-wav", "wav"),
        ("audio/flac", "flac"),
        ("audio/mp4", "m4a"),
        ("audio/ogg; codecs=opus", "ogg"),
    ],
)
def test_a_recording_has_a_name_that_says_what_it_is(media_type: str, ending: str) -> None:
    request = CloneRequest(name="Ann", samples=(VoiceSample(b"x", media_type),))
    ((_, (name, _, told)),) = parts_of(request)
    assert (name, told) == (f"sample-1.{ending}", media_type)


def test_a_description_alone_makes_no_voice() -> None:
    with pytest.raises(ProviderRefused, match="from recordings"):
        parts_of(CloneRequest(name="Ann", description="a warm voice"))


def test_a_new_voice_that_is_ready() -> None:
    told = {"voice_id": "v", "requires_verification": False, "library_voice_match": None}
    assert read_new(told, "Ann") == ClonedVoice(id="v", name="Ann")


def test_a_new_voice_that_somebody_must_prove_to_be_theirs() -> None:
    match = {"library_voice_id": "lib", "public_owner_id": "o"}
    told = {"voice_id": "v", "requires_verification": True, "library_voice_match": match}
    voice = read_new(told, "Ann")
    assert voice.status is CloneStatus.PROCESSING
    assert voice.metadata == {"requires_verification": "true", "library_voice_id": "lib"}


def test_a_voice_has_what_is_told_of_it() -> None:
    told = {
        "voice_id": "v",
        "name": "Ann",
        "category": "cloned",
        "description": "warm",
        "created_at_unix": 1_750_000_000,
        "voice_verification": {"requires_verification": True, "is_verified": True},
    }
    assert read_voice(told) == ClonedVoice(
        id="v",
        name="Ann",
        created_at="2025-06-15T15:06:40Z",
        metadata={"category": "cloned", "description": "warm"},
    )


def test_a_voice_that_is_not_verified_yet() -> None:
    proof = {"requires_verification": True, "is_verified": False}
    voice = read_voice({"voice_id": "v", "voice_verification": proof})
    assert (voice.status, voice.name) == (CloneStatus.PROCESSING, "v")
    assert voice.metadata == {"requires_verification": "true"}


@pytest.mark.parametrize("told", [None, [], {}, {"voice_id": ""}, {"voice_id": 7}, "v"])
def test_what_is_no_voice_is_a_protocol_error(told: object) -> None:
    with pytest.raises(ProviderProtocolError):
        read_voice(told)
    with pytest.raises(ProviderProtocolError):
        read_new(told, "Ann")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "answered HTTP 404 Not Found"),
        (400, "answered HTTP 400 Bad Request: A voice for the voice_id x was not found."),
        (400, "answered HTTP 400 Bad Request: A voice with voice_id x does not exist."),
    ],
)
def test_a_refusal_that_says_that_there_is_no_such_voice(status: int, message: str) -> None:
    assert is_unknown(ProviderRefused("elevenlabs", message, status=status))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "answered HTTP 400 Bad Request: Default voices cannot be deleted"),
        (401, "answered HTTP 401 Unauthorized: User not found"),
        (None, "its proxy answered HTTP 404 Not Found"),
    ],
)
def test_a_refusal_that_says_something_else(status: int | None, message: str) -> None:
    assert not is_unknown(ProviderRefused("elevenlabs", message, status=status))


_VALUE = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.none())
)
_NAMES = (
    "name",
    "category",
    "created_at_unix",
    "voice_verification",
    "requires_verification",
    "library_voice_match",
)


@given(
    st.dictionaries(
        st.sampled_from(_NAMES), _VALUE | st.dictionaries(st.sampled_from(_NAMES), _VALUE)
    )
)
def test_whatever_is_told_of_a_voice_it_can_be_read(told: dict[str, Any]) -> None:
    for read in (read_voice, lambda whole: read_new(whole, "Ann")):
        try:
            assert read({"voice_id": "a", **told}).id == "a"
        except ProviderError:
            continue
