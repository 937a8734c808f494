"""What a session asks for is in the query, all of it, and readable to the vendor."""

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import AudioFormat, Encoding, ProviderRefused, STTOptions
from providers._common.urls import build_url
from providers.deepgram.options import FLUX, FLUX_ONLY, DeepgramSTTOptions
from providers.deepgram.stt_query import flux_query, nova_query


def sent(options: STTOptions) -> dict[str, list[str]]:
    flux = (options.model or "").startswith("flux-")
    url = build_url("https://x", ["v1"], flux_query(options) if flux else nova_query(options))
    return parse_qs(urlsplit(url).query, strict_parsing=True, keep_blank_values=True)


def own(**options: Any) -> dict[str, list[str]]:
    return sent(STTOptions(options=DeepgramSTTOptions(**options)))


def test_a_session_that_asks_for_nothing() -> None:
    assert sent(STTOptions()) == {
        "model": ["nova-3"],
        "language": ["en-US"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "channels": ["1"],
        "interim_results": ["true"],
        "punctuate": ["true"],
    }


@pytest.mark.pins("D046")
@pytest.mark.parametrize(
    ("option", "value", "name", "told"),
    [
        ("diarize", True, "diarize_model", ["latest"]),
        ("filler_words", True, "filler_words", ["true"]),
        ("profanity_filter", True, "profanity_filter", ["true"]),
        ("smart_format", False, "smart_format", ["false"]),
        ("punctuation", False, "punctuate", ["false"]),
        ("interim_results", False, "interim_results", ["false"]),
        ("endpointing", 0.3, "endpointing", ["300"]),
        ("endpointing", 0.0, "endpointing", ["0"]),
        ("utterance_end", 1.5, "utterance_end_ms", ["1500"]),
        ("utterance_end", 0.2, "utterance_end_ms", ["1000"]),
        ("keywords", ("WaaV", "trio"), "keyterm", ["WaaV", "trio"]),
        ("language", "multi", "language", ["multi"]),
    ],
)
def test_each_option_of_all_providers_is_sent(
    option: str, value: Any, name: str, told: list[str]
) -> None:
    assert sent(attrs.evolve(STTOptions(), **{option: value}))[name] == told


NOVA_OPTIONS: dict[str, tuple[Any, list[str]]] = {
    "version": ("2026-01-01.0", ["2026-01-01.0"]),
    "language_hint": (("en", "de"), ["en", "de"]),
    "keyterm": (("a b",), ["a b"]),
    "keywords": (("snuffle:2",), ["snuffle:2"]),
    "endpointing": (False, ["false"]),
    "vad_events": (True, ["true"]),
    "multichannel": (True, ["true"]),
    "diarize_model": ("v1", ["v1"]),
    "numerals": (True, ["true"]),
    "dictation": (True, ["true"]),
    "redact": (("pci", "ssn"), ["pci", "ssn"]),
    "detect_entities": (True, ["true"]),
    "replace": (("this:that",), ["this:that"]),
    "search": (("needle",), ["needle"]),
    "extra": (("key:value",), ["key:value"]),
    "tag": (("one", "two"), ["one", "two"]),
    "mip_opt_out": (True, ["true"]),
}


@pytest.mark.pins("D013", "D046")
@pytest.mark.parametrize("name", NOVA_OPTIONS)
def test_each_option_of_nova_is_sent(name: str) -> None:
    value, told = NOVA_OPTIONS[name]
    assert own(**{name: value})[name] == told


def test_the_table_above_has_every_option_of_nova() -> None:
    fields = {field.name for field in attrs.fields(DeepgramSTTOptions)}
    assert set(NOVA_OPTIONS) == fields - FLUX_ONLY


def test_each_option_of_flux_is_sent() -> None:
    values: dict[str, Any] = {
        "eot_threshold": 0.8,
        "eager_eot_threshold": 0.5,
        "eot_timeout_ms": 2000,
        "language_hint": ("de",),
        "keyterm": ("WaaV",),
        "numerals": True,
        "redact": ("numbers",),
        "tag": ("one",),
        "mip_opt_out": True,
    }
    assert set(values) == FLUX
    options = STTOptions(
        model="flux-general-multi",
        profanity_filter=True,
        keywords=("trio",),
        options=DeepgramSTTOptions(**values),
    )
    assert sent(options) == {
        "model": ["flux-general-multi"],
        "encoding": ["linear16"],
        "sample_rate": ["16000"],
        "eot_threshold": ["0.8"],
        "eager_eot_threshold": ["0.5"],
        "eot_timeout_ms": ["2000"],
        "language_hint": ["de"],
        "keyterm": ["WaaV", "trio"],
        "numerals": ["true"],
        "profanity_filter": ["true"],
        "redact": ["numbers"],
        "tag": ["one"],
        "mip_opt_out": ["true"],
    }


def test_flux_gets_nothing_that_only_nova_knows() -> None:
    assert set(sent(STTOptions(model="flux-general-en"))) == {"model", "encoding", "sample_rate"}


def test_flux_ends_a_turn_after_the_sessions_silence() -> None:
    options = STTOptions(model="flux-general-en", utterance_end=1.2)
    assert sent(options)["eot_timeout_ms"] == ["1200"]
    assert sent(attrs.evolve(options, utterance_end=0.1))["eot_timeout_ms"] == ["500"]


@pytest.mark.parametrize(
    ("language", "hint"), [("de-AT", ["de"]), ("en-US", ["en"]), ("multi", None)]
)
def test_flux_expects_the_sessions_language(language: str, hint: list[str] | None) -> None:
    options = STTOptions(model="flux-general-multi", language=language)
    assert sent(options).get("language_hint") == hint


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            STTOptions(options=DeepgramSTTOptions(eot_threshold=0.8)),
            "nova-3 has no option eot_threshold",
        ),
        (
            STTOptions(
                model="flux-general-en",
                options=DeepgramSTTOptions(dictation=True, vad_events=True),
            ),
            "flux-general-en has no option dictation, vad_events",
        ),
        (STTOptions(model="flux-general-en", language="de"), "hears English only"),
        (STTOptions(format=AudioFormat(Encoding.AAC)), "nova-3 does not take aac audio"),
        (
            STTOptions(model="flux-general-en", format=AudioFormat(Encoding.FLAC)),
            "flux-general-en does not take flac audio",
        ),
    ],
)
def test_what_a_model_does_not_have_is_refused(options: STTOptions, told: str) -> None:
    with pytest.raises(ProviderRefused, match=told):
        sent(options)


def test_what_flux_ignores_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        sent(STTOptions(model="flux-general-en", diarize=True, smart_format=True))
    assert caplog.messages == [
        "deepgram: flux-general-en does not know diarize, smart_format: ignored"
    ]


@pytest.mark.parametrize(
    ("model", "encoding", "told"),
    [
        (None, Encoding.MULAW, ["mulaw"]),
        (None, Encoding.ALAW, ["alaw"]),
        (None, Encoding.OPUS, ["opus"]),
        (None, Encoding.OGG, None),
        (None, Encoding.FLAC, None),
        ("flux-general-en", Encoding.OGG, ["ogg-opus"]),
    ],
)
def test_sound_in_a_container_says_itself_what_it_is(
    model: str | None, encoding: Encoding, told: list[str] | None
) -> None:
    query = sent(STTOptions(model=model, format=AudioFormat(encoding, 8000)))
    assert query.get("encoding") == told
    assert query.get("sample_rate") == (told and ["8000"])


def test_words_go_to_older_models_under_their_older_name() -> None:
    query = sent(STTOptions(model="nova-2", keywords=("WaaV:2",)))
    assert query["keywords"] == ["WaaV:2"]
    assert "keyterm" not in query


def test_the_end_of_utterances_needs_interims() -> None:
    query = sent(STTOptions(interim_results=False, utterance_end=1.0))
    assert query["interim_results"] == ["true"]


@pytest.mark.pins("D005")
@given(st.text(min_size=1, max_size=20))
def test_every_value_arrives_as_it_was_given(text: str) -> None:
    """Percent-encoded, so that a word cannot become a parameter."""
    options = DeepgramSTTOptions(tag=(text,), keyterm=(text,), replace=(text,))
    query = sent(STTOptions(language=text, keywords=(text,), options=options))
    assert query["language"] == query["tag"] == query["replace"] == [text]
    assert query["keyterm"] == [text, text]
    assert len(query) == 10, "and nothing came in between"
