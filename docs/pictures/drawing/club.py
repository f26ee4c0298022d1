"""The physics club in whose server and workspace the pictures play: what its Preceptor is set to, and its own files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.settings import Settings

QUESTION = "What is Ohm's law?"
FOLLOW_UP = "what about semiconductors?"
THREAD_QUESTION = "What is a capacitor?"
THREAD_FOLLOW_UP = "and its unit?"
PRIVATE_QUESTION = "What is entropy?"
HARD_QUESTION = "Why is the sky blue?"
UNKNOWN = "how do lasers cut steel?"

_RULES = "# Club rules\n\n## Keys\n\nThe key to the laboratory hangs in the porter's office.\n"
_LOANS = "# Loans\n\n## Oscilloscope\n\nThe oscilloscope may be borrowed for a week; ask Grace.\n"
_BROKEN = (
    '[{"question": "Where do we meet?", "answer": "In room 12."},\n {"question": "When?" "answer": "At seven."}]\n'
)


def settings(folder: Path, **sections: Mapping[str, Any]) -> Settings:
    """Give settings under which everything stays in `folder`, and the starter and the club's rules are known."""
    own = folder / "club"
    own.mkdir()
    (own / "rules.md").write_text(_RULES, encoding="utf-8")
    known = {"sources": ("starter", str(own))}
    whole = {"data_directory": folder / "data", "knowledge": known, "http": {"enabled": False}, **sections}
    return Settings.model_validate(whole)


def add_files(folder: Path) -> None:
    """Put a file into the club's folder, and one with a comma missing."""
    (folder / "club" / "loans.md").write_text(_LOANS, encoding="utf-8")
    (folder / "club" / "faq.json").write_text(_BROKEN, encoding="utf-8")
