"""Fixtures of the websocket handler's tests: a whole backend, and the handler without a socket."""

from tests.gateway.fixtures import backend, cognito, open_backend

__all__ = ["backend", "cognito", "open_backend"]
