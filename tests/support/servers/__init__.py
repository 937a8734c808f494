"""Vendors as tests need them: on real loopback ports, doing what a script says, right or wrong.

A script is a row of steps, and a step is any ``async def step(peer)``: the ready ones are values
(``Say("hello")``, ``Close(1011)``), a vendor's own are functions. Each connection of a WebSocket
server runs the next script, each request to an HTTP server the next answer; the last one repeats.
"""
