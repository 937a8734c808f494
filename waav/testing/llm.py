"""The contract of :class:`capabilities.llm.LLM`: a function that tries it, and a fake that keeps it."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import attrs
import trio

from capabilities import Ability, ProviderError
from capabilities.llm import (
    LLM,
    ChatEvent,
    ChatRequest,
    Delta,
    Done,
    Finish,
    Message,
    Role,
    ToolCall,
    Usage,
)
from waav.testing.cloning import NAME
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    promise,
    whole_check,
)
from waav.testing.fake_streams import Places

QUESTION = ChatRequest((Message(Role.USER, "Say hello in one short sentence."),))


@attrs.define(eq=False)
class FakeLLM:
    """A model that gives the same answer to everything."""

    answer: Sequence[ChatEvent] = (Delta("Hello,"), Delta(" world."), Done(usage=Usage(3, 2)))
    limit: int | None = None
    """Answers at one time."""
    delay: float = 0.0
    """Seconds before each event."""
    error: ProviderError | None = None
    """Raised instead of the last event."""
    requests: list[ChatRequest] = attrs.field(factory=list, init=False)
    """All that it was asked, the newest last."""
    places: Places = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Places(NAME, self.limit)

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[ChatEvent]]:
        """Answer."""
        await trio.lowlevel.checkpoint()
        self.requests.append(request)
        with self.places.take():
            async with aclosing(self._events()) as events:
                yield events

    async def _events(self) -> AsyncGenerator[ChatEvent, None]:
        for event in self.answer:
            await trio.sleep(self.delay)
            if self.error is not None and event is self.answer[-1]:
                raise self.error
            yield event


async def ask(llm: LLM, request: ChatRequest = QUESTION) -> list[ChatEvent]:
    """Return all of an answer."""
    async with llm.chat(request) as events:
        return [event async for event in events]


async def check_llm(
    llm: LLM,
    ability: Ability | None = None,
    *,
    request: ChatRequest = QUESTION,
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`LLM` that is not kept.

    Some ten short answers are asked for, and up to ``cancels`` that are not waited for. At a vendor
    that costs money.

    Args:
        llm: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        request: what is asked; its answer has a text.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    limits = (ability or Ability()).limits
    async with whole_check(budget):
        async with llm.chat(request) as begun:
            promise(await anext(aiter(begun), None) is not None, "an answer has a beginning")
            left = trio.current_time()
        took = trio.current_time() - left
        promise(took <= PATIENCE, f"leaving an answer that has begun takes {took} s")
        # Behind it, as a connection that is kept for the next request would look left behind below.
        _check_answer(await ask(llm, request))

        async def to_the_end() -> None:
            _check_answer(await ask(llm, request))

        await cancel_everywhere(to_the_end, "an answer", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check_limit(lambda: llm.chat(request), limits.concurrency, "request")


def _check_answer(events: Sequence[ChatEvent]) -> None:
    promise(events and isinstance(events[-1], Done), f"the last thing is Done, not {events[-1:]}")
    *said, done = events
    promise(not any(isinstance(event, Done) for event in said), "an answer is over once")
    promise(any(isinstance(event, Delta) for event in said), "there is no text")
    for event in said:
        match event:
            case Delta(text=text):
                promise(isinstance(text, str) and text, "a piece of text is never empty")
            case ToolCall():
                promise(event.id and event.name, f"a call of a tool has an id and a name: {event}")
            case _:
                raise AssertionError(f"{event!r} is no part of an answer")
    if isinstance(done, Done):
        promise(isinstance(done.finish, Finish), f"{done.finish!r} is no way to end")
        usage = done.usage
        promise(
            usage is None
            or (usage.input >= usage.cached >= 0 and usage.output >= usage.reasoning >= 0),
            f"what is counted apart is a part: {usage}",
        )
