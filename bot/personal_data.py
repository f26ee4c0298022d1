"""The commands `forget` and `export`: of one's own data, and for admins on somebody's behalf."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.access import Access
from bot.access_rules import known_person
from bot.audit import Audit
from bot.conversations import Conversations
from bot.delivery import inbox_key
from bot.errors import NotAllowedError, QuestionError
from bot.export import Export
from bot.forgetting import Forgetting
from bot.knowledge_desk import counted
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.place_names import PLATFORMS

_CONFIRMED = "yes"

_USER = "user"

_NAMED = re.compile(rf"({_USER}|{'|'.join(PLATFORMS)}):(\S{{1,200}})")

_NOBODY = "That names nobody whom I could look for."

_FIX = "Mention one person, or name them as `user:ID`."


@dataclass(frozen=True, slots=True)
class _Whose:
    """Whose data is meant.

    Attributes:
        person_id: ``platform:id``.
        within: the beginning of the place ids that count; empty for all.
        by_admin: whether somebody else asks, on their behalf.
    """

    person_id: str
    within: str = ""
    by_admin: bool = False


class PersonalData:
    """Forgets people, and hands out what is kept of them.

    Whoever the settings name as an admin, or who holds an admin key, or runs this machine, acts for everybody
    everywhere. Who is an admin by a role acts for the people of their server or workspace, in what was said there.

    Args:
        forgetting: deletes.
        export: collects.
        conversations: finds the one that is meant.
        access: who is an admin.
        audit: where it is written down what is done on somebody's behalf.
        spelled: gives a command as people write it in a place.
        forget_elsewhere: takes a person's id out of what is kept outside the database; wherever that was.
    """

    def __init__(
        self,
        forgetting: Forgetting,
        export: Export,
        conversations: Conversations,
        access: Access,
        audit: Audit,
        spelled: Callable[[Place, str], str],
        forget_elsewhere: Callable[[str], Awaitable[None]],
    ) -> None:
        self._forget_elsewhere = forget_elsewhere
        self._forgetting = forgetting
        self._export = export
        self._conversations = conversations
        self._access = access
        self._audit = audit
        self._spelled = spelled

    async def forget(self, message: IncomingMessage) -> Reply:
        """Forget one conversation where the platform names it, else a person, after that was confirmed.

        Raises:
            ConversationNotFoundError: there is no such conversation of the author's.
            NotAllowedError: it is about somebody else, and the author is no admin.
            QuestionError: it names nobody.
        """
        if message.conversation_id:
            await self._forgetting.conversation(await self._conversations.continued_by(message))
            return Reply("That conversation is deleted.", ephemeral=True)
        whose = await self._whose(message, "forget")
        is_confirmed = message.text.lower().split()[-1:] == [_CONFIRMED]
        count = await self._forgetting.count(whose.person_id, whose.within, but_for=inbox_key(message))
        if not is_confirmed and count is not None:
            return self._asked_back(message, whose, count)
        if count is None and whose.by_admin and not is_confirmed:
            return Reply(f"I keep nothing of `{whose.person_id}`{_here(whose)}.", ephemeral=True, data=_figures(0))
        if not whose.by_admin:
            # Who never asked anything has left events all the same, this one among them.
            await self._forget(whose)
            return _forgotten(whose, count)
        # Whom it was about is just what is to be forgotten.
        async with self._audit.noting(replace(message, text="", mentions=()), "forget"):
            await self._forget(whose)
        return _forgotten(whose, count)

    async def _forget(self, whose: _Whose) -> None:
        await self._forgetting.person(whose.person_id, whose.within)
        if not whose.within:
            await self._forget_elsewhere(whose.person_id)

    def _asked_back(self, message: IncomingMessage, whose: _Whose, count: int) -> Reply:
        kept = counted(count, "conversation") if count else "no conversation, but other records,"
        named = f"{whose.person_id} " if whose.by_admin else ""
        text = (
            f"I keep {kept} of {f'`{whose.person_id}`{_here(whose)}' if whose.by_admin else 'yours'}."
            f" `{self._spelled(message.place, 'forget')} {named}{_CONFIRMED}` deletes all of it, for good."
        )
        button = Button("Delete all of it", f"{named}{_CONFIRMED}", "forget")
        return Reply(text, ephemeral=True, buttons=(button,), data=_figures(count) | {"asked_back": True})

    async def export(self, message: IncomingMessage) -> Reply:
        """Give the author what is kept of them, or an admin what is kept of somebody else, as a file.

        Raises:
            NotAllowedError: it is about somebody else, and the author is no admin.
            QuestionError: it names nobody.
        """
        whose = await self._whose(message, "export")
        if not whose.by_admin:
            return await self._export.give(message)
        async with self._audit.noting(replace(message, text=whose.person_id, mentions=()), "export"):
            return await self._export.give_of(whose.person_id, whose.within)

    async def _whose(self, message: IncomingMessage, command: str) -> _Whose:
        person_id = _named_in(message)
        if person_id in ("", message.person_id):
            return _Whose(message.person_id)
        try:
            self._access.require_admin(message, f"{self._spelled(message.place, command)} for somebody else")
        except NotAllowedError:
            await self._audit.note(replace(message, text=person_id, mentions=()), command, "refused")
            raise
        if self._access.is_operator(message):
            return _Whose(person_id, by_admin=True)
        place = message.place
        if not place.workspace or not person_id.startswith(f"{place.platform}:"):
            raise QuestionError(_NOBODY, _FIX)
        return _Whose(person_id, f"{place.workspace_id}/", by_admin=True)


def _named_in(message: IncomingMessage) -> str:
    """Give the id of the one person whom a message names; empty where it names none.

    Raises:
        QuestionError: it names several, or something else.
    """
    words = [word for word in message.text.split() if word.lower() != _CONFIRMED]
    named = {mention.removeprefix(f"{_USER}:") for mention in message.mentions if mention.startswith(f"{_USER}:")}
    if len(named) == 1:
        return f"{message.place.platform}:{named.pop()}"
    if not words and not message.mentions:
        return ""
    found = _NAMED.fullmatch(words[0]) if len(words) == 1 and not message.mentions else None
    if found is None:
        raise QuestionError(_NOBODY, _FIX)
    platform = message.place.platform if found[1] == _USER else found[1]
    try:
        return known_person(f"{platform}:{found[2]}")
    except ValueError as error:
        raise QuestionError(f"{error}.") from error


def _here(whose: _Whose) -> str:
    return " in this server" if whose.within else ""


def _figures(count: int) -> dict[str, object]:
    return {"conversations": count}


def _forgotten(whose: _Whose, count: int | None) -> Reply:
    """Say what was deleted. Of somebody else without their name: what is said is kept until it is delivered."""
    kept = counted(count or 0, "conversation")
    if whose.by_admin:
        return Reply(f"Done: {kept} of theirs deleted{_here(whose)}.", ephemeral=True, data=_figures(count or 0))
    if count is None:
        return Reply("I keep nothing of yours.", ephemeral=True, data=_figures(0))
    return Reply(f"Done: {kept} of yours deleted.", ephemeral=True, data=_figures(count))
