"""From what a file or a variable holds to the value of an option, by its type.

Nothing is guessed: ``"8080"`` is no number and ``1`` no yes. The mistakes say what was expected and
where, never what was there, because it may be a secret in the wrong place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from capabilities import Secret
from waav.config.expected import Expected, phrase
from waav.config.option import Option, Steps


class Wrong(Exception):
    """An option's value is wrong, in one or more places."""

    def __init__(self, mistakes: Iterable[tuple[Steps, str]]) -> None:
        super().__init__("wrong")
        self.mistakes = tuple(mistakes)
        """Where in the value, and the message."""


def structure(option: Option, value: Any) -> Any:
    """Make the value of an option out of plain data.

    Raises:
        Wrong: it has another type, or is out of bounds.
    """
    try:
        made = _CONVERTER.structure(_listed(option.type, value), option.type)
    except Exception as error:  # noqa: BLE001  # cattrs wraps whatever a hook raises
        raise Wrong(_mistakes(error, (), option.expected)) from None
    if not option.about.bounds.accepts(made):
        raise Wrong([((), f"expected {option.expected}")])
    return made


def _listed(kind: Any, value: Any) -> Any:
    """Take ``a, b`` for a list of texts, and refuse what cattrs would iterate over."""
    if get_origin(kind) is tuple:
        if isinstance(value, str) and get_args(kind)[0] is str:
            return [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple):
            raise Expected(phrase(kind))
    if get_origin(kind) is Mapping and not isinstance(value, Mapping):
        raise Expected(phrase(kind))
    return value


def _mistakes(error: BaseException, path: Steps, expected: str) -> Iterator[tuple[Steps, str]]:
    match error:
        case BaseValidationError(exceptions=exceptions):
            for inner in exceptions:
                yield from _mistakes(inner, (*path, *_step(inner)), expected)
        case Expected(what=what, name=name):
            yield (*path, name) if name else path, f"expected {expected if not path else what}"
        case KeyError():
            yield path, "is missing"
        case _:
            yield path, f"expected {expected}" if not path else "is not what was expected"


def _step(error: BaseException) -> Steps:
    for note in getattr(error, "__notes__", ()):
        match note:
            case AttributeValidationNote(name=step) | IterableValidationNote(index=step):
                return (step,)
            case _:
                continue
    return ()


def _must(kind: type[Any], accept: Callable[[Any], bool], make: Callable[[Any], Any]) -> None:
    def hook(value: Any, _: Any) -> Any:
        if not accept(value):
            raise Expected(phrase(kind))
        return make(value)

    _CONVERTER.register_structure_hook(kind, hook)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_choice(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _one_of(value: Any, kind: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    if word not in get_args(kind):
        raise Expected(phrase(kind))
    return word


def _table(kind: type[Any]) -> Callable[[Any, Any], Any]:
    make = make_dict_structure_fn(kind, _CONVERTER)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Expected(f"a table with {', '.join(field.name for field in attrs.fields(kind))}")
        return make(value, kind)

    return hook


_CONVERTER = Converter()
_must(bool, lambda value: isinstance(value, bool), bool)
_must(int, lambda value: isinstance(value, int) and not isinstance(value, bool), int)
_must(float, _is_number, float)
_must(str, lambda value: isinstance(value, str), str)
_must(Path, lambda value: isinstance(value, str | Path), lambda value: Path(value).expanduser())
_must(Secret, lambda value: isinstance(value, str | Secret), Secret)
_CONVERTER.register_structure_hook_func(_is_choice, _one_of)
_CONVERTER.register_structure_hook_factory(attrs.has, _table)
