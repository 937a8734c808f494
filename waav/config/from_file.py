"""The options that a file sets, each with its line."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

import attrs

from waav.config.expected import Expected
from waav.config.files import Document
from waav.config.layers import (
    OPTIONS,
    PROVIDERS,
    Given,
    Layer,
    is_unset,
    unknown_key,
)
from waav.config.option import Keys, Option, Steps, dotted, provider_name
from waav.config.schema import Config
from waav.config.variables import Variables, expand
from waav.errors import Problem

_SHORTHAND = {("stt",), ("tts",)}


def from_document(document: Document, variables: Variables) -> Layer:
    """Take the options out of a file, with ``${VAR}`` replaced."""
    reader = _Reader(document, variables)
    reader.section(Config, document.data, ())
    # What is said in full wins over its shorthand.
    reader.layer.given = {**reader.shorthand, **reader.layer.given}
    return reader.layer


@attrs.define
class _Reader:
    document: Document
    variables: Variables
    layer: Layer = attrs.Factory(Layer)
    shorthand: dict[Keys, Given] = attrs.Factory(dict)

    def section(self, kind: type[Any], table: Mapping[str, Any], path: Keys) -> None:
        for name, value in table.items():
            here = (*path, name)
            field = attrs.fields_dict(kind).get(name)
            if value is None:
                continue  # `key:` in YAML
            if field is None and path in _SHORTHAND and isinstance(value, Mapping):
                target = (*PROVIDERS, provider_name(name), *path)
                self._open(value, here, target, self.shorthand)
            elif field is None:
                self._unknown(here)
            elif here == PROVIDERS and isinstance(value, Mapping):
                self._providers(value, here)
            elif here in OPTIONS:
                self._option(OPTIONS[here], value)
            elif field.type is not None and isinstance(value, Mapping):
                self.section(field.type, value, here)
            else:
                self._problem(here, "expected a table")

    def _option(self, option: Option, value: Any) -> None:
        path = option.path
        self._names_inside(option.type, value, path)
        given = self._given(value, path)
        if given is not None and not is_unset(option, given.value):
            self.layer.given[path] = given

    def _providers(self, tables: Mapping[str, Any], path: Keys) -> None:
        for name, value in tables.items():
            if isinstance(value, Mapping):
                target = (*PROVIDERS, provider_name(name))
                self._open(value, (*path, name), target, self.layer.given)
            elif value is not None:
                self._problem((*path, name), "expected a table")

    def _open(
        self, table: Mapping[str, Any], path: Keys, target: Keys, into: dict[Keys, Given]
    ) -> None:
        """Take a table in which anything may stand, key by key, so that each keeps its place."""
        for name, value in table.items():
            here, there = (*path, name), (*target, name)
            if isinstance(value, Mapping):
                self._open(value, here, there, into)
            elif there in into:
                self._problem(here, f"given twice, under two spellings of {target[2]}")
            elif value is not None and (given := self._given(value, here)) is not None:
                into[there] = given

    def _given(self, value: Any, path: Keys) -> Given | None:
        before = len(self.layer.problems)
        expanded = self._expand(value, path)
        if len(self.layer.problems) > before:
            return None
        # A text that came out of variables is read as a variable is: `port: ${PORT}`.
        text = isinstance(value, str) and "${" in value
        return Given(expanded, self.document.where(path), self._inside(value, path), text=text)

    def _inside(self, value: Any, path: Keys) -> dict[Steps, str]:
        if not isinstance(value, list | Mapping):
            return {}
        size = len(path)
        places = (place for place in self.document.lines if place[:size] == path)
        return {place[size:]: self.document.where(place) for place in places}

    def _expand(self, value: Any, path: Steps) -> Any:
        match value:
            case str():
                return self._expand_text(value, path)
            case list():
                return [self._expand(item, (*path, index)) for index, item in enumerate(value)]
            case Mapping():
                return {name: self._expand(item, (*path, name)) for name, item in value.items()}
            case _:
                return value

    def _expand_text(self, text: str, path: Steps) -> str:
        try:
            return expand(text, self.variables)
        except Expected as error:
            self._problem(path, str(error))
            return text

    def _names_inside(self, kind: Any, value: Any, path: Steps) -> None:
        """Look for unknown keys in a list of tables, or in a table of tables."""
        inner = get_args(kind)[-1 if get_origin(kind) is Mapping else 0] if get_args(kind) else None
        if inner is None or not attrs.has(inner):
            return
        for step, table in _parts(value):
            names = attrs.fields_dict(inner)
            for name in table if isinstance(table, Mapping) else ():
                if name not in names:
                    near = difflib.get_close_matches(str(name), names, n=1)
                    hint = f"; the nearest known one is {near[0]}" if near else ""
                    place = (*path, step, name)
                    where = self.document.where(place)
                    self.layer.unknown.append(Problem(where, dotted(place), f"unknown key{hint}"))

    def _problem(self, path: Steps, message: str) -> None:
        self.layer.problems.append(Problem(self.document.where(path), dotted(path), message))

    def _unknown(self, path: Keys) -> None:
        problem = Problem(self.document.where(path), dotted(path), unknown_key(path))
        self.layer.unknown.append(problem)


def _parts(value: Any) -> Iterable[tuple[str | int, Any]]:
    match value:
        case Mapping():
            return value.items()
        case list():
            return enumerate(value)
        case _:
            return ()
