"""What people think of the answers: one verdict a person and answer, with a comment where they have one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, String, Text, bindparam, case, func, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import ConversationNotFoundError, QuestionError, QuestionTooLongError
from bot.kept_answers import number_in, reach, within_reach
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.tables import UtcDateTime, conversations, feedback, messages, places

_VERDICTS: Mapping[str, int] = {"up": 1, "down": -1}
_NAMES = {number: name for name, number in _VERDICTS.items()}

LONGEST_COMMENT = 2_000
"""Characters of a comment."""

_said = bindparam("comment", type_=Text)
_judged = (
    select(
        messages.c.id,
        bindparam("person", type_=String),
        bindparam("verdict", type_=Integer),
        func.coalesce(_said, ""),
        bindparam("at", type_=UtcDateTime),
    )
    .select_from(messages.join(conversations).join(places))
    .where(messages.c.id == bindparam("answer"), messages.c.role == "answer", within_reach)
)
_insert = insert(feedback).from_select(["message_id", "person_id", "verdict", "comment", "at"], _judged)
_GIVE = (
    _insert.on_conflict_do_update(
        index_elements=["message_id", "person_id"],
        set_={
            "verdict": _insert.excluded.verdict,
            # What was said of it holds on, but not for the opposite.
            "comment": case(
                (_said.is_not(None), _said),
                (feedback.c.verdict == _insert.excluded.verdict, feedback.c.comment),
                else_="",
            ),
            "at": _insert.excluded.at,
        },
    ),
)


class Verdict(NamedTuple):
    """What somebody thinks of an answer: ``up`` or ``down``, and why; the comment may be empty."""

    verdict: str
    comment: str


class Feedback:
    """Verdicts on answers. `person_buttons` gives the button that calls a person; none where nobody is set."""

    def __init__(
        self, database: Database, person_buttons: Callable[[Place, int], Awaitable[tuple[Button, ...]]]
    ) -> None:
        self._database = database
        self._person_buttons = person_buttons

    async def give(self, message: IncomingMessage) -> Reply:
        """Note a verdict, ``up 123`` or ``down 123`` with the answer's number; a later one takes its place.

        What stands behind a colon (``down 123: it closes at 4``) is its comment, and takes the place of an earlier
        one, also where it is empty. Without a colon an earlier comment stays, unless the verdict is another one now.

        Raises:
            QuestionError: it is written in another way, or the comment is too long.
            ConversationNotFoundError: no such answer is kept, or it does not stand where the message was written.
        """
        verdict, number, comment = _read(message.text)
        given = {"verdict": _VERDICTS[verdict], "comment": comment, "at": message.received_at}
        row = reach(message) | {"answer": number} | given
        if not await self._database.write(Change(_GIVE, ([row],), counted=True)):
            raise ConversationNotFoundError("That answer is no longer kept.", "Ask again.")
        kept = (await self._given(message.person_id, messages.c.id == number)).get(
            number, Verdict(verdict, comment or "")
        )
        data = {"answer_id": str(number)} | kept._asdict()
        buttons = await self._person_buttons(message.place, number) if verdict == "down" else ()
        if buttons and await self._is_diagnosis(number):
            buttons = ()
        text = "Thanks, noted. Shall a person look at it?" if buttons else "Thanks, noted."
        return Reply(text, ephemeral=True, buttons=buttons, data=data)

    async def of_conversation(self, conversation_id: str, person_id: str) -> dict[int, Verdict]:
        """Give what somebody thinks of the answers of a conversation, by their numbers, as far as they judged them."""
        return await self._given(person_id, messages.c.conversation_id == conversation_id)

    async def _given(self, person_id: str, answers: ColumnElement[bool]) -> dict[int, Verdict]:
        judged = select(feedback.c.message_id, feedback.c.verdict, feedback.c.comment).join(messages)
        query = judged.where(feedback.c.person_id == person_id, answers)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.message_id: Verdict(_NAMES[row.verdict], row.comment) for row in rows}

    async def _is_diagnosis(self, number: int) -> bool:
        """Say whether an answer tells of somebody's body, so that no person is called to look at it."""
        query = select(messages.c.capability).where(messages.c.id == number)
        return await self._database.read(lambda connection: connection.scalar(query)) == "diagnosis"


def _read(text: str) -> tuple[str, int, str | None]:
    judged, colon, comment = text.partition(":")
    verdict, _, number = judged.strip().lower().partition(" ")
    if verdict not in _VERDICTS or not number_in(number.strip()):
        raise QuestionError("I did not understand that verdict.", "Write `up` or `down` and the answer's number.")
    if len(comment) > LONGEST_COMMENT:
        raise QuestionTooLongError(f"A comment has up to {LONGEST_COMMENT:,} characters.", "Write a shorter one.")
    return verdict, number_in(number.strip()), comment.strip() if colon else None
