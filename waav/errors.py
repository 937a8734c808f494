"""Everything the gateway itself may raise. What a provider may raise is in ``capabilities.errors``.

* :exc:`WaavError`
    * :exc:`ConfigError`       the configuration has mistakes: all of them, each with its place
    * :exc:`InvalidRequest`    a command or a setting of a client that cannot be done as it stands
        * :exc:`UnknownProvider`   no provider of this name; the message lists those that exist
        * :exc:`ClientKeyRefused`  clients must not bring keys of providers
        * :exc:`AddressRefused`    a URL that we must not, or cannot, call for a client
    * :exc:`Forbidden`         somebody else's, or nobody says whose it is
    * :exc:`PluginFailed`      a plugin broke its contract; only that plugin is to blame
    * :exc:`PluginNotRunning`  the plugin exists but is not in service now
    * :exc:`SlowClient`        a client that does not read what it asked for
    * :exc:`LimitReached`      as many at one time as there may be; later there is room again
    * :exc:`Overloaded`        too much to do just now; later there is room again
"""

from collections.abc import Iterable
from typing import ClassVar, Literal, TypeAlias

import attrs


class WaavError(Exception):
    """Base of the gateway's own errors.

    Clients see ``code``, a stable name, and ``message``; ``str()`` may say more, to operators.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@attrs.frozen
class Problem:
    """One mistake in the configuration, and where it is."""

    where: str
    """A file with its line, or the name of a variable or argument."""
    key: str
    """Dotted: ``server.tls.cert_path``."""
    message: str
    """What was expected; never the value of a secret."""

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.message}"


class ConfigError(WaavError):
    """The configuration has mistakes; ``problems`` holds all of them."""

    code = "config_error"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidRequest(WaavError):
    """What the client asks for cannot be done as it stands."""

    code = "invalid_request"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code  # type: ignore[misc]  # an instance may be more precise than its class


class UnknownProvider(InvalidRequest):
    """No provider of this name."""

    code = "unsupported_provider"

    def __init__(self, capability: str, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"Unsupported provider: {name} (known for {capability}: {names})")
        self.name = name


class ClientKeyRefused(InvalidRequest):
    """The operator takes no provider's key from clients."""

    code = "client_keys_not_allowed"

    def __init__(self) -> None:
        super().__init__("This server does not take provider keys from clients")


class AddressRefused(InvalidRequest):
    """A URL that a client names is none that we call; where its host leads stays with us."""

    code = "address_refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"This address cannot be called: {why}")


class Forbidden(WaavError):
    """It belongs to somebody else, or the client does not say who it is."""

    code = "forbidden"


class PluginFailed(WaavError):
    """A plugin broke its contract: it raised what it must not, blocked, or did not let go."""

    code = "plugin_failed"

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"{plugin}: {message}")
        self.plugin = plugin


class PluginNotRunning(WaavError):
    """The plugin exists but is not in service: it failed, is still starting, or is stopped."""

    code = "provider_unavailable"

    def __init__(self, plugin: str, state: str, reason: str = "") -> None:
        super().__init__(f"{plugin}: {state}")
        self.plugin = plugin
        self.reason = reason
        """For operators: it may quote a stranger's exception, and so is no part of the message."""

    def __str__(self) -> str:
        return f"{self.message}: {self.reason}" if self.reason else self.message


class SlowClient(WaavError):
    """The client does not read what it asked for."""

    code = "slow_client"


Scope: TypeAlias = Literal["global", "client", "tenant", "credential"]
"""What a limit counts by: all together, an address, a tenant, a provider's key."""


@attrs.frozen
class _Limit:
    code: str
    message: str
    retry_after: float
    """Seconds: a call lasts longer than a sentence."""


_LIMITS: dict[Scope, _Limit] = {
    "global": _Limit(
        code="server_full", message="Server at capacity. Please try again later.", retry_after=5.0
    ),
    "client": _Limit(
        code="too_many_connections",
        message="Too many connections from your IP address.",
        retry_after=5.0,
    ),
    "tenant": _Limit(
        code="tenant_limit", message="Too many connections of this tenant.", retry_after=5.0
    ),
    "credential": _Limit(
        code="provider_limit",
        message="Too many conversations with this provider.",
        retry_after=1.0,
    ),
}


class LimitReached(WaavError):
    """As many at one time as there may be; nothing was begun. Whose limit it was stays with us."""

    def __init__(self, scope: Scope) -> None:
        limit = _LIMITS[scope]
        super().__init__(limit.message)
        self.code = limit.code  # type: ignore[misc]  # each limit has a name of its own
        self.scope = scope
        self.retry_after = limit.retry_after
        """Seconds after which trying again may help."""


class Overloaded(WaavError):
    """There is too much to do just now; nothing was begun, and later there will be less."""

    code = "overloaded"

    def __init__(self, retry_after: float) -> None:
        super().__init__("The server has too much to do. Please try again later.")
        self.retry_after = retry_after
        """Seconds after which trying again may help."""
