"""BCP-47 tags of sessions -> the language codes of the vendor (ISO 639-1 or 639-3)."""

_ANY = {"", "auto", "multi", "mul", "und"}


def language_code(tag: str | None) -> str | None:
    """Return the code for a tag: its language without the region. None leaves it to the vendor.

    The vendor has one code for all forms of a language, so ``en-US`` and ``en-GB`` are both ``en``.
    """
    code = (tag or "").replace("_", "-").partition("-")[0].strip().lower()
    return None if code in _ANY else code
