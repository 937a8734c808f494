"""What was said to a vendor, in the form in which it is recorded: by whom does not show.

Requests, WebSockets and calls become plain JSON: method and path, the query's parameters, the names
of the headers, the messages in their order. Bytes of sound become their number, a run of equal
messages is told once with its length, and a key becomes ``***``.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from difflib import ndiff
from itertools import groupby
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from support.servers.google import Call
from support.servers.http import Received
from support.servers.openai import parts_of
from support.servers.websocket import Peer

Shown: TypeAlias = dict[str, Any]

KEY = re.compile("made-up(-key)?")
"""The key of every task; the shorter one is a token that a server has given for it."""
_SOUND = ("audio", "audio_base_64")
"""Fields of JSON messages that hold sound in base64."""


def shown_request(request: Received) -> Shown:
    """Return what is recorded of an HTTP request."""
    told = {**_target(request.method, request.target), **_headers(request.headers.items())}
    if not request.body:
        return told
    kind = request.headers["content-type"].partition(";")[0]
    form = kind == "multipart/form-data"
    body = {"form": _form(request)} if form else {"json": request.json}
    return {**told, "content-type": kind, **body}


def shown_session(peer: Peer) -> Shown:
    """Return what is recorded of a WebSocket: all that the client sent, and how it ended."""
    return {
        **_target("GET", peer.path),
        **_headers(peer.headers.raw_items()),
        "messages": runs(map(_message, peer.messages)),
        "close": peer.close_code,
    }


def shown_call(call: Call) -> Shown:
    """Return what is recorded of a gRPC call."""
    fields = ((name, value) for name, value in call.metadata.items() if not name.startswith(":"))
    return {
        "request": f"{call.metadata[':method']} {call.method}",
        **_headers(fields),
        "content-type": call.metadata["content-type"],
        "messages": runs(map(_without_bytes, call.sent)),
        # Our reader passes over fields that it does not know: here they would show.
        "sizes": runs(call.sizes),
    }


def runs(messages: Iterable[Any]) -> list[list[Any]]:
    """Return equal neighbours once, each with its number."""
    return [[len(list(group)), message] for message, group in groupby(messages)]


def _target(method: str, target: str) -> Shown:
    parts = urlsplit(target)
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    # By name alone: values of the same name may have an order.
    query = [f"{name}={value}" for name, value in sorted(pairs, key=lambda pair: pair[0])]
    return {"request": f"{method} {parts.path}", "query": query}


def _headers(fields: Iterable[tuple[str, str]]) -> Shown:
    named = sorted((name.lower(), value) for name, value in fields)
    return {
        "headers": sorted({name for name, _ in named}),
        "key": [f"{name}: {KEY.sub('***', value)}" for name, value in named if KEY.search(value)],
    }


def _form(request: Received) -> list[str]:
    """Return the parts, sorted by name."""
    parts = sorted(parts_of(request), key=lambda part: part.name)
    return [
        f"{part.name}={part.body.decode()}"
        if part.filename is None
        else f"{part.name}={part.filename}, {part.kind}, {len(part.body)} bytes"
        for part in parts
    ]


def _message(message: str | bytes) -> Any:
    if isinstance(message, bytes):
        return _size(message)
    told = json.loads(message)
    sound = {name: _size(b64decode(told[name])) for name in _SOUND if name in told}
    return told | sound


def _without_bytes(value: Any) -> Any:
    match value:
        case bytes():
            return _size(value)
        case Mapping():
            return {name: _without_bytes(each) for name, each in value.items()}
        case list():
            return [_without_bytes(each) for each in value]
        case _:
            return value


def _size(data: bytes) -> str:
    return f"{len(data)} bytes"


def differences(ours: Shown, theirs: Shown) -> list[str]:
    """Return what only we say (``+``) and what only they say (``-``), sorted; nothing if we agree.

    How sound is cut says nothing: it depends on who pushes it and on how fast it goes out.
    """
    changed = ndiff([*_lines(_uncut(theirs))], [*_lines(_uncut(ours))])
    return sorted(line for line in changed if line.startswith(("+", "-")))


def _uncut(told: Shown) -> Shown:
    """Return the same with neighbouring messages of sound as one, of all their bytes."""
    messages: list[list[Any]] = []
    for count, message in told.get("messages", ()):
        shape, size = _shape(message)
        if size and messages and messages[-1][0] == "sound" and messages[-1][2] == shape:
            messages[-1][1] += count * size
        else:
            messages.append(["sound", count * size, shape] if size else [count, message])
    return {**told, "messages": messages} if messages else told


def _shape(message: Any) -> tuple[Any, int]:
    """Return a message without its sound, and the bytes of that."""
    if isinstance(message, str):
        return "", int(message.split()[0])
    for name in _SOUND:
        if name in message:
            return {**message, name: ""}, int(message[name].split()[0])
    return message, 0


def _lines(told: Shown) -> Iterator[str]:
    for name, value in told.items():
        for each in value if isinstance(value, list) else [value]:
            yield f"{name}: {each if isinstance(each, str) else _json(each)}"


def _json(value: Any) -> str:
    # The order of fields says nothing.
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
