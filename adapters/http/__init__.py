"""The HTTP API as a front door: JSON and server-sent events in and out, nothing decided."""

from adapters.http.adapter import HttpAdapter

__all__ = ["HttpAdapter"]
