"""The protocol of ``/ws``: one WebSocket connection is one voice session.

Read ``schema`` (what a client may say), ``decode`` and ``encode`` (JSON and values), then
``connection`` (the loops around a session). The reference is docs/protocol/websocket.md.
"""
