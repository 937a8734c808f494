"""Everything a provider may raise.

* :exc:`ProviderError`
    * :exc:`ProviderUnavailable`   could not be reached, or too slow: try again, or another one
        * :exc:`ProviderBusy`      at its limit: try again after a pause
    * :exc:`ProviderClosed`        hung up in mid-stream: open a new stream
    * :exc:`ProviderRefused`       key, plan, voice or option not accepted: do not try again
        * :exc:`CredentialMissing` there is no key to try with
    * :exc:`ProviderProtocolError` said something this client cannot read

What a caller does next decides the class; what went wrong is in the message. A message is a short
sentence for the user of the gateway: no key, no body of an answer, no dump of an object.
"""


class ProviderError(Exception):
    """A provider could not do what it was asked for."""

    def __init__(self, provider: str, message: str, *, status: int | None = None) -> None:
        super().__init__(provider, message)
        self.provider = provider
        self.message = message
        self.status = status
        """Of the provider's HTTP answer, if there was one."""

    def __str__(self) -> str:
        return f"{self.provider}: {self.message}"


class ProviderUnavailable(ProviderError):
    """Could not be reached, or did not answer in time. Trying again may help."""


class ProviderBusy(ProviderUnavailable):
    """At the limit of what it does at one time. Trying again after ``retry_after`` seconds may help."""

    def __init__(
        self,
        provider: str,
        message: str,
        *,
        retry_after: float = 1.0,
        status: int | None = None,
    ) -> None:
        super().__init__(provider, message, status=status)
        self.retry_after = retry_after


class ProviderClosed(ProviderError):
    """The far side ended the stream. A new stream may work."""


class ProviderRefused(ProviderError):
    """The key, the plan or an option was not accepted. The same request will be refused again."""


class CredentialMissing(ProviderRefused):
    """The client brought no key, and the operator has configured none."""


class ProviderProtocolError(ProviderError):
    """The provider said something that its client cannot read."""
