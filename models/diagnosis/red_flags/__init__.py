"""Finds signs of an emergency in what people write, by rules: before any classifier, and whatever it says."""

from functools import cached_property

from models.diagnosis.contract import RedFlag
from models.diagnosis.red_flags.mentions import Mentions
from models.diagnosis.red_flags.rules import Rules, read_rules
from models.diagnosis.red_flags.tokens import words_of

__all__ = ["RedFlags"]


class RedFlags:
    """Looks for signs of an emergency in English texts.

    The rules are data (`rules/*.toml`, `words.toml`). They bear with typos, endings and chat spellings, and do not
    count what is denied, asked about in general, long past, or said of an animal or a thing. Where in doubt they raise.
    No flag is no all-clear: rules know what their writers thought of.
    """

    def of(self, text: str) -> tuple[RedFlag, ...]:
        """Give the flags of a text, in the order of the rules; takes time linear in the text's length.

        Args:
            text: anything, of any length.
        """
        found = Mentions(words_of(text), self._rules)
        return tuple(rule.flag for rule in self._rules.rules if any(found.raises(way, rule) for way in rule.ways))

    @cached_property
    def _rules(self) -> Rules:
        return read_rules()
