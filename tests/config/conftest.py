"""A folder of its own for each test, as the working directory."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from waav.config import Loaded, load
from waav.errors import ConfigError

Write = Callable[..., Path]
Read = Callable[..., Loaded]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a file into the working directory; its first line is line 1."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "waav.toml") -> Path:
        path = Path(name)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def read(write: Write) -> Read:
    """Load a configuration from the text of a file, and variables."""

    def read(
        text: str = "",
        environ: Mapping[str, str] = {},
        *,
        name: str = "waav.toml",
        arguments: Mapping[str, object] = {},
        strict: bool = False,
    ) -> Loaded:
        path = write(text, name)
        return load(path, environ=environ, arguments=arguments, strict=strict)

    return read


@pytest.fixture
def mistakes(read: Read) -> Mistakes:
    """Load what must not load; return its problems as text."""

    def mistakes(*args: object, **options: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            read(*args, **options)
        assert str(caught.value).splitlines() == [str(item) for item in caught.value.problems]
        return [str(problem) for problem in caught.value.problems]

    return mistakes
