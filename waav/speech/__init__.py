"""Text on its way to a voice: pronunciations, and later sentences and feelings."""
