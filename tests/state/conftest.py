"""Caches on the mock clock: the files' wall clock is trio's here, so that one jump ages all."""

from pathlib import Path

import pytest
import trio

from waav.state.files import FileCache


@pytest.fixture
def files(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "speech", now=trio.current_time)
