"""What a session may set for Deepgram, as it comes from a client."""

from typing import Any

import attrs
import cattrs
import pytest

from providers.deepgram.options import FLUX, FLUX_ONLY, DeepgramSTTOptions, DeepgramTTSOptions


def test_nothing_needs_to_be_set() -> None:
    assert DeepgramSTTOptions().given() == set()


def test_what_is_set_is_known() -> None:
    assert DeepgramSTTOptions(tag=("a",), endpointing=False).given() == {"tag", "endpointing"}


def test_every_name_of_a_family_is_an_option() -> None:
    names = {field.name for field in attrs.fields(DeepgramSTTOptions)}
    assert names > FLUX > FLUX_ONLY


def test_options_come_from_json() -> None:
    given = {"keyterm": ["WaaV"], "diarize_model": "latest", "eot_threshold": 0.8}
    assert cattrs.structure(given, DeepgramSTTOptions) == DeepgramSTTOptions(
        keyterm=("WaaV",), diarize_model="latest", eot_threshold=0.8
    )


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (DeepgramSTTOptions, {"eot_threshold": 0.4}),
        (DeepgramSTTOptions, {"eager_eot_threshold": 0.95}),
        (DeepgramSTTOptions, {"eot_timeout_ms": 100}),
        (DeepgramSTTOptions, {"diarize_model": "v2"}),
        (DeepgramSTTOptions, {"keyterm": ["word"] * 101}),
        (DeepgramTTSOptions, {"transport": "pigeon"}),
        (DeepgramTTSOptions, {"expressivity": 3}),
        (DeepgramTTSOptions, {"bit_rate": 1}),
    ],
)
def test_what_the_vendor_would_refuse_is_refused_here(
    kind: type[Any], given: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, cattrs.BaseValidationError)):
        cattrs.structure(given, kind)
