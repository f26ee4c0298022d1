"""The policy of access: what the rules together say. Deny wins, and what is not known is denied.

For each thing that somebody wants to do somewhere, in this order:

======================================================================  =======
the author is an admin (see `bot.access`)                               allowed
a rule cannot be read                                                   denied
a deny rule concerns them, or it is not known whether it does           denied
an allow rule concerns them                                             allowed
other allow rules speak of this place and this command                  denied
the command is for admins                                               denied
otherwise                                                               allowed
======================================================================  =======

So with no rule everybody may ask; the first allow rule for a place closes it to all whom none names. Direct messages
are a place like others: ``off`` is the rule "deny everyone in direct", ``pairing`` "allow paired in direct".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access_rules import DIRECT, PAIRED, Asker, Rule, is_for_admins


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules that hold, and the numbers of those in the database that cannot be read."""

    rules: tuple[Rule, ...] = ()
    unreadable: tuple[int, ...] = ()

    def allows(self, asker: Asker, commands: Sequence[str]) -> bool | None:
        """Say whether somebody may do all of this; None where that hangs on what is not known of them."""
        verdicts = {self._verdict(asker, command) for command in commands}
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def _verdict(self, asker: Asker, command: str) -> bool | None:
        if self.unreadable:
            return False
        denied = {rule.concerns(asker, command) for rule in self.rules if rule.effect == "deny"}
        if True in denied:
            return False
        allowed = self._admitted(asker, command)
        return allowed if allowed is False or None not in denied else None

    def _admitted(self, asker: Asker, command: str) -> bool | None:
        allowing = [rule for rule in self.rules if rule.effect == "allow"]
        concerned = {rule.concerns(asker, command) for rule in allowing}
        if True in concerned:
            return True
        if None in concerned:
            return None
        covered = {rule.covers(asker, command) for rule in allowing}
        if True in covered or is_for_admins(command):
            return False
        return None if None in covered else True

    @property
    def names_paired(self) -> bool:
        """Whether anything hangs on who has paired."""
        return any(rule.who == PAIRED for rule in self.rules)

    def asks_for_pairing(self, asker: Asker) -> bool:
        """Say whether whoever pairs may do more in this place, which is a direct message."""
        pairing = (rule for rule in self.rules if rule.effect == "allow" and rule.who == PAIRED)
        return asker.place.is_direct and any(asker.is_in(rule.place) for rule in pairing)


def direct_messages(platform: str, mode: str) -> tuple[Rule, ...]:
    """Give the rules that "on", "off" or "pairing" stands for; the platform may be empty for all of them."""
    place = f"{platform}/{DIRECT}" if platform else DIRECT
    rules = {"off": (Rule("deny", place=place),), "pairing": (Rule("allow", PAIRED, place),)}
    return rules.get(mode, ())
