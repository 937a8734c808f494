"""A configuration file, read: its values and the line of each. TOML, or YAML by suffix."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import tomli
import yaml

from waav.config.option import Steps, dotted
from waav.config.toml_lines import key_lines
from waav.errors import ConfigError, Problem

_MAX_BYTES = 1 << 20
_MAX_PARTS = 10_000
"""Aliases let a short YAML document stand for an endless one."""


@attrs.frozen
class Document:
    """What a file says."""

    name: str
    data: Mapping[str, Any] = attrs.field(repr=False)
    lines: Mapping[Steps, int] = attrs.field(repr=False)

    def where(self, path: Steps) -> str:
        """Return file and line of a place, or of the nearest one around it that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


def read_document(path: Path) -> Document:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, or is neither TOML nor YAML.
    """
    readers = {".toml": _read_toml, ".yaml": _read_yaml, ".yml": _read_yaml}
    if path.suffix.lower() not in readers:
        raise _broken(str(path), "expected a name that ends in .toml, .yaml or .yml")
    try:
        text = read_text(path)
        return readers[path.suffix.lower()](str(path), text)
    except RecursionError:
        raise _broken(str(path), "is nested too deeply") from None


def read_text(path: Path) -> str:
    """Read a file of at most 1 MiB.

    Raises:
        ConfigError: it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _broken(str(path), f"cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_BYTES:
        raise _broken(str(path), f"is larger than {_MAX_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _broken(f"{path}:{line}", "is not UTF-8 text") from None


def _broken(where: str, message: str) -> ConfigError:
    return ConfigError([Problem(where, "file", message)])


def _read_toml(name: str, text: str) -> Document:
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        # Its message quotes keys at most; the value stays in the file.
        message = f"is not TOML: {error.msg} (column {error.colno})"
        raise _broken(f"{name}:{error.lineno}", message) from None
    return Document(name, data, key_lines(text))


def _read_yaml(name: str, text: str) -> Document:
    try:
        loader = yaml.SafeLoader(text)
        reader = _YamlReader(name, loader)
        root = loader.get_single_node()
        data = None if root is None else reader.read(root, ())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        # The text of the error would quote the line, and with it perhaps a key.
        raise _broken(f"{name}:{line}", "is not YAML") from None
    except (yaml.YAMLError, ValueError):
        raise _broken(name, "is not YAML") from None
    if reader.problems:
        raise ConfigError(reader.problems)
    if not isinstance(data, dict | None):
        raise _broken(name, "expected a table of sections")
    return Document(name, data or {}, reader.lines)


@attrs.define
class _YamlReader:
    """Turns nodes into values, and notes their lines. Keys are text as it is written: ``on`` too."""

    name: str
    loader: yaml.SafeLoader
    lines: dict[Steps, int] = attrs.Factory(dict)
    problems: list[Problem] = attrs.Factory(list)
    parts: int = 0

    def read(self, node: yaml.Node, path: Steps) -> Any:
        self.parts += 1
        if self.parts > _MAX_PARTS:
            raise _broken(self.name, f"has more than {_MAX_PARTS} values")
        self.lines.setdefault(path, node.start_mark.line + 1)
        match node:
            case yaml.MappingNode():
                return {
                    key: self.read(value, (*path, key)) for key, value in self._pairs(node, path)
                }
            case yaml.SequenceNode():
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            case _:
                return self.loader.construct_object(node)

    def _pairs(self, node: yaml.MappingNode, path: Steps) -> Iterator[tuple[str, yaml.Node]]:
        seen: set[str] = set()
        for key, _ in node.value:
            where = f"{self.name}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise _broken(where, "expected keys that are plain texts")
            if key.value in seen:
                self.problems.append(Problem(where, dotted((*path, key.value)), "given twice"))
            seen.add(key.value)
        self.loader.flatten_mapping(node)
        for key, value in node.value:
            self.lines[(*path, key.value)] = key.start_mark.line + 1
            yield key.value, value
