"""What a listener wants to hear -> the format that the voice is asked for."""

from collections.abc import Sequence

from capabilities import Ability, AudioFormat, Encoding
from waav.errors import InvalidRequest

_RAW = (Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW)
"""What we can convert from, the best first."""


def resolve_output(provider: str, ability: Ability, wanted: AudioFormat) -> AudioFormat:
    """Return the format to ask for: never one that the provider does not give.

    For raw sound and WAV that is always raw sound; whatever it differs in is converted here, and a
    provider with one rate is asked the same for every listener. Compressed sound is asked for only
    if it is wanted, because nobody here could decode it, and then only its rate may differ.

    Raises:
        InvalidRequest: no conversion leads from what the provider gives to what is wanted.
    """
    rate = nearest_rate(ability.sample_rates, wanted.sample_rate)
    if wanted.sample_bytes or wanted.encoding is Encoding.WAV:
        # G.711 at a rate that must be converted would lose twice.
        exact = wanted.encoding if rate == wanted.sample_rate else Encoding.LINEAR16
        encodings: Sequence[Encoding] = (exact, *_RAW)
    else:
        encodings = (wanted.encoding,)
    for encoding in encodings:
        if encoding in ability.encodings and encoding is not Encoding.WAV:
            return AudioFormat(encoding, rate, min(wanted.channels, ability.channels))
    raise InvalidRequest(
        f"{provider} does not give {wanted.encoding} audio", code="invalid_audio_format"
    )


def nearest_rate(rates: Sequence[int], wanted: int) -> int:
    """Return the lowest rate that keeps everything; the highest there is if none does.

    Args:
        rates: those that a provider knows; empty if it takes any.
    """
    if not rates or wanted in rates:
        return wanted
    return min((rate for rate in rates if rate > wanted), default=max(rates))
