"""Plugins for tests: tiny ones that do what they are told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import attrs
import pytest

from capabilities import Ability, Capability, Manifest, Plugin, PluginContext


@attrs.frozen
class Parrot:
    """Stands for any capability: the boundary never looks into what it guards."""

    name: str = "parrot"

    async def say(self, word: str) -> str:
        return f"{self.name} says {word}"


class MakeManifest(Protocol):
    def __call__(self, id_: str, *capabilities: Capability, **rest: Any) -> Manifest: ...


@pytest.fixture
def manifest() -> MakeManifest:
    """Make a manifest; its plugin brings a parrot for each capability (STT if none is named)."""

    def make(id_: str, *capabilities: Capability, **rest: Any) -> Manifest:
        kinds = capabilities or (Capability.STT,)

        @asynccontextmanager
        async def open_parrot(_: PluginContext) -> AsyncIterator[Plugin]:
            brought: dict[str, Any] = {str(kind): Parrot(id_) for kind in kinds}
            yield Plugin(**brought)

        given: dict[str, Any] = {
            "name": id_.title(),
            "open": open_parrot,
            "abilities": dict.fromkeys(kinds, Ability()),
        }
        return Manifest(id=id_, **(given | rest))

    return make


@pytest.fixture
def say() -> Callable[[Any, str], Awaitable[str]]:
    """Say a word through a capability: what a caller hands to ``Guarded.run``."""

    async def say_word(parrot: Any, word: str) -> str:
        answer: str = await parrot.say(word)
        return answer

    return say_word
