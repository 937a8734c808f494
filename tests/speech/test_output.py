"""What a voice is asked for, given what it can and what its listener wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Ability, AudioFormat, Encoding, parse_encoding
from waav.errors import InvalidRequest
from waav.speech.output import nearest_rate, resolve_output

PCM, MULAW, ALAW = Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW
MP3, OPUS, WAV = Encoding.MP3, Encoding.OPUS, Encoding.WAV


def asked(
    wanted: AudioFormat, *encodings: Encoding, rates: tuple[int, ...] = (), channels: int = 1
) -> AudioFormat:
    ability = Ability(encodings=encodings, sample_rates=rates, channels=channels)
    return resolve_output("voice", ability, wanted)


@pytest.mark.pins("D067")
@pytest.mark.parametrize("encodings", [(MP3, OPUS, PCM), (PCM, MP3), (WAV, PCM)])
@pytest.mark.parametrize("wanted", [PCM, MULAW, WAV])
def test_who_wants_raw_sound_is_never_given_compressed(
    wanted: Encoding, encodings: tuple[Encoding, ...]
) -> None:
    assert asked(AudioFormat(wanted, 24000), *encodings) == AudioFormat(PCM, 24000)


@pytest.mark.pins("D068")
def test_compressed_sound_passes_if_it_is_wanted_and_there() -> None:
    assert asked(AudioFormat(MP3, 24000), PCM, MP3) == AudioFormat(MP3, 24000)
    assert asked(AudioFormat(MP3, 24000), PCM, MP3, rates=(22050, 44100)) == AudioFormat(MP3, 44100)


@pytest.mark.parametrize(
    ("wanted", "encodings"),
    [(PCM, (MP3,)), (WAV, (MP3, WAV)), (MP3, (PCM, OPUS)), (MULAW, (OPUS,))],
)
def test_what_cannot_be_converted_is_refused(
    wanted: Encoding, encodings: tuple[Encoding, ...]
) -> None:
    with pytest.raises(InvalidRequest, match=f"voice does not give {wanted} audio") as caught:
        asked(AudioFormat(wanted), *encodings)
    assert caught.value.code == "invalid_audio_format"


@pytest.mark.parametrize(
    ("wanted", "encodings", "rates", "expected"),
    [
        pytest.param((MULAW, 8000), (PCM, MULAW), (8000, 24000), (MULAW, 8000), id="just so"),
        pytest.param((MULAW, 8000), (PCM, MULAW), (), (MULAW, 8000), id="at any rate"),
        pytest.param((MULAW, 8000), (MULAW, PCM), (16000,), (PCM, 16000), id="not lossy twice"),
        pytest.param((MULAW, 16000), (MULAW,), (8000,), (MULAW, 8000), id="there is no other"),
        pytest.param((ALAW, 8000), (MULAW,), (8000,), (MULAW, 8000), id="raw in another way"),
        pytest.param((PCM, 16000), (PCM,), (24000,), (PCM, 24000), id="one rate"),
        pytest.param((WAV, 16000), (PCM,), (24000,), (PCM, 24000), id="a header is ours"),
    ],
)
def test_the_nearest_that_it_gives(
    wanted: tuple[Encoding, int],
    encodings: tuple[Encoding, ...],
    rates: tuple[int, ...],
    expected: tuple[Encoding, int],
) -> None:
    assert asked(AudioFormat(*wanted), *encodings, rates=rates) == AudioFormat(*expected)


@pytest.mark.pins("D070")
@pytest.mark.parametrize("name", ["pcm_24000", "linear16", "pcm_s16le", "PCM16", "raw"])
def test_raw_sound_is_known_by_its_format_and_not_by_a_name(name: str) -> None:
    format = asked(AudioFormat(parse_encoding(name), 24000), MP3, PCM)
    assert (format.encoding, format.byte_rate) == (PCM, 48000)


@given(
    st.builds(
        AudioFormat,
        st.sampled_from(list(Encoding)),
        st.sampled_from([8000, 11025, 16000, 44100, 48000]),
        st.integers(1, 2),
    ),
    st.builds(
        Ability,
        encodings=st.lists(st.sampled_from(list(Encoding)), min_size=1).map(tuple),
        sample_rates=st.lists(st.sampled_from([8000, 16000, 22050, 44100])).map(tuple),
        channels=st.integers(1, 2),
    ),
)
def test_never_more_than_the_provider_can(wanted: AudioFormat, ability: Ability) -> None:
    try:
        format = resolve_output("voice", ability, wanted)
    except InvalidRequest:
        return
    assert format.encoding in ability.encodings
    assert format.sample_rate in (ability.sample_rates or [wanted.sample_rate])
    assert format.channels <= ability.channels
    assert bool(format.sample_bytes) == bool(wanted.sample_bytes or wanted.encoding is WAV)


@pytest.mark.parametrize(
    ("rates", "wanted", "nearest"),
    [
        ((), 1234, 1234),
        ((8000, 16000), 8000, 8000),
        ((8000, 24000, 16000), 11025, 16000),
        ((8000, 16000), 48000, 16000),
    ],
)
def test_nearest_rate(rates: tuple[int, ...], wanted: int, nearest: int) -> None:
    assert nearest_rate(rates, wanted) == nearest
