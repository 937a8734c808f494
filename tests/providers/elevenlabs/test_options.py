"""Options are checked before anything is sent, and the page lists all of them."""

import re
from pathlib import Path
from typing import Any

import attrs
import cattrs
import pytest

from capabilities import Capability, Secret
from providers.elevenlabs import MANIFEST
from providers.elevenlabs.options import (
    AudioEffects,
    ElevenLabsSTTOptions,
    ElevenLabsTTSOptions,
    Pronunciations,
)
from providers.elevenlabs.settings import ElevenLabsSettings
from waav.testing import check_manifest

PAGE = (Path(__file__).parents[3] / "docs/providers/elevenlabs.md").read_text(encoding="utf-8")
OWN_SETTINGS = ("region", "voice")


def test_the_manifest_is_in_order() -> None:
    check_manifest(MANIFEST)
    assert MANIFEST.credentials == ("elevenlabs_api_key",)


@pytest.mark.pins("D001")
def test_the_default_model_is_the_vendors() -> None:
    models = [MANIFEST.abilities[each].models[0] for each in (Capability.STT, Capability.TTS)]
    assert models == ["scribe_v2_realtime", "eleven_flash_v2_5"]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ElevenLabsSTTOptions, {"commit_strategy": "never"}),
        (ElevenLabsSTTOptions, {"vad_silence_threshold_secs": 0.2}),
        (ElevenLabsSTTOptions, {"vad_threshold": 1.0}),
        (ElevenLabsSTTOptions, {"min_speech_duration_ms": 49}),
        (ElevenLabsSTTOptions, {"min_silence_duration_ms": 2001}),
        (ElevenLabsSTTOptions, {"keyterms": ["x" * 21]}),
        (ElevenLabsSTTOptions, {"keyterms": ["x"] * 51}),
        (ElevenLabsSTTOptions, {"entity_detection": "pii"}),
        (ElevenLabsSTTOptions, {"entity_redaction_mode": "black"}),
        (ElevenLabsSTTOptions, {"transcript_edit": "x" * 2001}),
        (ElevenLabsSTTOptions, {"transcript_edit": "x", "entity_redaction": ["pii"]}),
        (ElevenLabsTTSOptions, {"transport": "pigeon"}),
        (ElevenLabsTTSOptions, {"stability": 1.1}),
        (ElevenLabsTTSOptions, {"style": -0.1}),
        (ElevenLabsTTSOptions, {"output_format": "mp3_1_1"}),
        (ElevenLabsTTSOptions, {"seed": 4294967296}),
        (ElevenLabsTTSOptions, {"optimize_streaming_latency": 5}),
        (ElevenLabsTTSOptions, {"previous_request_ids": ["a"] * 4}),
        (ElevenLabsTTSOptions, {"apply_text_normalization": "maybe"}),
        (ElevenLabsTTSOptions, {"auto_mode": True}),
        (ElevenLabsTTSOptions, {"transport": "websocket", "previous_text": "x"}),
        (ElevenLabsTTSOptions, {"transport": "websocket", "inactivity_timeout": 181}),
        (ElevenLabsTTSOptions, {"transport": "websocket", "chunk_length_schedule": [49]}),
        (ElevenLabsTTSOptions, {"audio_effects": {"pan": 2.0}}),
        (ElevenLabsSettings, {"region": "mars"}),
        (ElevenLabsSettings, {"voice": ""}),
    ],
)
def test_a_value_that_the_vendor_does_not_know_is_refused(
    kind: type[Any], given: dict[str, Any]
) -> None:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(Secret, lambda text, _: Secret(text))
    with pytest.raises(cattrs.BaseValidationError):
        converter.structure(given, kind)


def test_options_come_as_a_session_writes_them() -> None:
    given = {
        "pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": "d"}],
        "audio_effects": {"environment_id": "hall", "send_level": 0.5},
    }
    options = cattrs.Converter(forbid_extra_keys=True).structure(given, ElevenLabsTTSOptions)
    assert options == ElevenLabsTTSOptions(
        pronunciation_dictionary_locators=(Pronunciations(pronunciation_dictionary_id="d"),),
        audio_effects=AudioEffects(environment_id="hall", send_level=0.5),
    )


def test_tokens_are_not_shown() -> None:
    assert "once" not in repr(ElevenLabsSTTOptions(token="once"))
    own = ElevenLabsTTSOptions(transport="websocket", single_use_token="once")
    assert "once" not in repr(own)


@pytest.mark.parametrize(
    ("region", "host"), [("", "api"), ("us", "api.us"), ("in", "api.in.resid")]
)
def test_a_region_has_a_host(region: Any, host: str) -> None:
    assert ElevenLabsSettings(region=region).host.startswith(f"https://{host}")


@pytest.mark.pins("D013")
@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Options of a recognition", [each.name for each in attrs.fields(ElevenLabsSTTOptions)]),
        ("Options of a voice", [each.name for each in attrs.fields(ElevenLabsTTSOptions)]),
        ("Settings of the operator", list(OWN_SETTINGS)),
    ],
)
def test_the_page_lists_every_option(heading: str, names: list[str]) -> None:
    section = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == names
