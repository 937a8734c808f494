"""Malformed messages and requests by the million, while a neighbour talks."""
