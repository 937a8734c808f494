"""What belongs to whom: rooms, recordings and hooks of tenants whose ids look alike."""

from itertools import combinations
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Principal, Secret
from waav.config.auth import ApiSecret, Auth
from waav.errors import Forbidden, InvalidRequest
from waav.security.tenancy import Scope, Tenancy, is_path_part

OPEN = Tenancy()
"""Nobody can say who they are: whoever comes is the operator."""
CLOSED = Tenancy(required=True, closed=True)
OPTIONAL = Tenancy(closed=True, ids=frozenset({"acme"}))
NAMED = Tenancy(required=True, closed=True, by_metadata=True)


@attrs.frozen
class Room:
    name: str
    metadata: str = ""


def scope(tenant: str | None, rules: Tenancy = CLOSED, **changes: Any) -> Scope:
    return attrs.evolve(rules, **changes).scope(Principal(tenant))


def names(scope: Scope, *listed: str) -> list[str]:
    return [room.name for room in scope.own_rooms([Room(each) for each in listed])]


def test_a_room_gets_the_id_of_its_tenant_once() -> None:
    acme = scope("acme")
    assert acme.room_name("lobby") == "acme_lobby"
    assert acme.room_name("acme_lobby") == "acme_lobby"
    assert acme.room_name("acme") == "acme_acme"
    assert acme.room_name("umbrella_lobby") == "acme_umbrella_lobby"
    assert scope("acme", separator="::").room_name("lobby") == "acme::lobby"


@pytest.mark.pins("D252")
@pytest.mark.parametrize("wanted", ["", " ", "acme_", "acme_ ", "\t", "a\nb", "\0", "\ud800"])
def test_empty_room_refused(wanted: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        scope("acme").room_name(wanted)
    assert caught.value.code == "invalid_room_name"
    if not wanted.startswith("acme"):
        for other in (scope(None, OPEN), scope("acme", NAMED)):
            with pytest.raises(InvalidRequest):
                other.room_name(wanted)


def test_a_name_has_256_bytes_and_its_prefix_does_not_count() -> None:
    acme = scope("acme")
    longest = acme.room_name("é" * 128)
    assert acme.room_name(longest) == longest
    for wanted in ("é" * 128 + "x", longest + "x"):
        with pytest.raises(InvalidRequest):
            acme.room_name(wanted)


@pytest.mark.pins("D253")
def test_tenant_prefix_collision() -> None:
    """With `a_b` written down, what begins with it is no longer a room of `a`."""
    rules = attrs.evolve(CLOSED, ids=frozenset({"a", "a_b"}))
    a, ab = scope("a", rules), scope("a_b", rules)
    assert names(a, "a_x", "a_b_x", "a_bx", "b_x", "a") == ["a_x", "a_bx"]
    assert names(ab, "a_x", "a_b_x", "a_bx", "b_x", "a_b") == ["a_b_x"]
    assert ab.room_name("x") == "a_b_x"
    for wanted in ("b_x", "a_b_x"):
        with pytest.raises(Forbidden):
            a.room_name(wanted)
    assert ab.room_name("a_x") == "a_b_a_x"


@pytest.mark.pins("D253")
def test_an_id_out_of_a_token_that_looks_like_another_ones_rooms_has_none() -> None:
    """Nobody can list the ids that tokens may hold: `a_b` would have rooms that `a` has made."""
    stranger = scope("a_b")
    for reach in (
        lambda: stranger.room_name("x"),
        lambda: stranger.owns_room("a_b_x"),
        lambda: stranger.own_rooms([]),
    ):
        with pytest.raises(Forbidden, match="'_' in its id"):
            reach()
    assert scope("a").room_name("b_x") == "a_b_x"
    assert scope("a_b", separator=":").room_name("x") == "a_b:x"
    assert scope("a_b", NAMED).room_name("x") == "x"
    # One underline at its end, and a separator of two: the same three of them.
    with pytest.raises(Forbidden):
        scope("a_", separator="__").room_name("x")


IDS = st.text("ab_:", min_size=1, max_size=4)
WANTED = st.text("ab_:x", min_size=1, max_size=8)


@pytest.mark.pins("D253")
@given(
    known=st.frozensets(IDS, max_size=3),
    tenants=st.sets(IDS, min_size=2, max_size=4),
    separator=st.sampled_from(["_", "__", ":", "_:_"]),
    wanted=WANTED,
)
def test_no_room_has_two_tenants(
    known: frozenset[str], tenants: set[str], separator: str, wanted: str
) -> None:
    rules = attrs.evolve(CLOSED, ids=known, separator=separator)
    given_out = [_reached(scope(tenant, rules), wanted) for tenant in sorted(tenants)]
    for one, other in combinations([each for each in given_out if each], 2):
        assert one[0] != other[0]
        assert not one[1].owns_room(other[0])
        assert not other[1].owns_room(one[0])


@given(tenant=IDS, wanted=WANTED)
def test_who_may_ask_for_a_room_owns_it_and_may_ask_for_it_again(tenant: str, wanted: str) -> None:
    if (reached := _reached(scope(tenant), wanted)) is not None:
        name, asked = reached
        assert asked.owns_room(name)
        assert asked.room_name(name) == name


def _reached(asked: Scope, wanted: str) -> tuple[str, Scope] | None:
    try:
        return asked.room_name(wanted), asked
    except (Forbidden, InvalidRequest):
        return None


@pytest.mark.pins("D256")
def test_rooms_need_tenant() -> None:
    """Let in without an id, where one is required: nothing that belongs to somebody is global."""
    for nobody in (scope(None), scope(None, NAMED), CLOSED.scope(None)):
        for reach in (
            lambda nobody=nobody: nobody.room_name("lobby"),
            lambda nobody=nobody: nobody.own_rooms([]),
            lambda nobody=nobody: nobody.owns_room("lobby"),
            lambda nobody=nobody: nobody.recording_key("stream"),
            lambda nobody=nobody: nobody.owns(None),
        ):
            with pytest.raises(Forbidden) as caught:
                reach()
            assert caught.value.code == "forbidden"


def test_without_tenants_whoever_comes_is_the_operator() -> None:
    operator = OPEN.scope(None)
    assert operator.room_name("acme_lobby") == "acme_lobby"
    assert names(operator, "acme_lobby", "lobby") == ["acme_lobby", "lobby"]
    assert operator.owns("acme")
    assert operator.recording_key("s") == "s/audio.ogg"
    assert attrs.evolve(OPEN, by_metadata=True).scope(None).owns_room("x", '{"auth_id": "acme"}')


def test_where_tenants_need_not_say_so_a_stranger_gets_what_is_nobodys() -> None:
    stranger = OPTIONAL.scope(None)
    assert stranger.room_name("lobby") == "lobby"
    assert names(stranger, "acme_lobby", "lobby") == ["lobby"]
    with pytest.raises(Forbidden):
        stranger.room_name("acme_lobby")
    assert stranger.owns(None)
    assert not stranger.owns("acme")


def test_a_hook_is_seen_by_who_made_it() -> None:
    assert scope("acme").owns("acme")
    assert not scope("acme").owns("umbrella")
    assert not scope("acme").owns(None)


def test_the_metadata_of_a_room_may_say_whose_it_is() -> None:
    acme = scope("acme", NAMED)
    assert acme.room_name("lobby") == "lobby"
    assert acme.room_name("acme_lobby") == "acme_lobby"
    assert acme.room_metadata == {"auth_id": "acme"}
    assert scope("acme").room_metadata == {}
    assert NAMED.scope(None).room_metadata == {}
    listed = [
        Room("mine", '{"auth_id": "acme", "topic": "x"}'),
        Room("acme_other", '{"auth_id": "umbrella"}'),
        Room("acme_nobodys", "{}"),
        *(Room("acme_odd", text) for text in ("", "acme", "[]", '{"auth_id": 7}', "[" * 9999)),
        Room("acme_stranger", "\ud800"),
    ]
    assert acme.own_rooms(listed) == listed[:1]


def test_a_recording_lies_with_its_tenant() -> None:
    assert scope("acme").recording_key("s-1") == "acme/s-1/audio.ogg"
    assert scope("acme").recording_key("s-1", "calls/2026") == "calls/2026/acme/s-1/audio.ogg"
    assert scope(None, OPTIONAL).recording_key("s-1", "calls") == "calls/s-1/audio.ogg"


@pytest.mark.parametrize(
    "stream", ["", ".", "..", "...", "a/b", "a\\b", "a..b", "a\0", "a\x7f", "x" * 257, "\ud800"]
)
def test_a_recording_is_nowhere_else(stream: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        scope("acme").recording_key(stream)
    assert caught.value.code == "invalid_stream_id"


@pytest.mark.parametrize("tenant", ["a/b", "..", ".", "a\\b", "a/../b"])
def test_nor_does_an_id_lead_elsewhere(tenant: str) -> None:
    with pytest.raises(Forbidden):
        scope(tenant).recording_key("s-1")


@given(st.text(max_size=20))
def test_a_part_of_a_path_is_one_part(text: str) -> None:
    if is_path_part(text):
        assert f"a/{text}/b".split("/") == ["a", text, "b"]
        assert "\\" not in text
        assert text not in {"", ".", ".."}
        assert text.encode()


def test_the_rules_are_those_of_the_configuration() -> None:
    secrets = (ApiSecret("acme", Secret("x")), ApiSecret("umbrella", Secret("y")))
    auth = Auth(required=True, api_secrets=secrets, scope_separator=":", room_scope="metadata")
    assert Tenancy.of(auth) == Tenancy(
        required=True,
        closed=True,
        ids=frozenset({"acme", "umbrella"}),
        separator=":",
        by_metadata=True,
    )
    assert Tenancy.of(Auth()) == OPEN
    assert Tenancy.of(Auth(api_secret=Secret("x"))).ids == {"default"}
