"""One version, written in one place."""

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import waav
from waav.server.openapi import document
from waav.server.ws.encode import encode
from waav.session.events import Ready


@pytest.mark.pins("D324")
def test_everybody_tells_the_same_version() -> None:
    """The package, the library, the description of the API, and what clients are told."""
    (ready,) = encode(Ready("s", stt=False, tts=False), now_ms=0)
    told = {
        version("waav"),
        waav.__version__,
        document()["info"]["version"],
        json.loads(ready)["server_version"],
    }
    assert len(told) == 1


@pytest.mark.pins("D324")
def test_it_is_written_once(root: Path) -> None:
    """The package takes it from waav/version.py, and no other source has a version of its own."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "waav/version.py"
    written = [
        path.relative_to(root).as_posix()
        for path in root.glob("waav/**/*.py")
        if re.search(r"^__version__ = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert written == ["waav/version.py"]
