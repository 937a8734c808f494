"""Where the vendor is, and whose key opens it."""

from collections.abc import Mapping

import attrs

from capabilities import Secret
from providers._common.credentials import choose_key
from providers._common.headers import Headers
from providers._common.network import Network
from providers.deepgram.names import ID, KEY, NAME


@attrs.frozen
class Account:
    """What all requests of the plugin share."""

    network: Network
    credentials: Mapping[str, Secret]

    def headers(self, own: Secret | None = None) -> Headers:
        """Return what authenticates; a temporary token, which is a JWT, in the way of those.

        Raises:
            ProviderRefused: there is no key, neither the session's ``own`` nor the operator's.
        """
        key = choose_key(ID, NAME, own, self.credentials, KEY).reveal()
        scheme = "Bearer" if key.startswith("eyJ") else "Token"
        return {"Authorization": Secret(f"{scheme} {key}")}
