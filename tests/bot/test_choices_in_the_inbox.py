"""What askers chose, and what was marked for them, comes back from the inbox and the outbox as it was."""

from dataclasses import replace

from kept_questions import CITATION, KeptQuestions, Person

from bot.delivery import Part, idempotency_key, inbox_key
from bot.messages import Reply


async def test_a_message_left_behind_knows_its_choices_and_its_reply_what_was_marked(kept: KeptQuestions) -> None:
    message = Person("ada").message("When?", generator="gemini", source="handbook")
    reply = Reply(
        "At 8. [1]", citations=(replace(CITATION, matched=((0, 3), (11, 16))),), offers_diagnosis=True, answer_id=5
    )
    await kept.delivery.accept(message)
    await kept.database.write(kept.delivery.putting_out(message, [Part(idempotency_key(message, 0), reply)]))
    (left,) = await kept.delivery.unanswered([inbox_key(message)])
    assert left.message == message
    assert [part.reply for part in left.parts] == [reply]
