"""The configuration: what can be set, how it is read, and how it is shown.

Read in this order: ``schema``, ``option``, ``load``; then ``layers`` and what it draws on.
"""

from waav.config.credentials import Providers
from waav.config.dump import Row, rows, table
from waav.config.load import Loaded, load
from waav.config.rules import Mistake, check
from waav.config.schema import Config, Server, Tls, WebSocket
from waav.config.turn_taking import SpeechFinal

__all__ = [
    "Config",
    "Loaded",
    "Mistake",
    "Providers",
    "Row",
    "Server",
    "SpeechFinal",
    "Tls",
    "WebSocket",
    "check",
    "load",
    "rows",
    "table",
]
