"""What a model of recognition is told to expect, for files and for sessions alike. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from capabilities import STTOptions
from providers.openai.names import (
    DIARIZING_MODEL,
    FILE_MODEL,
    LIVE_MODEL,
    is_live,
    takes_keywords,
    takes_prompt,
)
from providers.openai.options import OpenAISTTOptions


def own_options(options: STTOptions) -> OpenAISTTOptions:
    """Return OpenAI's own part of the options."""
    own: OpenAISTTOptions = options.options or OpenAISTTOptions()
    return own


def choose_model(options: STTOptions) -> tuple[str, bool]:
    """Return the model to use, and whether in a session."""
    via, model = own_options(options).via, options.model
    if model is None:
        if via == "live":
            return LIVE_MODEL, True
        return (DIARIZING_MODEL if options.diarize else FILE_MODEL), False
    return model, is_live(model) if via is None else via == "live"


def language_code(tag: str) -> str | None:
    """Return the ISO 639 code of a BCP-47 tag; None if the model shall find out."""
    code = tag.replace("_", "-").partition("-")[0].lower()
    return code if code.isalpha() and len(code) in {2, 3} else None


def guidance(model: str, options: STTOptions) -> Mapping[str, str | Sequence[str]]:
    """Return the parameters that guide a model, as far as it takes them."""
    own, told = own_options(options), dict[str, str | Sequence[str]]()
    code = language_code(options.language)
    prompt = own.prompt
    if takes_keywords(model):
        if own.languages:
            code, told["languages"] = None, own.languages
        if options.keywords:
            told["keywords"] = options.keywords
    elif prompt is None and options.keywords:
        prompt = ", ".join(options.keywords)
    if code is not None:
        told["language"] = code
    if prompt and takes_prompt(model):
        told["prompt"] = prompt
    return told


def pause_of(options: STTOptions) -> float | None:
    """Return the seconds of silence that end an utterance, if anybody has said."""
    wished = own_options(options).silence_duration_ms
    if wished is not None:
        return wished / 1000
    return options.utterance_end if options.endpointing is None else options.endpointing


def detected(languages: Any, asked: str) -> str | None:
    """Return the language of a transcript: what the model has found, else what was asked for."""
    match languages:
        case [{"code": str(code)}, *_]:
            return code
        case _:
            return asked if language_code(asked) else None
