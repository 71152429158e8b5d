"""The Analytics API with an invented organisation: for a first try without a key, and for tests."""

from sources.sandbox.server import API_KEY, Received, Sandbox, serve

__all__ = ["API_KEY", "Received", "Sandbox", "serve"]
