"""Plain data -> the class of a plugin. Nothing is guessed, and a mistake says where it is and what."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, IterableValidationNote

from waav.plugins.values import Wrong, converter_of

T = TypeVar("T")

MOST_TOLD = 8
"""Mistakes in one message; names may come from a client, in any number."""
_NAME = 64  # characters of a name that are shown
_SAID = 400  # characters that a validator may say
_EXACT, _TEXTUAL = converter_of(textual=False), converter_of(textual=True)


class Mistakes(Exception):
    """Values that do not fit. The text has each with its place: ``options.seed: expected ...``."""

    def __init__(self, told: Iterable[str]) -> None:
        super().__init__("; ".join(islice(told, MOST_TOLD)))


def fields_of(
    kind: type[Any], given: Mapping[str, Any], path: str, *, textual: bool = False
) -> dict[str, Any]:
    """Return the values that are given for fields of a class, each as its field has it.

    Args:
        path: where they stand, for the mistakes.
        textual: numbers and switches may be texts, as ``${VARIABLE}`` in a file always gives.

    Raises:
        Mistakes: a name is unknown, or a value has not the type of its field.
    """
    fields = {each.name: each for each in _typed(kind, path) if each.init}
    # Of more than can be told nothing is said, or a client could keep everybody waiting.
    unknown = sorted(given.keys() - fields)[:MOST_TOLD]
    told = [f"{path}.{name[:_NAME]}: {_unknown(name, fields)}" for name in unknown]
    converter, values = _TEXTUAL if textual else _EXACT, {}
    for name in given.keys() & fields.keys():
        try:
            values[name] = converter.structure(given[name], fields[name].type or Any)
        # The class is the plugin's own, and so is whatever its validators and converters raise.
        except Exception as exc:  # noqa: BLE001
            told += islice(_mistakes(exc, f"{path}.{name}"), MOST_TOLD)
    if told:
        raise Mistakes(sorted(told))
    return values


def make(kind: type[T], values: Mapping[str, Any], path: str) -> T:
    """Make the object of these fields.

    Raises:
        Mistakes: a field is missing, or the class itself refuses one.
    """
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(kind)  # type: ignore[arg-type]  # it is one
    needed = [each.name for each in fields if each.init and each.default is attrs.NOTHING]
    if missing := [name for name in needed if name not in values]:
        raise Mistakes(f"{path}.{name}: is required" for name in missing)
    aliases = {each.name: each.alias or each.name for each in fields}
    try:
        return kind(**{aliases[name]: value for name, value in values.items()})
    except Exception as exc:
        raise Mistakes(_mistakes(exc, path)) from exc


def _typed(kind: type[Any], path: str) -> tuple["attrs.Attribute[Any]", ...]:
    try:
        fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(attrs.resolve_types(kind))
    except (NameError, TypeError) as exc:
        raise Mistakes([f"{path}: the types of {kind.__name__} cannot be read: {exc}"]) from exc
    return fields


def _unknown(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    if near := get_close_matches(name[:_NAME], names):
        return f"unknown, perhaps {' or '.join(near)}"
    return f"unknown (known: {', '.join(names) or 'none'})"


def _mistakes(error: BaseException, path: str) -> Iterator[str]:
    match error:
        case cattrs.ForbiddenExtraKeysError(cl=kind, extra_fields=names):
            known = [each.name for each in attrs.fields(kind)]
            for name in sorted(names):
                yield f"{path}.{name[:_NAME]}: {_unknown(name, known)}"
        case cattrs.BaseValidationError(exceptions=inner):
            for each in inner:
                yield from _mistakes(each, path + _step(each))
        case KeyError(args=(name,)) if path.endswith(f".{name}"):
            yield f"{path}: is required"
        case Wrong():
            yield f"{path}: {error}"
        case ValueError() | TypeError() if error.args:
            # An attrs validator says what is wrong first, and appends objects for programs.
            yield f"{path}: {str(error.args[0])[:_SAID]}"
        case _:
            yield f"{path}: is not what was expected"


def _step(error: BaseException) -> str:
    for note in getattr(error, "__notes__", ()):
        match note:
            case AttributeValidationNote(name=name):
                return f".{name}"
            case IterableValidationNote(index=index):
                return f"[{index}]"
            case _:
                continue
    return ""
