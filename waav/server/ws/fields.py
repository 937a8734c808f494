"""What single fields of a message may hold.

Sizes are in bytes of UTF-8, because that is what they cost, and their texts are part of the
protocol. A validator that raises ValueError becomes ``Invalid message format`` with the place.
"""

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Annotated, Any, TypeAlias

import attrs
from msgspec import Meta

from capabilities import parse_encoding
from waav.errors import InvalidRequest
from waav.security.tenancy import is_path_part

Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]

Rate: TypeAlias = Annotated[int, Meta(ge=8000, le=48000)]
"""Hertz."""
Channels: TypeAlias = Annotated[int, Meta(ge=1, le=2)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=600_000)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=600)]
Timestamp: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""Milliseconds since 1970; the range that every JSON reader keeps exactly."""
Words: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(max_length=256)], ...], Meta(max_length=1000)
]
Keys: TypeAlias = Annotated[dict[str, str | None], Meta(max_length=16)]
"""Credentials by name; an empty one is none."""

_TEXT = re.compile(rb'"[^"]*"')
_STEPS = {**dict.fromkeys(b"[{", 1), **dict.fromkeys(b"]}", -1)}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def seconds(milliseconds: int | None) -> float | None:
    """Return a duration as the inside of the gateway counts it."""
    return None if milliseconds is None else milliseconds / 1000


def check_size(size: int, limit: int, what: str) -> None:
    """Raise InvalidRequest if ``size`` bytes are more than ``limit``."""
    if size > limit:
        raise InvalidRequest(
            f"{what} too large: {size} bytes (max: {limit} bytes)", code="field_too_large"
        )


def check_depth(json: bytes, limit: int) -> None:
    """Raise ValueError if lists and objects are nested more than ``limit`` levels deep."""
    unescaped = json.replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = _TEXT.sub(b"", unescaped).translate(None, _NO_BRACKETS)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > limit:
        raise ValueError(f"nested more than {limit} levels deep")


def at_most(limit: int, what: str) -> Validator:
    """Make a validator for a text of at most ``limit`` bytes, called ``what`` in the error."""

    def check(_instance: Any, _attribute: "attrs.Attribute[Any]", text: str | None) -> None:
        if text is not None:
            check_size(len(text.encode()), limit, what)

    return check


def is_encoding(_instance: Any, _attribute: "attrs.Attribute[Any]", name: str) -> None:
    """Accept every name of an encoding that clients are known to use."""
    parse_encoding(name)


def is_storage_key(_instance: Any, _attribute: "attrs.Attribute[Any]", name: str | None) -> None:
    """Accept a name that can become a part of a path without leading anywhere else."""
    if name and not is_path_part(name):
        raise InvalidRequest(
            "Invalid stream ID: no '/', '\\', '..' or control characters", code="invalid_stream_id"
        )
