"""The log of the pages' process: JSON lines on standard error that hold no text of anybody, for the bot to log."""

import json
import logging
import sys
import traceback
from pathlib import Path

_TEMPLATE_LENGTH = 200


class Terse(logging.Formatter):
    """Writes what was logged where, by which kind of error: the message's template alone, without what it is of."""

    def format(self, record: logging.LogRecord) -> str:
        """Give one line of JSON."""
        line = {
            "level": record.levelname.lower(),
            "logger": record.name,
            "said": str(record.msg)[:_TEMPLATE_LENGTH] if isinstance(record.msg, str) and record.args else "",
            "where": f"{Path(record.pathname).name}:{record.lineno}",
        }
        error = record.exc_info[1] if record.exc_info else None
        return json.dumps(line | (of_error(error) if error else {}))


def of_error(error: BaseException) -> dict[str, str]:
    """Give an error's kind and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return {"kind": type(error).__name__, "where": where}


def tell(event: str, **values: str) -> None:
    """Write a line of our own."""
    sys.stderr.write(json.dumps({"event": event} | values) + "\n")
    sys.stderr.flush()


def set_up() -> None:
    """Have all that is logged in this process written tersely; Streamlit's own handlers are taken away."""
    handler = logging.StreamHandler()
    handler.setFormatter(Terse())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "streamlit"]:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
