"""What must be true between options, whatever source they come from. Looks at the disk, no more."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path

import attrs

from capabilities.auth import LONGEST_ID, is_id
from waav.config.auth import LONGEST_TOKEN, Auth, Jwt, is_token
from waav.config.common import MAX_SESSIONS, max_sessions
from waav.config.expected import Expected, is_url
from waav.config.option import Steps
from waav.config.outbound import read_host
from waav.config.pending import Sip
from waav.config.schema import Config

_SECRET_LENGTH = 16
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ORIGIN = re.compile(
    r"(?!wss?:|file:)(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)
_PORTS = {"http": "80", "https": "443"}
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_SEPARATOR = re.compile(r"[!-/:-@\[-`{-~]{1,8}")


@attrs.frozen
class Mistake:
    """A rule that is broken."""

    path: Steps
    message: str
    because: Steps = ()
    """The option that makes the rule apply, if the one with the mistake may not be set at all."""


def check(config: Config) -> Iterator[Mistake]:
    """Yield every broken rule of a configuration, wherever it was made."""
    yield from _tls(config)
    yield from _idle(config)
    yield from _metrics(config)
    yield from _plugin_dir(config)
    yield from _max_sessions(config)
    yield from _networks(("server", "trusted_proxies"), config.server.trusted_proxies)
    yield from _proxy_protocol(config)
    yield from _origins(config.security.cors_allowed_origins)
    yield from _outbound(config.outbound.allow_hosts)
    yield from _auth(config.auth)
    if config.sip != Sip():
        yield from _sip(config.sip)


def cautions(config: Config) -> Iterator[Mistake]:
    """Yield what is no mistake, and may still be other than the operator means."""
    auth = config.auth
    ids = [] if auth.room_scope == "metadata" else [entry.id for entry in auth.api_secrets]
    for index, id_ in enumerate(ids):
        if any(id_.startswith(other + auth.scope_separator) for other in ids):
            path = ("auth", "api_secrets", index, "id")
            yield Mistake(path, "rooms of a shorter id can begin like this; see scope_separator")


def _tls(config: Config) -> Iterator[Mistake]:
    tls, path = config.server.tls, ("server", "tls")
    if not tls.enabled:
        return
    for name in ("cert_path", "key_path"):
        file = getattr(tls, name)
        if file is None:
            yield Mistake((*path, name), "is required when TLS is on", (*path, "enabled"))
        else:
            yield from _readable((*path, name), file)


def _proxy_protocol(config: Config) -> Iterator[Mistake]:
    if config.server.proxy_protocol and not config.server.trusted_proxies:
        path = ("server", "trusted_proxies")
        message = "expected one address at least, or nobody could connect"
        yield Mistake(path, message, ("server", "proxy_protocol"))


def _readable(path: Steps, file: Path) -> Iterator[Mistake]:
    try:
        with file.open("rb"):
            return
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        yield Mistake(path, f"expected a file that can be read: {reason}")


def _idle(config: Config) -> Iterator[Mistake]:
    if config.websocket.idle_jitter_seconds >= config.websocket.idle_timeout_seconds:
        path = ("websocket", "idle_jitter_seconds")
        because = ("websocket", "idle_timeout_seconds")
        yield Mistake(path, "expected less than idle_timeout_seconds", because)


def _metrics(config: Config) -> Iterator[Mistake]:
    if not _PATH.fullmatch(config.metrics.path):
        yield Mistake(("metrics", "path"), "expected a path such as /metrics")


def _plugin_dir(config: Config) -> Iterator[Mistake]:
    folder = config.plugins.plugin_dir
    if folder is not None and not folder.is_dir():
        yield Mistake(("plugins", "plugin_dir"), "expected a folder that exists")


def _max_sessions(config: Config) -> Iterator[Mistake]:
    for name, table in config.plugins.providers.items():
        try:
            max_sessions(table)
        except Expected as mistake:
            path = ("plugins", "providers", name, MAX_SESSIONS)
            yield Mistake(path, f"expected {mistake.what}")


def _origins(origins: tuple[str, ...]) -> Iterator[Mistake]:
    path = ("security", "cors_allowed_origins")
    for index, origin in enumerate(origins):
        if origin == "*" and len(origins) > 1:
            yield Mistake((*path, index), "expected * to stand alone")
        elif origin != "*" and not _is_origin(origin):
            message = "expected an origin as browsers write it, such as https://app.example.com"
            yield Mistake((*path, index), message)


def _outbound(entries: tuple[str, ...]) -> Iterator[Mistake]:
    for index, entry in enumerate(entries):
        try:
            read_host(entry)
        except ValueError:
            path = ("outbound", "allow_hosts", index)
            yield Mistake(path, "expected a name, *.name, an address, or a network")


def _is_origin(text: str) -> bool:
    """Tell whether a browser could say this, but for the case of letters.

    It says no path, no user, no port that the scheme implies, and names of hosts in ASCII. Some pages
    are those of an app: ``capacitor://localhost``.
    """
    match = _ORIGIN.fullmatch(text.lower())
    return match is not None and _PORTS.get(match["scheme"], "") != match["port"]


def _auth(auth: Auth) -> Iterator[Mistake]:
    if auth.required and not auth.methods:
        message = "expected api_secrets, service_url, [auth.jwt] or a plugin among strategies"
        yield Mistake(("auth", "required"), message)
    yield from _auth_service(auth)
    if not _SEPARATOR.fullmatch(auth.scope_separator):
        message = "expected 1 to 8 characters such as _ or : (no letters, digits or blanks)"
        yield Mistake(("auth", "scope_separator"), message)
    yield from _jwt(auth.jwt)
    yield from _api_secrets(auth)


def _jwt(jwt: Jwt) -> Iterator[Mistake]:
    path = ("auth", "jwt", "key_path")
    if jwt.key_path is None:
        return
    if jwt.jwks_url is not None:
        yield Mistake(path, "expected either this or jwks_url", ("auth", "jwt", "jwks_url"))
    yield from _readable(path, jwt.key_path)


def _api_secrets(auth: Auth) -> Iterator[Mistake]:
    places: list[tuple[Steps, Steps]] = [
        (("auth", "api_secrets", index, "id"), ("auth", "api_secrets", index, "secret"))
        for index, _ in enumerate(auth.api_secrets)
    ]
    places = places or [(("auth", "api_secret_id"), ("auth", "api_secret"))]
    for (id_path, secret_path), entry in zip(places, auth.secrets, strict=False):
        if not entry.id:
            yield Mistake(id_path, "expected text that is not blank")
        elif not is_id(entry.id):
            yield Mistake(id_path, f"expected at most {LONGEST_ID} printable characters")
        if not entry.secret:
            yield Mistake(secret_path, "expected text that is not blank")
        elif not is_token(entry.secret.reveal()):
            # Nobody could ever show it.
            yield Mistake(secret_path, f"expected at most {LONGEST_TOKEN} bytes, all printable")
    yield from _unique("id", [entry.id.casefold() for entry in auth.api_secrets])
    yield from _unique("secret", [entry.secret.reveal() for entry in auth.api_secrets])


def _auth_service(auth: Auth) -> Iterator[Mistake]:
    service, key = ("auth", "service_url"), ("auth", "signing_key_path")
    if auth.signing_key_path is None:
        if auth.service_url is not None:
            yield Mistake(key, "is required together with service_url", service)
        return
    if auth.service_url is None:
        yield Mistake(service, "is required together with signing_key_path", key)
    yield from _readable(key, auth.signing_key_path)


def _unique(name: str, texts: list[str]) -> Iterator[Mistake]:
    for index in _repeated(texts):
        path = ("auth", "api_secrets", index, name)
        yield Mistake(path, f"expected another {name} than those above")


def _repeated(texts: Iterable[str]) -> Iterator[int]:
    seen: Counter[str] = Counter()
    for index, text in enumerate(texts):
        if text and seen[text]:
            yield index
        seen[text] += 1


def _sip(sip: Sip) -> Iterator[Mistake]:
    if sip.room_prefix is None:
        yield Mistake(("sip", "room_prefix"), "is required as soon as SIP is set up")
    elif not _NAME.fullmatch(sip.room_prefix):
        yield Mistake(("sip", "room_prefix"), "expected letters, digits, - and _ only")
    if not sip.allowed_addresses:
        yield Mistake(("sip", "allowed_addresses"), "expected one address at least")
    yield from _networks(("sip", "allowed_addresses"), sip.allowed_addresses)
    if sip.hook_secret is not None and len(sip.hook_secret.reveal()) < _SECRET_LENGTH:
        yield Mistake(("sip", "hook_secret"), f"expected {_SECRET_LENGTH} characters or more")
    yield from _hooks(sip)


def _networks(path: Steps, texts: Iterable[str]) -> Iterator[Mistake]:
    for index, text in enumerate(texts):
        if not _is_network(text):
            message = "expected an IP address or a network such as 192.0.2.0/24"
            yield Mistake((*path, index), message)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _hooks(sip: Sip) -> Iterator[Mistake]:
    schemes = ("https", "http") if sip.allow_insecure_hooks else ("https",)
    for index, hook in enumerate(sip.hooks):
        path = ("sip", "hooks", index)
        if not hook.host:
            yield Mistake((*path, "host"), "expected text that is not blank")
        if not is_url(hook.url, schemes):
            yield Mistake((*path, "url"), f"expected a URL that begins with {schemes[0]}://")
        if hook.secret is None:
            if sip.hook_secret is None:
                yield Mistake((*path, "secret"), "is required where there is no hook_secret")
        elif len(hook.secret.reveal()) < _SECRET_LENGTH:
            yield Mistake((*path, "secret"), f"expected {_SECRET_LENGTH} characters or more")
    for index in _repeated(hook.host for hook in sip.hooks):
        yield Mistake(("sip", "hooks", index, "host"), "expected another host than those above")
