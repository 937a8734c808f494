"""A gateway that serves, as ``waav serve`` does, and programs out of the documentation."""

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
import trio

from waav import open_gateway
from waav.config import Config, Server
from waav.config.overload import Overload
from waav.server.service import serve_gateway

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """``host:port`` of a gateway with the default configuration, which refuses nobody."""
    config = Config(
        server=Server(host="127.0.0.1", port=0, shutdown_grace_seconds=1.0),
        # A machine that runs other tests beside this one is late.
        overload=Overload(enabled=False),
    )
    stopping = trio.Event()
    async with open_gateway(config) as gateway, trio.open_nursery() as nursery:
        [(host, port)] = await nursery.start(serve_gateway, gateway, stopping)
        yield f"{host}:{port}"
        stopping.set()


def load(path: str) -> ModuleType:
    """Import a program of the documentation, which is in no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def embed() -> ModuleType:
    return load("docs/examples/embed.py")


@pytest.fixture
def ws_client() -> ModuleType:
    return load("docs/examples/ws_client.py")


@pytest.fixture
def notes() -> ModuleType:
    return load("docs/examples/notes_plugin.py")


@pytest.fixture
def gate() -> ModuleType:
    return load("docs/examples/plan_gate.py")


@pytest.fixture
def generate() -> ModuleType:
    return load("docs/generate.py")
