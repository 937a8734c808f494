"""Writes the project of a new plugin: templates filled in, all files or none."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from shutil import rmtree
from string import Template

import attrs

from capabilities import Capability

_SUFFIX = ".tmpl"
_TEMPLATES = files("waav.cli") / "templates"


@attrs.frozen
class Kind:
    """What can be begun with ``waav plugins new --kind``."""

    what: str
    """What it is, for people."""
    does: str
    """What the first version of it can do."""
    contract: str
    """The name of the Protocol in ``capabilities``."""
    rules: str
    """The module that decides."""


KINDS = {
    Capability.STT: Kind(
        "speech to text", "For a start, it writes a word for each loud stretch.", "STT", "loudness"
    ),
    Capability.TTS: Kind(
        "text to speech", "For a start, it says each word as a tone.", "TTS", "tones"
    ),
    Capability.VAD: Kind(
        "voice activity detection", "For a start, it takes what is loud for a voice.", "VAD", "gate"
    ),
    Capability.WS_HANDLER: Kind(
        "messages of clients to a plugin", "For a start, it keeps notes.", "WSHandler", "notes"
    ),
    Capability.MIDDLEWARE: Kind(
        "middleware around requests", "For a start, it closes some paths.", "Middleware", "paths"
    ),
}


def package_of(id_: str) -> str:
    """Return the name of the package for a plugin of this id."""
    return f"waav_{id_.replace('-', '_')}"


def project(id_: str, kind: Capability) -> dict[str, str]:
    """Return the files of a new project: their paths within it, and what is in them."""
    package = package_of(id_)
    title = id_.replace("-", " ").title()
    words = {"id": id_, "package": package, "title": title, "kind": str(kind)}
    words |= attrs.asdict(KINDS[kind])
    return {
        _place(each.name.removesuffix(_SUFFIX), package): _filled(each, words)
        for folder in ("common", str(kind))
        for each in sorted((_TEMPLATES / folder).iterdir(), key=lambda each: each.name)
    }


def _place(name: str, package: str) -> str:
    match name:
        case "pyproject.toml" | "README.md":
            return name
        case "test_plugin.py":
            return f"tests/{name}"
        case _:
            return f"{package}/{name}"


def _filled(template: Traversable, words: dict[str, str]) -> str:
    return Template(template.read_text(encoding="utf-8")).substitute(words)


def write(folder: Path, project: dict[str, str]) -> None:
    """Write the files into a folder that is made for them.

    Raises:
        FileExistsError: the folder is there already.
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True)
    try:
        for name, text in project.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
