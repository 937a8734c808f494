"""What belongs to whom: from who comes to the names that they may use and the things that they see. No I/O.

Rooms and recordings live at other servers, and know us by their names only. So a tenant's id stands
in these names, and the rules here are the only ones that write it there or read it from there.
"""

import unicodedata
from collections.abc import Iterable
from typing import Protocol, Self, TypeVar

import attrs

from capabilities import Principal
from waav.config.auth import Auth, ambiguous
from waav.errors import Forbidden, InvalidRequest
from waav.security.json_text import read_json

LONGEST_ROOM = 256
"""Bytes of a room's name, as a client gives it."""
LONGEST_STREAM = 256
"""Bytes of a stream's id."""
OWNER = "auth_id"
"""The key of a room's metadata that says whose it is."""


class Room(Protocol):
    """A room as the server of rooms lists it."""

    @property
    def name(self) -> str:
        """Its whole name."""
        ...

    @property
    def metadata(self) -> str:
        """JSON, or anything else."""
        ...


R = TypeVar("R", bound=Room)


@attrs.frozen
class Tenancy:
    """The rules of one gateway; without arguments nobody has to say who they are, and nobody can."""

    required: bool = False
    """Who has no id gets nothing that belongs to somebody."""
    closed: bool = False
    """There are tenants. If not, whoever comes is the operator, and sees all."""
    ids: frozenset[str] = frozenset()
    """Those that the operator has written down. Others come with tokens, and nobody can list them."""
    separator: str = "_"
    by_metadata: bool = False
    """A room's metadata says whose it is, and its name is what the client calls it."""

    @classmethod
    def of(cls, auth: Auth) -> Self:
        """Return the rules that the operator has set."""
        return cls(
            required=auth.required,
            closed=bool(auth.methods),
            ids=frozenset(entry.id for entry in auth.secrets),
            separator=auth.scope_separator,
            by_metadata=auth.room_scope == "metadata",
        )

    def scope(self, principal: Principal | None) -> "Scope":
        """Return what somebody may reach; None is somebody whom nobody knows."""
        return Scope(principal.id if principal else None, self)

    def owner(self, name: str, metadata: str, tenant: str | None = None) -> str | None:
        """Return whose a room is; None if it is nobody's.

        By name it belongs to the longest id that it begins with, of those that are configured and
        of ``tenant``: ``a_b_c`` is a room of ``a_b`` where there is one, and else of ``a``.
        """
        if self.by_metadata:
            return _owner_in(metadata)
        known = self.ids if tenant is None else self.ids | {tenant}
        fitting = (each for each in known if name.startswith(each + self.separator))
        return max(fitting, key=len, default=None)

    def has_rooms(self, tenant: str) -> bool:
        """Tell whether no other tenant can have a room of the same name.

        Whoever is called ``a_b`` by a token, and is not configured, would have the rooms of ``a`` that
        begin with ``b_``.
        """
        return self.by_metadata or tenant in self.ids or not ambiguous(tenant, self.separator)


@attrs.frozen
class Scope:
    """What one client may reach. Made by :meth:`Tenancy.scope`."""

    tenant: str | None = None
    """None: nobody in particular."""
    _rules: Tenancy = Tenancy()

    def check(self) -> None:
        """Let pass who has said who they are, if they have to.

        Raises:
            Forbidden: they have not.
        """
        if self.tenant is None and self._rules.required:
            raise Forbidden("This needs a token that says whose it is")

    def room_name(self, wanted: str) -> str:
        """Return the whole name of a room that a client asks for; a whole name stays as it is.

        Whoever makes the room writes :attr:`room_metadata` into it; whoever finds it there already
        asks :meth:`owns_room` first.

        Raises:
            InvalidRequest: it is empty, too long, or not printable.
            Forbidden: it is somebody else's, or whose it is cannot be said.
        """
        self._check_rooms()
        prefix = self._prefix
        name = wanted if wanted.startswith(prefix) else prefix + wanted
        _check_room(name.removeprefix(prefix))
        if not self._rules.by_metadata and not self.owns_room(name):
            raise Forbidden("This room belongs to somebody else")
        return name

    @property
    def room_metadata(self) -> dict[str, str]:
        """What must stand in the metadata of a room that is made for this client, beside the rest."""
        return {OWNER: self.tenant} if self._rules.by_metadata and self.tenant else {}

    def owns_room(self, name: str, metadata: str = "") -> bool:
        """Tell whether a room is this client's.

        Raises:
            Forbidden: this client has to say who it is, and does not; or it cannot have rooms.
        """
        self._check_rooms()
        return self.owns(self._rules.owner(name, metadata, self.tenant))

    def own_rooms(self, rooms: Iterable[R]) -> list[R]:
        """Return those of a listing that are this client's, under their whole names.

        Raises:
            Forbidden: as :meth:`owns_room`, also where there is none.
        """
        self._check_rooms()
        return [room for room in rooms if self.owns_room(room.name, room.metadata)]

    def recording_key(self, stream_id: str, prefix: str | None = None) -> str:
        """Return the key of a recording: ``[prefix/][<id>/]<stream_id>/audio.ogg``.

        Raises:
            InvalidRequest: the id of the stream leads somewhere else.
            Forbidden: whose it is cannot be said.
        """
        self.check()
        if not is_path_part(stream_id) or len(stream_id.encode()) > LONGEST_STREAM:
            raise InvalidRequest("Invalid stream_id format", code="invalid_stream_id")
        if self.tenant is not None and not is_path_part(self.tenant):
            raise Forbidden("The id of this tenant cannot be a part of a recording's name")
        return "/".join(filter(None, (prefix, self.tenant, stream_id, "audio.ogg")))

    def owns(self, owner: str | None) -> bool:
        """Tell whether a thing is this client's that says whose it is; None: it is nobody's.

        Raises:
            Forbidden: this client has to say who it is, and does not.
        """
        self.check()
        return owner == self.tenant or self.is_operator

    def may_use(self, owner: str | None) -> bool:
        """Tell whether a thing of the operator's is there for this client: what is nobody's is, for all."""
        return owner is None or owner == self.tenant or self.is_operator

    @property
    def is_operator(self) -> bool:
        """There are no tenants, and whoever comes sees all."""
        return not self._rules.closed

    @property
    def _prefix(self) -> str:
        if self.tenant is None or self._rules.by_metadata:
            return ""
        return self.tenant + self._rules.separator

    def _check_rooms(self) -> None:
        self.check()
        if self.tenant is not None and not self._rules.has_rooms(self.tenant):
            separator = self._rules.separator
            raise Forbidden(f"A tenant with {separator!r} in its id cannot have rooms here")


def _check_room(name: str) -> None:
    if not name.strip():
        raise InvalidRequest("A room needs a name", code="invalid_room_name")
    # Printable comes first: what JSON can hold beyond that cannot always be encoded.
    if not name.isprintable() or len(name.encode()) > LONGEST_ROOM:
        text = f"The name of a room has at most {LONGEST_ROOM} bytes, all printable"
        raise InvalidRequest(text, code="invalid_room_name")


def is_path_part(text: str) -> bool:
    """Tell whether a text can be one part of a path and lead nowhere else."""
    leads_away = not text.strip(".") or ".." in text or "/" in text or "\\" in text
    return not leads_away and not any(unicodedata.category(each) in {"Cc", "Cs"} for each in text)


def _owner_in(metadata: str) -> str | None:
    try:
        told = read_json(metadata.encode(errors="replace"))
    except ValueError:
        return None
    owner = told.get(OWNER) if isinstance(told, dict) else None
    return owner if isinstance(owner, str) else None
