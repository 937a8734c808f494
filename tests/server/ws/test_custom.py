"""Messages to handlers wait for their turn, and no handler has more time than it is given."""

import msgspec
import pytest
import trio
from trio.testing import MockClock

from capabilities import CustomMessage
from waav.errors import InvalidRequest
from waav.plugins import Discovery, Plugins, open_plugins
from waav.server.ws.custom import PATIENCE, WAITING, Errand, Errands
from waav.testing import FakeWSHandler, manifest_of


def errand(plugins: Plugins, payload: object = None) -> Errand:
    handlers = plugins.ws_handlers("notes/add")
    return Errand("notes/add", msgspec.json.encode(payload), "a-stream", None, handlers)


async def test_one_that_takes_too_long_is_told_and_the_next_one_is_asked(
    autojump_clock: MockClock,
) -> None:
    slow = FakeWSHandler(types=("notes/add",), delay=PATIENCE + 1)
    quick = FakeWSHandler(types=("notes/add",))
    found = Discovery.of(manifest_of("slow", ws_handler=slow), manifest_of("q", ws_handler=quick))
    async with open_plugins(found) as plugins:
        errands = Errands()
        for number in range(2):
            errands.take(errand(plugins, number))
        answers, began = errands.run(), trio.current_time()
        said = [msgspec.json.decode(await anext(answers)) for _ in range(4)]
        assert trio.current_time() - began == pytest.approx(2 * PATIENCE)
        await answers.aclose()
    texts = [each.get("message", each.get("payload")) for each in said]
    late = "Plugin handler error: slow: did not answer within 10 s"
    assert texts == [late, 0, late, 1]
    assert {each.get("code") for each in said} == {"provider_unavailable", None}
    assert quick.messages[-1] == CustomMessage("notes/add", 1, "a-stream")


async def test_so_many_wait_and_one_more_is_refused() -> None:
    handler = FakeWSHandler(types=("notes/add",))
    async with open_plugins(Discovery.of(manifest_of("notes", ws_handler=handler))) as plugins:
        errands = Errands()
        for number in range(WAITING):
            errands.take(errand(plugins, number))
        with pytest.raises(InvalidRequest, match="16 messages are waiting") as told:
            errands.take(errand(plugins))
        assert told.value.code == "custom_queue_full"
        answers = errands.run()
        assert msgspec.json.decode(await anext(answers))["payload"] == 0
        errands.take(errand(plugins, "there is room again"))
        rest = [msgspec.json.decode(await anext(answers))["payload"] for _ in range(WAITING)]
        assert rest == [*range(1, WAITING), "there is room again"]
        await answers.aclose()


async def test_a_plugin_that_goes_away_while_its_message_waits_is_an_error_not_a_silence() -> None:
    handler = FakeWSHandler(types=("notes/add",))
    async with open_plugins(Discovery.of(manifest_of("notes", ws_handler=handler))) as plugins:
        errands = Errands()
        errands.take(errand(plugins))
        await plugins.unregister("notes")
        with pytest.raises(InvalidRequest, match="Unknown custom message type: notes/add"):
            errands.take(errand(plugins))
        answers = errands.run()
        assert msgspec.json.decode(await anext(answers)) == {
            "type": "error",
            "code": "provider_unavailable",
            "message": "Plugin handler error: notes: stopped",
            "recoverable": True,
        }
        await answers.aclose()
