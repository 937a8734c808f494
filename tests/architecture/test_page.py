"""docs/architecture.md says what is so: layers, files, functions, sizes."""

import ast
import importlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs

Section: TypeAlias = Callable[[str], str]

_FUNCTION = re.compile(r"`([\w/]+\.py)`\s+`([\w.]+)`")
_SIZE = re.compile(r"`([a-z_.]+\.[\w.]+)` = ([\d.]+)")


def test_the_layers_are_those_of_the_contract(section: Section, root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    _, drawn, _ = section("Layers").split("```")
    names = [re.split(r" {2,}", line)[0] for line in drawn.split("\n") if line[:1].strip()]
    assert names == contract["layers"]


def test_every_file_is_in_the_tree(section: Section, sources: dict[str, ast.Module]) -> None:
    """The heading of a folder stands for its ``__init__.py``; the tree names no file twice."""
    named = []
    for kind, name in re.findall(r"^(\*\*|\* )`([\w/.]+)`", section("The tree"), re.MULTILINE):
        if kind == "**":
            folder = name
            named.append(folder + "__init__.py")
        else:
            named.append(folder + name)
    assert sorted(named) == sorted(sources), "run: python docs/generate.py"


def test_every_file_of_the_page_is_there(page: str, root: Path) -> None:
    named = set(re.findall(r"`(\w+/[\w/]+\.py)`", page))
    assert named
    assert [name for name in sorted(named) if not (root / name).is_file()] == []


def test_every_function_of_the_page_is_there(page: str, sources: dict[str, ast.Module]) -> None:
    named = set(_FUNCTION.findall(page))
    assert named
    unknown = [
        (path, name)
        for path, name in sorted(named)
        if path not in sources or name not in _definitions(sources[path])
    ]
    assert unknown == []


def _definitions(module: ast.Module) -> set[str]:
    """Functions, classes and their methods, as ``Class.method``."""
    found = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each}" for each in _definitions(ast.Module(node.body, []))}
    return found


def test_every_size_of_the_page_is_the_one_in_the_code(page: str) -> None:
    told = {name: float(value) for name, value in _SIZE.findall(page)}
    assert told
    assert {name: _value(name) for name in told} == told


def _value(name: str) -> Any:
    """A constant of a module, or the default of an attribute of an attrs class."""
    *path, last = name.split(".")
    try:
        return getattr(importlib.import_module(".".join(path)), last)
    except ModuleNotFoundError:
        kind = getattr(importlib.import_module(".".join(path[:-1])), path[-1])
        return attrs.fields_dict(kind)[last].default


def test_every_channel_has_a_row(section: Section, sources: dict[str, ast.Module]) -> None:
    """A memory channel that is opened anywhere is in the table, by its file."""
    rows = section("Channels")
    opened = {
        path: sum(
            isinstance(node, ast.Attribute) and node.attr == "open_memory_channel"
            for node in ast.walk(module)
        )
        for path, module in sources.items()
    }
    assert any(opened.values())
    short = [path for path, count in opened.items() if rows.count(f"`{path}`") < count]
    assert short == [], "as many rows as channels"
