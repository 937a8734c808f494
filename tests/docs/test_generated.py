"""Pages say what the code says: nobody writes a list by hand that the code already has."""

import ast
import re
from pathlib import Path
from types import ModuleType

import attrs
import pytest

from waav.config import Providers
from waav.session import resolve

ROOT = Path(__file__).parents[2]
PROVIDERS = (ROOT / "docs/providers/README.md").read_text(encoding="utf-8")


@pytest.mark.pins("D286", "D326")
def test_the_pages_are_as_they_would_be_written_now(generate: ModuleType) -> None:
    """The list of providers among them: it comes from the manifests that the registry gets."""
    for page, parts in generate.PARTS.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert generate.rewrite(text, parts) == text, f"{page}: run python docs/generate.py"


@pytest.mark.pins("D286")
def test_every_provider_has_a_row_for_each_capability(generate: ModuleType) -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \|", generate.providers(), re.MULTILINE)
    assert rows == [
        (manifest.id, capability)
        for manifest in generate.builtin()
        for capability in sorted(manifest.abilities)
    ]
    assert {"pocketsphinx", "espeak"} <= {name for name, _ in rows}


def test_a_page_without_marks_is_refused(generate: ModuleType) -> None:
    part = {"tree": lambda: "new"}
    with pytest.raises(ValueError, match="both marks of 'tree'"):
        generate.rewrite("# Nothing here\n", part)
    old = "A\n<!-- generate: tree -->\nold\n<!-- end -->\nB\n"
    assert generate.rewrite(old, part) == old.replace("old", "\nnew\n")


@pytest.mark.pins("D326")
@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/providers/README.md"])
def test_no_list_names_a_vendor_that_is_not_there(generate: ModuleType, page: str) -> None:
    """A vendor whose keys can be configured already is not shown as one that can be used."""
    vendors = {field.name.split("_")[0] for field in attrs.fields(Providers)}
    assert {"deepgram", "azure"} <= vendors
    there = {name for manifest in generate.builtin() for name in (manifest.id, *manifest.aliases)}
    text = (ROOT / page).read_text(encoding="utf-8").lower()
    named = {vendor for vendor in vendors - there if re.search(rf"\b{vendor}\b", text)}
    assert named == set()


def test_the_features_are_those_that_are_used(generate: ModuleType) -> None:
    """Each is explained, and none that neither a manifest nor a session knows."""
    table = PROVIDERS.partition("## What the features mean")[2]
    explained = re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)
    claimed = {
        feature
        for manifest in generate.builtin()
        for ability in manifest.abilities.values()
        for feature in ability.features
    }
    assert sorted(explained) == sorted(claimed | set(resolve._FEATURE_OF_OPTION.values()))


def test_python_in_pages_can_be_read() -> None:
    for page in ROOT.glob("docs/**/*.md"):
        for block in re.findall(
            r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
        ):
            ast.parse(block)
