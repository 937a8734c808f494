"""The command line, called as a person calls it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from waav.cli.main import main

Waav = Callable[..., Result]


@pytest.fixture
def waav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Waav:
    """Run ``waav`` with these words, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words], input=stdin, prog_name="waav")

    return run
