"""The built-in voices. There is no list to ask for; voices of one's own are known by their ids.

Source: the package ``openai`` 3.52.0, 2026-11-20. It says nothing of their gender or accent, and
each speaks all languages.
"""

from capabilities import Voice

_NAMES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage",
    "shimmer", "verse",
)  # fmt: skip

VOICES = tuple(Voice(name, name.capitalize(), "en-US") for name in _NAMES)

_OWN = "voice_"


def voice_field(voice: str) -> str | dict[str, str]:
    """Return a voice as a request names it."""
    return {"id": voice} if voice.startswith(_OWN) else voice
