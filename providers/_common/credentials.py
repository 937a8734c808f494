"""Whose key a request is made with: the session's own, else the operator's."""

from collections.abc import Mapping

from capabilities import CredentialMissing, Secret


def choose_key(
    provider: str,
    name: str,
    own: Secret | None,
    configured: Mapping[str, Secret],
    key: str,
) -> Secret:
    """Return the key to use; an empty one counts as none.

    Args:
        provider: its id, for the error.
        name: the vendor's name, for people.
        own: what the session brought.
        configured: ``PluginContext.credentials``.
        key: which of them, for example ``deepgram_api_key``.

    Raises:
        CredentialMissing: there is none; the message is a text that clients know.
    """
    found = own or configured.get(key)
    if not found:
        raise CredentialMissing(provider, f"{name} API key not configured in server environment")
    return found
