"""Draws what Preceptor sends to Discord and Slack, in a look that resembles theirs."""
