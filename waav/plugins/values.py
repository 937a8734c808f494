"""One value of plain data -> what a field has, by its type. Nothing is guessed.

A short value stands in the message, a long one does not: it may be a key in the wrong place.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs
import cattrs
from cattrs.cols import (
    homogenous_tuple_structure_factory,
    is_mapping,
    is_sequence,
    list_structure_factory,
    mapping_structure_factory,
)
from cattrs.gen import make_dict_structure_fn

from capabilities import Secret

_SHORT = 16  # characters of a value that are shown
_TRUTH = {"true": True, "false": False}

Hook: TypeAlias = Callable[[Any, Any], Any]
Factory: TypeAlias = Callable[[Any, Any], Hook]


class Wrong(Exception):
    """A value is not what it should be; the text says what was expected, and what came."""


def _got(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float() if len(str(value)) <= _SHORT:
            return str(value)
        case str() if len(value) <= _SHORT:
            return f'"{value}"'
        case _:
            return _kind_of(value)


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a longer text"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def _truth(value: Any, *, textual: bool) -> bool:
    if textual and isinstance(value, str) and value.lower() in _TRUTH:
        return _TRUTH[value.lower()]
    if not isinstance(value, bool):
        raise Wrong(f"expected true or false, got {_got(value)}")
    return value


def _whole(value: Any, *, textual: bool) -> int:
    # float and bool would fit into int() too, and lose what was meant.
    if type(value) is int:
        return value
    try:
        return int(value if textual and isinstance(value, str) else "")
    except ValueError:
        raise Wrong(f"expected a whole number, got {_got(value)}") from None


def _real(value: Any, *, textual: bool) -> float:
    try:
        if type(value) in {int, float} or (textual and isinstance(value, str)):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise Wrong(f"expected a number, got {_got(value)}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        # Not the value: a key is a text, and what stands in its place may be one too.
        raise Wrong(f"expected text, got {_kind_of(value)}")
    return value


def _choice(value: Any, kind: Any) -> Any:
    allowed = get_args(kind)
    for each in allowed:
        if type(value) is type(each) and value == each:
            return each
    raise Wrong(f"expected one of {', '.join(map(_got, allowed))}, got {_got(value)}")


def _member(value: Any, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(_got(each.value) for each in kind)
        raise Wrong(f"expected one of {allowed}, got {_got(value)}") from None


def _only(accepted: tuple[type, ...], what: str, factory: Factory) -> Factory:
    """Let a hook see nothing that it would take for something else, as a text for a list."""

    def guarded(kind: Any, converter: Any) -> Hook:
        hook = factory(kind, converter)

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, accepted):
                raise Wrong(f"expected {what}, got {_got(value)}")
            return hook(value, kind)

        return structure

    return guarded


def _as_hook(leaf: Callable[[Any], Any]) -> Hook:
    # An enumeration of texts is a class of texts too, and comes here as one.
    return lambda value, kind: _member(value, kind) if _is_enum(kind) else leaf(value)


def _sequence(kind: Any, converter: Any) -> Hook:
    is_tuple = (get_origin(kind) or kind) is tuple
    make_hook = homogenous_tuple_structure_factory if is_tuple else list_structure_factory
    return make_hook(kind, converter)


def _object(kind: Any, converter: Any) -> Hook:
    return make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)


def _is_choice(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def converter_of(*, textual: bool) -> cattrs.Converter:
    """Make what structures values of any type.

    Args:
        textual: numbers and switches may be texts, as ``${VARIABLE}`` in a file always gives.
    """
    converter = cattrs.Converter()
    leaves: dict[type[Any], Callable[[Any], Any]] = {
        bool: lambda value: _truth(value, textual=textual),
        int: lambda value: _whole(value, textual=textual),
        float: lambda value: _real(value, textual=textual),
        str: _text,
        Path: lambda value: Path(_text(value)),
        Secret: lambda value: Secret(_text(value)),
    }
    for kind, leaf in leaves.items():
        converter.register_structure_hook(kind, _as_hook(leaf))
    converter.register_structure_hook_func(_is_choice, _choice)
    converter.register_structure_hook_func(_is_enum, _member)
    for applies, accepted, what, factory in (
        (is_sequence, (list, tuple), "a list", _sequence),
        (is_mapping, (Mapping,), "an object", mapping_structure_factory),
        (attrs.has, (Mapping,), "an object", _object),
    ):
        converter.register_structure_hook_factory(applies, _only(accepted, what, factory))
    return converter
