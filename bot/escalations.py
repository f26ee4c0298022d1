"""A person instead of the bot: calls those who are set for the channel, until one of them marks it as solved."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, String, bindparam, null, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.access import Access
from bot.channel_people import ChannelPeople
from bot.database import Change, Database
from bot.delivery import inbox_key
from bot.errors import ConversationNotFoundError, NotAllowedError, QuestionError
from bot.kept_answers import number_in, reach, within_reach
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.question_text import LONGEST_QUOTE, plain, shortened
from bot.tables import UtcDateTime, conversations, escalations, inbox, messages, outbox, places

Link = Callable[[Place, str], Awaitable[str]]
"""Give the address under which people find a message of a platform; empty where it has none."""

_LONGEST_NAME = 80

_LINK_SECONDS = 3.0

_answer, _question = messages.alias("answer"), messages.alias("question")
_FIND = (
    select(
        _answer.c.id,
        _question.c.text,
        places.c.id,
        inbox.c.message_id,
        outbox.c.sent_id,
        escalations.c.inbox_key,
        escalations.c.solved_by,
    )
    .select_from(_answer)
    .join(_question, _question.c.id == _answer.c.id - 1)
    .join(conversations, conversations.c.id == _answer.c.conversation_id)
    .join(places, places.c.id == conversations.c.place_id)
    .outerjoin(inbox, inbox.c.key == _answer.c.inbox_key)
    .outerjoin(
        outbox,
        (outbox.c.answers == _answer.c.inbox_key) & (outbox.c.part == 0) & outbox.c.sent_id.is_not(None),
    )
    .outerjoin(escalations, escalations.c.message_id == _answer.c.id)
    # What somebody said of their body is shown to nobody else.
    .where(_answer.c.role == "answer", _answer.c.capability != "diagnosis", within_reach)
    .limit(1)
)
_of_number = _answer.c.id == bindparam("number")
_call = select(escalations.c.message_id).join(outbox, outbox.c.answers == escalations.c.inbox_key)
_answering = select(messages.c.id).join(outbox, outbox.c.answers == messages.c.inbox_key)
_shown_as = outbox.c.sent_id == bindparam("about", type_=String)
_of_message = _answer.c.id.in_(_call.where(_shown_as).union_all(_answering.where(_shown_as)))

_wanted = select(
    # The answer's number serves for the call, too: unlike a row's, it is never given twice.
    messages.c.id,
    messages.c.id.label("message_id"),
    bindparam("key", type_=String),
    bindparam("person", type_=String),
    bindparam("at", type_=UtcDateTime),
).where(messages.c.id == bindparam("number"))
_insert = insert(escalations).from_select(["id", "message_id", "inbox_key", "person_id", "asked_at"], _wanted)
_OPEN = (
    _insert.on_conflict_do_update(
        index_elements=["message_id"],
        set_={
            "inbox_key": _insert.excluded.inbox_key,
            "person_id": _insert.excluded.person_id,
            "asked_at": _insert.excluded.asked_at,
            "solved_at": null(),
            "solved_by": null(),
        },
        where=escalations.c.solved_at.is_not(None),
    ),
)
_SOLVE = (
    update(escalations)
    .where(escalations.c.message_id == bindparam("number"), escalations.c.solved_at.is_(None))
    .values(solved_at=bindparam("at"), solved_by=bindparam("person")),
)


@dataclass(frozen=True, slots=True)
class _Matter:
    """A kept question with its answer, and the call for a person, as far as there is one.

    Attributes:
        number: the answer's.
        question: its text.
        place: where both stand.
        question_id: the platform's name for the question.
        sent_id: the platform's name for the answer; where it has several parts, for the first.
        called_with: the inbox key of the message that called a person; empty where none was called.
        solved_by: who marked it as solved; empty while nobody has.
    """

    number: int
    question: str
    place: Place
    question_id: str
    sent_id: str
    called_with: str
    solved_by: str


class Escalations:
    """Calls for a person.

    Args:
        database: where answers and calls are kept.
        people: who is called where.
        access: who may mark any call as solved.
        link: gives a message's address.
        link_seconds: how long that may take; without it the call goes out all the same.
    """

    def __init__(
        self,
        database: Database,
        people: ChannelPeople,
        access: Access,
        link: Link,
        *,
        link_seconds: float = _LINK_SECONDS,
    ) -> None:
        self._database = database
        self._people = people
        self._access = access
        self._link = link
        self._link_seconds = link_seconds

    async def buttons(self, place: Place, answer_id: int) -> tuple[Button, ...]:
        """Give the button that calls a person for an answer; none where nobody is set."""
        called = await self._people.called_in(place)
        return (Button("Not helpful? Ask a person", str(answer_id), "person"),) if called else ()

    async def ask(self, message: IncomingMessage) -> Reply:
        """Call the people of the channel for the answer whose number is the text; once until it is solved.

        Raises:
            ConversationNotFoundError: no such answer is kept, or it does not stand where the message was written.
        """
        matter = await self._find(message, _of_number, number=number_in(message.text))
        if matter is None:
            raise ConversationNotFoundError("That answer is no longer kept.", "Ask again.")
        called = await self._people.called_in(message.place)
        if not called:
            text = "Nobody is set to be asked here. An admin sets it with `/people`."
            return Reply(text, outcome="refused", ephemeral=True)
        about = await self._about(matter)
        if not await self._is_opened_by(message, matter.number):
            return Reply("A person was asked already.", ephemeral=True)
        return Reply(
            f"**{_name(message)}** would like a person to look at this.\n\n{about}",
            mentions=called,
            buttons=(Button("Solved", str(matter.number), "solved"),),
            data={"answer_id": str(matter.number), "called": list(called)},
        )

    async def _is_opened_by(self, message: IncomingMessage, number: int) -> bool:
        """Open the call unless one is open; of several who try at once one succeeds, and does so at every retry."""
        key = inbox_key(message)
        row = {"number": number, "key": key, "person": message.person_id, "at": message.received_at}
        await self._database.write(Change(_OPEN, ([row],)))
        query = select(escalations.c.inbox_key).where(escalations.c.message_id == number)
        return await self._database.read(lambda connection: connection.scalar(query)) == key

    async def solve(self, message: IncomingMessage) -> Reply:
        """Mark a call as solved: the one whose number is the text, else the one that the message is `about`.

        To a reaction (`about` without text) nothing is said where it concerns no open call or comes from others.

        Raises:
            QuestionError: it names no call at all.
            ConversationNotFoundError: there is no such call.
            NotAllowedError: the author is neither among the called nor an admin.
        """
        is_reaction = bool(message.about) and not message.text
        matter = await self._concerned(message)
        if matter is None or not matter.called_with:
            if is_reaction:
                return Reply("")
            raise ConversationNotFoundError("There is no such request for a person.")
        if not await self._may_solve(message):
            if is_reaction:
                return Reply("")
            raise NotAllowedError("Only those who are called here, and admins, mark a request as solved.")
        if not await self._is_solved_by(message, matter):
            return Reply("" if is_reaction else "That was solved already.", ephemeral=True)
        return Reply(
            f"✅ Solved by **{_name(message)}**.\n\n{await self._about(matter)}",
            revises=matter.called_with.removeprefix(f"{message.place.platform}/"),
            data={"answer_id": str(matter.number)},
        )

    async def _concerned(self, message: IncomingMessage) -> _Matter | None:
        if message.text:
            return await self._find(message, _of_number, number=number_in(message.text))
        if message.about:
            return await self._find(message, _of_message, about=message.about)
        raise QuestionError("I see no request for a person in that.", "Press its button, or put ✅ on it.")

    async def _may_solve(self, message: IncomingMessage) -> bool:
        them = {f"user:{message.author.id}", *message.author.roles}
        return self._access.is_admin(message) or not them.isdisjoint(await self._people.called_in(message.place))

    async def _is_solved_by(self, message: IncomingMessage, matter: _Matter) -> bool:
        """Mark it unless it is; of several who try at once one succeeds, and does so at every retry."""
        row = {"number": matter.number, "at": datetime.now(UTC), "person": message.person_id}
        is_new = await self._database.write(Change(_SOLVE, ([row],), counted=True))
        return bool(is_new) or matter.solved_by == message.person_id

    async def _find(self, message: IncomingMessage, which: ColumnElement[bool], **names: object) -> _Matter | None:
        query, parameters = _FIND.where(which), reach(message) | names
        row = await self._database.read(lambda connection: connection.execute(query, parameters).first())
        if row is None:
            return None
        number, question, place_id, question_id, sent_id, called_with, solved_by = row
        place = Place.of_id(place_id)
        return _Matter(number, question, place, question_id or "", sent_id or "", called_with or "", solved_by or "")

    async def _about(self, matter: _Matter) -> str:
        """Quote the question, and link it and its answer where they have addresses."""
        urls = await asyncio.gather(
            self._url(matter.place, matter.question_id), self._url(matter.place, matter.sent_id)
        )
        links = [f"[{label}]({url})" for label, url in zip(("the question", "the answer"), urls, strict=True) if url]
        return "\n\n".join((quoted(matter.question), *([" · ".join(links)] if links else ())))

    async def _url(self, place: Place, message_id: str) -> str:
        if not message_id:
            return ""
        try:
            async with asyncio.timeout(self._link_seconds):
                return await self._link(place, message_id)
        except TimeoutError:
            return ""


def quoted(question: str) -> str:
    """Give a question as a block quote of one line, in which nothing counts as markup."""
    # Within quotation marks the line cannot begin with what CommonMark takes for a list; an ampersand begins an entity.
    return "> “" + plain(shortened(question, LONGEST_QUOTE)) + "”"


def _name(message: IncomingMessage) -> str:
    return plain(shortened(message.author.name or message.author.id, _LONGEST_NAME))
