"""The page of this provider lists every option and setting, in the words of the classes."""

import ast
from pathlib import Path

import pytest

from providers.google import options

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "google.md"


def rows(name: str) -> list[str]:
    """The rows of a class's table: each field, and its docstring."""
    module = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    found = next(n for n in module.body if isinstance(n, ast.ClassDef) and n.name == name)
    table = []
    for field, text in zip(found.body, found.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr), field.target.id
            assert isinstance(text.value, ast.Constant), field.target.id
            told = " ".join(str(text.value.value).split()).replace("``", "`")
            kind = ast.unparse(field.annotation).replace(" | None", "").replace("|", "or")
            table.append(f"| `{field.target.id}` | {kind} | {told} |")
    return table


@pytest.mark.parametrize("name", ["GoogleSettings", "GoogleSTTOptions", "GoogleTTSOptions"])
def test_the_page_has_every_option(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()
    assert [row for row in rows(name) if row not in page] == []
