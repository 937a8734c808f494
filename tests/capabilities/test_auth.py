"""Who somebody is, as a value."""

import pytest

from capabilities import Presented, Principal, Secret, Way
from capabilities.auth import LONGEST_ID, is_id


@pytest.mark.parametrize(
    "id_", ["a", "acme-1.de", "auth0|5f7c8", "us er", "Müller", "x" * LONGEST_ID]
)
def test_what_can_name_a_tenant(id_: str) -> None:
    assert is_id(id_)
    assert Principal(id_).id == id_


@pytest.mark.parametrize("id_", ["", " ", " a", "a ", "a\nb", "a\0", "\u202eevil", "x" * 257])
def test_what_cannot(id_: str) -> None:
    assert not is_id(id_)
    with pytest.raises(ValueError, match="printable"):
        Principal(id_)


def test_what_is_known_of_somebody_cannot_be_changed_later() -> None:
    known = {"plan": "gold"}
    who = Principal("acme", known)
    known["plan"] = "none"
    assert who.metadata["plan"] == "gold"
    with pytest.raises(TypeError):
        who.metadata["plan"] = "none"  # type: ignore[index]  # that is the point


def test_what_is_shown_cannot_be_read_in_a_log() -> None:
    shown = Presented(Secret("token-1"), Way.QUERY, "GET", "/", {"x-key": "key-1"}, b"body-1")
    assert not any(word in repr(shown) for word in ("token-1", "key-1", "body-1"))
    assert "gold" not in repr(Principal("acme", {"plan": "gold"}))
