"""All strategies in their order, and one outcome."""

import logging
from math import inf
from typing import Any

import attrs
import pytest
import trio
from support.tokens import presented
from trio.testing import MockClock

from capabilities import (
    Auth,
    Denied,
    Presented,
    Principal,
    ProviderBusy,
    ProviderClosed,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    Way,
)
from waav.errors import PluginFailed, PluginNotRunning
from waav.security.authenticate import PATIENCE, Authenticator
from waav.security.bearer import MALFORMED, MISSING, Bearer, Rejection

ACME = Principal("acme")
SHOWN = Bearer(Secret("the-callers-token"), Way.HEADER)


@attrs.define
class Says:
    """A strategy that says what it is told, and remembers what it was asked."""

    what: Any
    asked: list[Presented] = attrs.field(factory=list)

    async def authenticate(self, shown: Presented) -> Any:
        self.asked.append(shown)
        if isinstance(self.what, Exception):
            raise self.what
        if isinstance(self.what, float):
            await trio.sleep(self.what)
        return self.what


def door(*strategies: Any, required: bool = True, **rules: bool) -> Authenticator:
    named: dict[str, Auth] = {f"s{number}": each for number, each in enumerate(strategies)}
    return Authenticator(required, 0, named, **rules)


async def admit(
    authenticator: Authenticator, bearer: Bearer | Rejection | None = SHOWN, **request: Any
) -> Principal | Rejection | None:
    asked: dict[str, Any] = {"method": "GET", "path": "/voices", "headers": {}} | request
    return await authenticator.admit(bearer, **asked)


def wrong(message: str = "Unauthorized") -> Rejection:
    return Rejection(401, "unauthorized", message)


async def test_the_first_who_knows_the_token_decides() -> None:
    never = Says(Principal("globex"))
    assert await admit(door(Says(Denied("no")), Says(ACME), never)) == ACME
    assert never.asked == []


async def test_the_table_of_refusals() -> None:
    """One row for each way of not being let in."""
    unavailable = (503, "auth_service_unavailable", None)
    broken = (502, "auth_service_error", None)
    rows: list[tuple[object, tuple[int, str, float | None]]] = [
        (Denied("Invalid API secret"), (401, "unauthorized", None)),
        (Principal(None), (401, "unauthorized", None)),
        (ProviderRefused("x", "no"), (401, "auth_service_error", None)),
        (ProviderUnavailable("x", "gone"), unavailable),
        (ProviderBusy("x", "full", retry_after=7.0), (503, "auth_service_unavailable", 7.0)),
        (PluginNotRunning("x", "failed"), unavailable),
        (ProviderProtocolError("x", "what?"), broken),
        (ProviderClosed("x", "bye"), broken),
        (PluginFailed("x", "TypeError"), broken),
        (True, broken),
        (None, broken),
        ("acme", broken),
        ({"id": "acme"}, broken),
    ]
    for said, expected in rows:
        refused = await admit(door(Says(said)))
        assert isinstance(refused, Rejection), said
        assert (refused.status, refused.code, refused.retry_after) == expected, said


async def test_the_message_of_a_strategy_reaches_the_caller_and_that_of_a_failure_does_not() -> (
    None
):
    assert await admit(door(Says(Denied("The token has expired")))) == wrong(
        "The token has expired"
    )
    refused = await admit(door(Says(ProviderRefused("ldap", "cn=admin,dc=internal"))))
    assert isinstance(refused, Rejection)
    assert "internal" not in refused.message


async def test_as_long_as_somebody_could_not_be_asked_the_token_is_not_called_wrong() -> None:
    denied, gone = Says(Denied("no")), Says(ProviderUnavailable("x", "gone"))
    failed, refusing = Says(ProviderProtocolError("x", "?")), Says(ProviderRefused("x", "no"))
    for strategies, status, code in [
        ((denied, gone), 503, "auth_service_unavailable"),
        ((gone, denied), 503, "auth_service_unavailable"),
        ((gone, failed), 503, "auth_service_unavailable"),
        ((failed, denied), 502, "auth_service_error"),
        ((denied, refusing), 401, "auth_service_error"),
    ]:
        refused = await admit(door(*strategies))
        assert isinstance(refused, Rejection)
        assert (refused.status, refused.code) == (status, code)
    assert await admit(door(gone, failed, refusing, denied, Says(ACME))) == ACME


@pytest.mark.pins("D251")
async def test_a_yes_without_an_id_is_a_no_unless_it_is_allowed() -> None:
    nobody = Says(Principal(None))
    assert await admit(door(nobody)) == wrong()
    assert await admit(door(nobody, required=False)) is None
    assert await admit(door(nobody, allow_missing_id=True)) == Principal(None)
    assert await admit(door(nobody, Says(ACME))) == ACME


async def test_all_strategies_together_have_ten_seconds(autojump_clock: MockClock) -> None:
    last = Says(ACME)
    begun = trio.current_time()
    refused = await admit(door(Says(6.0), Says(6.0), last))
    assert trio.current_time() - begun == PATIENCE == 10
    assert isinstance(refused, Rejection)
    assert (refused.status, refused.code) == (503, "auth_service_unavailable")
    assert last.asked == []


async def test_a_caller_who_leaves_is_not_held(autojump_clock: MockClock) -> None:
    with trio.move_on_after(1) as leaving:
        await admit(door(Says(inf)))
    assert leaving.cancelled_caught


async def test_without_a_token_the_strategies_are_not_asked() -> None:
    strategy = Says(ACME)
    assert await admit(door(strategy), None) is MISSING
    assert await admit(door(strategy), MALFORMED) is MALFORMED
    assert await admit(door(strategy, required=False), None) is None
    assert await admit(door(strategy, required=False), MALFORMED) is None
    assert strategy.asked == []


@pytest.mark.parametrize("said", [Denied("no"), ProviderUnavailable("x", "gone"), True])
async def test_where_nobody_must_show_a_token_a_wrong_one_is_ignored_or_refused(
    said: object,
) -> None:
    assert await admit(door(Says(said), required=False)) is None
    strict = door(Says(said), required=False, reject_unknown=True)
    assert isinstance(await admit(strict), Rejection)
    assert await admit(strict, MALFORMED) is MALFORMED
    assert await admit(strict, None) is None
    assert await admit(door(Says(ACME), required=False)) == ACME


async def test_a_door_without_strategies_is_open_or_shut_as_it_is_told() -> None:
    assert await admit(door(required=False)) is None
    assert await admit(door(required=True)) == wrong()


async def test_a_strategy_sees_the_request_without_what_authenticates_or_proxies_set() -> None:
    strategy = Says(ACME)
    headers = {
        "authorization": "Bearer the-callers-token",
        "cookie": "session=1",
        "host": "gateway",
        "x-real-ip": "192.0.2.1",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "https",
        "x-waav-anything": "1",
        "forwarded": "for=192.0.2.1",
        "user-agent": "test",
        "x-tenant": "acme",
    }
    await admit(
        door(strategy), method="POST", path="/speak", headers=headers, body=b'{"text": "hi"}'
    )
    (seen,) = strategy.asked
    assert seen == presented(
        "the-callers-token",
        method="POST",
        path="/speak",
        headers={"forwarded": "for=192.0.2.1", "user-agent": "test", "x-tenant": "acme"},
        body=b'{"text": "hi"}',
    )


@pytest.mark.pins("D182")
@pytest.mark.parametrize("way", Way)
async def test_a_token_is_good_however_it_comes(way: Way) -> None:
    strategy = Says(ACME)
    assert await admit(door(Says(Denied()), strategy), Bearer(Secret("abc"), way)) == ACME
    assert strategy.asked[0].way is way


async def test_our_own_mistake_lets_nobody_in() -> None:
    with pytest.raises(ZeroDivisionError):
        await admit(door(Says(ZeroDivisionError()), Says(ACME)))


@pytest.mark.pins("D183")
async def test_no_outcome_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = (Denied("no"), ProviderProtocolError("x", "?"), True, ACME)
    with caplog.at_level(logging.DEBUG):
        shown = [await admit(door(Says(said))) for said in outcomes]
    assert "the-callers-token" not in f"{shown} {caplog.text} {SHOWN} {presented('x')}"
