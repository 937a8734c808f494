"""Slots: exact, all or nothing, and given back on every way out."""

from collections import Counter
from collections.abc import Sequence

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from waav.config import Config
from waav.config.schema import Plugins
from waav.config.security import Security
from waav.errors import LimitReached, Scope
from waav.security.limits import EVERYBODY, Capacities, Counts, Key, LocalLimiter, Use

CAPACITIES = Capacities(everybody=5, client=2, tenant=3, credentials={"acme": 1})
KEYS: list[Key] = [
    EVERYBODY,
    ("client", "192.0.2.1"),
    ("client", "2001:db8::/64"),
    ("tenant", "a"),
    ("credential", "acme.stt:operator"),
    ("credential", "acme.tts:operator"),
    ("credential", "other.stt:operator"),
]
LINE: Key = ("client", "192.0.2.1")


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(KEYS), max_size=4))))
def test_no_key_ever_has_more_slots_than_there_are_nor_less_than_were_taken(
    steps: list[tuple[bool, list[Key]]],
) -> None:
    counts, held = Counts(CAPACITIES), list[list[Key]]()
    for takes, keys in steps:
        if takes:
            full = counts.take(keys)
            if full is None:
                held.append(keys)
            else:
                most = CAPACITIES.of_key(full)
                assert sum(full in each for each in held) == most
        elif held:
            counts.release(held.pop(0))
        expected: Counter[Scope] = Counter(key[0] for each in held for key in set(each))
        taken = {scope: use.held for scope, use in counts.snapshot().items()}
        assert taken == {scope: expected[scope] for scope in taken}
        for key in KEYS:
            number = sum(key in each for each in held)
            assert number <= (CAPACITIES.of_key(key) or number)
    for keys in held:
        counts.release(keys)
    assert not any(use.held for use in counts.snapshot().values())


def test_of_several_keys_all_are_taken_or_none() -> None:
    counts = Counts(Capacities(everybody=10, client=1))
    assert counts.take([EVERYBODY, LINE]) is None
    assert counts.take([EVERYBODY, LINE]) == LINE
    assert counts.snapshot()["global"] == Use(held=1, refused=0)
    assert counts.snapshot()["client"] == Use(held=1, refused=1)


def test_whoever_gives_back_what_nobody_took_is_told_and_takes_nothing_from_others() -> None:
    counts = Counts(CAPACITIES)
    counts.take([EVERYBODY])
    with pytest.raises(ValueError, match="nobody has taken"):
        counts.release([LINE, EVERYBODY])
    assert counts.snapshot()["global"].held == 0
    assert counts.snapshot()["client"].held == 0


@pytest.mark.pins("D257")
async def test_of_a_thousand_at_once_exactly_as_many_come_in_as_there_is_room_for(
    nursery: trio.Nursery,
) -> None:
    limiter = LocalLimiter(Counts(Capacities(everybody=100)))
    inside, refused = 0, 0

    async def come() -> None:
        nonlocal inside, refused
        await trio.lowlevel.checkpoint()
        try:
            async with limiter.slot([EVERYBODY]):
                inside += 1
                await trio.sleep_forever()
        except LimitReached:
            refused += 1

    for _ in range(1000):
        nursery.start_soon(come)
    await trio.testing.wait_all_tasks_blocked()
    assert (inside, refused) == (100, 900)
    nursery.cancel_scope.cancel()


@pytest.mark.pins("D259")
@pytest.mark.parametrize("error", [None, RuntimeError, trio.BrokenResourceError, KeyboardInterrupt])
async def test_a_slot_is_given_back_however_its_block_ends(
    error: type[BaseException] | None,
) -> None:
    limiter = LocalLimiter(Counts(Capacities(client=1)))

    async def use() -> None:
        async with limiter.slot([LINE]):
            if error is not None:
                raise error

    for _ in range(3):
        if error is None:
            await use()
        else:
            with pytest.raises(error):
                await use()
    assert limiter.counts.snapshot()["client"] == Use(held=0, refused=0)


@pytest.mark.pins("D259")
async def test_a_slot_is_given_back_when_who_holds_it_is_cancelled() -> None:
    limiter = LocalLimiter(Counts(Capacities(client=1)))
    with trio.CancelScope() as scope:
        async with limiter.slot([LINE]):
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert limiter.counts.snapshot()["client"].held == 0


async def test_what_became_of_the_list_of_keys_meanwhile_does_not_matter() -> None:
    limiter = LocalLimiter(Counts(CAPACITIES))
    keys = [LINE]
    async with limiter.slot(keys):
        keys.append(EVERYBODY)
    assert limiter.counts.snapshot()["client"].held == 0


@pytest.mark.parametrize(
    ("scope", "code", "retry_after"),
    [
        ("global", "server_full", 5),
        ("client", "too_many_connections", 5),
        ("tenant", "tenant_limit", 5),
        ("credential", "provider_limit", 1),
    ],
)
async def test_a_refusal_names_the_limit_and_not_whose_it_is(
    scope: Scope, code: str, retry_after: float
) -> None:
    limiter = LocalLimiter(Counts(Capacities(0, 0, 0, {"whose": 0})))
    with pytest.raises(LimitReached) as caught:
        async with limiter.slot([(scope, "whose.stt:0123")]):
            pytest.fail("it was let in")
    refused = caught.value
    assert (refused.scope, refused.code, refused.retry_after) == (scope, code, retry_after)
    assert "whose" not in f"{refused} {refused.message}"


def limits_of(keys: Sequence[Key], config: Config) -> list[int | None]:
    capacities = Capacities.of(config)
    return [capacities.of_key(key) for key in keys]


def test_the_numbers_are_the_operators() -> None:
    assert limits_of(KEYS, Config()) == [None, 100, 100, None, None, None, None]
    security = Security(
        max_websocket_connections=9, max_connections_per_ip=8, max_connections_per_tenant=7
    )
    plugins = Plugins(providers={"Acme": {"max_sessions": 6}, "other": {"max_sessions": "5"}})
    config = Config(security=security, plugins=plugins)
    assert limits_of(KEYS, config) == [9, 8, 8, 7, 6, 6, 5]
