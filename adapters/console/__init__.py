"""The terminal as a front door: a conversation, or one question."""

from adapters.console.adapter import ConsoleAdapter

__all__ = ["ConsoleAdapter"]
