"""Runs a loopback Slack as a process of its own: ``python -m tests.adapters.loopback_slack --port 8765``."""

import argparse
import asyncio
import json
import sys

from .slack import LoopbackSlack, serve_forever


def _announce(slack: LoopbackSlack) -> None:
    """Print one line of JSON: where it listens and what the app must be configured with."""
    document = {
        "control": f"{slack.workspace.base}/control",
        "base_url": slack.base_url,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
    }
    sys.stdout.write(f"{json.dumps(document)}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="loopback_slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve_forever(arguments.port, _announce))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
