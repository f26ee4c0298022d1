"""The examination of a set-up: every check gives findings, each with a verdict, what it means and the fix."""

from bot.examination.findings import Examination, Examined, Finding, Verdict
from bot.examination.running import examine

__all__ = ["Examination", "Examined", "Finding", "Verdict", "examine"]
