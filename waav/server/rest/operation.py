"""What an operation of the REST side is: enough to serve it, and enough to describe it."""

from collections.abc import Awaitable, Callable, Mapping
from inspect import cleandoc
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
from quart import Request

from waav.server.refusal import Refused
from waav.server.rest.refusals import as_refused

T = TypeVar("T")

JSON = "application/json"
FORM = "multipart/form-data"

PREFIXES = ("", "/api")
"""Each path is served under all of these."""


def under_prefixes(path: str) -> list[str]:
    """Return where a path is served."""
    return [prefix + path if path != "/" else prefix or "/" for prefix in PREFIXES]


@attrs.frozen
class Reply(Generic[T]):
    """What a handler gives back. ``bytes`` are sent as they are, everything else as JSON."""

    body: T
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    content_type: str = JSON


Handler: TypeAlias = Callable[..., Awaitable[Reply[Any]]]
"""Called with the gateway, the parts of the path by name, and ``query``, ``body``, ``api_key``
and ``scope`` if the operation has them. Its docstring describes the operation to users."""


@attrs.frozen
class Body:
    """What a request must bring."""

    shapes: tuple[type[Any], ...]
    """The forms of it, as attrs classes."""
    read: Callable[[dict[str, Any]], Any]
    """From the JSON object to what the handler gets; raises ValueError, with the place, when it
    has none of the forms, and InvalidRequest."""


@attrs.frozen
class Upload:
    """What a request must bring that is too large to be read at once."""

    shapes: Mapping[str, type[Any]]
    """Content type -> its form, as an attrs class."""
    read: Callable[[Request], Awaitable[Any]]
    """From the request to what the handler gets; raises what :attr:`Operation.refuse` explains."""
    limit: int
    """Bytes."""
    at_once: int
    """Requests whose bodies may be in memory at one time; more are refused."""


@attrs.frozen
class Answer:
    """One way in which an operation succeeds."""

    shape: Any
    """The type of its JSON; ``bytes`` for what is none, ``str`` for text."""
    description: str = "Done."
    content_types: tuple[str, ...] = (JSON,)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Name -> what it says."""


@attrs.frozen
class Operation:
    """One method of one path."""

    method: str
    path: str
    """With its variable parts in braces: ``/plugins/{id}``."""
    handler: Handler
    tag: str
    answers: Mapping[int, Answer]
    """By status."""
    query: type[Any] | None = None
    """An attrs class: its fields are the parameters."""
    body: Body | Upload | None = None
    client_key: bool = False
    """Whether it takes ``X-Provider-Api-Key``: ``api_key`` is then a Secret or None."""
    scoped: bool = False
    """Whether it asks what the client may reach: ``scope`` is then a ``waav.security.tenancy.Scope``."""
    refuse: Callable[[Exception], Refused] = as_refused
    """How it says what went wrong."""
    refusals: frozenset[int] = frozenset()
    """Statuses of the errors that are its own, beside those that :attr:`errors` adds."""
    public: bool = False
    """Nobody needs a token for it, unless the operator has closed it too."""

    @property
    def name(self) -> str:
        """Unique: ``get_plugins_id``."""
        words = self.path.replace("/", " ").replace(".", " ").replace("-", " ")
        words = words.replace("{", "").replace("}", "")
        return "_".join([self.method.lower(), *(words.split() or ["root"])])

    @property
    def summary(self) -> str:
        """One line."""
        return cleandoc(self.handler.__doc__ or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """What there is to say beside the summary, one line for each paragraph."""
        rest = cleandoc(self.handler.__doc__ or "").partition("\n")[2]
        return "\n\n".join(" ".join(each.split()) for each in rest.strip().split("\n\n"))

    @property
    def upload(self) -> Upload | None:
        """Its body, if that is a large one."""
        return self.body if isinstance(self.body, Upload) else None

    @property
    def errors(self) -> list[int]:
        """The statuses of all its errors."""
        of_body = {400, 408, 413, 415} if self.body else set()
        of_schema = {422} if self.query or isinstance(self.body, Body) else set()
        of_key = {400, 403} if self.client_key else set()
        of_upload = {503} if self.upload else set()
        of_token = set() if self.public else {401, 502, 503}
        own = {*of_body, *of_schema, *of_key, *of_upload, *of_token}
        return sorted({*self.refusals, *own, 500})
