"""Texts from outside: environment variables, ``.env``, and ``${VAR}`` in a file."""

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import attrs
from dotenv.parser import parse_stream

from waav.config.expected import Expected, without_none
from waav.config.files import read_text
from waav.errors import Problem

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{")
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}


@attrs.frozen
class Variables:
    """The process environment, and below it ``.env``."""

    environ: Mapping[str, str] = attrs.field(repr=False)
    dotenv: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    lines: Mapping[str, str] = attrs.field(factory=dict)
    """File and line of each variable of ``.env``."""
    problems: tuple[Problem, ...] = ()

    def find(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield text and place of a variable, once for each source that sets it, best first."""
        if name in self.environ:
            yield self.environ[name], f"{name} (environment)"
        if name in self.dotenv:
            yield self.dotenv[name], f"{name} ({self.lines[name]})"


def read_variables(environ: Mapping[str, str], dotenv: Path | None) -> Variables:
    """Read ``.env``, if it is there, below the environment. ``$`` in it has no meaning.

    Raises:
        ConfigError: the file is there and cannot be read.
    """
    if dotenv is None or not dotenv.is_file():
        return Variables(environ)
    texts, lines, problems = {}, {}, []
    for binding in parse_stream(io.StringIO(read_text(dotenv))):
        where = f"{dotenv}:{binding.original.line}"
        if binding.error:
            problems.append(Problem(where, "file", "expected NAME=text"))
        elif binding.key is not None and binding.value is not None:
            texts[binding.key], lines[binding.key] = binding.value, where
    return Variables(environ, texts, lines, tuple(problems))


def expand(text: str, variables: Variables) -> str:
    """Put variables in the place of ``${NAME}`` and ``${NAME:-default}``; ``$${`` stands for ``${``.

    As in a shell, the default also takes the place of a blank variable. What a variable holds is
    not looked through again.

    Raises:
        Expected: a variable is not set, or what follows ``${`` is no name.
    """

    def replace(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name is None:
            if match[0] == "$${":
                return "${"
            raise Expected("the name of a variable and } after ${; $${ stands for a plain ${")
        texts = [text for text, _ in variables.find(name)]
        if not texts and default is None:
            raise Expected(f"the variable {name} to be set; ${{{name}:-text}} gives a default")
        return (texts[0] if texts else "") or default or ""

    return _VARIABLE.sub(replace, text)


def read_value(text: str, kind: Any) -> Any:
    """Read the text of a variable as a value that a file could hold for an option of this type.

    Raises:
        ValueError: it cannot be read so. The message may hold the text: do not show it.
    """
    kind = without_none(kind)
    if get_origin(kind) is tuple and attrs.has(get_args(kind)[0]):
        return json.loads(text)
    return _READ.get(kind, str)(text)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[word]


def _whole(text: str) -> int:
    # int() itself also takes 1_000 and digits of other scripts.
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", text):
        raise ValueError
    return int(text)


_READ: Mapping[Any, Callable[[str], Any]] = {bool: _boolean, int: _whole, float: float}
