"""What comes back through the boundary, and what it does to a plugin's standing."""

import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import ref

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
    ProviderBusy,
    ProviderClosed,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import InvalidRequest, PluginFailed, PluginNotRunning
from waav.plugins import Discovery, Guarded, Plugins, PluginStatus, Policy, State, open_plugins

Say = Callable[[Any, str], Awaitable[str]]
CLOSED = ProviderClosed("parrot", "flew away")


async def fail(_: Any, error: BaseException) -> None:
    raise error


async def wait_for_ever(_: Any, started: trio.Event | None = None) -> None:
    if started is not None:
        started.set()
    await trio.sleep_forever()


@pytest.fixture
async def plugins(manifest: Callable[..., Manifest]) -> AsyncIterator[Plugins]:
    discovery = Discovery.of(manifest("parrot", Capability.STT, Capability.TTS))
    policy = Policy(failures_before_stop=3, breaker_threshold=3, max_restarts=0)
    async with open_plugins(discovery, policy=policy) as plugins:
        yield plugins


@pytest.fixture
def guarded(plugins: Plugins) -> Guarded[Any]:
    return plugins.stt("Parrot")


def status(plugins: Plugins) -> PluginStatus:
    (only,) = plugins.statuses()
    return only


async def test_a_value_passes_through(guarded: Guarded[Any], plugins: Plugins, say: Say) -> None:
    assert await guarded.run(say, "hello") == "parrot says hello"
    assert (guarded.id, guarded.capability) == ("parrot", Capability.STT)
    assert guarded.ability == plugins.registry.find(Capability.STT, "parrot").abilities["stt"]  # type: ignore[index]  # a StrEnum is its text
    assert status(plugins).call_count == 1
    assert status(plugins).error_count == 0


async def test_an_error_that_was_told_is_gone(
    guarded: Guarded[Any], searches_by_hand: None
) -> None:
    """It went through the boundary, which must not be in a circle with it."""
    left = await _weakly(guarded)
    await trio.lowlevel.checkpoint()
    assert left() is None


async def _weakly(guarded: Guarded[Any]) -> ref[ProviderRefused]:
    async def refuse(_: Any) -> None:
        raise ProviderRefused("parrot", "says nothing")

    try:
        await guarded.run(refuse)
    except ProviderRefused as refused:
        return ref(refused)
    raise AssertionError("it was not refused")


async def test_each_capability_counts_how_it_is_used(
    autojump_clock: trio.testing.MockClock, guarded: Guarded[Any], plugins: Plugins, say: Say
) -> None:
    """Also a call whose caller leaves has taken its time, and is over."""
    await guarded.run(say, "hello")
    with pytest.raises(ProviderClosed):
        await guarded.run(fail, CLOSED)
    with trio.move_on_after(7):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(guarded.run, wait_for_ever)
            await trio.sleep(5)
            assert guarded.use.open == 1
            await trio.sleep_forever()
    use = status(plugins).uses[Capability.STT]
    assert (use.calls, use.open, use.errors) == (3, 0, 1)
    assert use.seconds == pytest.approx(7.0)
    assert status(plugins).uses[Capability.TTS].calls == 0


async def test_an_open_circuit_is_listed(guarded: Guarded[Any], plugins: Plugins) -> None:
    for _ in range(3):
        assert status(plugins).open_circuits == frozenset()
        with pytest.raises(ProviderClosed):
            await guarded.run(fail, CLOSED)
    assert status(plugins).open_circuits == {Capability.STT}


async def test_a_call_is_a_task_of_the_plugin(guarded: Guarded[Any]) -> None:
    """Its name says whose it is, and it is not the caller's task."""

    async def who(_: Any) -> trio.lowlevel.Task:
        return trio.lowlevel.current_task()

    task = await guarded.run(who)
    assert task is not trio.lowlevel.current_task()
    assert task.name == "plugins/parrot/stt"


async def test_ctrl_c_does_not_fall_into_a_plugin(
    guarded: Guarded[Any],
) -> None:
    """So a KeyboardInterrupt that a plugin raises is its own, and counts as its failure."""

    async def protected(_: Any) -> bool:
        return trio.lowlevel.currently_ki_protected()

    assert await guarded.run(protected)


async def test_the_context_of_the_caller_comes_along(guarded: Guarded[Any]) -> None:
    """So the session's id is in the log lines of the provider."""
    session: contextvars.ContextVar[str] = contextvars.ContextVar("session", default="none")

    async def read(_: Any) -> str:
        return session.get()

    session.set("s-1")
    assert await guarded.run(read) == "s-1"


@pytest.mark.parametrize(
    "error",
    [CLOSED, ProviderRefused("p", "no key"), ProviderBusy("p", "full"), InvalidRequest("ours")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("depth", [0, 1, 2])
async def test_an_error_that_may_be_raised_passes_unchanged(
    guarded: Guarded[Any], plugins: Plugins, error: Exception, depth: int
) -> None:
    """Also out of the nurseries of a provider, which wrap it in groups."""

    async def nested(_: Any, depth: int) -> None:
        if depth == 0:
            raise error
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(nested, None, depth - 1)

    with pytest.raises(type(error)) as told:
        await guarded.run(nested, depth)
    assert told.value is error
    assert status(plugins).state is State.RUNNING


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("key=s3cret"), "ValueError"),
        (ExceptionGroup("", [ValueError(), KeyError()]), "ValueError, KeyError"),
        (ExceptionGroup("", [ValueError(), CLOSED]), "ValueError, ProviderClosed"),
        (SystemExit(3), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_anything_else_is_the_plugins_failure(
    guarded: Guarded[Any],
    plugins: Plugins,
    error: BaseException,
    kind: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller learns the kind, the log the whole, once; the plugin runs on."""
    with caplog.at_level(logging.ERROR), pytest.raises(PluginFailed) as told:
        await guarded.run(fail, error)
    assert str(told.value) == f"parrot: unexpected {kind}"
    assert told.value.__cause__ is error
    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.exc_info and each.exc_info[1] for each in errors] == [error]
    assert status(plugins).state is State.RUNNING
    assert status(plugins).error_count == 1
    assert status(plugins).last_error


@pytest.mark.parametrize("args", [(), (1, 2)])
async def test_a_wrong_signature_is_the_plugins_failure(
    guarded: Guarded[Any], args: tuple[int, ...]
) -> None:
    async def takes_one(_: Any, one: int) -> int:
        return one

    anything: Any = takes_one
    with pytest.raises(PluginFailed, match="unexpected TypeError"):
        await guarded.run(anything, *args)


async def test_a_function_that_is_not_async_is_the_plugins_failure(
    guarded: Guarded[Any],
) -> None:
    not_async: Any = lambda _: 7  # noqa: E731
    with pytest.raises(PluginFailed, match="unexpected TypeError"):
        await guarded.run(not_async)


async def test_a_cancellation_that_a_plugin_has_kept_for_later_hurts_nobody(
    guarded: Guarded[Any], say: Say
) -> None:
    """A Cancelled out of season would otherwise travel up and end the gateway."""
    kept: list[BaseException] = []

    async def keep(_: Any) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as cancelled:
                kept.append(cancelled)
                raise

    await guarded.run(keep)
    with pytest.raises(PluginFailed, match="unexpected Cancelled"):
        await guarded.run(fail, kept[0])
    assert await guarded.run(say, "hello") == "parrot says hello"


async def test_a_callers_cancellation_is_handed_on_and_waited_for(
    guarded: Guarded[Any], plugins: Plugins, autojump_clock: trio.testing.MockClock
) -> None:
    closed = []

    async def converse(_: Any) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(1, shield=True):
                await trio.sleep(0.5)
            closed.append(trio.current_time())

    with trio.move_on_after(10):
        await guarded.run(converse)
    assert closed == [10.5]
    assert trio.current_time() == 10.5
    assert status(plugins).state is State.RUNNING
    assert status(plugins).error_count == 0


async def test_a_cancellation_that_is_swallowed_once_is_delivered_again(
    guarded: Guarded[Any], plugins: Plugins, autojump_clock: trio.testing.MockClock
) -> None:
    async def stubborn(_: Any) -> None:
        with suppress(trio.Cancelled):
            await trio.sleep_forever()
        await trio.sleep_forever()

    with trio.move_on_after(1) as scope:
        await guarded.run(stubborn)
    assert scope.cancelled_caught
    assert trio.current_time() == 1
    assert status(plugins).state is State.RUNNING


async def test_an_error_while_it_is_cancelled_is_counted_and_the_caller_just_leaves(
    guarded: Guarded[Any], plugins: Plugins, autojump_clock: trio.testing.MockClock
) -> None:
    async def clumsy(_: Any) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("cannot close")

    with trio.move_on_after(1) as scope:
        await guarded.run(clumsy)
    assert scope.cancelled_caught
    assert status(plugins).last_error.endswith("ValueError: cannot close")


async def test_a_call_under_way_ends_when_its_plugin_goes_away(
    guarded: Guarded[Any], plugins: Plugins
) -> None:
    told: list[str] = []
    started = trio.Event()

    async def call() -> None:
        with pytest.raises(PluginNotRunning) as error:
            await guarded.run(wait_for_ever, started)
        told.append(str(error.value))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await started.wait()
        await plugins.unregister("parrot")
    assert told == ["parrot: stopping"]
    with pytest.raises(PluginNotRunning, match="parrot: stopped"):
        await guarded.run(wait_for_ever)


async def test_failures_in_a_row_end_the_service(guarded: Guarded[Any], plugins: Plugins) -> None:
    for _ in range(3):
        with pytest.raises(PluginFailed):
            await guarded.run(fail, ValueError("no"))
    assert status(plugins).state is State.FAILED
    assert status(plugins).reason == "3 calls in a row failed, the last: ValueError: no"
    with pytest.raises(PluginNotRunning, match="3 calls in a row failed"):
        await guarded.run(wait_for_ever)
    with pytest.raises(PluginNotRunning, match="3 calls in a row failed"):
        plugins.stt("parrot")


async def test_a_call_that_goes_well_begins_the_count_again(
    guarded: Guarded[Any], plugins: Plugins, say: Say
) -> None:
    for _ in range(4):
        for _ in range(2):
            with pytest.raises(PluginFailed):
                await guarded.run(fail, ValueError())
        await guarded.run(say, "hello")
    assert status(plugins).state is State.RUNNING
    assert (status(plugins).call_count, status(plugins).error_count) == (12, 8)


@pytest.mark.parametrize(
    "error",
    [ProviderUnavailable("p", "down"), ProviderProtocolError("p", "what?"), CLOSED],
    ids=lambda error: type(error).__name__,
)
async def test_a_provider_that_fails_again_and_again_is_not_asked_for_a_while(
    guarded: Guarded[Any],
    plugins: Plugins,
    say: Say,
    error: Exception,
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Then one trial decides; the plugin itself, and what else it can do, is not touched."""
    for _ in range(3):
        with pytest.raises(type(error)):
            await guarded.run(fail, error)
    await trio.sleep(10)
    with pytest.raises(ProviderUnavailable, match="circuit open, next try in 20 s"):
        await guarded.run(say, "hello")
    assert await plugins.tts("parrot").run(say, "hello") == "parrot says hello"
    await trio.sleep(20)
    assert await guarded.run(say, "hello") == "parrot says hello"
    assert await guarded.run(say, "again") == "parrot says again"
    assert status(plugins).state is State.RUNNING


@pytest.mark.parametrize(
    "error",
    [ProviderRefused("p", "no key"), ProviderBusy("p", "full"), InvalidRequest("ours")],
    ids=lambda error: type(error).__name__,
)
async def test_a_provider_that_is_there_keeps_its_circuit(
    guarded: Guarded[Any], say: Say, error: Exception
) -> None:
    for _ in range(10):
        with pytest.raises(type(error)):
            await guarded.run(fail, error)
    assert await guarded.run(say, "hello") == "parrot says hello"


async def test_a_trial_that_talks_for_long_closes_the_circuit_before_it_ends(
    guarded: Guarded[Any], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """A conversation may last an hour; nobody waits for its end to learn that the provider works."""
    for _ in range(3):
        with pytest.raises(ProviderClosed):
            await guarded.run(fail, CLOSED)
    await trio.sleep(30)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(guarded.run, wait_for_ever, None)
        await trio.sleep(29)
        with pytest.raises(ProviderUnavailable, match="circuit open, next try in 1 s"):
            await guarded.run(say, "hello")
        await trio.sleep(2)
        # Two that say nothing about the circuit: at half-open the first would be the only trial.
        for _ in range(2):
            with pytest.raises(ProviderBusy):
                await guarded.run(fail, ProviderBusy("p", "full"))
        nursery.cancel_scope.cancel()


async def test_defaults_cannot_be_changed_by_a_session(
    manifest: Callable[..., Manifest],
) -> None:
    @attrs.frozen
    class Options:
        tone: str = "high"

    settings = {"parrot": {"stt": {"tone": "deep"}}}
    parrot = manifest("parrot", abilities={Capability.STT: Ability(options=Options)})
    async with open_plugins(Discovery.of(parrot), settings=settings) as plugins:
        defaults: Any = plugins.stt("parrot").defaults
        assert defaults == {"tone": "deep"}
        with pytest.raises(TypeError):
            defaults["tone"] = "high"


async def test_a_plugin_whose_own_task_breaks_ends_its_calls(
    manifest: Callable[..., Manifest],
) -> None:
    """The caller of a call under way learns that the plugin has gone; the reason is listed."""
    snap = trio.Event()

    async def breaks() -> None:
        await snap.wait()
        raise OSError("cable cut")

    @asynccontextmanager
    async def open_fragile(_: PluginContext) -> AsyncIterator[Plugin]:
        stt: Any = object()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(breaks)
            yield Plugin(stt=stt)

    fragile = manifest("fragile", open=open_fragile)
    async with open_plugins(Discovery.of(fragile), policy=Policy(max_restarts=0)) as plugins:
        guarded = plugins.stt("fragile")
        async with trio.open_nursery() as nursery:

            async def call() -> None:
                with pytest.raises(PluginNotRunning, match="fragile: closing"):
                    await guarded.run(wait_for_ever)

            nursery.start_soon(call)
            await trio.testing.wait_all_tasks_blocked()
            snap.set()
        await trio.testing.wait_all_tasks_blocked()
        assert status(plugins).reason == "OSError: cable cut"


async def test_a_plugin_that_takes_long_to_fall_takes_no_more_calls(
    manifest: Callable[..., Manifest], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """Between its break and the end of its cleaning up, callers learn that it is on its way out."""

    async def breaks() -> None:
        await trio.sleep(1)
        raise OSError("cable cut")

    @asynccontextmanager
    async def open_slow(_: PluginContext) -> AsyncIterator[Plugin]:
        stt: Any = object()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(breaks)
            try:
                yield Plugin(stt=stt)
            finally:
                with trio.move_on_after(9, shield=True):
                    await trio.sleep(3)

    slow = manifest("slow", open=open_slow)
    async with open_plugins(Discovery.of(slow), policy=Policy(max_restarts=0)) as plugins:
        guarded = plugins.stt("slow")
        await trio.sleep(2)
        with pytest.raises(PluginNotRunning, match="slow: closing"):
            await guarded.run(say, "hello")
        with pytest.raises(PluginNotRunning, match="slow: closing"):
            plugins.stt("slow")
        await trio.sleep(3)
        assert status(plugins).reason == "OSError: cable cut"


async def answer_after(_: Any, seconds: float) -> str:
    await trio.sleep(seconds)
    return "here"


async def test_who_answers_in_time_has_answered(
    guarded: Guarded[Any], autojump_clock: trio.testing.MockClock
) -> None:
    assert await guarded.run_within(5.0, answer_after, 4.9) == "here"
    assert guarded.use.errors == 0


async def test_who_is_too_slow_has_failed_and_soon_nobody_waits_for_it_any_more(
    guarded: Guarded[Any], plugins: Plugins, autojump_clock: trio.testing.MockClock
) -> None:
    for _ in range(3):
        began = trio.current_time()
        with pytest.raises(ProviderUnavailable, match="did not answer within 5 s"):
            await guarded.run_within(5.0, answer_after, 6.0)
        assert trio.current_time() - began == pytest.approx(5.0)
    began = trio.current_time()
    with pytest.raises(ProviderUnavailable, match="circuit open"):
        await guarded.run_within(5.0, answer_after, 0.0)
    assert trio.current_time() == began
    assert status(plugins).state is State.RUNNING


async def test_who_does_not_even_heed_the_deadline_goes_out_of_service(
    guarded: Guarded[Any], plugins: Plugins, autojump_clock: trio.testing.MockClock
) -> None:
    release = trio.Event()

    async def stubborn(_: Any) -> None:
        with trio.CancelScope(shield=True):
            await release.wait()

    began = trio.current_time()
    with pytest.raises(ProviderUnavailable, match="did not answer within 5 s"):
        await guarded.run_within(5.0, stubborn)
    patience = Policy().patience
    assert trio.current_time() - began == pytest.approx(5.0 + 1.0 + patience)
    assert status(plugins).state is State.FAILED
    release.set()
