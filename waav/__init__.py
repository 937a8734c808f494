"""The voice gateway, for programs that embed it.

``async with open_gateway() as gateway, gateway.open_session() as session:`` gives a session with
two ways in, :meth:`Session.push_audio` and :meth:`Session.submit`, and two ways out,
:attr:`Session.events` and :attr:`Session.audio_out`. ``docs/examples/embed.py`` is a whole program.
"""

from waav.config import Config
from waav.errors import WaavError
from waav.gateway import Gateway, open_gateway
from waav.session.commands import (
    Clear,
    Command,
    Configure,
    Pronunciation,
    Speak,
    STTConfig,
    TTSConfig,
)
from waav.session.events import Event, Failed, Ready, SpeechBegan, SpeechEnded, Transcribed
from waav.session.session import Session
from waav.version import __version__

__all__ = [
    "Clear",
    "Command",
    "Config",
    "Configure",
    "Event",
    "Failed",
    "Gateway",
    "Pronunciation",
    "Ready",
    "STTConfig",
    "Session",
    "Speak",
    "SpeechBegan",
    "SpeechEnded",
    "TTSConfig",
    "Transcribed",
    "WaavError",
    "__version__",
    "open_gateway",
]
