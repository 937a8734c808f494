"""What every module keeps to, and no other tool looks at."""

import ast
from collections.abc import Iterator

BRIDGE = "waav/livekit/bridge.py"
"""The one file that may speak asyncio."""

_DEFINITION = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def test_every_public_name_is_documented(sources: dict[str, ast.Module]) -> None:
    bare = [name for path, module in sources.items() for name in _undocumented(path, module)]
    assert bare == []


def test_what_counts_as_public() -> None:
    module = ast.parse(
        '"""M."""\n'
        "class _Hidden:\n    def inside(self): ...\n"
        "class Open:\n    def method(self): ...\n    def _own(self): ...\n"
        "def function():\n    def inner(): ...\n"
    )
    assert list(_undocumented("m", module)) == ["m.Open", "m.Open.method", "m.function"]
    assert list(_undocumented("m", ast.parse(""))) == []
    assert list(_undocumented("m", ast.parse("x = 1"))) == ["m"]


def _undocumented(
    name: str, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[str]:
    if node.body and ast.get_docstring(node) is None:
        yield name
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, _DEFINITION) and not child.name.startswith("_"):
                yield from _undocumented(f"{name}.{child.name}", child)


def test_nobody_speaks_asyncio(sources: dict[str, ast.Module]) -> None:
    speakers = {path for path, module in sources.items() if "asyncio" in _imports(module)}
    assert speakers <= {BRIDGE}


def test_an_import_is_found_wherever_it_stands() -> None:
    module = ast.parse("def f():\n    from asyncio.events import x\nimport a.b, asyncio as c\n")
    assert _imports(module) == {"asyncio", "a"}


def _imports(module: ast.Module) -> set[str]:
    """The packages that a module imports anything from."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
