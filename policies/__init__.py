"""The policy pack: keeps applications on the shared WebSocket API, and the shared API healthy."""
