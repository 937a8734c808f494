"""No key that could open anything lies in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

_LOOKS = (
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS
    r"\bsk-[A-Za-z0-9_-]{32,}",  # OpenAI and others
    r"\b[sp]k_(?:live_)?[0-9a-zA-Z]{24,}",  # ElevenLabs, Cartesia, Stripe
    r"\bgsk_[0-9A-Za-z]{40,}",  # Groq
    r"\bAIza[0-9A-Za-z_-]{35}",  # Google
    r"\bgh[pousr]_[0-9A-Za-z]{36}",  # GitHub
    r"\bxox[abprs]-[0-9A-Za-z-]{20,}",  # Slack
    r"\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}",  # a signed token
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64}",
    # Whatever is called a key, is long, and has both letters and digits.
    r"(?i:(?:api|access|subscription)[_-]?key|secret|token|password)\w*\W{1,5}(?=[\w+/-]*\d)[\w+/-]{32,}",
)
_KEY = re.compile("|".join(_LOOKS))


@pytest.mark.pins("D323")
def test_no_file_holds_a_real_looking_key(root: Path) -> None:
    """All that is in git, and all that would be with the next ``git add``."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git repository")
    files = [root / name for name in listing.stdout.split("\0") if name]
    assert len(files) > 100
    assert [path for path in files if path.is_file() and _KEY.search(_text(path))] == []


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(
    "planted",
    [
        "AKIA" + "Q7RT" * 4,
        'openai = "sk-' + "aB3d" * 10,
        "AIza" + "x9Y-_" * 7,
        "eyJ" + "hbGciOi" * 3 + ".eyJ" + "zdWIiOi" * 3 + "." + "Ab1_-" * 6,
        "-----BEGIN PRIVATE" + " KEY-----\n" + "MIIEvQ+/" * 9,
        "DEEPGRAM_API_KEY=" + "9f3b" * 10,
        '"secret": "' + "0a1b2c3d" * 4 + '"',
    ],
)
def test_a_planted_key_is_found(planted: str) -> None:
    assert _KEY.search(planted)


@pytest.mark.parametrize(
    "harmless",
    ['api_key = Secret("made-up")', "DEEPGRAM_API_KEY=...", "secret: ${VAULT_SECRET}"],
)
def test_a_placeholder_is_none(harmless: str) -> None:
    assert not _KEY.search(harmless)


def test_local_settings_stay_local(root: Path) -> None:
    assert ".env" in (root / ".gitignore").read_text(encoding="utf-8").splitlines()
