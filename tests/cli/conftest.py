"""The command line, called as a person calls it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from waav.cli.main import main

Waav = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command sets up logging for its process; here others live on in it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def waav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Waav:
    """Run ``waav`` with these words, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(main, [*words], input=stdin, prog_name="waav")
        print(result.output)  # noqa: T201  # where it is searched for secrets
        return result

    return run
