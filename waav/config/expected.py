"""What a value must be: in words for people, and as a check."""

from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

import attrs

from capabilities import Secret


class Expected(ValueError):
    """A value is not what it should be. Says what was expected and never what came."""

    def __init__(self, what: str, name: str = "") -> None:
        super().__init__(f"{name}: expected {what}" if name else f"expected {what}")
        self.what = what
        self.name = name
        """The attribute, where a class checks itself."""


@attrs.frozen
class Bounds:
    """What a value of the right type must keep to; also an attrs validator."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    """Like ``least``, but the bound itself is too little."""
    schemes: tuple[str, ...] = ()
    """Of a URL."""

    def accepts(self, value: Any) -> bool:
        """Tell whether the value keeps to the bounds; None always does."""
        if value is None:
            return True
        if self.schemes:
            return is_url(value, self.schemes)
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
        )

    def __str__(self) -> str:
        match self:
            case Bounds(schemes=(_, *_) as schemes):
                return f", a URL that begins with {' or '.join(f'{name}://' for name in schemes)}"
            case Bounds(least=float() | int() as least, most=float() | int() as most):
                return f" from {least:g} to {most:g}"
            case Bounds(least=float() | int() as least):
                return f" of at least {least:g}"
            case Bounds(above=float() | int() as above):
                return f" above {above:g}"
            case _:
                return ""

    def __call__(self, _instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        """Check an attribute of a class that is made by hand."""
        if not self.accepts(value):
            raise Expected(phrase(attribute.type) + str(self), attribute.name)


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Tell whether a text is a URL of one of these schemes, with a host."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return False
    plain = text.isprintable() and " " not in text
    return plain and parts.scheme.lower() in schemes and bool(parts.hostname)


def without_none(kind: Any) -> Any:
    """Return ``X`` for ``X | None``, and any other type as it is."""
    if get_origin(kind) is UnionType:
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    return kind


_PHRASES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "the path of a file or folder",
    Secret: "text",
}


def phrase(kind: Any) -> str:
    """Say in words what a value of a type is."""
    kind = without_none(kind)
    match get_origin(kind), get_args(kind):
        case None, _:
            return _PHRASES.get(kind, "a table")
        case origin, names if origin is Literal:
            return f"one of {', '.join(names)}"
        case origin, (item, *_) if origin is tuple:
            return f"a list of tables with {_names(item)}" if attrs.has(item) else "a list of texts"
        case _:
            return "a table"


def _names(kind: type[Any]) -> str:
    return ", ".join(attribute.name for attribute in attrs.fields(kind))
