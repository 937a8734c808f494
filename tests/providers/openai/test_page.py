"""The page says of every option what the code says."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from providers.openai.options import (
    OpenAILLMOptions,
    OpenAISettings,
    OpenAISTTOptions,
    OpenAITTSOptions,
)

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "openai.md"


@pytest.mark.parametrize(
    "kind", [OpenAISTTOptions, OpenAITTSOptions, OpenAILLMOptions, OpenAISettings]
)
def test_every_option_has_its_row_with_its_default(kind: type[Any]) -> None:
    rows = dict(
        line.split(" | ")[:2] for line in PAGE.read_text().splitlines() if line.startswith("| `")
    )
    own = [field for field in attrs.fields(kind) if not field.inherited]
    assert {f"| `{field.name}`": _shown(field.default) for field in own}.items() <= rows.items()


def _shown(default: object) -> str:
    if default is None:
        return "not set"
    if default in ((), ""):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
