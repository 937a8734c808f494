"""All sources, one configuration, or every mistake at once.

Arguments win over the file, the file over the environment, the environment over ``.env``, and
``.env`` over the defaults. Each option is taken from the best source that sets it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from waav.config.files import read_document
from waav.config.from_file import from_document
from waav.config.layers import (
    OPTIONS,
    PROVIDERS,
    Given,
    Layer,
    from_arguments,
    from_variables,
    nest,
)
from waav.config.option import Keys, Option, about, dotted
from waav.config.rules import Mistake, cautions, check
from waav.config.schema import Config
from waav.config.structure import Wrong, structure
from waav.config.variables import read_value, read_variables
from waav.errors import ConfigError, Problem

DEFAULT = "default"
"""The origin of a value that nobody has set."""


@attrs.frozen
class Loaded:
    """A configuration without mistakes, and where it comes from."""

    config: Config
    origins: Mapping[str, str]
    """For each dotted key the file with its line, the variable, ``argument`` or ``default``."""
    warnings: tuple[Problem, ...] = ()


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str],
    dotenv: Path | None = Path(".env"),
    arguments: Mapping[str, object] = {},
    strict: bool = False,
) -> Loaded:
    """Read and check the configuration. Reads files, and so belongs before the event loop.

    Args:
        path: a TOML file, or YAML by its suffix; None for the environment only.
        environ: usually ``os.environ``.
        dotenv: read if it is there.
        arguments: values by dotted key, for example of command line options; None is "not set".
        strict: take unknown keys for mistakes.

    Raises:
        ConfigError: with all mistakes.
    """
    variables = read_variables(environ, dotenv)
    layers = [from_variables(variables)]
    if path is not None:
        layers.append(from_document(read_document(path), variables))
    layers.append(from_arguments(arguments))

    merged = Layer()
    for layer in layers:
        merged.given |= layer.given
        merged.problems += layer.problems
        merged.unknown += layer.unknown
    config = _build(merged)
    if merged.problems or (strict and merged.unknown):
        # An unknown key is often the reason of another mistake: say both.
        raise ConfigError([*merged.problems, *merged.unknown])
    doubts = (_problem(merged.given, doubt) for doubt in cautions(config))
    warnings = (*merged.unknown, *doubts, *_pending(config, merged.given))
    return Loaded(config, _origins(merged.given), warnings)


def _build(merged: Layer) -> Config:
    """Make the configuration and note all mistakes; what is wrong takes its default meanwhile."""
    values = dict(_values(merged))
    config: Config = _section(Config, values, ())
    # A rule about a value that could not be read would only repeat that.
    wrong = {problem.key for problem in merged.problems}
    merged.problems += [
        _problem(merged.given, mistake)
        for mistake in check(config)
        if dotted(mistake.path) not in wrong
    ]
    return config


def _values(merged: Layer) -> Iterator[tuple[Keys, Any]]:
    tables = nest(merged.given, PROVIDERS)
    if tables:
        yield PROVIDERS, tables
    for path, option in OPTIONS.items():
        given = merged.given.get(path)
        if given is None:
            continue
        try:
            yield path, _value(option, given)
        except Wrong as error:
            merged.problems += [
                Problem(given.place(place), dotted((*path, *place)), message)
                for place, message in error.mistakes
            ]


def _value(option: Option, given: Given) -> Any:
    if not given.text:
        return structure(option, given.value)
    try:
        plain = read_value(given.value, option.type)
    except (ValueError, RecursionError):
        raise Wrong([((), f"expected {option.expected}")]) from None
    return structure(option, plain)


def _section(kind: type[Any], values: Mapping[Keys, Any], path: Keys) -> Any:
    made = {}
    for field in attrs.fields(kind):
        here = (*path, field.name)
        if attrs.has(field.type):
            made[field.name] = _section(field.type, values, here)
        elif here in values:
            made[field.name] = values[here]
    return kind(**made)


def _problem(given: Mapping[Keys, Given], mistake: Mistake) -> Problem:
    return Problem(_where(given, mistake), dotted(mistake.path), mistake.message)


def _where(given: Mapping[Keys, Given], mistake: Mistake) -> str:
    """Return the place of the option with the mistake, or else of the one that made it one."""
    for path in (mistake.path, mistake.because):
        for key, value in given.items():
            if path[: len(key)] == key:
                return value.place(path[len(key) :])
    around = (value.where for key, value in given.items() if key[:1] == mistake.path[:1])
    return next(around, DEFAULT)


def _origins(given: Mapping[Keys, Given]) -> dict[str, str]:
    origins = {option.key: DEFAULT for option in OPTIONS.values() if option.path != PROVIDERS}
    return origins | {dotted(path): value.where for path, value in given.items()}


def _pending(config: Config, given: Mapping[Keys, Given]) -> Iterator[Problem]:
    """Yield a warning for each section or option that is set and does nothing in this version."""
    said = set()
    for path, option in OPTIONS.items():
        if not option.pending or path not in given or _at(config, path) == option.default:
            continue
        key = path[:1] if about(getattr(attrs.fields(Config), path[0])).pending else path
        if key not in said:
            said.add(key)
            message = "configured, but not available in this version"
            yield Problem(given[path].where, dotted(key), message)


def _at(config: Config, path: Keys) -> Any:
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value
