"""``python -m waav``: the same as ``waav``."""

from waav.cli.main import main

main()
