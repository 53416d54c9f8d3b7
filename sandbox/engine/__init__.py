"""The built-in engine: runs a Pulumi Python program without the Pulumi CLI."""

from sandbox.engine.builtin import BuiltinEngine

__all__ = ["BuiltinEngine"]
