"""The stack behind the gateway, as these tests use it."""

from tests.gateway.fixtures import backend, cognito, open_backend

__all__ = ["backend", "cognito", "open_backend"]
