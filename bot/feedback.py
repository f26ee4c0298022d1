"""What people think of the answers: one verdict a person and answer."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import Integer, String, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import ConversationNotFoundError, QuestionError
from bot.kept_answers import number_in, reach, within_reach
from bot.messages import Button, IncomingMessage, Place, Reply
from bot.tables import UtcDateTime, conversations, feedback, messages, places

_VERDICTS: Mapping[str, int] = {"up": 1, "down": -1}

_judged = (
    select(
        messages.c.id,
        bindparam("person", type_=String),
        bindparam("verdict", type_=Integer),
        bindparam("at", type_=UtcDateTime),
    )
    .select_from(messages.join(conversations).join(places))
    .where(messages.c.id == bindparam("answer"), messages.c.role == "answer", within_reach)
)
_insert = insert(feedback).from_select(["message_id", "person_id", "verdict", "at"], _judged)
_GIVE = (
    _insert.on_conflict_do_update(
        index_elements=["message_id", "person_id"],
        set_={"verdict": _insert.excluded.verdict, "at": _insert.excluded.at},
    ),
)


class Feedback:
    """Verdicts on answers. `person_buttons` gives the button that calls a person; none where nobody is set."""

    def __init__(
        self, database: Database, person_buttons: Callable[[Place, int], Awaitable[tuple[Button, ...]]]
    ) -> None:
        self._database = database
        self._person_buttons = person_buttons

    async def give(self, message: IncomingMessage) -> Reply:
        """Note a verdict, ``up 123`` or ``down 123`` with the answer's number; a later one takes its place.

        Raises:
            QuestionError: it is written in another way.
            ConversationNotFoundError: no such answer is kept, or it does not stand where the message was written.
        """
        verdict, number = _read(message.text)
        row = reach(message) | {"answer": number, "verdict": _VERDICTS[verdict], "at": message.received_at}
        if not await self._database.write(Change(_GIVE, ([row],), counted=True)):
            raise ConversationNotFoundError("That answer is no longer kept.", "Ask again.")
        data = {"answer_id": str(number), "verdict": verdict}
        buttons = await self._person_buttons(message.place, number) if verdict == "down" else ()
        if buttons and await self._is_diagnosis(number):
            buttons = ()
        text = "Thanks, noted. Shall a person look at it?" if buttons else "Thanks, noted."
        return Reply(text, ephemeral=True, buttons=buttons, data=data)

    async def _is_diagnosis(self, number: int) -> bool:
        """Say whether an answer tells of somebody's body, so that no person is called to look at it."""
        query = select(messages.c.capability).where(messages.c.id == number)
        return await self._database.read(lambda connection: connection.scalar(query)) == "diagnosis"


def _read(text: str) -> tuple[str, int]:
    verdict, _, number = text.strip().lower().partition(" ")
    if verdict not in _VERDICTS or not number_in(number.strip()):
        raise QuestionError("I did not understand that verdict.", "Write `up` or `down` and the answer's number.")
    return verdict, number_in(number.strip())
