"""Log records, as text for people or as JSON for machines: with what is known of their scope, without secrets.

Records come through ``logging``, from us and from every library; those of a plugin that writes with
structlog come the same way.
"""

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from waav.observe.redaction import MASK, hides, without_shapes
from waav.observe.scope import MOST, redact, told

Form = Literal["text", "json"]

_BLOCKS = ("stack", "error")
"""Fields of more than one line."""
_OURS = ("time", "level", "logger")
_HEAD = (*_OURS, "message")
_WHO = ("tenant", "client")
"""Fields that clients do not say themselves. Whoever brought its own address as a key would be nowhere."""
_INDENT = "    "


class _Handler(logging.StreamHandler[Any]):
    """Writes to standard error; what cannot be written is said without its words."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # its name in the library
        kind = getattr(sys.exc_info()[0], "__name__", "Error")
        with suppress(OSError, ValueError):
            where = f"{record.name}, {record.filename}:{record.lineno}"
            self.stream.write(f"a log record of {where} cannot be written: {kind}\n")


def make_formatter(form: Form) -> logging.Formatter:
    """Return what makes a line of a record (text: and more, indented, for an exception).

    JSON has ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, what the scope tells, the
    record's own fields, ``stack`` and ``error``.
    """
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder()],
        processors=[
            structlog.processors.format_exc_info,
            _gather,
            _redact,
            _as_json if form == "json" else _as_text,
        ],
    )


def set_up_logging(form: Form, level: str) -> None:
    """Write records of ``level`` and above to standard error. For programs, not for libraries."""
    handler = _Handler(sys.stderr)
    handler.setFormatter(make_formatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    # They speak of every connection, some of every header, and one of addresses with keys in them.
    for chatty in ("hypercorn", "hpack", "h2", "quart", "httpx", "httpcore", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _gather(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put everything under its name and in its place."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog")
    head = {
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": str(event.pop("event", "")),
    }
    blocks = {"stack": event.pop("stack_info", ""), "error": event.pop("exception", "")}
    own = {name: value for name, value in event.items() if name not in head}
    return {**head, **told(), **own, **{name: text for name, text in blocks.items() if text}}


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    ours = {name: event[name] for name in _OURS}
    return ours | {name: _shown(name, event[name]) for name in event if name not in _OURS}


def _shown(name: str, value: object) -> object:
    match value:
        case None | bool() | int():
            return value
        case float() if isfinite(value):
            return value
        case _ if hides(name):
            return MASK
        case str() if name in _WHO:
            return without_shapes(value[:MOST])
        case Mapping():
            return {str(key): _shown(str(key), each) for key, each in value.items()}
        case _:
            return redact(value if isinstance(value, str) else str(value))


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return json.dumps({**event, "time": event["time"].isoformat()}, ensure_ascii=False)


def _as_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    words = f"{event['level'].upper():<7} {event['logger']}: {event['message']}"
    beside = {
        name: value
        for name, value in event.items()
        # A table is for machines.
        if name not in _HEAD and name not in _BLOCKS and not isinstance(value, Mapping)
    }
    time = event["time"].astimezone().isoformat(" ", "milliseconds")
    lines = [f"{time} {escape(words)}{_pairs(beside)}"]
    for name in _BLOCKS:
        # Not splitlines: it takes more for the end of a line than a terminal does.
        lines += [_INDENT + escape(line) for line in str(event.get(name, "")).split("\n") if line]
    return "\n".join(lines)


def _pairs(beside: Mapping[str, object]) -> str:
    return "".join(f" {escape(name)}={_value(value)}" for name, value in beside.items())


def _value(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and text and not set(text) & set(" \"'=")
    return text if plain else escape(json.dumps(text, ensure_ascii=False))


def escape(text: str) -> str:
    """Write what cannot be seen as ``\\n`` or ``\\x1b``, so that nobody can forge a line or move a cursor."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
