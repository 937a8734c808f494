"""Speaks HTTP and WebSocket to clients; everything it knows of speech comes from ``waav.gateway``."""
