"""Decodes pictures in a process of its own, so that whatever is uploaded cannot take the bot down."""
