"""What OpenAI's models are called, and what of a name tells what a model can do.

Source: the package ``openai`` 3.52.0, read on 2026-11-20. The names that are listed here are
defaults and suggestions only; any other goes to OpenAI as it is.
"""

ID = "openai"
NAME = "OpenAI"
KEY = "openai_api_key"
BASE_URL = "https://api.openai.com/v1"

FILE_MODEL = "gpt-transcribe"
LIVE_MODEL = "gpt-live-transcribe"
DIARIZING_MODEL = "gpt-4o-transcribe-diarize"
STT_MODELS = (
    FILE_MODEL,
    LIVE_MODEL,
    "gpt-realtime-whisper",
    # These are announced to end on 2027-02-26.
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    DIARIZING_MODEL,
    "whisper-1",
)
# All are announced to end on 2027-01-06; no other model speaks over this interface.
TTS_MODELS = ("gpt-4o-mini-tts", "tts-1", "tts-1-hd")
LLM_MODEL = "gpt-6-luna"


def is_live(model: str) -> bool:
    """Whether a model is made for sessions rather than for files."""
    return "live" in model or "realtime" in model


def is_diarizing(model: str) -> bool:
    """Whether a model says who speaks."""
    return "diarize" in model


def is_whisper(model: str) -> bool:
    """Whether a model knows when words are spoken. It takes files only, and streams nothing."""
    return model.startswith("whisper")


def takes_keywords(model: str) -> bool:
    """Whether a model takes lists of words and of languages, as the newest generation does."""
    return not is_whisper(model) and "4o" not in model and "whisper" not in model


def takes_prompt(model: str) -> bool:
    """Whether a model takes a text that says what to expect."""
    return not is_diarizing(model) and model != "gpt-realtime-whisper"


def takes_instructions(model: str) -> bool:
    """Whether a voice can be told how to speak."""
    return not model.startswith("tts-1")
