"""Which plugin somebody means: an installed one by its name, a file by its path, ``module:NAME``."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import click

from capabilities import Manifest
from waav.config import Config, Providers
from waav.config.option import options
from waav.plugins import Discovery, RegistrationRefused, Registry, discover, normalise
from waav.plugins.reasons import reason_of
from waav.plugins.settings import settings_of
from waav.testing.bench import Subject

_VARIABLES = {option.path[-1]: option.env for option in options(Providers, ("providers",))}


def find(name: str, config: Config) -> Subject:
    """Return what a name, a path or ``module:NAME`` stands for, with all that it is configured to get.

    Raises:
        click.ClickException: there is nothing, or it cannot be imported; the message says why.
        SettingsMistake: its settings are wrong.
    """
    discovery = discover(config.plugins.plugin_dir)
    manifest = _given(name) or _known(name, discovery)
    registry = Registry()
    if not _registered(registry, manifest):
        return Subject(manifest)  # the score card says what is wrong with it
    for found in discovery.found:
        _registered(registry, found.manifest)
    return _subject(manifest, config, registry, ())


def _given(name: str) -> Manifest | None:
    """Import what is named by its place."""
    module, colon, attribute = name.partition(":")
    path = Path(name)
    if path.exists() or "/" in name or name.endswith(".py"):
        return _only(name, _manifests(_import_file(path)))
    if colon:
        found = getattr(_import(module, Path.cwd()), attribute, None)
        return _only(name, [] if found is None else [found])
    return None


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    path = path.parent if path.name == "__init__.py" else path
    is_file = path.suffix == ".py" and path.is_file()
    if not (is_file or (path / "__init__.py").is_file()):
        raise click.ClickException(f"{path} is neither a Python file nor a package")
    module = _import(path.stem, path.parent)
    if not str(module.__file__).startswith(str(path)):
        raise click.ClickException(f"{path} is hidden by a module of the same name: rename it")
    return module


def _import(module: str, folder: Path) -> ModuleType:
    """Import a module as a program in this folder would."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(module)
    # As in discovery: a module may raise anything while it is imported.
    except (Exception, SystemExit) as exc:
        raise click.ClickException(f"{module} cannot be imported: {reason_of(exc)}") from exc


def _manifests(module: ModuleType) -> Sequence[object]:
    if hasattr(module, "MANIFEST"):
        return [module.MANIFEST]
    return list(getattr(module, "MANIFESTS", ()))


def _only(name: str, found: Sequence[object]) -> Manifest:
    match found:
        case [Manifest() as manifest]:
            return manifest
        case [Manifest(), _, *_]:
            raise click.ClickException(f"{name} has several manifests: name one, as module:NAME")
        case _:
            raise click.ClickException(f"{name} has no MANIFEST (a capabilities.Manifest)")


def _known(name: str, discovery: Discovery) -> Manifest:
    wanted = normalise(name)
    manifests = [found.manifest for found in discovery.found]
    exact = [each for each in manifests if each.id == wanted]
    match exact or [each for each in manifests if wanted in map(normalise, each.aliases)]:
        case [manifest, *others] if exact or not others:
            return manifest
        case [_, *_] as several:
            ids = ", ".join(each.id for each in several)
            raise click.ClickException(f"{name!r} is a name of {ids}: say which")
        case _:
            raise click.ClickException(_unknown(name, discovery))


def _unknown(name: str, discovery: Discovery) -> str:
    for failure in discovery.failures:
        if normalise(failure.name) == normalise(name):
            return f"{failure.where} cannot be loaded: {failure.reason}"
    known = ", ".join(sorted({found.manifest.id for found in discovery.found}))
    return f"no plugin is called {name!r} (known: {known}); a file is given by its path"


def _registered(registry: Registry, manifest: Manifest) -> bool:
    try:
        registry.register(manifest)
    except RegistrationRefused:
        return False
    return True


def _subject(
    manifest: Manifest, config: Config, registry: Registry, above: tuple[str, ...]
) -> Subject:
    """Give it what the gateway would; ``above`` are those that require it."""
    by_id = {each.id: each for each in registry}
    path = (*above, manifest.id)
    lacks = list(_lacks(manifest, config, by_id, path))
    requires = tuple(
        _subject(by_id[id_], config, registry, path)
        for id_ in manifest.requires
        if id_ in by_id and id_ not in path
    )
    return Subject(
        manifest,
        settings_of(manifest, config.plugins.providers, registry).own,
        config.providers.credentials(manifest.credentials),
        requires,
        "; ".join([*lacks, *(each.lacks for each in requires if each.lacks)]),
    )


def _lacks(
    manifest: Manifest, config: Config, by_id: dict[str, Manifest], path: tuple[str, ...]
) -> Iterator[str]:
    for key in config.providers.missing(manifest.credentials):
        if variable := _VARIABLES.get(key):
            yield f"it needs {key}: set it under [providers], or {variable} in the environment"
        else:
            yield f"it needs {key}, which is no key of [providers]"
    for id_ in manifest.requires:
        if id_ in path:
            yield f"it requires itself: {' -> '.join((*path, id_))}"
        elif id_ not in by_id:
            yield f"it requires the plugin {id_}, which is not installed"
