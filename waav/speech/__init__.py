"""Text on its way to a voice: words, pieces, feelings, formats; and what was said before."""
