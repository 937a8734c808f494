"""The fault matrix as lines of a score card: the ``base_url`` of a plugin leads to the relay."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import attrs
import trio

from capabilities import Capability, ProviderError, SpeechRequest
from waav.tasks import open_scoped_nursery
from waav.testing.bench import Bench, opened
from waav.testing.contract import promise, within
from waav.testing.faults import (
    Matrix,
    Outcome,
    check_llm_faults,
    check_stt_faults,
    check_tts_faults,
)
from waav.testing.llm import ask
from waav.testing.relay_wire import Fault, Transport
from waav.testing.talk import hear, say

_NO_CALLS = "it calls nobody: its settings have no base_url"
_PATIENCE = 10.0
"""Seconds for a client to ask for something."""


class NotApplicable(Exception):
    """It has turned out that there is nothing to check; the message says why."""


def fault_checks(
    bench: Bench, capability: Capability
) -> Iterator[tuple[str, Callable[[], Awaitable[None]] | str]]:
    """Give a name and what is done, or why not, for each fault that may hit this capability."""
    suite = _SUITES.get(capability)
    if suite is None:
        return
    settings = bench.subject.manifest.settings
    if "base_url" not in attrs.fields_dict(settings):
        yield f"{capability}/faults", _NO_CALLS
    elif not bench.settings.base_url:
        table = f"[plugins.providers.{bench.subject.manifest.id}]"
        yield (
            f"{capability}/faults",
            f"a relay stands in front of the vendor, whose address it needs: base_url in {table}",
        )
    else:
        for fault in Fault:
            yield f"{capability}/faults/{fault}", partial(_check, bench, suite, fault)


async def _check(bench: Bench, suite: "Suite", fault: Fault) -> None:
    matrix = await suite(bench, fault)
    matrix.check()
    reasons = [cell.detail for cell in matrix.of(Outcome.NOT_APPLICABLE)]
    if len(reasons) == len(matrix.cells):
        raise NotApplicable("; ".join(dict.fromkeys(reasons)))


Suite: TypeAlias = Callable[[Bench, Fault], Awaitable[Matrix]]


async def _stt(bench: Bench, fault: Fault) -> Matrix:
    async def talk(address: str) -> None:
        async with _at(bench, Capability.STT, address) as stt:
            await hear(stt, bench.trial.heard, bench.options)

    return await check_stt_faults(
        partial(_at, bench, Capability.STT),
        _origin(bench),
        await transport_of(talk),
        options=bench.options,
        sound=bench.trial.heard,
        secrets=_secrets(bench),
        faults=[fault],
        limit=bench.trial.budget,
    )


async def _tts(bench: Bench, fault: Fault) -> Matrix:
    async def talk(address: str) -> None:
        async with _at(bench, Capability.TTS, address) as tts:
            await say(tts, SpeechRequest("Hello world."))

    return await check_tts_faults(
        partial(_at, bench, Capability.TTS),
        _origin(bench),
        await transport_of(talk),
        secrets=_secrets(bench),
        faults=[fault],
        limit=bench.trial.budget,
    )


async def _llm(bench: Bench, fault: Fault) -> Matrix:
    async def talk(address: str) -> None:
        async with _at(bench, Capability.LLM, address) as llm:
            await ask(llm)

    return await check_llm_faults(
        partial(_at, bench, Capability.LLM),
        _origin(bench),
        await transport_of(talk),
        secrets=_secrets(bench),
        faults=[fault],
        limit=bench.trial.budget,
    )


_SUITES: Mapping[Capability, Suite] = {
    Capability.STT: _stt,
    Capability.TTS: _tts,
    Capability.LLM: _llm,
}


def _origin(bench: Bench) -> str:
    parts = urlsplit(bench.settings.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _secrets(bench: Bench) -> list[str]:
    return [secret.reveal() for secret in bench.subject.credentials.values()]


@asynccontextmanager
async def _at(bench: Bench, capability: Capability, address: str) -> AsyncIterator[Any]:
    """Open the plugin as if its vendor were at another address; a path stays as it is."""
    url = address + urlsplit(bench.settings.base_url).path
    settings = attrs.evolve(bench.settings, base_url=url)
    async with opened(attrs.evolve(bench.subject, settings=settings)) as plugin:
        yield getattr(plugin, capability)


async def transport_of(talk: Callable[[str], Awaitable[None]]) -> Transport:
    """Tell what a client speaks, by how its first request begins.

    Args:
        talk: lets the client ask for something at an address. It is never answered.

    Raises:
        AssertionError: it asks for nothing.
    """
    asked = bytearray()
    heard = trio.Event()

    async def listen(client: trio.SocketStream) -> None:
        while not heard.is_set() and (data := await client.receive_some()):
            asked.extend(data)
            if b"\r\n\r\n" in asked:
                heard.set()
        await trio.sleep_forever()

    async def ask(address: str) -> None:
        try:
            await talk(address)
        except ProviderError as error:
            promise(heard.is_set(), f"it asks its vendor for nothing: {error!r}")

    async with (
        within(_PATIENCE, "asking the vendor for something"),
        open_scoped_nursery("it has asked") as nursery,
    ):
        serve = partial(trio.serve_tcp, listen, 0, host="127.0.0.1")
        [listener, *_] = await nursery.start(serve, name="testing/sniff")
        port = listener.socket.getsockname()[1]
        nursery.start_soon(ask, f"http://127.0.0.1:{port}", name="testing/sniff/ask")
        await heard.wait()
    if asked.startswith(b"PRI * HTTP/2.0"):
        return Transport.HTTP2
    upgrades = b"upgrade: websocket" in bytes(asked).lower()
    return Transport.WEBSOCKET if upgrades else Transport.HTTP
