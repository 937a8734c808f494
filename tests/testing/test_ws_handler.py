"""The suite of message handlers finds each kind of bad implementer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio

from capabilities import Ability, CustomMessage, ProviderRefused, ProviderUnavailable, Replies
from waav.testing import FakeWSHandler, check_plugin, check_ws_handler, manifest_of
from waav.testing.ws_handler import TYPE

ABILITY = Ability(message_types=(TYPE,))


class Refuses(FakeWSHandler):
    """A handler that wants a text, and nothing else."""

    async def handle(self, message: CustomMessage) -> Any:
        if not isinstance(message.payload, str):
            raise ProviderRefused("fake", "a text is wanted")
        return await super().handle(message)


class Stumbles(FakeWSHandler):
    async def handle(self, message: CustomMessage) -> Any:
        return await super().handle(message) or message.payload["text"]


class Confuses(FakeWSHandler):
    """A handler that cannot be let go of."""

    async def handle(self, message: CustomMessage) -> Any:
        with trio.CancelScope(shield=True):
            await trio.sleep(6)
        return await super().handle(message)


class Leaks(FakeWSHandler):
    """A task that outlives its message."""

    async def handle(self, message: CustomMessage) -> Any:
        trio.lowlevel.spawn_system_task(trio.sleep_forever)
        return await super().handle(message)


CASES: dict[str, tuple[Callable[[], FakeWSHandler], str]] = {
    "no data": (partial(FakeWSHandler, answers={TYPE: print}), "no answer that can be sent"),
    "too many": (partial(FakeWSHandler, answers={TYPE: Replies("x" * 65)}), "65 answers"),
    "stumbles": (Stumbles, "raises TypeError"),
    "slow": (partial(FakeWSHandler, delay=11), "takes more than 10.0 s"),
    "stubborn": (Confuses, "does not end within 4.0 s"),
    "leaks": (Leaks, "left behind"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeWSHandler], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(AssertionError, match=message):
        await check_ws_handler(make(), ABILITY, budget=1000)


async def test_a_good_one_passes() -> None:
    fake = FakeWSHandler()
    await check_ws_handler(fake, ABILITY)
    assert {each.stream_id for each in fake.messages} == {"", "a-stream"}
    await check_plugin(manifest_of(ws_handler=FakeWSHandler(types=("a", "b"))))


async def test_it_may_refuse_what_strangers_send_but_not_what_is_meant() -> None:
    await check_ws_handler(Refuses(), ABILITY, payloads=["a text"])
    with pytest.raises(AssertionError, match="there is no reason for"):
        await check_ws_handler(Refuses(), ABILITY, payloads=[7])
    gone = FakeWSHandler(error=ProviderUnavailable("fake", "not now"))
    await check_ws_handler(gone, ABILITY)


async def test_a_manifest_names_types() -> None:
    with pytest.raises(AssertionError, match="names the message types"):
        await check_ws_handler(FakeWSHandler(), Ability())
