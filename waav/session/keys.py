"""A client's own credentials -> what its provider gets: one key, or several by their names."""

from collections.abc import Mapping
from typing import Any

from capabilities import Secret
from waav.errors import ClientKeyRefused, InvalidRequest
from waav.plugins import Guarded

API_KEY = "api_key"
"""How clients may call the key of a provider that needs one, whatever the operator calls it."""


def own_keys(
    provider: Guarded[Any], api_key: Secret | None, auth: Mapping[str, Secret]
) -> tuple[Secret | None, dict[str, Secret]]:
    """Return the one key of a client, or its keys by the names of the provider's manifest.

    Empty ones count as none. Messages hold neither keys nor the names that a client gave, because
    one may stand in the place of the other.

    Raises:
        InvalidRequest: clients must not bring keys, a name is unknown, or two of them contradict.
    """
    brought = [(API_KEY, api_key), *auth.items()]
    given = [(name, key) for name, key in brought if key]
    if not given:
        return None, {}
    names = provider.client_keys
    if names is None:
        raise ClientKeyRefused
    known = {API_KEY, *names}
    if not known.issuperset(name for name, _ in given):
        told = ", ".join(sorted(known))
        raise _invalid(f"auth has a name that {provider.id} does not know (known: {told})")
    chosen: dict[str, Secret] = {}
    for name, key in given:
        place = API_KEY if len(names) == 1 else name
        if chosen.setdefault(place, key) != key:
            raise _invalid(f"{provider.id} is given two different keys where it takes one")
    return chosen.pop(API_KEY, None), chosen


def _invalid(text: str) -> InvalidRequest:
    return InvalidRequest(text, code="invalid_auth")
