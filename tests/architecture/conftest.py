"""The sources and the page that describes them, read once."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("capabilities", "providers", "waav")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> dict[str, ast.Module]:
    """Every module of the packages, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for package in PACKAGES
        for path in sorted(ROOT.glob(f"{package}/**/*.py"))
    }


@pytest.fixture(scope="session")
def page() -> str:
    """docs/architecture.md."""
    return (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def section(page: str) -> Callable[[str], str]:
    """What stands below a heading of the page."""
    return lambda heading: page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
