"""Every option of the configuration has an effect: some code outside of waav.config reads it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, TypeAlias

import attrs
import pytest

from waav.config import Config
from waav.config.option import Keys, options

Chain: TypeAlias = tuple[str, ...]
"""``config.server.tls.enabled``, name by name."""


@pytest.fixture(scope="module")
def read(sources: dict[str, ast.Module]) -> set[Chain]:
    """What follows behind a ``config`` anywhere outside of waav.config."""
    return {
        chain
        for path, module in sources.items()
        if not path.startswith("waav/config/")
        for chain in _reads(module)
    }


def test_every_option_is_read(read: set[Chain]) -> None:
    unread = [
        option.key
        for option in options(Config)
        if not option.pending and not any(each in read for each in _ways(option.path))
    ]
    assert unread == [], "wire them, or mark them as pending"


def test_an_option_is_found_behind_a_local_name() -> None:
    module = ast.parse(
        "server, other = gateway.config.server, 1\n"
        "tls = server.tls\n"
        "use(tls.enabled, command.tts.provider)\n"
    )
    assert ("server", "tls", "enabled") in set(_reads(module))
    assert not any("provider" in chain for chain in _reads(module))


def _ways(path: Keys) -> Iterator[Chain]:
    """The chains that read an option: itself, and the methods of its section that use it."""
    yield path
    *section, leaf = path
    kind: Any = Config
    for key in section:
        kind = attrs.fields_dict(kind)[key].type
    for name, used in _methods(kind):
        if leaf in used or "getattr" in used:
            yield (*section, name)


def _methods(kind: type[Any]) -> Iterator[tuple[str, set[str]]]:
    """A section's methods and properties, each with the names that it uses."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for node in ast.walk(definition):
        if isinstance(node, ast.FunctionDef):
            names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            yield node.name, names


def _reads(module: ast.Module) -> Iterator[Chain]:
    known = dict(_aliases(module))
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            chain = _chain(node, known)
            if "config" in chain:
                yield chain[chain.index("config") + 1 :]


def _aliases(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Local names for attributes: ``server = config.server``."""
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute() as value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                for target, given in zip(names, values, strict=True):
                    if isinstance(target, ast.Name) and isinstance(given, ast.Attribute):
                        yield target.id, given
            case _:
                pass


def _chain(node: ast.expr, known: dict[str, ast.expr]) -> Chain:
    match node:
        case ast.Attribute(value=value, attr=attr):
            return (*_chain(value, known), attr)
        case ast.Name(id=name) if name in known:
            others = {each: value for each, value in known.items() if each != name}
            return _chain(known[name], others)
        case ast.Name(id=name):
            return (name,)
        case _:
            return ()
