"""``X-Provider-Api-Key``: a client's own key of the provider that its request names."""

import re
from http import HTTPStatus

from capabilities import Secret
from waav.observe.scope import hide
from waav.server.refusal import Refused

HEADER = "X-Provider-Api-Key"

# It becomes a header of ours: what cannot stand there is better found here.
_KEY = re.compile(r"[\x21-\x7e]{1,1024}")


def read_key(value: str) -> Secret | None:
    """Return the key in the value of the header, if there is one; never say it.

    Raises:
        Refused: it cannot be a key (400).
    """
    given = value.strip()
    if given and not _KEY.fullmatch(given):
        text = f"{HEADER} must be 1 to 1024 printable ASCII characters without blanks"
        raise Refused(HTTPStatus.BAD_REQUEST, "invalid_api_key", text)
    return hide(Secret(given)) if given else None
