"""The statements of delivery, made once: what is written of the inbox and the outbox, and what is open in them."""

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from bot.tables import inbox, outbox, undelivered

_part_columns = (outbox.c.idempotency_key, outbox.c.payload.label("reply"), outbox.c.sent_id, outbox.c.is_sent)
# As the indexes of open rows have it, or they are not used.
IS_OPEN: ColumnElement[bool] = literal_column("inbox.is_open")
UNANSWERED = (
    select(inbox.c.key, inbox.c.payload, inbox.c.lane, undelivered.c.retried_at, *_part_columns)
    .select_from(
        inbox.outerjoin(outbox, outbox.c.inbox_key == inbox.c.key).outerjoin(
            undelivered, undelivered.c.inbox_key == inbox.c.key
        )
    )
    .where(IS_OPEN, inbox.c.payload.is_not(None), inbox.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(inbox.c.id, outbox.c.part)
)
ACCEPT = insert(inbox).on_conflict_do_nothing()
CLAIM = update(inbox).where(inbox.c.key == bindparam("claimed")).values(claimed_by=bindparam("claim"))
AT_THE_LANE = "SELECT key, claimed_by FROM inbox WHERE is_open AND lane = ? ORDER BY id"
# What must not be empty is, where the claim was lost: then the database refuses all that is written with it.
_claimed = select(inbox.c.key).where(inbox.c.key == bindparam("own"), inbox.c.claimed_by == bindparam("claim"))
_put_out = insert(outbox).values(
    {
        "inbox_key": _claimed.scalar_subquery(),
        **{column.name: bindparam(column.name) for column in outbox.c if column is not outbox.c.inbox_key},
    }
)
PUT_OUT = (
    # A part that was shown while the answer grew has its row, with the name under which it stands.
    _put_out.on_conflict_do_update(
        index_elements=["idempotency_key"],
        set_={
            "payload": _put_out.excluded.payload,
            "sent_id": func.coalesce(_put_out.excluded.sent_id, outbox.c.sent_id),
        },
    ),
)
STANDS = (
    update(outbox)
    .where(
        outbox.c.idempotency_key == bindparam("sent_key"),
        exists().where(inbox.c.key == outbox.c.inbox_key, inbox.c.claimed_by == bindparam("claim")),
    )
    .values(sent_id=bindparam("sent_as"), is_sent=bindparam("final"), payload=null()),
)
_SET_DOWN = (
    update(inbox)
    .where(inbox.c.key == bindparam("done_key"))
    .values(
        is_open=False,
        outcome=bindparam("ended"),
        message_id=case((inbox.c.claimed_by == bindparam("claim"), inbox.c.message_id)),
    )
)
_END = _SET_DOWN.values(payload=null())
CLOSE = (
    *STANDS,
    update(outbox)
    .where(outbox.c.inbox_key == bindparam("own"), outbox.c.is_sent.is_(False))
    .values(sent_id=null(), payload=null()),
    update(outbox)
    .where(outbox.c.answers == bindparam("question"), outbox.c.inbox_key != bindparam("own"))
    .values(sent_id=null(), payload=null()),
    delete(undelivered).where(undelivered.c.inbox_key == bindparam("own")),
    _END,
)
_revision = inbox.alias()
_answered = select(outbox.c.inbox_key).where(outbox.c.answers == bindparam("question"))
_earlier = (
    update(inbox)
    .where(
        or_(IS_OPEN, inbox.c.outcome == "undelivered"),
        inbox.c.id < select(_revision.c.id).where(_revision.c.key == bindparam("own")).scalar_subquery(),
    )
    .values(is_open=False, outcome="superseded", payload=null())
)
_lane = select(_revision.c.lane).where(_revision.c.key == bindparam("own")).scalar_subquery()
_in_reach = union(
    select(inbox.c.key).where(IS_OPEN, inbox.c.lane == _lane),
    select(undelivered.c.inbox_key).where(undelivered.c.inbox_key.startswith(bindparam("on"), autoescape=False)),
)
_revised = case((func.json_valid(inbox.c.payload), func.json_extract(inbox.c.payload, "$.revises")))
SUPERSEDE = (
    _earlier.where(or_(inbox.c.key == bindparam("question"), inbox.c.key.in_(_answered))),
    # Of an edit that was put off before it was answered nothing but itself tells what it revises.
    _earlier.where(inbox.c.key.in_(_in_reach), _revised == bindparam("revised")),
    update(outbox)
    .where(
        outbox.c.answers == bindparam("question"),
        exists().where(inbox.c.key == outbox.c.inbox_key, inbox.c.is_open.is_(False)),
    )
    .values(payload=null()),
)
GIVE_UP = (update(outbox).where(outbox.c.inbox_key == bindparam("own")).values(payload=null()), _END)
_set_aside = insert(undelivered)
SET_ASIDE = (
    _set_aside.on_conflict_do_update(
        index_elements=["inbox_key"],
        set_={name: _set_aside.excluded[name] for name in ("since", "reason", "retried_at")},
    ),
    _SET_DOWN,
)
