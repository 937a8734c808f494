"""What makes two requests for speech the same."""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import attrs

from capabilities import Secret, SpeechRequest


def speech_key(provider_id: str, request: SpeechRequest) -> str:
    """Return 64 hexadecimal digits that change with anything that changes the sound.

    That is each field of the request (its text as the provider gets it, pronunciations replaced;
    the format that is asked for, whatever the listener wants), and whose key pays: nobody hears
    what was made with somebody else's.
    """
    told = json.dumps([provider_id, _canonical(request)])
    return sha256(told.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Return JSON that is equal for equal values, in this process and in the next."""
    match value:
        case Mapping():
            return _in_order([_canonical(key), _canonical(each)] for key, each in value.items())
        case AbstractSet():
            return _in_order(map(_canonical, value))
        case list() | tuple():
            return [_canonical(each) for each in value]
        case _ if attrs.has(type(value)):
            # The class too: the fields of two kinds of option may look the same.
            fields = {each.name: getattr(value, each.name) for each in attrs.fields(type(value))}
            return [type(value).__qualname__, _canonical(fields)]
        case _:
            return _canonical_leaf(value)


def _canonical_leaf(value: Any) -> Any:
    match value:
        case Enum() | PurePath() | bytes():
            return repr(value)
        case None | bool() | int() | float() | str():
            return value
        case Secret():
            return value.fingerprint
        case _:
            # Not to be compared: better never found again than found wrongly.
            return uuid4().hex


def _in_order(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=json.dumps)
