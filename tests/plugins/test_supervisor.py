"""All plugins together: who is opened when, who comes back, who closes after whom."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from capabilities import (
    Ability,
    Capability,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    Secret,
)
from waav.errors import PluginNotRunning, UnknownProvider
from waav.plugins import (
    Discovery,
    Failure,
    Plugins,
    PluginStatus,
    Policy,
    RegistrationRefused,
    State,
    open_plugins,
)

Say = Callable[[Any, str], Awaitable[str]]
MakeManifest = Callable[..., Manifest]


@attrs.define
class Diary:
    """What happened to the plugins that write into it, and when."""

    entries: list[tuple[float, str]] = attrs.Factory(list)
    contexts: dict[str, PluginContext] = attrs.Factory(dict)
    failing: set[str] = attrs.Factory(set)
    """Ids that cannot be opened now."""
    slow: dict[str, float] = attrs.Factory(dict)
    """Seconds that opening takes."""
    broken: dict[str, trio.Event] = attrs.Factory(dict)
    """Ids whose own task breaks when the event is set."""

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[Plugin]:
        self.contexts[context.id] = context
        self._note("opens", context.id)
        await trio.sleep(self.slow.get(context.id, 0))
        if context.id in self.failing:
            raise OSError("not now")
        stt: Any = SimpleNamespace(name=context.id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._work, context.id)
            yield Plugin(stt=stt)
            nursery.cancel_scope.cancel()
        self._note("closes", context.id)

    async def _work(self, id_: str) -> None:
        await self.broken.get(id_, trio.Event()).wait()
        self.broken.pop(id_)
        raise OSError("broke")

    def _note(self, what: str, id_: str) -> None:
        self.entries.append((trio.current_time(), f"{id_} {what}"))


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def make(manifest: MakeManifest, diary: Diary) -> MakeManifest:
    """Make a plugin that writes the diary."""

    def make(id_: str, *requires: str, **rest: Any) -> Manifest:
        return manifest(id_, open=diary.open, requires=requires, **rest)

    return make


def status(plugins: Plugins, id_: str) -> PluginStatus:
    return {status.id: status for status in plugins.statuses()}[id_]


def states(plugins: Plugins) -> dict[str, tuple[State, str]]:
    return {status.id: (status.state, status.reason) for status in plugins.statuses()}


async def test_statuses_are_sorted_and_say_it_all(make: MakeManifest) -> None:
    parts = make("b"), make("a")
    failure = Failure("c", "/plugins/c.py", "ImportError: no")
    discovery = attrs.evolve(Discovery.of(*parts), failures=(failure,))
    async with open_plugins(discovery) as plugins:
        a, b, c = plugins.statuses()
        assert (a.id, a.manifest, a.state, a.reason) == ("a", parts[1], State.RUNNING, "")
        assert (b.id, b.manifest) == ("b", parts[0])
        assert (c.id, c.manifest, c.state) == ("c", None, State.FAILED)
        assert (c.where, c.reason) == ("/plugins/c.py", "ImportError: no")


async def test_a_name_leads_to_its_plugin_or_says_why_not(make: MakeManifest) -> None:
    discovery = attrs.evolve(
        Discovery.of(make("here", aliases=("local",))),
        failures=(Failure("my_broken", "my_broken.py", "ImportError: no"),),
    )
    async with open_plugins(discovery) as plugins:
        assert plugins.stt("LOCAL").id == "here"
        with pytest.raises(UnknownProvider, match=r"nobody \(known for stt: here\)"):
            plugins.stt("nobody")
        with pytest.raises(UnknownProvider, match=r"here \(known for tts: none\)"):
            plugins.tts("here")
        with pytest.raises(UnknownProvider, match=r"here \(known for vad: none\)"):
            plugins.vad("here")
        with pytest.raises(PluginNotRunning, match="my_broken: failed: ImportError: no"):
            plugins.tts("My-Broken")


async def test_a_plugin_with_a_taken_name_is_listed_under_where_it_was_found(
    manifest: MakeManifest,
) -> None:
    discovery = Discovery.of(manifest("a"), manifest("a", name="Thief"), manifest("B"))
    async with open_plugins(discovery) as plugins:
        told = [(status.id, status.state, status.reason) for status in plugins.statuses()]
    assert told == [
        (
            "B",
            State.FAILED,
            "'B': an id is at most 64 lower case letters, digits and single dashes",
        ),
        ("a", State.RUNNING, ""),
        ("given by the program", State.FAILED, "a (Thief): the id a belongs to a (A)"),
    ]


async def test_no_plugins_is_a_gateway_too() -> None:
    async with open_plugins(Discovery()) as plugins:
        assert plugins.statuses() == []


# Settings, keys and places


@attrs.frozen
class Options:
    model: str = "small"


@attrs.frozen
class SessionOptions:
    numerals: bool = False


@pytest.mark.pins("D285")
async def test_plugin_settings_delivered(make: MakeManifest, diary: Diary) -> None:
    settings = {"My_Plugin": {"model": "big", "stt": {"numerals": "true"}}}
    abilities = {Capability.STT: Ability(options=SessionOptions)}
    async with open_plugins(
        Discovery.of(make("my-plugin", settings=Options, abilities=abilities)), settings=settings
    ) as plugins:
        assert diary.contexts["my-plugin"].settings == Options("big")
        assert plugins.stt("my-plugin").defaults == {"numerals": True}


async def test_wrong_settings_fail_the_plugin_for_good(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    discovery = Discovery.of(make("a", settings=Options), make("b"))
    async with open_plugins(discovery, settings={"a": {"modle": "big"}}) as plugins:
        await trio.sleep(1000)
        assert states(plugins)["a"] == (
            State.FAILED,
            "plugins.providers.a.modle: unknown, perhaps model",
        )
        assert status(plugins, "a").since == 0
        assert states(plugins)["b"] == (State.RUNNING, "")
        assert "a" not in diary.contexts


async def test_settings_for_nobody_are_told(
    make: MakeManifest, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_plugins(Discovery.of(make("espeak")), settings={"espaek": {}}):
        assert "plugins.providers.espaek is for no plugin (known: espeak)" in caplog.messages


async def test_a_plugin_gets_the_keys_that_it_names_and_runs_without(
    make: MakeManifest, diary: Diary
) -> None:
    named = make("named", credentials=("my_key", "other_key"))
    keys = {"my_key": Secret("1"), "foreign_key": Secret("2")}
    async with open_plugins(Discovery.of(named), credentials=keys) as plugins:
        assert diary.contexts["named"].credentials == {"my_key": Secret("1")}
        assert status(plugins, "named").state is State.RUNNING


async def test_a_plugin_gets_a_folder_of_its_own(
    make: MakeManifest, diary: Diary, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    async with open_plugins(Discovery.of(make("a")), data_dir=tmp_path / "cache"):
        assert diary.contexts["a"].data_dir == tmp_path / "cache" / "a"
        assert (tmp_path / "cache" / "a").is_dir()
    async with open_plugins(Discovery.of(make("a")), data_dir=tmp_path / "file") as plugins:
        assert status(plugins, "a").state is State.FAILED
        assert "Not a directory" in status(plugins, "a").reason


# Coming back


async def test_a_failed_plugin_is_opened_again_with_growing_pauses_until_it_is_enough(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    diary.failing.add("a")
    async with open_plugins(Discovery.of(make("a")), policy=Policy(max_restarts=4)) as plugins:
        await trio.sleep(1000)
        assert [at for at, _ in diary.entries] == [0, 1, 3, 7, 15]
        assert states(plugins)["a"] == (State.FAILED, "could not be opened: OSError: not now")


async def test_a_plugin_that_refuses_to_open_is_not_asked_again(
    make: MakeManifest, autojump_clock: trio.testing.MockClock
) -> None:
    """What it lacks, as a model or a key, somebody must bring first."""
    opened_at: list[float] = []

    @asynccontextmanager
    async def refuse(_: PluginContext) -> AsyncIterator[Plugin]:
        opened_at.append(trio.current_time())
        async with trio.open_nursery():
            raise ProviderRefused("a", "no model")
        yield Plugin()

    manifest = attrs.evolve(make("a"), open=refuse)
    async with open_plugins(Discovery.of(manifest)) as plugins:
        await trio.sleep(1000)
        reason = "could not be opened: ProviderRefused: a: no model"
        assert states(plugins)["a"] == (State.FAILED, reason)
        assert opened_at == [0]
        await plugins.unregister("a")
        assert (await plugins.register(make("a"))).state is State.RUNNING


async def test_a_plugin_that_breaks_while_it_runs_comes_back(
    make: MakeManifest, diary: Diary, say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """Who holds on to its Guarded goes on with the new life."""

    async def name(raw: Any) -> str:
        return str(raw.name)

    diary.broken["a"] = trio.Event()
    async with open_plugins(Discovery.of(make("a"))) as plugins:
        guarded = plugins.stt("a")
        diary.broken["a"].set()
        await trio.sleep(0.5)
        assert states(plugins)["a"] == (State.FAILED, "OSError: broke")
        with pytest.raises(PluginNotRunning, match="a: failed: OSError: broke"):
            await guarded.run(name)
        await trio.sleep(1)
        assert await guarded.run(name) == "a"


async def test_a_plugin_registered_anew_begins_at_the_beginning(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    diary.failing.add("a")
    async with open_plugins(Discovery.of(make("a")), policy=Policy(max_restarts=0)) as plugins:
        diary.failing.clear()
        await trio.sleep(1000)
        assert status(plugins, "a").state is State.FAILED
        await plugins.unregister("a")
        assert (await plugins.register(make("a"))).state is State.RUNNING


# Who requires whom


async def test_plugins_open_at_once_but_for_those_that_wait(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    """They close in the opposite order."""
    diary.slow = {"base": 10, "slow": 12, "top": 3}
    manifests = make("top", "middle"), make("middle", "base"), make("base"), make("slow")
    async with open_plugins(Discovery.of(*manifests)) as plugins:
        assert trio.current_time() == 13
        assert {state for state, _ in states(plugins).values()} == {State.RUNNING}
        required = diary.contexts["top"].requires
        assert {id_: plugin.stt.name for id_, plugin in required.items()} == {"middle": "middle"}  # type: ignore[union-attr]  # the diary's own
    assert [entry for entry in diary.entries if "slow" not in entry[1]] == [
        (0, "base opens"),
        (10, "middle opens"),
        (10, "top opens"),
        (13, "top closes"),
        (13, "middle closes"),
        (13, "base closes"),
    ]


async def test_who_requires_what_is_not_there_fails_until_it_is(
    make: MakeManifest, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_plugins(Discovery.of(make("a", "b"), make("c"))) as plugins:
        assert states(plugins)["a"] == (State.FAILED, "requires b, which is not there")
        assert states(plugins)["c"] == (State.RUNNING, "")
        await plugins.register(make("b"))
        await trio.testing.wait_all_tasks_blocked()
        assert states(plugins)["a"] == (State.RUNNING, "")


async def test_plugins_that_require_each_other_fail_with_the_circle(make: MakeManifest) -> None:
    parts = make("a", "b"), make("b", "c"), make("c", "a"), make("d", "c"), make("self", "self")
    async with open_plugins(Discovery.of(*parts)) as plugins:
        told = {id_: reason for id_, (_, reason) in states(plugins).items()}
        assert {state for state, _ in states(plugins).values()} == {State.FAILED}
    assert told["a"] == "requires itself: a -> b -> c -> a"
    assert told["c"] == "requires itself: c -> a -> b -> c"
    assert told["d"] == "requires c, which is failed: requires itself: c -> a -> b -> c"
    assert told["self"] == "requires itself: self -> self"


async def test_who_requires_a_failed_plugin_fails_and_comes_back_with_it(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    diary.failing.add("base")
    async with open_plugins(Discovery.of(make("top", "base"), make("base"))) as plugins:
        assert states(plugins)["top"] == (
            State.FAILED,
            "requires base, which is failed: could not be opened: OSError: not now",
        )
        diary.failing.clear()
        await trio.sleep(1.5)
        assert {state for state, _ in states(plugins).values()} == {State.RUNNING}


async def test_a_plugin_closes_when_what_it_requires_breaks(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    diary.broken["base"] = trio.Event()
    async with open_plugins(Discovery.of(make("top", "base"), make("base"))) as plugins:
        diary.entries.clear()
        diary.broken["base"].set()
        await trio.sleep(0.5)
        assert states(plugins)["top"][1] == "requires base, which is failed: OSError: broke"
        assert diary.entries == [(0, "top closes")]
        await trio.sleep(5)
        assert {state for state, _ in states(plugins).values()} == {State.RUNNING}


# At run time


async def test_a_plugin_comes_and_goes_at_run_time(make: MakeManifest, diary: Diary) -> None:
    async with open_plugins(Discovery.of(make("first"))) as plugins:
        told = await plugins.register(make("late", aliases=("later",)))
        assert (told.id, told.state) == ("late", State.RUNNING)
        assert plugins.stt("later").id == "late"
        with pytest.raises(RegistrationRefused, match="the stt name later belongs to late"):
            await plugins.register(make("other", aliases=("later",)))
        await plugins.unregister("late")
        assert diary.entries[-1][1] == "late closes"
        assert [status.id for status in plugins.statuses()] == ["first"]
        with pytest.raises(UnknownProvider, match="known for stt: first"):
            plugins.stt("late")
        with pytest.raises(UnknownProvider):
            await plugins.unregister("late")
        assert (await plugins.register(make("late"))).state is State.RUNNING


async def test_two_who_unregister_the_same_both_return(make: MakeManifest) -> None:
    async with open_plugins(Discovery.of(make("a"))) as plugins:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(plugins.unregister, "a")
            nursery.start_soon(plugins.unregister, "a")
        assert plugins.statuses() == []


async def test_those_that_require_what_is_unregistered_close_first_and_fail(
    make: MakeManifest, diary: Diary
) -> None:
    async with open_plugins(Discovery.of(make("top", "base"), make("base"))) as plugins:
        await plugins.unregister("base")
        assert [what for _, what in diary.entries[-2:]] == ["top closes", "base closes"]
        assert states(plugins) == {"top": (State.FAILED, "requires base, which is stopping")}


async def test_a_plugin_that_cannot_be_opened_at_run_time_says_so(
    make: MakeManifest, diary: Diary
) -> None:
    diary.failing.add("bad")
    async with open_plugins(Discovery()) as plugins:
        told = await plugins.register(make("bad"))
        assert told.reason == "could not be opened: OSError: not now"


async def test_a_gateway_that_closes_takes_no_more_plugins(make: MakeManifest) -> None:
    async with open_plugins(Discovery()) as plugins:
        pass
    with pytest.raises(RegistrationRefused, match="the gateway is closing"):
        await plugins.register(make("late"))
    assert plugins.registry.ids(Capability.STT) == []


# Leaving


async def test_the_exception_of_the_block_comes_out_as_it_is(
    make: MakeManifest, diary: Diary
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_plugins(Discovery.of(make("a"))):
            _ = 1 / 0
    assert diary.entries[-1][1] == "a closes"


async def test_a_cancelled_gateway_still_closes_its_plugins_in_order(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    """Each of them politely: no plugin sees the cancellation from outside."""
    with trio.move_on_after(1) as scope:
        async with open_plugins(Discovery.of(make("top", "base"), make("base"))):
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert [what for _, what in diary.entries[2:]] == ["top closes", "base closes"]


async def test_a_gateway_that_is_cancelled_while_plugins_open_does_not_wait_for_them(
    make: MakeManifest, diary: Diary, autojump_clock: trio.testing.MockClock
) -> None:
    diary.slow["a"] = 20
    with trio.move_on_after(1) as scope:
        async with open_plugins(Discovery.of(make("a"), make("b", "a"))):
            pytest.fail("it was not to be opened")
    assert scope.cancelled_caught
    assert trio.current_time() == 1
    assert [what for _, what in diary.entries] == ["a opens"]


async def test_a_gateway_that_was_cancelled_before_leaves_nothing(make: MakeManifest) -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_plugins(Discovery.of(make("a"))):
            pass
    assert trio.lowlevel.current_statistics().tasks_living == before


async def test_the_life_of_a_plugin_is_in_the_log(
    make: MakeManifest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "waav.plugins"):
        async with open_plugins(Discovery.of(make("a"))):
            pass
    assert caplog.messages == [
        f"plugin a: {state}"
        for state in ("registered", "initializing", "ready", "running", "stopping", "stopped")
    ]


async def test_tasks_are_named(make: MakeManifest) -> None:
    names: set[str] = set()

    class Names(trio.abc.Instrument):
        def task_scheduled(self, task: trio.lowlevel.Task) -> None:
            names.add(task.name)

    instrument = Names()
    trio.lowlevel.add_instrument(instrument)
    async with open_plugins(Discovery.of(make("a"))):
        await trio.testing.wait_all_tasks_blocked()
    trio.lowlevel.remove_instrument(instrument)
    assert {name for name in names if name.startswith("plugins/")} == {
        "plugins/a",
        "plugins/a/open",
        "plugins/a/watch",
        "plugins/a/health",
    }
