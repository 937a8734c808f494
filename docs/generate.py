"""Writes the parts of the pages that the code knows better: ``python docs/generate.py``.

Each part stands between two marks. The tests compare, so a page cannot fall behind.
"""  # noqa: INP001  # a script, no package

import ast
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from capabilities import Ability, Capability, Manifest
from waav.observe.families import FAMILIES
from waav.plugins import Origin, discover

ROOT = Path(__file__).parents[1]
PACKAGES = ("capabilities", "providers", "waav")


def tree() -> str:
    """Return every source file with the first line of its docstring, folder by folder."""
    files = sorted(
        (
            path.relative_to(ROOT)
            for package in PACKAGES
            for path in ROOT.glob(f"{package}/**/*.py")
        ),
        key=lambda path: (path.parent.parts, path.name),
    )
    lines = []
    for folder, inside in groupby(files, key=lambda path: path.parent):
        first, *others = inside  # "__init__.py" sorts before all letters
        lines += [f"**`{folder}/`**: {_purpose(first)}", ""]
        lines += [f"* `{path.name}`: {_purpose(path)}" for path in others]
        lines += [""] if others else []
    return "\n".join(lines)


def _purpose(path: Path) -> str:
    """The first line of a module's docstring, as Markdown."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    first = text.partition("\n")[0].replace("``", "`")
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", first)


def providers() -> str:
    """Return a table of what the built-in providers can do, one row for each capability."""
    columns = "id, does, also called, languages, models, sound, features, emotions, needs"
    head = columns.split(", ")
    rows = [head, ["---"] * len(head), *_rows()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def builtin() -> list[Manifest]:
    """Return the manifests of this distribution, sorted by id."""
    found = [each for each in discover().found if each.origin is Origin.BUILTIN]
    return sorted((each.manifest for each in found), key=lambda manifest: manifest.id)


def _rows() -> Iterator[list[str]]:
    for manifest in builtin():
        for capability, ability in sorted(manifest.abilities.items()):
            yield _row(manifest, capability, ability)


def _row(manifest: Manifest, capability: Capability, ability: Ability) -> list[str]:
    rates = ", ".join(map(str, ability.sample_rates)) or "any rate"
    return [
        f"`{manifest.id}`",
        capability,
        _listed(manifest.aliases),
        ", ".join(ability.languages),
        _listed(ability.models),
        f"{', '.join(ability.encodings)}; {rates}",
        _listed(ability.features),
        ", ".join(sorted(ability.expression.emotions)),
        _listed(manifest.credentials) or "nothing",
    ]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def metrics() -> str:
    """Return a table of all metrics."""
    rows = [
        ["name", "kind", "labels", "what"],
        ["---"] * 4,
        *([f"`{each.name}`", each.kind, _listed(each.labels), each.help] for each in FAMILIES),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "docs/architecture.md": {"tree": tree},
    "docs/providers/README.md": {"providers": providers},
    "docs/topics/observability.md": {"metrics": metrics},
}
"""By page: the names of its parts, and who writes them."""


def rewrite(page: str, parts: dict[str, Callable[[], str]]) -> str:
    """Return the text of a page with its parts written anew.

    Raises:
        ValueError: a part has not its two marks.
    """
    for name, write in parts.items():
        before, begin, rest = page.partition(f"<!-- generate: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->\n")
        if not end:
            raise ValueError(f"the page has not both marks of {name!r}")
        page = f"{before}{begin}\n{write().strip()}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    for target, parts in PARTS.items():
        path = ROOT / target
        path.write_text(rewrite(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
