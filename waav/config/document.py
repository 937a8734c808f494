"""Writes ``config.toml`` and ``docs/configuration.md`` from the schema, so that they cannot be wrong.

Run ``python -m waav.config.document --write`` in the root of the project after a change of an
option. Without ``--write`` it only says whether they are up to date.
"""

import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from waav.config.option import Keys, Option, about, dotted, options
from waav.config.schema import Config

COMMAND = "python -m waav.config.document --write"
_WIDTH = 98
_LATER = "Not available in this version: read and checked, no more."

_HEAD = f"""\
WaaV: every option with its default. Copy what you change; what is left out has its default.

A command line argument wins over this file, the file over the environment, the environment over
.env, and .env over the default. The name in brackets is the environment variable.

Texts may hold ${{NAME}} or ${{NAME:-default}}, which stand for an environment variable (or one of
.env); $${{ stands for a plain ${{. A blank text counts as not set.

Written by: {COMMAND}"""


def sample() -> str:
    """Return the text of ``config.toml``."""
    lines = [*_comment(_HEAD), *_sample_section(Config, (), pending=False)]
    return "\n".join(lines) + "\n"


def _sample_section(kind: type[Any], path: Keys, *, pending: bool) -> Iterator[str]:
    if path:
        yield from ("", *_comment(_intro(kind, pending=pending)), f"[{dotted(path)}]")
    rows = [row for row in options(kind, path) if len(row.path) == len(path) + 1]
    for row in rows:
        if not row.is_table:
            yield from _sample_option(row, pending=pending)
    for row in rows:
        if row.is_table:
            yield from ("", *_comment(row.about.doc), f"[{row.key}]")
    for name, inner, late in _sections(kind):
        yield from _sample_section(inner, (*path, name), pending=pending or late)


def _sections(kind: type[Any]) -> Iterator[tuple[str, type[Any], bool]]:
    for field in attrs.fields(kind):
        if attrs.has(field.type):
            yield field.name, field.type, about(field).pending


def _intro(kind: type[Any], *, pending: bool) -> str:
    doc = inspect.getdoc(kind) or ""
    return f"{doc}\n{_LATER}" if pending else doc


def _sample_option(row: Option, *, pending: bool) -> Iterator[str]:
    doc = f"{row.about.doc} ({row.env})"
    yield from _comment(doc if pending or not row.pending else f"{doc} {_LATER}")
    if row.default is None:
        yield f"# {row.path[-1]} = {row.about.example}"
    else:
        yield f"{row.path[-1]} = {_toml(row.default)}"


def _toml(value: Any) -> str:
    match value:
        case tuple():
            return f"[{', '.join(_toml(item) for item in value)}]"
        case _:
            return json.dumps(value)


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        yield from (f"# {line}" for line in textwrap.wrap(paragraph, _WIDTH)) if paragraph else "#"


_MANUAL = f"""\
# Configuration

<!-- Written by: {COMMAND} -->

The gateway starts without any configuration. What is to differ is said in a file
(`waav serve --config FILE`), in environment variables, or on the command line.

`waav check-config` shows the effective value of every option and where it comes from, with secrets
masked, and all mistakes at once.

## Where a value comes from

The first of these that sets an option wins:

1. a command line argument,
2. the file,
3. the process environment,
4. `.env` in the working directory (plain texts: `$` has no meaning in it),
5. the default.

## The file

TOML; [config.toml](../config.toml) shows every option. A name that ends in `.yaml` or `.yml` is read
as YAML with the same sections and keys, so a file of the gateway that WaaV replaces works as it is.

* `${{NAME}}` in a text stands for an environment variable or one of `.env`, `${{NAME:-default}}` gives
  a default for one that is not set or blank, `$${{` stands for a plain `${{`. The result is read like
  a variable: `port = "${{PORT}}"` is a number.
* A blank text counts as not set, except for `providers.google_credentials`.
* An unknown key is a warning that names the nearest known one; with `--strict` a mistake.
* `[stt.NAME]` and `[tts.NAME]` are short for `[plugins.providers.NAME.stt]` and
  `[plugins.providers.NAME.tts]`; what is said in full wins.
* Names of providers are read without regard to case, and `_`, `.` and space as `-`.

## Variables

A switch is `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`, in any case. Lists are separated by
commas; lists of tables are JSON. What cannot be read is a mistake, never silently the default.

## Options

Options marked *later* are read and checked, but this version does nothing with them: setting one
gives a warning.
"""


def manual() -> str:
    """Return the text of ``docs/configuration.md``."""
    return "\n".join([_MANUAL.rstrip("\n"), *_manual_section(Config, (), pending=False)]) + "\n"


def _manual_section(kind: type[Any], path: Keys, *, pending: bool) -> Iterator[str]:
    if path:
        later = " (later)" if pending else ""
        yield from ("", f"### `[{dotted(path)}]`{later}", "", inspect.getdoc(kind) or "", "")
        yield from ("| Key | Value | Default | Variable | Meaning |", "|---|---|---|---|---|")
    for row in options(kind, path):
        if len(row.path) == len(path) + 1:
            yield _manual_row(row, pending=pending)
    for name, inner, late in _sections(kind):
        yield from _manual_section(inner, (*path, name), pending=pending or late)


def _manual_row(row: Option, *, pending: bool) -> str:
    default = "" if row.is_table or row.default is None else f"`{_toml(row.default)}`"
    env = f"`{row.env}`" if row.env else ""
    later = "" if pending or not row.pending else "*Later:* "
    cells = [f"`{row.path[-1]}`", row.expected, default, env, later + row.about.doc]
    return f"| {' | '.join(cells)} |"


FILES = {Path("config.toml"): sample, Path("docs/configuration.md"): manual}


def main(arguments: list[str]) -> int:
    """Write the files, or say which of them is out of date; return the exit code."""
    stale = [
        path
        for path, text in FILES.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text()
    ]
    for path in stale:
        if "--write" in arguments:
            path.write_text(FILES[path](), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return int(bool(stale) and "--write" not in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
