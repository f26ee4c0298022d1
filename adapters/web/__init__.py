"""The web pages as a front door: a process of its own that talks to the HTTP API alone, kept alive from here."""

from adapters.web.adapter import WebAdapter

__all__ = ["WebAdapter"]
