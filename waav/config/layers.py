"""What each source sets: flat tables of options with their places, ready to be laid over each other."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from waav.config.option import Keys, Option, Steps, dotted, options
from waav.config.schema import Config
from waav.config.variables import Variables
from waav.errors import Problem

OPTIONS: Mapping[Keys, Option] = {option.path: option for option in options(Config)}

PROVIDERS: Keys = ("plugins", "providers")
"""The table in which anything may stand."""


@attrs.frozen
class Given:
    """A value as a source has it."""

    value: Any = attrs.field(repr=False)
    where: str
    inside: Mapping[Steps, str] = attrs.field(factory=dict)
    """The places of the parts of a list or table."""
    text: bool = False
    """Out of a variable, where everything is text."""

    def place(self, path: Steps) -> str:
        """Return where a part of the value stands, or the nearest part around it."""
        while path and path not in self.inside:
            path = path[:-1]
        return self.inside.get(path, self.where)


@attrs.define
class Layer:
    """What one source sets, and what is wrong or unknown in it."""

    given: dict[Keys, Given] = attrs.Factory(dict)
    problems: list[Problem] = attrs.Factory(list)
    unknown: list[Problem] = attrs.Factory(list)


def from_variables(variables: Variables) -> Layer:
    """Take the options out of the environment and, below it, ``.env``."""
    layer = Layer(problems=list(variables.problems))
    for path, option in OPTIONS.items():
        for text, where in variables.find(option.env or ""):
            if not is_unset(option, text):
                layer.given[path] = Given(text, where, text=True)
                break
    return layer


def is_unset(option: Option, value: Any) -> bool:
    """Tell whether a source leaves an option alone although it names it."""
    blank = isinstance(value, str) and not value.strip()
    return value is None or (blank and option.blank_is_unset)


def from_arguments(arguments: Mapping[str, object]) -> Layer:
    """Take options that a caller sets by their dotted keys; None leaves one alone."""
    layer = Layer()
    for key, value in arguments.items():
        path = tuple(key.split("."))
        if path not in OPTIONS and path[:2] != PROVIDERS:
            layer.problems.append(Problem("argument", key, unknown_key(path)))
        elif value is not None:
            layer.given[path] = Given(value, "argument", text=isinstance(value, str))
    return layer


def unknown_key(path: Keys) -> str:
    """Say that there is no such key, and which one is nearest."""
    known = {dotted(option) for option in OPTIONS}
    known |= {dotted(option[:depth]) for option in OPTIONS for depth in range(1, len(option))}
    key = dotted(path).lower()
    # The right key in the wrong section is as likely as a slip of the finger.
    same = [name for name in sorted(known) if name.rpartition(".")[2] == path[-1].lower()]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75) or same
    return f"unknown key; the nearest known one is {near[0]}" if near else "unknown key"


def nest(given: Mapping[Keys, Given], root: Keys) -> dict[str, Any]:
    """Put flat keys below ``root`` back into tables. The longer of two keys that clash is left out."""
    tables: dict[str, Any] = {}
    for path in sorted(_below(given, root), key=len):
        *around, name = path[len(root) :]
        table = tables
        for step in around:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                break
        else:
            table[name] = given[path].value
    return tables


def _below(given: Mapping[Keys, Given], root: Keys) -> Iterator[Keys]:
    return (path for path in given if path[: len(root)] == root and len(path) > len(root))
