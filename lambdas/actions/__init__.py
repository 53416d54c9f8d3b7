"""What the websocket handler does, one module for each group of messages.

Every action takes its request and the exchange that it came in, and returns the answer or raises
Refusal. Reading, deciding and writing are apart in each: what decides has no I/O in it.
"""
