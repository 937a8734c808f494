"""The example plugin, loaded the way a folder of plugins is: from its file."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "my_stt_plugin.py"


@pytest.fixture
def my_stt_plugin() -> ModuleType:
    spec = importlib.util.spec_from_file_location("my_stt_plugin", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
