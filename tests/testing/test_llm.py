"""The suite of language models finds each kind of bad implementer."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import attrs
import pytest
import trio
from support.servers import openai
from support.servers.http import open_http_server

from capabilities import Ability, Limits, ProviderError, ProviderUnavailable, Secret
from capabilities.llm import LLM, ChatEvent, ChatRequest, Delta, Done, ToolCall, Usage
from providers.openai import MANIFEST
from providers.openai.options import OpenAISettings
from waav.testing import (
    FakeLLM,
    Fault,
    Outcome,
    State,
    check_llm,
    check_llm_faults,
    check_plugin,
    manifest_of,
    open_manifest,
)
from waav.testing.llm import ask

HELLO, END = Delta("Hello."), Done()


class Lingers(FakeLLM):
    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        async with super().chat(request) as events:
            yield events
            with trio.CancelScope(shield=True):
                await trio.sleep(10)


class Leaks(FakeLLM):
    """A place that is lost with each answer that is not heard to its end."""

    async def _events(self) -> AsyncGenerator[ChatEvent, None]:
        self.places.taken += 1
        for event in self.answer:
            await trio.lowlevel.checkpoint()
            yield event
        self.places.taken -= 1


CASES: dict[str, tuple[Callable[[], FakeLLM], str]] = {
    "no-end": (partial(FakeLLM, [HELLO]), "the last thing is Done"),
    "nothing": (partial(FakeLLM, []), "an answer has a beginning"),
    "two-ends": (partial(FakeLLM, [HELLO, END, END]), "is over once"),
    "no-text": (partial(FakeLLM, [END]), "there is no text"),
    "empty-text": (partial(FakeLLM, [HELLO, Delta(""), END]), "is never empty"),
    "no-name": (partial(FakeLLM, [HELLO, ToolCall("c", "", "{}"), END]), "an id and a name"),
    "stranger": (partial(FakeLLM, [HELLO, "bye", END]), "'bye' is no part of an answer"),
    "usage": (partial(FakeLLM, [HELLO, Done(usage=Usage(1, 1, cached=2))]), "is a part"),
    "lingers": (Lingers, "leaving an answer that has begun takes 10"),
    "leaks": (partial(Leaks, limit=3), "all 3 places are taken"),
    "slow": (partial(FakeLLM, delay=1000), "takes more than 500 s"),
    "broken": (partial(FakeLLM, error=ProviderUnavailable("fake", "no")), "there is no reason for"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeLLM], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    llm = make()
    with pytest.raises(AssertionError, match=message):
        await check_llm(llm, Ability(limits=Limits(concurrency=llm.limit)), budget=500)


async def test_a_good_one_passes_and_its_limit_is_tried() -> None:
    await check_llm(FakeLLM(limit=2), Ability(limits=Limits(concurrency=2)))
    with pytest.raises(AssertionError, match="beyond the limit of 2"):
        await check_llm(FakeLLM(limit=3), Ability(limits=Limits(concurrency=2)))


async def test_a_plugin_with_the_capability_is_checked() -> None:
    await check_plugin(manifest_of(llm=FakeLLM()))
    with pytest.raises(AssertionError, match="there is no text"):
        await check_plugin(manifest_of(llm=FakeLLM([END])))


@attrs.frozen
class Spoilt:
    """A client that is good but for one habit."""

    good: LLM
    habit: str

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        async with AsyncExitStack() as stack:
            try:
                yield self._events(await stack.enter_async_context(self.good.chat(request)))
            except ProviderError:
                if self.habit != "keeps quiet":
                    raise

    async def _events(self, events: AsyncIterator[ChatEvent]) -> AsyncGenerator[ChatEvent, None]:
        async for event in events:
            yield event
        if self.habit == "fails at the end":
            raise ProviderUnavailable("openai", "an answer too many")


@pytest.mark.parametrize(
    ("habit", "fault", "outcome", "told"),
    [
        ("none", Fault.RESET, Outcome.REPORTED, ""),
        ("none", Fault.DRIBBLE, Outcome.WELL, ""),
        ("keeps quiet", Fault.RESET, Outcome.BROKEN, "without Done"),
        ("fails at the end", Fault.DRIBBLE, Outcome.BROKEN, "was over, and then it failed"),
    ],
)
async def test_what_it_does_when_its_vendor_fails(
    habit: str, fault: Fault, outcome: Outcome, told: str
) -> None:
    calm = trio.Event()

    @asynccontextmanager
    async def opening(url: str) -> AsyncIterator[LLM]:
        settings, keys = OpenAISettings(base_url=f"{url}/v1"), {"openai_api_key": Secret("k")}
        async with open_manifest(MANIFEST, settings, credentials=keys) as plugin:
            assert plugin.llm is not None
            yield Spoilt(plugin.llm, habit if calm.is_set() else "none")
            calm.set()

    async with open_http_server(openai.openai) as server:
        matrix = await check_llm_faults(
            opening, server.url, faults=[fault], states=[State.STREAMING]
        )
    cell = matrix.cell(fault, State.STREAMING)
    assert cell.outcome is outcome
    assert told in cell.detail


async def test_the_fake_answers_everything_alike() -> None:
    llm = FakeLLM()
    assert await ask(llm) == list(llm.answer)
    assert len(llm.requests) == 1
