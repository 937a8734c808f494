"""The table of tasks in docs/architecture.md has every task that the code starts, and no other."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import pytest

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Start: TypeAlias = tuple[str, str, str]
"""The task's name with ``<>`` for what is filled in, the file, and the function that starts it."""


@pytest.fixture(scope="module")
def constants(sources: dict[str, ast.Module]) -> dict[str, ast.expr]:
    """Constants of modules, by name: where one names a task, others may import it."""
    return {
        target.id: node.value
        for module in sources.values()
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_the_table_is_what_the_code_starts(
    section: Callable[[str], str],
    sources: dict[str, ast.Module],
    constants: Mapping[str, ast.expr],
) -> None:
    started = {start for path, tree in sources.items() for start in _starts(path, tree, constants)}
    assert started
    assert _rows(section("Who owns what")) == started


def test_every_task_has_a_name(sources: dict[str, ast.Module]) -> None:
    nameless = [
        f"{path}:{call.lineno}"
        for path, module in sources.items()
        for call in _calls(module)
        if not any(keyword.arg == "name" for keyword in call.keywords)
    ]
    assert nameless == []


def test_a_name_is_found_however_it_is_written() -> None:
    module = ast.parse(
        'TASK = "a/b"\n'
        "class Owner:\n"
        "    async def own(self):\n"
        '        name = f"x/{self.id}/y"\n'
        "        self.nursery.start_soon(f, name=name)\n"
        "        await nursery.start(f, name=TASK)\n"
        '        timer.start(name="no task: it is not awaited")\n'
    )
    constants = {"TASK": ast.Constant("a/b")}
    assert set(_starts("p.py", module, constants)) == {
        ("x/<>/y", "p.py", "Owner.own"),
        ("a/b", "p.py", "Owner.own"),
    }


def _rows(table: str) -> set[Start]:
    found = set()
    for line in table.splitlines():
        if line.startswith("| `"):
            name, _, starters, *_ = line.strip("| ").split(" | ")
            name = re.sub("<[^>]+>", "<>", name.strip("`"))
            found |= {(name, *pair) for pair in re.findall(r"`([\w/.]+)` `([\w.]+)`", starters)}
    return found


def _calls(module: ast.AST) -> Iterator[ast.Call]:
    """Calls that start a task: ``x.start_soon(...)`` and ``await x.start(...)``."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="start_soon")):
                yield node
            case ast.Await(value=ast.Call(func=ast.Attribute(attr="start")) as call):
                yield call
            case _:
                pass


def _starts(path: str, module: ast.Module, constants: Mapping[str, ast.expr]) -> Iterator[Start]:
    for where, function in _functions(module):
        local = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in _calls(function):
            for keyword in call.keywords:
                if keyword.arg == "name":
                    yield _text(keyword.value, {**constants, **local}), path, where


def _functions(module: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions and methods; a function inside of one belongs to it."""
    for node in module.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node
            case ast.ClassDef(name=name, body=body):
                for where, function in _functions(ast.Module(body, [])):
                    yield f"{name}.{where}", function
            case _:
                pass


def _text(value: ast.expr, known: Mapping[str, ast.expr]) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) for part in parts)
        case ast.FormattedValue():
            return "<>"
        case ast.Name(id=name):
            return _text(known[name], known)
        case _:
            raise AssertionError(f"cannot read a task's name: {ast.unparse(value)}")
