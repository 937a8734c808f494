"""Whole conversations, spoken to the real gateway in real time: how turns and interruptions turn out."""
