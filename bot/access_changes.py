"""The commands by which admins see and change, in a chat, who may do what: ``access`` and ``audit``."""

from typing import Any

from bot import audit as records
from bot.access import Access
from bot.access_rules import DIRECT, EVERYONE, EVERYTHING, EVERYWHERE, Rule
from bot.access_store import in_words, unreadable_in_words
from bot.access_words import HOW_TO, person_of, read_rules
from bot.audit import Audit
from bot.errors import NotAllowedError, QuestionError
from bot.messages import IncomingMessage, Place, Reply
from bot.pairing import Pairing

_ENTRIES, _MOST_ENTRIES = 20, 1_000
"""Entries of the audit that are shown, unless it is said how many, and at the most."""


class AccessChanges:
    """Shows the policy, and changes it by word of an admin.

    An admin by a role of one server or workspace rules there alone; who is named in `access.admins`, everywhere.
    """

    def __init__(self, access: Access, pairing: Pairing, audit: Audit) -> None:
        self._access = access
        self._pairing = pairing
        self._audit = audit

    async def show_or_change(self, message: IncomingMessage) -> Reply:
        """Do what the text says; with none, show the rules.

        Raises:
            QuestionError: it says nothing that can be done.
            NotAllowedError: it is about another server or workspace than the admin's.
        """
        verb, _, rest = message.text.strip().partition(" ")
        match verb.lower():
            case "" | "show":
                return await self._show(message)
            case "allow" | "deny":
                return await self._add(message)
            case "remove":
                return await self._remove(message, rest)
            case "pair":
                return await self._pair(message)
            case "unpair":
                return await self._unpair(message, rest)
        raise QuestionError("I see no change of access in that.", f"Write one of these: {HOW_TO}.")

    async def _show(self, message: IncomingMessage) -> Reply:
        policy = await self._access.rules.policy()
        rules = [rule for rule in policy.rules if self._may_see(message, rule)]
        told = [unreadable_in_words(number) for number in policy.unreadable] + [in_words(rule) for rule in rules]
        lines = "\n".join(f"- {line}" for line in told) or "- no rule: everybody may, wherever I am"
        text = f"Who may do what (deny wins; a place that an allow rule speaks of is closed to all others):\n\n{lines}"
        data = {
            "rules": [_document(rule) for rule in rules],
            "unreadable": list(policy.unreadable),
            **(await self._of_all_places() if self._access.is_operator(message) else {}),
        }
        return Reply(f"{text}\n\n{HOW_TO}.", ephemeral=True, data=data)

    async def tell_rules(self, message: IncomingMessage) -> Reply:
        """Show the rules to somebody who only looks, as a page does."""
        return await self._show(message)

    async def _of_all_places(self) -> dict[str, Any]:
        paired, codes = await self._pairing.listed()
        return {
            "admins": sorted(self._access.admins),
            "admin_roles": sorted(self._access.admin_roles),
            "paired": [{"id": one.person_id, "by": one.by, "at": one.at.isoformat()} for one in paired],
            "codes": codes,
        }

    def _may_see(self, message: IncomingMessage, rule: Rule) -> bool:
        wide = "/" not in rule.place or rule.place.endswith(f"/{DIRECT}")
        return wide or self._access.is_operator(message) or _is_within(rule.place, message.place)

    async def _add(self, message: IncomingMessage) -> Reply:
        rules = read_rules(message)
        for rule in rules:
            self._require_reach(message, rule.place)
            self._require_told(rule)
        added = await self._access.rules.add(rules, message.person_id)
        lines = "\n".join(f"- {in_words(rule)}" for rule in added)
        return Reply(f"From now on:\n\n{lines}", ephemeral=True, data={"rules": [rule.in_words for rule in added]})

    async def _remove(self, message: IncomingMessage, number: str) -> Reply:
        policy = await self._access.rules.policy()
        wanted = int(number) if number.strip().isdecimal() else 0
        if wanted in policy.unreadable and self._access.is_operator(message):
            await self._access.rules.remove(wanted)
            return Reply(f"Rule {wanted}, which could not be read, is gone.", ephemeral=True, data={"removed": wanted})
        rule = next((rule for rule in policy.rules if rule.number == wanted and wanted), None)
        if rule is None or not self._may_see(message, rule):
            raise QuestionError("There is no rule of that number.", "`access` shows them; the settings' have none.")
        self._require_reach(message, rule.place)
        await self._access.rules.remove(rule.number)
        return Reply(f"That no longer holds: {in_words(rule)}", ephemeral=True, data={"removed": rule.number})

    async def _pair(self, message: IncomingMessage) -> Reply:
        code = await self._pairing.new_code(message.place.platform, message.person_id)
        return Reply(
            f"`{code.text}` pairs one person, until {code.expires_at:%H:%M} UTC. Tell it them by another way;"
            f" they write to me directly: `pair {code.text}`",
            ephemeral=True,
            data={"code": code.text, "expires_at": code.expires_at.isoformat()},
        )

    async def _unpair(self, message: IncomingMessage, rest: str) -> Reply:
        named = [person_of(mention, message.place) for mention in message.mentions] or rest.split()
        # A pairing holds everywhere: an admin of one server takes back what came of their own codes.
        by = "" if self._access.is_operator(message) else message.person_id
        done = [person for person in named if await self._pairing.unpair(person, by)]
        if not done:
            how = " by a code of yours" if by else ""
            raise QuestionError(f"None of them has paired with me{how}.", "Name them: `access unpair @someone`.")
        return Reply(f"No longer paired: {', '.join(f'`{person}`' for person in done)}.", ephemeral=True)

    def _require_reach(self, message: IncomingMessage, where: str) -> None:
        """Let pass what lies within an admin's reach."""
        if not (self._access.is_operator(message) or _is_within(where, message.place)):
            raise NotAllowedError(
                "You are an admin here, not elsewhere.", "Rules for other places make those whom access.admins names."
            )

    def _require_told(self, rule: Rule) -> None:
        """Let pass whom the platform tells us: who is an admin of Slack's it tells where the settings ask for that."""
        if rule.who.startswith(("slack:admin", "slack:owner")) and rule.who not in self._access.roles_named:
            raise QuestionError(
                f"Slack does not tell me who is {rule.who}.",
                "That takes the scope users:read: name it in access.admin_roles, access.allow or access.deny.",
            )

    async def tell_audit(self, message: IncomingMessage) -> Reply:
        """Show the last uses of admin commands, those of this server or workspace alone to its own admins.

        Where the text is a number, so many of them.
        """
        within = "" if self._access.is_operator(message) else message.place.workspace_id
        number = message.text.strip()
        most = min(int(number), _MOST_ENTRIES) if number.isascii() and number.isdecimal() else _ENTRIES
        entries = await self._audit.entries(max(most, 1), within=within)
        return Reply(records.in_words(entries), ephemeral=True, data={"entries": records.document(entries)})


def _document(rule: Rule) -> dict[str, Any]:
    return {
        "number": rule.number,
        "rule": rule.in_words,
        "effect": rule.effect,
        "who": rule.who or EVERYONE,
        "where": rule.place or EVERYWHERE,
        "what": rule.command or EVERYTHING,
        "by": rule.by,
        "is_of_settings": not rule.number,
    }


def _is_within(where: str, place: Place) -> bool:
    workspace = place.workspace_id
    return bool(place.workspace) and (where == workspace or where.startswith(f"{workspace}/"))
